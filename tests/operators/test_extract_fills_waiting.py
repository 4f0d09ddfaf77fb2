"""Which mornings wait, for whom and how long."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from airflow.sdk.exceptions import AirflowRescheduleException

from risk.core.errors import RequestError
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


def execute(
    drop: Path,
    run_type: str = "scheduled",
    conf: dict[str, Any] | None = None,
    *,
    session_date: str = str(FRIDAY),
    run_after: dt.datetime = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC),
    earlier: Iterable[str] = (),
) -> dict[str, Any]:
    interval_start = dt.datetime(2025, 8, 15, tzinfo=dt.UTC)
    dag_run = SimpleNamespace(
        run_type=run_type, data_interval_start=interval_start, run_after=run_after, run_id=f"{run_type}__1", conf=conf
    )
    running = iter(earlier)

    def get_previous_dagrun(state: str) -> SimpleNamespace | None:
        assert state == "running"
        run_type = next(running, None)
        return SimpleNamespace(run_type=run_type, run_id=f"{run_type}__0") if run_type else None

    operator = ExtractFillsOperator(
        task_id="extract_fills", session_date=session_date, fills=str(drop), as_of="", history=""
    )
    return operator.execute(
        {
            "dag_run": dag_run,
            "dag": SimpleNamespace(params={"session_date": None, "deliver": None}),
            "ti": SimpleNamespace(get_previous_dagrun=get_previous_dagrun),
        }
    )


def test_run_with_an_unknown_key_is_refused_and_names_those_that_exist(connection: Connection, drop: Path) -> None:
    with pytest.raises(RequestError, match=r"has 'date', which .* Start it again with session_date, deliver only\."):
        execute(drop, "manual", {"date": "2025-12-12", "deliver": False})

    assert opened_runs(connection) == 0


def test_run_without_a_session_is_refused_far_from_the_newest_fills(connection: Connection, drop: Path) -> None:
    # On September 2, after Labor Day, the last finished session is August 29: ten after the newest fills.
    near, far = dt.datetime(2025, 9, 2, 11, tzinfo=dt.UTC), dt.datetime(2025, 9, 3, 11, tzinfo=dt.UTC)

    with pytest.raises(RequestError, match="about 2025-09-02, but the newest fills are of 2025-08-15, 11 sessions"):
        execute(drop, "manual", session_date="", run_after=far)
    assert opened_runs(connection) == 0
    assert execute(drop, "manual", session_date="", run_after=near)["session_date"] == "2025-08-29"
    assert execute(drop, "manual", session_date="2025-09-02", run_after=far)["session_date"] == "2025-09-02"


def test_run_without_a_session_is_refused_when_the_clock_is_behind_the_books(
    connection: Connection, drop: Path
) -> None:
    execute(drop, "manual")

    with pytest.raises(RequestError, match="about 2025-07-31, but the newest fills are of 2025-08-15, 11 sessions"):
        execute(drop, "manual", session_date="", run_after=dt.datetime(2025, 8, 1, 11, tzinfo=dt.UTC))
    assert opened_runs(connection) == 1


@pytest.mark.parametrize("session_date", ["2025-08-13", "2025-01-02"])
def test_session_before_the_first_fills_is_run_for_whoever_names_it(
    connection: Connection, drop: Path, session_date: str
) -> None:
    assert execute(drop, "manual", session_date=session_date)["fill_count"] == 0


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


@pytest.mark.parametrize("earlier", [["backfill", "backfill"], ["manual"], []])
def test_run_of_a_backfill_opens_once_no_earlier_one_is_under_way(
    connection: Connection, drop: Path, earlier: list[str]
) -> None:
    execute(drop, "backfill", earlier=earlier)

    assert opened_runs(connection) == 1


def test_run_of_a_backfill_gives_its_slot_back_while_an_earlier_one_takes_long(
    connection: Connection, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("risk.operators.extract_fills.TURN_PATIENCE_SECONDS", 0)

    with pytest.raises(AirflowRescheduleException):
        execute(drop, "backfill", earlier=repeat("backfill"))
    assert opened_runs(connection) == 0

    # and begins when it comes back
    execute(drop, "backfill")
    assert opened_runs(connection) == 1
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*), count(distinct (account_id, session_date)) from risk.deliveries")
        (found,) = cursor.fetchall()
    assert found == (3, 3)


def test_run_somebody_has_started_does_not_wait_for_a_backfill(connection: Connection, drop: Path) -> None:
    execute(drop, "manual", earlier=repeat("backfill"))

    assert opened_runs(connection) == 1


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_run_does_not_wait_for_an_account_that_never_traded_or_is_legacy(connection: Connection, drop: Path) -> None:
    write_drop(drop, THURSDAY, {"NET001": 2, "NET002_OLD": 2})

    execute(drop)

    assert opened_runs(connection) == 1


def touch(path: Path, instant: dt.datetime) -> None:
    os.utime(path, (instant.timestamp(), instant.timestamp()))


def waiting_files(connection: Connection) -> set[str]:
    """Name the files that the newest load did not load because they are not complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select file_name from risk.source_files where state = 'waiting'"
            " and load_id = (select max(load_id) from risk.loads)"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize(
    ("age", "waits"),
    [(dt.timedelta(seconds=5), True), (dt.timedelta(minutes=2), True), (dt.timedelta(minutes=3), False)],
)
@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_waits_for_a_file_until_it_is_as_old_as_two_polls(
    connection: Connection, drop: Path, age: dt.timedelta, waits: bool
) -> None:
    late = write_drop(drop, dt.date(2025, 8, 13), {"NET001": 2}) / "fills_2025-08-13.csv"
    write_drop(drop, FRIDAY, {"NET001": 2, "NET002": 2})
    for path in drop.glob("*.csv"):
        touch(path, BEFORE_DEADLINE - (age if path == late else dt.timedelta(hours=1)))

    if waits:
        with pytest.raises(AirflowRescheduleException):
            execute(drop)
    else:
        execute(drop)

    assert waiting_files(connection) == ({late.name} if waits else set())
    assert opened_runs(connection) == (0 if waits else 1)


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_reads_no_fills_while_their_manifest_is_being_written(connection: Connection, drop: Path) -> None:
    entry = "fills_2025-08-15.csv,NET001,2025-08-15,2025-08-15T22:00:00Z"
    (drop / "manifest.csv").write_text(f"file,account_id,session_date,published_at\n{entry}\n")
    touch(drop / "manifest.csv", BEFORE_DEADLINE)

    with pytest.raises(AirflowRescheduleException):
        execute(drop)

    assert waiting_files(connection) == {"manifest.csv"}
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from risk.deliveries")
        assert cursor.fetchone() == (0,)


