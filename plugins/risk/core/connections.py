"""Airflow connections, read without Airflow from a URI or JSON in ``AIRFLOW_CONN_<ID>``, and Airflow's REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

import httpx
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.answers import AnswerError, BoundedClient
from risk.core.desks import own_connection_variable
from risk.core.errors import ConnectionLostError, RequestError, StackError

WAREHOUSE_CONNECTION = "AIRFLOW_CONN_RISK_WAREHOUSE"
VENDOR_CONNECTION = "AIRFLOW_CONN_RISK_VENDOR"
SOURCE_CONNECTION = "AIRFLOW_CONN_RISK_SOURCE"
SMTP_CONNECTION = "AIRFLOW_CONN_SMTP_DEFAULT"
API_CONNECTION = "AIRFLOW_CONN_RISK_AIRFLOW"
METADATA_CONNECTION = "AIRFLOW_CONN_AIRFLOW_METADATA"
METADATA_DSN = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
"""Airflow's own setting of its metadata database, in SQLAlchemy's form."""

API_TIMEOUT_S = 30.0
LARGEST_ANSWER = 1 << 24
"""Bytes; a page of Airflow's lists has some hundred kilobytes."""


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
    """Read a connection, of several desks this one's where each has its own.

    Raises
    ------
    RequestError
        If the variable is not set, or is neither a URI nor JSON; the message carries no password.
    """
    variable, value = _value(environment, variable)
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
    variable, value = _value(environment, variable)
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


def _value(environment: Mapping[str, str], variable: str) -> tuple[str, str]:
    variable = own_connection_variable(variable)
    value = environment.get(variable, "").strip()
    if not value:
        raise RequestError(
            f"{variable} is not set: start the local stack (make up), or set the variables of Airflow's processes "
            "(Compose: .env)."
        )
    return variable, value


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


class AirflowApi:
    """A client of one api-server; logs in before its first request of the public API.

    Parameters
    ----------
    url
        Address of the api-server, with the path of ``[api] base_url``, if it has one.
    user, password
        Login of the UI.
    timeout_s
        Seconds for each request as a whole.
    """

    def __init__(self, url: str, user: str, password: str, timeout_s: float = API_TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._user = user
        self._password = password
        self._token = ""
        # No proxy of the environment between neighbors, and no connection kept: the server may restart in between.
        self._client = BoundedClient(
            answer_s=timeout_s,
            most_bytes=LARGEST_ANSWER,
            base_url=self.url,
            timeout=timeout_s,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        self._client.__exit__(kind, error, trace)

    def health(self) -> dict[str, Any]:
        """Return the health of each component.

        Raises
        ------
        ConnectionLostError
            While the api-server is not up.
        """
        status, answer = self._send("GET", "/api/v2/monitor/health")
        return answer if status == HTTPStatus.OK and isinstance(answer, dict) else {}

    def wake_execution_api(self) -> bool:
        """Make the api-server build the part that tasks talk to before a task needs it: that takes seconds.

        Returns
        -------
        bool
            False while the api-server is not up.
        """
        try:
            return self._send("GET", "/execution/health")[0] == HTTPStatus.OK
        except ConnectionLostError:
            return False

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """Send one request of the public API and return its JSON.

        Raises
        ------
        ConnectionLostError
            If the api-server does not answer.
        StackError
            If Airflow refuses; the message holds its reason.
        """
        status, answer = self.request(method, path, body, **query)
        if status >= HTTPStatus.BAD_REQUEST:
            reason = answer.get("detail", answer) if isinstance(answer, dict) else answer
            raise StackError(f"Airflow refuses {method} {path} (status {status}): {reason}")
        return answer

    def request(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> tuple[int, Any]:
        """Send one request of the public API and return status and JSON, whatever the status is."""
        if not self._token:
            self._log_in()
        target = f"/api/v2{quote(path, safe='/~')}"
        status, answer = self._send(method, target, body, query)
        if status == HTTPStatus.UNAUTHORIZED:
            self._token = ""
            self._log_in()
            status, answer = self._send(method, target, body, query)
        return status, answer

    def _log_in(self) -> None:
        status, answer = self._send("POST", "/auth/token", {"username": self._user, "password": self._password})
        if status != HTTPStatus.CREATED:
            raise StackError(
                f"Airflow at {self.url} refuses the password of {self._user} (status {status}): correct the connection "
                "risk_airflow; the local stack reads its password again after make down and make up."
            )
        self._token = answer["access_token"]

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            asked: dict[str, Any] = {"json": body, "params": query or None, "headers": headers}
            with self._client.stream(method, path, **asked) as response:
                content = b"".join(self._client.chunks(response))
        except (httpx.HTTPError, AnswerError) as error:
            raise ConnectionLostError(
                f"Airflow's api-server at {self.url} does not answer ({error}): start it, or read its log."
            ) from None
        try:
            return response.status_code, json.loads(content) if content else None
        except ValueError:
            return response.status_code, content.decode("utf-8", errors="replace")


def api_of(connection: ServiceConnection, timeout_s: float = API_TIMEOUT_S) -> AirflowApi:
    """Build the client of the Airflow connection ``risk_airflow``.

    https where its schema or its type says so; any other schema is the path of ``[api] base_url``, as in
    ``https://login:password@host/airflow``. Airflow's own login answers below that path only.
    """
    is_encrypted = "https" in (connection.schema, connection.conn_type)
    scheme, port = ("https", 443) if is_encrypted else ("http", 80)
    path = "" if connection.schema in {"http", "https"} else connection.schema.strip("/")
    url = f"{scheme}://{connection.host or 'localhost'}:{connection.port or port}/{path}"
    return AirflowApi(url, connection.login, connection.password, timeout_s)
