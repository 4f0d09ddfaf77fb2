"""Airflow's REST API, as far as starting and following one run needs it."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any
from urllib.parse import quote, urlencode

from devstack.environment import UI_USER
from devstack.ports import LOOPBACK
from risk.core.errors import ConnectionLostError, StackError

TIMEOUT_SECONDS = 30.0


class Api:
    """A client of the api-server on this machine; logs in when it first has to.

    Parameters
    ----------
    port
        Port of the api-server on loopback.
    password, user
        Who asks: by default the UI's own user.
    """

    def __init__(self, port: int, password: str, user: str = UI_USER) -> None:
        self.port = port
        self._user = user
        self._password = password
        self._token = ""

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        # Not urllib: it would send loopback requests through a proxy named in the environment.
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, json.dumps(body) if body is not None else None, headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise ConnectionLostError(
                    f"Airflow's api-server on port {self.port} does not answer ({error}): "
                    "look into var/log/api-server.log."
                ) from None
        try:
            return response.status, json.loads(content) if content else None
        except json.JSONDecodeError:
            return response.status, content.decode(errors="replace")

    def health(self) -> dict[str, Any]:
        """Ask each component's health; raises ConnectionLostError while the api-server is not up."""
        status, answer = self._send("GET", "/api/v2/monitor/health", None)
        return answer if status == http.HTTPStatus.OK and isinstance(answer, dict) else {}

    def wake_execution_api(self) -> bool:
        """Make the api-server build, before a task needs it, the part that tasks talk to: that takes it seconds.

        Returns
        -------
        bool
            False while the api-server is not up.
        """
        try:
            return self._send("GET", "/execution/health", None)[0] == http.HTTPStatus.OK
        except ConnectionLostError:
            return False

    def _log_in(self) -> None:
        status, answer = self._send("POST", "/auth/token", {"username": self._user, "password": self._password})
        if status != http.HTTPStatus.CREATED:
            raise StackError(
                f"Airflow refuses the password of {self._user} (status {status}): type make down, then make up, "
                "so that it reads var/ui-password.json again."
            )
        self._token = answer["access_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """Send one request of the public API and return its JSON.

        Raises
        ------
        StackError
            If Airflow refuses; the message holds its reason.
        """
        status, answer = self.ask(method, path, body, **query)
        if status >= http.HTTPStatus.BAD_REQUEST:
            reason = answer.get("detail", answer) if isinstance(answer, dict) else answer
            raise StackError(f"Airflow refuses {method} {path} (status {status}): {reason}")
        return answer

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> tuple[int, Any]:
        """Send one request of the public API and return status and JSON, whatever the status is."""
        if not self._token:
            self._log_in()
        parameters = f"?{urlencode(query)}" if query else ""
        status, answer = self._send(method, f"/api/v2{quote(path, safe='/~')}{parameters}", body)
        if status == http.HTTPStatus.UNAUTHORIZED:
            self._token = ""
            self._log_in()
            status, answer = self._send(method, f"/api/v2{quote(path, safe='/~')}{parameters}", body)
        return status, answer
