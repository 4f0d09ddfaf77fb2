"""Prices: what a symbol is worth at a close, by mark, multiplier and rate; and what its form implies of these."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

from risk.books.executions import MIXED_CURRENCIES, UNIT
from risk.core.calendar import next_session

StatedValue = TypeVar("StatedValue")

STALE_SESSIONS: Final = 5
"""For so many sessions the last known price may stand in for a missing one."""

PRICE_LIMIT: Final[int] = 10**18
"""Above what files can state (ten digits before the point), scaled by 1e8: no price, whatever split it comes from."""

BASE_CURRENCY: Final = "USD"
"""Currency of the results."""

OPTION_MULTIPLIER: Final[int] = 100 * UNIT
LONGEST_BREAK_DAYS: Final = 7
"""No two sessions of the exchange are further apart."""

_OPTION = re.compile(r"[A-Z0-9.]{1,6} {0,5}([0-9]{6})[CP][0-9]{8}")
"""An OSI option symbol, padded (``AAPL  250117C00150000``) or compact."""

_PAIR = re.compile(r"@([A-Z]{3})([A-Z]{3})")
"""A currency pair: so many of the second for one of the first."""

_CONTRACT_PREFIXES = ("/", "@")
_CURRENCY_SUFFIXES: Final = {".TO": "CAD", ".TV": "CAD"}


class ScaledMark(NamedTuple):
    """What marks files say about a symbol in a session; numbers scaled by 1e8, ``None`` where they say nothing."""

    session_date: dt.date
    symbol: str
    price: int | None
    currency: str | None
    multiplier: int | None


class ScaledInstrument(NamedTuple):
    """What instruments files say about a symbol from a day on; multiplier scaled by 1e8, ``None`` = nothing."""

    valid_from: dt.date
    symbol: str
    multiplier: int | None
    currency: str | None


class SplitRatio(NamedTuple):
    """A split: new shares for old ones from the open of a session on, both scaled by 1e8."""

    session_date: dt.date
    symbol: str
    new_shares: int
    old_shares: int


class LastFill(NamedTuple):
    """The last fill of a symbol in a session, in one currency as stated: microseconds of its instant, line, price."""

    session_date: dt.date
    symbol: str
    currency: str | None
    instant_line_price: tuple[int, int, int]


class Valuation(NamedTuple):
    """How one symbol is valued at one close.

    Attributes
    ----------
    multiplier
        Units in one share or contract, scaled by 1e8; ``None`` = unknown, nothing about the symbol is money.
    price
        Closing price in the symbol's currency, scaled by 1e8; ``None`` = no mark.
    source
        ``marks``, ``last_fill``, ``stale``, or ``expiry`` where an option ends worthless; ``None`` = no mark.
    rate
        US dollars for one unit of the currency, scaled by 1e8; ``None`` = unknown.
    rate_source, rate_date
        As ``source``, and the session it is of; ``None`` for US dollars.
    """

    multiplier: int | None
    price: int | None
    source: str | None
    rate: int | None = UNIT
    rate_source: str | None = None
    rate_date: dt.date | None = None


class _Implied(NamedTuple):
    """Units in one share or contract, scaled by 1e8 (``None`` = never guessed), and the currency of the price."""

    multiplier: int | None
    currency: str


class _Quote(NamedTuple):
    """A price with its source and session."""

    price: int | None
    source: str | None
    session_date: dt.date | None


_NO_QUOTE = _Quote(None, None, None)
_DOLLAR = _Quote(UNIT, None, None)


class PriceBook:
    """Values symbols at the close of consecutive sessions.

    Parameters
    ----------
    session_dates
        Consecutive sessions, ascending; a stale price is looked for among them.
    last_fills
        Of all accounts, any number for a session and symbol.
    marks
        At most one for a session and symbol; those of earlier sessions still state the multiplier.
    instruments
        At most one for a day and symbol.
    ratios
        At most one for a session and symbol.

    Attributes
    ----------
    session_dates
        As given.
    ratios
        Of the splits that sessions open with, by session and symbol.
    """

    def __init__(
        self,
        session_dates: Sequence[dt.date],
        last_fills: Iterable[LastFill],
        marks: Iterable[ScaledMark],
        instruments: Iterable[ScaledInstrument] = (),
        ratios: Iterable[SplitRatio] = (),
    ) -> None:
        self.session_dates = session_dates
        self._index = {session_date: index for index, session_date in enumerate(session_dates)}
        self._prices: dict[tuple[dt.date, str], tuple[str | None, int]] = {}
        self._last_fills: dict[tuple[dt.date, str, str], int] = {}
        self._multipliers: dict[str, dict[dt.date, int | None]] = {}
        self._currencies: dict[str, dict[dt.date, str]] = {}
        self.ratios = {(ratio.session_date, ratio.symbol): ratio for ratio in ratios}
        self._valuations: dict[tuple[dt.date, str, str], Valuation] = {}
        multipliers: list[tuple[dt.date, str, int | None]] = []
        for mark in marks:
            if mark.price is not None:
                pair = _PAIR.fullmatch(mark.symbol)
                # A pair is priced in its second currency, also where its first is stated.
                currency = pair[2] if pair and mark.currency == pair[1] else mark.currency
                self._prices[mark.session_date, mark.symbol] = (currency, mark.price)
            multipliers.append((mark.session_date, mark.symbol, mark.multiplier))
        for stated in sorted(instruments, key=lambda stated: stated.valid_from):
            multipliers.append((stated.valid_from, stated.symbol, stated.multiplier))
            if stated.currency is not None:
                self._currencies.setdefault(stated.symbol, {})[stated.valid_from] = stated.currency
        for day, symbol, multiplier in sorted(multipliers, key=itemgetter(0)):
            if multiplier is not None:
                # Two of one day that differ leave it unknown.
                by_day = self._multipliers.setdefault(symbol, {})
                by_day[day] = multiplier if by_day.get(day, multiplier) == multiplier else None
        for day, symbol, currency, instant_line_price in sorted(last_fills, key=itemgetter(3)):
            self._last_fills[day, symbol, self.currency(day, symbol, currency)] = instant_line_price[-1]

    def currency(self, session_date: dt.date, symbol: str, of_fills: str | None, held: str | None = None) -> str:
        """Return a symbol's currency: as an instruments file says, else as its fills do, else as its form implies.

        Where one of the first two differs from that of a position already held, the position has none until it is
        flat: `MIXED_CURRENCIES`.
        """
        stated = self.stated_currency(session_date, symbol) or of_fills
        if held is None:
            return stated or _implied(symbol).currency
        return held if stated in {None, held} else MIXED_CURRENCIES

    def stated_currency(self, session_date: dt.date, symbol: str) -> str | None:
        """Return the currency that instruments files state for a session."""
        stated = self._currencies.get(symbol)
        return _newest_until(stated, session_date) if stated else None

    def value(self, session_date: dt.date, symbol: str, currency: str) -> Valuation:
        """Value a symbol held or traded in a currency at a session's close."""
        known = self._valuations.get((session_date, symbol, currency))
        if known is not None:
            return known
        is_mixed = currency == MIXED_CURRENCIES
        if (session_date, symbol) not in self._prices and expires(symbol, session_date):
            quote = _Quote(0, "expiry", session_date)
        else:
            quote = _NO_QUOTE if is_mixed else self._quote(session_date, symbol, currency)
        if is_mixed:
            multiplier, rate = None, _NO_QUOTE
        else:
            stated, multiplier = self._multipliers.get(symbol), _implied(symbol).multiplier
            if stated and next(iter(stated)) <= session_date:
                multiplier = _newest_until(stated, session_date)
            spot = f"@{currency}{BASE_CURRENCY}"
            rate = _DOLLAR if currency == BASE_CURRENCY else self._quote(session_date, spot, BASE_CURRENCY)
        valuation = Valuation(multiplier, quote.price, quote.source, *rate)
        self._valuations[session_date, symbol, currency] = valuation
        return valuation

    def _quote(self, session_date: dt.date, symbol: str, currency: str) -> _Quote:
        """Look for a price in the session and the five before it; an older one in the shares of the session."""
        today = self._index[session_date]
        new_shares = old_shares = 1
        for index in range(today, max(today - STALE_SESSIONS, 0) - 1, -1):
            day = self.session_dates[index]
            quoted_in, price = self._prices.get((day, symbol), (None, None))
            source = "marks"
            if price is None or quoted_in not in (None, currency):
                price, source = self._last_fills.get((day, symbol, currency)), "last_fill"
            if price is not None:
                price = (2 * price * old_shares + new_shares) // (2 * new_shares)
                return _Quote(price, source if index == today else "stale", day) if price < PRICE_LIMIT else _NO_QUOTE
            ratio = self.ratios.get((day, symbol))
            if ratio is not None:
                new_shares, old_shares = new_shares * ratio.new_shares, old_shares * ratio.old_shares
        return _NO_QUOTE


def _newest_until(stated: Mapping[dt.date, StatedValue], day: dt.date) -> StatedValue | None:
    """Return the newest of some dated values, ascending, that holds on a day."""
    days = list(stated)
    count = bisect_right(days, day)
    return stated[days[count - 1]] if count else None


@lru_cache(maxsize=65_536)
def _implied(symbol: str) -> _Implied:
    """Return what a symbol's form implies.

    Options have 100 units in one contract, that of futures (``/``) must be stated. A pair is counted in units of its
    first currency and priced in its second; what ends in ``.TO`` or ``.TV`` is priced in Canada's.
    Source: the vendor's page on incomplete symbols.
    """
    pair = _PAIR.fullmatch(symbol)
    currency = pair[2] if pair else _CURRENCY_SUFFIXES.get(symbol[-3:], BASE_CURRENCY)
    if _OPTION.fullmatch(symbol):
        return _Implied(OPTION_MULTIPLIER, currency)
    return _Implied(None if symbol.startswith(_CONTRACT_PREFIXES) and not pair else UNIT, currency)


def expires(symbol: str, session_date: dt.date) -> bool:
    """Return whether a session is an option's last: that of its last day, or the one before where that is none."""
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
