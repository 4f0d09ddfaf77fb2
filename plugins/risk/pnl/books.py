"""Books: an account's positions and P&L session by session, from fills and valuations alone."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from risk.pnl.conduct import Conduct, SymbolConduct, follow, measure
from risk.pnl.lots import FEES_TO_AMOUNT, Lots, match_fills, traded, unrealized_amount
from risk.pnl.valuation import BASE_CURRENCY, STALE_SESSIONS, Valuation, Valuer

NAMED_SYMBOLS = 5
"""A sentence about many symbols names so many of them."""

_SENTENCES = {
    "currency": "Not traded in US dollars on {session}, and no rate converts it: {symbols}.",
    "multiplier": "No multiplier for {symbols} on {session}: state it in a marks file, then clear extract_fills.",
    "changed": "The multiplier of {symbols} differs from the session before {session}: correct the marks file, "
    "then clear extract_fills.",
    "mark": "No closing mark for {symbols} on {session} or in the {stale} sessions before: load marks, then clear "
    "extract_fills.",
    "previous": "The value of {symbols} at the close before {session} is unknown, so the day's change is too: load "
    "the missing mark or multiplier, then clear extract_fills.",
}
"""Why an account-session is incomplete, most basic reason first."""


class SymbolFills(NamedTuple):
    """One account's fills of one symbol in one session, in the order of execution.

    Attributes
    ----------
    currency
        ``USD``, or another currency if any of the fills is in one.
    quantities
        Signed, buys and covers positive, scaled by 1e8.
    prices, seconds
        Price of each, scaled by 1e8, and time, as in `risk.pnl.conduct.follow`.
    fees
        US dollars, costs positive, scaled by 1e8.
    delivery_id
        Delivery the fills came with; ``None`` without a warehouse.
    """

    account_id: str
    session_date: dt.date
    symbol: str
    currency: str
    quantities: Sequence[int]
    prices: Sequence[int]
    seconds: Sequence[int]
    fees: int
    delivery_id: int | None


@dataclass(slots=True)
class Holding:
    """A position carried into a session.

    Attributes
    ----------
    lots
        Open lots, oldest first.
    currency
        Currency of their prices.
    multiplier
        Units valued with at the last close, scaled by 1e8; ``None`` = unknown.
    unrealized
        US dollars at the last close, scaled by 1e24; ``None`` = unknown.
    """

    lots: Lots
    currency: str
    multiplier: int | None
    unrealized: int | None


class Position(NamedTuple):
    """One symbol of one account at a close; amounts in US dollars scaled by 1e24, ``None`` = unknown.

    Attributes
    ----------
    lots
        Signed quantity, price (both scaled by 1e8) and opened session's ordinal of each open lot, oldest first.
    valuation
        Without price and source where nothing is open.
    volume
        Sum of the session's quantities, scaled by 1e8.
    conduct
        How it was traded; ``None`` = not at all.
    problem
        Key of the sentence that says what is unknown; ``None`` = nothing.
    """

    symbol: str
    currency: str
    lots: tuple[tuple[int, ...], ...]
    valuation: Valuation
    volume: int
    turnover: int | None
    realized: int | None
    unrealized: int | None
    unrealized_delta: int | None
    conduct: SymbolConduct | None
    problem: str | None


class AccountSession(NamedTuple):
    """One account in one session; amounts in US dollars scaled by 1e24, volume by 1e8, ``None`` = unknown."""

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
        _close_symbol(session_date, symbol, fills.get(symbol), holdings, valuer)
        for symbol in sorted(fills.keys() | holdings.keys())
    )
    return AccountSession(
        account_id,
        session_date,
        max((group.delivery_id for group in fills.values() if group.delivery_id is not None), default=None),
        sum(len(group.quantities) for group in fills.values()),
        sum(position.volume for position in positions),
        _sum(position.turnover for position in positions),
        _sum(position.realized for position in positions),
        sum(group.fees for group in fills.values()) * FEES_TO_AMOUNT,
        _sum(position.unrealized for position in positions),
        _sum(position.unrealized_delta for position in positions),
        _incomplete_reason(session_date, positions),
        measure(positions),
        positions,
    )


def _close_symbol(
    session_date: dt.date, symbol: str, fills: SymbolFills | None, holdings: dict[str, Holding], valuer: Valuer
) -> Position:
    """Apply a symbol's fills, value what is left and carry it in ``holdings``."""
    before = holdings.pop(symbol, None)
    lots: Lots = before.lots if before else deque()
    currency = _currency(before, fills)
    valuation = valuer.value(session_date, symbol, currency)
    volume, turnover, realized, conduct = 0, 0, 0, None
    if fills:
        conduct = follow(fills.quantities, fills.prices, fills.seconds, before, session_date)
        volume, turnover = traded(fills.quantities, fills.prices)
        realized = match_fills(lots, fills.quantities, fills.prices, session_date.toordinal())
    unrealized = _unrealized(lots, valuation)
    if lots:
        holdings[symbol] = Holding(lots, currency, valuation.multiplier, unrealized)
    else:
        valuation = Valuation(valuation.multiplier, None, None)
    has_changed = _has_changed(before, valuation)
    delta = None if has_changed else _difference(unrealized, before.unrealized if before else 0)
    return Position(
        symbol,
        currency,
        tuple(map(tuple, lots)),
        valuation,
        volume,
        _times(turnover, valuation.multiplier),
        None if has_changed else _times(realized, valuation.multiplier),
        unrealized,
        delta,
        conduct,
        _problem(currency, valuation, unrealized, delta, has_changed=has_changed),
    )


