"""Receipts in the warehouse: from fills and limits in force to rows, restated with the books."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from risk.books.warehouse import aggregate
from risk.core.calendar import session_open
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.in_force import TEMPORARY
from risk.limits.receipt_rows import store_receipts
from risk.limits.receipts import BEYOND_TOLERANCE, NOT_FLAT, TRADED_ON
from risk.limits.track_record import store_track_record
from risk.report.build_facts import build_facts
from tests.policies import adopt, policy_document
from tests.receipt_desks import DAY, SYMBOLS, Day, draw_day, judge, limit
from tests.report_desks import insert
from tests.sql.daily_rows import new_run
from tests.track_record_desks import MON, TUE, deliver, fill, mark, report

OPENING = session_open(MON)


def update(connection: Connection, day: dt.date = MON) -> Run:
    run = new_run(connection, day)
    aggregate(connection, run)
    store_track_record(connection, run)
    store_receipts(connection, run)
    return run


def receipts(connection: Connection) -> list[dict[str, Any]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select * from limit_receipts order by session_date, account_id")
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def change_limit(
    connection: Connection, amount: str, starts_at: dt.datetime, ends_at: dt.datetime | None = None
) -> None:
    """Register an approved temporary change as of the past."""
    recorded = {"recorded_at": starts_at - dt.timedelta(days=1)}
    change_id = insert(
        connection, "limit_changes", account_id="NET001", kind=TEMPORARY, limit_usd=amount, starts_at=starts_at,
        ends_at=ends_at or starts_at + dt.timedelta(days=1), reason="agreed", requested_by="1", requester_name="Ann",
        needs_second_person=False, **recorded,
    )  # fmt: skip
    decision = {"action": "approved", "seen_sha256": "0" * 64, "user_id": "2", "user_name": "Bob", **recorded}
    insert(connection, "limit_change_decisions", change_id=change_id, **decision)


def test_breach_of_a_day_worked_by_hand(connection: Connection) -> None:
    deliver(
        connection,
        [
            fill(MON, 1, "B", "1000", "20.00", "5"),
            # 1,000 fell by 5.00: -5,005 with the fee, at the limit of 5,000 and beyond; half is sold.
            fill(MON, 20, "S", "500", "15.00"),
            # Traded on: 500 more, which fell by another 1.00: -5,505, just beyond the tenth of 5,000.
            fill(MON, 25, "B", "500", "14.00"),
            # Flat 15 minutes later at 15.00: 1,000 rose by 1.00: -4,505.
            fill(MON, 35, "S", "1000", "15.00"),
        ],
    )

    run = update(connection)

    [found] = receipts(connection)
    assert (found["limit_usd"], found["limit_source"], found["limit_count"]) == (Decimal(5000), "default", 1)
    assert (found["hit_kind"], found["hit_symbol"], found["hit_price"]) == ("fill", "XYZ", Decimal("15.00"))
    assert found["hit_at"] == OPENING + dt.timedelta(minutes=20)
    assert (found["hit_before_usd"], found["hit_after_usd"]) == (Decimal(-5), Decimal(-5005))
    assert (found["largest_loss_usd"], found["furthest_usd"]) == (Decimal(5505), Decimal(-5505))
    assert found["largest_loss_at"] == OPENING + dt.timedelta(minutes=25)
    # 5,505 / 5,000; from the top, which is 0, down to -5,505.
    assert (found["use_ratio"], found["loss_from_top_usd"]) == (Decimal("1.101"), Decimal(5505))
    assert (found["enlarging_fill_count"], found["minutes_until_flat"]) == (1, Decimal(15))
    assert (found["outcome"], found["final_usd"]) == ("breach", Decimal(-4505))
    assert found["breach_reasons"] == [TRADED_ON, BEYOND_TOLERANCE, NOT_FLAT]
    [reported] = build_facts(connection, run).limit_use.breaches
    assert (reported.zone_ratio, reported.largest_loss_at) == (Decimal("0.9"), OPENING + dt.timedelta(minutes=25))
    assert reported.sentence == (
        "Breach of $5,000 (default base limit), down at least $5,505 (110%) at 09:55; first fill 09:50 XYZ at 15.00, "
        "P&L -$5 to -$5,005; flat after 15 min; 1 later fill opened or enlarged a position; final -$4,505."
    )


def test_carried_position_hits_by_gap_and_marks_hit_at_the_close(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")])
    mark(connection, MON, "20.00")
    # 1,000 open 5.00 lower and are sold at once.
    deliver(connection, [fill(TUE, 1, "S", "1000", "15.00"), fill(TUE, 9, "B", "1000", "9.00", symbol="ABC")])
    mark(connection, TUE, "8.60", symbol="ABC")

    update(connection, TUE)

    first, second = receipts(connection)
    assert (first["outcome"], first["hit_kind"], first["use_ratio"]) == ("within", None, Decimal(0))
    # A fill that opens a position follows the hit: no longer stopped at the limit.
    assert (second["hit_kind"], second["outcome"]) == ("gap", "breach")
    assert (second["minutes_until_flat"], second["final_usd"]) == (Decimal(0), Decimal(-5400))


def test_loss_seen_first_at_the_marks_is_a_hit_without_a_fill(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")])
    mark(connection, MON, "15.00")

    update(connection)

    [found] = receipts(connection)
    assert (found["outcome"], found["hit_kind"], found["hit_at"], found["hit_symbol"]) == ("hit", "close", None, None)
    assert (found["hit_after_usd"], found["largest_loss_at"]) == (Decimal(-5000), None)


def test_limit_of_an_accepted_email_applies_and_a_change_within_the_session_is_walked(connection: Connection) -> None:
    run = report(connection, MON, "0.40")
    sent = {"message_id": "<1@desk>", "recipient": "a@desk.example", "sent_at": OPENING - dt.timedelta(hours=1)}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **sent)
    change_limit(connection, "1000", OPENING + dt.timedelta(minutes=10))
    deliver(
        connection,
        [fill(MON, 1, "B", "1000", "20.00"), fill(MON, 5, "S", "500", "18.50"), fill(MON, 30, "S", "500", "18.50")],
    )

    update(connection)

    # -1,500 are within the 3,000 of the email, and beyond the 1,000 when they take effect; no fill enlarges.
    [found] = receipts(connection)
    assert (found["outcome"], found["hit_kind"], found["limit_count"]) == ("hit", "limit change", 2)
    assert (found["limit_usd"], found["limit_source"]) == (Decimal(1000), "temporary")
    assert (found["hit_at"], found["hit_after_usd"]) == (OPENING + dt.timedelta(minutes=10), Decimal(-1500))


def test_receipts_follow_restated_books_and_newly_stated_limits(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00"), fill(MON, 9, "S", "1000", "15.00")])
    update(connection)
    assert [one["outcome"] for one in receipts(connection)] == ["hit"]

    deliver(connection, [fill(MON, 1, "B", "1000", "20.00"), fill(MON, 9, "S", "1000", "19.00")])
    update(connection)
    assert [(one["outcome"], one["largest_loss_usd"]) for one in receipts(connection)] == [("within", Decimal(1000))]

    adopt(connection, policy_document(accounts__default_base_limit_usd="900.00"))
    update(connection)
    [found] = receipts(connection)
    # 1,000 are more than a tenth beyond 900.
    assert (found["outcome"], found["breach_reasons"]) == ("breach", [BEYOND_TOLERANCE])
    assert found["policy_version"].startswith("1 ")
    before = found["inputs_sha256"]
    assert store_receipts(connection, new_run(connection, MON)) == 0
    assert receipts(connection)[0]["inputs_sha256"] == before


def test_session_with_incomplete_books_has_no_receipt(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")._replace(currency="CAD")])

    update(connection)

    assert receipts(connection) == []


@pytest.mark.parametrize("seed", range(8))
def test_receipt_of_a_drawn_day_is_that_of_brute_force(connection: Connection, seed: int) -> None:
    dice = random.Random(seed)
    while not (drawn := draw_day(dice)).trades:
        pass
    amounts = (limit(40), limit(dice.choice((10, 30, 200))))
    instant = OPENING + dt.timedelta(minutes=dice.randint(2, 60))
    day = dataclasses.replace(drawn, carried={}, limits=[(OPENING, amounts[0]), (instant, amounts[1])])
    adopt(connection, policy_document(accounts__default_base_limit_usd="40.00"))
    change_limit(connection, str(amounts[1].limit_usd), instant)
    store_day(connection, day)

    update(connection, DAY)

    [found] = receipts(connection)
    judged = judge(day)
    assert (found["hit_kind"], tuple(found["breach_reasons"])) == (judged["kind"], judged["reasons"])
    assert found["largest_loss_usd"] == judged["largest_loss_usd"]
    assert found["hit_after_usd"] == judged.get("after_usd")


def store_day(connection: Connection, day: Day) -> None:
    opening = session_open(DAY)
    fills = [
        fill(
            DAY, 0, "B" if one.quantity > 0 else "S", str(abs(one.quantity)), str(one.price), str(one.fee), one.symbol
        )._replace(executed_at=one.at, tie_rank=number)
        for number, one in enumerate(day.trades, start=1)
    ]  # fmt: skip
    assert all(one.executed_at >= opening for one in fills)
    deliver(connection, fills)
    for symbol in SYMBOLS:
        mark(connection, DAY, str(day.marks[symbol]), symbol=symbol)
