"""Bulk: what `risk.books.fifo` and `risk.books.behavior` find fill by fill, for very many fills at once.

Same numbers, held to those two modules by a property (tests/properties/test_books_bulk_properties.py). All that
obscures the method for the sake of speed is in this module: numpy's 64 bits where they are enough, products in two
halves, a binary COPY of packed columns, a second thread. When it pays: docs/decisions/0003-two-ways-of-fifo.md.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, groupby, repeat
from math import gcd
from operator import add, mul
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.books.behavior import HOUR_SECONDS, NOT_CARRIED, Carried, PositionPath, regular_hours
from risk.books.executions import UNKNOWN_SECOND, Executions, Integers, session_executions
from risk.books.fifo import OpenLots
from risk.books.positions import Holding, SymbolTrades, trade
from risk.core.warehouse import Connection, planning, statement

BULK_FILLS: Final = 20_000
"""From so many fills on, of all sessions that are computed, this module is used."""

LARGEST_SUM: Final = 2.0**61
"""What 64 bits hold for certain, with a margin for the rounding of estimates, which are made by floating point."""

HALF_BITS: Final = 31
"""Values are multiplied by seconds in two halves, of which the lower has so many bits."""

PART_FILLS: Final = 250_000
"""A session of more fills is computed in parts of about so many."""

WAITING_CALLS: Final = 16
"""So many calls, each with a part of the books in memory, may wait for Postgres."""

COPY_COLUMNS: Final = ("place", "instant", "tie", "quantity", "price", "fees_usd")
"""Of ``copy_fills.sql``, in its order."""

_FIELDS = [
    ("field_count", ">i2"),
    *chain.from_iterable(((f"{name}_size", ">i4"), (name, ">i8")) for name in COPY_COLUMNS),
]
_COPY_ROW: Final = np.dtype(_FIELDS)
"""As COPY writes a row of these columns, each of 8 bytes and none null: the count of fields, then size and value."""

_HEADER_BYTES: Final = 19
_TRAILER_BYTES: Final = 2
_UNKNOWN_TIME: Final = 0x80
_SIDE: Final = 0x7F
"""What the lowest bits of ``tie`` say."""

_RANK_SHIFT: Final = 8
"""So many are these bits."""


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


def trade_symbols(
    executions: Executions, befores: Sequence[Holding | None], session_date: dt.date
) -> Iterator[SymbolTrades]:
    """Match a session's fills of each account and symbol to what is held, as `risk.books.positions.trade_symbols`.

    Only what was held before is matched fill by fill. Where nothing was, what is realized is what was received less
    what was paid, and what the open lots cost.
    """
    carried = [before.carried if before else NOT_CARRIED for before in befores]
    groups = zip(
        executions.currencies,
        executions.delivery_ids,
        zip(executions.starts.tolist(), executions.stops.tolist(), strict=True),
        sums(executions.fees, executions.starts),
        position_paths(executions, carried, session_date),
        flat_open_lots(executions, session_date.toordinal()),
        befores,
        strict=True,
    )
    for currency, delivery_id, (start, stop), fees, path, lots, before in groups:
        realized = lots.cost - path.paid
        if before:
            fills = slice(start, stop)
            quantities, prices = executions.quantities[fills].tolist(), executions.prices[fills].tolist()
            lots, realized = trade(before, quantities, prices, session_date)  # noqa: PLW2901 - the lots that are open
        yield SymbolTrades(currency, delivery_id, stop - start, fees, path, lots, realized)


def flat_open_lots(fills: Executions, session: int) -> list[OpenLots]:
    """Return the lots that FIFO leaves of each account and symbol's fills, as if nothing had been open before.

    The oldest lots are closed, so what is left are the last fills on the side of the position, as many of them as
    come to it. `risk.books.fifo.match_fills` finds the same from the other end.

    Parameters
    ----------
    session
        Ordinal of the session, stored in the lots.
    """
    quantities, starts = _summable(fills.quantities), fills.starts
    counts = fills.stops - starts
    left = np.add.reduceat(quantities, starts)
    due = np.repeat(left, counts)
    sizes = np.where((quantities > 0) == (due > 0), np.abs(quantities), 0)
    running = np.cumsum(sizes)
    later = np.repeat(running[fills.stops - 1], counts) - running
    parts = np.minimum(sizes, np.abs(due) - later)
    rows = np.flatnonzero(parts > 0)
    bounds = np.searchsorted(rows, np.append(starts, len(parts))).tolist()
    signed = np.where(due > 0, parts, -parts)[rows].tolist()
    prices = fills.prices[rows].tolist()
    lots = list(zip(signed, prices, repeat(session)))
    costs = list(map(mul, signed, prices))
    return [
        OpenLots(tuple(lots[start:stop]), quantity, sum(costs[start:stop]))
        for quantity, start, stop in zip(left.tolist(), bounds, bounds[1:], strict=False)
    ]


def sums(values: Integers, starts: NDArray[np.int64]) -> list[int]:
    """Add up the fills' values by account and symbol, exactly."""
    totals: list[int] = np.add.reduceat(_summable(values), starts).tolist()
    return totals


