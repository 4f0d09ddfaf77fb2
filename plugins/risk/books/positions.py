"""Positions: one symbol of one account through a session, by split, fills and expiry to its value at the close."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from risk.books.behavior import NOT_CARRIED, Carried, PositionPath, position_path, regular_hours
from risk.books.executions import MIXED_CURRENCIES, Executions, SymbolFills, known_product, known_sum
from risk.books.fifo import FLAT, Lots, OpenLots, match_fills, open_lots, split_lots, unrealized_amount
from risk.books.prices import STALE_SESSIONS, PriceBook, SplitRatio, Valuation, has_expired

NAMED_SYMBOLS: Final = 5
"""A sentence about many symbols names so many of them."""

_INCOMPLETE_SENTENCES: Final = {
    "currency": "More than one currency for {symbols} by {session}, and a position has one: state it in an "
    "instruments file from before it was opened on, then clear extract_fills.",
    "multiplier": "No single multiplier for {symbols} on {session}: state it in an instruments file and fix marks "
    "that state another, then clear extract_fills.",
    "changed": "The multiplier of {symbols} differs from the session before {session}: correct the marks or "
    "instruments file, then clear extract_fills.",
    "mark": "No closing mark for {symbols} on {session} or in the {stale} sessions before: load marks, then clear "
    "extract_fills.",
    "rate": "No rate in US dollars for the currency of {symbols} on {session} or in the {stale} sessions before: load "
    "the spot as a mark, such as @CADUSD for CAD, then clear extract_fills.",
    "previous": "The value of {symbols} at the close before {session} is unknown, so the day's change is too: load "
    "the missing mark, rate or multiplier, then clear extract_fills.",
}
"""Why a position's result is unknown, the most basic reason first."""


class SymbolTrades(NamedTuple):
    """What one account's fills of one symbol in one session came to.

    Attributes
    ----------
    currency
        As in `risk.books.executions.Executions`.
    delivery_id
        Delivery the fills came with; ``None`` without a warehouse.
    fees
        US dollars, costs positive, scaled by 1e8.
    lots
        Open after the last fill.
    realized
        Before fees and multiplier, scaled by 1e16.
    """

    currency: str | None
    delivery_id: int | None
    fill_count: int
    fees: int
    path: PositionPath
    lots: OpenLots
    realized: int


@dataclass(slots=True)
class Holding:
    """A position carried into a session.

    Attributes
    ----------
    currency
        Currency of the lots' prices; ``None`` = nothing is held.
    multiplier
        Units valued with at the last close, scaled by 1e8; ``None`` = unknown.
    unrealized, unrealized_usd
        At the last close in the position's currency, scaled by 1e24, and in US dollars, scaled by 1e32; ``None`` =
        unknown.
    split, cut_off
        Signed quantity that splits and new symbols of the session added, scaled by 1e8, and what was realized where
        they left less than 1e-8 new shares or brought long and short together, scaled by 1e16.
    """

    lots: OpenLots
    currency: str | None
    multiplier: int | None
    unrealized: int | None
    unrealized_usd: int | None
    split: int = 0
    cut_off: int = 0

    @property
    def carried(self) -> Carried:
        """Its quantity, cost and gain."""
        gain = self.unrealized // self.multiplier if self.unrealized and self.multiplier else 0
        return Carried(self.lots.quantity, self.lots.cost, gain)


_NOT_HELD: Final = Holding(FLAT, None, None, 0, 0)
"""Instead of a position that is not carried; never changed."""


class Position(NamedTuple):
    """One symbol of one account at a close; amounts ``None`` = unknown.

    Attributes
    ----------
    valuation
        Without price and source where nothing was open at the close.
    splits
        Splits and new symbols that the session opened with.
    split, expired
        Signed quantity that these and the expiry of an option added, scaled by 1e8.
    turnover
        US dollars, scaled by 1e32.
    realized, unrealized
        In the position's currency, scaled by 1e24.
    realized_usd, unrealized_usd, unrealized_delta_usd
        US dollars at the session's rate, scaled by 1e32.
    path
        How it was traded; ``None`` = not at all.
    missing
        Key of the most basic reason why the result is unknown; ``None`` = it is known.
    """

    symbol: str
    currency: str
    lots: OpenLots
    valuation: Valuation
    splits: tuple[SplitRatio, ...]
    split: int
    expired: int
    turnover: int | None
    realized: int | None
    unrealized: int | None
    realized_usd: int | None
    unrealized_usd: int | None
    unrealized_delta_usd: int | None
    path: PositionPath | None
    missing: str | None


