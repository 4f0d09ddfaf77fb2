"""Runs and backfills on the running Airflow: started, followed to their end, and explained if they fail."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from devstack import processes
from devstack.stack import Stack
from risk.core.connections import AirflowApi
from risk.core.errors import RequestError, RiskError, StackError
from risk.report.incidents import SHOWN_LINES, log_tail

DAILY_RISK = "daily_risk"
WEEKLY_MODEL = "weekly_model"
FIRST_TASK = "extract_fills"
REPORT_FILES = ("report.html", "report.txt", "report.eml", "report.json", "limits.csv")
ENDED = frozenset({"success", "failed"})
TASK_ENDED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
SHOWN_STATES = TASK_ENDED | {"running", "up_for_retry", "restarting"}
POLL_S = 0.5
BACKFILL_POLL_S = 1.0
PARSED_S = 90.0
PAGE_RUNS = 100
COMPLETION_S = 60.0
"""Twice the interval at which the scheduler looks for backfills whose runs have all ended."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """A task has changed its state.

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


def await_dag(stack: Stack, dag_id: str = DAILY_RISK) -> None:
    """Wait until the dag-processor has read the DAG file since the stack was started.

    Raises
    ------
    StackError
        If the file cannot be imported, or does not appear in time.
    """

    def is_parsed() -> bool:
        status, answer = stack.api.request("GET", f"/dags/{dag_id}")
        parsed = answer.get("last_parsed_time") if status == HTTPStatus.OK else None
        if parsed and dt.datetime.fromisoformat(parsed) >= stack.started_at:
            return True
        errors = stack.api.call("GET", "/importErrors")["import_errors"]
        if errors:
            reasons = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
            raise StackError(f"A DAG file cannot be imported: fix it, then run again.\n{reasons}")
        return False

    if not processes.wait_until(is_parsed, PARSED_S):
        raise StackError(f"Airflow has not read the DAG {dag_id} yet: read var/log/dag-processor.log, then run again.")


def trigger(api: AirflowApi, conf: dict[str, Any], dag_id: str = DAILY_RISK) -> str:
    """Start a run, named after the session it is asked for, and return its id.

    Raises
    ------
    RequestError
        If Airflow finds a parameter wrong.
    """
    body: dict[str, Any] = {"logical_date": None, "conf": conf}
    if session_date := conf.get("session_date"):
        body["dag_run_id"] = f"manual__{session_date}__{dt.datetime.now(dt.UTC).isoformat()}"
        body["note"] = f"session {session_date}"
    status, answer = api.request("POST", f"/dags/{dag_id}/dagRuns", body)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise RequestError(f"Airflow refuses the run's parameters: {answer.get('detail', answer)}")
    if status >= HTTPStatus.BAD_REQUEST:
        raise StackError(f"Airflow does not start a run of {dag_id} (status {status}): {answer}. Check make status.")
    return str(answer["dag_run_id"])


def follow(api: AirflowApi, run_id: str, dag_id: str = DAILY_RISK) -> Iterator[TaskChange]:
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
        time.sleep(POLL_S)


def tasks(api: AirflowApi, run_id: str, dag_id: str = DAILY_RISK) -> list[dict[str, Any]]:
    """List the run's tasks in the order they started; those that have not started come last."""
    instances = api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
    return sorted(instances, key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))


def raise_for_failure(api: AirflowApi, run_id: str, dag_id: str = DAILY_RISK) -> None:
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
        raise StackError(f"Run {run_id} ended as {run['state']} without a failed task: open it in the UI (make up).")
    task = failed[0]
    raise StackError(
        f"Task {task['task_id']} of run {run_id} failed at attempt {task['try_number']}. "
        + _cause(api, run_id, task["task_id"], max(task["try_number"], 1), dag_id)
    )


def _cause(api: AirflowApi, run_id: str, task_id: str, try_number: int, dag_id: str) -> str:
    """Return the sentence of one of our errors, else the end of the task's log."""
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
    status, answer = api.request("GET", path, full_content="true")
    if status >= HTTPStatus.BAD_REQUEST or not isinstance(answer, dict):
        return f"(no log: Airflow answered {status})"
    entries = (entry if isinstance(entry, dict) else {"event": str(entry)} for entry in answer["content"])
    end = log_tail(entries, SHOWN_LINES)
    if any(end.error_class == kind.__name__ for kind in RiskError.__subclasses__()):
        return end.message
    return "The end of its log:\n  " + "\n  ".join(end.lines)


def session_of(api: AirflowApi, run_id: str, dag_id: str = DAILY_RISK) -> str:
    """Return the session the run has worked for, as its first task has determined it."""
    return str(result_of(api, run_id, FIRST_TASK, dag_id)["session_date"])


def result_of(api: AirflowApi, run_id: str, task_id: str, dag_id: str = DAILY_RISK) -> dict[str, Any]:
    """Return what a task that has succeeded has returned."""
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
    value: dict[str, Any] = api.call("GET", path, stringify="false")["value"]
    return value


