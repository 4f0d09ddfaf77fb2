"""Dates and times as brokers, exports and Excel write them: read where they can mean one thing only, refused otherwise.

A wall time is that of the exchange's zone. A text with an offset from UTC, or with the name of UTC or of New York's
time, is converted to it; a name that New York's clocks do not have at that time (EST in summer) says two things and
is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, lru_cache
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from risk.core.calendar import ONE_DAY, first_session, next_session
from risk.core.exchange import NEW_YORK, exchange, exchange_zone
from risk.core.option_spellings import MONTH_NAMES, MONTHS

FORMS: Final = "MM/DD/YYYY HH:MM:SS, M/D/YYYY H:MM AM, YYYY-MM-DD HH:MM:SS (or with T and Z) or YYYYMMDD HH:MM:SS"
"""What a Date/Time looks like."""

FUTURES_OPEN: Final = dt.time(18)
"""From then on, New York, futures trade for the next session, wherever the desk is."""

_MONTH: Final = f"(?i:{MONTH_NAMES})"
_WEEKDAY: Final = "(?:(?i:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Za-z]*,? +)?"

_DAY: Final = (
    r"(?:(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})"
    r"|(?P<iy>[0-9]{4})(?P<mark>[-/.])(?P<im>[0-9]{1,2})(?P=mark)(?P<id>[0-9]{1,2})"
    r"|(?P<cy>[0-9]{4})(?P<cm>[0-9]{2})(?P<cd>[0-9]{2})"
    rf"|{_WEEKDAY}(?P<nd>[0-9]{{1,2}})[ -](?P<nm>{_MONTH})[ -](?P<ny>[0-9]{{4}})"
    rf"|{_WEEKDAY}(?P<wm>{_MONTH})\.? +(?P<wd>[0-9]{{1,2}}),? +(?P<wy>[0-9]{{4}}))"
)
_CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?: *(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE: Final = (
    r" *(?P<zone>(?:UTC|GMT)?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?"
    r"|(?i:Z|UTC|GMT|ET|E[SD]T|US/EASTERN|AMERICA/NEW_YORK))"
    r"(?: ?(?:\[[A-Za-z_/]+\]|\([A-Za-z ]+\)))?"
)
_DAY_PARTS: Final = (("y", "m", "d"), ("iy", "im", "id"), ("cy", "cm", "cd"), ("ny", "nm", "nd"), ("wy", "wm", "wd"))
_DATE: Final = re.compile(_DAY)
_MOMENT: Final = re.compile(f"{_DAY}(?:,? +|[Tt]){_CLOCK}(?:{_ZONE})?")
_STATED_ZONE: Final = re.compile(f"(?P<rest>.*[0-9APMapm.]){_ZONE}")
_JOINED: Final = re.compile("([0-9]{8})[ ;T]?([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9:])")
"""Date and time of 14 digits."""
_BLANKS: Final = re.compile("[\u00a0\u2009\u202f]")
"""Blanks that never break a line, as browsers and Excel write them before AM and PM."""

_OFFSETS: Final = {"Z": "+00", "UTC": "+00", "GMT": "+00", "EST": "-05", "EDT": "-04"}
_NAMES_OF_NEW_YORK: Final = ("ET", "US/EASTERN", "AMERICA/NEW_YORK")

_SHAPES: Final = {
    "date_mapping": re.compile(r".+ \((?:none of|formats|clocks of) .*\)"),
    "date_year": re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}(?![0-9]).*"),
    "date_no_day": re.compile(_CLOCK),
    "date_no_time": re.compile(rf"{_DAY}T?"),
    "date_serial": re.compile(r"[34][0-9]{4}(?:\.[0-9]+)?"),
    "date_epoch": re.compile(r"[0-9]{10}(?:[0-9]{3}){0,2}(?:\.[0-9]+)?"),
    "date_zone": re.compile(rf"{_DAY}(?:,? +|[Tt]){_CLOCK} *[A-Za-z/_]{{2,}}"),
}
"""Error code to what a text without a readable date and time looks like; any other has the code ``date_form``."""

DateOrder = Literal["month first", "day first", "either"]
DATE_ORDERS: Final[tuple[DateOrder | None, ...]] = (None, "either", "month first", "day first")
"""Which of day and month may come first in a date with slashes and the year last; ``None`` = it has another form."""


class Moment(NamedTuple):
    """A Date/Time as read.

    Attributes
    ----------
    code
        The error code if anything is wrong with it.
    wall_time
        The time as the exchange's clocks show it, to the microsecond; its ``fold`` tells the second of two equal ones.
    is_time_unknown
        Whether it is midnight without an offset: the vendor's sign for a time that nobody knows.
    order
        Of ``DATE_ORDERS``.
    """

    code: str | None
    wall_time: dt.datetime = dt.datetime.min  # noqa: DTZ901 - not to be used
    is_time_unknown: bool = False
    order: DateOrder | None = None


def session_of(day: dt.date) -> dt.date:
    """Return the session an execution of a day in the exchange's zone belongs to: that day, or the next session."""
    return _session_of(exchange().code, day)


@cache
def _session_of(_code: str, day: dt.date) -> dt.date:
    return next_session(day - dt.timedelta(days=1))


def session_at(wall_time: dt.datetime, *, is_future: bool) -> dt.date:
    """Return the session an execution belongs to: a future's from 18:00 New York on to the session of the next day."""
    return session_of(_futures_day(wall_time) if is_future else wall_time.date())


