"""Positions: one symbol of one account through a session, by split, fills and expiry to its value at the close."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from risk.books.behavior import NOT_CARRIED, Carried, PositionPath, position_path, regular_hours
from risk.books.executions import MIXED_CURRENCIES, Executions
from risk.books.fifo import FLAT, Lots, OpenLots, match_fills, open_lots, split_lots, unrealized_amount
from risk.books.prices import STALE_SESSIONS, PriceBook, SplitRatio, Valuation

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
        Currency of the lots' prices.
    multiplier
        Units valued with at the last close, scaled by 1e8; ``None`` = unknown.
    unrealized, unrealized_usd
        At the last close in the position's currency, scaled by 1e24, and in US dollars, scaled by 1e32; ``None`` =
        unknown.
    split, cut_off
        Signed quantity that the split of the session added, scaled by 1e8, and what was realized where it left less
        than 1e-8 new shares, scaled by 1e16.
    """

    lots: OpenLots
    currency: str
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


class Position(NamedTuple):
    """One symbol of one account at a close; amounts ``None`` = unknown.

    Attributes
    ----------
    valuation
        Without price and source where nothing was open at the close.
    ratio
        Of the split the session opened with.
    split, expired
        Signed quantity that the split and the expiry of an option added, scaled by 1e8.
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
    ratio: SplitRatio | None
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

    @property
    def side_conflicts(self) -> Sequence[int]:
        """Numbers of the fills whose side contradicts the position."""
        return self.path.side_conflicts if self.path else ()


def split_holdings(session_date: dt.date, holdings: dict[str, Holding], prices: PriceBook) -> None:
    """Apply the splits that a session opens with to the positions carried into it."""
    for symbol, holding in holdings.items():
        ratio = prices.ratio(session_date, symbol)
        if ratio:
            lots = _closable(holding.lots)
            holding.cut_off = split_lots(lots, ratio.new_shares, ratio.old_shares)
            after = open_lots(lots)
            holding.split = after.quantity - holding.lots.quantity
            holding.lots = after


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
    bounds = zip(executions.starts.tolist(), executions.stops.tolist(), strict=True)
    groups = zip(executions.currencies, executions.delivery_ids, bounds, executions.by_symbol(), befores, strict=True)
    for currency, delivery_id, (start, stop), fills, before in groups:
        path = position_path(fills, before.carried if before else NOT_CARRIED, hours)
        lots, realized = trade(before, fills.quantities, fills.prices, session_date)
        yield SymbolTrades(currency, delivery_id, stop - start, sum(fees[start:stop]), path, lots, realized)


def trade(
    before: Holding | None, quantities: Sequence[int], prices: Sequence[int], session_date: dt.date
) -> tuple[OpenLots, int]:
    """Apply a session's fills of a symbol to what is held: the lots open then, and what is realized."""
    lots = _closable(before.lots if before else FLAT)
    realized = match_fills(lots, quantities, prices, session_date.toordinal())
    return open_lots(lots), realized


def _closable(lots: OpenLots) -> Lots:
    return deque(map(list, lots.lots))


def close_symbol(
    session_date: dt.date, symbol: str, trades: SymbolTrades | None, holdings: dict[str, Holding], prices: PriceBook
) -> Position:
    """Value at the close what a symbol's fills, splits and expiry leave of it.

    Parameters
    ----------
    trades
        ``None`` = not traded.
    holdings
        The account's, by symbol, splits applied; at the end the symbol's is that carried out of the session, if any.
    """
    before = holdings.pop(symbol, None)
    currency = _currency(session_date, symbol, before, trades, prices)
    valuation = prices.value(session_date, symbol, currency)
    lots, realized, expired = _close_lots(before, trades, has_expired=valuation.source == "expiry")
    if not lots.quantity and not expired:
        valuation = _unpriced(valuation)
    multiplier, rate = valuation.multiplier, valuation.rate
    unrealized = _unrealized(lots, valuation)
    unrealized_usd = _times(unrealized, rate)
    if lots.quantity:
        holdings[symbol] = Holding(lots, currency, multiplier, unrealized, unrealized_usd)
    has_changed = _has_changed_multiplier(before, valuation)
    realized_amount = None if has_changed else _times(realized, multiplier)
    delta = None if has_changed else _difference(unrealized_usd, before.unrealized_usd if before else 0)
    return Position(
        symbol,
        currency,
        lots,
        valuation,
        prices.ratio(session_date, symbol),
        before.split if before else 0,
        expired,
        _times(_times(trades.path.turnover if trades else 0, multiplier), rate),
        realized_amount,
        unrealized,
        _times(realized_amount, rate),
        unrealized_usd,
        delta,
        trades.path if trades else None,
        None if delta is not None else _missing(currency, valuation, unrealized, has_changed=has_changed),
    )


def _close_lots(before: Holding | None, trades: SymbolTrades | None, *, has_expired: bool) -> tuple[OpenLots, int, int]:
    """Return the lots open at the close, what was realized before the multiplier, and what quantity expiry added."""
    lots, realized = (before.lots, before.cut_off) if before else (FLAT, 0)
    if trades:
        lots, realized = trades.lots, realized + trades.realized
    if not has_expired:
        return lots, realized, 0
    return FLAT, realized + unrealized_amount(lots, 0), -lots.quantity


def _currency(
    session_date: dt.date, symbol: str, before: Holding | None, trades: SymbolTrades | None, prices: PriceBook
) -> str:
    """Return the position's currency; where fills or statements differ from what is held it has none until flat.

    Where neither states one it is the held one, else what the symbol's form implies.
    """
    stated = trades.currency if trades else None
    if before is None:
        return prices.currency(session_date, symbol, stated)
    stated = prices.stated_currency(session_date, symbol) or stated
    return before.currency if stated in {None, before.currency} else MIXED_CURRENCIES


def _has_changed_multiplier(before: Holding | None, valuation: Valuation) -> bool:
    """Return whether the multiplier is known to differ from that of the close before, so that no values subtract."""
    if before is None or before.multiplier is None or valuation.multiplier is None:
        return False
    return before.multiplier != valuation.multiplier


@lru_cache(maxsize=65_536)
def _unpriced(valuation: Valuation) -> Valuation:
    return valuation._replace(price=None, source=None)


def _unrealized(lots: OpenLots, valuation: Valuation) -> int | None:
    """Return what the lots gain at the close in their currency, scaled by 1e24; ``None`` = unknown."""
    if valuation.multiplier is None:
        return None
    if not lots.quantity:
        return 0
    return None if valuation.price is None else unrealized_amount(lots, valuation.price) * valuation.multiplier


def _times(amount: int | None, factor: int | None) -> int | None:
    return None if amount is None or factor is None else amount * factor


def _difference(amount: int | None, subtracted: int | None) -> int | None:
    return None if amount is None or subtracted is None else amount - subtracted


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
