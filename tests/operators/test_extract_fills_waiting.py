"""Which mornings wait, for whom and how long."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from airflow.sdk.exceptions import AirflowRescheduleException

from risk.core.warehouse import Connection
from risk.operators.extract_fills import ExtractFillsOperator
from tests.drops import write_drop

THURSDAY, FRIDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15)
BEFORE_DEADLINE = dt.datetime(2025, 8, 18, 12, 13, tzinfo=dt.UTC)  # Monday 08:13 New York, two minutes before
DEADLINE = dt.datetime(2025, 8, 18, 12, 15, tzinfo=dt.UTC)


@pytest.fixture
def drop(tmp_path: Path, warehouse_connection: None) -> Path:
    """Give a drop in which NET001 and NET002 traded on Thursday and only NET001's fills of Friday have come."""
    write_drop(tmp_path, THURSDAY, {"NET001": 2, "NET002": 2})
    return write_drop(tmp_path, FRIDAY, {"NET001": 2})


def execute(drop: Path, run_type: str = "scheduled") -> dict[str, Any]:
    interval_start = dt.datetime(2025, 8, 15, tzinfo=dt.UTC)
    run_after = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)
    dag_run = SimpleNamespace(
        run_type=run_type, data_interval_start=interval_start, run_after=run_after, run_id=f"{run_type}__1"
    )
    operator = ExtractFillsOperator(
        task_id="extract_fills", session_date=str(FRIDAY), fills=str(drop), as_of="", history=""
    )
    return operator.execute({"dag_run": dag_run})


def opened_runs(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from runs")
        return int((cursor.fetchone() or (0,))[0])


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_waits_for_an_expected_account_and_not_beyond_the_deadline(
    connection: Connection, drop: Path
) -> None:
    with pytest.raises(AirflowRescheduleException) as caught:
        execute(drop)

    assert caught.value.reschedule_date == DEADLINE  # sooner than the usual three minutes
    assert opened_runs(connection) == 0


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_goes_on_as_soon_as_the_account_has_delivered(connection: Connection, drop: Path) -> None:
    with pytest.raises(AirflowRescheduleException):
        execute(drop)
    (drop / "fills_late.csv").write_text(write_late(drop).read_text(encoding="utf-8"), encoding="utf-8")

    assert execute(drop)["session_date"] == "2025-08-15"
    assert opened_runs(connection) == 1


def write_late(drop: Path) -> Path:
    folder = drop / "late"
    folder.mkdir()
    return next(write_drop(folder, FRIDAY, {"NET002": 2}).glob("*.csv"))


@time_machine.travel(DEADLINE, tick=False)
def test_scheduled_run_goes_on_at_the_deadline_and_the_verdicts_name_the_account(
    connection: Connection, warehouse_dsn: str, drop: Path
) -> None:
    from risk.checks.run import check_fills
    from risk.core.runs import read_run

    run_id = execute(drop)["run_id"]
    check_fills(connection, warehouse_dsn, read_run(connection, run_id))

    with connection, connection.cursor() as cursor:
        cursor.execute("select check_name, subject from quality_results where not has_passed order by 1, 2")
        assert ("accounts_delivered", "NET002") in cursor.fetchall()


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_run_somebody_has_asked_for_does_not_wait(connection: Connection, drop: Path, run_type: str) -> None:
    execute(drop, run_type)

    assert opened_runs(connection) == 1


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_run_does_not_wait_for_an_account_that_never_traded_or_is_legacy(connection: Connection, drop: Path) -> None:
    write_drop(drop, THURSDAY, {"NET001": 2, "NET002_OLD": 2})

    execute(drop)

    assert opened_runs(connection) == 1
