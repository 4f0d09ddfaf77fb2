"""A range of sessions through Airflow's own backfill: asked for, followed run by run, explained if it fails."""

from __future__ import annotations

import contextlib
import http
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devstack import processes
from devstack.rest import Api
from devstack.runs import DAG_ID, ENDED
from risk.core.errors import RequestError, RiskError, StackError

POLL_SECONDS = 1.0
PAGE_RUNS = 100
COMPLETION_SECONDS = 60.0
"""Twice the interval at which the scheduler looks for backfills whose runs have all ended."""


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


def create(api: Api, first: str, last: str, conf: dict[str, Any], dag_id: str = DAG_ID) -> int:
    """Ask Airflow for one run per session, one at a time, oldest first, and return the backfill's id.

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
    # Airflow notes the end of a backfill some seconds after its last run: a next one need not be refused for that.
    processes.wait_until(lambda: is_free(api, dag_id), COMPLETION_SECONDS)
    status, answer = api.ask("POST", "/backfills", body)
    if status == http.HTTPStatus.CONFLICT:
        raise RequestError(
            "Another backfill of this DAG runs, and Airflow takes one at a time: wait for it, or cancel it in the UI."
        )
    if http.HTTPStatus.BAD_REQUEST <= status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = answer.get("detail", answer) if isinstance(answer, dict) else answer
        raise RequestError(f"Airflow refuses the backfill from {first} to {last}: {reason}")
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise StackError(f"Airflow does not start the backfill (status {status}): read var/log/api-server.log.")
    return int(answer["id"])


def is_free(api: Api, dag_id: str) -> bool:
    """Tell whether waiting is useless: no backfill is under way, or one still has runs to do."""
    listed = api.call("GET", "/backfills", dag_id=dag_id, order_by="-id")["backfills"]
    if all(backfill["completed_at"] for backfill in listed):
        return True
    unfinished = api.call("GET", f"/dags/{dag_id}/dagRuns", run_type="backfill", order_by="-id")["dag_runs"]
    return any(run["state"] not in ENDED for run in unfinished)


def follow(api: Api, first: str, last: str, dag_id: str = DAG_ID) -> Iterator[RunEnd]:
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
        time.sleep(POLL_SECONDS)


def runs_between(api: Api, first: str, last: str, dag_id: str = DAG_ID) -> list[dict[str, Any]]:
    """List the backfill runs of a range of sessions, oldest first; Airflow makes them all when it takes a backfill.

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


def cancel(api: Api, backfill_id: int) -> None:
    """Stop a backfill: the run that runs goes on to its end, the others do not start."""
    with contextlib.suppress(RiskError):
        api.call("PUT", f"/backfills/{backfill_id}/cancel")
