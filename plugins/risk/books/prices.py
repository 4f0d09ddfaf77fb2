"""Valuation: the closing price of a symbol, where it comes from, the units in one contract, and US dollars for them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from risk.books.fifo import UNIT
from risk.books.symbols import (
    BASE_CURRENCY,
    expires,
    implied_currency,
    implied_multiplier,
    quoted_currency,
    spot_symbol,
)

Told = TypeVar("Told")

STALE_SESSIONS = 5
"""For so many sessions the last known price may stand in for a missing one."""

PRICE_LIMIT: int = 10**18
"""Above what files can state (ten digits before the point), scaled by 1e8: no price, whatever split it comes from."""

MIXED_CURRENCIES = "XXX"
"""ISO 4217 for "no currency": fills of one position in several, which nothing converts."""


class Statement(NamedTuple):
    """What a marks file says about a symbol in a session; numbers scaled by 1e8, ``None`` where it says nothing."""

    session_date: dt.date
    symbol: str
    price: int | None
    currency: str | None
    multiplier: int | None


class Terms(NamedTuple):
    """What an instruments file says about a symbol from a day on; ``None`` where it says nothing."""

    valid_from: dt.date
    symbol: str
    multiplier: int | None
    currency: str | None


class Ratio(NamedTuple):
    """A split: new shares for old ones from the open of a session on, both scaled by 1e8."""

    session_date: dt.date
    symbol: str
    new_shares: int
    old_shares: int


class LastFill(NamedTuple):
    """The last fill of a symbol in a session, in one currency as told: microseconds of its instant, line, price."""

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


class _Quote(NamedTuple):
    """A price with its source and session."""

    price: int | None
    source: str | None
    session_date: dt.date | None


_NO_QUOTE = _Quote(None, None, None)
_DOLLAR = _Quote(UNIT, None, None)


class Valuer:
    """Values symbols at the close of consecutive sessions.

    Parameters
    ----------
    session_dates
        Consecutive sessions, ascending; a stale price is looked for among them.
    last_fills
        Of all accounts, any number for a session and symbol.
    statements
        What marks files say, at most one for a session and symbol. Those of earlier sessions still tell the
        multiplier.
    terms
        What instruments files say, at most one for a day and symbol.
    ratios
        Splits, at most one for a session and symbol.
    """

    def __init__(
        self,
        session_dates: Sequence[dt.date],
        last_fills: Iterable[LastFill],
        statements: Iterable[Statement],
        terms: Iterable[Terms] = (),
        ratios: Iterable[Ratio] = (),
    ) -> None:
        self._session_dates = session_dates
        self._index = {session_date: index for index, session_date in enumerate(session_dates)}
        self._marks: dict[tuple[dt.date, str], tuple[str | None, int]] = {}
        self._multipliers: dict[str, dict[dt.date, int | None]] = {}
        self._currencies: dict[str, dict[dt.date, str]] = {}
        self._ratios = {(ratio.session_date, ratio.symbol): ratio for ratio in ratios}
        self._known: dict[tuple[dt.date, str, str], Valuation] = {}
        for statement in statements:
            self._learn_mark(statement)
        for told in sorted(terms, key=lambda told: told.valid_from):
            self._learn_multiplier(told.symbol, told.valid_from, told.multiplier)
            if told.currency is not None:
                self._currencies.setdefault(told.symbol, {})[told.valid_from] = told.currency
        self._multipliers = {symbol: dict(sorted(told.items())) for symbol, told in self._multipliers.items()}
        self._last_fills = self._newest(last_fills)

    def _learn_mark(self, statement: Statement) -> None:
        if statement.price is not None:
            currency = quoted_currency(statement.symbol, statement.currency)
            self._marks[statement.session_date, statement.symbol] = (currency, statement.price)
        self._learn_multiplier(statement.symbol, statement.session_date, statement.multiplier)

    def _learn_multiplier(self, symbol: str, day: dt.date, multiplier: int | None) -> None:
        """Note a multiplier; two of one day that differ leave it unknown."""
        if multiplier is not None:
            told = self._multipliers.setdefault(symbol, {})
            told[day] = multiplier if told.get(day, multiplier) == multiplier else None

    def _newest(self, last_fills: Iterable[LastFill]) -> dict[tuple[dt.date, str, str], int]:
        newest: dict[tuple[dt.date, str, str], tuple[int, int, int]] = {}
        for fill in last_fills:
            key = (fill.session_date, fill.symbol, self.currency(fill.session_date, fill.symbol, fill.currency))
            newest[key] = max(newest.get(key, fill.instant_line_price), fill.instant_line_price)
        return {key: instant_line_price[-1] for key, instant_line_price in newest.items()}

    def currency(self, session_date: dt.date, symbol: str, told: str | None) -> str:
        """Return a symbol's currency: as an instruments file says, else as its fills do, else as its form implies."""
        return self.stated_currency(session_date, symbol) or told or implied_currency(symbol)

    def stated_currency(self, session_date: dt.date, symbol: str) -> str | None:
        """Return the currency that instruments files state for a session."""
        stated = self._currencies.get(symbol)
        return _newest_until(stated, session_date) if stated else None

    def ratio(self, session_date: dt.date, symbol: str) -> Ratio | None:
        """Return the split a session opens with."""
        return self._ratios.get((session_date, symbol))

    def value(self, session_date: dt.date, symbol: str, currency: str) -> Valuation:
        """Value a symbol held or traded in a currency at a session's close."""
        key = (session_date, symbol, currency)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._value(session_date, symbol, currency)
        return known

    def _value(self, session_date: dt.date, symbol: str, currency: str) -> Valuation:
        is_mixed = currency == MIXED_CURRENCIES
        if (session_date, symbol) not in self._marks and expires(symbol, session_date):
            quote = _Quote(0, "expiry", session_date)
        else:
            quote = _NO_QUOTE if is_mixed else self._quote(session_date, symbol, currency)
        if is_mixed:
            return Valuation(None, quote.price, quote.source, None)
        rate = _DOLLAR
        if currency != BASE_CURRENCY:
            rate = self._quote(session_date, spot_symbol(currency), BASE_CURRENCY)
        return Valuation(self._multiplier(session_date, symbol), quote.price, quote.source, *rate)

    def _multiplier(self, session_date: dt.date, symbol: str) -> int | None:
        """Return the newest multiplier told up to the session, else what the symbol's form implies."""
        told = self._multipliers.get(symbol)
        if told and next(iter(told)) <= session_date:
            return _newest_until(told, session_date)
        return implied_multiplier(symbol)

    def _quote(self, session_date: dt.date, symbol: str, currency: str) -> _Quote:
        """Look for a price in the session and the five before it; an older one in the shares of the session."""
        today = self._index[session_date]
        new_shares = old_shares = 1
        for index in range(today, max(today - STALE_SESSIONS, 0) - 1, -1):
            day = self._session_dates[index]
            price, source = self._price(day, symbol, currency)
            if price is not None:
                price = (2 * price * old_shares + new_shares) // (2 * new_shares)
                return _Quote(price, source if index == today else "stale", day) if price < PRICE_LIMIT else _NO_QUOTE
            ratio = self._ratios.get((day, symbol))
            if ratio is not None:
                new_shares, old_shares = new_shares * ratio.new_shares, old_shares * ratio.old_shares
        return _NO_QUOTE

    def _price(self, session_date: dt.date, symbol: str, currency: str) -> tuple[int | None, str]:
        mark = self._marks.get((session_date, symbol))
        if mark is not None and mark[0] in (None, currency):
            return mark[1], "marks"
        return self._last_fills.get((session_date, symbol, currency)), "last_fill"


def _newest_until(told: Mapping[dt.date, Told], day: dt.date) -> Told | None:
    """Return the newest of some dated statements, ascending, that holds on a day."""
    days = list(told)
    count = bisect_right(days, day)
    return told[days[count - 1]] if count else None
