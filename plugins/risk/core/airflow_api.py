"""Airflow's REST API, for what a task, a command or the local stack asks of it."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from risk.core.connections import ServiceConnection
from risk.core.errors import ConnectionLostError, StackError

TIMEOUT_S = 30.0


class AirflowApi:
    """A client of one api-server; logs in before its first request of the public API.

    Parameters
    ----------
    url
        Address of the api-server, without a path.
    user, password
        Login of the UI.
    timeout_s
        Seconds for each request.
    """

    def __init__(self, url: str, user: str, password: str, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._user = user
        self._password = password
        self._token = ""
        # No proxy of the environment between neighbors, and no connection kept: the server may restart in between.
        self._client = httpx.Client(
            base_url=self.url, timeout=timeout_s, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        self._client.close()

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
            response = self._client.request(method, path, json=body, params=query or None, headers=headers)
        except httpx.HTTPError as error:
            raise ConnectionLostError(
                f"Airflow's api-server at {self.url} does not answer ({error}): start it, or read its log."
            ) from None
        try:
            return response.status_code, response.json() if response.content else None
        except ValueError:
            return response.status_code, response.text


def api_of(connection: ServiceConnection, timeout_s: float = TIMEOUT_S) -> AirflowApi:
    """Build the client of the Airflow connection ``risk_airflow``; https where its schema or its type says so."""
    is_encrypted = "https" in (connection.schema, connection.conn_type)
    scheme, port = ("https", 443) if is_encrypted else ("http", 80)
    url = f"{scheme}://{connection.host or 'localhost'}:{connection.port or port}"
    return AirflowApi(url, connection.login, connection.password, timeout_s)