def _summable(values: Integers) -> Integers:
    """Return the values as 64 bits hold them where all together fit into these, else as Python's integers."""
    fits = np.abs(values.astype(np.float64)).sum() < LARGEST_SUM
    return values if fits else values.astype(object)


def position_paths(fills: Executions, carried: Sequence[Carried], session_date: dt.date) -> list[PositionPath]:
    """Follow all positions through a session's fills, at least one, as `risk.books.behavior.position_path` does one.

    Parameters
    ----------
    carried
        What each account and symbol was held with.
    """
    unit, quantities, prices, before, costs, gains = _columns(fills, carried)
    starts, lasts = fills.starts, fills.stops - 1
    group = np.repeat(np.arange(len(starts)), fills.stops - starts)
    amounts = quantities * prices
    paid = _running(amounts, starts[group])
    left = before[group] + _running(quantities, starts[group])
    held = left - quantities
    losing = held * prices < _cost(left, held, prices, paid, costs[group], starts[group]) + paid - amounts
    adds_to_loser = losing & (held != 0) & ((quantities > 0) == (held > 0))
    gained = left * prices - paid - (costs + gains)[group]
    rows = zip(
        sums(np.abs(fills.quantities), starts),
        _in_units(np.add.reduceat(np.abs(amounts), starts), unit),
        _in_units(paid[lasts], unit),
        _side_conflicts(fills, held, left, group),
        np.add.reduceat(adds_to_loser, starts, dtype=np.int64).tolist(),
        _timed(fills, gained, held * prices, left * prices, unit, session_date),
        strict=True,
    )
    return [PositionPath(*sizes, *times) for *sizes, times in rows]


