"""Valuation: the closing price of a symbol, where it comes from, and the units in one contract."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from risk.pnl.lots import UNIT

BASE_CURRENCY = "USD"
STALE_SESSIONS = 5
"""For so many sessions the last known price may stand in for a missing one."""

OPTION_MULTIPLIER = 100 * UNIT
_OPTION = re.compile(r"[A-Z0-9.]{1,6} {0,5}[0-9]{6}[CP][0-9]{8}")
"""An OSI option symbol, padded (``AAPL  250117C00150000``) or compact."""

_CONTRACT_PREFIXES = ("/", "@")
"""Futures and spot currencies: units in a contract are never guessed."""


class Statement(NamedTuple):
    """What a marks file says about a symbol in a session; numbers scaled by 1e8, ``None`` where it says nothing."""

    session_date: dt.date
    symbol: str
    price: int | None
    currency: str | None
    multiplier: int | None


class Valuation(NamedTuple):
    """How one symbol is valued at one close.

    Attributes
    ----------
    multiplier
        Units in one share or contract, scaled by 1e8; ``None`` = unknown, nothing about the symbol is money.
    price
        Closing price in US dollars, scaled by 1e8; ``None`` = no mark.
    source
        ``marks``, ``last_fill`` or ``stale``; ``None`` = no mark.
    """

    multiplier: int | None
    price: int | None
    source: str | None


UNKNOWN = Valuation(None, None, None)


class Valuer:
    """Values symbols at the close of consecutive sessions.

    Parameters
    ----------
    session_dates
        Consecutive sessions, ascending; a stale price is looked for among them.
    last_fills
        Price of the last fill in US dollars over all accounts by session and symbol, scaled by 1e8.
    statements
        What marks files say, at most one for a session and symbol. Those of earlier sessions still tell the
        multiplier.
    """

    def __init__(
        self,
        session_dates: Sequence[dt.date],
        last_fills: Mapping[tuple[dt.date, str], int],
        statements: Iterable[Statement],
    ) -> None:
        self._session_dates = session_dates
        self._index = {session_date: index for index, session_date in enumerate(session_dates)}
        self._last_fills = last_fills
        self._marks: dict[tuple[dt.date, str], int] = {}
        self._multipliers: dict[str, list[tuple[dt.date, int]]] = {}
        self._known: dict[tuple[dt.date, str], Valuation] = {}
        for statement in sorted(statements, key=lambda told: told.session_date):
            self._learn(statement)

    def _learn(self, statement: Statement) -> None:
        if statement.price is not None and statement.currency in (None, BASE_CURRENCY):
            self._marks[statement.session_date, statement.symbol] = statement.price
        if statement.multiplier is not None:
            told = self._multipliers.setdefault(statement.symbol, [])
            told.append((statement.session_date, statement.multiplier))

    def value(self, session_date: dt.date, symbol: str, currency: str) -> Valuation:
        """Value a symbol held or traded in a currency at a session's close; only US dollars can be valued."""
        if currency != BASE_CURRENCY:
            return UNKNOWN
        key = (session_date, symbol)
        known = self._known.get(key)
        if known is None:
            known = Valuation(self._multiplier(session_date, symbol), *self._price(session_date, symbol))
            self._known[key] = known
        return known

    def _multiplier(self, session_date: dt.date, symbol: str) -> int | None:
        """Return the newest multiplier told up to the session, else what the symbol's form implies."""
        told = self._multipliers.get(symbol, [])
        count = bisect_right(told, session_date, key=lambda statement: statement[0])
        if count:
            return told[count - 1][1]
        if symbol.startswith(_CONTRACT_PREFIXES):
            return None
        return OPTION_MULTIPLIER if _OPTION.fullmatch(symbol) else UNIT

    def _price(self, session_date: dt.date, symbol: str) -> tuple[int | None, str | None]:
        today = self._index[session_date]
        for index in range(today, max(today - STALE_SESSIONS, 0) - 1, -1):
            key = (self._session_dates[index], symbol)
            for source, prices in (("marks", self._marks), ("last_fill", self._last_fills)):
                price = prices.get(key)
                if price is not None:
                    return price, source if index == today else "stale"
        return None, None
