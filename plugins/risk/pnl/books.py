"""Books: an account's positions and P&L session by session, from fills, splits and valuations alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from risk.pnl.conduct import Conduct, measure
from risk.pnl.lots import FEES_TO_USD
from risk.pnl.positions import Holding, Position, SymbolFills, close_symbol
from risk.pnl.problems import Unknown, incomplete_reason
from risk.pnl.valuation import Valuer


class AccountSession(NamedTuple):
    """One account in one session; amounts in US dollars scaled by 1e32, volume by 1e8, ``None`` = unknown."""

    account_id: str
    session_date: dt.date
    delivery_id: int | None
    fill_count: int
    volume: int
    turnover: int | None
    gross: int | None
    fees: int
    unrealized: int | None
    unrealized_delta: int | None
    incomplete_reason: str | None
    conduct: Conduct
    positions: tuple[Position, ...]

    @property
    def net(self) -> int | None:
        """Gross less fees."""
        return None if self.gross is None else self.gross - self.fees

    @property
    def total(self) -> int | None:
        """Net plus unrealized delta."""
        return _sum((self.net, self.unrealized_delta))


def close_sessions(
    account_id: str,
    session_dates: Iterable[dt.date],
    fills: Iterable[SymbolFills],
    holdings: dict[str, Holding],
    valuer: Valuer,
) -> Iterator[AccountSession]:
    """Yield one account's sessions that have fills or a carried position.

    Parameters
    ----------
    account_id
        The account.
    session_dates
        Consecutive sessions, ascending.
    fills
        The account's fills in these sessions, ascending by session, one item for a session and symbol.
    holdings
        Positions carried into the first session by symbol; changed as the sessions pass.
    valuer
        Knows these sessions and the five before them.
    """
    waiting = iter(fills)
    upcoming = next(waiting, None)
    for session_date in session_dates:
        today: dict[str, SymbolFills] = {}
        while upcoming is not None and upcoming.session_date == session_date:
            today[upcoming.symbol] = upcoming
            upcoming = next(waiting, None)
        if today or holdings:
            yield _close_session(account_id, session_date, today, holdings, valuer)
        elif upcoming is None:
            return


def _close_session(
    account_id: str,
    session_date: dt.date,
    fills: dict[str, SymbolFills],
    holdings: dict[str, Holding],
    valuer: Valuer,
) -> AccountSession:
    positions = tuple(
        close_symbol(session_date, symbol, fills.get(symbol), holdings, valuer)
        for symbol in sorted(fills.keys() | holdings.keys())
    )
    return AccountSession(
        account_id,
        session_date,
        max((group.delivery_id for group in fills.values() if group.delivery_id is not None), default=None),
        sum(len(group.quantities) for group in fills.values()),
        sum(position.volume for position in positions),
        _sum(position.turnover for position in positions),
        _sum(position.realized_usd for position in positions),
        sum(group.fees for group in fills.values()) * FEES_TO_USD,
        _sum(position.unrealized_usd for position in positions),
        _sum(position.unrealized_delta_usd for position in positions),
        incomplete_reason(session_date, _unknowns(positions)),
        measure(positions),
        positions,
    )


def _unknowns(positions: Iterable[Position]) -> Iterator[Unknown]:
    for position in positions:
        if position.problem is not None:
            name = position.symbol if position.problem != "rate" else f"{position.symbol} ({position.currency})"
            yield Unknown(name, position.problem)


def _sum(amounts: Iterable[int | None]) -> int | None:
    """Add amounts; a sum with an unknown part is unknown."""
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
