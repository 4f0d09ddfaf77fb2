"""FIFO: worked cases of splits, average prices and closing, where a digit or a sign is easily lost."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import pytest

from risk.books.executions import UNIT, unscaled
from risk.books.fifo import Lots, match_fills, open_lots, split_lots
from risk.books.positions import average_open_price
from risk.books.store import decimal_text


def lots_of(*lots: tuple[int, int, int]) -> Lots:
    return deque([list(lot) for lot in lots])


def test_a_split_gives_a_price_that_comes_out_even_to_the_whole_lot() -> None:
    lots = lots_of((100 * UNIT, 40 * UNIT, 7))

    assert split_lots(lots, 4 * UNIT, UNIT) == 0

    assert lots == lots_of((400 * UNIT, 10 * UNIT, 7))


def test_a_split_spreads_what_does_not_come_out_even_by_the_last_digit() -> None:
    lots = lots_of((-UNIT, 10 * UNIT, 7), (-2, 1, 8))

    assert split_lots(lots, 3 * UNIT, UNIT) == 0

    # 10 / 3 = 3.33333333...: 200,000,000 of the 300,000,000 parts cost 3.33333333, the rest 3.33333334.
    # 6 parts that cost 2 together: 4 cost nothing, 2 cost 0.00000001.
    assert lots == lots_of((-200_000_000, 333_333_333, 7), (-100_000_000, 333_333_334, 7), (-4, 0, 8), (-2, 1, 8))


def test_a_reverse_split_cuts_the_position_once_and_keeps_the_cost_of_a_lot_that_vanishes() -> None:
    lots = lots_of((4, 50, 7), (9, 30, 8), (30, 10, 9))

    assert split_lots(lots, UNIT, 10 * UNIT) == 0

    # 4 -> 0, 13 -> 1, 43 -> 4: the first lot's 200 go to the second, 470 for 1; the third has 3 for 300.
    assert lots == lots_of((1, 470, 8), (3, 100, 9))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reverse_split_realizes_the_cost_of_what_vanishes(sign: int) -> None:
    lots = lots_of((sign * 10, 50, 7), (sign * 9, 30, 8))

    realized = split_lots(lots, UNIT, 10 * UNIT)

    # 10 -> 1 and 19 -> 1: a long position loses what the last 9 had cost, a short one keeps what it got for them.
    assert realized == -sign * 270
    assert lots == lots_of((sign, 500, 7))


def test_the_average_price_of_a_short_is_rounded_half_up() -> None:
    assert average_open_price(open_lots([[-1, 10, 7], [-1, 11, 7]])) == 11
    assert average_open_price(open_lots([[-3, 10, 7], [-1, 11, 7]])) == 10
    assert average_open_price(open_lots([[300, 20, 7], [100, 10, 7]])) == 18


def test_a_day_that_ends_as_it_began_closes_its_own_lots_first() -> None:
    lots = lots_of((5, 100, 7))

    # Bought 5 at 110 and sold at 130 the same day: 5 x 20. Then sold 2 of the old at 140 and bought 2 at 150: 2 x 40.
    assert match_fills(lots, [5, -5, -2, 2], [110, 130, 140, 150], 8) == 180
    assert lots == lots_of((3, 100, 7), (2, 150, 8))


def test_the_smallest_quantities_open_shrink_and_flip_like_any_other() -> None:
    lots = lots_of((1, 100, 7))

    # One more at 110 the same day; sold 1 at 130 (20), then 2 at 120: the old one gains 20, one is short.
    assert match_fills(lots, [1, -1, -2], [110, 130, 120], 8) == 40
    assert lots == lots_of((-1, 120, 8))
    # Two bought at 90: the short gains 30, one is long; a third is bought, of which 1 goes at 95.
    assert match_fills(lots, [2, 1, -1], [90, 91, 95], 9) == 35
    assert lots == lots_of((1, 91, 9))


def test_numbers_are_written_exactly() -> None:
    assert [decimal_text(value, 2) for value in (0, -1, 150, 100, -1234)] == ["0", "-0.01", "1.5", "1", "-12.34"]
    assert [str(unscaled(value, 3)) for value in (0, 1500, 1530, -1536)] == ["0.00", "1.50", "1.53", "-1.536"]
    assert unscaled(0, 3) == Decimal(0)
