"""Trading sessions of the exchange, and the one rule that picks a run's session.

A session is a plain ``date`` in the exchange's zone. Instants are aware datetimes in UTC.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from risk.core.errors import RequestError
from risk.core.exchange import FIRST_SESSION_BOUND, exchange, exchange_zone, open_calendar
from risk.core.warehouse import Connection, execute, rows

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

SATURDAY = 5
ONE_DAY = dt.timedelta(days=1)


def calendar() -> ExchangeCalendar:
    """Return the exchange's calendar."""
    return open_calendar(exchange().code)


def first_session() -> dt.date:
    """Return the first session of the calendar: older executions are refused as wrong dates."""
    return _first_session(exchange().code)


@cache
def _first_session(code: str) -> dt.date:
    found: dt.date = open_calendar(code).first_session.date()
    return found


def _known(day: dt.date) -> str:
    """Write a day that the calendar knows; one that it does not know is a mistake of whoever asked."""
    if not FIRST_SESSION_BOUND <= day <= last_session():
        raise RequestError(
            f"{day} is outside the calendar, which knows the sessions from {first_session()} to {last_session()}: "
            "name a day in between."
        )
    return day.isoformat()


def is_session(day: dt.date) -> bool:
    """Tell whether the exchange opens on a day."""
    return bool(calendar().is_session(_known(day)))


def last_session() -> dt.date:
    """Return the last session that the calendar knows."""
    found: dt.date = calendar().last_session.date()
    return found


def next_session(session_date: dt.date) -> dt.date:
    """Return the first session after a day."""
    following = min(session_date, dt.date.max - ONE_DAY) + ONE_DAY
    found: dt.date = calendar().date_to_session(_known(following), direction="next").date()
    return found


def previous_session(session_date: dt.date) -> dt.date:
    """Return the last session before a day."""
    preceding = max(session_date, dt.date.min + ONE_DAY) - ONE_DAY
    found: dt.date = calendar().date_to_session(_known(preceding), direction="previous").date()
    return found


def sessions_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """List the sessions of a closed range of days, ascending."""
    return [stamp.date() for stamp in calendar().sessions_in_range(_known(first), _known(last))]


def closed_weekdays(first: dt.date, last: dt.date) -> list[dt.date]:
    """List the holidays of a closed range of days: weekdays on which the exchange stays closed."""
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < SATURDAY and not is_session(day)]


def next_closed_weekdays(day: dt.date, count: int) -> list[dt.date]:
    """List the next weekdays, from a day on, on which the exchange stays closed: its holidays."""
    closed: list[dt.date] = []
    while len(closed) < count:
        if day.weekday() < SATURDAY and not is_session(day):
            closed.append(day)
        day += dt.timedelta(days=1)
    return closed


