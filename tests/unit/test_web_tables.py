"""Tables of the pages as CSV and XLSX: exact numbers, dates as dates, and no text that runs as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.errors import RequestError
from risk.web import exports
from risk.web.exports import csv_chunks, write_workbook
from risk.web.tables import COUNT, DATE, FORECAST, LIMIT, NAME, PERCENT, PNL, TEXT, TIME, Column, Table

COLUMNS = [
    Column("Trader", NAME, "account_id", link=lambda row: f"traders/{row['account_id']}"),
    Column("P&L", PNL, "total_pnl_usd"),
    Column("Cut", PERCENT, "cut_ratio"),
    Column("Fills", COUNT, "fill_count"),
    Column("Session", DATE, "session_date"),
    Column("Recorded", TIME, "recorded_at"),
    Column("Note", TEXT, "note"),
]
ROW: dict[str, Any] = {
    "account_id": "NET001",
    "total_pnl_usd": Decimal("-1033.2"),
    "cut_ratio": Decimal("0.4"),
    "fill_count": 12345,
    "session_date": dt.date(2025, 8, 15),
    # 11:30 in summer is four hours behind UTC.
    "recorded_at": dt.datetime(2025, 8, 15, 15, 30, tzinfo=dt.UTC),
    "note": "calm",
}


def table(*rows: dict[str, Any], columns: list[Column] | None = None) -> Table:
    return Table("limits", "Limits", "All of them.", columns or COLUMNS, list(rows))


def as_csv(shown: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(csv_chunks(shown)))))


def as_sheet(shown: Table, folder: Path) -> Any:
    write_workbook(shown, folder / "table.xlsx")
    return openpyxl.load_workbook(folder / "table.xlsx").active


def test_csv_holds_every_value_exactly_under_headings_with_units() -> None:
    heads, row = as_csv(table(ROW))

    assert heads == [
        "Trader",
        "P&L (US dollars)",
        "Cut (ratio)",
        "Fills",
        "Session",
        "Recorded (New York)",
        "Note",
    ]
    assert row == ["NET001", "-1033.20", "0.40", "12345", "2025-08-15", "2025-08-15T11:30:00-04:00", "calm"]


def test_sheet_holds_numbers_dates_and_instants_as_such(tmp_path: Path) -> None:
    sheet = as_sheet(table(ROW), tmp_path)

    kinds = [cell.data_type for cell in sheet[2]]
    values = [cell.value for cell in sheet[2]]
    assert kinds == ["s", "n", "n", "n", "d", "d", "s"]
    assert values == [
        "NET001",
        -1033.2,
        0.4,
        12345,
        dt.datetime.fromisoformat("2025-08-15"),
        dt.datetime.fromisoformat("2025-08-15T11:30"),
        "calm",
    ]
    assert sheet["B2"].number_format == "#,##0.00;-#,##0.00"
    assert sheet["C2"].number_format == "0%"


def test_a_missing_value_is_an_empty_cell_and_words_on_the_page(tmp_path: Path) -> None:
    shown = table({**ROW, "total_pnl_usd": None})

    assert as_csv(shown)[1][1] == ""
    assert as_sheet(shown, tmp_path)["B2"].value is None
    assert next(shown.cells())[1].text == "unknown"
    assert next(shown.cells())[1].data_value is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\tcalm", "\r=1", "\uff1d1+1"])
def test_text_that_a_spreadsheet_would_run_is_text(text: str, tmp_path: Path) -> None:
    shown = table({**ROW, "note": text, "account_id": text})

    row = as_csv(shown)[1]
    # The quote precedes the text; a break of the line became a blank.
    assert row[0] == row[6] == "'" + " ".join(text.splitlines())
    cell = as_sheet(shown, tmp_path)["G2"]
    assert (cell.data_type, str(cell.value).strip()) == ("s", text.strip())


def test_a_negative_number_has_no_quote() -> None:
    assert as_csv(table({**ROW, "total_pnl_usd": Decimal("-5")}))[1][1] == "-5.00"


@given(st.decimals(-(10**9), 10**9, places=2))
def test_cents_are_the_same_in_csv_and_on_the_page(amount: Decimal) -> None:
    shown = table({**ROW, "total_pnl_usd": amount})

    written = next(shown.cells())[1].text
    assert Decimal(as_csv(shown)[1][1]) == amount
    assert Decimal(written.replace("$", "").replace(",", "")) == amount


def test_a_binary_fraction_counts_to_the_cent() -> None:
    shown = table({"loss": 0.1 + 0.2}, columns=[Column("95% VaR", FORECAST, "loss")])

    assert as_csv(shown)[1] == ["0.30"]


def test_one_cell_may_say_more_on_the_page_than_its_exact_value() -> None:
    columns = [
        Column("Published", LIMIT, "limit", words=lambda row: f"{row['limit']} (approved)"),
        Column("Decision", TEXT, lambda _: "approved", is_shown=False),
    ]
    shown = table({"limit": Decimal(4000)}, columns=columns)

    assert [cell.text for cell in next(shown.cells())] == ["4000 (approved)"]
    assert as_csv(shown) == [["Published (US dollars)", "Decision"], ["4000.00", "approved"]]


def test_a_sheet_that_cannot_hold_all_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SHEET_ROWS", 2)

    with pytest.raises(RequestError, match="A sheet holds 2 rows and this table has more: ask for format=csv"):
        write_workbook(table(ROW, ROW, ROW), tmp_path / "table.xlsx")


def test_a_long_table_is_written_as_its_rows_are_read() -> None:
    read = []

    def rows() -> Any:
        for number in range(2_000):
            read.append(number)
            yield ROW

    chunks = csv_chunks(Table("limits", "Limits", "", COLUMNS, rows()))
    next(chunks)

    # The heading and 499 rows are the first chunk.
    assert len(read) == 499
    assert sum(chunk.count("\n") for chunk in chunks) == 1_501


def test_a_name_of_a_sheet_holds_what_a_sheet_may_be_called(tmp_path: Path) -> None:
    named = Table("limits", "Limits [of] a/b: what 'x'? wrote and many words more", "", COLUMNS, [ROW])

    # Letters that a sheet's name must not have are blanks; it ends after 31.
    assert as_sheet(named, tmp_path).title == "Limits  of  a b  what  x   wrot"


def test_a_text_that_no_cell_can_hold_is_cut(tmp_path: Path) -> None:
    sheet = as_sheet(table({**ROW, "note": "x" * 40_000}), tmp_path)

    assert sheet["G2"].value == "x" * 32_767
