"""Paths: every account's position in every symbol, fill by fill, marked at the fill's own price, all at once.

No lot needs to be picked for that: a position's cost is followed from the last time it was flat. Amounts are scaled as
in `risk.books.fifo`; times are whole seconds since 1970.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from math import gcd
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.books.executions import LARGEST_SUM, Executions, Integers, sums
from risk.core.calendar import is_session, session_close, session_open

HOUR_SECONDS = 3600
UNKNOWN_SECOND = -1
"""Stands for the time of a fill whose time of day the source does not know."""

HALF_BITS = 31
"""Values are multiplied by seconds in two halves, of which the lower has so many bits."""


class SymbolPath(NamedTuple):
    """How one account traded one symbol in one session; ``None`` = unknown, for lack of times.

    Attributes
    ----------
    volume
        Sum of the quantities, scaled by 1e8.
    turnover, paid
        Value of all fills, and of buys less sells, before multiplier and rate, scaled by 1e16.
    left
        Signed quantity after the last fill, scaled by 1e8.
    side_conflicts
        Numbers of the fills, the first is 1, whose side contradicts the position they met: a short sale (``T``) while
        long, a cover (``C``) beyond the short. ``B`` and ``S`` contradict nothing: a source may know no other.
    enlarging_count
        Fills that enlarged a position which was losing at the fill's price.
    early, late
        P&L until an hour after the open and from an hour before the close, before fees, multiplier and rate, scaled by
        1e16, gains positive; what a carried position made before its first fill of the session counts with that fill.
    held
        The position's value times the seconds it lasted, before the multiplier, scaled by 1e16; the value is that at
        the price of the fill that ends it, or of the last fill until the close. A position carried in counts from the
        open, one carried out until the close.
    """

    volume: int
    turnover: int
    paid: int
    left: int
    side_conflicts: Sequence[int]
    enlarging_count: int
    early: int | None
    late: int | None
    held: int | None


class Carried(NamedTuple):
    """What each account and symbol of some executions was held with before them, 0 = not at all.

    Attributes
    ----------
    quantities
        Signed, scaled by 1e8.
    costs
        What its lots cost together, negative what was got for a short, scaled by 1e16.
    gains
        What it was worth more than that at the last close, before the multiplier, scaled by 1e16; 0 = unknown.
    """

    quantities: list[int]
    costs: list[int]
    gains: list[int]


class _Columns(NamedTuple):
    """Numbers of some executions, all counted in one unit but the prices, so that more of them fit into 64 bits.

    Attributes
    ----------
    unit
        So many 1e-8 shares divide every quantity, so many 1e-16 of money every carried amount.
    quantities, prices
        Of each fill.
    carried, costs, gains
        Of each account and symbol, as `Carried` has them.
    """

    unit: int
    quantities: Integers
    prices: Integers
    carried: Integers
    costs: Integers
    gains: Integers


class _Hours(NamedTuple):
    """A session's regular hours, in seconds since 1970."""

    opens: int
    closes: int


def follow(fills: Executions, before: Carried, session_date: dt.date) -> list[SymbolPath]:
    """Follow the positions through a session's fills.

    Parameters
    ----------
    fills
        At least one.
    before
        The positions they meet, splits applied.
    session_date
        The session; on a day that the calendar does not know as one, no times are known.

    Returns
    -------
    list of SymbolPath
        Of each account and symbol, in the order of ``fills``.
    """
    unit, quantities, prices, carried, costs, gains = _columns(fills, before)
    starts, lasts = fills.starts, fills.stops - 1
    group = np.repeat(np.arange(len(starts)), fills.stops - starts)
    amounts = quantities * prices
    paid = _running(amounts, starts[group])
    left = carried[group] + _running(quantities, starts[group])
    held = left - quantities
    losing = held * prices < _cost(left, held, prices, paid, costs[group], starts[group]) + paid - amounts
    is_enlarging = losing & (held != 0) & ((quantities > 0) == (held > 0))
    gained = left * prices - paid - (costs + gains)[group]
    rows = zip(
        sums(np.abs(fills.quantities), starts),
        _scaled(np.add.reduceat(np.abs(amounts), starts), unit),
        _scaled(paid[lasts], unit),
        _scaled(left[lasts], unit),
        _odd_fills(fills, held, left, group),
        np.add.reduceat(is_enlarging, starts, dtype=np.int64).tolist(),
        _timed(fills, gained, held * prices, left * prices, unit, session_date),
        strict=True,
    )
    return [SymbolPath(*sizes, *times) for *sizes, times in rows]


