"""The exchange of a desk: its zone, the times of its mornings, and which calendars are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pendulum
import pytest

from risk.core import calendar
from risk.core.errors import RequestError
from risk.core.exchange import at_exchange, exchange, exchange_of
from risk.core.settings import read_settings
from risk.ingest.times import moment_of, session_at
from risk.limits.approvals import decision_deadline
from risk.operators.timetables import SessionTimetable, WeeklySessionTimetable

LATER = dt.date(2026, 1, 1)


@pytest.fixture
def london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the desk's calendar to the London Stock Exchange."""
    monkeypatch.setenv("RISK_CALENDAR", "XLON")
    return


def test_times_of_the_morning_count_back_from_the_opening() -> None:
    # New York opens at 09:30, London at 08:00
    new_york, london = exchange_of("XNYS"), exchange_of("XLON")

    assert (new_york.run_at, new_york.wait_until) == (dt.time(7), dt.time(8, 15))
    assert (new_york.report_due_at, new_york.decision_deadline) == (dt.time(8, 30), dt.time(9))
    assert (new_york.maintenance_at, new_york.weekly_run_at) == (dt.time(6), dt.time(8))
    assert (london.run_at, london.wait_until) == (dt.time(5, 30), dt.time(6, 45))
    assert (london.report_due_at, london.decision_deadline) == (dt.time(7), dt.time(7, 30))
    assert (new_york.city, london.city) == ("New York", "London")


