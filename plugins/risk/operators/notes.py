"""Notes of task instances, which an operator reads in the grid without opening a log.

A task has no way to its own note but the public API, so this needs the Airflow connection ``risk_airflow`` (host,
port, login, password of a user who may edit task instances); where there is none, there are no notes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

log = logging.getLogger(__name__)

AIRFLOW_CONNECTION_ID = "risk_airflow"
LONGEST_NOTE = 1000
"""Airflow refuses longer ones."""
TIMEOUT_S = 10.0


def in_words(facts: Mapping[str, Any]) -> str:
    """Say what a task has returned: the session, then counts, then what identifies things.

    Airflow shows the first hundred characters, and its database has put the names into an order of its own.
    """
    known = {name: value for name, value in facts.items() if value is not None and name != "session_date"}
    names = sorted(known, key=lambda name: (name == "run_id", isinstance(known[name], str), name))
    words = ", ".join(f"{name.replace('_', ' ')} {known[name]}" for name in names)
    return f"session {facts['session_date']}: {words}" if "session_date" in facts else words


def write_note(ti: Any, text: str) -> None:
    """Write a task instance's note; what a note cannot say, the log says, so nothing fails for it."""
    try:
        connection = BaseHook.get_connection(AIRFLOW_CONNECTION_ID)
    except AirflowNotFoundException:
        return
    path = f"/api/v2/dags/{quote(ti.dag_id)}/dagRuns/{quote(ti.run_id)}/taskInstances/{quote(ti.task_id)}"
    try:
        token = _ask(connection, "POST", "/auth/token", _login(connection), "")["access_token"]
        _ask(connection, "PATCH", f"{path}?update_mask=note", {"note": text[:LONGEST_NOTE]}, token)
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        log.warning("No note was written: Airflow's API at %s answered %s.", connection.host, error)


def _login(connection: AirflowConnection) -> dict[str, str]:
    return {"username": connection.login or "", "password": connection.password or ""}


def _ask(connection: AirflowConnection, method: str, path: str, body: dict[str, str], token: str) -> dict[str, Any]:
    """Send one request; raises ValueError with Airflow's own words where it refuses."""
    is_encrypted = connection.schema == "https" or connection.conn_type == "https"
    kind = http.client.HTTPSConnection if is_encrypted else http.client.HTTPConnection
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    client = kind(connection.host or "localhost", connection.port or (443 if is_encrypted else 80), timeout=TIMEOUT_S)
    with contextlib.closing(client):
        client.request(method, path, json.dumps(body), headers)
        response = client.getresponse()
        content = response.read()
    if response.status >= http.HTTPStatus.BAD_REQUEST:
        raise ValueError(f"{response.status} {content[:200].decode(errors='replace')}")
    answer = json.loads(content)
    return answer if isinstance(answer, dict) else {}