def session_close(session_date: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which a session's regular trading ends."""
    close: dt.datetime = calendar().session_close(session_date.isoformat()).to_pydatetime()
    return close


def session_open(session_date: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which a session's regular trading begins."""
    opening: dt.datetime = calendar().session_open(session_date.isoformat()).to_pydatetime()
    return opening


def session_seconds(session_date: dt.date) -> tuple[int, int] | None:
    """Return when a session's regular trading begins and ends, in seconds since 1970; ``None`` = it is no session."""
    found = _session_seconds(exchange().code).get(session_date)
    if found is None:
        _known(session_date)  # Of a day beyond the calendar nobody can say that it is no session.
    return found


@cache
def _session_seconds(code: str) -> dict[dt.date, tuple[int, int]]:
    """Take all sessions at once: asked for those of a year one by one, the calendar takes eight times as long."""
    known = open_calendar(code)
    opens, closes = ((nanos // 10**9).tolist() for nanos in (known.opens_nanos, known.closes_nanos))
    return dict(zip(known.sessions.date, zip(opens, closes, strict=True), strict=True))


def day_start(day: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which a day begins: 00:00 of the exchange's zone."""
    return exchange_time(day, dt.time())


def local_time(instant: dt.datetime) -> str:
    """Write an aware instant in the exchange's time, to the minute and with the zone's name, for people."""
    known = exchange()
    return f"{instant.astimezone(known.zone):%Y-%m-%d %H:%M} {known.city}"


def exchange_time(day: dt.date, time: dt.time) -> dt.datetime:
    """Return the instant, in UTC, at which the exchange's clocks show a time of a day."""
    return dt.datetime.combine(day, time, tzinfo=exchange_zone()).astimezone(dt.UTC)


def morning(effective_session: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which the run that sets a session's limits is due."""
    return exchange_time(effective_session, exchange().run_at)


def wait_deadline(session_date: dt.date) -> dt.datetime:
    """Return the instant, in UTC, from which the morning run for a session no longer waits for executions."""
    return exchange_time(next_session(session_date), exchange().wait_until)


def report_due_at(effective_session: dt.date) -> dt.datetime:
    """Return the instant, in UTC, by which the report with a session's limits is due."""
    return exchange_time(effective_session, exchange().report_due_at)


def last_finished_session(instant: dt.datetime) -> dt.date:
    """Return the newest session before the day of an instant in the exchange's zone.

    Parameters
    ----------
    instant
        Aware datetime. When the run of session S is due the answer is the session before S.
    """
    return previous_session(instant.astimezone(exchange_zone()).date())


def checked_session(day: dt.date, asked_at: dt.datetime) -> dt.date:
    """Return a requested day if it is a session that has happened.

    Parameters
    ----------
    day
        The date somebody asked for.
    asked_at
        Aware datetime of the question.

    Raises
    ------
    RequestError
        If the day is no session, or not over in the exchange's zone yet; names the sessions around it.
    """
    known = exchange()
    today = asked_at.astimezone(known.zone).date()
    if day > today:
        raise RequestError(
            f"Session {day} lies in the future (it is {today} in {known.city}): "
            f"ask for {previous_session(today)} or earlier."
        )
    if day <= FIRST_SESSION_BOUND:
        raise RequestError(
            f"{day} lies before the calendar's first day {FIRST_SESSION_BOUND}: ask for a later session."
        )
    if not is_session(day):
        earlier, later = previous_session(day), next_session(day)
        raise RequestError(f"{day} is no session of {known.code}: ask for {earlier} or {later}.")
    return day


def run_session(requested: str, interval_start: dt.datetime | None, run_after: dt.datetime) -> dt.date:
    """Pick the one session a run is about: the requested one, else its interval's, else the last finished one.

    Parameters
    ----------
    requested
        ISO date from the run's parameter ``session_date``; empty when nobody asked.
    interval_start
        Start of a scheduled or backfill run's data interval, 00:00 UTC of the session; ``None`` for a manual run.
    run_after
        Aware instant after which the run may start.

    Raises
    ------
    RequestError
        If the requested text is no date, no session, or lies in the future.
    """
    if requested:
        try:
            day = dt.date.fromisoformat(requested)
        except ValueError:
            raise RequestError(f"session_date {requested!r} is no date: write it as YYYY-MM-DD.") from None
        return checked_session(day, run_after)
    if interval_start is not None:
        return interval_start.astimezone(dt.UTC).date()
    return last_finished_session(run_after)


def store_sessions(connection: Connection) -> None:
    """Keep the warehouse's table ``sessions`` equal to the calendar; the caller commits.

    Raises
    ------
    RequestError
        If the warehouse keeps the sessions of another exchange.
    """
    _keep_calendar(connection)
    if rows(connection, "sessions/select_fingerprint")[0][0] == calendar_fingerprint(exchange().code):
        return
    schedule = calendar().schedule
    execute(
        connection,
        "sessions/insert_sessions",
        {
            "session_dates": [stamp.date() for stamp in schedule.index],
            "opens_at": [stamp.to_pydatetime() for stamp in schedule["open"]],
            "closes_at": [stamp.to_pydatetime() for stamp in schedule["close"]],
        },
    )


def _keep_calendar(connection: Connection) -> None:
    code = exchange().code
    known = [kept for (kept,) in rows(connection, "sessions/select_calendar")]
    if not known:
        execute(connection, "sessions/insert_calendars", {"calendar_code": code})
    elif known != [code]:
        raise RequestError(
            f"This warehouse keeps the sessions of {known[0]}, and RISK_CALENDAR is {code}: the days of its "
            f"books cannot change. Set RISK_CALENDAR={known[0]}, or "
            "give the other exchange a desk with a database of its own."
        )


@cache
def calendar_fingerprint(code: str) -> str:
    """Return what ``sessions/select_fingerprint`` returns where a calendar is stored."""
    known = open_calendar(code)
    seconds = (nanos // 10**9 for nanos in (known.sessions_nanos, known.opens_nanos, known.closes_nanos))
    lines = zip(range(1, len(known.sessions) + 1), *(column.tolist() for column in seconds), strict=True)
    text = "\n".join(" ".join(map(str, line)) for line in lines)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
