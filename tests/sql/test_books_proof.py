"""The second way of computing the books, in SQL: which wrong number it finds, where, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.books.warehouse import aggregate
from risk.core.calendar import sessions_between
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, execute, rows
from risk.ingest.load import load_drop

MON, TUE, WED, THU, FRI = sessions_between(dt.date(2025, 8, 4), dt.date(2025, 8, 8))
OPTION, SPLIT, SHORT = "XYZ   250808C00150000", "X     250809P00100000", "X     250808P00100000"
DESK = {
    "fills.csv": [
        "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Currency",
        "08/04/2025 10:00:00,NET001,B,10,XYZ,5,0.1,",
        "08/05/2025 10:00:00,NET001,S,5,XYZ,4.0103,0.2533,",
        f"08/07/2025 10:00:00,NET001,B,3,{OPTION},3,0,",
        f"08/08/2025 10:00:00,NET001,S,1,{OPTION},3,0,",
        "08/04/2025 10:00:00,NET002,B,100,SHOP,10,0,CAD",
        "08/06/2025 10:00:00,NET002,S,40,SHOP,12,0,CAD",
        "08/04/2025 10:00:00,NET002,T,7,ABC,9,0,",
        # long in what the other is short, and short after a sale on the day of the reverse split
        "08/04/2025 10:00:00,NET003,B,9,ABC,9,0.1,",
        "08/06/2025 10:00:00,NET003,S,4,ABC,27,0,",
        # of merged accounts: twice the same
        "08/04/2025 10:00:00,OLD1,B,1,GEM,5,0.1,",
        "08/04/2025 10:00:00,OLD2,B,1,GEM,5,0.1,",
        "08/05/2025 10:00:00,OLD2,S,2,GEM,6,0,",
        # a multiplier that changes; options that end on a Saturday, on Monday, in the past and never, and no option
        "08/04/2025 10:00:00,NET003,B,1,/ESU5,100,0,",
        *(f"08/07/2025 10:00:00,NET003,T,1,{option},2,0," for option in (SPLIT, SHORT)),
        "08/07/2025 10:00:00,NET003,B,1,ABC   250811P00100000,2,0,",
        "08/08/2025 10:00:00,NET003,B,1,ABC   250806P00100000,2,0,",
        "08/08/2025 10:00:00,NET003,B,1,ABC   251399P00100000,2,0,",
        "08/08/2025 10:00:00,NET003,B,1,ABC   250808Z00100000,2,0,",
    ],
    "splits.csv": ["Date,Symbol,Ratio", "2025-08-05,XYZ,3:2", "2025-08-06,ABC,1:3", f"2025-08-08,{SPLIT},2:1"],
    "accounts.csv": ["Date,Account,Formerly", "2025-08-11,NET003,OLD1", "2025-08-11,NET003,OLD2"],
    "instruments.csv": ["Date,Symbol,Multiplier,Currency", "2025-08-04,/ESU5,50,", "2025-08-06,/ESU5,10,"],
    "marks.csv": [
        "Date,Symbol,Price,Currency",
        *(f"2025-08-0{day},XYZ,{price}," for day, price in zip("45678", ("6", "4.5", "4.2", "4", "4.1"), strict=True)),
        "2025-08-04,SHOP,10.5,CAD",
        "2025-08-05,SHOP,11,CAD",
        "2025-08-04,@CADUSD,0.7,USD",
        "2025-08-05,@CADUSD,0.8,USD",
    ],
}
"""Long and short, carried, split, expired, in another currency; the sums are beside the tests."""


@pytest.fixture
def binds(connection: Connection, tmp_path: Path) -> dict[str, Any]:
    """Make the books of the desk, and give what the statements about all of it bind."""
    for name, lines in DESK.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    loaded = load_drop(connection, tmp_path, FRI, Settings())
    run = open_run(connection, FRI, loaded.load_id, "test")
    aggregate(connection, run)
    accounts = ["NET001", "NET002", "NET003"]
    return {
        "as_of": run.as_of,
        "through_session_date": FRI,
        "account_ids": accounts,
        "source_account_ids": [*accounts, "OLD1", "OLD2"],
        "first_session_date": MON,
        "first_session_dates": [MON] * 3,
    }


def difference(connection: Connection, change: str, binds: dict[str, Any]) -> tuple[Any, ...] | None:
    """Compare the books with the fills after a change, which is undone: the first difference, and their number."""
    with connection.cursor() as cursor:
        cursor.execute(change)
    execute(connection, "aggregate_pnl/create_cash_flows", binds)
    found = rows(connection, "aggregate_pnl/check_accounting_identity", binds)
    connection.rollback()
    return found[0] if found else None


def on(session_date: dt.date, column: str, value: str, symbol: str = "XYZ") -> str:
    return f"update positions set {column} = {value} where symbol = '{symbol}' and session_date = '{session_date}'"


def on_day(session_date: dt.date, column: str, value: str) -> str:
    return f"update daily_pnl set {column} = {value} where account_id = 'NET001' and session_date = '{session_date}'"


def state(table: str, columns: str, values: str, session_date: dt.date, symbol: str, recorded_at: object) -> str:
    return (
        f"insert into {table} (load_id, file_name, line_number, session_date, symbol, recorded_at, {columns}) "
        f"select load_id, 'x.csv', 1, '{session_date}', '{symbol}', '{recorded_at}', {values} from {table} limit 1"
    )


PROFIT, PROFIT_LESS_FEES, FEES = Decimal("5.05"), Decimal("4.80"), Decimal("0.25")
WRONG_NUMBERS = {
    "nothing wrong": ("select", None),
    "open quantity": (on(TUE, "quantity", "11"), ("NET001", TUE, "XYZ", "open quantity", 11, 10, 1)),
    # 20.0515 got for 5, 10 x 4.50 at the close, less 10 x 6.00; by 10 + 4 only 9 are left, on later days, too.
    "shares of a split": (
        on(TUE, "split_quantity", "4"),
        ("NET001", TUE, "XYZ", "P&L before fees", PROFIT, PROFIT - Decimal("4.5"), 13),
    ),
    "realized P&L": (
        on(TUE, "realized_pnl", "realized_pnl + 0.01"),
        ("NET001", TUE, "XYZ", "P&L before fees", PROFIT + Decimal("0.01"), PROFIT, 1),
    ),
    "expiry of an open option": (
        on(FRI, "expired_quantity", "-1", OPTION),
        ("NET001", FRI, OPTION, "open quantity", 0, 1, 2),
    ),
    "no expiry after a split": (
        on(FRI, "expired_quantity = 0, quantity", "-2", SPLIT),
        ("NET003", FRI, SPLIT, "quantity ended by expiry", 0, 2, 1),
    ),
    "no expiry of a short option": (
        on(FRI, "expired_quantity = 0, quantity", "-1", SHORT),
        ("NET003", FRI, SHORT, "quantity ended by expiry", 0, 1, 1),
    ),
    # 100 x (11.00 - 10.50); what is gained next is wrong by as much, and what that is in dollars.
    "unrealized P&L": (
        on(TUE, "unrealized_pnl", "unrealized_pnl + 0.01", "SHOP"),
        ("NET002", TUE, "SHOP", "P&L before fees", Decimal("50.01"), 50, 3),
    ),
    # 100 x 1.00 x 0.80 - 100 x 0.50 x 0.70, at 0.90 ten more
    "currency rate": (
        on(TUE, "rate", "0.9", "SHOP"),
        ("NET002", TUE, "all symbols", "total P&L", 45, 55, 1),
    ),
    # 5.0515 - 0.2533
    "total of a day": (
        on_day(TUE, "total_pnl_usd", "4.86"),
        ("NET001", TUE, "all symbols", "total P&L", Decimal("4.86"), PROFIT_LESS_FEES, 1),
    ),
    "fees of a day": (
        on_day(TUE, "fees_usd", "0.3"),
        ("NET001", TUE, "all symbols", "fees", Decimal("0.3"), FEES, 1),
    ),
    "missing days": (
        f"delete from daily_pnl where session_date = '{WED}'",
        ("NET001", WED, "all symbols", "fees", None, 0, 5),
    ),
    "missing position": (
        f"delete from positions where symbol = 'XYZ' and session_date = '{WED}'",
        ("NET001", WED, "XYZ", "open quantity", None, 10, 3),
    ),
    "another symbol": (on(FRI, "symbol", "'ABC'"), ("NET001", FRI, "ABC", "open quantity", 10, None, 3)),
    "another session": (
        on(FRI, "session_date", f"'{FRI}'::date + 3"),
        ("NET001", FRI, "XYZ", "open quantity", None, 10, 2),
    ),
    # all 12 of that day, two of NET001
    "all positions of a day": (
        f"update positions set quantity = quantity + 1 where session_date = '{FRI}'",
        ("NET001", FRI, "XYZ", "open quantity", 11, 10, 12),
    ),
}


@pytest.mark.parametrize("name", WRONG_NUMBERS)
def test_a_wrong_number_in_the_books_is_found_where_it_is(
    connection: Connection, binds: dict[str, Any], name: str
) -> None:
    change, expected = WRONG_NUMBERS[name]

    assert difference(connection, change, binds) == expected


def test_splits_and_marks_are_the_last_that_were_known(connection: Connection, binds: dict[str, Any]) -> None:
    known, later = binds["as_of"], binds["as_of"] + dt.timedelta(microseconds=1)
    double, marked, unmarked = ("new_shares, old_shares", "2, 1"), ("price", "2"), ("price", "null")
    marks = {numbers: state("marks", *numbers, FRI, OPTION, known) for numbers in (marked, unmarked)}
    kept = ("NET001", FRI, OPTION, "quantity ended by expiry", -2, 0, 1)
    expected = {
        state("splits", *double, WED, "XYZ", known): ("NET001", WED, "XYZ", "quantity added by a split", 0, 10, 1),
        state("splits", *double, TUE, "XYZ", known): ("NET001", TUE, "XYZ", "quantity added by a split", 5, 10, 1),
        state("splits", *double, WED, "XYZ", later): None,
        # An option that has a price in its last session stays open.
        marks[marked]: kept,
        marks[unmarked]: None,
        f"{marks[marked]}; {marks[unmarked]}": None,
        f"{marks[unmarked]}; {marks[marked]}": kept,
        state("marks", *marked, FRI, OPTION, later): None,
        state("marks", *marked, THU, OPTION, known): None,
    }

    assert {change: difference(connection, change, binds) for change in expected} == expected


def test_only_what_was_computed_again_is_compared(connection: Connection, binds: dict[str, Any]) -> None:
    from_wednesday = binds | {"first_session_dates": [WED, WED, WED]}
    from_then_on = from_wednesday | {"first_session_date": WED}
    through_tuesday = binds | {"through_session_date": TUE}
    others = binds | {"account_ids": ["NET002", "NET003"], "first_session_dates": [MON, MON]}
    tuesday, wednesday = (on(day, "realized_pnl", "realized_pnl + 1") for day in (TUE, WED))

    # 10 x (4.20 - 4.50) on Wednesday
    assert difference(connection, wednesday, from_wednesday) == ("NET001", WED, "XYZ", "P&L before fees", -2, -3, 1)
    assert difference(connection, tuesday, from_wednesday) is None
    assert difference(connection, wednesday, from_then_on) == ("NET001", WED, "XYZ", "P&L before fees", -2, -3, 1)
    assert difference(connection, tuesday, through_tuesday) is not None
    assert difference(connection, wednesday, through_tuesday) is None
    assert difference(connection, tuesday, others) is None


CARRIED = "delete from positions where symbol = 'XYZ' and session_date"


@pytest.mark.parametrize(
    ("change", "carried_usd"),
    [("select", 45), (on(TUE, "quantity", "9"), Decimal("40.5")), (f"{CARRIED} = '{TUE}'", 0)],
    ids=["nothing wrong", "another quantity", "missing position"],
)
def test_books_go_on_from_what_the_close_before_has_proven(
    connection: Connection, binds: dict[str, Any], change: str, carried_usd: Decimal
) -> None:
    from_wednesday = binds | {"first_session_date": WED, "first_session_dates": [WED, WED, WED]}

    found = difference(connection, change, from_wednesday)

    # 10 x 4.50 at Tuesday's close
    expected = ("NET001", TUE, "all symbols", "value held overnight", carried_usd, 45)
    assert found is None if carried_usd == 45 else found is not None and found[:6] == expected