def cancel_run(api: AirflowApi, run_id: str, dag_id: str = DAILY_RISK) -> None:
    """Mark a run as failed, so that the next start of Airflow does not resume it."""
    with contextlib.suppress(RiskError):
        api.call("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})


def new_mails(maildir: Path, since: dt.datetime) -> list[Path]:
    """List the emails that the local server has accepted since an instant, oldest first."""
    folder = maildir / "new"
    if not folder.is_dir():
        return []
    arrived = [(mail.stat().st_mtime, mail) for mail in folder.iterdir()]
    return [mail for moment, mail in sorted(arrived) if moment >= since.timestamp()]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run of a backfill that has ended.

    Attributes
    ----------
    run_id, state
        Airflow's name of the run, and ``success`` or ``failed``.
    session_date
        The session its data interval starts on, ISO.
    duration_s
        Seconds from its start to its end.
    """

    run_id: str
    state: str
    session_date: str
    duration_s: float


def create_backfill(api: AirflowApi, first: str, last: str, conf: dict[str, Any], dag_id: str = DAILY_RISK) -> int:
    """Create a backfill, one run per session, one at a time, oldest first, and return its id.

    A session that has a run already is run again, as a new revision.

    Parameters
    ----------
    first, last
        ISO dates of the first and the last session, both inclusive.
    conf
        Parameters of each run.

    Raises
    ------
    RequestError
        If another backfill runs, or there is no session to run in the range.
    """
    body = {
        "dag_id": dag_id,
        "from_date": f"{first}T00:00:00Z",
        "to_date": f"{last}T00:00:00Z",
        "dag_run_conf": conf,
        "reprocess_behavior": "completed",
        "max_active_runs": 1,
    }
    # Airflow records the end of a backfill some seconds after its last run.
    processes.wait_until(lambda: can_backfill(api, dag_id), COMPLETION_S)
    status, answer = api.request("POST", "/backfills", body)
    if status == HTTPStatus.CONFLICT:
        raise RequestError(
            "Another backfill of this DAG runs, and Airflow runs one at a time: wait for it, or cancel it in the UI."
        )
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = answer.get("detail", answer) if isinstance(answer, dict) else answer
        raise RequestError(f"Airflow refuses the backfill from {first} to {last}: {reason}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise StackError(f"Airflow does not start the backfill (status {status}): read var/log/api-server.log.")
    return int(answer["id"])


def can_backfill(api: AirflowApi, dag_id: str) -> bool:
    """Return whether to stop waiting: no backfill is open, or one still has runs to do and will refuse a new one."""
    listed = api.call("GET", "/backfills", dag_id=dag_id, order_by="-id")["backfills"]
    if all(backfill["completed_at"] for backfill in listed):
        return True
    unfinished = api.call("GET", f"/dags/{dag_id}/dagRuns", run_type="backfill", order_by="-id")["dag_runs"]
    return any(run["state"] not in ENDED for run in unfinished)


def follow_backfill(api: AirflowApi, first: str, last: str, dag_id: str = DAILY_RISK) -> Iterator[RunEnd]:
    """Yield every run of the backfill of a range of sessions as it ends, until all have."""
    seen: set[str] = set()
    while True:
        listed = runs_between(api, first, last, dag_id)
        for run in listed:
            if run["state"] in ENDED and run["dag_run_id"] not in seen:
                seen.add(run["dag_run_id"])
                session_date = str(run["data_interval_start"])[:10]
                yield RunEnd(run["dag_run_id"], run["state"], session_date, float(run["duration"] or 0.0))
        if len(seen) == len(listed):
            return
        time.sleep(BACKFILL_POLL_S)


def runs_between(api: AirflowApi, first: str, last: str, dag_id: str = DAILY_RISK) -> list[dict[str, Any]]:
    """List the backfill runs of a range of sessions, oldest first; Airflow creates them all with the backfill.

    They are those of the newest backfill: Airflow runs one at a time, and a later one takes over the runs it meets.
    """
    query = {
        "run_type": "backfill",
        "logical_date_gte": f"{first}T00:00:00Z",
        "logical_date_lte": f"{last}T00:00:00Z",
        "order_by": "logical_date",
        "limit": str(PAGE_RUNS),
    }
    found: list[dict[str, Any]] = []
    while True:
        page = api.call("GET", f"/dags/{dag_id}/dagRuns", None, **query, offset=str(len(found)))
        found += page["dag_runs"]
        if not page["dag_runs"] or len(found) >= page["total_entries"]:
            return found


def cancel_backfill(api: AirflowApi, backfill_id: int) -> None:
    """Cancel a backfill: the current run goes on to its end, the others do not start."""
    with contextlib.suppress(RiskError):
        api.call("PUT", f"/backfills/{backfill_id}/cancel")
