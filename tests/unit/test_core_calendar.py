"""The exchange's calendar and the one rule that picks a run's session."""

from __future__ import annotations

import datetime as dt

import pytest

from risk.core import calendar
from risk.core.errors import RequestError

MORNING = dt.datetime(2025, 8, 18, 11, 0, tzinfo=dt.UTC)  # Monday, 07:00 New York


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2025, 8, 15), dt.date(2025, 8, 18)),  # over a weekend
        (dt.date(2025, 7, 3), dt.date(2025, 7, 7)),  # over Independence Day
        (dt.date(2025, 1, 8), dt.date(2025, 1, 10)),  # over the day of mourning for President Carter
        (dt.date(2025, 12, 31), dt.date(2026, 1, 2)),
    ],
)
def test_next_session_skips_weekends_holidays_and_special_closures(day: dt.date, expected: dt.date) -> None:
    assert calendar.next_session(day) == expected
    assert calendar.previous_session(expected) == day


def test_first_session_is_the_first_one_of_the_calendar() -> None:
    assert calendar.calendar().first_session.date() == calendar.first_session() == dt.date(2000, 1, 3)


@pytest.mark.parametrize("half_day", [dt.date(2025, 7, 3), dt.date(2025, 11, 28), dt.date(2025, 12, 24)])
def test_session_close_is_one_in_the_afternoon_on_half_days(half_day: dt.date) -> None:
    assert calendar.session_close(half_day).astimezone(calendar.exchange_zone()).time() == dt.time(13, 0)


@pytest.mark.parametrize(
    ("day", "utc_hour"), [(dt.date(2025, 3, 7), 21), (dt.date(2025, 3, 10), 20), (dt.date(2025, 11, 3), 21)]
)
def test_session_close_follows_daylight_saving_time(day: dt.date, utc_hour: int) -> None:
    assert calendar.session_close(day) == dt.datetime(day.year, day.month, day.day, utc_hour, tzinfo=dt.UTC)


def test_run_session_takes_the_requested_date_before_everything_else() -> None:
    interval_start = dt.datetime(2025, 8, 13, tzinfo=dt.UTC)

    assert calendar.run_session("2025-08-14", interval_start, MORNING) == dt.date(2025, 8, 14)


def test_run_session_takes_the_interval_of_a_scheduled_run() -> None:
    interval_start = dt.datetime(2025, 8, 13, tzinfo=dt.UTC)

    assert calendar.run_session("", interval_start, MORNING) == dt.date(2025, 8, 13)


def test_run_session_takes_friday_on_monday_morning() -> None:
    assert calendar.run_session("", None, MORNING) == dt.date(2025, 8, 15)


def test_run_session_takes_the_new_york_day_when_utc_is_already_on_the_next() -> None:
    late_sunday = dt.datetime(2025, 8, 19, 1, 0, tzinfo=dt.UTC)  # Monday, 21:00 New York

    assert calendar.run_session("", None, late_sunday) == dt.date(2025, 8, 15)


@pytest.mark.parametrize(
    ("requested", "sentence"),
    [
        ("2025-07-04", "2025-07-04 is no session of XNYS: ask for 2025-07-03 or 2025-07-07."),
        ("2025-08-19", "Session 2025-08-19 lies in the future (it is 2025-08-18 in New York): ask for 2025-08-15"),
        ("08/15/2025", "session_date '08/15/2025' is no date: write it as YYYY-MM-DD."),
        ("1999-12-31", "1999-12-31 lies before the calendar's first day 2000-01-01: ask for a later session."),
    ],
)
def test_run_session_refuses_what_is_no_session_with_a_sentence(requested: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        calendar.run_session(requested, None, MORNING)

    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    "day", [dt.date.min, dt.date(1500, 1, 1), dt.date(1999, 12, 30), dt.date(2400, 1, 1), dt.date.max]
)
def test_day_that_the_calendar_does_not_know_is_refused_with_a_sentence(day: dt.date) -> None:
    known = dt.date(2025, 8, 15)
    asked = [calendar.is_session, calendar.next_session, calendar.previous_session, calendar.session_seconds]

    for ask in asked:
        with pytest.raises(RequestError, match="is outside the calendar, which knows the sessions from 2000-01-03 to"):
            ask(day)
    with pytest.raises(RequestError, match="is outside the calendar"):
        calendar.sessions_between(min(day, known), max(day, known))


def test_seconds_of_a_session_are_its_open_and_its_close_and_other_days_have_none() -> None:
    days = [dt.date(2025, 7, 1) + dt.timedelta(days=number) for number in range(7)]
    instants = [(calendar.session_open(day), calendar.session_close(day)) for day in days if calendar.is_session(day)]

    found = [calendar.session_seconds(day) for day in days]

    # Independence Day and a weekend; the day before is a half day
    assert found[3:6] == [None] * 3
    assert [each for each in found if each] == [(opens.timestamp(), closes.timestamp()) for opens, closes in instants]