def test_without_a_setting_the_exchange_is_that_of_the_default_calendar() -> None:
    # what is known without opening the calendar equals what the calendar says
    known = calendar.calendar()

    assert exchange().code == read_settings().calendar == "XNYS"
    assert (str(known.tz), known.open_times[-1][1]) == (exchange().zone.key, exchange().opens_at)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("XXXX", "RISK_CALENDAR=XXXX is not allowed: set it to a code of exchange_calendars"),
        ("LSE", "RISK_CALENDAR=LSE is not allowed: set it to its code XLON"),
        ("CMES", "RISK_CALENDAR=CMES is not allowed: its sessions begin at 17:00 of the day before"),
        ("24/7", "RISK_CALENDAR=24/7 is not allowed: its sessions begin at 00:00, which leaves no morning"),
        ("XSAU", "exchange_calendars does not know its sessions from 2000-01-01 on"),
    ],
)
def test_calendar_without_mornings_or_history_is_refused(
    code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_CALENDAR", code)

    with pytest.raises(RequestError, match=sentence):
        exchange()
    with pytest.raises(RequestError, match=sentence):
        read_settings()


def test_another_exchange_counts_within_its_block_alone() -> None:
    christmas_eve = dt.date(2025, 12, 24)

    with at_exchange("XLON"):
        # Boxing Day is a holiday in London and a session in New York
        assert calendar.next_session(christmas_eve) == dt.date(2025, 12, 29)
        with at_exchange("XNYS"):
            assert calendar.next_session(christmas_eve) == dt.date(2025, 12, 26)
        assert calendar.next_session(christmas_eve) == dt.date(2025, 12, 29)

    assert calendar.next_session(christmas_eve) == dt.date(2025, 12, 26)


@pytest.mark.usefixtures("london")
@pytest.mark.parametrize("half_day", [dt.date(2025, 12, 24), dt.date(2025, 12, 31)])
def test_half_days_are_those_of_the_exchange(half_day: dt.date) -> None:
    # London closes at 12:30 then; in winter its clocks show UTC
    assert calendar.session_close(half_day) == dt.datetime.combine(half_day, dt.time(12, 30), dt.UTC)


@pytest.mark.usefixtures("london")
def test_morning_follows_the_clock_changes_of_the_exchange() -> None:
    # New York changes its clocks on 9 March and 2 November 2025, London on 30 March and 26 October
    days = [dt.date(2025, 3, 28), dt.date(2025, 3, 31), dt.date(2025, 10, 24), dt.date(2025, 10, 27)]

    assert [f"{calendar.morning(day):%H:%M}" for day in days] == ["05:30", "04:30", "04:30", "05:30"]
    assert calendar.wait_deadline(dt.date(2025, 3, 28)) == dt.datetime(2025, 3, 31, 5, 45, tzinfo=dt.UTC)
    asked_at = dt.datetime(2025, 3, 31, 4, 35, tzinfo=dt.UTC)
    assert decision_deadline(dt.date(2025, 3, 31), asked_at) == dt.datetime(2025, 3, 31, 6, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(("city", "code"), [("New York", "XNYS"), ("London", "XLON")])
def test_session_that_is_not_over_is_refused_in_words_of_the_exchange(city: str, code: str) -> None:
    monday = dt.datetime(2025, 8, 18, 12, tzinfo=dt.UTC)

    with at_exchange(code), pytest.raises(RequestError, match=rf"it is 2025-08-18 in {city}"):
        calendar.checked_session(dt.date(2025, 8, 19), monday)


def test_timetable_keeps_its_exchange_when_it_is_serialized() -> None:
    with at_exchange("XLON"):
        daily, weekly = SessionTimetable().serialize(), WeeklySessionTimetable().serialize()

    # then a scheduler whose setting is New York's runs it on London's mornings, over Christmas and Boxing Day
    timetable = SessionTimetable.deserialize(daily)
    interval = timetable.infer_manual_data_interval(run_after=pendulum.datetime(2025, 12, 29, 6))
    assert (interval.start.to_date_string(), interval.end) == ("2025-12-24", pendulum.datetime(2025, 12, 29, 5, 30))
    assert timetable.summary == "XLON sessions, 05:30 London"
    assert WeeklySessionTimetable.deserialize(weekly).summary == "first session of the week, 06:30 London"


@pytest.mark.usefixtures("london")
@pytest.mark.parametrize(
    ("text", "code", "wall_time"),
    [
        ("10/26/2025 01:30:00", "date_twice", dt.datetime(2025, 10, 26, 1, 30)),  # noqa: DTZ001
        ("03/30/2025 01:30:00", "date_gap", dt.datetime(2025, 3, 30, 1, 30)),  # noqa: DTZ001
        # New York's own changes of clocks are nothing to a time of London
        ("11/02/2025 01:30:00", None, dt.datetime(2025, 11, 2, 1, 30)),  # noqa: DTZ001
        ("07/01/2025 10:00:00Z", None, dt.datetime(2025, 7, 1, 11)),  # noqa: DTZ001
        ("07/01/2025 10:00:00 ET", None, dt.datetime(2025, 7, 1, 15)),  # noqa: DTZ001
        ("03/14/2025 10:00:00 EDT", None, dt.datetime(2025, 3, 14, 14)),  # noqa: DTZ001
    ],
)
def test_time_without_an_offset_is_that_of_the_exchange(text: str, code: str | None, wall_time: dt.datetime) -> None:
    moment = moment_of(text, LATER)

    assert (moment.code, moment.wall_time) == (code, wall_time)


@pytest.mark.usefixtures("london")
@pytest.mark.parametrize("text", ["07/01/2025 10:00:00 EST", "11/02/2025 01:30:00 ET"])
def test_name_of_a_zone_that_says_two_things_is_refused_in_london_too(text: str) -> None:
    assert moment_of(text, LATER).code == "date_zone"


@pytest.mark.usefixtures("london")
@pytest.mark.parametrize(
    ("wall_time", "session_date"),
    [
        # 22:30 in London is 17:30 in New York, and 18:30 between the two changes of clocks in March
        (dt.datetime(2025, 3, 4, 22, 30), dt.date(2025, 3, 4)),  # noqa: DTZ001
        (dt.datetime(2025, 3, 11, 22, 30), dt.date(2025, 3, 12)),  # noqa: DTZ001
        (dt.datetime(2025, 3, 5, 0, 30), dt.date(2025, 3, 5)),  # noqa: DTZ001
    ],
)
def test_futures_trade_for_the_next_session_from_six_in_new_york_on(
    wall_time: dt.datetime, session_date: dt.date
) -> None:
    assert session_at(wall_time, is_future=True) == session_date
    assert session_at(wall_time, is_future=False) == wall_time.date()
