"""Books: accounts' positions and P&L session by session, from fills, splits and valuations alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from risk.books.conduct import Conduct, measure
from risk.books.executions import Executions, sums
from risk.books.fifo import FEES_TO_USD
from risk.books.openings import last_openings
from risk.books.paths import Carried, follow
from risk.books.positions import Holding, Position, SymbolFills, close_symbol, split_holdings
from risk.books.prices import Valuer
from risk.books.problems import Unknown, incomplete_reason


class AccountSession(NamedTuple):
    """One account in one session; amounts in US dollars scaled by 1e32, volume by 1e8, ``None`` = unknown.

    Attributes
    ----------
    delivery_id
        Basis of its fills; ``None`` where it only carries positions, or without a warehouse.
    volume
        Sum of the quantities traded.
    turnover
        Value of all fills.
    gross
        Realized, before fees.
    fees
        Costs positive.
    unrealized, unrealized_delta
        Of the open lots at the close, and less that of the close before.
    incomplete_reason
        Sentences about everything unknown; ``None`` = nothing.
    """

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


def close_session(
    session_date: dt.date, traded: Iterable[Executions], holdings: dict[str, dict[str, Holding]], valuer: Valuer
) -> Iterator[AccountSession]:
    """Yield the accounts that trade in a session or carry a position through it.

    Parameters
    ----------
    session_date
        The session.
    traded
        The session's fills in parts; an account is whole in one of them.
    holdings
        Positions carried into the session, by account and symbol; at the end those carried out of it.
    valuer
        Knows this session and the five before it.
    """
    idle = {account_id for account_id, held in holdings.items() if held}
    for account_id in idle:
        split_holdings(session_date, holdings[account_id], valuer)
    for fills in traded:
        for account_id, by_symbol in _by_account(session_date, fills, holdings):
            idle.discard(account_id)
            held = holdings.setdefault(account_id, {})
            yield _close_account(account_id, session_date, by_symbol, held, valuer)
    for account_id in sorted(idle):
        yield _close_account(account_id, session_date, {}, holdings[account_id], valuer)


def _by_account(
    session_date: dt.date, fills: Executions, holdings: dict[str, dict[str, Holding]]
) -> Iterator[tuple[str, dict[str, SymbolFills]]]:
    """Follow some accounts' fills and hand them out account by account, by symbol."""
    followed = zip(
        fills.account_ids,
        fills.symbols,
        fills.currencies,
        fills.delivery_ids,
        sums(fills.fees, fills.starts),
        fills.starts.tolist(),
        fills.stops.tolist(),
        follow(fills, _carried(fills, holdings), session_date),
        last_openings(fills, session_date.toordinal()),
        strict=True,
    )
    for account_id, group in groupby(followed, key=itemgetter(0)):
        yield (
            account_id,
            {
                symbol: SymbolFills(
                    currency, fills.quantities[start:stop], fills.prices[start:stop], fees, delivery_id, path, opened
                )
                for _, symbol, currency, delivery_id, fees, start, stop, path, opened in group
            },
        )


def _carried(fills: Executions, holdings: dict[str, dict[str, Holding]]) -> Carried:
    """Look up what each account and symbol of the fills was held with."""
    carried = Carried(*([0] * len(fills.symbols) for _ in Carried._fields))
    for row, (account_id, symbol) in enumerate(zip(fills.account_ids, fills.symbols, strict=True)):
        holding = holdings.get(account_id, {}).get(symbol)
        if holding:
            carried.quantities[row] = holding.lots.quantity
            carried.costs[row] = holding.lots.cost
            carried.gains[row] = holding.gain
    return carried


def _close_account(
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
        next((group.delivery_id for group in fills.values()), None),
        sum(len(group.quantities) for group in fills.values()),
        sum(group.path.volume for group in fills.values()),
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
