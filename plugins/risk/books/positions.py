"""Positions: one symbol of one account through a session, by split, fills and expiry to its value at the close."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from risk.books.executions import Integers
from risk.books.fifo import FLAT, Lots, OpenLots, match_fills, open_lots, split_lots, unrealized_amount
from risk.books.paths import SymbolPath
from risk.books.prices import MIXED_CURRENCIES, Ratio, Valuation, Valuer
from risk.books.problems import problem_of


class SymbolFills(NamedTuple):
    """One account's fills of one symbol in one session, in the order of execution.

    Attributes
    ----------
    currency, quantities, prices
        As in `risk.books.executions.Executions`.
    fees
        US dollars, costs positive, scaled by 1e8.
    delivery_id
        Delivery the fills came with; ``None`` without a warehouse.
    path
        What the fills came to.
    opened
        Lots that FIFO leaves of them, if none was open before.
    """

    currency: str | None
    quantities: Integers
    prices: Integers
    fees: int
    delivery_id: int | None
    path: SymbolPath
    opened: OpenLots


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
    def gain(self) -> int:
        """What the lots were worth more than they cost at the last close, before the multiplier, scaled by 1e16.

        0 = unknown.
        """
        return self.unrealized // self.multiplier if self.unrealized and self.multiplier else 0


class Position(NamedTuple):
    """One symbol of one account at a close; amounts ``None`` = unknown.

    Attributes
    ----------
    valuation
        Without price and source where nothing was open at the close.
    ratio
        The split the session opened with.
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
    problem
        Key of the sentence that says what is unknown; ``None`` = nothing.
    """

    symbol: str
    currency: str
    lots: OpenLots
    valuation: Valuation
    ratio: Ratio | None
    split: int
    expired: int
    turnover: int | None
    realized: int | None
    unrealized: int | None
    realized_usd: int | None
    unrealized_usd: int | None
    unrealized_delta_usd: int | None
    path: SymbolPath | None
    problem: str | None

    @property
    def side_conflicts(self) -> Sequence[int]:
        """Numbers of the fills whose side contradicts the position."""
        return self.path.side_conflicts if self.path else ()


def split_holdings(session_date: dt.date, holdings: dict[str, Holding], valuer: Valuer) -> None:
    """Apply the splits that a session opens with to the positions carried into it."""
    for symbol, holding in holdings.items():
        ratio = valuer.ratio(session_date, symbol)
        if ratio:
            lots = _movable(holding.lots)
            holding.cut_off = split_lots(lots, ratio.new_shares, ratio.old_shares)
            after = open_lots(lots)
            holding.split = after.quantity - holding.lots.quantity
            holding.lots = after


def close_symbol(
    session_date: dt.date, symbol: str, fills: SymbolFills | None, holdings: dict[str, Holding], valuer: Valuer
) -> Position:
    """Apply a symbol's fills and expiry to what is held of it, and value what is left at the close.

    Parameters
    ----------
    fills
        ``None`` = not traded.
    holdings
        The account's, by symbol, splits applied; at the end the symbol's is that carried out of the session, if any.
    """
    before = holdings.pop(symbol, None)
    currency = _currency(session_date, symbol, before, fills, valuer)
    valuation = valuer.value(session_date, symbol, currency)
    lots, realized, expired = _move(before, fills, session_date, has_expired=valuation.source == "expiry")
    if not lots.quantity and not expired:
        valuation = _unpriced(valuation)
    multiplier, rate = valuation.multiplier, valuation.rate
    unrealized = _unrealized(lots, valuation)
    unrealized_usd = _times(unrealized, rate)
    if lots.quantity:
        holdings[symbol] = Holding(lots, currency, multiplier, unrealized, unrealized_usd)
    has_changed = _has_changed(before, valuation)
    realized_amount = None if has_changed else _times(realized, multiplier)
    delta = None if has_changed else _difference(unrealized_usd, before.unrealized_usd if before else 0)
    return Position(
        symbol,
        currency,
        lots,
        valuation,
        valuer.ratio(session_date, symbol),
        before.split if before else 0,
        expired,
        _times(_times(fills.path.turnover if fills else 0, multiplier), rate),
        realized_amount,
        unrealized,
        _times(realized_amount, rate),
        unrealized_usd,
        delta,
        fills.path if fills else None,
        problem_of(currency, valuation, unrealized, delta, has_changed=has_changed),
    )


def _move(
    before: Holding | None, fills: SymbolFills | None, session_date: dt.date, *, has_expired: bool
) -> tuple[OpenLots, int, int]:
    """Return the lots open at the close, what was realized before the multiplier, and what quantity expiry added."""
    held, realized, expired = (before.lots, before.cut_off, 0) if before else (FLAT, 0, 0)
    if fills:
        held, gained = trade(held, fills, session_date)
        realized += gained
    if has_expired and held.quantity:
        expired = -held.quantity
        realized += unrealized_amount(held, 0)
        held = FLAT
    return held, realized, expired


def _movable(lots: OpenLots) -> Lots:
    return deque(map(list, lots.lots))


def trade(held: OpenLots, fills: SymbolFills, session_date: dt.date) -> tuple[OpenLots, int]:
    """Apply a session's fills of a symbol to its lots: those open then, and what is realized, as `match_fills` has it.

    Where none was open before, what is realized is what was received less what was paid, and what the lots left cost.
    """
    if not held.quantity:
        return fills.opened, fills.opened.cost - fills.path.paid
    lots = _movable(held)
    realized = match_fills(lots, fills.quantities.tolist(), fills.prices.tolist(), session_date.toordinal())
    return open_lots(lots), realized


def _currency(
    session_date: dt.date, symbol: str, before: Holding | None, fills: SymbolFills | None, valuer: Valuer
) -> str:
    """Return the position's currency; where fills or statements differ from what is held it has none until flat.

    Where neither tells one it is the held one, else what the symbol's form implies.
    """
    told = fills.currency if fills else None
    if before is None:
        return valuer.currency(session_date, symbol, told)
    told = valuer.stated_currency(session_date, symbol) or told
    return before.currency if told in {None, before.currency} else MIXED_CURRENCIES


def _has_changed(before: Holding | None, valuation: Valuation) -> bool:
    """Tell whether the multiplier is known to differ from that of the close before, so that no values subtract."""
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
