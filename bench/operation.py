"""The daily run on the running scheduler against an empty chain of seven tasks in it; memory; a backfill; Celery."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import psutil

from devstack import processes, runs
from devstack.airflow import COMPONENTS
from devstack.environment import Desk, DeskKind
from devstack.stack import temporary_stack
from devstack.workspace import Workspace
from risk.core.connections import AirflowApi
from risk.core.errors import StackError
from simulation.desk import write_desk
from tests.celery_stack import celery_stack, missing

REPEATS = 3
BACKFILL_SESSIONS = 60
LIMITS = {
    "daily_run_over_empty_chain": 1.3,
    "memory_bytes": 1.5e9,
    "backfill_seconds": 300.0,
    "celery_over_local": 1.5,
}
EMPTY_CHAIN = """
from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, BaseOperator, chain


class DoNothingOperator(BaseOperator):
    def execute(self, context):
        return {"run_id": 1}


with DAG(dag_id="empty_chain", schedule=None, start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC)):
    chain(*(DoNothingOperator(task_id=f"task_{number}") for number in range(7)))
"""


def measure(folder: Path) -> dict[str, float]:
    """Measure and print the ratios to the limits; below 1 is within the limit."""
    place = folder / "clone"
    place.mkdir()
    fills = folder / "desk"
    write_desk(fills)
    _let_rest(fills)
    dates = sorted(path.stem.removeprefix("fills_") for path in fills.glob("fills_*.csv"))
    desk = Desk(DeskKind.simulated, fills)
    with temporary_stack(place, desk, {"empty_chain.py": EMPTY_CHAIN}) as (workspace, stack):
        for dag_id in (runs.DAILY_RISK, "empty_chain"):
            runs.await_dag(stack, dag_id)
        conf = {"session_date": dates[-1], "deliver": True}
        _seconds(stack.api, runs.DAILY_RISK, conf)
        _seconds(stack.api, "empty_chain", {})
        daily, empty = [], []
        for _ in range(REPEATS):
            empty.append(_seconds(stack.api, "empty_chain", {}))
            daily.append(_seconds(stack.api, runs.DAILY_RISK, conf))
        used = _memory(workspace)
        backfill_seconds = _backfill(stack.api, dates[-BACKFILL_SESSIONS], dates[-1])
    figures = {
        "daily_run_over_empty_chain": min(daily) / min(empty),
        "memory_bytes": used,
        "backfill_seconds": backfill_seconds,
    }
    if missing():
        print(f"Celery is not measured: {missing()}")
    else:
        figures["celery_over_local"] = _on_celery(folder / "celery", desk, conf) / min(daily)
    print(f"daily run {min(daily):.1f} s, empty chain {min(empty):.1f} s, best of {REPEATS} each")
    for name, figure in figures.items():
        print(f"{name:50s} {figure:14.2f}  limit ratio {figure / LIMITS[name]:6.3f}")
    return figures


def _let_rest(folder: Path) -> None:
    """Let files be an hour old: a run watches younger ones for two seconds, to see whether they still grow."""
    instant = time.time() - 3600
    for path in folder.iterdir():
        os.utime(path, (instant, instant))


def _seconds(api: AirflowApi, dag_id: str, conf: dict[str, object]) -> float:
    """Run once; from the run's start to its end, as Airflow itself notes them."""
    run_id = runs.trigger(api, conf, dag_id)
    for _ in runs.follow(api, run_id, dag_id):
        pass
    runs.raise_for_failure(api, run_id, dag_id)
    run = api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
    started, ended = (dt.datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - started).total_seconds()


def _on_celery(root: Path, desk: Desk, conf: dict[str, object]) -> float:
    """Return the seconds of the daily run on two workers, each task on the other than the one before it."""
    root.mkdir()
    with celery_stack(Workspace(root), desk, {}) as celery:
        runs.await_dag(celery.running)
        # The first run on each worker warms it up.
        return min([_seconds(celery.running.api, runs.DAILY_RISK, conf) for _ in range(REPEATS + 2)][2:])


def _memory(workspace: Workspace) -> float:
    """Sum the memory of every process of the stack; shared pages count once (proportional set size)."""
    total = 0.0
    for name in (*COMPONENTS, "mailbox", "postgres"):
        process = processes.read_record(workspace.records / f"{name}.json")
        members = processes.session_members(process) if process else []
        if name == "postgres" and process:
            members = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
        total += sum(float(psutil.Process(pid).memory_full_info().pss) for pid in members)
    return total


def _backfill(api: AirflowApi, first: str, last: str) -> float:
    started = time.monotonic()
    runs.create_backfill(api, first, last, {"deliver": False})
    states = [run.state for run in runs.follow_backfill(api, first, last)]
    if states != ["success"] * BACKFILL_SESSIONS:
        raise StackError(f"The backfill's runs ended as {states}: read the logs of the first that failed.")
    return time.monotonic() - started
