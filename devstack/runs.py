"""One run of the daily DAG on the running Airflow: started, followed task by task, and explained if it fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import http
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.rest import Api
from devstack.services import Stack
from risk.core.errors import RequestError, RiskError, StackError
from risk.report.incidents import log_tail

DAG_ID = "daily_risk"
FIRST_TASK = "extract_fills"
REPORT_FILES = ("report.html", "report.txt", "report.eml", "report.json", "limits.csv")
ENDED = frozenset({"success", "failed"})
TASK_ENDED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
FAILED = frozenset({"failed", "upstream_failed"})
SHOWN_STATES = TASK_ENDED | {"running", "up_for_retry", "restarting"}
POLL_SECONDS = 0.5
PARSED_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class TaskChange:
    """A task has come into another state.

    Attributes
    ----------
    task_id, state
        Which, and Airflow's name of the state.
    try_number
        Its attempt, from 1.
    duration_s
        Seconds it ran, once it has ended.
    """

    task_id: str
    state: str
    try_number: int
    duration_s: float | None


def await_dag(stack: Stack, dag_id: str = DAG_ID) -> None:
    """Wait until the running dag-processor has read the DAG file as it is now.

    Raises
    ------
    StackError
        If the file cannot be imported, or does not appear in time.
    """
    deadline = time.monotonic() + PARSED_SECONDS
    while True:
        status, answer = stack.api.ask("GET", f"/dags/{dag_id}")
        parsed = answer.get("last_parsed_time") if status == http.HTTPStatus.OK else None
        if parsed and dt.datetime.fromisoformat(parsed) >= stack.started_at:
            return
        errors = stack.api.call("GET", "/importErrors")["import_errors"]
        if errors:
            reasons = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
            raise StackError(f"A DAG file cannot be imported; mend it, then run again.\n{reasons}")
        if time.monotonic() > deadline:
            raise StackError(
                f"Airflow does not know the DAG {dag_id} yet: read var/log/dag-processor.log, then run again."
            )
        time.sleep(0.1)


def trigger(api: Api, conf: dict[str, Any], dag_id: str = DAG_ID) -> str:
    """Start a run and return its id.

    Raises
    ------
    RequestError
        If Airflow finds a parameter wrong.
    """
    status, answer = api.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
    if status in (http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.UNPROCESSABLE_ENTITY):
        raise RequestError(f"Airflow refuses the run's parameters: {answer.get('detail', answer)}")
    if status >= http.HTTPStatus.BAD_REQUEST:
        raise StackError(f"Airflow does not start a run of {dag_id} (status {status}): {answer}. Look at make status.")
    return str(answer["dag_run_id"])


def follow(api: Api, run_id: str, dag_id: str = DAG_ID) -> Iterator[TaskChange]:
    """Yield every change of state of the run's tasks until the run has ended."""
    seen: dict[str, tuple[str, int]] = {}
    while True:
        # The run first: its end, once seen, makes the list of tasks read after it the final one.
        is_over = api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"] in ENDED
        for task in tasks(api, run_id, dag_id):
            state, try_number = task["state"] or "none", task["try_number"]
            if state in SHOWN_STATES and seen.get(task["task_id"]) != (state, try_number):
                seen[task["task_id"]] = (state, try_number)
                yield TaskChange(task["task_id"], state, try_number, task["duration"])
        if is_over:
            return
        time.sleep(POLL_SECONDS)


def tasks(api: Api, run_id: str, dag_id: str = DAG_ID) -> list[dict[str, Any]]:
    """List the run's tasks in the order they started; those that have not started come last."""
    instances = api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
    return sorted(instances, key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))


def raise_for_failure(api: Api, run_id: str, dag_id: str = DAG_ID) -> None:
    """Explain a run that has not succeeded.

    Raises
    ------
    StackError
        With the first failed task and its own sentence, or the end of its log where it has none.
    """
    run = api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
    if run["state"] == "success":
        return
    failed = [task for task in tasks(api, run_id, dag_id) if task["state"] == "failed"]
    if not failed:
        raise StackError(f"Run {run_id} ended as {run['state']} without a failed task: look at it in the UI (make up).")
    task = failed[0]
    raise StackError(
        f"Task {task['task_id']} of run {run_id} failed at attempt {task['try_number']}. "
        + _cause(api, run_id, task["task_id"], max(task["try_number"], 1), dag_id)
    )


def _cause(api: Api, run_id: str, task_id: str, try_number: int, dag_id: str) -> str:
    """Return the sentence of one of our errors, else the end of the task's log."""
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
    status, answer = api.ask("GET", path, full_content="true")
    if status >= http.HTTPStatus.BAD_REQUEST or not isinstance(answer, dict):
        return f"(no log: Airflow answered {status})"
    end = log_tail(entry if isinstance(entry, dict) else {"event": str(entry)} for entry in answer["content"])
    if any(end.error_class == kind.__name__ for kind in RiskError.__subclasses__()):
        return end.message
    return "The end of its log:\n  " + "\n  ".join(end.lines)


def session_of(api: Api, run_id: str, dag_id: str = DAG_ID) -> str:
    """Return the session the run has worked for, as its first task has resolved it."""
    return str(result_of(api, run_id, FIRST_TASK, dag_id)["session_date"])


def result_of(api: Api, run_id: str, task_id: str, dag_id: str = DAG_ID) -> dict[str, Any]:
    """Return what a task that has succeeded has returned."""
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
    value: dict[str, Any] = api.call("GET", path, stringify="false")["value"]
    return value


def give_up(api: Api, run_id: str, dag_id: str = DAG_ID) -> None:
    """Mark a run as failed, so that the next start of Airflow does not take it up again."""
    with contextlib.suppress(RiskError):
        api.call("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})


def new_mails(maildir: Path, since: dt.datetime) -> list[Path]:
    """List the mails the local server has taken since an instant, oldest first."""
    folder = maildir / "new"
    if not folder.is_dir():
        return []
    arrived = [(mail.stat().st_mtime, mail) for mail in folder.iterdir()]
    return [mail for moment, mail in sorted(arrived) if moment >= since.timestamp()]
