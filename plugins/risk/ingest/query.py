"""Executions that a database is asked for: written as a CSV file, so that they pass the same checks as any other."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from psycopg2 import sql

from risk.core.errors import ConnectionLostError, InputError, RefusalError, RequestError, in_one_line
from risk.core.settings import Settings
from risk.core.warehouse import Connection, statement
from risk.ingest.load import Load, load_fetched

QUERY_NAME: Final = "select_source_fills"
"""The statement that a source is asked: names the source in the log of loads, and its file."""

PLACEHOLDER: Final = "%(through_session_date)s"
"""Stands for the session in a query; ``'2025-08-15'`` takes its place, which every database reads as a date."""

BLOCK_ROWS: Final = 10_000

TEXTS: Final = (str, int, Decimal)
"""Types whose text is their exact value."""


def load_query(connection: Connection, source: Connection, through_session_date: dt.date, settings: Settings) -> Load:
    """Load what another Postgres says up to a session, and commit.

    Raises
    ------
    InputError
        As ``load_drop``.
    """
    with _answer(settings) as path:
        with source.cursor() as cursor, path.open("wb") as file:
            binds = {"through_session_date": through_session_date}
            asked = cursor.mogrify(statement("extract_fills/select_source_fills"), binds).decode()
            query = sql.SQL(asked.strip().removesuffix(";"))
            cursor.copy_expert(sql.SQL("copy ({}) to stdout with (format csv, header)").format(query), file)
        return load_fetched(connection, path.parent, QUERY_NAME, through_session_date, settings)


def load_rows(
    connection: Connection, source: Any, query: Path, through_session_date: dt.date, settings: Settings
) -> Load:
    """Load what a database of any kind says up to a session, by the query of a file, and commit.

    Parameters
    ----------
    source
        Connection of the Python database API (PEP 249).
    query
        File with one statement, whose columns are named as those of a CSV file of executions.

    Raises
    ------
    RequestError
        If the file cannot be read.
    RefusalError
        If the database refuses the statement.
    ConnectionLostError
        If it is lost while it answers.
    InputError
        If a value is not exact, else as ``load_drop``; nothing is stored.
    """
    try:
        asked = query.read_text(encoding="utf-8").replace(PLACEHOLDER, f"'{through_session_date}'")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(
            f"RISK_SOURCE_QUERY={query} cannot be read ({error}): name a file with the query, then clear task "
            "extract_fills."
        ) from None
    with _answer(settings) as path:
        cursor = source.cursor()
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(_asked_rows(cursor, asked.strip().removesuffix(";"), query))
        return load_fetched(connection, path.parent, QUERY_NAME, through_session_date, settings)


@contextmanager
def _answer(settings: Settings) -> Iterator[Path]:
    """Give the file for an answer, in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="risk-source-", dir=settings.scratch_folder()) as name:
        yield Path(name) / f"fills_{QUERY_NAME}.csv"


def _asked_rows(cursor: Any, asked: str, query: Path) -> Iterator[Sequence[str]]:
    """Yield the names of an answer's columns, then its rows as text."""
    try:
        cursor.execute(asked)
        header = [column[0] for column in cursor.description or ()]
        block = cursor.fetchmany(BLOCK_ROWS)
    except Exception as error:
        raise _refusal(error, query) from error
    yield header
    row_count = 0
    while block:
        for row in block:
            row_count += 1
            yield [_text(value, name, row_count, query) for name, value in zip(header, row, strict=True)]
        try:
            block = cursor.fetchmany(BLOCK_ROWS)
        except Exception as error:
            raise _refusal(error, query) from error


def _refusal(error: Exception, query: Path) -> RefusalError | ConnectionLostError:
    """Say why a database gives no answer; each driver has errors of its own under the names of PEP 249."""
    words = in_one_line(error)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    # SQLite has one name for a wrong statement and for a database that is away; it is a file, and does not go away.
    if kinds & {"OperationalError", "InterfaceError"} and type(error).__module__ != "sqlite3":
        return ConnectionLostError(
            f"The database of the connection risk_source was lost at the query {query} ({words}): start its server; "
            "the run tries again."
        )
    return RefusalError(
        f"The database of the connection risk_source refuses the query {query} ({words}): correct the query or the "
        "rights of its login, then clear task extract_fills."
    )


def _text(value: Any, name: str, row_count: int, query: Path) -> str:
    """Write a value exactly.

    Raises
    ------
    InputError
        If its type says less than the database knows.
    """
    if value is None:
        return ""
    if isinstance(value, TEXTS) and not isinstance(value, bool):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, dt.date):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    raise InputError(
        f"Row {row_count} of the query {query} has a {type(value).__name__} in the column {name}, which is not exact: "
        "cast it to text or to a decimal there, then clear task extract_fills."
    )
