"""Positions and daily P&L in the warehouse: what they say of a delivery, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import psycopg2
import pytest

from risk.books import positions, store
from risk.books.fifo import OpenLots, open_lots
from risk.books.positions import Holding
from risk.books.session import daily_pnl
from risk.books.warehouse import Aggregate
from risk.core.entities import Mark
from risk.core.errors import BooksError
from risk.core.warehouse import Connection
from tests.book_desks import (
    FRI,
    MON,
    SESSIONS,
    THU,
    TUE,
    WED,
    aggregate_session,
    books_of,
    deliver,
    fill,
    load,
    query,
    random_desk,
    state_mark,
    totals,
)


def test_aggregate_stores_what_the_pure_computation_says_when_the_desk_is_random(connection: Connection) -> None:
    fills = random_desk(1)
    marks = [Mark(day, "XYZ", Decimal("33.33"), "USD", None) for day in SESSIONS[::3]]
    deliver(connection, fills)
    for mark in marks:
        state_mark(connection, mark.session_date, mark.symbol, str(mark.price))

    aggregate_session(connection, SESSIONS[-1])

    stored = query(
        connection,
        "select account_id, session_date, gross_pnl_usd, fees_usd, net_pnl_usd, unrealized_pnl_usd, "
        "unrealized_delta_usd, total_pnl_usd from daily_pnl order by account_id, session_date",
    )
    computed = daily_pnl(fills, [*marks, Mark(SESSIONS[-1], "NONE", None, "USD", None)])
    assert stored == [tuple(day) for day in computed]
    assert len(stored) > 20


def test_aggregate_carries_a_position_on_each_session_until_it_is_closed(connection: Connection) -> None:
    deliver(connection, [fill(MON, "T", "100", "10.00"), fill(THU, "C", "100", "9.50")])
    for session_date, price in ((MON, "10.10"), (TUE, "9.90"), (WED, "9.70")):
        state_mark(connection, session_date, "XYZ", price)

    aggregate_session(connection, FRI)

    # Short 100 at 10.00: -10, then +20, +20, then realized 50 less unrealized 30; flat on Friday: no row.
    assert totals(connection) == [(MON, -10), (TUE, 20), (WED, 20), (THU, 20)]
    assert query(connection, "select session_date, quantity, mark_source from positions order by session_date") == [
        (MON, -100, "marks"),
        (TUE, -100, "marks"),
        (WED, -100, "marks"),
        (THU, 0, None),
    ]


def test_aggregate_stores_the_lots_and_their_average_price(connection: Connection) -> None:
    deliver(
        connection,
        [fill(MON, "B", "100", "10.00"), fill(TUE, "B", "200", "10.30"), fill(TUE, "S", "50", "11", minute=1)],
    )

    aggregate_session(connection, TUE)

    # Tuesday's lot gives the 50: left 100 at 10.00 and 150 at 10.30, on average 2545 / 250 = 10.18
    assert query(
        connection, "select lots, average_open_price, quantity from positions where session_date = %s", (TUE,)
    ) == [([["2025-08-04", "100", "10"], ["2025-08-05", "150", "10.3"]], Decimal("10.18"), 250)]


def test_aggregate_takes_the_currency_that_some_fills_of_a_session_state_for_all(connection: Connection) -> None:
    # of one symbol, which has had more currencies than there are symbols; the last session's second fill states none
    stated = zip((MON, MON, TUE, TUE, WED, WED), ("CAD", "CAD", "EUR", "EUR", "USD", None), strict=True)
    fills = [
        fill(day, "BS"[n % 2], "1", "5.00", minute=n)._replace(currency=name) for n, (day, name) in enumerate(stated)
    ]
    deliver(connection, fills)

    aggregate_session(connection, WED)

    currencies = query(connection, "select currency from positions order by session_date")
    assert currencies == [("CAD",), ("EUR",), ("USD",)]


def test_aggregate_counts_activity_of_the_session(connection: Connection) -> None:
    deliver(
        connection, [fill(MON, "B", "100", "10.00", fees="0.5"), fill(MON, "S", "40", "10.50", minute=1, fees="0.25")]
    )

    aggregate_session(connection, MON)

    # Turnover 100 x 10.00 + 40 x 10.50
    activity = "select fill_count, volume, turnover_usd, fees_usd from daily_pnl"
    assert query(connection, activity) == [(2, 140, 1420, Decimal("0.75"))]


def test_aggregate_says_which_mark_is_missing_and_that_the_next_change_is_unknown(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "10", "1.00")])
    state_mark(connection, SESSIONS[7], "XYZ", "2.00")

    aggregate_session(connection, SESSIONS[8])

    # Monday's last fill is used for five sessions; the sixth has nothing, the seventh no value to subtract.
    found = query(connection, "select total_pnl_usd, incomplete_reason from daily_pnl order by session_date")
    assert [total for total, _ in found] == [0, 0, 0, 0, 0, 0, None, None, 0]
    assert "No closing mark for XYZ on 2025-08-12" in found[6][1]
    assert "at the close before 2025-08-13 is unknown" in found[7][1]


def test_aggregate_goes_on_from_a_close_without_a_mark_or_without_a_rate(connection: Connection) -> None:
    before, after = SESSIONS[6:8]
    bought = [fill(before, "B", "10", "5.00", symbol="SHOP"), fill(before, "B", "1", "6.00", symbol="SHOP", minute=1)]
    shop = [*bought, fill(after, "S", "11", "7.00", symbol="SHOP")]
    deliver(connection, [fill(MON, "B", "10", "1.00"), *(each._replace(currency="CAD") for each in shop)])
    state_mark(connection, after, "@CADUSD", "0.70")
    aggregate_session(connection, before)
    aggregate_session(connection, after)

    # 11 sold in the first hour at 1.00 more than at the last close, 0.70 in US dollars
    early = query(connection, "select early_pnl_usd from daily_pnl where session_date = %s", (after,))
    assert early == [(Decimal("7.7"),)]
    by_session = books_of(connection)
    query(connection, "truncate positions, daily_pnl, last_fills cascade")
    aggregate_session(connection, after)
    assert books_of(connection) == by_session


def test_aggregate_makes_no_row_of_an_empty_delivery(connection: Connection) -> None:
    deliver(connection, [], "NET001", MON)

    assert aggregate_session(connection, MON) == Aggregate(0, 0, 0)
    assert totals(connection) == []


@pytest.mark.parametrize("name", ["\\N", "A\\tB", "A\tB", "A\nB", "A\rB", 'A,B"C', "{}", "\\."])
def test_aggregate_keeps_names_that_a_copy_could_trip_over(connection: Connection, name: str) -> None:
    deliver(connection, [fill(MON, "B", "1", "1", symbol=name)._replace(account_id=name)])

    aggregate_session(connection, MON)

    assert query(connection, "select account_id, symbol from positions") == [(name, name)]
    assert query(connection, "select account_id from daily_pnl") == [(name,)]


def test_aggregate_keeps_every_digit_when_numbers_are_at_their_limit(connection: Connection) -> None:
    deliver(
        connection,
        [
            fill(MON, "B", "9999999999.99999999", "0.00000001"),
            fill(MON, "S", "9999999999.99999999", "0.00000003", minute=1),
        ],
    )

    aggregate_session(connection, MON)

    assert query(connection, "select gross_pnl_usd from daily_pnl") == [(Decimal("199.9999999999999998"),)]


def test_aggregate_has_room_for_a_large_position_and_a_tiny_trade(connection: Connection) -> None:
    tiny = fill(TUE, "S", "0.00000001", "0.00000001")
    deliver(connection, [fill(MON, "B", "9999999999", "1.00"), tiny])

    aggregate_session(connection, TUE)

    # 9,999,999,999 shares for 1,800 s and 1e-8 less for 21,600 s, over half of a turnover of 1e-8 shares.
    expected = 2 * (9_999_999_999 * 23_400 * 10**8 - 21_600)
    assert query(connection, "select holding_seconds from daily_pnl order by session_date") == [(43_200,), (expected,)]


def test_a_price_that_only_a_split_makes_is_no_price(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "9999999999", "1000.00")])
    query(
        connection,
        "insert into splits (load_id, file_name, line_number, session_date, symbol, new_shares, old_shares, "
        "recorded_at) values (%s, 'splits.csv', 1, %s, 'XYZ', 0.00000001, 9999999999, clock_timestamp())",
        (load(connection), TUE),
    )

    aggregate_session(connection, TUE)

    # 1e-8 shares are left, each worth 1e21 dollars by the last fill: nobody could state that.
    held = query(
        connection, "select quantity, mark_price, unrealized_pnl from positions where session_date = %s", (TUE,)
    )
    assert held == [(Decimal("1e-8"), None, None)]
    assert totals(connection) == [(MON, 0), (TUE, None)]


def test_aggregate_refuses_books_that_lose_shorts_and_covers(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(connection, [fill(MON, "B", "1", "5.00"), fill(MON, "S", "1", "5.50", minute=1)])
    aggregate_session(connection, MON)
    before = books_of(connection)
    deliver(connection, [fill(TUE, "T", "100", "12.00"), fill(TUE, "C", "100", "11.25", minute=1)])

    def forget(before: Holding | None, quantities: Sequence[int], *rest: object) -> tuple[OpenLots, int]:
        return open_lots([]), 0

    monkeypatch.setattr(positions, "trade", forget)

    # 100 x (12.00 - 11.25) by fills
    with pytest.raises(BooksError, match=r"NET001, session 2025-08-05, XYZ .* is 0\.00 by lots and 75\.00 by fills"):
        aggregate_session(connection, TUE)
    assert books_of(connection) == before


def test_aggregate_refuses_books_that_start_from_a_wrong_position(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "10", "5.00")])
    aggregate_session(connection, MON)
    query(connection, "update positions set lots = %s", ('[["2025-08-04", "9", "5.00"]]',))
    deliver(connection, [fill(TUE, "S", "10", "5.50")])

    # Nine shares held and ten sold would leave one short; the fills say flat.
    with pytest.raises(BooksError, match="NET001, session 2025-08-05"):
        aggregate_session(connection, TUE)


def test_aggregate_refuses_books_a_cent_off(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(connection, [fill(MON, "B", "1", "5.00"), fill(MON, "S", "1", "5.50", minute=1)])

    def overstate(before: Holding | None, quantities: Sequence[int], *rest: object) -> tuple[OpenLots, int]:
        return open_lots([]), 51 * 10**14

    monkeypatch.setattr(positions, "trade", overstate)

    with pytest.raises(BooksError, match=r"is 0\.51 by lots and 0\.50 by fills"):
        aggregate_session(connection, MON)


def test_books_that_cannot_be_stored_while_they_are_computed_are_refused(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(connection, [fill(MON, "B", "10", "5.00")])
    monkeypatch.setattr(store, "POSITION_COLUMNS", ("account_id", *store.POSITION_COLUMNS[:-1]))

    with pytest.raises(psycopg2.errors.DuplicateColumn):
        aggregate_session(connection, MON)
    assert books_of(connection) == ([], [])
