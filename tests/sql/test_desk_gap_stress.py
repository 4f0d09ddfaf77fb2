"""Opening-gap stress from the warehouse: positions of the books, marks, first fills, the limit at the next open."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.books.warehouse import aggregate
from risk.core.warehouse import Connection
from risk.desk.gap_stress import FILLS, MARKS, SIZES, read_gap_stress
from tests.report_desks import insert
from tests.sql.daily_rows import new_load, new_run
from tests.sql.test_limits_receipts import change_limit
from tests.track_record_desks import MON, TUE, deliver, fill, mark

WED = dt.date(2025, 8, 6)


def test_stress_takes_positions_gaps_and_the_limit_at_the_next_open(connection: Connection, page: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "100", "20.00"), fill(MON, 2, "T", "10", "50.00", symbol="ABC")])
    mark(connection, MON, "20.00")
    # Another account opens the symbol 5 % below Monday's mark; ABC is traded only two hours after the open.
    deliver(connection, [fill(TUE, 1, "B", "1", "19.00")], "NET002")
    deliver(connection, [fill(TUE, 5, "S", "50", "18.00"), fill(TUE, 120, "T", "10", "60.00", symbol="ABC")])
    mark(connection, TUE, "18.50")
    aggregate(connection, new_run(connection, TUE))
    change_limit(connection, "1000", dt.datetime(2025, 8, 6, 4, tzinfo=dt.UTC))

    found = read_gap_stress(page, "NET001", TUE)

    assert (found.effective_session, found.limit.limit_usd) == (WED, Decimal(1000))
    # ABC has no mark: the last fill, 60.00, is its close. 20 x 60.00 x 20 % = 240; 50 x 18.50 x 20 % = 185.
    assert [(one.underlying, one.loss_usd(SIZES[2])) for one in found.underlyings] == [("ABC", 240), ("XYZ", 185)]
    short, long = found.underlyings
    assert (short.gaps, short.positions[0].mark_source) == ([], "last_fill")
    assert [tuple(gap) for gap in long.gaps] == [(TUE, Decimal("-0.05"), MARKS)]
    # 50 x 18.50 x 5 %.
    assert long.worst_usd == Decimal("-46.25")
    assert found.use_ratio(SIZES[2]) == Decimal("0.425")


def test_gap_without_a_mark_is_against_the_last_fill_and_a_split_makes_none(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "100", "20.00"), fill(MON, 9, "B", "100", "25.00")])
    deliver(connection, [fill(TUE, 3, "B", "1", "24.00")])
    deliver(connection, [fill(WED, 3, "B", "1", "12.00")])
    place = {"load_id": new_load(connection, WED), "file_name": "splits.csv", "line_number": 1}
    ratio = {"symbol": "XYZ", "new_shares": 2, "old_shares": 1}
    insert(connection, "splits", session_date=WED, recorded_at=dt.datetime(2025, 8, 6, tzinfo=dt.UTC), **ratio, **place)
    aggregate(connection, new_run(connection, WED))

    [found] = read_gap_stress(connection, "NET001", WED).underlyings

    # 24 / 25 - 1; Wednesday's prices are of new shares.
    assert [tuple(gap) for gap in found.gaps] == [(TUE, Decimal("-0.04"), FILLS)]


def test_first_fill_of_a_session_is_stored_and_follows_a_new_delivery(connection: Connection) -> None:
    deliver(connection, [fill(MON, 5, "B", "1", "20.00"), fill(MON, 9, "B", "1", "21.00")])
    deliver(connection, [fill(MON, 2, "B", "1", "0"), fill(MON, 3, "B", "1", "19.00")], "NET002")
    aggregate(connection, new_run(connection, MON))

    # What is given at 0 is no price.
    assert first_and_last(connection) == (Decimal("19.00"), Decimal("21.00"))

    deliver(connection, [fill(MON, 4, "B", "1", "19.50")], "NET002")
    aggregate(connection, new_run(connection, MON))

    assert first_and_last(connection) == (Decimal("19.50"), Decimal("21.00"))


def first_and_last(connection: Connection) -> tuple[Decimal, Decimal]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select first_price, price from last_fills")
        [(first, last)] = cursor.fetchall()
    return first, last


def test_account_without_positions_has_a_limit_and_nothing_to_stress(connection: Connection) -> None:
    aggregate(connection, new_run(connection, MON))

    found = read_gap_stress(connection, "NOBODY", MON)

    assert (found.underlyings, found.limit.limit_usd, found.loss_usd(SIZES[0])) == ([], Decimal(5000), 0)
