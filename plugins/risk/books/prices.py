"""Prices: what a symbol is worth at a close, by mark, multiplier and rate; and what its form implies of these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from risk.books.executions import MIXED_CURRENCIES, UNIT
from risk.core.calendar import next_session
from risk.core.multipliers import Multipliers, newest_until
from risk.core.symbols import option_of, pair_of

STALE_SESSIONS: Final = 5
"""For so many sessions the last known price may stand in for a missing one."""

PRICE_LIMIT: Final[int] = 10**18
"""Above what files can state (ten digits before the point), scaled by 1e8: no price, whatever split it comes from."""

BASE_CURRENCY: Final = "USD"
"""Currency of the results."""

LONGEST_BREAK_DAYS: Final = 7
"""No two sessions of the exchange are further apart."""

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
    """A split: new shares for old ones from the open of a session on, both scaled by 1e8, and their symbol if new."""

    session_date: dt.date
    symbol: str
    new_shares: int
    old_shares: int
    new_symbol: str | None = None


class LastFill(NamedTuple):
    """The last fill of a symbol in a session, in one currency as stated: microseconds of its instant, rank, price."""

    session_date: dt.date
    symbol: str
    currency: str | None
    instant_rank_price: tuple[int, int, int]


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
        self._currencies: dict[str, dict[dt.date, str]] = {}
        self.ratios = {(ratio.session_date, ratio.symbol): ratio for ratio in ratios}
        self._arrivals: dict[tuple[dt.date, str], list[SplitRatio]] = {}
        for ratio in sorted(self.ratios.values()):
            if ratio.new_symbol is not None:
                self._arrivals.setdefault((ratio.session_date, ratio.new_symbol), []).append(ratio)
        self._valuations: dict[tuple[dt.date, str, str], Valuation] = {}
        multipliers: list[tuple[dt.date, str, int | None]] = []
        for mark in marks:
            if mark.price is not None:
                self._prices[mark.session_date, mark.symbol] = (priced_in(mark.symbol, mark.currency), mark.price)
            multipliers.append((mark.session_date, mark.symbol, mark.multiplier))
        for stated in sorted(instruments, key=lambda stated: stated.valid_from):
            multipliers.append((stated.valid_from, stated.symbol, stated.multiplier))
            if stated.currency is not None:
                self._currencies.setdefault(stated.symbol, {})[stated.valid_from] = stated.currency
        self._multipliers = Multipliers(multipliers, UNIT)
        for day, symbol, currency, instant_rank_price in sorted(last_fills, key=itemgetter(3)):
            self._last_fills[day, symbol, self.currency(day, symbol, currency)] = instant_rank_price[-1]

    def currency(self, session_date: dt.date, symbol: str, of_fills: str | None, held: str | None = None) -> str:
        """Return a symbol's currency: as an instruments file says, else as its fills do, else as its form implies.

        Where one of the first two differs from that of a position already held, the position has none until it is
        flat: `MIXED_CURRENCIES`.
        """
        stated = self.stated_currency(session_date, symbol) or priced_in(symbol, of_fills)
        if held is None:
            return stated or implied_currency(symbol)
        return held if stated in {None, held} else MIXED_CURRENCIES

    def splits(self, session_date: dt.date, symbol: str) -> tuple[SplitRatio, ...]:
        """Return what a symbol's shares are replaced by in a session, and what becomes shares of it."""
        ratio, arrivals = self.ratios.get((session_date, symbol)), self._arrivals.get((session_date, symbol), ())
        return (ratio, *arrivals) if ratio else tuple(arrivals)

    def stated_currency(self, session_date: dt.date, symbol: str) -> str | None:
        """Return the currency that instruments files state for a session."""
        stated = self._currencies.get(symbol)
        return newest_until(stated, session_date) if stated else None

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
            multiplier = self._multipliers.at(session_date, symbol)
            spot = f"@{currency}{BASE_CURRENCY}"
            rate = _DOLLAR if currency == BASE_CURRENCY else self._quote(session_date, spot, BASE_CURRENCY)
        valuation = Valuation(multiplier, quote.price, quote.source, *rate)
        self._valuations[session_date, symbol, currency] = valuation
        return valuation

    def _quote(self, session_date: dt.date, symbol: str, currency: str) -> _Quote:
        """Look for a price in the session and the five before it; an older one in the shares of the session."""
        today = self._index[session_date]
        names = [(symbol, 1, 1)]
        for index in range(today, max(today - STALE_SESSIONS, 0) - 1, -1):
            day = self.session_dates[index]
            for name, new_shares, old_shares in names:
                price, source = self._price(day, name, currency)
                if price is not None:
                    price = (2 * price * old_shares + new_shares) // (2 * new_shares)
                    source = source if index == today else "stale"
                    return _Quote(price, source, day) if price < PRICE_LIMIT else _NO_QUOTE
            names = self._former_names(day, names) if self.ratios else names
        return _NO_QUOTE

    def _price(self, day: dt.date, symbol: str, currency: str) -> tuple[int | None, str]:
        """Return a symbol's mark in a session, else its last fill; each only in the currency."""
        quoted_in, price = self._prices.get((day, symbol), (None, None))
        if price is not None and quoted_in in (None, currency):
            return price, "marks"
        return self._last_fills.get((day, symbol, currency)), "last_fill"

    def _former_names(self, day: dt.date, names: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        """Return what the shares were before a session's splits: symbols, and the new shares for so many old ones."""
        former = []
        for name, new_shares, old_shares in names:
            # A symbol that was given up in the session and is borne again is another's.
            if (day, name) not in self.ratios:
                former.append((name, new_shares, old_shares))
            former += [
                (ratio.symbol, new_shares * ratio.new_shares, old_shares * ratio.old_shares)
                for ratio in self.splits(day, name)
                if name == (ratio.new_symbol or ratio.symbol)
            ]
        return former


def priced_in(symbol: str, stated: str | None) -> str | None:
    """Return the currency that a statement gives to a price: a pair's is the second, also where its first is stated."""
    pair = pair_of(symbol)
    return pair[1] if pair and stated == pair[0] else stated


@lru_cache(maxsize=65_536)
def implied_currency(symbol: str) -> str:
    """Return the currency a symbol is priced in: a pair's second one, Canada's for ``.TO`` and ``.TV``.

    Source: the vendor's page on incomplete symbols.
    """
    pair = pair_of(symbol)
    return pair[1] if pair else _CURRENCY_SUFFIXES.get(symbol[-3:], BASE_CURRENCY)


def has_expired(symbol: str, session_date: dt.date) -> bool:
    """Return whether an option's last day lies before a session."""
    option = option_of(symbol)
    return option is not None and option.expiry < session_date


def expires(symbol: str, session_date: dt.date) -> bool:
    """Return whether a session is an option's last: that of its last day, or the one before where that is none."""
    option = option_of(symbol)
    if option is None or not 0 <= (option.expiry - session_date).days < LONGEST_BREAK_DAYS:
        return False
    return option.expiry == session_date or option.expiry < next_session(session_date)