def _columns(fills: Executions, before: Carried) -> _Columns:
    """Count in the largest unit that divides all, and by 64 bits where no account and symbol can exceed them.

    What is bounded is every share at the highest price, and the carried amounts: no cost or gain on the way is more
    than twice that, and what is added up over several accounts may wrap around, since differences are right again.
    """
    quantities, prices = fills.quantities, fills.prices
    unit = gcd(int(np.gcd.reduce(quantities)), *chain.from_iterable(before))
    carried, costs, gains = (np.array(column, dtype=object) // unit for column in before)
    quantities = quantities // unit
    sizes = np.add.reduceat(np.abs(quantities.astype(np.float64)), fills.starts) + np.abs(carried.astype(np.float64))
    values = sizes * np.maximum.reduceat(prices, fills.starts).astype(np.float64)
    largest = (values + np.abs(costs.astype(np.float64)) + np.abs(gains.astype(np.float64))).max()
    dtype = np.int64 if 4 * largest < LARGEST_SUM else object
    return _Columns(unit, *(column.astype(dtype) for column in (quantities, prices, carried, costs, gains)))


def _running(values: Integers, first: NDArray[np.int64]) -> Integers:
    """Return for each fill the sum from its account and symbol's first one on; what 64 bits lose before cancels out.

    Parameters
    ----------
    first
        Row of that first fill, for each fill.
    """
    total = np.cumsum(values)
    before: Integers = (total - values)[first]
    return total - before


def _cost(
    left: Integers, held: Integers, prices: Integers, paid: Integers, costs: Integers, first: NDArray[np.int64]
) -> Integers:
    """Return for each fill what the position it meets has cost, less what was paid in the session before the fill.

    A position begins anew with the fill that leaves it flat or flips it: what is left has then cost its price. Until
    the first such fill it has cost what was carried, ``costs``, and what was paid.
    """
    row = np.arange(len(prices))
    begins = (left == 0) | ((left > 0) != (held > 0))
    begun = np.maximum.accumulate(np.where(begins, row, -1))
    latest = np.append(-1, begun[:-1])
    return np.where(latest >= first, (left * prices - paid)[latest], costs)


def _odd_fills(fills: Executions, held: Integers, left: Integers, group: NDArray[np.int64]) -> list[list[int]]:
    """Find by account and symbol the short sales while long and the covers beyond the short."""
    is_odd = ((fills.sides == ord("T")) & (held > 0)) | ((fills.sides == ord("C")) & (left > 0))
    found: list[list[int]] = [[] for _ in fills.starts]
    rows = np.flatnonzero(is_odd)
    numbers = rows - fills.starts[group[rows]] + 1
    for owner, number in zip(group[rows].tolist(), numbers.tolist(), strict=True):
        found[owner].append(number)
    return found


def _timed(
    fills: Executions, gained: Integers, met: Integers, left: Integers, unit: int, session_date: dt.date
) -> Iterable[tuple[int | None, int | None, int | None]]:
    """Measure by account and symbol the early and the late gain, and value times seconds.

    Parameters
    ----------
    gained
        Since the last close, after each fill and at its price.
    met, left
        Signed value of the position before and after each fill, at its price.
    """
    hours = _hours_of(session_date)
    if hours is None:
        return repeat((None, None, None), len(fills.starts))
    starts, lasts, seconds = fills.starts, fills.stops - 1, fills.seconds
    gaps = np.diff(seconds, prepend=0)
    gaps[starts] = np.maximum(seconds[starts] - hours.opens, 0)
    until_close = np.maximum(hours.closes - seconds[lasts], 0)
    early = _gained_before(hours.opens + HOUR_SECONDS, gained, fills)
    late = gained[lasts] - _gained_before(hours.closes - HOUR_SECONDS, gained, fills)
    carried_out = _long_sums(left[lasts], until_close, np.arange(len(lasts)))
    held = map(add, _long_sums(met, gaps, starts), carried_out)
    is_unknown = np.logical_or.reduceat(seconds == UNKNOWN_SECOND, starts).tolist()
    columns = zip(early.tolist(), late.tolist(), held, is_unknown, strict=True)
    return [
        (None, None, None) if unknown else (first * unit, last * unit, value * unit)
        for first, last, value, unknown in columns
    ]


def _gained_before(second: int, gained: Integers, fills: Executions) -> Integers:
    """Return by account and symbol what was gained after the last fill before a second; 0 where there is none."""
    counts = np.add.reduceat(fills.seconds < second, fills.starts, dtype=np.int64)
    known: Integers = np.where(counts > 0, gained[fills.starts + counts - 1], 0)
    return known


def _long_sums(values: Integers, gaps: NDArray[np.int64], starts: NDArray[np.int64]) -> list[int]:
    """Add up absolute values times seconds, in two halves because the products need more than 64 bits."""
    sizes = np.abs(values)
    high = np.add.reduceat((sizes >> HALF_BITS) * gaps, starts).tolist()
    low = np.add.reduceat((sizes & (1 << HALF_BITS) - 1) * gaps, starts).tolist()
    return [(above << HALF_BITS) + below for above, below in zip(high, low, strict=True)]


def _scaled(values: Integers, unit: int) -> list[int]:
    return [value * unit for value in values.tolist()]


@lru_cache(maxsize=1_024)
def _hours_of(session_date: dt.date) -> _Hours | None:
    """Return a session's regular hours; ``None`` for a day that the calendar does not know as a session."""
    if not is_session(session_date):
        return None
    return _Hours(int(session_open(session_date).timestamp()), int(session_close(session_date).timestamp()))
