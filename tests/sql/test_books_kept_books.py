"""Books that are kept: what is computed again, what is left alone, whatever came and ran in whichever order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random

import pytest

from risk.books.warehouse import Aggregate, aggregate
from risk.core import warehouse
from risk.core.runs import Run
from risk.core.warehouse import Connection, statement
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
    query,
    random_desk,
    run_of,
    state_mark,
    stored_versions,
    totals,
)

LAST_FILLS = "select * from last_fills order by session_date, symbol, currency"


@pytest.mark.parametrize("seed", [2, 3])
def test_aggregate_session_by_session_leaves_the_same_books_as_at_once(connection: Connection, seed: int) -> None:
    deliver(connection, random_desk(seed))
    for session_date in SESSIONS:
        aggregate_session(connection, session_date)
    by_session = books_of(connection)
    query(connection, "truncate positions, daily_pnl, last_fills cascade")

    aggregate_session(connection, SESSIONS[-1])

    assert books_of(connection) == by_session


def test_positions_that_cannot_be_valued_anew_are_not_read(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        asked = cursor.mogrify(statement("aggregate_pnl/select_valued_positions"), {"session_date": TUE}).decode()
        cursor.execute(f"set local enable_seqscan = off; explain {asked}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Scan using positions_valued " in plan or "Index Scan on positions_valued " in plan


def test_planner_is_told_how_large_the_books_are_once_many_sessions_are_written(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = "select relname::text, reltuples from pg_class where oid in ('positions'::regclass, 'daily_pnl'::regclass)"
    deliver(connection, [fill(MON, "B", "10", "1.00"), fill(TUE, "S", "10", "2.00")])
    monkeypatch.setattr("risk.books.warehouse.MANY_ACCOUNT_SESSIONS", 2)

    aggregate_session(connection, TUE)

    assert dict(query(connection, counts)) == {"positions": 2, "daily_pnl": 2}


def test_aggregate_writes_nothing_when_it_runs_again(connection: Connection) -> None:
    deliver(connection, random_desk(4))
    state_mark(connection, TUE, "XYZ", "12.5")
    first = aggregate_session(connection, SESSIONS[-1])
    before = stored_versions(connection)

    again = aggregate_session(connection, SESSIONS[-1])

    assert first.recomputed_account_count == 4
    assert again == Aggregate(0, 0, 0)
    assert stored_versions(connection) == before


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
    query(connection, "truncate positions, daily_pnl, last_fills cascade")

    aggregate_session(connection, SESSIONS[-1])

    assert by_and_by == (books_of(connection), query(connection, LAST_FILLS))


@pytest.mark.parametrize("seed", [6, 7])
def test_aggregate_of_two_sessions_side_by_side_leaves_the_rows_of_one_after_the_other(
    connection: Connection, warehouse_dsn: str, seed: int
) -> None:
    deliver(connection, random_desk(seed))
    runs = [run_of(connection, session_date) for session_date in (SESSIONS[4], SESSIONS[-1])]
    for run in runs:
        aggregate(connection, run)
    one_after_the_other = books_of(connection)
    query(connection, "truncate positions, daily_pnl, last_fills cascade")

    def aggregate_alone(run: Run) -> None:
        own = warehouse.connect(warehouse_dsn)
        aggregate(own, run)
        own.close()

    with ThreadPoolExecutor() as threads:
        list(threads.map(aggregate_alone, reversed(runs)))

    assert books_of(connection) == one_after_the_other
