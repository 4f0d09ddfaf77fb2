"""Notes of task instances, shown in the grid without opening a log.

A task can write its own note only through the public API, which requires the Airflow connection ``risk_airflow`` (host,
port, login, password of a user who may edit task instances). Without it there are no notes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

log = logging.getLogger(__name__)

AIRFLOW_CONNECTION_ID = "risk_airflow"
LONGEST_NOTE = 1000
"""Airflow rejects longer ones."""
TIMEOUT_S = 10.0


def note_text(returned: Mapping[str, Any]) -> str:
    """Describe what a task returned: the session, then counts, then identifiers.

    Airflow shows the first hundred characters, and its database does not keep the order of the names.
    """
    known = {name: value for name, value in returned.items() if value is not None and name != "session_date"}
    names = sorted(known, key=lambda name: (name == "run_id", isinstance(known[name], str), name))
    text = ", ".join(f"{name.replace('_', ' ')} {known[name]}" for name in names)
    return f"session {returned['session_date']}: {text}" if "session_date" in returned else text


def write_note(ti: Any, text: str) -> None:
    """Write the note of a task instance; a note that cannot be written is logged and fails nothing."""
    try:
        connection = BaseHook.get_connection(AIRFLOW_CONNECTION_ID)
    except AirflowNotFoundException:
        return
    path = f"/api/v2/dags/{quote(ti.dag_id)}/dagRuns/{quote(ti.run_id)}/taskInstances/{quote(ti.task_id)}"
    try:
        with httpx.Client(base_url=_base_url(connection), timeout=TIMEOUT_S, trust_env=False) as client:
            login = {"username": connection.login or "", "password": connection.password or ""}
            token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            client.patch(
                path,
                params={"update_mask": "note"},
                json={"note": text[:LONGEST_NOTE]},
                headers={"Authorization": f"Bearer {token}"},
            ).raise_for_status()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        log.warning("No note was written: Airflow's API at %s failed: %s", connection.host, error)


def _base_url(connection: AirflowConnection) -> str:
    scheme = "https" if "https" in (connection.schema, connection.conn_type) else "http"
    port = connection.port or (443 if scheme == "https" else 80)
    return f"{scheme}://{connection.host or 'localhost'}:{port}"
