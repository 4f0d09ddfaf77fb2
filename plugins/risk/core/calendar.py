"""Trading sessions of the New York Stock Exchange, and the one rule that picks a run's session.

A session is a plain ``date`` in New York. Instants are aware datetimes in UTC.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from risk.core.errors import RequestError
from risk.core.settings import EXCHANGE_CALENDAR, EXCHANGE_ZONE, RUN_AT, WAIT_UNTIL
from risk.core.warehouse import Connection, execute, rows

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_SESSION_BOUND = dt.date(2000, 1, 1)
"""The calendar opens with it."""

FIRST_SESSION = dt.date(2000, 1, 3)
"""The first one from there on; older executions are refused as wrong dates."""

SATURDAY = 5
ONE_DAY = dt.timedelta(days=1)


@cache
def calendar() -> ExchangeCalendar:
    """Open the exchange's calendar; 0.4 s the first time, which is why nothing imports it at module level."""
    import exchange_calendars

    return exchange_calendars.get_calendar(EXCHANGE_CALENDAR, start=FIRST_SESSION_BOUND.isoformat())


def _known(day: dt.date) -> str:
    """Write a day that the calendar knows; one that it does not know is a mistake of whoever asked."""
    if not FIRST_SESSION_BOUND <= day <= last_session():
        raise RequestError(
            f"{day} is outside the calendar, which knows the sessions from {FIRST_SESSION} to {last_session()}: name a "
            "day in between."
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


def day_start(day: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which a day begins: 00:00 New York."""
    return dt.datetime.combine(day, dt.time(), tzinfo=EXCHANGE_ZONE).astimezone(dt.UTC)


def local_time(instant: dt.datetime) -> str:
    """Write an aware instant in New York time, to the minute, for people."""
    return f"{instant.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} New York"


def morning(effective_session: dt.date) -> dt.datetime:
    """Return the instant, in UTC, at which the run that sets a session's limits is due: 07:00 New York."""
    return dt.datetime.combine(effective_session, RUN_AT, tzinfo=EXCHANGE_ZONE).astimezone(dt.UTC)


def wait_deadline(session_date: dt.date) -> dt.datetime:
    """Return the instant, in UTC, from which the morning run for a session no longer waits for executions."""
    return dt.datetime.combine(next_session(session_date), WAIT_UNTIL, tzinfo=EXCHANGE_ZONE).astimezone(dt.UTC)


def last_finished_session(instant: dt.datetime) -> dt.date:
    """Return the newest session before the New York day of an instant.

    Parameters
    ----------
    instant
        Aware datetime. At 07:00 New York on session S the answer is the session before S.
    """
    return previous_session(instant.astimezone(EXCHANGE_ZONE).date())


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
        If the day is no session, or not over in New York yet; names the sessions around it.
    """
    today = asked_at.astimezone(EXCHANGE_ZONE).date()
    if day > today:
        raise RequestError(
            f"Session {day} lies in the future (it is {today} in New York): "
            f"ask for {previous_session(today)} or earlier."
        )
    if day <= FIRST_SESSION_BOUND:
        raise RequestError(
            f"{day} lies before the calendar's first day {FIRST_SESSION_BOUND}: ask for a later session."
        )
    if not is_session(day):
        earlier, later = previous_session(day), next_session(day)
        raise RequestError(f"{day} is no session of {EXCHANGE_CALENDAR}: ask for {earlier} or {later}.")
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
    """Keep the warehouse's table ``sessions`` equal to the calendar; the caller commits."""
    if rows(connection, "sessions/select_fingerprint")[0][0] == calendar_fingerprint():
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


@cache
def calendar_fingerprint() -> str:
    """Return what ``sessions/select_fingerprint`` returns where this calendar is stored."""
    known = calendar()
    seconds = (nanos // 10**9 for nanos in (known.sessions_nanos, known.opens_nanos, known.closes_nanos))
    lines = zip(range(1, len(known.sessions) + 1), *(column.tolist() for column in seconds), strict=True)
    text = "\n".join(" ".join(map(str, line)) for line in lines)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
