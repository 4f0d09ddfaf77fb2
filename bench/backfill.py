"""Backfills 60 sessions four at a time on two Celery workers, then one by one without Airflow, and compares the rows.

``tests/integration/test_two_workers.py`` does it with eight sessions.
"""

from __future__ import annotations

import time
from pathlib import Path

from devstack import runs
from devstack.environment import Desk, DeskKind
from devstack.workspace import Workspace
from simulation.writing import simulate
from tests.backfills import SIDE_BY_SIDE, backfill, differing_tables, one_by_one, reference, warehouse_of
from tests.celery_stack import celery_stack, missing
from tests.faults.line import digests

SESSION_COUNT = 60


def measure(folder: Path) -> None:
    """Print the seconds of both ways; raise where a table differs."""
    if missing():
        print(f"Not measured: {missing()}")
        return
    drop, machines = folder / "drop", folder / "machines"
    machines.mkdir()
    simulate("medium", 4, SESSION_COUNT + 25, 3, drop)
    sessions = sorted({path.stem[-10:] for path in drop.glob("fills*.csv")})[-SESSION_COUNT:]
    workspace = Workspace(machines)
    with celery_stack(workspace, Desk(DeskKind.simulated, drop), {}) as celery:
        runs.await_dag(celery.running)
        with reference(workspace) as reference_dsn:
            started = time.perf_counter()
            backfill(celery, sessions)
            print(
                f"{len(sessions)} sessions {SIDE_BY_SIDE} at a time: {time.perf_counter() - started:.0f} s", flush=True
            )
            found = digests(warehouse_of(workspace))
            started = time.perf_counter()
            expected = one_by_one(reference_dsn, drop, folder / "reports", sessions)
            print(f"one by one, without Airflow: {time.perf_counter() - started:.0f} s")
    differing = differing_tables(found, expected)
    print(f"{len(expected)} tables compared; they differ in: {', '.join(sorted(differing)) or 'none'}")
    if differing:
        raise AssertionError(differing)
