"""Notes of runs and task instances, shown in the grid without opening a log.

A task can write notes only through the public API, which requires the Airflow connection ``risk_airflow`` (host,
port, login, password of a user who may edit task instances). Without it there are no notes.
Airflow shows notes as Markdown, and they quote what others have delivered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException

from risk.core.connections import api_of
from risk.core.errors import RiskError
from risk.operators.base import service_connection

log = logging.getLogger(__name__)

AIRFLOW_CONNECTION_ID = "risk_airflow"
LONGEST_NOTE = 1000
"""Airflow rejects longer ones."""
TIMEOUT_S = 10.0

LIVE = re.compile(r"[\\`*\[\]()<>#|~!&@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=[wW]{3})\.")
"""What Markdown takes for more than text; an underscore within a word, as in a file's name, stays."""


def note_text(returned: Mapping[str, Any]) -> str:
    """Describe what a task returned: the session, then counts, then identifiers.

    Airflow shows the first hundred characters, and its database does not keep the order of the names.
    """
    known = {name: value for name, value in returned.items() if value is not None and name != "session_date"}
    names = sorted(known, key=lambda name: (name == "run_id", isinstance(known[name], str), name))
    text = ", ".join(f"{name.replace('_', ' ')} {known[name]}" for name in names)
    return f"session {returned['session_date']}: {text}" if "session_date" in returned else text


def escape(text: str) -> str:
    """Write text so that Markdown shows it as it is: no image is loaded, no link made, nothing hidden."""
    return LIVE.sub(lambda found: f"\\{found[0]}", text)


def write_note(ti: Any, text: str, run_text: str = "") -> None:
    """Write the note of a task instance, as text; a note that cannot be written is logged and fails nothing.

    Parameters
    ----------
    ti
        The task instance.
    text
        Its note.
    run_text
        Note of its run, where that has none yet.
    """
    try:
        connection = service_connection(AIRFLOW_CONNECTION_ID)
    except AirflowNotFoundException:
        return
    run = f"/dags/{ti.dag_id}/dagRuns/{ti.run_id}"
    try:
        with api_of(connection, TIMEOUT_S) as api:
            api.call("PATCH", f"{run}/taskInstances/{ti.task_id}", _note(text), update_mask="note")
            if run_text and not api.call("GET", run)["note"]:
                api.call("PATCH", run, _note(run_text), update_mask="note")
    except RiskError as error:
        log.warning("No note was written: %s", error)


def _note(text: str) -> dict[str, Any]:
    return {"note": escape(text)[:LONGEST_NOTE]}
