"""Backfills 60 sessions one by one, and four at a time by processes of their own: the rows must be the same.

But for what is decided and said with the mornings before (`tests.backfills.OF_EARLIER_MORNINGS`).

As Airflow does it with ``--max-active-runs 4``, but without Airflow: each session's seven steps in a process, begun in
order, ended as it happens. ``tests/integration/test_two_workers.py`` does it with Airflow on two Celery workers.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from psycopg2.extensions import make_dsn

from risk.core.schema import migrate
from risk.core.warehouse import connect
from simulation.writing import simulate
from tests.backfills import differing_tables, run_line
from tests.databases import create_database
from tests.faults.line import digests

SESSION_COUNT = 60
SIDE_BY_SIDE = 4


def measure(dsn: str, folder: Path) -> None:
    """Print the seconds of both ways; raise where a table differs."""
    drop = folder / "drop"
    simulate("medium", 4, SESSION_COUNT + 25, 3, drop)
    sessions = sorted({dt.date.fromisoformat(path.stem[-10:]) for path in drop.glob("fills*.csv")})[-SESSION_COUNT:]
    seconds, stored = {}, {}
    for name, process_count in (("one by one", 1), (f"{SIDE_BY_SIDE} at a time", SIDE_BY_SIDE)):
        database = f"backfill_{process_count}"
        create_database(dsn, database, "template1")
        own = make_dsn(dsn, dbname=database)
        connection = connect(own)
        migrate(connection)
        connection.close()
        started = time.perf_counter()
        with ProcessPoolExecutor(process_count, multiprocessing.get_context("spawn")) as pool:
            list(pool.map(partial(run_line, own, drop, folder / database), sessions))
        seconds[name] = time.perf_counter() - started
        stored[name] = digests(own)
        print(f"{len(sessions)} sessions {name}: {seconds[name]:.0f} s", flush=True)
    found, expected = reversed(stored.values())
    differing = differing_tables(found, expected)
    print(f"{len(expected)} tables compared; they differ in: {', '.join(sorted(differing)) or 'none'}")
    if differing:
        raise AssertionError(differing)