def _futures_day(wall_time: dt.datetime) -> dt.date:
    zone, day, there = exchange_zone(), wall_time.date(), wall_time
    if zone != NEW_YORK.zone:
        there = in_zone(wall_time.replace(tzinfo=zone), NEW_YORK.zone)
    return max(day, there.date() + ONE_DAY) if there.time() >= FUTURES_OPEN else day


def day_of(text: str) -> dt.date | None:
    """Read a date, month first or year first; ``None`` if the text is none."""
    found = _DATE.fullmatch(text)
    return _day(found) if found else None


def moment_of(text: str, today: dt.date) -> Moment:
    """Read a Date/Time.

    Parameters
    ----------
    today
        The day of the exchange after which a date is in the future.
    """
    plain = _plain(text)
    found = _MOMENT.fullmatch(plain)
    if found is None:
        return Moment(next((code for code, shape in _SHAPES.items() if shape.fullmatch(plain)), "date_form"))
    read, order = _stated(found), _order(found)
    if read is None:
        is_of_zone = found["zone"] and _day(found) and _clock(found)
        other = "date_zone" if is_of_zone else "date_form"
        return Moment("date_day_first" if order == "day first" else other, order=order)
    if read.tzinfo is not None:
        wall_time = in_zone(read, exchange_zone())
        return Moment(_range_code(wall_time, today), wall_time, order=order)
    code = _range_code(read, today) or _clock_change_code(_hour(read), exchange_zone())
    return Moment(code, read, read.time() == dt.time(), order)


def stated_time(text: str) -> dt.datetime | None:
    """Read a Date/Time as it is stated, aware only where the text has an offset from UTC; ``None`` if it is none."""
    found = _MOMENT.fullmatch(_plain(text))
    return _stated(found) if found else None


def split_zone(text: str) -> tuple[str, str]:
    """Split a time from the offset or name of a zone at its end; blank where there is none."""
    found = _STATED_ZONE.fullmatch(_BLANKS.sub(" ", text).strip(" "))
    return (found["rest"], found["zone"]) if found else (text, "")


def with_zone(wall_time: dt.datetime, zone: str) -> dt.datetime | None:
    """Return the time that a zone makes of a wall time: aware, or the exchange's; ``None`` if its clocks differ."""
    name = zone.upper()
    if name in _NAMES_OF_NEW_YORK:
        if exchange_zone() == NEW_YORK.zone:
            return wall_time
        is_moment = _clock_change_code(_hour(wall_time), NEW_YORK.zone) is None
        return wall_time.replace(tzinfo=NEW_YORK.zone) if is_moment else None
    offset = _OFFSETS.get(name, name.removeprefix("UTC").removeprefix("GMT"))
    digits = offset[1:].replace(":", "").ljust(4, "0")
    ahead = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if offset[0] == "-" else 1)
    read = wall_time.replace(tzinfo=dt.timezone(ahead))
    return None if name in ("EST", "EDT") and in_zone(read, NEW_YORK.zone) != wall_time else read


def _plain(text: str) -> str:
    """Write blanks of any kind as blanks, and a colon between the parts of a time that is only digits."""
    plain = (text if text.isascii() else _BLANKS.sub(" ", text)).strip(" ")
    joined = _JOINED.match(plain) if plain[:8].isdigit() else None
    return f"{joined[1]} {joined[2]}:{joined[3]}:{joined[4]}{plain[joined.end() :]}" if joined else plain


def _stated(found: re.Match[str]) -> dt.datetime | None:
    day, clock = _day(found), _clock(found)
    if day is None or clock is None:
        return None
    wall_time = dt.datetime.combine(day, clock)
    return with_zone(wall_time, found["zone"]) if found["zone"] else wall_time


def _day(found: re.Match[str]) -> dt.date | None:
    for names in _DAY_PARTS:
        year, month, day = found.group(*names)
        if year:
            number = MONTHS.index(month[:3].upper()) + 1 if month.isalpha() else int(month)
            try:
                return dt.date(int(year), number, int(day))
            except ValueError:
                return None
    return None


def _clock(found: re.Match[str]) -> dt.time | None:
    """Read the time of day; what is finer than a microsecond is cut off."""
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    if hour > 23:
        return None
    microsecond = int((found["fraction"] or "")[:6].ljust(6, "0"))
    return dt.time(hour, int(found["minute"]), int(found["second"] or 0), microsecond)


def _order(found: re.Match[str]) -> DateOrder | None:
    if not found["y"]:
        return None
    first, second = int(found["m"]), int(found["d"])
    if max(first, second) <= 12:
        return "either"
    return "day first" if first > 12 >= second else "month first"


def in_zone(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return what a zone's wall clock shows at an aware instant; its ``fold`` tells the second of two equal times."""
    try:
        return instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return dt.datetime.min  # noqa: DTZ901 - before the first session


def _range_code(wall_time: dt.datetime, today: dt.date) -> str | None:
    if wall_time.date() > today:
        return "date_future"
    return "date_past" if wall_time.date() < first_session() else None


def _hour(wall_time: dt.datetime) -> dt.datetime:
    return wall_time.replace(minute=0, second=0, microsecond=0)


@lru_cache(maxsize=4096)
def _clock_change_code(wall_time: dt.datetime, zone: ZoneInfo) -> str | None:
    """Tell whether a zone's clocks showed the hour that begins at a wall time twice or never."""
    earlier, later = (wall_time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return None
    round_trip = earlier.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None)
    return "date_twice" if round_trip == wall_time else "date_gap"
