"""Further limits of drawn days against a walk along every point of the running P&L."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from risk.limits.further_limits import account_uses
from tests.policies import policy_document

LIMITS = ("loss_from_top_usd", "weekly_usd", "monthly_usd", "trailing_usd")
POLICY = policy_document(**{f"limits__{name}": "100.00" for name in LIMITS})

points = st.lists(st.integers(-150, 150).map(Decimal), min_size=1, max_size=6)
"""The running P&L of a day at its fills, the last one at the close; it begins at 0."""


def earlier_sum(days: list[list[Decimal]], dates: list[dt.date], since: dt.date) -> Decimal:
    return sum((day[-1] for day, date in zip(days[:-1], dates, strict=False) if date >= since), Decimal(0))


@given(st.lists(points, min_size=1, max_size=40))
def test_losses_are_those_of_a_walk_along_every_point(days: list[list[Decimal]]) -> None:
    last = dt.date(2025, 8, 20)
    dates = [last - dt.timedelta(days=back) for back in range(len(days) - 1, -1, -1)]
    today = [Decimal(0), *days[-1]]
    monday, first = last - dt.timedelta(days=last.weekday()), last.replace(day=1)
    closes = list(accumulate((day[-1] for day in days[:-1]), initial=Decimal(0)))
    tops = list(accumulate(today, max))
    row = {
        "account_id": "NET001",
        "largest_loss_usd": -min(today),
        "loss_from_top_usd": max(top - point for top, point in zip(tops, today, strict=True)),
        "week_before_usd": earlier_sum(days, dates, monday),
        "month_before_usd": earlier_sum(days, dates, first),
        "cumulative_before_usd": closes[-1],
        "peak_before_usd": max(closes),
        **dict.fromkeys(("week_incomplete_count", "month_incomplete_count", "incomplete_count"), 0),
    }

    found = {one.kind: one for one in account_uses(row, POLICY.desk)}

    # A second way: every point of the last day with everything before it, the highest of closes and of the day so far.
    week, month = (earlier_sum(days, dates, since) for since in (monday, first))
    falls = [max(*closes, closes[-1] + top) - (closes[-1] + point) for top, point in zip(tops, today, strict=True)]
    walked = {
        "loss from the day's top": max(top - point for top, point in zip(tops, today, strict=True)),
        "weekly loss": max(0, *(-(week + point) for point in today)),
        "monthly loss": max(0, *(-(month + point) for point in today)),
        "trailing loss": max(0, *falls),
    }
    assert {kind: one.loss_usd for kind, one in found.items()} == walked
    assert {kind: one.is_hit for kind, one in found.items()} == {kind: loss >= 100 for kind, loss in walked.items()}
    assert all((one.use_ratio >= 1) == one.is_hit for one in found.values())