def split_holdings(session_date: dt.date, holdings: dict[str, Holding], prices: PriceBook) -> None:
    """Apply the splits and new symbols that a session opens with to the positions carried into it."""
    arrived: list[tuple[str, Holding]] = []
    for symbol, holding in holdings.items():
        ratio = prices.ratios.get((session_date, symbol))
        if ratio:
            lots: Lots = deque(map(list, holding.lots.lots))
            quantity, holding.cut_off = holding.lots.quantity, split_lots(lots, ratio.new_shares, ratio.old_shares)
            holding.lots = open_lots(lots)
            holding.split = holding.lots.quantity - quantity
            if ratio.new_symbol is not None:
                arrived.append((ratio.new_symbol, holding))
                # What is left under the old symbol: nothing, and a row that says so.
                holdings[symbol] = Holding(FLAT, holding.currency, None, 0, 0, split=-quantity)
                holding.split = holding.lots.quantity
    for symbol, holding in arrived:
        there = holdings.get(symbol)
        holdings[symbol] = _merged(there, holding, session_date) if there else holding


def _merged(there: Holding, arriving: Holding, session_date: dt.date) -> Holding:
    """Put a position that gets a new symbol together with what is held under that one already.

    The older lots come first. Long and short close each other, the larger side stays. What the two disagree about is
    unknown.
    """
    split, cut_off = there.split + arriving.split, there.cut_off + arriving.cut_off
    if not there.lots.quantity:
        return replace(arriving, split=split, cut_off=cut_off)
    larger, smaller = sorted((there, arriving), key=lambda holding: -abs(holding.lots.quantity))
    if (larger.lots.quantity > 0) == (smaller.lots.quantity > 0):
        lots = open_lots(sorted((*there.lots.lots, *arriving.lots.lots), key=itemgetter(2)))
    else:
        quantities, prices, _ = zip(*smaller.lots.lots, strict=True)
        lots, realized = trade(larger, quantities, prices, session_date)
        cut_off += realized
    is_same = (there.currency, there.multiplier) == (arriving.currency, arriving.multiplier)
    return Holding(
        lots,
        there.currency if there.currency == arriving.currency else MIXED_CURRENCIES,
        there.multiplier if is_same else None,
        known_sum((there.unrealized, arriving.unrealized)) if is_same else None,
        known_sum((there.unrealized_usd, arriving.unrealized_usd)) if is_same else None,
        split,
        cut_off,
    )


def trade_symbols(
    executions: Executions, befores: Sequence[Holding | None], session_date: dt.date
) -> Iterable[SymbolTrades]:
    """Match a session's fills of each account and symbol to what is held, fill by fill.

    Parameters
    ----------
    befores
        What each account and symbol is held with; ``None`` = not at all.
    """
    hours = regular_hours(session_date)
    fees = executions.fees.tolist()
    columns = [
        column.tolist() for column in (executions.quantities, executions.prices, executions.seconds, executions.sides)
    ]
    bounds = pairwise([*executions.starts.tolist(), len(fees)])
    groups = zip(executions.currencies, executions.delivery_ids, bounds, befores, strict=True)
    for currency, delivery_id, (start, stop), before in groups:
        fills = SymbolFills(*(column[start:stop] for column in columns))
        path = position_path(fills, before.carried if before else NOT_CARRIED, hours)
        lots, realized = trade(before, fills.quantities, fills.prices, session_date)
        yield SymbolTrades(currency, delivery_id, stop - start, sum(fees[start:stop]), path, lots, realized)


def trade(
    before: Holding | None, quantities: Sequence[int], prices: Sequence[int], session_date: dt.date
) -> tuple[OpenLots, int]:
    """Apply a session's fills of a symbol to what is held: the lots open then, and what is realized."""
    lots: Lots = deque(map(list, before.lots.lots)) if before else deque()
    realized = match_fills(lots, quantities, prices, session_date.toordinal())
    return open_lots(lots), realized


