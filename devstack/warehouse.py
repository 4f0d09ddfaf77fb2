"""The warehouse before Airflow starts: schema up to date, the pipeline's role with no more than it needs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from devstack.environment import OWNER_DSN, WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.roles import prepare_warehouse
from risk.core.warehouse import connect


def prepare(pipeline_uri: str, owner_dsn: str | None) -> Sequence[str]:
    """Migrate the warehouse as its owner and grant the pipeline's role its privileges.

    Parameters
    ----------
    pipeline_uri
        The Airflow connection ``risk_warehouse``.
    owner_dsn
        The owner's connection; by default ``RISK_OWNER_DSN``, else the pipeline's own role owns the warehouse.

    Returns
    -------
    sequence of str
        Schema files applied now.

    Raises
    ------
    RequestError
        If the connection does not read as one.
    ConnectionLostError
        If the warehouse does not answer.
    """
    pipeline_dsn = libpq_dsn(pipeline_uri)
    with contextlib.closing(connect(owner_dsn or os.environ.get(OWNER_DSN) or pipeline_dsn)) as owner:
        return prepare_warehouse(owner, parse_dsn(pipeline_dsn)["user"])


def libpq_dsn(uri: str) -> str:
    """Turn an Airflow connection, URI or JSON, into a libpq connection string.

    Raises
    ------
    RequestError
        If it does not name a Postgres role, or does not read as either; the message carries no password.
    """
    try:
        if uri.lstrip().startswith("{"):
            given = json.loads(uri)
            names = {"host": "host", "port": "port", "login": "user", "password": "password", "schema": "dbname"}
            found = {ours: str(given[theirs]) for theirs, ours in names.items() if given.get(theirs)}
        else:
            found = parse_dsn(urlsplit(uri)._replace(scheme="postgresql").geturl())
    except (ValueError, psycopg2.ProgrammingError):
        found = {}
    if "user" not in found:
        raise RequestError(
            f"{WAREHOUSE_CONNECTION} is not of the form postgres://role:password@host:port/database: write it so."
        )
    return make_dsn(**found)
