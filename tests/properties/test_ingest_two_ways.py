"""SQL and plain Python judge any file alike: the same fills, the same rejected lines, the same sentences."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from risk.core.errors import InputError
from risk.core.warehouse import Connection
from risk.ingest.loading import load_drop
from risk.ingest.reading import read_drop

HEADER = ("Date/Time", "Account", "B/S", "Qty", "Symbol", "Price", "Comm", "Ecn Fee", "Status", "Currency", "Fill Id")

DATES = ("08/14/2025", "08/15/2025", "08/16/2025", "02/30/2025", "13/01/2025", "08/15/2099", "03/09/2025", "11/03/2024")
TIMES = ("00:00:00", "01:30:00", "02:30:00", "09:45:00", "23:59:59", "24:00:00", "12:00:60")
NUMBERS = (
    *("1", "0", "-1", "+2", ".5", "7.", "1e3", "0x1F", "1_000", "NaN", "Infinity", "", " ", "1 2", "٣", "1,5", "--1"),
    *("0.123456789", "0.100000000", "9999999999.99999999", "10000000000", "12.5", "100", "1" * 500),
)
ACCOUNTS = ("NET001", "NET001 ", "NET002_OLD", "=cmd()", "", "A" * 20 + "1", "A" * 20 + "2", "N\n1", "é", "X" * 51)
SYMBOLS = ("XYZ", "xyz", " ABC ", "@CADUSD", "AAPL  250117C00150000", "", "<b>", "A" * 49)


def mostly(usual: str, *odd: str) -> st.SearchStrategy[str]:
    """Draw the usual value three times of four, so that many rows are good."""
    return st.integers(0, 3).flatmap(lambda draw: st.just(usual) if draw else st.sampled_from((usual, *odd)))


records = st.tuples(
    st.tuples(mostly("08/15/2025", *DATES), mostly("09:45:00", *TIMES)).map(" ".join),
    mostly("NET001", *ACCOUNTS),
    mostly("B", "S", "T", "C", "X", "b", "", " B"),
    mostly("100", *NUMBERS),
    mostly("XYZ", *SYMBOLS),
    mostly("12.5", *NUMBERS),
    mostly("0.01", *NUMBERS),
    mostly("", *NUMBERS),
    mostly("", "X", " ", "BUST", "Cancelled", " cor ", "corrected", "bu\u017ft"),
    mostly("USD", "", "CAD", "usd"),
    mostly("", "1", "2", "3"),
)


corrections = st.tuples(
    st.sampled_from(("08/14/2025 09:45:00", "08/15/2025 09:45:00", "08/15/2025 10:00:00")),
    st.sampled_from(("NET001", "NET002")),
    st.just("B"),
    st.just("100"),
    st.just("XYZ"),
    st.sampled_from(("10", "11", "12")),
    st.just("0.01"),
    st.just(""),
    st.sampled_from(("", "", "BUST", "COR")),
    st.just("USD"),
    st.sampled_from(("1", "2", "3")),
)
"""Good rows of which most correct another one, before or after it, in its session or the next."""


RENAMES = ("2025-08-15,NEW1,NET001", ",NEW1,NET002", "2025-08-15,NET002,NET001", "2025-08-19,NET001,NET002", ",Z,NEW1")
"""From a day on or always; two of them merge accounts, make a chain or a circle."""


def quoted(field: str, *, is_quoted: bool) -> str:
    """Write a field as CSV, in quotes where it must be or where the file quotes everything."""
    return f'"{field}"' if is_quoted or "," in field or "\n" in field else field


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(records, max_size=12) | st.lists(corrections, max_size=12),
    ragged=st.booleans(),
    is_quoted=st.booleans(),
    ending=st.sampled_from("\n "),
    renames=st.lists(st.sampled_from(RENAMES), max_size=2, unique=True),
)
def test_loading_and_reading_agree_on_every_line(
    connection: Connection,
    rows: list[tuple[str, ...]],
    ragged: bool,
    is_quoted: bool,
    ending: str,
    renames: list[str],
) -> None:
    lines = [",".join(quoted(field, is_quoted=is_quoted) for field in fields) for fields in (HEADER, *rows)]
    if ragged:
        lines.insert(1 + len(rows) // 2, "too,few")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "truncate loads, deliveries, fills, corrections, fill_rejects, source_files, runs, marks, accounts cascade"
        )
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "fills.csv").write_text("\n".join(lines) + ending.strip(" "))
        (Path(name) / "accounts.csv").write_text("\n".join(["Date,Account,Formerly", *renames]) + "\n")

        try:
            fills, rejects = read_drop(Path(name), None)
        except InputError:
            fills, rejects = None, None
        loaded = load_drop(connection, Path(name), dt.date(2025, 8, 18), is_simulated=False)

    with connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, executed_at, line_number, side, quantity, symbol, price, currency,"
            " fees_usd from current_fills(clock_timestamp())"
        )
        stored = cursor.fetchall()
        cursor.execute("select line_number, raw_text, reason from fill_rejects")
        stored_rejects = cursor.fetchall()
    if fills is None:
        assert loaded.quarantined
    else:
        assert sorted(stored) == sorted(tuple(fill) for fill in fills)
        assert sorted(stored_rejects) == sorted((item.line_number, item.raw_text, item.reason) for item in rejects)
