"""The exchange of the desk: its calendar, the zone of its days, and the times of a morning, counted from its opening.

The setting ``RISK_CALENDAR`` names the calendar by its code in the package exchange_calendars, of several desks each
one's own. Within `at_exchange` another one counts, whatever the setting says.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from risk.core.desks import effective_variable
from risk.core.errors import RequestError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

VARIABLE: Final = "RISK_CALENDAR"

FIRST_SESSION_BOUND: Final = dt.date(2000, 1, 1)
"""Every calendar begins with the first session from then on; older executions are refused as wrong dates."""

MAINTENANCE_LEAD: Final = dt.timedelta(hours=3, minutes=30)
RUN_LEAD: Final = dt.timedelta(hours=2, minutes=30)
WEEKLY_LEAD: Final = dt.timedelta(hours=1, minutes=30)
WAIT_LEAD: Final = dt.timedelta(hours=1, minutes=15)
REPORT_LEAD: Final = dt.timedelta(hours=1)
DECISION_LEAD: Final = dt.timedelta(minutes=30)


EARLIEST_OPENING: Final = dt.time(3, 30)
"""What is due first on a morning is due at midnight then."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange whose sessions a desk trades. Times are those of its own clocks.

    Attributes
    ----------
    code
        Code of the calendar in exchange_calendars.
    zone
        Zone of its days and times.
    opens_at
        Regular opening, 3.5 hours after midnight at the earliest; a later opening of single sessions moves no time.
    """

    code: str
    zone: ZoneInfo
    opens_at: dt.time

    @property
    def city(self) -> str:
        """The zone in words, which stand behind a time: New York."""
        return self.zone.key.rpartition("/")[2].replace("_", " ")

    @property
    def name(self) -> str:
        """The exchange for people who do not know its code."""
        return "the New York Stock Exchange" if self.code == NEW_YORK.code else f"the exchange {self.code}"

    @property
    def maintenance_at(self) -> dt.time:
        """When the weekly maintenance starts; New York 06:00."""
        return self._before_opening(MAINTENANCE_LEAD)

    @property
    def run_at(self) -> dt.time:
        """When the daily run is due; New York 07:00."""
        return self._before_opening(RUN_LEAD)

    @property
    def weekly_run_at(self) -> dt.time:
        """When the model of the week is trained; New York 08:00."""
        return self._before_opening(WEEKLY_LEAD)

    @property
    def wait_until(self) -> dt.time:
        """Until when a scheduled run waits for missing accounts; New York 08:15."""
        return self._before_opening(WAIT_LEAD)

    @property
    def report_due_at(self) -> dt.time:
        """By when the report of the effective session is due; New York 08:30."""
        return self._before_opening(REPORT_LEAD)

    @property
    def decision_deadline(self) -> dt.time:
        """After which time of the effective session an unanswered recommendation takes effect; New York 09:00."""
        return self._before_opening(DECISION_LEAD)

    def _before_opening(self, lead: dt.timedelta) -> dt.time:
        # Of any day: what is meant is the time of its clocks.
        return (dt.datetime.combine(FIRST_SESSION_BOUND, self.opens_at) - lead).time()


NEW_YORK: Final = Exchange("XNYS", ZoneInfo("America/New_York"), dt.time(9, 30))
"""The default; known without the calendar itself, which takes 0.4 s to open."""

_CHOSEN: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def exchange() -> Exchange:
    """Return the exchange that counts now: that of `at_exchange`, else that of the setting.

    Raises
    ------
    RequestError
        As `exchange_of`, and as `risk.core.desks.current_desk`.
    """
    return _CHOSEN.get() or exchange_of(os.environ.get(effective_variable("calendar")) or NEW_YORK.code)


def exchange_zone() -> ZoneInfo:
    """Return the zone of the exchange that counts now."""
    return exchange().zone


@contextlib.contextmanager
def at_exchange(code: str) -> Iterator[Exchange]:
    """Let another exchange count in a block, for this thread or task of asyncio alone."""
    chosen = exchange_of(code)
    token = _CHOSEN.set(chosen)
    try:
        yield chosen
    finally:
        _CHOSEN.reset(token)


@cache
def exchange_of(code: str) -> Exchange:
    """Return the exchange of a calendar.

    Raises
    ------
    RequestError
        If there is no such calendar, or its sessions leave no morning before them: those of futures begin on the
        evening before.
    """
    if code == NEW_YORK.code:
        return NEW_YORK
    known = open_calendar(code)
    opens_at = known.open_times[-1][1]
    if known.open_offset or opens_at < EARLIEST_OPENING:
        raise RequestError(
            f"{VARIABLE}={code} is not allowed: its sessions begin at {opens_at:%H:%M}"
            f"{' of the day before' if known.open_offset else ''}, which leaves no morning for the run. Set it to an "
            "exchange that opens in the morning, or leave it unset."
        )
    return Exchange(code, ZoneInfo(str(known.tz)), opens_at)


@cache
def open_calendar(code: str) -> ExchangeCalendar:
    """Open a calendar from 2000 on; 0.4 s the first time, which is why nothing imports it at module level.

    Raises
    ------
    RequestError
        If there is no such calendar, or it knows no sessions before a later day.
    """
    import exchange_calendars
    from exchange_calendars.errors import InvalidCalendarName

    if code not in exchange_calendars.get_calendar_names(include_aliases=False):
        meant = "a code of exchange_calendars, such as XNYS or XLON"
        with contextlib.suppress(InvalidCalendarName):
            meant = f"its code {exchange_calendars.resolve_alias(code)}"
        raise RequestError(f"{VARIABLE}={code} is not allowed: set it to {meant}, or leave it unset.")
    try:
        return exchange_calendars.get_calendar(code, start=FIRST_SESSION_BOUND.isoformat())
    except ValueError as error:
        raise RequestError(
            f"{VARIABLE}={code} is not allowed: exchange_calendars does not know its sessions from "
            f"{FIRST_SESSION_BOUND} on ({error}). Set it to another exchange, or leave it unset."
        ) from None
