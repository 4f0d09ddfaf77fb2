"""Airflow connections as the environment holds them, read without Airflow: a URI or JSON in ``AIRFLOW_CONN_<ID>``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.errors import RequestError

WAREHOUSE_CONNECTION = "AIRFLOW_CONN_RISK_WAREHOUSE"
VENDOR_CONNECTION = "AIRFLOW_CONN_RISK_VENDOR"
SOURCE_CONNECTION = "AIRFLOW_CONN_RISK_SOURCE"
SMTP_CONNECTION = "AIRFLOW_CONN_SMTP_DEFAULT"
API_CONNECTION = "AIRFLOW_CONN_RISK_AIRFLOW"
METADATA_CONNECTION = "AIRFLOW_CONN_AIRFLOW_METADATA"
METADATA_DSN = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
"""Airflow's own setting of its metadata database, in SQLAlchemy's form."""


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """One Airflow connection.

    Attributes
    ----------
    conn_type, host, port, schema, login
        As Airflow names them; ``port`` is 0 where none is given.
    password
        Not part of the representation.
    extra
        Further fields.
    """

    conn_type: str
    host: str
    port: int
    schema: str
    login: str
    password: str = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)


def read_connection(environment: Mapping[str, str], variable: str) -> ServiceConnection:
    """Read a connection.

    Raises
    ------
    RequestError
        If the variable is not set, or is neither a URI nor JSON; the message carries no password.
    """
    value = _value(environment, variable)
    try:
        return connection_of(json.loads(value)) if value.startswith("{") else _from_uri(value)
    except (AttributeError, ValueError):
        raise RequestError(
            f"{variable} is not an Airflow connection: write it as scheme://login:password@host:port/schema or as JSON."
        ) from None


def connection_of(given: Mapping[str, Any]) -> ServiceConnection:
    """Build a connection from its fields, as Airflow names them; what is missing or null is empty."""
    extra = given.get("extra") or {}
    return ServiceConnection(
        conn_type=str(given.get("conn_type") or ""),
        host=str(given.get("host") or ""),
        port=int(given.get("port") or 0),
        schema=str(given.get("schema") or ""),
        login=str(given.get("login") or ""),
        password=str(given.get("password") or ""),
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def postgres_dsn(environment: Mapping[str, str], variable: str) -> str:
    """Return the libpq connection string of a variable that names a Postgres database.

    Raises
    ------
    RequestError
        If the variable is not set, or names no role of a Postgres server; the message carries no password.
    """
    value = _value(environment, variable)
    try:
        if value.startswith("{"):
            given = json.loads(value)
            names = {"host": "host", "port": "port", "login": "user", "password": "password", "schema": "dbname"}
            found = {ours: str(given[theirs]) for theirs, ours in names.items() if given.get(theirs)}
        else:
            parts = urlsplit(value)
            is_postgres = parts.scheme.startswith("postgres")
            found = parse_dsn(parts._replace(scheme="postgresql").geturl()) if is_postgres else {}
    except (AttributeError, ValueError, psycopg2.ProgrammingError):
        found = {}
    if "user" not in found:
        raise RequestError(
            f"{variable} is not of the form postgres://role:password@host:port/database: write it so, or as JSON."
        )
    return make_dsn(**found)


def _value(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise RequestError(
            f"{variable} is not set: start the local stack (make up), or set the variables of Airflow's processes."
        )
    return value


def _from_uri(value: str) -> ServiceConnection:
    parts = urlsplit(value)
    if not parts.scheme or not parts.netloc:
        raise ValueError(value)
    return ServiceConnection(
        conn_type=parts.scheme,
        host=unquote(parts.hostname or ""),
        port=parts.port or 0,
        schema=unquote(parts.path.strip("/")),
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        extra={},
    )