def _currency(before: Holding | None, fills: SymbolFills | None) -> str:
    """Return the position's currency; one in another than US dollars stays so until it is flat."""
    if before is not None and (before.currency != BASE_CURRENCY or fills is None):
        return before.currency
    return fills.currency if fills else BASE_CURRENCY


def _has_changed(before: Holding | None, valuation: Valuation) -> bool:
    if before is None or before.multiplier is None or valuation.multiplier is None:
        return False
    return before.multiplier != valuation.multiplier


def _unrealized(lots: Lots, valuation: Valuation) -> int | None:
    if valuation.multiplier is None:
        return None
    if not lots:
        return 0
    return None if valuation.price is None else unrealized_amount(lots, valuation.price) * valuation.multiplier


def _problem(
    currency: str, valuation: Valuation, unrealized: int | None, delta: int | None, *, has_changed: bool
) -> str | None:
    conditions = (
        ("currency", currency != BASE_CURRENCY),
        ("multiplier", valuation.multiplier is None),
        ("changed", has_changed),
        ("mark", unrealized is None),
        ("previous", delta is None),
    )
    return None if delta is not None else next(name for name, is_met in conditions if is_met)


def _incomplete_reason(session_date: dt.date, positions: Sequence[Position]) -> str | None:
    """Build the sentences about everything unknown, the symbols with one problem in one sentence."""
    sentences = []
    for problem, sentence in _SENTENCES.items():
        symbols = [position.symbol for position in positions if position.problem == problem]
        if symbols:
            named = ", ".join(symbols[:NAMED_SYMBOLS])
            if len(symbols) > NAMED_SYMBOLS:
                named += f", ... ({len(symbols)} in all)"
            sentences.append(sentence.format(symbols=named, session=session_date, stale=STALE_SESSIONS))
    return " ".join(sentences) or None


def _times(amount: int, multiplier: int | None) -> int | None:
    return None if multiplier is None else amount * multiplier


def _difference(amount: int | None, subtracted: int | None) -> int | None:
    return None if amount is None or subtracted is None else amount - subtracted


def _sum(amounts: Iterable[int | None]) -> int | None:
    """Add amounts; a sum with an unknown part is unknown."""
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
