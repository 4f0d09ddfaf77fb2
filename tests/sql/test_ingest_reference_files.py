"""Loading marks, statements and adjustments: what is new is stored, and replaces what it is about."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from risk.core.warehouse import Connection
from tests.sql.test_ingest_loading import (
    fetch,
    load,
    row,
    totals,
    write,
)


def test_load_stores_only_marks_that_say_something_new(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row())
    header = "Date,Symbol,Price,Volume,Currency"
    write(tmp_path, "marks.csv", "08/15/2025,XYZ,10.5,100,USD", "08/15/2025,ABC,20,100,USD", header=header)
    load(connection, tmp_path)
    write(tmp_path, "marks.csv", "08/15/2025,XYZ,10.6,100,USD", "08/15/2025,ABC,20,100,USD", "x,y,z,,", header=header)

    second = load(connection, tmp_path)

    assert fetch(connection, "select symbol, price from risk.marks order by mark_id") == [
        ("ABC", Decimal("20")),
        ("XYZ", Decimal("10.5")),
        ("XYZ", Decimal("10.6")),
    ]
    assert totals(connection, second.load_id)["marks.csv"] == ("partly loaded", 3, 1, 1, 0, 1, 0)


def test_statements_define_current_as_the_newest_publication_known_then(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into risk.loads (source, is_simulated, through_session_date) values ('t', false, '2025-08-15')"
        )
        for published, recorded in (
            ("2025-08-16 10:00Z", "2025-08-16 11:00Z"),
            ("2025-08-15 10:00Z", "2025-08-17 11:00Z"),
            (None, "2025-08-18 11:00Z"),
            ("2025-08-18 10:00Z", "2025-08-19 11:00Z"),
        ):
            cursor.execute(
                "insert into risk.deliveries (load_id, file_name, account_id, session_date, content_sha256,"
                " published_at, recorded_at, row_count, loaded_count, rejected_count, duplicate_count)"
                " values (1, 'f', 'NET001', '2025-08-15', '', %s, %s, 0, 0, 0, 0)",
                (published, recorded),
            )

    known = [
        fetch(connection, f"select delivery_id from risk.current_deliveries('2025-08-{day} 12:00Z')")
        for day in (15, 16, 17, 18, 19)
    ]

    # nothing on the 15th; the older publication that arrives on the 17th changes nothing; without a publication the
    # time of recording counts (18th 11:00), later than the one published on the 18th at 10:00
    assert known == [[], [(1,)], [(1,)], [(3,)], [(3,)]]


def test_load_stores_statements_of_every_kind_and_only_what_is_new(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row())
    write(tmp_path, "instruments.csv", "08/01/2025,/ESU5,50", "08/18/2025,/ESU5,5", header="Date,Symbol,Multiplier")
    write(tmp_path, "splits.csv", "08/15/2025,XYZ,1:3", header="Date,Symbol,Ratio")
    first = load(connection, tmp_path)
    write(tmp_path, "splits.csv", "08/15/2025,XYZ,1:4", header="Date,Symbol,Ratio")

    load(connection, tmp_path)
    third = load(connection, tmp_path)

    assert fetch(connection, "select symbol, multiplier from risk.instruments") == [("/ESU5", Decimal(50))]
    assert totals(connection, first.load_id)["instruments.csv"] == ("loaded", 2, 1, 0, 0, 0, 1)
    assert fetch(connection, "select new_shares, old_shares from risk.splits order by split_id") == [(1, 3), (1, 4)]
    assert third.rejected_count == 0


def test_statement_file_read_again_for_a_bad_row_replaces_nothing_said_since(
    connection: Connection, tmp_path: Path
) -> None:
    header = "Date,Symbol,Price"
    early = ("08/14/2025,XYZ,10", "08/18/2025,XYZ,12")
    write(tmp_path, "fills.csv", row())
    write(tmp_path, "marks_a.csv", *early, "08/15/2025,ABC,-1", header=header)
    load(connection, tmp_path)
    write(tmp_path, "marks_b.csv", "08/14/2025,XYZ,11", header=header)
    load(connection, tmp_path)

    def known() -> list[tuple[Any, ...]]:
        days = "extract(day from session_date)::integer"
        return fetch(connection, f"select {days}, price from risk.marks where symbol = 'XYZ' order by mark_id")

    # Reading the first file again, because one of its rows is wrong, brings nothing back; what waited comes.
    for _ in range(2):
        load(connection, tmp_path)
    assert known() == [(14, 10), (14, 11)]
    load(connection, tmp_path, dt.date(2025, 8, 18))
    assert known() == [(14, 10), (14, 11), (18, 12)]

    # Once it is delivered anew, it is the newest.
    write(tmp_path, "marks_a.csv", *early, header=header)
    load(connection, tmp_path, dt.date(2025, 8, 18))
    assert known() == [(14, 10), (14, 11), (18, 12), (14, 10)]


def test_line_that_was_bad_in_an_earlier_file_of_the_name_is_heard_once_too(
    connection: Connection, tmp_path: Path
) -> None:
    header = "Date,Symbol,Price"
    write(tmp_path, "fills.csv", row())
    write(tmp_path, "marks_a.csv", "08/14/2025,XYZ,-1", header=header)
    load(connection, tmp_path)
    write(tmp_path, "marks_a.csv", "08/14/2025,XYZ,10", "08/15/2025,ABC,-1", header=header)
    load(connection, tmp_path)
    write(tmp_path, "marks_b.csv", "08/14/2025,XYZ,11", header=header)

    for _ in range(2):
        load(connection, tmp_path)

    assert fetch(connection, "select price from risk.marks where symbol = 'XYZ' order by mark_id") == [(10,), (11,)]


def test_load_replaces_the_adjustments_of_an_account_and_session_whole(connection: Connection, tmp_path: Path) -> None:
    header = "Date,Account,Offset Account,Category,Amount,Comment"
    write(tmp_path, "fills.csv", row())
    twice = "08/15/2025,NET001,NET002,Software,-10,fee"
    write(tmp_path, "adjustments.csv", twice, twice, "08/14/2025,NET001,,,5,", header=header)
    load(connection, tmp_path)
    before = booked(connection)
    load(connection, tmp_path)
    unchanged = booked(connection)
    write(tmp_path, "adjustments.csv", twice, "08/14/2025,NET001,,,5,", header=header)

    load(connection, tmp_path)

    # Two equal rows are two adjustments; what one account pays the other one gets.
    assert before == unchanged == [("NET001", 14, 5), ("NET001", 15, -20), ("NET002", 15, 20)]
    assert booked(connection) == [("NET001", 14, 5), ("NET001", 15, -10), ("NET002", 15, 10)]
    assert fetch(connection, "select count(*) from risk.adjustments") == [(4,)]

    # A zero is booked nowhere, and so takes back what was.
    write(tmp_path, "adjustments.csv", twice, "08/14/2025,NET001,,,0,", header=header)
    load(connection, tmp_path)
    assert booked(connection) == [("NET001", 15, -10), ("NET002", 15, 10)]


def booked(connection: Connection) -> list[tuple[Any, ...]]:
    """Sum what is booked by account and day of the month, as known now."""
    return fetch(
        connection,
        "select account_id, extract(day from session_date)::integer, sum(amount_usd) from "
        "booked_adjustments(clock_timestamp()) group by 1, 2 order by 1, 2",
    )
