"""Positions: one symbol of one account through a session, by split, fills and expiry to its value at the close."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from risk.pnl.conduct import SymbolConduct, follow
from risk.pnl.lots import Lots, match_fills, odd_fills, open_quantity, split_lots, traded, unrealized_amount
from risk.pnl.problems import problem_of
from risk.pnl.valuation import MIXED_CURRENCIES, Ratio, Valuation, Valuer


class SymbolFills(NamedTuple):
    """One account's fills of one symbol in one session, in the order of execution.

    Attributes
    ----------
    currency
        As the source tells it; ``None`` = not at all, ``XXX`` = several.
    quantities
        Signed, buys and covers positive, scaled by 1e8.
    prices, seconds
        Price of each, scaled by 1e8, and time, as in `risk.pnl.conduct.follow`.
    fees
        US dollars, costs positive, scaled by 1e8.
    delivery_id
        Delivery the fills came with; ``None`` without a warehouse.
    sides
        Their letters; ``None`` where none is ``T`` or ``C``.
    """

    account_id: str
    session_date: dt.date
    symbol: str
    currency: str | None
    quantities: Sequence[int]
    prices: Sequence[int]
    seconds: Sequence[int]
    fees: int
    delivery_id: int | None
    sides: str | None = None


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
    unrealized, unrealized_usd
        At the last close in the position's currency, scaled by 1e24, and in US dollars, scaled by 1e32; ``None`` =
        unknown.
    """

    lots: Lots
    currency: str
    multiplier: int | None
    unrealized: int | None
    unrealized_usd: int | None


class Position(NamedTuple):
    """One symbol of one account at a close; amounts ``None`` = unknown.

    Attributes
    ----------
    lots
        Signed quantity, price (both scaled by 1e8) and opened session's ordinal of each open lot, oldest first.
    valuation
        Without price and source where nothing was open at the close.
    ratio
        The split the session opened with.
    volume
        Sum of the session's quantities, scaled by 1e8.
    split, expired
        Signed quantity that the split and the expiry of an option added, scaled by 1e8.
    odd_fills
        Numbers of the fills whose side contradicts the position.
    turnover
        US dollars, scaled by 1e32.
    realized, unrealized
        In the position's currency, scaled by 1e24.
    realized_usd, unrealized_usd, unrealized_delta_usd
        US dollars at the session's rate, scaled by 1e32.
    conduct
        How it was traded; ``None`` = not at all.
    problem
        Key of the sentence that says what is unknown; ``None`` = nothing.
    """

    symbol: str
    currency: str
    lots: tuple[tuple[int, ...], ...]
    valuation: Valuation
    ratio: Ratio | None
    volume: int
    split: int
    expired: int
    odd_fills: Sequence[int]
    turnover: int | None
    realized: int | None
    unrealized: int | None
    realized_usd: int | None
    unrealized_usd: int | None
    unrealized_delta_usd: int | None
    conduct: SymbolConduct | None
    problem: str | None


@dataclass(slots=True)
class _Day:
    """What became of a symbol's lots in a session, before multiplier and rate: quantities by 1e8, amounts by 1e16."""

    volume: int = 0
    turnover: int = 0
    realized: int = 0
    split: int = 0
    expired: int = 0
    odd_fills: Sequence[int] = ()
    conduct: SymbolConduct | None = None


def close_symbol(
    session_date: dt.date, symbol: str, fills: SymbolFills | None, holdings: dict[str, Holding], valuer: Valuer
) -> Position:
    """Apply a symbol's split, fills and expiry, value what is left and carry it in ``holdings``."""
    before = holdings.pop(symbol, None)
    lots: Lots = before.lots if before else deque()
    currency = _currency(session_date, symbol, before, fills, valuer)
    valuation = valuer.value(session_date, symbol, currency)
    ratio = valuer.ratio(session_date, symbol)
    day = _Day()
    if ratio and lots:
        _split(lots, ratio, day)
    if fills:
        _trade(lots, fills, before, day)
    if valuation.source == "expiry" and lots:
        _expire(lots, day)
    elif not lots:
        valuation = valuation._replace(price=None, source=None)
    return _position(symbol, currency, lots, valuation, ratio, day, before, holdings)


def _split(lots: Lots, ratio: Ratio, day: _Day) -> None:
    held = open_quantity(lots)
    day.realized += split_lots(lots, ratio.new_shares, ratio.old_shares)
    day.split = open_quantity(lots) - held


def _trade(lots: Lots, fills: SymbolFills, before: Holding | None, day: _Day) -> None:
    day.conduct = follow(fills.quantities, fills.prices, fills.seconds, before, fills.session_date)
    if fills.sides:
        day.odd_fills = odd_fills(open_quantity(lots), fills.quantities, fills.sides)
    day.volume, day.turnover = traded(fills.quantities, fills.prices)
    day.realized += match_fills(lots, fills.quantities, fills.prices, fills.session_date.toordinal())


def _expire(lots: Lots, day: _Day) -> None:
    """Close an option's lots at nothing."""
    day.expired = -open_quantity(lots)
    day.realized += unrealized_amount(lots, 0)
    lots.clear()


def _position(
    symbol: str,
    currency: str,
    lots: Lots,
    valuation: Valuation,
    ratio: Ratio | None,
    day: _Day,
    before: Holding | None,
    holdings: dict[str, Holding],
) -> Position:
    """Value a symbol at the close and carry what is open."""
    multiplier, rate = valuation.multiplier, valuation.rate
    unrealized = _unrealized(lots, valuation)
    unrealized_usd = _times(unrealized, rate)
    if lots:
        holdings[symbol] = Holding(lots, currency, multiplier, unrealized, unrealized_usd)
    has_changed = _has_changed(before, valuation)
    realized = None if has_changed else _times(day.realized, multiplier)
    delta = None if has_changed else _difference(unrealized_usd, before.unrealized_usd if before else 0)
    return Position(
        symbol,
        currency,
        tuple(map(tuple, lots)),
        valuation,
        ratio,
        day.volume,
        day.split,
        day.expired,
        day.odd_fills,
        _times(_times(day.turnover, multiplier), rate),
        realized,
        unrealized,
        _times(realized, rate),
        unrealized_usd,
        delta,
        day.conduct,
        problem_of(currency, valuation, unrealized, delta, has_changed=has_changed),
    )


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
    if before is None or before.multiplier is None or valuation.multiplier is None:
        return False
    return before.multiplier != valuation.multiplier


def _unrealized(lots: Lots, valuation: Valuation) -> int | None:
    if valuation.multiplier is None:
        return None
    if not lots:
        return 0
    return None if valuation.price is None else unrealized_amount(lots, valuation.price) * valuation.multiplier


def _times(amount: int | None, factor: int | None) -> int | None:
    return None if amount is None or factor is None else amount * factor


def _difference(amount: int | None, subtracted: int | None) -> int | None:
    return None if amount is None or subtracted is None else amount - subtracted
