"""Receipts of drawn days are those of brute force, and every planted hit and breach is found, none invented."""

from __future__ import annotations

import collections
import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.calendar import session_open
from risk.limits.receipts import BREACH, HIT, WITHIN, ReceiptTerms, RunningLows, receipt, receipt_within, running_pnl
from tests.properties.effort import many_examples
from tests.receipt_desks import DAY, SHIPPED_TERMS, SYMBOLS, Day, Trade, draw_day, judge, limit

CENT = Decimal("0.01")


def found(day: Day, terms: ReceiptTerms = SHIPPED_TERMS) -> dict[str, Any]:
    """Lay a receipt out as the oracle does its judgment."""
    made = receipt(day.path(), day.limits, terms)
    values: dict[str, Any] = {"largest_loss_usd": made.largest_loss_usd, "reasons": made.breach_reasons, "kind": None}
    if made.hit is None:
        return values
    fills = [number for number, one in enumerate(day.trades) if one.at == made.hit.at]
    expected = judge(day, terms).get("number")
    return values | {
        "kind": made.hit.kind,
        # Of several fills in one instant the amounts tell which.
        "number": expected if made.hit.symbol is None or expected in fills else fills,
        "after_usd": made.hit.after_usd,
        "enlarging_fill_count": made.hit.enlarging_fill_count,
        "furthest_usd": made.hit.furthest_usd,
    }


@many_examples
@given(seed=st.integers(0, 2**32), equal_counts=st.booleans())
def test_receipt_is_that_of_brute_force(seed: int, *, equal_counts: bool) -> None:
    day = draw_day(random.Random(seed))
    terms = ReceiptTerms(Decimal("0.10"), 10, equal_counts=equal_counts, has_fees=True)

    assert found(day, terms) == judge(day, terms)


@many_examples
@given(seed=st.integers(0, 2**32))
def test_every_point_of_the_running_pnl_is_that_of_brute_force(seed: int) -> None:
    day = draw_day(random.Random(seed))
    count = len(day.trades)

    points, made = running_pnl(day.path(), day.limits, SHIPPED_TERMS)

    assert [point.pnl_usd for point in points] == [
        *(day.pnl(number + 1) for number in range(count)),
        day.pnl(count, at_marks=True),
    ]
    # The close is the day's total, the lowest point the receipt's largest loss, and both are of one walk.
    assert (points[-1].pnl_usd, points[-1].step) == (made.final_usd, None)
    assert max(Decimal(0), -min(point.pnl_usd for point in points)) == made.largest_loss_usd
    assert made == receipt(day.path(), day.limits, SHIPPED_TERMS)
    judged = judge(day)
    place = {"fill": judged.get("number"), "gap": judged.get("number"), "close": count}.get(judged["kind"])
    assert [number for number, point in enumerate(points) if point.is_hit] == ([] if place is None else [place])
    acting = [[limit for since, limit in day.limits if since <= point.at] for point in points]
    assert [point.limit for point in points] == [(found or [day.limits[0][1]])[-1] for found in acting]


@many_examples
@given(seed=st.integers(0, 2**32))
def test_stored_lows_give_the_receipt_of_the_walk(seed: int) -> None:
    day = draw_day(random.Random(seed))
    running = [day.pnl(count + 1) for count in range(len(day.trades))]
    lows = [
        number for number, pnl in enumerate(running) if -pnl > max([Decimal(0), *(-one for one in running[:number])])
    ]
    path, [(_, first), *_] = day.path(), day.limits
    walked = receipt(path, day.limits[:1], SHIPPED_TERMS)

    stored = RunningLows(
        [-running[number] for number in lows], [day.trades[number].at for number in lows], walked.loss_from_top_usd,
        path.close_usd,
    )  # fmt: skip
    made = receipt_within(stored, first, SHIPPED_TERMS)

    assert (made is None) == (walked.outcome != WITHIN)
    assert made is None or made == walked


def planted(loss: Decimal, *, later: tuple[Trade, ...] = (), close: Decimal = Decimal(20)) -> Day:
    """Make a day that loses an amount with its second fill, which sells half of 200 shares; a limit of 1,000."""
    opening = session_open(DAY)
    fall = loss / 200
    trades = (
        Trade(opening, "AAA", Decimal(200), Decimal(20), Decimal(0)),
        Trade(opening + dt.timedelta(minutes=30), "AAA", Decimal(-100), 20 - fall, Decimal(0)),
        *later,
    )
    return Day({}, trades, dict.fromkeys(SYMBOLS, close), [(opening, limit(1000))])


def flat_at(minutes: float, price: Decimal) -> Trade:
    return Trade(session_open(DAY) + dt.timedelta(minutes=30 + minutes), "AAA", Decimal(-100), price, Decimal(0))


@given(cents=st.integers(1, 9_999), minutes=st.integers(0, 10))
def test_planted_hits_are_found_and_are_no_breaches(cents: int, minutes: int) -> None:
    # Up to a tenth beyond 1,000 and flat within ten minutes at the same price: stopped at the limit.
    loss = 1000 + Decimal(cents) / 100
    made = receipt(planted(loss, later=(flat_at(minutes, 20 - loss / 200),)).path(), limits(), SHIPPED_TERMS)

    assert (made.outcome, made.hit and made.hit.kind) == (HIT, "fill")
    assert made.hit is not None
    assert (made.hit.after_usd, made.hit.minutes_until_flat) == (-loss, Decimal(minutes))


def limits() -> Any:
    return planted(Decimal(0)).limits


@pytest.mark.parametrize(
    ("loss", "outcome"),
    [
        # At the boundary, and a cent to either side: of the limit, then of the limit and a tenth.
        (1000 - CENT, WITHIN),
        (Decimal(1000), HIT),
        (1000 + CENT, HIT),
        (1100 - CENT, HIT),
        (Decimal(1100), HIT),
        (1100 + CENT, BREACH),
    ],
)
def test_boundary_is_exact_to_the_cent(loss: Decimal, outcome: str) -> None:
    day = planted(loss, later=(flat_at(1, 20 - loss / 200),))

    assert receipt(day.path(), limits(), SHIPPED_TERMS).outcome == outcome


def test_drawn_days_hold_every_kind_of_hit_and_reason() -> None:
    """The draws are not vacuous: all that can happen does, in a few hundred of them."""
    counts: collections.Counter[Any] = collections.Counter()
    for seed in range(600):
        judged = judge(draw_day(random.Random(seed)))
        counts.update([judged["kind"], *judged["reasons"]])
    assert set(counts) >= {None, "fill", "gap", "close", "limit change"}
    assert min(counts.values()) >= 5
    assert len(counts) == 9
