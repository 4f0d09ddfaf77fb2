"""Patterns between traders: what counts as one, and how rare it is by the shifts, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from risk.desk.executions import orders_of
from risk.desk.patterns import COPYING, CROSSING, CROWDING, Finding, find_patterns, looked_at
from tests.desk_days import Trade, clock, desk

FAR = 1800


def _found(trades: list[Trade], kind: str, account: int, other: int, session_count: int = 1) -> list[Finding]:
    found = find_patterns(desk(trades, session_count=session_count))
    return [one for one in found if (one.kind, one.account, one.other) == (kind, account, other)]


def test_two_crossings_have_the_probability_of_two_shifts_that_meet() -> None:
    # given two pairs of orders 10 seconds apart, half an hour from each other, in two symbols
    trades = [
        Trade("A", "XYZ", 0, 100), Trade("B", "XYZ", 10, -300),
        Trade("A", "ABC", FAR, -100), Trade("B", "ABC", FAR - 10, 100),
        *clock(),
    ]  # fmt: skip

    # when
    [found] = _found(trades, CROSSING, 0, 1)

    # then each meets under no shift but the day as it was, which stands for the 120 seconds of its window: 4 steps
    # of 30 seconds beside the 111 of 5 to 60 minutes either way. Three accounts: 3 pairs and 3 single ones, 250 days.
    assert (found.observed, found.symbols) == (2, (0, 61))
    assert found.probability == pytest.approx((4 / 226) ** 2, rel=0.1)
    assert found.rate == pytest.approx(found.probability * 6 * 250)
    assert found.expected == pytest.approx(2 * 4 / 226, rel=0.05)
    assert not found.is_flagged


def test_same_side_is_no_crossing_and_opposite_side_no_copy() -> None:
    crossing = [Trade("A", f"S{n}", 300 * n, 100) for n in range(9)] + [
        Trade("B", f"S{n}", 300 * n + 30, -100) for n in range(9)
    ]
    copying = [trade._replace(shares=100) for trade in crossing]
    assert {one.kind for one in find_patterns(desk([*crossing, *clock()]))} == {CROSSING}
    assert {one.kind for one in find_patterns(desk([*copying, *clock()]))} == {COPYING}


def test_copy_states_its_lag_and_size() -> None:
    # given eight orders that B repeats 40 seconds later, seven at half the size
    leader = [Trade("A", f"S{n}", 600 * n - 3000, 200) for n in range(8)]
    follower = [Trade("B", f"S{n}", 600 * n - 2960, 100 if n else 200) for n in range(8)]

    # when
    [found] = _found([*leader, *follower, *clock()], COPYING, 1, 0)

    # then
    assert (found.observed, found.lag_seconds, found.size_ratio, found.same_size_count) == (8, 40, 0.5, 7)
    assert found.is_flagged
    assert not _found([*leader, *follower, *clock()], COPYING, 0, 1)


def test_crowd_needs_two_others_and_names_them() -> None:
    pair = [Trade(name, f"S{n}", 900 * n - 3600 + place, 100) for n in range(7) for place, name in enumerate("AB")]
    third = [Trade("C", trade.symbol, trade.second + 60) for trade in pair if trade.account == "A"]
    assert not _found([*pair, *clock()], CROWDING, 0, -1)
    [found] = _found([*pair, *third, *clock()], CROWDING, 0, -1)
    assert (found.observed, found.others, found.is_flagged) == (7, (1, 2), True)


def test_fills_within_a_minute_are_one_order_and_within_five_minutes_one_block() -> None:
    # given partial fills at 0 and 59 seconds, another order at 200, and one at 500
    trades = [Trade("A", "XYZ", second, 100) for second in (0, 59, 200, 500)]

    # when
    orders = orders_of(desk(trades))

    # then 500 is exactly five minutes from 200: a block of its own
    assert orders.quantity.tolist() == [2e10, 1e10, 1e10]
    assert np.unique(orders.block, return_counts=True)[1].tolist() == [2, 1]


def test_one_block_of_many_crossings_is_as_rare_as_one() -> None:
    """Two scalpers who meet once, for ten minutes, are no ten patterns."""
    trades = [Trade(name, "XYZ", 100 * n + 5 * place, sign * 100) for n in range(6)
              for place, (name, sign) in enumerate((("A", 1), ("B", -1)))]  # fmt: skip
    [found] = _found([*trades, *clock()], CROSSING, 0, 1)
    assert found.observed == 6
    # Their own twelve orders make these minutes a fifth busier than others.
    assert found.probability == pytest.approx(4 / 226, rel=0.2)


def test_a_little_every_day_is_seen_over_the_week_only() -> None:
    # given one crossing a day
    trades = [
        Trade(name, "XYZ", 300 * session, sign * 100, session=session)
        for session in range(5)
        for name, sign in (("A", 1), ("B", -1))
    ]

    # when
    found = _found([*trades, *clock(sessions=range(5))], CROSSING, 0, 1, session_count=5)

    # then five meetings of one shift in 226 steps each
    assert [(one.first_session, one.last_session, one.observed) for one in found] == [(0, 4, 5)]
    assert found[0].probability == pytest.approx((4 / 226) ** 5, rel=0.2)
    assert found[0].is_flagged


def test_shift_out_of_the_hours_counts_nothing() -> None:
    """In a session of four minutes no shift is possible: the day as it was is all there is."""
    trades = [Trade(name, f"S{n}", 60 * n, sign * 100) for n in range(4) for name, sign in (("A", 1), ("B", -1))]
    found = find_patterns(desk(trades))
    assert found
    assert min(one.probability for one in found) == pytest.approx(1.0)


@pytest.mark.parametrize("trades", [[], clock(), [*clock("A"), *clock("B")]])
def test_nobody_who_shares_a_symbol_gives_nothing(trades: list[Trade]) -> None:
    assert find_patterns(desk(trades)) == []


def test_every_trader_pair_and_lag_is_counted() -> None:
    assert [looked_at(kind, 12) for kind in (CROWDING, CROSSING, COPYING)] == [12, 66 + 12, 12 * 11 * 15]
