"""Positions and daily P&L in the warehouse: what is computed again, what is left alone, what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import execute_values

from risk import database
from risk.database import Connection
from risk.entities import Fill, Mark
from risk.errors import BooksError
from risk.pnl import Aggregate, aggregate, daily_pnl, positions, rebuild
from risk.pnl.lots import OpenLots
from risk.pnl.positions import SymbolFills
from risk.runs import Run, open_run
from risk.sessions import sessions_between

SESSIONS = sessions_between(dt.date(2025, 8, 4), dt.date(2025, 8, 15))
MON, TUE, WED, THU, FRI = SESSIONS[:5]
LAST_FILLS = "select * from last_fills order by session_date, symbol, currency"


def query(connection: Connection, text: str, binds: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(text, binds)
        return cursor.fetchall() if cursor.description else []


def fill(
    session_date: dt.date,
    side: str,
    quantity: str,
    price: str,
    *,
    symbol: str = "XYZ",
    minute: int = 0,
    fees: str = "0",
) -> Fill:
    executed_at = dt.datetime.combine(session_date, dt.time(14, minute), dt.UTC)
    amounts = (Decimal(quantity), symbol, Decimal(price), "USD", Decimal(fees))
    return Fill("NET001", session_date, executed_at, minute + 1, side, *amounts)


def load(connection: Connection) -> int:
    [(load_id,)] = query(
        connection,
        "insert into loads (source, is_simulated, through_session_date) values ('test', false, %s) returning load_id",
        (SESSIONS[-1],),
    )
    return int(load_id)


def deliver(connection: Connection, fills: Iterable[Fill], account_id: str = "", session_date: dt.date = MON) -> None:
    """Store one delivery for each account-session among the fills, or an empty one for the one named."""
    groups: dict[tuple[str, dt.date], list[Fill]] = {}
    for each in fills:
        groups.setdefault((each.account_id, each.session_date), []).append(each)
    if account_id:
        groups.setdefault((account_id, session_date), [])
    load_id = load(connection)
    for (account, day), group in groups.items():
        [(delivery_id,)] = query(
            connection,
            "insert into deliveries (load_id, file_name, account_id, session_date, content_sha256, recorded_at, "
            "row_count, loaded_count, rejected_count, duplicate_count) values (%s, 'test.csv', %s, %s, 'test', "
            "clock_timestamp(), %s, %s, 0, 0) returning delivery_id",
            (load_id, account, day, len(group), len(group)),
        )
        with connection, connection.cursor() as cursor:
            execute_values(
                cursor,
                "insert into fills (delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, "
                "side, quantity, symbol, price, currency, fees_usd) values %s",
                [(delivery_id, f.line_number, account, day, f.executed_at, False, *f[4:]) for f in group],
            )


def state_mark(
    connection: Connection, session_date: dt.date, symbol: str, price: str | None, multiplier: str | None = None
) -> None:
    query(
        connection,
        "insert into marks (load_id, file_name, line_number, session_date, symbol, price, currency, multiplier, "
        "recorded_at) values (%s, 'marks.csv', 1, %s, %s, %s, 'USD', %s, clock_timestamp())",
        (load(connection), session_date, symbol, price, multiplier),
    )


def run_of(connection: Connection, session_date: dt.date) -> Run:
    return open_run(connection, session_date, load(connection), "test")


def aggregate_session(connection: Connection, session_date: dt.date) -> Aggregate:
    return aggregate(connection, run_of(connection, session_date))


def books_of(connection: Connection) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    daily = query(
        connection,
        "select account_id, session_date, fill_count, volume, turnover_usd, gross_pnl_usd, fees_usd, net_pnl_usd, "
        "unrealized_pnl_usd, unrealized_delta_usd, total_pnl_usd, incomplete_reason, delivery_id from daily_pnl "
        "order by account_id, session_date",
    )
    return daily, query(connection, "select * from positions order by account_id, session_date, symbol")


def totals(connection: Connection) -> list[tuple[Any, ...]]:
    return query(connection, "select session_date, total_pnl_usd from daily_pnl order by account_id, session_date")


def stored_versions(connection: Connection) -> list[tuple[Any, ...]]:
    """Transaction that wrote each row: unchanged as long as nobody writes the row, even with the same content."""
    return query(
        connection,
        "select account_id, session_date, '' as symbol, xmin::text from daily_pnl union all "
        "select account_id, session_date, symbol, xmin::text from positions order by 1, 2, 3",
    )


def random_desk(seed: int, account_count: int = 4) -> list[Fill]:
    random = Random(seed)
    return [
        Fill(
            f"NET{random.randrange(account_count):03d}",
            session_date,
            dt.datetime.combine(session_date, dt.time(13), dt.UTC) + dt.timedelta(seconds=number),
            number,
            random.choice("BSTC"),
            Decimal(random.randrange(1, 500)),
            random.choice(["ABC", "XYZ", "QQQ", "AAPL  250117C00150000"]),
            Decimal(random.randrange(100, 9000)).scaleb(-2),
            "USD",
            Decimal(random.randrange(-20, 200)).scaleb(-3),
        )
        for session_date in SESSIONS
        if random.random() < 0.8
        for number in range(random.randrange(1, 40))
    ]


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


@pytest.mark.parametrize("seed", [2, 3])
def test_aggregate_session_by_session_leaves_the_same_books_as_at_once(connection: Connection, seed: int) -> None:
    deliver(connection, random_desk(seed))
    for session_date in SESSIONS:
        aggregate_session(connection, session_date)
    by_session = books_of(connection)
    query(connection, "truncate positions, daily_pnl, last_fills")

    aggregate_session(connection, SESSIONS[-1])

    assert books_of(connection) == by_session


def test_aggregate_writes_nothing_when_it_runs_again(connection: Connection) -> None:
    deliver(connection, random_desk(4))
    state_mark(connection, TUE, "XYZ", "12.5")
    first = aggregate_session(connection, SESSIONS[-1])
    before = stored_versions(connection)

    again = aggregate_session(connection, SESSIONS[-1])

    assert first.recomputed_account_count == 4
    assert again == Aggregate(0, 0, 0)
    assert stored_versions(connection) == before


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


def test_aggregate_takes_the_currency_that_some_fills_of_a_session_tell_for_that_of_all(connection: Connection) -> None:
    # of one symbol, which has had more currencies than there are symbols; the last session's second fill tells none
    told = zip((MON, MON, TUE, TUE, WED, WED), ("CAD", "CAD", "EUR", "EUR", "USD", None), strict=True)
    fills = [
        fill(day, "BS"[n % 2], "1", "5.00", minute=n)._replace(currency=name) for n, (day, name) in enumerate(told)
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


def test_aggregate_computes_an_account_again_from_the_session_of_a_newer_delivery(connection: Connection) -> None:
    desk = [fill(MON, "B", "10", "1.00"), fill(WED, "B", "10", "2.00"), fill(FRI, "S", "20", "3.00")]
    other = [each._replace(account_id="NET002", symbol="ABC") for each in desk]
    deliver(connection, [*desk, *other])
    aggregate_session(connection, FRI)
    before = stored_versions(connection)

    deliver(connection, [fill(WED, "B", "10", "2.50")])
    written = aggregate_session(connection, FRI)

    # Friday: 20 x 3.00 - 10 x 1.00 - 10 x 2.50 = 25 instead of 30. Wednesday, Thursday and Friday are new, no more.
    gross = "select gross_pnl_usd from daily_pnl where account_id = 'NET001' and session_date = %s"
    assert query(connection, gross, (FRI,)) == [(25,)]
    assert written == Aggregate(3, 1, 0)
    unchanged = set(stored_versions(connection)) & set(before)
    assert {row[:2] for row in unchanged} == {
        ("NET001", MON),
        ("NET001", TUE),
        *(("NET002", day) for day in (MON, TUE, WED, THU, FRI)),
    }


def test_aggregate_follows_a_mark_that_changes_for_those_who_hold_the_symbol(connection: Connection) -> None:
    deliver(
        connection,
        [fill(MON, "B", "10", "1.00"), fill(MON, "B", "10", "1.00", symbol="ABC")._replace(account_id="NET002")],
    )
    state_mark(connection, MON, "XYZ", "1.10")
    aggregate_session(connection, TUE)

    state_mark(connection, MON, "XYZ", "1.20")
    written = aggregate_session(connection, TUE)

    # 10 x 0.20 on Monday; Tuesday keeps Monday's mark
    assert written == Aggregate(2, 1, 0)
    assert totals(connection)[:2] == [(MON, 2), (TUE, 0)]


def test_aggregate_revalues_a_holder_when_somebody_else_trades_later_in_the_session(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "10", "1.00")])
    aggregate_session(connection, MON)

    deliver(connection, [fill(MON, "B", "1", "1.30", minute=30)._replace(account_id="NET002")])
    aggregate_session(connection, MON)

    assert totals(connection) == [(MON, 3), (MON, 0)]


def test_aggregate_shows_an_incomplete_session_until_the_missing_number_arrives(connection: Connection) -> None:
    deliver(
        connection, [fill(MON, "B", "1", "5000", symbol="/ESU5"), fill(MON, "S", "1", "5001", symbol="/ESU5", minute=1)]
    )

    written = aggregate_session(connection, MON)

    assert written == Aggregate(1, 1, 1)
    [(total, reason)] = query(connection, "select total_pnl_usd, incomplete_reason from daily_pnl")
    assert total is None
    assert "multiplier for /ESU5 on 2025-08-04" in reason

    state_mark(connection, MON, "/ESU5", None, "50")
    aggregate_session(connection, MON)

    assert totals(connection) == [(MON, 50)]


def test_aggregate_says_which_mark_is_missing_and_that_the_next_change_is_unknown(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "10", "1.00")])
    state_mark(connection, SESSIONS[7], "XYZ", "2.00")

    aggregate_session(connection, SESSIONS[8])

    # Monday's last fill serves for five sessions; the sixth has nothing, the seventh no value to subtract.
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
    query(connection, "truncate positions, daily_pnl, last_fills")
    aggregate_session(connection, after)
    assert books_of(connection) == by_session


def test_aggregate_makes_no_row_of_an_empty_delivery(connection: Connection) -> None:
    deliver(connection, [], "NET001", MON)

    assert aggregate_session(connection, MON) == Aggregate(0, 0, 0)
    assert totals(connection) == []


def test_aggregate_takes_a_row_back_when_the_newest_delivery_is_empty(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "1", "1"), fill(MON, "S", "1", "2", minute=1)])
    aggregate_session(connection, MON)

    deliver(connection, [], "NET001", MON)
    aggregate_session(connection, MON)

    assert books_of(connection) == ([], [])


def test_aggregate_leaves_newer_sessions_in_place_when_an_older_one_runs(connection: Connection) -> None:
    deliver(connection, random_desk(5))
    aggregate_session(connection, SESSIONS[-1])
    before = stored_versions(connection)

    aggregate_session(connection, TUE)

    assert stored_versions(connection) == before


def test_aggregate_uses_the_newest_knowledge_when_the_older_run_finishes_last(connection: Connection) -> None:
    deliver(connection, [fill(MON, "B", "1", "1"), fill(MON, "S", "1", "2", minute=1)])
    older = run_of(connection, MON)
    deliver(connection, [fill(MON, "B", "1", "1"), fill(MON, "S", "1", "3", minute=1), fill(TUE, "B", "1", "1")])
    newer = run_of(connection, TUE)
    aggregate(connection, newer)
    before = stored_versions(connection)

    aggregate(connection, older)

    assert totals(connection) == [(MON, 2), (TUE, 0)]
    assert stored_versions(connection) == before


def test_aggregate_values_a_later_session_by_the_newest_fills_when_an_older_one_runs(connection: Connection) -> None:
    other = fill(TUE, "S", "1", "6.00")._replace(account_id="NET002")
    deliver(connection, [fill(MON, "B", "10", "5.00"), other])
    aggregate_session(connection, TUE)
    deliver(connection, [fill(MON, "B", "10", "4.00"), other._replace(price=Decimal("7.00"))])

    aggregate_session(connection, MON)

    # 10 x (7 - 4), although nobody has run Tuesday since the other's fill of that day has changed.
    unrealized = query(connection, "select unrealized_pnl from positions where account_id = 'NET001' order by 1")
    assert unrealized == [(0,), (30,)]


@pytest.mark.parametrize("seed", [8, 10])
def test_aggregate_ends_with_the_same_books_whatever_came_and_ran_before(connection: Connection, seed: int) -> None:
    random = Random(seed)
    versions = [random_desk(seed + 100 * number) for number in range(4)]
    for _ in range(20):
        fills = random.choice(versions)
        chosen = random.choice(fills)
        deliver(connection, [each for each in fills if each[:2] == chosen[:2]][: random.randrange(1, 9)])
        if random.random() < 0.2:
            state_mark(connection, random.choice(SESSIONS), chosen.symbol, str(chosen.price))
        if random.random() < 0.6:
            aggregate_session(connection, random.choice(SESSIONS))
    aggregate_session(connection, SESSIONS[-1])
    by_and_by = books_of(connection), query(connection, LAST_FILLS)
    query(connection, "truncate positions, daily_pnl, last_fills")

    aggregate_session(connection, SESSIONS[-1])

    assert by_and_by == (books_of(connection), query(connection, LAST_FILLS))


def test_a_warehouse_that_is_brought_up_to_date_knows_its_last_fills(connection: Connection) -> None:
    deliver(connection, random_desk(11))
    aggregate_session(connection, SESSIONS[-1])
    kept = query(connection, LAST_FILLS)
    query(connection, "drop table last_fills")

    query(connection, database.statement("schema/220_last_fills"))

    assert query(connection, LAST_FILLS) == kept


@pytest.mark.parametrize("seed", [6, 7])
def test_aggregate_of_two_sessions_side_by_side_leaves_the_rows_of_one_after_the_other(
    connection: Connection, warehouse_dsn: str, seed: int
) -> None:
    deliver(connection, random_desk(seed))
    runs = [run_of(connection, session_date) for session_date in (SESSIONS[4], SESSIONS[-1])]
    for run in runs:
        aggregate(connection, run)
    one_after_the_other = books_of(connection)
    query(connection, "truncate positions, daily_pnl, last_fills")

    def aggregate_alone(run: Run) -> None:
        own = database.connect(warehouse_dsn)
        aggregate(own, run)
        own.close()

    with ThreadPoolExecutor() as threads:
        list(threads.map(aggregate_alone, reversed(runs)))

    assert books_of(connection) == one_after_the_other


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

    def forget(held: OpenLots, fills: SymbolFills, session_date: dt.date) -> tuple[OpenLots, int]:
        return fills.opened, 0

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

    def overstate(held: OpenLots, fills: SymbolFills, session_date: dt.date) -> tuple[OpenLots, int]:
        return fills.opened, 51 * 10**14

    monkeypatch.setattr(positions, "trade", overstate)

    with pytest.raises(BooksError, match=r"is 0\.51 by lots and 0\.50 by fills"):
        aggregate_session(connection, MON)


def test_books_that_cannot_be_stored_while_they_are_computed_are_refused(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(connection, [fill(MON, "B", "10", "5.00")])
    monkeypatch.setattr(rebuild, "POSITION_COLUMNS", ("account_id", *rebuild.POSITION_COLUMNS[:-1]))

    with pytest.raises(psycopg2.errors.DuplicateColumn):
        aggregate_session(connection, MON)
    assert books_of(connection) == ([], [])
