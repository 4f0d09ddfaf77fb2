"""Another Postgres as a source: the answer of one query becomes a file drop."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Final

from psycopg2 import sql

from risk.core.settings import Settings
from risk.core.warehouse import Connection, statement
from risk.ingest.load import Load, load_fetched

QUERY_NAME: Final = "select_source_fills"
QUERY: Final = "extract_fills/select_source_fills"


def load_query(connection: Connection, source: Connection, through_session_date: dt.date, settings: Settings) -> Load:
    """Load what another Postgres says up to a session, and commit.

    The answer of ``select_source_fills.sql`` is written to a temporary CSV file, so that it passes the same checks.

    Raises
    ------
    InputError
        As ``load_drop``.
    """
    with tempfile.TemporaryDirectory(prefix="risk-source-") as name:
        path = Path(name) / f"fills_{QUERY_NAME}.csv"
        with source.cursor() as cursor, path.open("wb") as file:
            asked = cursor.mogrify(statement(QUERY), {"through_session_date": through_session_date}).decode()
            query = sql.SQL(asked.strip().removesuffix(";"))
            cursor.copy_expert(sql.SQL("copy ({}) to stdout with (format csv, header)").format(query), file)
        return load_fetched(connection, Path(name), QUERY_NAME, through_session_date, settings)
