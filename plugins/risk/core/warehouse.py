"""The warehouse: connections, SQL files, the schema's migrations and the one write lock."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from risk.core.errors import ConnectionLostError, SchemaError
from risk.core.settings import SQL_DIR

Connection = psycopg2.extensions.connection
Cursor = psycopg2.extensions.cursor

WRITE_LOCK = 5_202_511
"""Key of the advisory lock around every task's write: sessions that run side by side take turns."""


def connect(dsn: str) -> Connection:
    """Open a connection whose sessions speak UTC and ISO dates.

    Raises
    ------
    ConnectionLostError
        If the server does not answer; the message carries no password.
    """
    try:
        connection = psycopg2.connect(dsn, application_name="risk", options="-c timezone=UTC -c datestyle=ISO")
    except psycopg2.OperationalError as error:
        place = psycopg2.extensions.parse_dsn(dsn)
        where = f"{place.get('host', 'local socket')}:{place.get('port', '5432')}/{place.get('dbname', '')}"
        raise ConnectionLostError(
            f"The warehouse at {where} does not answer: {str(error).strip()}. Start it (make up), then clear this task."
        ) from None
    return connection


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Give the loss of the server in the middle of some work a sentence.

    Raises
    ------
    ConnectionLostError
        If the server ended a statement or the connection by itself: it was stopped, its disk is full, a time-out.
    """
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        # What ends a transaction on a closed connection says only that; why it was closed came before.
        cause = " ".join(str(error.__context__ or error).split()).rstrip(".")
        raise ConnectionLostError(
            f"The warehouse broke off in the middle of the work: {cause}. What was not committed "
            "is undone. Look at its server and its disk (./riskctl doctor), then clear this task."
        ) from error


@cache
def statement(name: str) -> str:
    """Read the statement ``include/sql/<name>.sql``."""
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def load_statements() -> None:
    """Read every statement file now: processes forked from this one run these, whatever is written later."""
    for path in SQL_DIR.rglob("*.sql"):
        statement(path.relative_to(SQL_DIR).with_suffix("").as_posix())


def execute(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> int:
    """Run one statement file and return the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        return cursor.rowcount


def rows(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement file and fetch its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        return cursor.fetchall()


def records(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run one statement file and fetch its rows as dictionaries by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@contextlib.contextmanager
def planning(connection: Connection, **settings: str | float) -> Iterator[None]:
    """Let Postgres plan some statements of a transaction by other settings than those of the server.

    Parameters
    ----------
    settings
        Values by the names of Postgres's planner settings; not those that the transaction has set for itself before.
    """
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(sql.SQL("set local {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    yield
    with connection.cursor() as cursor:
        for name in settings:
            cursor.execute(sql.SQL("set local {} to default").format(sql.Identifier(name)))


@contextlib.contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """Hold the warehouse's write lock for one transaction: commit at the end, roll back on any error."""
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (WRITE_LOCK,))
        yield connection


def migrate(connection: Connection) -> Sequence[str]:
    """Apply the numbered schema files that this warehouse has not seen, each once, under the write lock.

    Returns
    -------
    sequence of str
        Names of the files applied now, in order.

    Raises
    ------
    SchemaError
        If a file applied earlier has changed or is gone, or if there is something to apply and this role may not;
        nothing is applied then.
    """
    digests = schema_digests()
    with writing(connection):
        (may_create,) = rows(connection, "migrate/select_privileges")[0]
        if may_create:
            execute(connection, "migrate/create_schema_migrations")
        pending = pending_files(connection)
        if pending and not may_create:
            raise SchemaError(
                f"This warehouse lacks the schema files {', '.join(pending)}, and the pipeline's role may not change "
                "the schema: let its owner do it (make down, then make up; or riskctl migrate with RISK_OWNER_DSN)."
            )
        for name in pending:
            execute(connection, f"schema/{name}")
            execute(connection, "migrate/insert_schema_migrations", {"name": name, "content_sha256": digests[name]})
    return pending


def schema_digests() -> dict[str, str]:
    """Return the SHA-256 of each numbered schema file by its name, in order."""
    files = sorted((SQL_DIR / "schema").glob("*.sql"))
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def pending_files(connection: Connection) -> list[str]:
    """List the schema files a warehouse has not seen, in order.

    Raises
    ------
    SchemaError
        If a file applied earlier has changed or is gone.
    """
    digests = schema_digests()
    applied = dict(rows(connection, "migrate/select_schema_migrations"))
    for name, digest in applied.items():
        if digests.get(name) != digest:
            state = "has changed" if name in digests else "is gone"
            raise SchemaError(
                f"Schema file {name}.sql was applied to this warehouse and {state} since: restore it; "
                "what the schema needs next goes into a new file with the next number."
            )
    return [name for name in digests if name not in applied]
