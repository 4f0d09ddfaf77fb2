"""Symbols: what the form of an instrument's name implies where nobody states anything."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from risk.books.fifo import UNIT
from risk.core.calendar import next_session

BASE_CURRENCY = "USD"
"""Currency of the results."""

OPTION_MULTIPLIER = 100 * UNIT
LONGEST_BREAK_DAYS = 7
"""No two sessions of the exchange are further apart."""

_OPTION = re.compile(r"[A-Z0-9.]{1,6} {0,5}([0-9]{6})[CP][0-9]{8}")
"""An OSI option symbol, padded (``AAPL  250117C00150000``) or compact."""

_PAIR = re.compile(r"@([A-Z]{3})([A-Z]{3})")
"""A currency pair: so many of the second for one of the first."""

_CONTRACT_PREFIXES = ("/", "@")
_CURRENCY_SUFFIXES = {".TO": "CAD", ".TV": "CAD"}


@lru_cache(maxsize=65_536)
def implied_multiplier(symbol: str) -> int | None:
    """Return the units in one share or contract, scaled by 1e8; ``None`` = never guessed.

    Options have 100, futures (``/``) must be told. A pair is counted in units of its first currency.
    """
    if _OPTION.fullmatch(symbol):
        return OPTION_MULTIPLIER
    if symbol.startswith(_CONTRACT_PREFIXES) and not _PAIR.fullmatch(symbol):
        return None
    return UNIT


@lru_cache(maxsize=65_536)
def implied_currency(symbol: str) -> str:
    """Return the currency a symbol is priced in: a pair's second one, Canada's for ``.TO`` and ``.TV``.

    Source: the vendor's page on incomplete symbols.
    """
    pair = _PAIR.fullmatch(symbol)
    return pair[2] if pair else _CURRENCY_SUFFIXES.get(symbol[-3:], BASE_CURRENCY)


def quoted_currency(symbol: str, told: str | None) -> str | None:
    """Return the currency of a price with a told one: a pair's is in its second, also where its first is told."""
    pair = _PAIR.fullmatch(symbol)
    return pair[2] if pair and told == pair[1] else told


def spot_symbol(currency: str) -> str:
    """Return the symbol whose price is the US dollars for one unit of a currency."""
    return f"@{currency}{BASE_CURRENCY}"


def expires(symbol: str, session_date: dt.date) -> bool:
    """Tell whether a session is an option's last: that of its last day, or the one before where that is none."""
    last_day = _last_day(symbol)
    if last_day is None or not 0 <= (last_day - session_date).days < LONGEST_BREAK_DAYS:
        return False
    return last_day == session_date or last_day < next_session(session_date)


@lru_cache(maxsize=65_536)
def _last_day(symbol: str) -> dt.date | None:
    option = _OPTION.fullmatch(symbol)
    if option is None:
        return None
    try:
        return dt.datetime.strptime(option[1], "%y%m%d").date()  # noqa: DTZ007 - a session is a plain date
    except ValueError:
        return None
