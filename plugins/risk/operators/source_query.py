"""The source that is a database: Postgres by our own query, any that Airflow has a hook for by one of a file."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from risk.core.desks import own_connection, own_variable
from risk.core.errors import ConnectionLostError, RefusalError, RequestError, StackError, in_one_line
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect
from risk.ingest.load import Load
from risk.ingest.query import load_query, load_rows


def load_source(connection: Connection, connection_id: str, session_date: dt.date, settings: Settings) -> Load:
    """Load what the database of an Airflow connection says up to a session, and commit.

    Raises
    ------
    RefusalError
        If there is no such connection, or the database refuses the query.
    RequestError
        If it is no Postgres, and RISK_SOURCE_QUERY names no query.
    StackError
        If nothing that reads its type is installed.
    ConnectionLostError
        If it cannot be reached.
    InputError
        As ``load_drop``.
    """
    try:
        given = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise RefusalError(
            f"No source of executions is configured: set {own_variable('fills_dir')}, or add the Airflow connection "
            f"{connection_id} or {own_connection('risk_vendor')}, then clear task extract_fills."
        ) from None
    if settings.source_query is None:
        if given.conn_type not in ("postgres", "postgresql"):
            raise RequestError(
                f"The connection {connection_id} is of the type {given.conn_type}: name the file with its query in "
                "RISK_SOURCE_QUERY, then clear task extract_fills."
            )
        with contextlib.closing(connect(given.get_uri())) as source:
            return load_query(connection, source, session_date, settings)
    with contextlib.closing(_opened(connection_id, given.conn_type or "")) as source:
        return load_rows(connection, source, settings.source_query, session_date, settings)


def _opened(connection_id: str, conn_type: str) -> Any:
    """Open a database by its hook; which error that raises is each driver's own affair."""
    try:
        # Only providers of databases bring it.
        from airflow.providers.common.sql.hooks.sql import DbApiHook

        hook = BaseHook.get_hook(connection_id)
    except Exception as error:
        raise StackError(
            f"No hook opens the connection {connection_id} of the type {conn_type} ({in_one_line(error)}): install its "
            "provider where tasks run, then clear task extract_fills."
        ) from error
    if not isinstance(hook, DbApiHook):
        raise RequestError(
            f"The connection {connection_id} of the type {conn_type} is no database that a query can be sent to: "
            "correct it, then clear task extract_fills."
        )
    try:
        return hook.get_conn()
    except Exception as error:
        raise ConnectionLostError(
            f"The database of the connection {connection_id} cannot be opened ({in_one_line(error)}): start "
            "its server, or correct host, login and password of the connection; the run tries again."
        ) from error
