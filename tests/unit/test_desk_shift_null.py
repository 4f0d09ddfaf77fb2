"""The null against a second method: shifts drawn one by one, and meetings counted one by one."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import pytest

from risk.desk.executions import ActivityProfile, Orders, orders_of, profile_of
from risk.desk.patterns import CROSSING, CROSSING_SECONDS, find_patterns
from risk.desk.shift_null import SHIFTS, tail
from tests.desk_days import Trade, clock, desk

DRAWS = 20_000


class _Block(NamedTuple):
    """Orders of B that move together, and how likely each shift of them is."""

    orders: list[int]
    weights: list[float]


def _drawn_desk(seed: int) -> list[Trade]:
    """Let A trade often and B seldom in the same two symbols; some of B's orders are two minutes apart."""
    dice = random.Random(seed)
    symbols = ("ABC", "XYZ")
    trades = [
        Trade("A", dice.choice(symbols), dice.randrange(-6000, 6000), dice.choice((-100, 100))) for _ in range(250)
    ]
    for place in range(-5000, 5000, 1500):
        second, symbol = place + dice.randrange(300), dice.choice(symbols)
        trades += [Trade("B", symbol, second + lag, dice.choice((-100, 100))) for lag in (0, 120)]
    return [*trades, *clock()]


def _meets(orders: Orders, order: int, shift: int) -> bool:
    return any(
        orders.account[other] == 0
        and orders.place[other] == orders.place[order]
        and orders.sign[other] != orders.sign[order]
        and abs(int(orders.second[order]) + shift - int(orders.second[other])) <= CROSSING_SECONDS
        for other in np.flatnonzero(orders.account == 0)
    )


def _blocks(orders: Orders, profile: ActivityProfile) -> list[_Block]:
    own = np.flatnonzero(orders.account == 1)
    found = []
    for block in np.unique(orders.block[own]):
        members = [int(one) for one in own if orders.block[one] == block]
        session, place, second = (values[members][:, None] for values in (orders.session, orders.place, orders.second))
        logs = profile.log_rate(session, place, second + SHIFTS) - profile.log_rate(session, place, second)
        # The day as it was stands for the 120 seconds of the window: four steps.
        weights = np.exp(logs.mean(axis=0)) * np.where(SHIFTS == 0, 4.0, 1.0)
        found.append(_Block(members, weights.tolist()))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_expected_count_is_the_mean_of_drawn_shifts(seed: int) -> None:
    # given
    fills = desk(_drawn_desk(seed))
    [found] = [one for one in find_patterns(fills) if (one.kind, one.account, one.other) == (CROSSING, 1, 0)]
    orders = orders_of(fills)
    blocks = _blocks(orders, profile_of(orders, 1, len(fills.symbols)))
    meets = {
        (order, shift): _meets(orders, order, shift)
        for one in blocks
        for order in one.orders
        for shift in SHIFTS.tolist()
    }

    # when every block is shifted by itself, many times
    dice = random.Random(100 + seed)
    drawn = [dice.choices(SHIFTS.tolist(), one.weights, k=DRAWS) for one in blocks]
    counts = [
        sum(meets[order, shift] for one, shift in zip(blocks, shifts, strict=True) for order in one.orders)
        for shifts in zip(*drawn, strict=True)
    ]

    # then
    assert found.observed == sum(meets[order, 0] for one in blocks for order in one.orders)
    assert found.expected == pytest.approx(np.mean(counts), abs=5 * np.std(counts) / DRAWS**0.5)


def test_order_of_the_fills_changes_nothing() -> None:
    trades = _drawn_desk(9)
    shuffled = random.Random(1).sample(trades, len(trades))
    assert find_patterns(desk(trades)) == find_patterns(desk(shuffled))


def test_tail_keeps_the_digits_of_small_probabilities() -> None:
    chances = np.array([1.0, 1e-18, 1e-20])
    assert tail(chances, 0) == 1.0
    assert tail(chances, 1) == pytest.approx(1.01e-18)
    assert tail(chances, 2) == pytest.approx(1e-20)
