"""Fills out of the warehouse: one binary COPY into a temporary file, read session by session as columns.

A million fills are 120 MB on the disk and never all in memory; nothing of a fill is parsed, numpy reads it as it lies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.books.executions import Executions
from risk.books.paths import UNKNOWN_SECOND
from risk.books.prices import MIXED_CURRENCIES
from risk.books.scratch import binary_scratch
from risk.core.warehouse import Connection, planning, rows, statement

COLUMNS = ("place", "instant", "line", "quantity", "price", "fees")
"""Of ``copy_fills.sql``, in its order."""

_FIELDS = [("field_count", ">i2"), *chain.from_iterable(((f"{name}_size", ">i4"), (name, ">i8")) for name in COLUMNS)]
_ROW = np.dtype(_FIELDS)
"""As COPY writes a row of these columns, each of 8 bytes and none null: the count of fields, then size and value."""

_UNKNOWN_TIME = 0x80
_SIDE = 0x7F
"""What the lowest bits of ``line`` say."""

_LINE_SHIFT = 8
"""So many are these bits."""

_HEADER_BYTES = 19
_TRAILER_BYTES = 2

NOT_TOLD = ""
"""Stands for the currency of a fill whose source tells none; the first of all by its letters."""

PART_FILLS = 250_000
"""A session of more fills is computed in parts of about so many."""


class _Book(NamedTuple):
    """A delivery of an account and session, one of several where accounts were merged.

    Attributes
    ----------
    basis_id
        What the books note as the basis of the account and session, the same for all its deliveries.
    """

    session_date: dt.date
    account_id: str
    delivery_id: int
    basis_id: int


class FillFile:
    """The fills that some accounts' books are made of, on the disk.

    Parameters
    ----------
    connection
        Inside a transaction.
    scope
        Binds ``as_of``, ``through_session_date``, ``account_ids`` and their ``first_session_dates``.
    instruments
        Symbols and currencies as told (``None`` = not at all), all pairs that these fills name; in any order.
    """

    def __init__(
        self, connection: Connection, scope: Mapping[str, Any], instruments: Collection[tuple[str, str | None]]
    ) -> None:
        self._books = [_Book(*row) for row in rows(connection, "aggregate_pnl/select_books", scope)]
        symbols = [symbol for symbol, _ in instruments]
        currencies = [currency or NOT_TOLD for _, currency in instruments]
        self._symbols, self._symbol_numbers = np.unique([*symbols, ""], return_inverse=True)
        self._currencies, self._currency_numbers = np.unique([*currencies, NOT_TOLD], return_inverse=True)
        self._place_count = len(instruments) + 1
        binds = {
            "as_of": scope["as_of"],
            "delivery_ids": [book.delivery_id for book in self._books],
            "symbols": symbols,
            "currencies": currencies,
            "place_count": self._place_count,
        }
        self._file = binary_scratch()
        # One process beside the one that sends: Python needs some of two processors, too. And by hashing: the planner
        # takes the fills with these symbols and currencies for a few, and would loop over them.
        by_hashing = planning(
            connection, max_parallel_workers_per_gather=1, parallel_tuple_cost=0.02, enable_nestloop="off"
        )
        with by_hashing, connection.cursor() as cursor:
            query = cursor.mogrify(statement("aggregate_pnl/copy_fills"), binds).decode().strip().removesuffix(";")
            cursor.copy_expert(f"copy (\n{query}\n) to stdout (format binary)", self._file)
        counts = self._count_fills((self._file.tell() - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize)
        self._bounds = [0, *np.cumsum(counts).tolist()]
        self._parts: dict[dt.date, list[range]] = {}
        for part in self._cut():
            self._parts.setdefault(self._books[part.start].session_date, []).append(part)

    def _count_fills(self, row_count: int) -> NDArray[np.int64]:
        """Count the fills of each delivery."""
        counts = np.zeros(len(self._books), dtype=np.int64)
        for start in range(0, row_count, PART_FILLS):
            places = self._rows(start, min(start + PART_FILLS, row_count))["place"].astype(np.int64)
            counts += np.bincount(places // self._place_count - 1, minlength=len(counts))
        return counts

    def _rows(self, start: int, stop: int) -> NDArray[np.void]:
        """Read some rows of the file, in which those of a delivery lie together."""
        self._file.seek(_HEADER_BYTES + start * _ROW.itemsize)
        return np.fromfile(self._file, _ROW, stop - start)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def session(self, session_date: dt.date) -> Iterator[Executions]:
        """Yield a session's fills in parts; an account is whole in one of them."""
        for part in self._parts.get(session_date, ()):
            if self._bounds[part.start] < self._bounds[part.stop]:
                yield self._read(part)

    def _cut(self) -> Iterator[range]:
        """Cut the books into parts of one session and not too many fills, each account whole."""
        start = stop = 0
        for (session_date, _), group in groupby(self._books, key=lambda book: book[:2]):
            is_other = session_date != self._books[start].session_date
            if is_other or self._bounds[stop] - self._bounds[start] >= PART_FILLS:
                yield range(start, stop)
                start = stop
            stop += len(list(group))
        if stop:
            yield range(start, stop)

    def _read(self, part: range) -> Executions:
        """Read a part's fills, at least one, and bring them into the order of execution by account and symbol."""
        found = self._rows(self._bounds[part.start], self._bounds[part.stop])
        columns = {name: found[name].astype(np.int64) for name in COLUMNS}
        deliveries, instruments = np.divmod(columns.pop("place"), self._place_count)
        columns["delivery"], columns["instrument"] = deliveries - part.start - 1, instruments - 1
        columns["symbol"] = self._symbol_numbers[columns["instrument"]]
        books = self._books[part.start : part.stop]
        _, owners = np.unique([book.account_id for book in books], return_inverse=True)
        columns["group"] = owners[columns["delivery"]] * len(self._symbols) + columns["symbol"]
        # Of one line number in two deliveries the earlier delivery's comes first: so they lie there, and stay so.
        order = np.lexsort((columns["line"] >> _LINE_SHIFT, columns["instant"], columns["group"]))
        columns = {name: column[order] for name, column in columns.items()}
        starts = np.append(0, np.flatnonzero(np.diff(columns["group"])) + 1)
        heads = [books[number] for number in columns["delivery"][starts].tolist()]
        is_timed = columns["line"] & _UNKNOWN_TIME == 0
        return Executions(
            [book.account_id for book in heads],
            self._symbols[columns["symbol"][starts]].tolist(),
            self._told(self._currency_numbers[columns["instrument"]], starts),
            [book.basis_id for book in heads],
            starts,
            columns["quantity"],
            columns["price"],
            columns["fees"],
            np.where(is_timed, columns["instant"] // 1_000_000, UNKNOWN_SECOND),
            (columns["line"] & _SIDE).astype(np.uint8),
        )

    def _told(self, numbers: NDArray[np.int64], starts: NDArray[np.int64]) -> list[str | None]:
        """Say in which currency each account and symbol was traded: none is told, one, or several.

        Parameters
        ----------
        numbers
            Of each fill, the place of its currency among all, from 1; 0 = not told.
        """
        highest = np.maximum.reduceat(numbers, starts)
        lowest = np.minimum.reduceat(np.where(numbers == 0, len(self._currencies), numbers), starts)
        names = (None, *self._currencies[1:].tolist())
        return [
            names[high] if high <= low else MIXED_CURRENCIES
            for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
        ]
