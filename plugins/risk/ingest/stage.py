"""Bringing rows into Postgres by COPY: small lists as they are, executions from a file that Arrow keeps them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from psycopg2 import sql
from pyarrow import compute
from pyarrow import csv as arrow_csv

from risk.core.warehouse import Connection
from risk.ingest.deliveries import FileDeliveries
from risk.ingest.parse import SCALE

FILL_COLUMNS: Final = (
    *("delivery_id", "line_number", "account_id", "session_date", "executed_at", "is_time_unknown", "tie_rank", "side"),
    *("quantity", "symbol", "price", "currency", "fees_usd", "fill_key", "order_id", "route"),
)
CORRECTION_COLUMNS: Final = (
    *("delivery_id", "line_number", "account_id", "session_date", "executed_at", "tie_rank", "kind", "fill_key"),
    *("order_id", "side", "quantity", "symbol", "price", "currency", "fees_usd"),
)


QUOTE: Final = '"'
CHUNK_SIZE: Final = 1 << 20

_CHARACTERS: Final = pa.array([chr(code) for code in range(128)])


class FileLog(NamedTuple):
    """A row of ``source_files``: what a load did with a file; its records are the sum of the counts.

    ``state`` is blank where the counts say it.
    """

    file_name: str
    content_sha256: str
    manifest_entries: str | None = None
    reason: str | None = None
    loaded_count: int = 0
    rejected_count: int = 0
    duplicate_count: int = 0
    unchanged_count: int = 0
    deferred_count: int = 0
    is_reference: bool = False
    state: str = ""

    def row(self, load_id: int) -> tuple[object, ...]:
        """Return the row of a load, by ``LOG_COLUMNS``."""
        counts = (self.loaded_count, self.rejected_count, self.duplicate_count, self.unchanged_count)
        state = self.state or ("partly loaded" if self.rejected_count else "loaded")
        return (load_id, *self[:-1], state, sum(counts) + self.deferred_count)


LOG_COLUMNS: Final = ("load_id", *FileLog._fields, "row_count")


class StagedReject(NamedTuple):
    """A row of ``staged_rejects``."""

    file_name: str
    line_number: int
    raw_text: str
    reason: str
    cause: str
    content_sha256: str
    delivery_id: int | None = None
    account_id: str | None = None
    session_date: dt.date | None = None
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """What COPY reads chunks from, whatever size it asks for; to COPY an empty one would be the end."""

    chunks: Iterator[bytes]

    def read(self, _size: int = -1, /) -> bytes:
        return next(self.chunks, b"")

    readline = read


def copy_chunks(connection: Connection, table: str, columns: Iterable[str], chunks: Iterable[bytes]) -> int:
    """Copy CSV into some columns of a table and return the number of rows."""
    command = sql.SQL("copy {} ({}) from stdin with (format csv, encoding 'UTF8')").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        cursor.copy_expert(command, _Source(filter(None, chunks)))
        return int(cursor.rowcount)


def row_chunks(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Format rows as CSV, about a megabyte at a time, with every value in quotes: ``None`` becomes null."""
    lines, size = list[str](), 0
    for row in rows:
        lines.append(
            ",".join("" if value is None else f'"{str(value).replace(QUOTE, 2 * QUOTE)}"' for value in row) + "\n"
        )
        size += len(lines[-1])
        if size >= CHUNK_SIZE:
            yield "".join(lines).encode()
            lines, size = [], 0
    yield "".join(lines).encode()


def execution_chunks(
    deliveries: FileDeliveries, tables: Iterable[pa.Table], delivery_ids: NDArray[np.int64], columns: Sequence[str]
) -> Iterator[bytes]:
    """Format the executions or corrections of new deliveries as CSV, a table at a time.

    Parameters
    ----------
    tables
        Of the parsed file, see `risk.ingest.parse.EXECUTIONS`.
    delivery_ids
        Stored key of each delivery; 0 = it says nothing new.
    columns
        Of the table in the warehouse.
    """
    if not delivery_ids.any():
        return
    account_ids = pa.array([account_id for account_id, _ in deliveries.places], pa.string())
    session_dates = pa.array([session_date for _, session_date in deliveries.places], pa.date32())
    for parsed in tables:
        # The fills of a delivery lie together: those of one account are then on few pages.
        table = deliveries.select(parsed, delivery_ids > 0).sort_by("place")
        place = table["place"]
        stored = {
            **{name: table[name] for name in ("line_number", "is_time_unknown", "tie_rank", "symbol", "kind")},
            **{name: _decimals(table[name]) for name in ("quantity", "price", "fees_usd")},
            **{
                name: compute.if_else(compute.equal(table[name], ""), pa.scalar(None, pa.string()), table[name])
                for name in ("currency", "fill_key", "order_id", "route")
            },
            "delivery_id": pa.array(delivery_ids).take(place),
            "account_id": account_ids.take(place),
            "session_date": session_dates.take(place),
            "executed_at": _instants(table["microsecond"]),
            "side": _CHARACTERS.take(table["side"]),
        }
        sink = pa.BufferOutputStream()
        options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed")
        arrow_csv.write_csv(pa.table({name: stored[name] for name in columns}), sink, options)
        yield sink.getvalue().to_pybytes()


def _instants(microseconds: pa.ChunkedArray) -> pa.Array:
    """Return instants as timestamps, in whole seconds where they are all such: that is less text."""
    seconds, rest = np.divmod(microseconds.to_numpy(), 1_000_000)
    unit, values = ("us", microseconds) if rest.any() else ("s", pa.array(seconds))
    return values.cast(pa.timestamp(unit, tz="UTC"))


def _decimals(amounts: pa.ChunkedArray) -> pa.Array:
    """Return amounts scaled by 1e8 as decimals: a decimal of 128 bits is that integer, its sign in the upper half."""
    lower = amounts.to_numpy()
    halves = np.column_stack((lower, lower >> 63))
    return pa.Array.from_buffers(pa.decimal128(18, SCALE), len(lower), [None, pa.py_buffer(halves)])
