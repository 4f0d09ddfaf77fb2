"""When the line runs and which session each run is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.utils.types import DagRunType

from risk.core.settings import PROJECT_DIR
from risk.operators.timetables import SessionTimetable, WeeklySessionTimetable


def _restriction(earliest: str, *, latest: str | None = None, catchup: bool = True) -> TimeRestriction:
    return TimeRestriction(pendulum.parse(earliest), pendulum.parse(latest) if latest else None, catchup)


def _automated_runs(
    restriction: TimeRestriction, count: int, timetable: SessionTimetable | None = None
) -> list[tuple[str, str]]:
    timetable, last, runs = timetable or SessionTimetable(), None, []
    while len(runs) < count:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        last = info.data_interval
        runs.append((last.start.isoformat(), last.end.isoformat()))
    return runs


def test_timetable_runs_on_the_morning_after_each_session_and_skips_holidays() -> None:
    runs = _automated_runs(_restriction("2025-07-02"), 3)

    assert runs == [
        ("2025-07-02T00:00:00+00:00", "2025-07-03T11:00:00+00:00"),
        ("2025-07-03T00:00:00+00:00", "2025-07-07T11:00:00+00:00"),  # Independence Day and a weekend between
        ("2025-07-07T00:00:00+00:00", "2025-07-08T11:00:00+00:00"),
    ]


def test_timetable_stays_at_seven_in_new_york_over_the_change_of_clocks() -> None:
    runs = _automated_runs(_restriction("2025-03-06"), 2)

    assert [end for _, end in runs] == ["2025-03-07T12:00:00+00:00", "2025-03-10T11:00:00+00:00"]


def test_timetable_treats_both_bounds_of_a_backfill_as_session_dates() -> None:
    runs = _automated_runs(_restriction("2025-08-11", latest="2025-08-13"), 9)

    assert [start[:10] for start, _ in runs] == ["2025-08-11", "2025-08-12", "2025-08-13"]


def test_timetable_without_catchup_starts_with_the_newest_due_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pendulum, "now", lambda _zone: pendulum.datetime(2025, 8, 18, 10, 59, 59, tz="UTC"))

    runs = _automated_runs(_restriction("2025-01-01", catchup=False), 1)

    assert runs[0][0][:10] == "2025-08-14"  # Monday's run, for Friday, is due one second later


@pytest.mark.parametrize(
    ("instant", "session_date"),
    [("2025-08-18T10:59:59Z", dt.date(2025, 8, 14)), ("2025-08-18T11:00:00Z", dt.date(2025, 8, 15))],
)
def test_timetable_gives_a_manual_run_the_newest_due_session(instant: str, session_date: dt.date) -> None:
    interval = SessionTimetable().infer_manual_data_interval(run_after=pendulum.parse(instant))

    assert interval.start.date() == session_date


def test_timetable_that_is_not_automatic_gives_the_scheduler_no_run_and_a_backfill_its_sessions() -> None:
    timetable = SessionTimetable(is_automatic=False)
    by_hand = SessionTimetable.deserialize(timetable.serialize())
    scheduler, backfill = _restriction("2025-08-11", catchup=False), _restriction("2025-08-11", latest="2025-08-12")

    first = by_hand.next_dagrun_info(last_automated_data_interval=None, restriction=backfill)

    assert by_hand.next_dagrun_info(last_automated_data_interval=None, restriction=scheduler) is None
    assert first is not None
    assert first.data_interval.start.isoformat()[:10] == "2025-08-11"


def test_timetable_passes_over_sessions_missed_in_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a last run for Monday the 11th, and Airflow back on Friday the 15th, after 07:00 New York
    monkeypatch.setattr(pendulum, "now", lambda _zone: pendulum.datetime(2025, 8, 15, 13, tz="UTC"))
    last = DataInterval(pendulum.datetime(2025, 8, 11), pendulum.datetime(2025, 8, 12, 11))

    info = SessionTimetable().next_dagrun_info(
        last_automated_data_interval=last, restriction=_restriction("2025-01-01", catchup=False)
    )

    # then Thursday's session runs at once; Tuesday's and Wednesday's wait for a backfill
    assert info is not None
    assert info.data_interval.start.date() == dt.date(2025, 8, 14)


def test_timetable_says_in_the_ui_when_it_runs_and_that_holidays_are_skipped() -> None:
    assert SessionTimetable().description == (
        "07:00 New York on every XNYS session, for the session before; holidays are skipped"
    )
    assert SessionTimetable(is_automatic=False).description.startswith("By hand and by backfill (RISK_SCHEDULE=off)")


def test_timetable_survives_serialization() -> None:
    timetable = SessionTimetable(run_at="06:30")

    restored = SessionTimetable.deserialize(timetable.serialize())

    last = DataInterval(pendulum.datetime(2025, 8, 13), pendulum.datetime(2025, 8, 14, 11))
    info = restored.next_dagrun_info(last_automated_data_interval=last, restriction=_restriction("2025-01-01"))
    assert info is not None
    assert info.data_interval.end == pendulum.datetime(2025, 8, 15, 10, 30)


def test_the_weekly_timetable_runs_on_the_first_session_of_each_week_about_the_last_of_the_week_before() -> None:
    runs = _automated_runs(_restriction("2025-05-14"), 3, WeeklySessionTimetable())

    assert runs == [
        ("2025-05-16T00:00:00+00:00", "2025-05-19T12:00:00+00:00"),
        ("2025-05-23T00:00:00+00:00", "2025-05-27T12:00:00+00:00"),  # Memorial Day: Tuesday is the first session
        ("2025-05-30T00:00:00+00:00", "2025-06-02T12:00:00+00:00"),
    ]


@pytest.mark.parametrize(
    ("instant", "session_date"),
    [
        ("2025-08-18T11:59:59", "2025-08-08"),  # Monday before eight in New York: the week before last
        ("2025-08-18T12:00:00", "2025-08-15"),
        ("2025-08-22T20:00:00", "2025-08-15"),
    ],
)
def test_the_weekly_timetable_without_catchup_starts_with_the_newest_due_week(
    monkeypatch: pytest.MonkeyPatch, instant: str, session_date: str
) -> None:
    monkeypatch.setattr(pendulum, "now", lambda _zone: pendulum.parse(instant))

    runs = _automated_runs(_restriction("2025-01-01", catchup=False), 1, WeeklySessionTimetable())

    assert runs[0][0][:10] == session_date


def test_the_weekly_timetable_by_hand_has_no_runs_of_its_own() -> None:
    assert (
        _automated_runs(_restriction("2025-05-14", catchup=False), 1, WeeklySessionTimetable(is_automatic=False)) == []
    )


@pytest.mark.parametrize("timetable", [SessionTimetable(), WeeklySessionTimetable()])
def test_scheduled_run_is_named_after_its_session_and_the_instant_from_which_it_may_start(
    timetable: SessionTimetable,
) -> None:
    interval = DataInterval(pendulum.datetime(2025, 8, 15), pendulum.datetime(2025, 8, 18, 11))
    given: dict[str, Any] = {"run_after": interval.end, "data_interval": interval}

    scheduled = timetable.generate_run_id(run_type=DagRunType.SCHEDULED, **given)
    assert scheduled == "scheduled__2025-08-15__2025-08-18T11:00:00+00:00"
    assert DagRunType.from_run_id(scheduled) is DagRunType.SCHEDULED
    # Airflow asks before it has read the run's configuration, which may name another session.
    assert timetable.generate_run_id(run_type=DagRunType.MANUAL, **given) == "manual__2025-08-18T11:00:00+00:00"


def test_run_of_another_type_is_named_by_airflow() -> None:
    given = {"run_after": pendulum.datetime(2025, 8, 18, 11), "data_interval": None}

    assert (
        SessionTimetable().generate_run_id(run_type=DagRunType.MANUAL, **given) == "manual__2025-08-18T11:00:00+00:00"
    )


def test_dags_start_on_the_mornings_of_the_exchange_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    monkeypatch.setenv("RISK_SCHEDULE", "sessions")
    monkeypatch.setenv("RISK_CALENDAR", "XLON")

    bag = BundleDagBag(dag_folder=str(PROJECT_DIR / "dags"), bundle_path=PROJECT_DIR / "dags", bundle_name="dags")

    # London opens at 08:00: 2.5, 1.5 and 3.5 hours before that
    assert bag.import_errors == {}
    timetables: dict[str, Any] = {dag_id: dag.timetable for dag_id, dag in bag.dags.items()}
    assert timetables["daily_risk"].summary == "XLON sessions, 05:30 London"
    assert timetables["weekly_model"].summary == "first session of the week, 06:30 London"
    maintenance = timetables["weekly_maintenance"]
    assert (maintenance.expression, str(maintenance.timezone)) == ("30 4 * * 1", "Europe/London")
