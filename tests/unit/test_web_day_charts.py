"""The charts of a trader's day: what is drawn, marked and said, against a day worked by hand."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from risk.core.calendar import session_close, session_open
from risk.limits.in_force import BASE, TEMPORARY, LimitInForce
from risk.limits.receipt_rows import FollowedSession
from risk.limits.receipts import RunningPoint, SessionPath, Step, running_pnl
from risk.web.day_charts import results_chart, running_chart, thinned, use_chart
from risk.web.day_views import DayView
from risk.web.trader_results import SessionResult
from tests.receipt_desks import DAY, SHIPPED_TERMS

OPENING = session_open(DAY)
BASE_LIMIT = LimitInForce(Decimal(1000), BASE, 0, None)


def view(changes: list[tuple[int, str]], limits: list[tuple[int, LimitInForce]], close: str) -> DayView:
    """Make a day of fills of XYZ, each with its minute and what it adds to the running P&L."""
    steps = [
        Step(
            OPENING + dt.timedelta(minutes=minute), False, "XYZ", Decimal(10), Decimal(1), Decimal(number), False,
            Decimal(0), Decimal(change),
        )
        for number, (minute, change) in enumerate(changes)
    ]  # fmt: skip
    acting = [(OPENING + dt.timedelta(minutes=minute), limit) for minute, limit in limits]
    path = SessionPath(steps, {}, session_close(DAY), Decimal(close))
    points, receipt = running_pnl(path, acting, SHIPPED_TERMS)
    books = {"opens_at": OPENING, "closes_at": session_close(DAY), "total_pnl_usd": Decimal(close)}
    followed = FollowedSession(points, acting, receipt, SHIPPED_TERMS)
    nothing = (None, [], None, None)
    return DayView("NET001", DAY, None, None, books, 1, steps, followed, *nothing)


def test_running_chart_draws_every_fill_the_limits_and_the_crossing() -> None:
    lower = LimitInForce(Decimal(500), TEMPORARY, 1, OPENING + dt.timedelta(minutes=30))
    found = running_chart(view([(5, "-200"), (40, "-400"), (50, "50")], [(0, BASE_LIMIT), (30, lower)], "-520"))

    assert found is not None
    pnl, limit, crossing = found.data
    assert pnl["x"] == [f"2025-08-04T{time}" for time in ("09:30:00", "09:35:00", "10:10:00", "10:20:00", "16:00:00")]
    assert pnl["y"] == [0, -200, -600, -550, -520]
    assert limit["x"] == [f"2025-08-04T{time}" for time in ("09:30:00", "10:00:00", "16:00:00")]
    assert limit["y"] == [-1000, -500, -500]
    assert (pnl["line"]["shape"], limit["line"]["shape"]) == ("hv", "hv")
    assert (crossing["x"], crossing["y"]) == (["2025-08-04T10:10:00"], [-600])
    assert [(event.pnl_usd, event.words) for event in found.table.rows] == [
        (0, "start: base limit"),
        (-200, "new limit: temporary change"),
        (-600, "limit first reached with a fill of XYZ, the day's low"),
        (-520, "close"),
    ]
    assert "3 fills: lowest -$600.00 at 10:10:00, -$520.00 at the close" in found.summary
    assert "the limit of $500 was first reached at 10:10:00" in found.summary


def test_limit_that_takes_effect_beyond_the_loss_is_marked_at_its_instant() -> None:
    lower = LimitInForce(Decimal(100), TEMPORARY, 1, OPENING + dt.timedelta(minutes=30))
    found = running_chart(view([(5, "-200")], [(0, BASE_LIMIT), (30, lower)], "-150"))

    assert found is not None
    assert (found.data[2]["x"], found.data[2]["y"]) == (["2025-08-04T10:00:00"], [-200])
    assert "first reached at 10:00:00" in found.summary


def test_limit_first_reached_at_the_marks_is_marked_at_the_close() -> None:
    found = running_chart(view([(5, "-200")], [(0, BASE_LIMIT)], "-1000"))

    assert found is not None
    assert (found.data[2]["x"], found.data[2]["y"]) == (["2025-08-04T16:00:00"], [-1000])


def test_day_without_a_loss_reaches_nothing() -> None:
    found = running_chart(view([(5, "70")], [(0, BASE_LIMIT)], "60"))

    assert found is not None
    assert found.data[2]["x"] == []
    assert "the limit was not reached" in found.summary
    assert "lowest $0.00 at 09:30:00" in found.summary


def test_many_points_are_drawn_by_their_extremes() -> None:
    dice = random.Random(7)
    points = [
        RunningPoint(
            OPENING + dt.timedelta(seconds=number), None, Decimal(dice.randint(-9999, 9999)), BASE_LIMIT, False
        )
        for number in range(20_001)
    ]

    drawn = thinned(points, 1_000)

    assert len(drawn) <= 1_000
    assert (drawn[0], drawn[-1]) == (points[0], points[-1])
    pnl = [point.pnl_usd for point in points]
    assert {min(pnl), max(pnl)} <= {point.pnl_usd for point in drawn}
    assert drawn == sorted(drawn, key=lambda point: point.at)
    assert thinned(points[:1_000], 1_000) == points[:1_000]


def result(day: int, total: str | None, use: str | None, outcome: str | None = "within") -> SessionResult:
    amount = None if total is None else Decimal(total)
    ratio = None if use is None else Decimal(use)
    limit = None if outcome is None else Decimal(5000)
    return SessionResult(
        dt.date(2025, 8, day), 1, None, None, Decimal(0), None, amount, limit, None, None, ratio, outcome, None
    )


def test_results_are_drawn_against_the_limit_with_reached_ones_marked() -> None:
    results = [result(4, "100", "0"), result(5, None, None, None), result(6, "-5100", "1.2", "breach")]

    found, use = results_chart("NET001", results), use_chart("NET001", results)

    assert found is not None
    assert use is not None
    bars, limit, reached = found.data
    assert (bars["x"], bars["y"]) == (["2025-08-04", "2025-08-06"], [100, -5100])
    assert limit["y"] == [-5000, -5000]
    assert (reached["x"], reached["y"]) == (["2025-08-06"], [-5100])
    assert "1 with a loss, the largest -$5,100; the limit was reached on 1 day" in found.summary
    assert use.data[0]["y"] == [0, 1.2]
    assert "at most 120% on 2025-08-06; 100% or more on 1 day" in use.summary


def test_trader_without_known_results_has_no_chart() -> None:
    results = [result(5, None, None, None)]

    assert results_chart("NET001", results) is None
    assert use_chart("NET001", results) is None
