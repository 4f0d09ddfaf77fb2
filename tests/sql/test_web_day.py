"""A trader's day in the warehouse: running P&L, symbols, overnight, and what is said where a part is unknown."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal

import pytest

from risk.books.warehouse import aggregate
from risk.core.errors import RequestError
from risk.core.warehouse import Connection
from risk.web.day_views import read_day
from tests.policies import adopt, policy_document
from tests.receipt_desks import DAY, draw_day, judge, limit
from tests.report_desks import recommend, store_report
from tests.sql.daily_rows import new_run
from tests.sql.test_limits_receipts import OPENING, change_limit, receipts, store_day, update
from tests.track_record_desks import MON, TUE, deliver, fill, mark

SATURDAY = dt.date(2025, 8, 9)


@pytest.mark.parametrize("seed", range(20, 28))
def test_every_point_of_a_drawn_day_is_that_of_brute_force(connection: Connection, page: Connection, seed: int) -> None:
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

    view = read_day(page, "NET001", DAY)

    count = len(day.trades)
    assert view.followed is not None
    assert view.books is not None
    points = [point.pnl_usd for point in view.followed.points]
    assert points == [*(day.pnl(number + 1) for number in range(count)), day.pnl(count, at_marks=True)]
    # The last point is the day's total, the lowest the stored receipt's largest loss, to the cent and beyond.
    assert points[-1] == view.books["total_pnl_usd"]
    [stored] = receipts(connection)
    assert max(Decimal(0), -min(points)) == stored["largest_loss_usd"]
    assert view.receipt is not None
    assert view.followed.receipt.outcome == view.receipt.outcome == stored["outcome"]
    judged = judge(day)
    hits = [row.number for row in view.fills if row.is_hit]
    assert hits == ([judged["number"] + 1] if judged["kind"] in {"fill", "gap"} else [])
    assert sum(one.pnl_usd or 0 for one in view.symbols) == points[-1]


def test_day_worked_by_hand_shows_the_crossing_the_symbols_and_what_is_carried(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "10", "50.00", symbol="ABC")])
    mark(connection, MON, "50.00", symbol="ABC")
    update(connection)
    deliver(
        connection,
        [
            fill(TUE, 1, "B", "1000", "20.00", "5"),
            # -5,005: at the limit of 5,000; all is sold but 100.
            fill(TUE, 20, "S", "900", "15.00", "3"),
            fill(TUE, 30, "S", "20", "48.00", symbol="ABC"),
        ],
    )
    mark(connection, TUE, "14.00")
    mark(connection, TUE, "47.00", symbol="ABC")
    update(connection, TUE)

    view = read_day(connection, "NET001", TUE)

    first, second, third = view.fills
    assert (first.effect, second.effect, third.effect) == ("opens", "reduces", "turns around")
    # ABC was carried at 50.00: 10 x 2.00 lost with the fill that turns it around.
    assert [one.pnl_usd for one in view.fills] == [-5, -5008, -5028]
    assert [(one.is_hit, one.is_beyond, one.limit_usd) for one in view.fills] == [
        (False, False, 5000),
        (True, True, 5000),
        (False, True, 5000),
    ]
    # XYZ: 900 x -5 + 100 x -6 - 8; ABC: 10 x -2 + 10 x 1.
    assert [(one.symbol, one.pnl_usd) for one in view.symbols] == [("XYZ", -5108), ("ABC", -10)]
    # 20,000 + 13,500 and 960 of 34,460.
    assert [one.turnover_usd for one in view.symbols] == [33500, 960]
    assert view.symbols[1].turnover_ratio == Decimal(960) / Decimal(34460)
    assert view.symbols[0].pnl_ratio == Decimal(-5108) / Decimal(5118)
    assert {one.underlying for one in view.gap_stress.underlyings} == {"ABC", "XYZ"}
    assert (view.earlier_session, view.later_session, view.missing) == (MON, None, "")


def test_incomplete_books_leave_the_fills_and_say_why_there_is_no_running_pnl(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1", "5000", symbol="/ESU5"), fill(MON, 2, "B", "1", "10")])

    update(connection)
    view = read_day(connection, "NET001", MON)

    assert view.followed is None
    assert [(one.symbol, one.pnl_usd, one.effect) for one in view.fills] == [
        ("/ESU5", None, "opens"),
        ("XYZ", None, "opens"),
    ]
    assert "books are incomplete" in view.missing
    assert "multiplier for /ESU5" in view.missing
    assert {one.symbol: one.pnl_usd for one in view.symbols} == {"/ESU5": None, "XYZ": None}


def test_half_loaded_session_says_what_to_do(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1", "10")])
    aggregate(connection, new_run(connection, MON))
    deliver(connection, [fill(TUE, 1, "S", "1", "11")])

    booked, delivered = read_day(connection, "NET001", MON), read_day(connection, "NET001", TUE)

    # Booked, and the receipts are of a later task.
    assert (booked.receipt, booked.followed is None) == (None, False)
    assert "not booked yet" in delivered.missing
    assert (delivered.fills, delivered.earlier_session) == ([], MON)


def test_session_without_fills_and_positions_is_said_to_be_so(connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1", "10"), fill(MON, 2, "S", "1", "11")])
    update(connection)

    view = read_day(connection, "NET001", TUE)

    assert view.missing == "NET001 neither traded nor carried a position on 2025-08-05."
    assert (view.fills, view.symbols, view.gap_stress.underlyings, view.reported) == ([], [], [], None)


@pytest.mark.parametrize(
    ("account_id", "day", "sentence"),
    [
        ("NET001", SATURDAY, "2025-08-09 is no session"),
        ("NET001", dt.date(2999, 1, 4), "lies in the future"),
        ("NOBODY", MON, "No account named 'NOBODY' has ever traded"),
    ],
)
def test_day_that_cannot_be_is_refused_with_a_sentence(
    connection: Connection, account_id: str, day: dt.date, sentence: str
) -> None:
    deliver(connection, [fill(MON, 1, "B", "1", "10")])
    update(connection)

    with pytest.raises(RequestError, match=sentence):
        read_day(connection, account_id, day)


def reported(connection: Connection) -> None:
    """Carry 1,000 into Tuesday, lose 5,503 there, and report the session."""
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")])
    mark(connection, MON, "20.00")
    update(connection)
    deliver(connection, [fill(TUE, 1, "S", "500", "14.00", "2"), fill(TUE, 9, "S", "400", "15.00", "1")])
    mark(connection, TUE, "15.00")
    run = update(connection, TUE)
    recommend(connection, run, "NET001", "0.00")
    store_report(connection, run)


def test_day_as_known_then_keeps_the_fills_and_the_path_of_its_report(connection: Connection, page: Connection) -> None:
    # given a report, and fills of the session that are delivered again after it
    reported(connection)
    unchanged = read_day(page, "NET001", TUE, "then")
    deliver(connection, [fill(TUE, 5, "S", "1000", "21.00", "2")])
    update(connection, TUE)

    # when
    then, now = (read_day(page, "NET001", TUE, known) for known in ("then", "now"))

    # then: 1,000 fall by 6.00 and pay 2, 500 rise by 1.00 and pay 1; or 1,000 rise by 1.00 and pay 2
    assert [one.pnl_usd for one in then.fills] == [one.pnl_usd for one in unchanged.fills] == [-6002, -5503]
    assert [one.pnl_usd for one in now.fills] == [998]
    assert (then.missing, then.is_then, now.is_then) == ("", True, False)
    assert then.shown_receipt is not None
    assert now.shown_receipt is not None
    assert (then.shown_receipt.outcome, now.shown_receipt.outcome) == ("breach", "within")
    assert then.followed is not None
    assert [point.pnl_usd for point in then.followed.points] == [-6002, -5503, -5503]


def test_path_that_no_longer_gives_the_reported_receipt_is_not_shown(connection: Connection, page: Connection) -> None:
    # given a report, and Monday's fills delivered again after it: other 200 shares were carried into Tuesday
    reported(connection)
    deliver(connection, [fill(MON, 1, "B", "1200", "20.00")])
    update(connection, TUE)

    # when
    then = read_day(page, "NET001", TUE, "then")

    # then
    assert (list(then.fills), then.followed) == ([], None)
    assert "cannot be drawn: a position carried into the session" in then.missing
    assert then.shown_receipt is not None
    assert then.shown_receipt.largest_loss_usd == 6002


def test_day_as_known_then_needs_a_report_that_lists_the_account(connection: Connection, page: Connection) -> None:
    reported(connection)
    deliver(connection, [fill(TUE, 1, "B", "1", "10.00")], "NET002")
    update(connection, TUE)

    assert read_day(page, "NET002", TUE, "then").missing == "The report of 2025-08-05 does not list NET002."
    with pytest.raises(RequestError, match="Session 2025-08-04 has no report that knew NET001"):
        read_day(page, "NET001", MON, "then")
