"""Spellings of options: what platforms and brokers write, read into the one OSI symbol where it can mean one only.

Sources: OCC, *Options Symbology Initiative* (the OSI symbol); the vendors' own help pages for DAS Trader
(``+AAPL^F9J150``: year, month and day as digits of base 36), TD Ameritrade (``AAPL_091925C150``), Schwab, Fidelity
(``-AAPL250919C150``), TradeStation, E*Trade (``AAPL--250919C00150000``), Interactive Brokers and thinkorswim
(``.AAPL250919C150``).
Dates with slashes are month first, as American brokers write them. An impossible date or strike is no option.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final, NamedTuple

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

OSI_ROOT_LENGTH: Final = 6
OSI_STRIKE_LENGTH: Final = 8
STRIKE_LIMIT: Final = Decimal(100_000)
"""First strike that an OSI symbol cannot hold."""

DAS_FIRST_YEAR: Final = 2010
_RIGHT_WORDS: Final = ("CALL", "PUT")
"""No roots among words: ``CALL C 09/19/25 60`` is a call on C."""

_DAS_RIGHTS: Final = {"^": "C", "*": "P"}
_CENTURY: Final = 2000

MONTH_NAMES: Final = (
    "JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEP(?:T|TEMBER)?|OCT(?:OBER)?|"
    "NOV(?:EMBER)?|DEC(?:EMBER)?"
)
_SHORT_YEAR: Final = "(?:20[0-9]{2}|[0-9]{2})"
_ROOT: Final = r"(?P<root>[0-9]?[A-Z]{1,6}(?:[./ ][A-Z])?[0-9]?)"
_RIGHT: Final = r"(?P<right>CALLS?|PUTS?|C|P)"
_STRIKE: Final = r"\$?(?P<strike>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?|[0-9]{1,5}(?:\.[0-9]{1,4})?|\.[0-9]{1,4})"
_DATE: Final = (
    rf"(?P<date>[0-9]{{1,2}}/[0-9]{{1,2}}/{_SHORT_YEAR}|20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}|20[0-9]{{6}}|[0-9]{{6}}"
    rf"|[0-9]{{1,2}}[ -]?(?:{MONTH_NAMES})[ -]?'?{_SHORT_YEAR}"
    rf"|(?:{MONTH_NAMES}) ?[0-9]{{1,2}}(?:, *| +|(?='))'?{_SHORT_YEAR})"
)

_OSI: Final = re.compile(r"([A-Z0-9]{1,6}) {0,5}([0-9]{6})([CP])([0-9]{8})")
_COMPACT: Final = re.compile(
    rf"(?:[.+@#-]|O:|OPRA:)?{_ROOT}(?: {{0,5}}|-{{0,5}})(?P<date>20[0-9]{{6}}|[0-9]{{6}})(?P<right>[CP])"
    r"(?P<strike>[0-9]{8}|[0-9]{1,5}(?:\.[0-9]{1,4})?|\.[0-9]{1,4})"
)
_UNDERSCORE: Final = re.compile(
    rf"{_ROOT}_(?P<date>[0-9]{{6}})(?P<right>[CP])(?P<strike>[0-9]{{1,5}}(?:\.[0-9]{{1,4}})?)"
)
_DAS: Final = re.compile(
    rf"\+{_ROOT}(?P<right>[*^])(?P<year>[0-9A-Z])(?P<month>[1-9A-C])(?P<day>[1-9A-V])"
    r"(?P<strike>[0-9]{1,5}(?:\.[0-9]{1,4})?)"
)
_WORDS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_ROOT} +{_DATE} +{_STRIKE} *{_RIGHT}",
        rf"{_ROOT} +{_DATE} +{_RIGHT} *{_STRIKE}",
        rf"{_ROOT} +{_STRIKE} *{_RIGHT} +{_DATE}",
        rf"{_ROOT} +{_RIGHT} +{_STRIKE} +{_DATE}",
        rf"{_ROOT} +{_RIGHT} +{_DATE} +{_STRIKE}",
        rf"{_RIGHT} +{_ROOT} +{_DATE} +{_STRIKE}",
        rf"{_RIGHT} +{_ROOT} +{_STRIKE} +{_DATE}",
    )
)

_SPOKEN: Final = (
    re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{2,4})"),
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"),
    re.compile(r"(?P<day>[0-9]{1,2})[ -]?(?P<name>[A-Z]{3})[A-Z]*[ -]?'?(?P<year>[0-9]{2,4})"),
    re.compile(r"(?P<name>[A-Z]{3})[A-Z]* ?(?P<day>[0-9]{1,2})[, ]*'?(?P<year>[0-9]{2,4})"),
)


class Option(NamedTuple):
    """An option on a share or an index.

    Attributes
    ----------
    root
        Without blanks and separators: ``BRKB``; a digit marks adjusted deliverables.
    expiry
        Its last day.
    right
        ``C`` call, ``P`` put.
    strike
        Above 0, with at most three decimals.
    """

    root: str
    expiry: dt.date
    right: str
    strike: Decimal

    @property
    def symbol(self) -> str:
        """Its OSI symbol, padded to 21 characters."""
        return f"{self.root:<{OSI_ROOT_LENGTH}}{self.expiry:%y%m%d}{self.right}{int(self.strike * 1000):08}"


def osi_option(symbol: str) -> Option | None:
    """Return the parts of an OSI symbol, padded or compact; ``None`` = it is none."""
    found = _OSI.fullmatch(symbol)
    return _option(found[1], _compact_date(found[2]), found[3], found[4]) if found else None


def read_option(text: str) -> Option | None:
    """Read an option in upper case; ``None`` where the text is none, or could be more than one."""
    if not any(character.isdigit() for character in text):
        return None
    for pattern, read_date in ((_COMPACT, _compact_date), (_UNDERSCORE, _underscore_date)):
        found = pattern.fullmatch(text)
        if found:
            return _option(found["root"], read_date(found["date"]), found["right"], found["strike"])
    das = _DAS.fullmatch(text)
    if das:
        year, month, day = (int(das[name], 36) for name in ("year", "month", "day"))
        expiry = _date(DAS_FIRST_YEAR + year, month, day)
        return _option(das["root"], expiry, _DAS_RIGHTS[das["right"]], das["strike"])
    readings = {
        _option(found["root"], _spoken_date(found["date"]), found["right"], found["strike"])
        for found in (pattern.fullmatch(text) for pattern in _WORDS)
        if found and found["root"] not in _RIGHT_WORDS
    }
    return readings.pop() if len(readings) == 1 else None


def _option(root: str, expiry: dt.date | None, right: str, strike: str) -> Option | None:
    """Put an option together; ``None`` if a part of it is impossible."""
    name = "".join(character for character in root if character.isalnum())
    is_osi = len(strike) == OSI_STRIKE_LENGTH and strike.isdigit()
    price = Decimal(strike).scaleb(-3) if is_osi else Decimal(strike.replace(",", ""))
    is_possible = name.strip("0123456789") and len(name) <= OSI_ROOT_LENGTH and 0 < price < STRIKE_LIMIT
    if expiry is None or not is_possible or price * 1000 % 1:
        return None
    return Option(name, expiry, right[0], price)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _compact_date(text: str) -> dt.date | None:
    """Read YYMMDD or YYYYMMDD."""
    return _date(int(text[:-4]) % _CENTURY + _CENTURY, int(text[-4:-2]), int(text[-2:]))


def _underscore_date(text: str) -> dt.date | None:
    """Read MMDDYY; what is none of these can only be YYMMDD."""
    month_first = _date(_CENTURY + int(text[4:]), int(text[:2]), int(text[2:4]))
    return month_first or _compact_date(text)


def _spoken_date(text: str) -> dt.date | None:
    """Read a date of words or with separators; six digits only where they can mean one date."""
    if text.isdigit():
        readings = {_compact_date(text), _underscore_date(text) if len(text) == 6 else None} - {None}
        return readings.pop() if len(readings) == 1 else None
    for pattern in _SPOKEN:
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            month = MONTHS.index(parts["name"]) + 1 if "name" in parts else int(parts["month"])
            return _date(_CENTURY + int(parts["year"]) % _CENTURY, month, int(parts["day"]))
    return None
