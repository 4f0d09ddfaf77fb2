"""Further limits of the policy: their use and hits, worked by hand, and nothing where there is none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.core.warehouse import Connection
from risk.limits.further_limits import FurtherUse
from risk.report.build_facts import build_facts
from tests.breach_desks import run_session
from tests.policies import adopt, policy_document
from tests.track_record_desks import MON, TUE, deliver, fill

FRIDAY, LAST_MONTH = dt.date(2025, 8, 1), dt.date(2025, 7, 31)


def trade(connection: Connection, day: dt.date, *prices: str) -> None:
    """Buy 100 at 50 first, then sell and buy in turn at the prices; an even number leaves nothing open."""
    sides = "BSBSBSBS"
    deliver(connection, [fill(day, 5 * n, sides[n], "100", price) for n, price in enumerate(prices)])
    run_session(connection, day)


def further(connection: Connection, day: dt.date, **limits: str) -> dict[str, FurtherUse]:
    adopt(connection, policy_document(**{f"limits__{name}": value for name, value in limits.items()}))
    run = run_session(connection, day)
    return {one.kind: one for one in build_facts(connection, run).limit_use.further}


def test_further_limits_of_a_week_a_month_the_top_and_the_highest_cumulative_pnl(connection: Connection) -> None:
    trade(connection, LAST_MONTH, "50", "70")  # +2,000: the highest cumulative P&L
    trade(connection, FRIDAY, "50", "43")  # -700, this month and last week
    trade(connection, MON, "50", "45")  # -500, this week
    # +300, then -900 from there, then +100: the low is -600, the top 300, the end -500.
    trade(connection, TUE, "50", "53", "50", "41", "50", "51")

    found = further(
        connection,
        TUE,
        desk_usd="1000.00",
        loss_from_top_usd="900.00",
        weekly_usd="2000.00",
        monthly_usd="2500.00",
        trailing_usd="1700.00",
    )

    used = {kind: (one.loss_usd, one.use_ratio, one.is_hit) for kind, one in found.items()}
    assert used == {
        "loss of the desk": (Decimal(500), Decimal("0.5"), False),
        # Equal counts.
        "loss from the day's top": (Decimal(900), Decimal(1), True),
        # 500 + 600.
        "weekly loss": (Decimal(1100), Decimal("0.55"), False),
        # 700 + 500 + 600.
        "monthly loss": (Decimal(1800), Decimal("0.72"), False),
        # 2,000 - (2,000 - 700 - 500 - 600), more than the fall of the day; 1800 / 1700.
        "trailing loss": (Decimal(1800), Decimal("1.058823"), True),
    }
    assert found["monthly loss"].zone_ratio == Decimal("0.7")
    assert found["trailing loss"].words == "NET001: trailing loss at least $1,800 of $1,700 (105%), limit hit"
    assert found["loss of the desk"].words == "desk: loss of the desk $500 of $1,000 (50%)"


def test_earlier_day_with_incomplete_books_counts_as_0_and_is_named(connection: Connection) -> None:
    deliver(connection, [fill(MON, n, side, "100", "50")._replace(currency="CAD") for n, side in ((1, "B"), (2, "S"))])
    run_session(connection, MON)
    deliver(connection, [fill(TUE, 1, "B", "100", "50", symbol="ABC"), fill(TUE, 2, "S", "100", "43", symbol="ABC")])

    found = further(connection, TUE, weekly_usd="2000.00")

    assert found["weekly loss"].loss_usd == 700
    assert found["weekly loss"].words.endswith("(35%), not counting 1 day with incomplete books")


def test_policy_without_further_limits_reports_none(connection: Connection) -> None:
    trade(connection, MON, "50", "43")

    assert build_facts(connection, run_session(connection, MON)).limit_use.further == ()
