"""What is wrong with statements, sides and times is reported by name, with what it blocks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from risk.books import warehouse
from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop

SESSION = dt.date(2025, 8, 15)


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join(lines) + "\n")


def run_line(connection: Connection, dsn: str, folder: Path) -> dict[str, dict[str, str]]:
    """Load, check and aggregate; return what was found: message by check and subject."""
    loaded = load_drop(connection, folder, SESSION, Settings())
    run = open_run(connection, SESSION, loaded.load_id, "test")
    check_fills(connection, dsn, run)
    aggregate(connection, run)
    aggregate(connection, run)
    return found(connection, run)


def found(connection: Connection, run: Run) -> dict[str, dict[str, str]]:
    messages: dict[str, dict[str, str]] = {}
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select check_name, subject, message from quality_results where run_id = %s and not has_passed",
            (run.run_id,),
        )
        for check_name, subject, message in cursor.fetchall():
            messages.setdefault(check_name, {})[subject] = message
    return messages


def test_sides_that_contradict_the_position_are_named_with_account_symbol_and_fill(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "fills.csv",
        "Date/Time,Account,B/S,Qty,Symbol,Price,Fill Id",
        "08/15/2025 10:00:00,NET001,B,100,XYZ,10,1",
        "08/15/2025 10:01:00,NET001,T,40,XYZ,11,2",
        "08/15/2025 10:02:00,NET001,T,60,XYZ,12,3",
        "08/15/2025 10:03:00,NET001,T,50,XYZ,12,4",
        "08/15/2025 10:04:00,NET001,C,50,XYZ,11,5",
        "08/15/2025 10:05:00,NET002,C,5,ABC,11,6",
        "08/15/2025 10:06:00,NET002,S,5,ABC,12,7",
        "08/15/2025 10:07:00,NET003,S,5,ABC,12,8",
        "08/15/2025 10:08:00,NET003,B,5,ABC,11,9",
    )

    odd = run_line(connection, warehouse_dsn, tmp_path)["sides_fit"]

    # NET003's source knows only B and S: its sale from flat is a short and nothing is odd.
    assert odd.keys() == {"NET001 XYZ", "NET002 ABC"}
    assert odd["NET001 XYZ"] == (
        "Account NET001, XYZ: 2 execution(s) contradict the position they met, first a short sale (T) of 40 at "
        "10:01:00, fill 2, line 3, while long. The position was taken as it is; check the sides at the source."
    )
    assert "a cover (C) of 5 at 10:05:00, fill 6, line 7, beyond the short position" in odd["NET002 ABC"]


def test_sides_that_contradict_are_listed_for_some_positions_and_the_rest_is_counted(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "REPORTED", {**warehouse.REPORTED, "shown_count": 2})
    rows = [f"08/15/2025 10:00:0{number},NET00{number},C,5,XYZ,10,{number}" for number in range(5)]
    write(tmp_path, "fills.csv", "Date/Time,Account,B/S,Qty,Symbol,Price,Fill Id", *rows)

    messages = run_line(connection, warehouse_dsn, tmp_path)["sides_fit"]

    assert list(messages) == ["(others)", "NET000 XYZ", "NET001 XYZ"]
    assert messages["(others)"] == "3 more accounts and symbols with such executions are not listed."


def test_statements_that_cannot_be_right_are_named_with_what_they_block(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "fills.csv",
        "Date/Time,Account,B/S,Qty,Symbol,Price,Fill Id,Currency",
        "08/15/2025 00:00:00,NET001,B,100,SHOP,10,1,CAD",
        "08/15/2025 10:01:00,NET002,B,1,/ESU5,5000,2,USD",
    )
    write(tmp_path, "marks.csv", "Date,Symbol,Price", "08/15/2025,@CADUSD,-0.72")
    write(tmp_path, "instruments.csv", "Date,Symbol,Multiplier", "08/15/2025,/ESU5,50", "08/15/2025,/ESU5,5")
    write(
        tmp_path,
        "adjustments.csv",
        "Date,Account,Offset Account,Category,Amount,Comment",
        "08/15/2025,NET001,GHOST,Software,-140,fee",
    )

    messages = run_line(connection, warehouse_dsn, tmp_path)

    assert "price '-0.72' is not above zero" in messages["reference_rows_valid"]["marks.csv 2"]
    assert "stated in two ways" in messages["reference_rows_valid"]["instruments.csv 2"]
    assert messages["adjustments_known"] == {
        "GHOST": "GHOST: 1 adjustment(s), $140.00 in total, for an account without any delivery, first in "
        "adjustments.csv line 2. No report includes them until the account is known. Check the name."
    }
    assert "No rate in US dollars for the currency of SHOP (CAD)" in messages["books_complete"]["NET001"]
    assert "No single multiplier for /ESU5" in messages["books_complete"]["NET002"]
    assert "1 of 1 executions have no time of day" in messages["times_known"]["NET001"]

    # Another file that is right heals all of it.
    write(tmp_path, "marks.csv", "Date,Symbol,Price", "08/15/2025,@CADUSD,0.72")
    write(tmp_path, "instruments.csv", "Date,Symbol,Multiplier", "08/15/2025,/ESU5,50")
    write(tmp_path, "adjustments.csv", "Date,Account,Amount", "08/15/2025,NET001,-140")

    assert run_line(connection, warehouse_dsn, tmp_path).keys() == {"times_known"}


def test_rejected_rows_of_statements_are_told_while_they_lie_there_and_are_wrong(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", "Date/Time,Account,B/S,Qty,Symbol,Price", "08/15/2025 10:00:00,NET001,B,100,XYZ,10")
    write(tmp_path, "marks.csv", "Date,Symbol,Price", "08/15/2025,XYZ,-9")
    for name in ("adjustments_a.csv", "adjustments_b.csv"):
        write(tmp_path, name, "Date,Account,Amount", "08/15/2025,NET001,-140")
    found = run_line(connection, warehouse_dsn, tmp_path)["reference_rows_valid"]
    assert found.keys() == {"marks.csv 2", "adjustments_a.csv 2", "adjustments_b.csv 2"}

    # The file of marks grows, the one adjustment too many is gone: what is still wrong is reported.
    write(tmp_path, "marks.csv", "Date,Symbol,Price", "08/15/2025,XYZ,-9", "08/15/2025,ABC,9")
    write(tmp_path, "adjustments_b.csv", "Date,Account,Amount")

    assert run_line(connection, warehouse_dsn, tmp_path)["reference_rows_valid"].keys() == {"marks.csv 2"}


def test_mark_in_another_currency_than_its_symbol_is_named_because_it_is_not_used(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    # SHOP's executions state no currency, so it is taken for dollars; its mark says otherwise.
    write(
        tmp_path,
        "fills.csv",
        "Date/Time,Account,B/S,Qty,Symbol,Price",
        "08/15/2025 10:00:00,NET001,B,100,SHOP,120",
        "08/15/2025 10:00:00,NET001,B,100,RY.TO,180",
        "08/15/2025 10:00:00,NET001,B,100,@CADUSD,0.71",
    )
    marks = ["Date,Symbol,Price,Currency", "08/15/2025,SHOP,121,CAD", "08/15/2025,RY.TO,181,CAD"]
    write(tmp_path, "marks.csv", *marks, "08/15/2025,@CADUSD,0.72,CAD")

    assert run_line(connection, warehouse_dsn, tmp_path)["marks_usable"] == {
        "SHOP": "The closing price of SHOP on 2025-08-15 is in CAD, and 1 account(s) hold or traded it in USD, as "
        "executions, an instruments file or its name say: it is not used. Correct it, or state the currency in an "
        "instruments file."
    }

    write(tmp_path, "instruments.csv", "Date,Symbol,Currency", "2025-01-01,SHOP,CAD")

    assert "marks_usable" not in run_line(connection, warehouse_dsn, tmp_path)


def test_option_in_two_currencies_ends_with_its_last_session_and_stops_nobody(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    option = "AAPL  250815C00150000"
    write(
        tmp_path,
        "fills.csv",
        "Date/Time,Account,B/S,Qty,Symbol,Price,Currency",
        f"08/14/2025 10:00:00,NET001,B,2,{option},1.50,CAD",
        f"08/15/2025 10:00:00,NET001,B,1,{option},1.20,USD",
        f"08/14/2025 10:00:00,NET002,B,2,{option},1.50,CAD",
    )
    write(tmp_path, "marks.csv", "Date,Symbol,Price,Currency", "08/15/2025,@CADUSD,0.72,USD")

    messages = run_line(connection, warehouse_dsn, tmp_path)["books_complete"]

    assert "More than one currency for AAPL  250815C00150000" in messages["NET001"]
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, quantity, expired_quantity, realized_pnl from positions where session_date = %s "
            "order by account_id",
            (SESSION,),
        )
        # NET002 loses 2 x 100 x 1.50 Canadian dollars.
        assert cursor.fetchall() == [("NET001", 0, -3, None), ("NET002", 0, -2, -300)]


def test_a_wrong_split_is_taken_back_by_one_for_one(connection: Connection, warehouse_dsn: str, tmp_path: Path) -> None:
    trades = ("08/14/2025 10:00:00,NET001,B,7,XYZ,99.99", "08/15/2025 10:00:00,NET001,S,5,XYZ,101")
    write(tmp_path, "fills.csv", "Date/Time,Account,B/S,Qty,Symbol,Price", *trades)

    def position(*splits: str) -> tuple[Decimal, Decimal]:
        write(tmp_path, "splits.csv", "Date,Symbol,Ratio", *splits)
        run_line(connection, warehouse_dsn, tmp_path)
        with connection, connection.cursor() as cursor:
            cursor.execute("select quantity, realized_pnl from positions where session_date = %s", (SESSION,))
            (held,) = cursor.fetchall()
        return held

    # 5 x (101 - 99.99); 21 of 33.33 from 7
    assert position() == (2, Decimal("5.05"))
    assert position("08/15/2025,XYZ,3") == (16, Decimal("338.35"))
    assert position("08/15/2025,XYZ,1") == (2, Decimal("5.05"))
