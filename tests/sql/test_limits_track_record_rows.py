"""The track record in the warehouse: which recommendation counts, and the paths of real fills."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.entities import Fill
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, records
from risk.limits.track_record import store_track_record
from risk.report.build_facts import build_facts
from tests.report_desks import insert
from tests.sql.daily_rows import new_load, new_run
from tests.track_record_desks import EARLY, MON, TUE, deliver, entries, fill, mark, rename, report, update_record


def test_path_of_a_day_worked_by_hand(connection: Connection) -> None:
    report(connection, MON, "0.40")
    deliver(
        connection,
        [
            # Opening costs its fee: -5.
            fill(MON, 1, "B", "1000", "10.00", "5"),
            # 1,000 held fell by 2.00: -2,005.
            fill(MON, 2, "S", "400", "8.00"),
            # 600 held fell by 2.00: -3,205, beyond the limit of 5,000 less 40 %; then fees of 1: -3,206.
            fill(MON, 3, "S", "100", "6.00", "1"),
            # 500 held rose by 4.00: -1,206, and all are sold.
            fill(MON, 4, "S", "500", "10.00"),
        ],
    )

    run = update_record(connection, MON)

    [found] = entries(connection)
    assert found["running_lows_usd"] == [Decimal(5), Decimal(2005), Decimal(3206)]
    assert (found["close_usd"], found["base_outcome_usd"]) == (Decimal(-1206), Decimal(-1206))
    # Stopped at -3,206 less 5 % of 3,000: -3,356.
    assert found["cut_outcome_usd"] == Decimal(-3356)
    assert found["is_live"]
    [record] = records(connection, "track_record/select_track_record", {"session_date": run.session_date})
    # -3,356 + 1,206 = -2,150 forgone.
    assert (record["prevented_usd"], record["forgone_usd"], record["verdict"]) == (0, Decimal(-2150), "too few")
    verdict, totals = build_facts(connection, run).past_cuts
    assert verdict.startswith("No evidence of benefit yet: 1 session ")
    assert "$0 of losses prevented, $2,150 of gains forgone" in totals


def test_carried_position_starts_at_the_previous_close(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "T", "100", "50.00")])
    mark(connection, MON, "52.00")
    mark(connection, TUE, "60.00")
    report(connection, TUE, "0.40")
    deliver(connection, [fill(TUE, 1, "C", "40", "55.00", "2"), fill(TUE, 2, "B", "10", "9.00", symbol="ABC")])
    mark(connection, TUE, "8.00", symbol="ABC")

    update_record(connection, TUE)

    [found] = entries(connection)
    # Short 100 from 52.00 to 55.00 is -300, less 2: -302. The fill in ABC moves nothing.
    assert found["running_lows_usd"] == [Decimal(302)]
    # At the close 60 are still short, 5.00 higher: -300; 10 ABC fell by 1.00: -10. Together -612.
    assert found["close_usd"] == Decimal(-612)


def test_carried_position_goes_through_a_split(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "100", "50.00")])
    mark(connection, MON, "50.00")
    source = {"file_name": "splits.csv", "line_number": 1, "recorded_at": dt.datetime.now(dt.UTC)}
    ratio = {"session_date": TUE, "symbol": "XYZ", "new_shares": 4, "old_shares": 1}
    insert(connection, "splits", load_id=new_load(connection, TUE), **ratio, **source)
    report(connection, TUE, "0.40")
    deliver(connection, [fill(TUE, 1, "S", "400", "12.00")])

    update_record(connection, TUE)

    # 100 shares of 50.00 were 5,000; 400 of 12.00 are 4,800.
    [found] = entries(connection)
    assert (found["running_lows_usd"], found["close_usd"]) == ([Decimal(200)], Decimal(-200))


def test_path_in_another_currency_is_followed_at_the_sessions_rate(connection: Connection) -> None:
    report(connection, MON, "0.40")
    mark(connection, MON, "0.75", symbol="@CADUSD")
    fills = (fill(MON, 1, "B", "100", "50.00"), fill(MON, 2, "S", "100", "46.00", "1"))
    deliver(connection, [one._replace(currency="CAD") for one in fills])

    update_record(connection, MON)

    # 100 fell by 4.00 Canadian dollars, which are 300.00 of ours, and a fee in ours.
    [found] = entries(connection)
    assert (found["running_lows_usd"], found["close_usd"]) == ([Decimal(301)], Decimal(-301))


def test_fills_of_merged_accounts_follow_each_other_on_one_line_of_one_instant(connection: Connection) -> None:
    rename(connection, TUE, "OLD1")
    report(connection, MON, "0.40")
    deliver(connection, [fill(MON, 1, "B", "100", "50.00", "7")])
    deliver(connection, [fill(MON, 1, "B", "100", "60.00")], "OLD1")
    mark(connection, MON, "55.00")

    update_record(connection, MON)

    # The first fill costs its fee, the second finds 100 risen by 10.00; at the close 200 of 55.00 are what they cost.
    [found] = entries(connection)
    assert (found["running_lows_usd"], found["close_usd"]) == ([Decimal(7)], Decimal(-7))


def walked(
    fills: Sequence[Fill], carried: dict[str, tuple[Decimal, Decimal]], limit: Decimal, close: Decimal
) -> Decimal:
    """Compute the outcome a second way: after each fill, cash plus market value less what was carried in."""
    held = {symbol: quantity for symbol, (quantity, _) in carried.items()}
    price = {symbol: opened for symbol, (_, opened) in carried.items()}
    start = sum((quantity * opened for quantity, opened in carried.values()), Decimal(0))
    cash = Decimal(0)
    for one in fills:
        sign = 1 if one.side in "BC" else -1
        cash -= sign * one.quantity * one.price + one.fees_usd
        held[one.symbol] = held.get(one.symbol, Decimal(0)) + sign * one.quantity
        price[one.symbol] = one.price
        value = cash + sum(quantity * price[symbol] for symbol, quantity in held.items()) - start
        if value <= -limit:
            return value - limit * Decimal("0.05")
    return close


@pytest.mark.parametrize("seed", range(6))
def test_outcomes_are_those_of_cash_and_market_value(connection: Connection, seed: int) -> None:
    dice = random.Random(seed)

    def day_of(day: dt.date) -> list[Fill]:
        return [
            fill(day, minute, dice.choice("BSTC"), str(dice.randint(1, 300)), f"{dice.uniform(8, 40):.4f}",
                 f"{dice.uniform(-1, 2):.2f}", dice.choice(("XYZ", "ABC", "AB")))
            for minute in range(1, 40)
        ]  # fmt: skip

    monday, tuesday = day_of(MON), day_of(TUE)
    deliver(connection, monday)
    report(connection, TUE, "0.60")
    deliver(connection, tuesday)

    update_record(connection, TUE)

    with connection, connection.cursor() as cursor:
        cursor.execute("select symbol, quantity, mark_price from positions where session_date = %s", (MON,))
        carried = {symbol: (quantity, price) for symbol, quantity, price in cursor.fetchall() if quantity}
    [found] = entries(connection)
    close = found["close_usd"]
    assert found["cut_outcome_usd"] == walked(tuesday, carried, Decimal(2000), close)
    assert found["base_outcome_usd"] == walked(tuesday, carried, Decimal(5000), close)


def test_last_report_before_the_open_counts(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "10.00")])
    report(connection, MON, "0.20")
    second = report(connection, MON, "0.40", since_open=-dt.timedelta(minutes=1))
    report(connection, MON, "0.00", since_open=EARLY)

    update_record(connection, MON)

    [found] = entries(connection)
    assert (found["run_id"], found["cut_ratio"], found["is_live"]) == (second.run_id, Decimal("0.40"), True)


def test_first_report_made_afterwards_counts_where_there_was_none_before(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "10.00")])
    first = report(connection, MON, "0.20", since_open=EARLY)
    report(connection, MON, "0.80", since_open=2 * EARLY)

    update_record(connection, MON)

    [found] = entries(connection)
    assert (found["run_id"], found["is_live"]) == (first.run_id, False)


def test_run_that_knows_the_past_never_counts(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "10.00")])
    counted = report(connection, MON, "0.20")
    report(connection, MON, "0.40", since_open=-dt.timedelta(minutes=1), is_point_in_time=True)
    deliver(connection, [fill(TUE, 1, "B", "10", "10.00"), fill(TUE, 2, "S", "10", "10.00")])
    report(connection, TUE, "0.40", since_open=EARLY, is_point_in_time=True)

    update_record(connection, TUE)

    [found] = entries(connection)
    assert (found["effective_session"], found["run_id"]) == (MON, counted.run_id)


def test_report_before_the_open_replaces_an_entry_made_from_another(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "10.00")])
    report(connection, MON, "0.20", since_open=EARLY)
    update_record(connection, MON)

    live = report(connection, MON, "0.40")
    store_track_record(connection, new_run(connection, MON))

    [found] = entries(connection)
    assert found["run_id"] == live.run_id


def test_restated_fills_are_settled_again(connection: Connection) -> None:
    report(connection, MON, "0.40")
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "9.00")])
    update_record(connection, MON)
    assert entries(connection)[0]["running_lows_usd"] == [Decimal(10)]

    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "7.00")])
    update_record(connection, MON)

    assert entries(connection)[0]["running_lows_usd"] == [Decimal(30)]


def test_run_of_an_older_session_knows_nothing_of_later_ones(connection: Connection) -> None:
    for day in (MON, TUE):
        report(connection, day, "0.40")
        deliver(connection, [fill(day, 1, "B", "10", "10.00"), fill(day, 2, "S", "10", "9.00")])
    update_record(connection, TUE)

    older = update_record(connection, MON)

    assert len(entries(connection)) == 2
    [record] = records(connection, "track_record/select_track_record", {"session_date": older.session_date})
    assert (record["session_count"], record["entry_count"]) == (1, 1)


def test_incomplete_books_are_not_judged(connection: Connection) -> None:
    report(connection, MON, "0.40")
    # A future's multiplier is never guessed.
    deliver(connection, [fill(MON, 1, "B", "1", "10.00", symbol="/ES"), fill(MON, 2, "S", "1", "9.00", symbol="/ES")])

    update_record(connection, MON)

    assert entries(connection) == []


def test_settling_twice_leaves_the_same_rows(connection: Connection) -> None:
    report(connection, MON, "0.40")
    deliver(connection, [fill(MON, 1, "B", "10", "10.00"), fill(MON, 2, "S", "10", "9.00")])
    run = update_record(connection, MON)
    before = entries(connection)

    store_track_record(connection, run)

    assert entries(connection) == before


def test_riskctl_track_record_prints_the_verdict_and_every_trader(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parse_dsn(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")
    nothing = CliRunner().invoke(app, ["track-record"])
    report(connection, MON, "0.40")
    deliver(connection, [fill(MON, 1, "B", "1000", "10.00"), fill(MON, 2, "S", "1000", "6.90")])
    update_record(connection, MON)

    record = json.loads(CliRunner().invoke(app, ["track-record", "--json"]).stdout)
    shown = CliRunner().invoke(app, ["track-record", "--session", MON.isoformat()]).stdout

    assert isinstance(nothing.exception, RequestError)
    # -3,100 reaches 3,000 and costs 150 more.
    assert (record["verdict"], Decimal(record["net_usd"]), record["traders"][0]["cut_count"]) == ("too few", -150, 1)
    assert "No evidence of benefit yet" in shown
    assert "-150.00" in shown