def _columns(fills: Executions, carried: Sequence[Carried]) -> _Columns:
    """Count in the largest unit that divides all, and by 64 bits where no account and symbol can exceed them.

    What is bounded is every share at the highest price, and the carried amounts: no cost or gain on the way is more
    than twice that, and what is added up over several accounts may wrap around, since differences are right again.
    """
    quantities, prices = fills.quantities, fills.prices
    unit = gcd(int(np.gcd.reduce(quantities)), *chain.from_iterable(carried))
    before, costs, gains = (np.array(column, dtype=object) // unit for column in zip(*carried, strict=True))
    quantities = quantities // unit
    sizes = np.add.reduceat(np.abs(quantities.astype(np.float64)), fills.starts) + np.abs(before.astype(np.float64))
    values = sizes * np.maximum.reduceat(prices, fills.starts).astype(np.float64)
    largest = (values + np.abs(costs.astype(np.float64)) + np.abs(gains.astype(np.float64))).max()
    dtype = np.int64 if 4 * largest < LARGEST_SUM else object
    return _Columns(unit, *(column.astype(dtype) for column in (quantities, prices, before, costs, gains)))


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


def _side_conflicts(fills: Executions, held: Integers, left: Integers, group: NDArray[np.int64]) -> list[list[int]]:
    """Return by account and symbol the numbers of the short sales while long and the covers beyond the short."""
    is_conflict = ((fills.sides == ord("T")) & (held > 0)) | ((fills.sides == ord("C")) & (left > 0))
    found: list[list[int]] = [[] for _ in fills.starts]
    rows = np.flatnonzero(is_conflict)
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
    hours = regular_hours(session_date)
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


def _in_units(values: Integers, unit: int) -> list[int]:
    return [value * unit for value in values.tolist()]


class Delivery(NamedTuple):
    """A delivery of an account and session, one of several where accounts were merged.

    Attributes
    ----------
    basis_id
        What the books note as the basis of the account and session, the same for all its deliveries.
    fill_count
        Rows loaded; some may be canceled.
    is_incomplete
        Whether rows that may be executions are missing.
    """

    session_date: dt.date
    account_id: str
    delivery_id: int
    basis_id: int
    fill_count: int
    is_incomplete: bool


class FillFile:
    """The fills of some deliveries in a temporary file, written by one binary COPY and read session by session.

    A million fills are 120 MB on the disk and never all in memory; nothing of a fill is parsed, numpy reads it as it
    is.

    Parameters
    ----------
    connection
        Inside a transaction.
    deliveries
        Ascending by session and account.
    instruments
        Symbols and currencies as stated (``None`` = not at all), all pairs that these fills name; in any order.
    folder
        Of the file; ``None`` = the system's for temporary files.
    """

    def __init__(
        self,
        connection: Connection,
        as_of: dt.datetime,
        deliveries: Sequence[Delivery],
        instruments: Collection[tuple[str, str | None]],
        folder: Path | None,
    ) -> None:
        self._deliveries = deliveries
        self._symbols = pd.Categorical([symbol for symbol, _ in instruments])
        self._currencies = pd.Categorical([currency or "" for _, currency in instruments])
        self._place_count = len(instruments) + 1
        binds = {
            "as_of": as_of,
            "delivery_ids": [delivery.delivery_id for delivery in deliveries],
            "symbols": self._symbols.tolist(),
            "currencies": self._currencies.tolist(),
            "place_count": self._place_count,
        }
        self._file = _temporary_file(folder)
        _copy_fills(connection, binds, self._file)
        counts = self._count_fills((self._file.tell() - _HEADER_BYTES - _TRAILER_BYTES) // _COPY_ROW.itemsize)
        self._bounds = [0, *np.cumsum(counts).tolist()]
        self._parts: dict[dt.date, list[range]] = {}
        for part in self._cut():
            for session_date in sorted({delivery.session_date for delivery in deliveries[part.start : part.stop]}):
                self._parts.setdefault(session_date, []).append(part)
        self._newest: tuple[range, dict[dt.date, Executions]] = (range(0), {})

    def _count_fills(self, row_count: int) -> NDArray[np.int64]:
        """Count the fills of each delivery."""
        counts = np.zeros(len(self._deliveries), dtype=np.int64)
        for start in range(0, row_count, PART_FILLS):
            places = self._rows(start, min(start + PART_FILLS, row_count))["place"].astype(np.int64)
            counts += np.bincount(places // self._place_count - 1, minlength=len(counts))
        return counts

    def _rows(self, start: int, stop: int) -> NDArray[np.void]:
        """Read some rows of the file, in which those of a delivery are together."""
        self._file.seek(_HEADER_BYTES + start * _COPY_ROW.itemsize)
        return np.fromfile(self._file, _COPY_ROW, stop - start)

    def _cut(self) -> Iterator[range]:
        """Cut the deliveries into parts of not too many fills, each account of a session whole."""
        start = stop = 0
        for _, group in groupby(self._deliveries, key=lambda delivery: delivery[:2]):
            if self._bounds[stop] - self._bounds[start] >= PART_FILLS:
                yield range(start, stop)
                start = stop
            stop += len(list(group))
        if stop:
            yield range(start, stop)

    def session(self, session_date: dt.date) -> Iterator[Executions]:
        """Yield a session's fills in parts; an account is whole in one of them."""
        for part in self._parts.get(session_date, ()):
            if self._newest[0] != part:
                self._newest = (range(0), {})
                self._newest = (part, session_executions(self._read(part)))
            if session_date in self._newest[1]:
                yield self._newest[1][session_date]

    def _read(self, part: range) -> pd.DataFrame:
        """Read a part's fills."""
        found = self._rows(self._bounds[part.start], self._bounds[part.stop])
        columns = {name: found[name].astype(np.int64) for name in COPY_COLUMNS}
        numbers, instruments = np.divmod(columns.pop("place"), self._place_count)
        tie = columns.pop("tie")
        deliveries = self._deliveries[part.start : part.stop]
        owners = pd.Categorical([delivery.account_id for delivery in deliveries])
        days = np.array([delivery.session_date.toordinal() for delivery in deliveries])
        basis_ids = np.array([delivery.basis_id for delivery in deliveries])
        numbers, instruments = numbers - part.start - 1, instruments - 1
        return pd.DataFrame(
            {
                "account_id": owners.take(numbers),
                "symbol": self._symbols.take(instruments),
                "currency": self._currencies.take(instruments),
                "day": days[numbers],
                "tie_rank": tie >> _RANK_SHIFT,
                "is_time_unknown": tie & _UNKNOWN_TIME != 0,
                "side": (tie & _SIDE).astype(np.uint8),
                "delivery_id": basis_ids[numbers],
                **columns,
            },
            copy=False,
        )

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


def _temporary_file(folder: Path | None) -> IO[bytes]:
    """Open a file without a name, gone when it is closed or its process ends."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _copy_fills(connection: Connection, binds: Mapping[str, Any], file: IO[bytes]) -> None:
    """Write fills into a file.

    By one process beside the one that sends: Python needs some of two processors, too. And by hashing, in the order in
    which the statement joins: the planner takes the fills with these symbols and currencies for a few, and would loop
    over them, or hash them instead of what they are joined with.
    """
    by_hashing = planning(
        connection,
        max_parallel_workers_per_gather=1,
        parallel_tuple_cost=0.02,
        enable_nestloop="off",
        join_collapse_limit=1,
        min_parallel_index_scan_size=0,
    )
    with by_hashing, connection.cursor() as cursor:
        query = cursor.mogrify(statement("aggregate_pnl/copy_fills"), binds).decode().strip().removesuffix(";")
        cursor.copy_expert(f"copy (\n{query}\n) to stdout (format binary)", file)


@contextlib.contextmanager
def second_thread() -> Iterator[Callable[..., None]]:
    """Yield a function that makes calls one after another in a thread of their own, while Postgres works for them.

    Whoever uses it leaves the connection alone meanwhile. Garbage is left uncollected: the books make none that
    refers to itself, and all else that is loaded is large.
    """
    waiting: deque[Future[None]] = deque()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with ThreadPoolExecutor(max_workers=1) as executor:

            def call(work: Callable[..., None], *arguments: Any) -> None:
                waiting.append(executor.submit(work, *arguments))
                if len(waiting) > WAITING_CALLS:
                    waiting.popleft().result()

            yield call
            for work in waiting:
                work.result()
    finally:
        if was_enabled:
            gc.enable()
