"""Patterns in the warehouse: stored with the run as it knew the fills, and replaced by its rerun."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from risk.core.warehouse import Connection
from risk.desk.read_fills import read_fills
from risk.desk.store import store_desk
from tests.book_desks import FRI, MON, THU, deliver, load, query, run_of
from tests.desk_days import crossings, execution
from tests.sql.daily_rows import insert_pnl, trading_days


def _rows(connection: Connection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return query(connection, f"select {columns} from {table} order by run_id, {columns}")


def test_patterns_are_stored_with_the_run_and_replaced_by_a_rerun(connection: Connection) -> None:
    # given seven crossings to the letter on Friday, one of them of a symbol the market trades much
    deliver(connection, crossings(FRI, 7))
    query(
        connection,
        "insert into marks (load_id, file_name, line_number, session_date, symbol, price, volume, currency, "
        "recorded_at) values (%s, 'marks.csv', 1, %s, 'S0', 10, 5000000, 'USD', clock_timestamp())",
        (load(connection), FRI),
    )
    run = run_of(connection, FRI)

    # when
    first = store_desk(connection, run)
    columns = "place, kind, account_id, other_account_ids, observed_count, is_flagged"
    stored = _rows(connection, "desk_findings", columns)
    again = store_desk(connection, run)

    # then the crossing of the pair is flagged, and six self-trades are listed
    assert first == again
    assert _rows(connection, "desk_findings", columns) == stored
    assert next(row for row in stored if row[1:4] == ("crossing", "NET001", ["NET005"]))[4:] == (7, True)
    trades = _rows(
        connection, "desk_self_trades", "place, buyer_account_id, seller_account_id, symbol, quantity, is_volume_known"
    )
    assert [row[3] for row in trades] == ["S1", "S2", "S3", "S4", "S5", "S6"]
    assert trades[0][1:] == ("NET001", "NET005", "S1", Decimal(100), False)
    scans = _rows(
        connection, "desk_scans", "session_date, account_count, fill_count, skipped_fill_count, self_trade_count"
    )
    assert scans[-1] == (FRI, 3, 194, 0, 6)
    assert [row[2] for row in scans[:-1]] == [0, 0, 0, 0]


def test_run_judges_five_sessions_as_it_knew_them(connection: Connection) -> None:
    # given Thursday delivered after the run's cut-off
    deliver(connection, crossings(FRI, 2))
    early = run_of(connection, FRI)
    deliver(connection, crossings(THU, 3))
    late = run_of(connection, FRI)

    # when
    counts = [
        [int((read_fills(connection, run).fills.session == place).sum()) for place in range(5)] for run in (early, late)
    ]

    # then
    assert counts == [[0, 0, 0, 0, 184], [0, 0, 0, 186, 184]]
    assert read_fills(connection, early).fills.session_dates[0] == MON


def test_fills_without_a_time_or_a_price_are_counted_and_not_compared(connection: Connection) -> None:
    deliver(
        connection,
        [
            execution("NET001", "B", 0, day=FRI),
            execution("NET005", "S", 0, day=FRI),
            execution("NET005", "S", 5, day=FRI, price="0"),
        ],
    )
    query(connection, "update fills set is_time_unknown = true where account_id = 'NET001'")
    assert store_desk(connection, run_of(connection, FRI)) == 0
    assert _rows(connection, "desk_scans", "session_date, fill_count, skipped_fill_count")[-1] == (FRI, 1, 2)


def test_destination_reaches_the_comparison(connection: Connection) -> None:
    # given fills against each other on one destination, then on two
    deliver(connection, [execution("NET001", "B", 0, day=FRI), execution("NET005", "S", 0, day=FRI)])
    query(connection, "update fills set route = 'ARCA'")
    assert store_desk(connection, run_of(connection, FRI)) == 1
    query(connection, "update fills set route = 'IEX' where account_id = 'NET005'")
    assert store_desk(connection, run_of(connection, FRI)) == 0


def test_correlations_are_stored_for_the_run(connection: Connection) -> None:
    days = trading_days(20)
    for account, sign in (("A", 1), ("B", -1)):
        insert_pnl(connection, account, {day: sign * number for number, day in enumerate(days)})
    store_desk(connection, run_of(connection, days[-1]))
    assert _rows(connection, "desk_correlations", "account_id, other_account_id, session_count, correlation_ratio") == [
        ("A", "B", 20, Decimal(-1))
    ]


def test_warehouse_without_fills_has_a_scan_of_nothing(connection: Connection) -> None:
    assert store_desk(connection, run_of(connection, FRI)) == 0
    assert _rows(connection, "desk_scans", "fill_count") == [(0,)] * 5
    assert _rows(connection, "desk_findings", "place") == []
