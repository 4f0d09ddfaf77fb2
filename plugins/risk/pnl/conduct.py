"""Conduct: how an account traded in a session, measured from its fills in exact integers.

A position's P&L is followed fill by fill, marked at the fill's own price, from the last time the position was flat: no
lot needs to be picked for that. Amounts are scaled as in `risk.pnl.lots`; times are whole seconds since 1970.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from risk.pnl.lots import Lots
from risk.sessions import is_session, session_close, session_open

if TYPE_CHECKING:
    from risk.pnl.positions import Holding, Position

HOUR_SECONDS = 3600
UNKNOWN_SECOND = -1
"""Stands for the time of a fill whose time of day the source does not know."""

SHARE_DIGITS = 6


class SymbolConduct(NamedTuple):
    """How one symbol was traded; ``None`` = unknown, for lack of times.

    Attributes
    ----------
    early, late
        P&L until an hour after the open and from an hour before the close, before fees, multiplier and rate, scaled by
        1e16, gains positive; what a carried position made before its first fill of the session counts with that fill.
    held
        The position's value times the seconds it lasted, before the multiplier, scaled by 1e16.
    enlarging_count
        Fills that enlarged a position which was losing at the fill's price.
    """

    early: int | None
    late: int | None
    held: int | None
    enlarging_count: int


class Conduct(NamedTuple):
    """How one account traded in one session; ``None`` = unknown.

    Attributes
    ----------
    early, late
        P&L of the traded symbols until an hour after the open and from an hour before the close, US dollars scaled by
        1e32, before fees, gains positive.
    holding_seconds
        How long a dollar was held on average: by Little's law its value times the time it was held, over half of the
        turnover. A position carried in counts from the open, one carried out until the close.
    enlarging_count
        Fills that enlarged a losing position.
    concentration
        Sum of the squared shares of the symbols in turnover, scaled by 1e6: 1 = one symbol only.
    overnight
        Value of all positions at the close, long and short alike, US dollars scaled by 1e32.
    """

    early: int | None
    late: int | None
    holding_seconds: int | None
    enlarging_count: int
    concentration: int | None
    overnight: int | None


class _Hours(NamedTuple):
    opens: int
    closes: int


@lru_cache(maxsize=1_024)
def _hours_of(session_date: dt.date) -> _Hours | None:
    """Return a session's regular hours; ``None`` for a day that the calendar does not know as a session."""
    if not is_session(session_date):
        return None
    return _Hours(int(session_open(session_date).timestamp()), int(session_close(session_date).timestamp()))


def follow(
    quantities: Sequence[int],
    prices: Sequence[int],
    seconds: Sequence[int],
    before: Holding | None,
    session_date: dt.date,
) -> SymbolConduct:
    """Follow one symbol's position through its fills.

    Parameters
    ----------
    quantities, prices
        As `risk.pnl.lots.match_fills` takes them; at least one.
    seconds
        When each happened, ascending; `UNKNOWN_SECOND` where the time of day is unknown.
    before
        The position carried into the session, its lots not yet matched.
    session_date
        The session.
    """
    carried, cost = _opening(before.lots) if before else (0, 0)
    enlarging_count, held, left = _walk(quantities, prices, seconds, carried, cost)
    hours = _hours_of(session_date)
    if hours is None or UNKNOWN_SECOND in seconds:
        return SymbolConduct(None, None, None, enlarging_count)
    held += abs(carried) * prices[0] * max(seconds[0] - hours.opens, 0)
    held += abs(left) * prices[-1] * max(hours.closes - seconds[-1], 0)
    if before and before.unrealized and before.multiplier:
        cost += before.unrealized // before.multiplier
    values = [
        (carried + sum(quantities[:count])) * prices[count - 1] - cost - sum(map(mul, quantities[:count], prices))
        if count
        else 0
        for count in (
            bisect_left(seconds, hours.opens + HOUR_SECONDS),
            bisect_left(seconds, hours.closes - HOUR_SECONDS),
            len(seconds),
        )
    ]
    return SymbolConduct(values[0], values[2] - values[1], held, enlarging_count)


def measure(positions: Iterable[Position]) -> Conduct:
    """Put together what an account did in its symbols."""
    early = late = held = turnover = squares = overnight = enlarging_count = 0
    is_timed = is_valued = is_marked = True
    for position in positions:
        valued = position.valuation
        usd = (valued.multiplier or 0) * (valued.rate or 0)
        if position.lots:
            is_marked &= position.unrealized_usd is not None
            overnight += sum(abs(lot[0]) for lot in position.lots) * (valued.price or 0) * usd
        conduct = position.conduct
        if conduct is None:
            continue
        enlarging_count += conduct.enlarging_count
        is_valued &= position.turnover is not None
        turnover += position.turnover or 0
        squares += (position.turnover or 0) ** 2
        is_timed &= conduct.held is not None
        early += (conduct.early or 0) * usd
        late += (conduct.late or 0) * usd
        held += (conduct.held or 0) * usd
    is_timed &= is_valued and turnover > 0
    return Conduct(
        early if is_timed else None,
        late if is_timed else None,
        2 * held // turnover if is_timed else None,
        enlarging_count,
        10**SHARE_DIGITS * squares // turnover**2 if is_valued and turnover else None,
        overnight if is_marked else None,
    )


def _opening(lots: Lots) -> tuple[int, int]:
    return sum(lot[0] for lot in lots), sum(lot[0] * lot[1] for lot in lots)


def _walk(
    quantities: Sequence[int], prices: Sequence[int], seconds: Sequence[int], position: int, paid: int
) -> tuple[int, int, int]:
    """Count the enlarging fills, add up value times seconds from fill to fill, and return what is left open."""
    enlarging_count = held = 0
    since = seconds[0]
    for quantity, price, second in zip(quantities, prices, seconds, strict=True):
        value = position * price
        held += abs(value) * (second - since)
        since = second
        if value < paid and position and (quantity > 0) == (position > 0):
            enlarging_count += 1
        paid += quantity * price
        left = position + quantity
        if not left or (left > 0) != (position > 0):
            paid = left * price
        position = left
    return enlarging_count, held, position
