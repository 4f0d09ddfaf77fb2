"""Which carried positions look like a split that nobody stated."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.corporate_actions import RATIOS, CarriedSymbol, find_split, split_sentence, suspected_split

DAY = dt.date(2025, 8, 14)


def carried(
    last_price: float, first_price: float, *, held: float = 100, closed: float = 0, symbol: str = "FS"
) -> CarriedSymbol:
    return CarriedSymbol("A1", DAY, symbol, held, last_price, first_price, closed)


@pytest.mark.parametrize(
    ("case", "ratio"),
    [
        (carried(402, 101, closed=400), (4, 1)),
        (carried(402, 101), (4, 1)),
        (carried(402, 101, held=-100), (4, 1)),
        (carried(30, 15.4), (2, 1)),
        (carried(90, 29), (3, 1)),
        (carried(1200, 118), (10, 1)),
        (carried(1200, 62), (20, 1)),
        (carried(400, 125, closed=400), (4, 1)),  # fell by 25 % more than the split, and all of it was sold
        (carried(3.0, 1.6, closed=200), (2, 1)),  # a penny stock, and twice as many were sold
        (carried(2.0, 20.5), (1, 10)),
        (carried(0.40, 5.6), (1, 15)),
        (carried(1.0, 3.9), (1, 4)),
        (carried(10, 20.2), (1, 2)),
        (carried(402, 101, symbol="BRK.B"), (4, 1)),
    ],
)
def test_a_price_near_a_whole_part_or_multiple_looks_like_a_split(case: CarriedSymbol, ratio: tuple[int, int]) -> None:
    assert suspected_split(case) == ratio


@pytest.mark.parametrize(
    "case",
    [
        carried(100, 97),
        carried(100, 65),  # a bad day
        carried(100, 72, closed=200),  # turned around: prices say that it is no split
        carried(100, 100, closed=200),
        carried(100, 43),
        carried(0.80, 0.40),  # a penny stock that halves
        carried(4.0, 1.9),
        carried(0.50, 1.0),  # and one that doubles or triples
        carried(0.50, 1.5),
        carried(1.0, 3.5),
        carried(402, 101, symbol="AAPL  250919C00150000"),  # options halve every day
        carried(402, 101, symbol="/ESU5"),
        carried(0, 10),
        carried(10, 0),
    ],
)
def test_what_prices_do_by_themselves_is_no_split(case: CarriedSymbol) -> None:
    assert suspected_split(case) is None


def test_the_sentence_names_symbol_ratio_and_the_line_to_write() -> None:
    case = carried(402, 101, closed=400)

    assert split_sentence(case, (4, 1)) == (
        "A1: FS looks like a 4:1 split on 2025-08-14: 100 held at 402, first price 101, 400 closed. If it was one, add "
        "the line 2025-08-14,FS,4:1 to a splits*.csv (Date,Symbol,Ratio)."
    )


@given(
    last_price=st.floats(0.01, 5000),
    change=st.floats(0.7, 1.4),
    held=st.integers(-1000, 1000).filter(bool),
    closed=st.integers(0, 5000),
)
def test_moves_below_a_third_are_no_split_whatever_is_closed(
    last_price: float, change: float, held: int, closed: int
) -> None:
    assert suspected_split(carried(last_price, last_price * change, held=held, closed=closed)) is None


@given(
    ratio=st.sampled_from(RATIOS),
    price=st.floats(6, 500),
    move=st.floats(-0.04, 0.04),
    held=st.integers(-1000, 1000).filter(bool),
)
def test_every_ratio_is_recognized_in_both_directions(ratio: int, price: float, move: float, held: int) -> None:
    forward, reverse = (
        suspected_split(carried(*prices, held=held))
        for prices in ((price * ratio, price * (1 + move)), (price, price * ratio * (1 + move)))
    )

    assert forward is not None
    assert reverse is not None
    assert (forward[1], reverse[0]) == (1, 1)
    # Of ratios that lie as near to each other as prices move in a night, either may be named.
    assert abs(forward[0] / ratio - 1) < 0.1
    assert abs(reverse[1] / ratio - 1) < 0.1


@pytest.mark.parametrize(
    ("case", "stated_ratio", "said"),
    [
        # 4:1 written as 1:4, as 2:1, and not at all
        (carried(400, 101, closed=400), 0.25, "0.25 new shares for one old) does not fit: 100 held at 400"),
        (carried(400, 101, closed=400), 2, "which looks like a 4:1 split"),
        (carried(400, 398), 4, "which looks like no split. Correct its line in splits*.csv"),
        (carried(400, 101, closed=400), 4, None),
        (carried(0.5, 5.1), 0.1, None),
        (carried(90, 61), 1.5, None),
    ],
)
def test_a_stated_split_that_prices_contradict_is_named(
    case: CarriedSymbol, stated_ratio: float, said: str | None
) -> None:
    found = find_split(case._replace(stated_ratio=stated_ratio))

    assert (found is None) == (said is None)
    assert said is None or (found and said in found.sentence)
