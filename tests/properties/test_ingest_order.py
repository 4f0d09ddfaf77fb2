"""The order of a file's rows changes neither the books nor the content of a delivery, if rows have ids or own times."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from risk.books.session import daily_pnl
from risk.cli import PNL_COLUMNS
from risk.core.settings import Settings
from risk.ingest.deliveries import find_deliveries
from risk.ingest.parse import Parser
from risk.ingest.read import read_drop
from risk.ingest.rules import RowRules
from tests.properties.effort import examples

RULES = RowRules(Settings(), dt.date(2025, 8, 29))
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Order Id,Fill Id,Status"

Row = tuple[str, ...]

moments = st.sampled_from(
    ("08/13/2025 10:00:00", "08/14/2025 10:00:00", "08/14/2025 10:00:00", "08/14/2025 10:00:01", "08/14/2025 00:00:00")
)
fills = st.tuples(
    moments,
    st.sampled_from(("NET001", "NET002")),
    st.sampled_from(("B", "S", "T", "C")),
    st.sampled_from(("100", "50")),
    st.sampled_from(("XYZ", "ABC")),
    st.sampled_from(("10", "11.5", "9.25")),
)
ids = st.tuples(
    st.sampled_from(("", "O1", "O2", "17")),
    st.sampled_from(("1", "2", "3", "10", "4-1", "4-10", "b", "B", "1" * 25, "2" * 24)),
    st.sampled_from(("", "", "", "CANCEL", "CORRECTED")),
)


def books(rows: list[Row]) -> tuple[Any, ...]:
    """Return the books, the rejected rows and the hashes of the deliveries of a file."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "fills.csv"
        path.write_text("\n".join([HEADER, *map(",".join, rows)]) + "\n")
        drop = read_drop(Path(name), Settings())
        found = find_deliveries(Parser(RULES).parse(path, lambda _: None), RULES)
    digests = dict(zip(found.places, found.counts["content_sha256"], strict=True))
    days = [tuple(getattr(day, name) for name in PNL_COLUMNS) for day in daily_pnl(drop.executions, [])]
    return days, sorted(reject.raw_text for reject in drop.rejects), len(drop.notices), digests


@examples(20)
@given(rows=st.lists(st.builds(tuple.__add__, fills, ids), max_size=12), shuffle=st.randoms(use_true_random=False))
def test_rows_with_ids_are_the_same_books_and_content_in_any_order(rows: list[Row], shuffle: Any) -> None:
    # Corrections of one id at one instant are the exception: the last line holds.
    unique = {(*row[:2], row[7]) if row[8] else (number,): row for number, row in enumerate(rows)}
    listed = list(unique.values())

    assert books(listed) == books(shuffle.sample(listed, len(listed)))


@examples(12)
@given(rows=st.lists(fills, max_size=12), shuffle=st.randoms(use_true_random=False))
def test_rows_with_times_of_their_own_are_the_same_books_and_content_in_any_order(
    rows: list[Row], shuffle: Any
) -> None:
    listed = [(f"08/14/2025 10:{number:02}:00", *row[1:], "", "", "") for number, row in enumerate(rows)]

    assert books(listed) == books(shuffle.sample(listed, len(listed)))


@examples(12)
@given(rows=st.lists(fills, min_size=2, max_size=8), turned=st.integers(0, 6))
@example(
    rows=[("08/14/2025 10:00:00", "A", "B", "1", "X", "1"), ("08/14/2025 10:00:00", "A", "S", "1", "X", "2")], turned=0
)
def test_turning_two_rows_of_one_instant_without_ids_is_new_content_unless_they_are_equal(
    rows: list[Row], turned: int
) -> None:
    listed = [("08/14/2025 10:00:00", "NET001", *row[2:], "", "", "") for row in rows]
    place = turned % (len(rows) - 1)
    other = [*listed[:place], listed[place + 1], listed[place], *listed[place + 2 :]]

    assert (books(listed)[-1] == books(other)[-1]) == (listed == other)


@examples(12)
@given(rows=st.lists(fills, max_size=10))
def test_file_with_the_newest_first_is_the_file_with_the_oldest_first(rows: list[Row]) -> None:
    listed = [(*row, "", "", "") for row in sorted(rows, key=lambda row: row[0])]
    first = ("08/12/2025 10:00:00", "NET001", "B", "1", "XYZ", "1", "", "", "")
    second = (first[0], "NET002", *first[2:])

    assert books([first, second, *listed]) == books([*reversed(listed), second, first])
