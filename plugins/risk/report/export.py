"""Tables for other systems: daily results, limits, use and decisions as they were known at an instant."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from risk.books.warehouse import rebuild_as_of
from risk.core.calendar import last_finished_session
from risk.core.errors import RequestError
from risk.core.runs import create_tables
from risk.core.warehouse import Connection, records, writing
from risk.limits.publish import Outbound
from risk.limits.receipt_rows import store_receipts
from risk.limits.register import limits_in_force
from risk.limits.track_record import follow_running_pnl
from risk.report.facts import exact
from risk.report.render import csv_text
from risk.report.replay import unstored_run

AMOUNT: Final = pa.decimal128(38, 18)
"""Exact: the books have up to 16 decimals, those of a quantity and those of a price."""

INSTANT: Final = pa.timestamp("us", "UTC")

DAILY_RESULTS: Final = {
    "account_id": pa.string(),
    "session_date": pa.date32(),
    "fill_count": pa.int64(),
    "volume": AMOUNT,
    "gross_pnl_usd": AMOUNT,
    "fees_usd": AMOUNT,
    "net_pnl_usd": AMOUNT,
    "unrealized_pnl_usd": AMOUNT,
    "unrealized_delta_usd": AMOUNT,
    "total_pnl_usd": AMOUNT,
    "incomplete_reason": pa.string(),
}
LIMITS: Final = {
    "account_id": pa.string(),
    "limit_usd": AMOUNT,
    "source": pa.string(),
    "source_id": pa.int64(),
    "since": INSTANT,
}
USE: Final = {
    "account_id": pa.string(),
    "session_date": pa.date32(),
    "outcome": pa.string(),
    "limit_usd": AMOUNT,
    "limit_source": pa.string(),
    "limit_since": INSTANT,
    "use_ratio": AMOUNT,
    "largest_loss_usd": AMOUNT,
    "largest_loss_at": INSTANT,
    "final_usd": AMOUNT,
    "hit_kind": pa.string(),
    "hit_at": INSTANT,
    "breach_reasons": pa.string(),
}
DECISIONS: Final = {
    "decided_about": pa.string(),
    "decided_id": pa.int64(),
    "account_id": pa.string(),
    "effective_session": pa.date32(),
    "action": pa.string(),
    "limit_usd": AMOUNT,
    "reason": pa.string(),
    "user_name": pa.string(),
    "recorded_at": INSTANT,
}
TABLES: Final = {"daily_results": DAILY_RESULTS, "limits": LIMITS, "use": USE, "decisions": DECISIONS}
"""Columns and types of each table."""


class ExportFormat(StrEnum):
    """How a table is written."""

    parquet = "parquet"
    csv = "csv"


Rows = list[dict[str, Any]]


def read_tables(connection: Connection, as_of: dt.datetime) -> dict[str, Rows]:
    """Read every table as it was known at an instant.

    Books and use are built again from what had been recorded by then, so that a later restatement changes nothing.

    Parameters
    ----------
    connection
        Its statements write temporary tables from now on, nothing of the warehouse.
    as_of
        Cut-off on ``recorded_at``, UTC.

    Raises
    ------
    RequestError
        If the instant lies in the future, or nothing had been loaded until then.
    """
    if as_of > dt.datetime.now(dt.UTC):
        raise RequestError(f"--as-of {as_of.isoformat()} lies in the future: name an instant that has passed.")
    run = unstored_run(connection, last_finished_session(as_of), as_of)
    limits = limits_in_force(connection, as_of)
    decisions = records(connection, "export/select_decisions", {"as_of": as_of})
    with writing(connection):
        create_tables(connection, "pg_temp", ("derived",), as_of)
    rebuild_as_of(connection, run.session_date, as_of)
    with writing(connection):
        follow_running_pnl(connection, as_of)
    store_receipts(connection, run)
    through = {"through_session_date": run.session_date}
    return {
        "daily_results": records(connection, "export/select_daily_results", through),
        "limits": [{"account_id": name, **dataclasses.asdict(limit)} for name, limit in sorted(limits.items())],
        "use": records(connection, "export/select_use", through),
        "decisions": decisions,
    }


def write_tables(
    tables: Mapping[str, Rows], outbound: Outbound, desk: str, as_of: dt.datetime, export_format: ExportFormat
) -> Iterator[str]:
    """Write each table into a file of its own, once, and yield where it is.

    The same instant gives the same bytes, so that a second export changes nothing.

    Raises
    ------
    RequestError
        If an amount has more decimals than a Parquet file of ours holds.
    StackError
        If a file has other content, or cannot be written.
    """
    stamp = f"{as_of.astimezone(dt.UTC):%Y%m%dT%H%M%S}{f'.{as_of.microsecond:06}' if as_of.microsecond else ''}Z"
    for name, types in TABLES.items():
        content = (
            _csv(tables[name], types) if export_format is ExportFormat.csv else _parquet(name, tables[name], types)
        )
        yield outbound.write_once(f"{desk}-{name}-{stamp}.{export_format}", content)


def _csv(rows: Rows, types: Mapping[str, pa.DataType]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(types)
    writer.writerows([_cell(row[name]) for name in types] for row in rows)
    return stream.getvalue().encode()


def _cell(value: Any) -> str:
    """Write a value exactly, an amount as the tables of the page do; a text never runs as a formula."""
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return csv_text(value) if isinstance(value, str) else "" if value is None else str(value)


def _parquet(name: str, rows: Rows, types: Mapping[str, pa.DataType]) -> bytes:
    try:
        columns = [pa.array([row[column] for row in rows], kind) for column, kind in types.items()]
    except pa.ArrowInvalid as error:
        raise RequestError(
            f"The table {name} has an amount that Parquet's {AMOUNT} does not hold ({error}): use --format csv, which "
            "writes every decimal."
        ) from None
    stream = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(types)), stream, compression="zstd")
    return stream.getvalue()
