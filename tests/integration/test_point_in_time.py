"""Point-in-time runs beside live ones: each has its books in a schema of its own, from aggregate_pnl to its report."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import make_dsn

from risk.core.roles import Roles
from risk.core.runs import Run, open_run
from risk.core.schema import prepare_warehouse
from risk.core.warehouse import Connection, connect, rows
from risk.limits.decide import apply_rules
from risk.report.build_facts import build_facts
from risk.report.replay import STEPS, point_in_time, replay
from simulation.writing import simulate
from tests.publications import run_line

LIVE_TABLES = ("positions", "daily_pnl", "last_fills", "features", "forecasts", "cut_outcomes")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a simulated desk of 4 traders and 30 sessions."""
    folder = tmp_path_factory.mktemp("desk")
    simulate("medium", 4, 30, 3, folder)
    return folder


@pytest.fixture(scope="module")
def sessions(desk: Path) -> list[dt.date]:
    """Give the desk's sessions, ascending."""
    return sorted({dt.date.fromisoformat(path.stem[-10:]) for path in desk.glob("fills*.csv")})


@pytest.fixture
def pipeline_dsn(connection: Connection, warehouse_dsn: str) -> Iterator[str]:
    """Give the connection string of a role that may do what the pipeline may, with the product's search path."""
    role = f"pipeline_{connection.info.backend_pid}"
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create role {role} login password 'word'")
    prepare_warehouse(connection, Roles(role))
    yield make_dsn(warehouse_dsn, user=role, password="word", options="")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"drop owned by {role}")
        cursor.execute(f"drop role {role}")


@pytest.fixture
def earlier(pipeline_dsn: str, desk: Path, sessions: list[dt.date]) -> Run:
    """Run the line live for a session and then for a later one; give the first run."""
    with contextlib.closing(connect(pipeline_dsn)) as made:
        first = run_line(made, pipeline_dsn, desk, sessions[-4], is_simulated=True)
        run_line(made, pipeline_dsn, desk, sessions[-1], is_simulated=True)
    return first


def decide(connection: Connection, run: Run) -> None:
    apply_rules(connection, run)


def do(dsn: str, run: Run, task_id: str, step: Callable[[Connection, Run], Any]) -> Any:
    """Do a step as a task of its own would."""
    with contextlib.closing(connect(dsn)) as connection, point_in_time(connection, run, task_id):
        return step(connection, run)


def identity(connection: Connection, run: Run) -> str:
    return build_facts(connection, run).sha256


def again(dsn: str, run: Run) -> Run:
    """Open a point-in-time run that knows what another run knew."""
    with contextlib.closing(connect(dsn)) as connection:
        return open_run(connection, run.session_date, run.load_id, "test", run.as_of)


def live_rows(connection: Connection) -> list[list[tuple[object, ...]]]:
    found = []
    with connection, connection.cursor() as cursor:
        for table in LIVE_TABLES:
            cursor.execute(f"select * from derived.{table} as stored order by stored::text")
            found.append(cursor.fetchall())
    return found


def schemas(connection: Connection) -> list[str]:
    with connection:
        return [name for name, _ in rows(connection, "runs/select_schemas")]


def test_two_point_in_time_runs_beside_a_live_run_say_what_replay_says_and_leave_nothing(
    connection: Connection, pipeline_dsn: str, earlier: Run
) -> None:
    live = live_rows(connection)
    runs = [again(pipeline_dsn, earlier), again(pipeline_dsn, earlier)]

    for task_id, step in {**STEPS, "apply_rules": decide}.items():
        for run in runs:
            do(pipeline_dsn, run, task_id, step)
    kept = schemas(connection)
    found = {do(pipeline_dsn, run, "send_report", identity) for run in runs}

    with contextlib.closing(connect(pipeline_dsn)) as made:
        assert {replay(made, pipeline_dsn, earlier.session_date, earlier.as_of).facts.sha256} == found
    assert kept == sorted(run.schema for run in runs)
    assert schemas(connection) == []
    assert live_rows(connection) == live


def test_a_failed_point_in_time_task_does_not_block_its_retry(
    connection: Connection, pipeline_dsn: str, earlier: Run
) -> None:
    run = again(pipeline_dsn, earlier)

    def fail(made: Connection, _: Run) -> None:
        STEPS["aggregate_pnl"](made, run)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        do(pipeline_dsn, run, "aggregate_pnl", fail)
    for task_id, step in STEPS.items():
        do(pipeline_dsn, run, task_id, step)

    with pytest.raises(ZeroDivisionError):
        do(pipeline_dsn, run, "send_report", fail)
    assert schemas(connection) == [run.schema]
    do(pipeline_dsn, run, "send_report", identity)
    assert schemas(connection) == []


def test_a_task_cleared_after_the_report_rebuilds_what_it_reads(
    connection: Connection, pipeline_dsn: str, earlier: Run
) -> None:
    run = again(pipeline_dsn, earlier)
    for task_id, step in {**STEPS, "apply_rules": decide}.items():
        do(pipeline_dsn, run, task_id, step)
    reported = do(pipeline_dsn, run, "send_report", identity)

    do(pipeline_dsn, run, "apply_rules", decide)

    assert schemas(connection) == [run.schema]
    assert do(pipeline_dsn, run, "send_report", identity) == reported


def test_the_next_point_in_time_run_removes_what_an_abandoned_one_left(
    connection: Connection, pipeline_dsn: str, earlier: Run
) -> None:
    with contextlib.closing(connect(pipeline_dsn)) as made, made, made.cursor() as cursor:
        cursor.execute("create schema run_987654 create table run_987654.positions (account_id text)")
    run = again(pipeline_dsn, earlier)

    do(pipeline_dsn, run, "aggregate_pnl", STEPS["aggregate_pnl"])

    assert schemas(connection) == [run.schema]