def close_symbol(
    session_date: dt.date, symbol: str, trades: SymbolTrades | None, holdings: dict[str, Holding], prices: PriceBook
) -> Position:
    """Value at the close what a symbol's fills (``None`` = not traded), splits and expiry leave of it.

    Parameters
    ----------
    holdings
        The account's, by symbol, splits applied; at the end the symbol's is that carried out of the session, if any.
    """
    before = holdings.pop(symbol, _NOT_HELD)
    currency = prices.currency(session_date, symbol, trades.currency if trades else None, before.currency)
    valued = prices.value(session_date, symbol, currency)
    ends = valued.source == "expiry" or (_is_late_expiry(before, trades) and has_expired(symbol, session_date))
    lots, realized, expired, unrealized, valuation = _close_lots(before, trades, valued, ends=ends)
    path, multiplier, rate = trades.path if trades else None, valuation.multiplier, valuation.rate
    unrealized_usd = known_product(unrealized, rate)
    if lots.quantity:
        holdings[symbol] = Holding(lots, currency, multiplier, unrealized, unrealized_usd)
    # Values of two closes by different multipliers do not subtract.
    has_changed = None not in (before.multiplier, multiplier) and before.multiplier != multiplier
    realized_amount = None if has_changed else known_product(realized, multiplier)
    delta = None if has_changed else known_sum((unrealized_usd, known_product(-1, before.unrealized_usd)))
    return Position(
        symbol,
        currency,
        lots,
        valuation,
        prices.splits(session_date, symbol),
        before.split,
        expired,
        known_product(path.turnover if path else 0, multiplier, rate),
        realized_amount,
        unrealized,
        known_product(realized_amount, rate),
        unrealized_usd,
        delta,
        path,
        None if delta is not None else _missing(currency, valuation, unrealized, has_changed=has_changed),
    )


def _is_late_expiry(before: Holding, trades: SymbolTrades | None) -> bool:
    """Return whether fills close for nothing what is not held any more."""
    return trades is not None and not before.lots.quantity and not trades.path.paid


def _close_lots(
    before: Holding, trades: SymbolTrades | None, valuation: Valuation, *, ends: bool
) -> tuple[OpenLots, int, int, int | None, Valuation]:
    """Return the lots open at the close, what they realized, what expiry added, what they gain, and the valuation.

    What they realized is without multiplier, what expiry added is a signed quantity. What the lots gain is in their
    currency, scaled by 1e24; ``None`` = unknown. The valuation has no price where nothing was left to value.

    Parameters
    ----------
    ends
        Whether the option expires: what is open is worth nothing. What had expired before its source closed it at 0
        ends again.
    """
    lots, realized, expired = before.lots, before.cut_off, 0
    if trades:
        lots, realized = trades.lots, realized + trades.realized
    if ends:
        lots, realized, expired = FLAT, realized + unrealized_amount(lots, 0), -lots.quantity
    if not lots.quantity and not expired:
        valuation = valuation._replace(price=None, source=None)
    gain: int | None = 0
    if lots.quantity:
        gain = None if valuation.price is None else unrealized_amount(lots, valuation.price)
    return lots, realized, expired, known_product(gain, valuation.multiplier), valuation


def _missing(currency: str, valuation: Valuation, unrealized: int | None, *, has_changed: bool) -> str:
    """Return the key of the most basic reason why a position's result is unknown.

    Parameters
    ----------
    unrealized
        In the position's currency; ``None`` = unknown.
    has_changed
        Whether the multiplier is not that of the close before.
    """
    conditions = (
        ("currency", currency == MIXED_CURRENCIES),
        ("multiplier", valuation.multiplier is None),
        ("changed", has_changed),
        ("mark", unrealized is None),
        ("rate", valuation.rate is None),
        ("previous", True),
    )
    return next(name for name, is_met in conditions if is_met)


def incomplete_reason(session_date: dt.date, positions: Iterable[Position]) -> str | None:
    """Build the sentences about everything unknown, the symbols that miss the same in one sentence."""
    symbols: dict[str, list[str]] = {}
    for position in positions:
        if position.missing is not None:
            name = position.symbol if position.missing != "rate" else f"{position.symbol} ({position.currency})"
            symbols.setdefault(position.missing, []).append(name)
    sentences = [
        sentence.format(symbols=_listed(symbols[missing]), session=session_date, stale=STALE_SESSIONS)
        for missing, sentence in _INCOMPLETE_SENTENCES.items()
        if missing in symbols
    ]
    return " ".join(sentences) or None


def _listed(symbols: Sequence[str]) -> str:
    named = ", ".join(symbols[:NAMED_SYMBOLS])
    return named if len(symbols) <= NAMED_SYMBOLS else f"{named}, ... ({len(symbols)} in all)"


def average_open_price(lots: OpenLots) -> int:
    """Return the quantity-weighted opening price of one or more lots, rounded half up; scaled by 1e8.

    It is shown to people; no P&L is computed from it.
    """
    quantity = abs(lots.quantity)
    return (2 * abs(lots.cost) + quantity) // (2 * quantity)