class Growing:
    """Appends to a file until it is stopped."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_over = path, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self.is_over.wait(0.05):
            with self.path.open("a") as file:
                file.write("08/15/2025 10:00:00,NET001,B,100,XYZ,10.5,1,0,,USD,\n")

    def __enter__(self) -> Growing:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()


def test_run_somebody_has_asked_for_leaves_a_file_that_grows_and_loads_the_others(
    connection: Connection, drop: Path
) -> None:
    with Growing(drop / "fills_2025-08-15.csv"):
        execute(drop, "manual")

    assert waiting_files(connection) == {"fills_2025-08-15.csv"}
    with connection, connection.cursor() as cursor:
        cursor.execute("select distinct session_date from risk.deliveries")
        assert cursor.fetchall() == [(THURSDAY,)]


@pytest.mark.parametrize("stated", ["3", "1"])
def test_scheduled_run_waits_for_the_rows_that_the_manifest_states(
    connection: Connection, drop: Path, stated: str
) -> None:
    entries = [
        "fills_2025-08-14.csv,NET001,2025-08-14,2025-08-14T22:00:00Z,2",
        "fills_2025-08-14.csv,NET002,2025-08-14,2025-08-14T22:00:00Z,",
        f"fills_2025-08-15.csv,NET001,2025-08-15,2025-08-15T22:00:00Z,{stated}",
        "fills_2025-08-15.csv,NET002,2025-08-15,2025-08-15T22:00:00Z,2",
    ]
    write_drop(drop, FRIDAY, {"NET001": 2, "NET002": 2})
    (drop / "manifest.csv").write_text("\n".join(["file,account_id,session_date,published_at,fills", *entries]) + "\n")

    with time_machine.travel(BEFORE_DEADLINE, tick=False), pytest.raises(AirflowRescheduleException):
        execute(drop)
    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id from risk.deliveries where session_date = %s", (FRIDAY,))
        assert cursor.fetchall() == [("NET002",)]
    with time_machine.travel(DEADLINE, tick=False):
        execute(drop)

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, stated_count from risk.deliveries where session_date = %s order by 1", (FRIDAY,)
        )
        assert cursor.fetchall() == [("NET001", int(stated)), ("NET002", None)]
