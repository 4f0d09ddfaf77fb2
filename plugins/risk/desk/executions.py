"""The timed fills of some sessions as arrays, the orders and blocks they make, and how busy the desk is by time.

Whole numbers throughout: seconds since 1970, quantities and prices scaled by 1e8. Fills without a time of day, and
those at a price of 0 (expiries, assignments), are not here: `risk.desk.store` counts them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntVector = NDArray[np.int64]
FloatVector = NDArray[np.float64]

ORDER_GAP_SECONDS = 60
"""Fills of an account in one symbol and on one side count as one order while the gaps are shorter."""

BLOCK_GAP_SECONDS = 300
"""Fills of an account in one symbol, both sides, move together in the null while the gaps are shorter: the least shift.
A scalper's round trip is one thing, not two that happen to be close."""

PROFILE_STEP_SECONDS = 15
PROFILE_NEIGHBORS = (5, 50)
"""Fewest and most orders on each side whose distance gives the activity at an instant."""
PROFILE_SHARE = 40
SYMBOL_PROFILE_ORDERS = 60
"""A symbol with so many orders has a profile of its own: a busy half hour in it is no pattern between two traders."""
PROFILE_FLOOR = 0.1
"""Part of the mean activity that counts everywhere between the first and the last order."""


@dataclass(frozen=True, slots=True)
class DeskFills:
    """Timed fills of consecutive sessions; every array ``(n_fills,)``.

    Attributes
    ----------
    session_dates, account_ids, symbols, routes
        What the numbers in the arrays stand for.
    session, account, symbol, route
        Places in these lists; a route of -1 is unknown.
    second
        Seconds since 1970.
    sign
        1 = bought or covered, -1 = sold or sold short.
    quantity, price
        Scaled by 1e8, positive.
    volumes
        Shares traded in the market by session and symbol, ``(n_sessions, n_symbols)``; NaN = unknown.
    """

    session_dates: tuple[dt.date, ...]
    account_ids: tuple[str, ...]
    symbols: tuple[str, ...]
    routes: tuple[str, ...]
    session: IntVector
    account: IntVector
    symbol: IntVector
    route: IntVector
    second: IntVector
    sign: IntVector
    quantity: IntVector
    price: IntVector
    volumes: NDArray[np.float64]

    @property
    def place(self) -> IntVector:
        """Session and symbol in one number: fills of different places never meet."""
        return self.session * len(self.symbols) + self.symbol


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of some sessions, sorted by place, side and time; every array ``(n_orders,)``.

    Attributes
    ----------
    session, account, place, sign, second, quantity
        Of the first fill, as in `DeskFills`; quantity is that of all its fills.
    block
        Number of the block of fills that the first one belongs to.
    """

    session: IntVector
    account: IntVector
    place: IntVector
    sign: IntVector
    second: IntVector
    quantity: FloatVector
    block: IntVector

    @property
    def lane(self) -> IntVector:
        """Place and side in one number: even = sold, odd = bought; the other side is ``lane ^ 1``."""
        return 2 * self.place + (self.sign > 0)


def orders_of(fills: DeskFills, gap_seconds: int = ORDER_GAP_SECONDS) -> Orders:
    """Put fills together that belong to one order.

    Parameters
    ----------
    fills
        In any order.
    gap_seconds
        Fills of an account in a place and on a side count as one while the gaps are shorter.
    """
    blocks = _runs(np.stack((fills.account, fills.place)), fills.second, BLOCK_GAP_SECONDS)
    numbers = _runs(np.stack((fills.account, fills.place, fills.sign)), fills.second, gap_seconds)
    by_order = np.lexsort((fills.second, numbers))
    is_first = np.append(True, np.diff(numbers[by_order]) != 0)[: len(by_order)]
    first = by_order[is_first]
    quantity = np.zeros(len(first))
    np.add.at(quantity, numbers, fills.quantity)
    sorted_ones = np.lexsort((fills.account[first], fills.second[first], fills.sign[first], fills.place[first]))
    chosen = first[sorted_ones]
    return Orders(
        session=fills.session[chosen],
        account=fills.account[chosen],
        place=fills.place[chosen],
        sign=fills.sign[chosen],
        second=fills.second[chosen],
        quantity=quantity[sorted_ones],
        block=blocks[chosen],
    )


def _runs(keys: NDArray[np.int64], second: IntVector, gap_seconds: int) -> IntVector:
    """Give a number to each run of fills with equal keys, ``(n_keys, n_fills)``, and shorter gaps than given."""
    by_time = np.lexsort((second, *keys[::-1]))
    is_new = np.zeros(len(second), bool)
    is_new[1:] = (np.diff(keys[:, by_time], axis=1) != 0).any(axis=0) | (np.diff(second[by_time]) >= gap_seconds)
    numbers = np.empty(len(second), np.int64)
    numbers[by_time] = np.cumsum(is_new)
    return numbers


def distinct(*keys: IntVector) -> IntVector:
    """Give the same number, from 0, to elements whose keys are all equal: in the order of the keys."""
    numbers = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        values, places = np.unique(key, return_inverse=True)
        numbers = np.unique(numbers * max(len(values), 1) + places, return_inverse=True)[1]
    return numbers


@dataclass(frozen=True, slots=True)
class ActivityProfile:
    """How busy the desk is at each instant of each session, and in each busy symbol.

    Attributes
    ----------
    starts
        First second of each session's table, ``(n_sessions,)``.
    tables
        Logarithm of the orders per second on a grid of 15 seconds, ``(n_tables, n_steps)``; minus infinity before the
        first and after the last order. The first rows belong to the sessions.
    table_of_place
        Row of each place, ``(n_places,)``.
    """

    starts: IntVector
    tables: FloatVector
    table_of_place: IntVector

    def log_rate(self, session: IntVector, place: IntVector, second: IntVector) -> FloatVector:
        """Read the logarithm of the activity at some instants; the arrays broadcast against each other."""
        step = (second - self.starts[session]) // PROFILE_STEP_SECONDS + 1
        inside = np.clip(step, 0, self.tables.shape[1] - 1)
        rates: FloatVector = self.tables[self.table_of_place[place], inside]
        return rates


def profile_of(orders: Orders, session_count: int, place_count: int) -> ActivityProfile:
    """Measure the activity by time of day.

    Notes
    -----
    The rate at an instant is the number of the k orders before and after it over the time between the outermost of
    them, k a fortieth of all orders: fine where the desk is busy, as in the first minute, coarse where it is quiet.
    Source: Loftsgaarden and Quesenberry (1965), "A nonparametric estimate of a multivariate density function".
    """
    lasts = np.zeros(session_count, np.int64)
    starts = np.full(session_count, np.iinfo(np.int64).max)
    np.minimum.at(starts, orders.session, orders.second)
    np.maximum.at(lasts, orders.session, orders.second)
    has_orders = lasts > 0
    starts = np.where(has_orders, starts, 0)
    # A step of nothing on either side: what is clipped to it has no activity.
    steps = int((lasts - starts).max(initial=0)) // PROFILE_STEP_SECONDS + 3
    tables = [
        _log_rates(np.sort(orders.second[orders.session == session]) - starts[session], steps)
        for session in range(session_count)
    ]
    table_of_place = np.arange(place_count) // max(place_count // max(session_count, 1), 1)
    counts = np.bincount(orders.place, minlength=place_count)
    for place in np.flatnonzero(counts >= SYMBOL_PROFILE_ORDERS).tolist():
        session = int(table_of_place[place])
        table_of_place[place] = len(tables)
        tables.append(_log_rates(np.sort(orders.second[orders.place == place]) - starts[session], steps))
    return ActivityProfile(starts, np.array(tables).reshape(-1, steps), table_of_place)


def _log_rates(seconds: IntVector, steps: int) -> FloatVector:
    """Return the logarithm of the activity on the grid; its second value is that of the first second."""
    rates = np.zeros(steps)
    if len(seconds):
        grid = (np.arange(steps) - 1) * PROFILE_STEP_SECONDS + PROFILE_STEP_SECONDS // 2
        neighbors = int(np.clip(len(seconds) // PROFILE_SHARE, *PROFILE_NEIGHBORS))
        place = np.searchsorted(seconds, grid)
        first, last = np.maximum(place - neighbors, 0), np.minimum(place + neighbors, len(seconds) - 1)
        inside = slice(seconds[0] // PROFILE_STEP_SECONDS + 1, seconds[-1] // PROFILE_STEP_SECONDS + 2)
        span = np.maximum(seconds[last] - seconds[first], PROFILE_STEP_SECONDS)
        mean = len(seconds) / max(int(seconds[-1] - seconds[0]), PROFILE_STEP_SECONDS)
        rates[inside] = np.maximum((last - first)[inside] / span[inside], PROFILE_FLOOR * mean)
    with np.errstate(divide="ignore"):
        logs: FloatVector = np.log(rates)
    return logs
