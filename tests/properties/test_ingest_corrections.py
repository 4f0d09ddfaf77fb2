"""Corrections and renames mean the same in the warehouse, which applies them in SQL, and without one."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from tests.drops import read_fills
from tests.properties.effort import examples

HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Status,Currency,Fill Id"

records = st.tuples(
    st.sampled_from(("08/14/2025 09:45:00", "08/15/2025 09:45:00", "08/15/2025 10:00:00")),
    st.sampled_from(("NET001", "NET002")),
    st.just("B"),
    st.just("100"),
    st.sampled_from(("XYZ", "XYZ", "\u00df", "A" * 49)),
    st.sampled_from(("10", "11", "12")),
    st.sampled_from(("0.01", "0.01", "1e-2000000")),
    st.sampled_from(("", "", "BUST", "COR")),
    st.just("USD"),
    st.sampled_from(("1", "2", "3")),
)
"""Rows of which most correct another one, before or after it, in its session or the next."""

RENAMES = ("2025-08-15,NEW1,NET001", ",NEW1,NET002", "2025-08-15,NET002,NET001", "2025-08-19,NET001,NET002", ",Z,NEW1")
"""From a day on or always; two of them merge accounts, make a chain or a circle."""


@examples(30, [HealthCheck.function_scoped_fixture])
@given(rows=st.lists(records, max_size=12), renames=st.lists(st.sampled_from(RENAMES), max_size=2, unique=True))
def test_warehouse_and_plain_reading_agree_on_fills_and_rejects(
    connection: Connection, rows: list[tuple[str, ...]], renames: list[str]
) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "truncate risk.loads, risk.deliveries, risk.fills, risk.corrections, risk.fill_rejects, risk.source_files,"
            " risk.runs, risk.marks, risk.accounts cascade"
        )
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "fills.csv").write_text("\n".join([HEADER, *map(",".join, rows)]) + "\n")
        (Path(name) / "accounts.csv").write_text("\n".join(["Date,Account,Formerly", *renames]) + "\n")

        try:
            fills, rejects = read_fills(Path(name))
        except InputError:
            fills, rejects = None, None
        loaded = load_drop(connection, Path(name), dt.date(2025, 8, 18), Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, executed_at, tie_rank, side, quantity, symbol, price, currency,"
            " fees_usd from risk.current_fills(clock_timestamp())"
        )
        stored = cursor.fetchall()
        cursor.execute("select line_number, raw_text, reason from risk.fill_rejects")
        stored_rejects = cursor.fetchall()
    if fills is None or rejects is None:
        assert loaded.quarantined
    else:
        assert sorted(stored) == sorted(tuple(fill) for fill in fills)
        assert sorted(stored_rejects) == sorted((item.line_number, item.raw_text, item.reason) for item in rejects)
