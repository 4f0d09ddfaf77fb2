"""Account-sessions whose rows could not all be loaded: books of what came, no total, no part in the model."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.books.warehouse import aggregate
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop

THURSDAY, FRIDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
MANIFEST_HEADER = "file,account_id,session_date,published_at,fills"
ROUND_TRIP = ["08/14/2025 10:00:00,A1,B,10,XYZ,100,0.5,1", "08/14/2025 11:00:00,A1,S,10,XYZ,105,0.5,2"]
OTHER = ["08/14/2025 10:00:00,A2,B,10,XYZ,100,0.5,1", "08/14/2025 11:00:00,A2,S,10,XYZ,105,0.5,2"]
BAD_SIDE = "08/14/2025 12:00:00,A1,?,10,XYZ,105,0.5,3"


def write(folder: Path, *rows: str, name: str = "fills.csv", header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def write_manifest(folder: Path, fills: str, published_at: str = "2025-08-15T22:00:00+00:00") -> None:
    write(folder, f"fills.csv,A1,2025-08-14,{published_at},{fills}", name="manifest.csv", header=MANIFEST_HEADER)


def book(connection: Connection, folder: Path, session_date: dt.date = THURSDAY) -> Run:
    loaded = load_drop(connection, folder, session_date, Settings())
    run = open_run(connection, session_date, loaded.load_id, "test")
    aggregate(connection, run)
    return run


def books(connection: Connection) -> dict[tuple[str, dt.date], tuple[Any, ...]]:
    """Read gross, net and total P&L and the reason by account and session."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, gross_pnl_usd, net_pnl_usd, total_pnl_usd, incomplete_reason"
            " from derived.daily_pnl"
        )
        return {(account_id, day): tuple(rest) for account_id, day, *rest in cursor.fetchall()}


COMPLETE = (Decimal(50), Decimal(49), Decimal(49), None)  # 10 x (105 - 100), fees 1


@pytest.mark.parametrize(
    ("bad_row", "found"),
    [
        (BAD_SIDE, "side '?'"),
        (BAD_SIDE.replace("?", "B").replace("08/14", "14/14"), "14/14/2025"),  # undated: the file has one session of A1
        (BAD_SIDE.replace("?", "B").replace(",10,", ",0,"), "quantity '0'"),
        (BAD_SIDE.replace("?", "S").replace(",3", ",1"), "the id '1' occurs more than once"),
    ],
)
def test_account_session_with_a_rejected_row_keeps_its_amounts_and_has_no_total(
    connection: Connection, tmp_path: Path, bad_row: str, found: str
) -> None:
    write(tmp_path, *ROUND_TRIP, bad_row, *OTHER)

    book(connection, tmp_path)

    gross, net, total, reason = books(connection)["A1", THURSDAY]
    if "occurs more than once" not in found:  # there both rows of the id are out
        assert (gross, net) == (50, 49)
    assert total is None
    assert reason.startswith(
        ("1 of 3 rows of fills.csv rejected; first: fills.csv line 4, ", "2 of 3 rows of fills.csv")
    )
    assert found in reason
    assert books(connection)["A2", THURSDAY] == COMPLETE


@pytest.mark.parametrize(("column", "value"), [("quantity", "1e1000000000000000000"), ("price", "10000000000")])
def test_row_that_cannot_be_an_execution_leaves_its_account_session_complete(
    connection: Connection, tmp_path: Path, column: str, value: str
) -> None:
    quantity, price = (value, "105") if column == "quantity" else ("10", value)
    write(tmp_path, *ROUND_TRIP, f"08/14/2025 12:00:00,A1,B,{quantity},XYZ,{price},0.5,3")

    book(connection, tmp_path)

    assert books(connection) == {("A1", THURSDAY): COMPLETE}


def test_rows_of_no_account_leave_every_account_complete(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, *ROUND_TRIP, "Total,,,,,,,", HEADER, "08/14/2025 12:00:00,=cmd(),B,1,XYZ,1,0,9", "too,few")

    book(connection, tmp_path)

    assert books(connection) == {("A1", THURSDAY): COMPLETE}


def test_books_are_complete_again_once_the_row_is_right(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, *ROUND_TRIP, BAD_SIDE)
    book(connection, tmp_path)
    assert books(connection)["A1", THURSDAY][2] is None

    write(tmp_path, *ROUND_TRIP)
    book(connection, tmp_path)

    assert books(connection) == {("A1", THURSDAY): COMPLETE}


def test_carried_position_is_incomplete_when_every_row_of_its_session_is_rejected(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, ROUND_TRIP[0])
    book(connection, tmp_path, FRIDAY)  # Friday's books carry 10 at the mark of Thursday
    assert books(connection)["A1", FRIDAY][3] is None

    write(tmp_path, BAD_SIDE.replace("08/14", "08/15"), name="fills_friday.csv")
    run = book(connection, tmp_path, FRIDAY)

    assert books(connection)["A1", FRIDAY][2] is None
    assert "1 of 1 rows of fills_friday.csv rejected" in books(connection)["A1", FRIDAY][3]
    assert books(connection)["A1", THURSDAY][3] is None
    assert aggregate(connection, run).account_session_count == 0  # nothing is left to compute


def test_account_without_books_has_none_when_every_row_is_rejected(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, BAD_SIDE, *OTHER)

    run = book(connection, tmp_path)

    assert books(connection) == {("A2", THURSDAY): COMPLETE}
    assert aggregate(connection, run).account_session_count == 0


@pytest.mark.parametrize("stated", ["3", "1", "0"])
def test_account_session_is_incomplete_when_the_manifest_states_other_rows(
    connection: Connection, tmp_path: Path, stated: str
) -> None:
    write(tmp_path, *ROUND_TRIP)
    write_manifest(tmp_path, stated)

    book(connection, tmp_path)

    *amounts, reason = books(connection)["A1", THURSDAY]
    assert amounts == [50, 49, None]
    assert reason.startswith(f"fills.csv has 2 rows and manifest.csv states {stated}.")


@pytest.mark.parametrize("stated", ["2", "", "002"])
def test_account_session_is_complete_when_the_manifest_states_its_rows_or_none(
    connection: Connection, tmp_path: Path, stated: str
) -> None:
    write(tmp_path, *ROUND_TRIP)
    write_manifest(tmp_path, stated)

    book(connection, tmp_path)

    assert books(connection) == {("A1", THURSDAY): COMPLETE}


def test_account_session_is_complete_once_the_manifest_is_right(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, *ROUND_TRIP)
    write_manifest(tmp_path, "3")
    book(connection, tmp_path)

    write_manifest(tmp_path, "2", "2025-08-15T23:00:00+00:00")
    book(connection, tmp_path)

    assert books(connection) == {("A1", THURSDAY): COMPLETE}


def test_manifest_counts_a_repeated_execution_once_or_twice(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, *ROUND_TRIP, ROUND_TRIP[1])

    for stated in ("2", "3"):
        write_manifest(tmp_path, stated)
        book(connection, tmp_path)
        assert books(connection) == {("A1", THURSDAY): COMPLETE}
