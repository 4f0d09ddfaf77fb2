"""What holds for any instruments: splits, options that expire, multipliers and currencies, lots against single shares.

The oracle knows no lots: it keeps every share as an object of its own, with the day and the rational price it came at.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.books.executions import UNIT
from risk.books.fifo import Lots, split_lots, split_quantity
from risk.books.session import account_sessions, daily_pnl
from risk.core.calendar import sessions_between
from risk.core.entities import Fill, Instrument, Mark, Split
from tests.properties.effort import many_examples

SESSIONS = sessions_between(dt.date(2025, 8, 11), dt.date(2025, 8, 18))
"""Six sessions; the option ends on the fifth."""

STOCK, FOREIGN, OPTION, FUTURE = "XYZ", "RY.TO", "XYZ   250815C00150000", "/ESU5"
SYMBOLS = (STOCK, FOREIGN, OPTION, FUTURE)
LAST_DAY = dt.date(2025, 8, 15)
MULTIPLIERS = {STOCK: 1, FOREIGN: 1, OPTION: 100, FUTURE: 50}
INSTRUMENTS = [Instrument(dt.date(2025, 1, 1), FUTURE, Decimal(50), None)]
SIGNS = {"B": 1, "C": 1, "S": -1, "T": -1}

Execution = tuple[dt.date, str, int, str, int, int]
Ratios = dict[tuple[dt.date, str], tuple[int, int]]
Prices = dict[tuple[dt.date, str], int]

executions = st.tuples(
    st.sampled_from(SESSIONS),
    st.sampled_from("BSTC"),
    st.integers(1, 4),
    st.sampled_from(SYMBOLS),
    st.integers(900, 1100),
    st.integers(-5, 40),
)
ratios = st.dictionaries(
    st.tuples(st.sampled_from(SESSIONS), st.sampled_from((STOCK, FOREIGN))),
    st.sampled_from([(2, 1), (3, 1), (3, 2), (5, 4)]),
    max_size=3,
)
prices = st.fixed_dictionaries({(day, symbol): st.integers(900, 1100) for day in SESSIONS for symbol in SYMBOLS})
rates = st.fixed_dictionaries({day: st.integers(7000, 7500) for day in SESSIONS})


@pytest.fixture(autouse=True, scope="module")
def _warm_calendar() -> None:
    """Open the exchange's calendar before hypothesis takes the time."""
    sessions_between(SESSIONS[0], SESSIONS[-1])


class Desk(NamedTuple):
    """All input about one account."""

    fills: list[Fill]
    marks: list[Mark]
    splits: list[Split]


def build(drawn: Sequence[Execution], closes: Prices, spots: dict[dt.date, int], split: Ratios) -> Desk:
    """Fills one minute apart, in the order drawn; prices in cents, spots in 1/10000; the option has no closing mark."""
    fills = [
        Fill(
            "NET001",
            session_date,
            dt.datetime.combine(session_date, dt.time(14), dt.UTC) + dt.timedelta(minutes=number),
            10 * number,
            side,
            Decimal(quantity),
            symbol,
            Decimal(price).scaleb(-2),
            None,
            Decimal(fees).scaleb(-2),
        )
        for number, (session_date, side, quantity, symbol, price, fees) in enumerate(drawn)
        if symbol != OPTION or session_date <= LAST_DAY
    ]
    marks = [
        Mark(day, symbol, Decimal(price).scaleb(-2), None, None)
        for (day, symbol), price in closes.items()
        if symbol != OPTION or day < LAST_DAY
    ]
    marks += [Mark(day, "@CADUSD", Decimal(spot).scaleb(-4), None, None) for day, spot in spots.items()]
    splits = [Split(day, symbol, Decimal(new), Decimal(old)) for (day, symbol), (new, old) in split.items()]
    return Desk(fills, marks, splits)


class Share(NamedTuple):
    """A piece of a position: one share, or what a split made of one."""

    symbol: str
    opened: dt.date
    number: int
    signed_size: Fraction
    price: Fraction


def by_shares(desk: Desk, split: Ratios) -> Iterator[tuple[dt.date, Fraction, list[Share]]]:
    """Yield each session's realized P&L in US dollars and the shares left open, sorting and searching no lots."""
    spots = {mark.session_date: Fraction(mark.price or 0) for mark in desk.marks if mark.symbol == "@CADUSD"}
    held: list[Share] = []
    for day in SESSIONS:
        for (split_day, symbol), (new, old) in split.items():
            if split_day == day:
                held = [
                    share._replace(signed_size=share.signed_size * new / old, price=share.price * old / new)
                    if share.symbol == symbol
                    else share
                    for share in held
                ]
        realized = Fraction(0)
        for number, fill in enumerate(desk.fills):
            if fill.session_date == day:
                gained, held = _close(held, fill, number)
                realized += gained * MULTIPLIERS[fill.symbol] * (spots[day] if fill.symbol == FOREIGN else 1)
        if day == LAST_DAY:
            ended = [share for share in held if share.symbol == OPTION]
            realized -= sum(share.signed_size * share.price for share in ended) * MULTIPLIERS[OPTION]
            held = [share for share in held if share.symbol != OPTION]
        yield day, realized, held


def _close(held: list[Share], fill: Fill, number: int) -> tuple[Fraction, list[Share]]:
    """Let a fill take piece after piece of the shares it closes: of its own day first, the oldest first."""
    sign, rest, gained = SIGNS[fill.side], Fraction(fill.quantity), Fraction(0)
    while rest:
        against = [share for share in held if share.symbol == fill.symbol and share.signed_size * sign < 0]
        today = [share for share in against if share.opened == fill.session_date]
        first = min(today or against, key=lambda share: (share.opened, share.number), default=None)
        if first is None:
            return gained, [*held, Share(fill.symbol, fill.session_date, number, rest * sign, Fraction(fill.price))]
        taken = min(rest, abs(first.signed_size))
        gained -= taken * sign * (Fraction(fill.price) - first.price)
        rest -= taken
        left = first._replace(signed_size=first.signed_size + taken * sign)
        held = [left if share is first else share for share in held]
        held = [share for share in held if share.signed_size]
    return gained, held


@given(st.lists(executions, min_size=1, max_size=14), prices, rates, ratios)
@many_examples
def test_lots_do_what_single_shares_do(
    drawn: list[Execution], closes: Prices, spots: dict[dt.date, int], split: Ratios
) -> None:
    desk = build(drawn, closes, spots, split)
    marks = {(mark.session_date, mark.symbol): Fraction(mark.price or 0) for mark in desk.marks}

    days = {day.session_date: day for day in daily_pnl(desk.fills, desk.marks, INSTRUMENTS, desk.splits)}

    for session_date, realized, held in by_shares(desk, split):
        unrealized = sum(
            share.signed_size
            * (marks[session_date, share.symbol] - share.price)
            * MULTIPLIERS[share.symbol]
            * (marks[session_date, "@CADUSD"] if share.symbol == FOREIGN else 1)
            for share in held
        )
        day = days.get(session_date)
        found = (day.gross_pnl_usd, day.unrealized_pnl_usd) if day else (Decimal(0), Decimal(0))
        # A split's price has eight decimal places, so single shares may differ in the seventh.
        assert None not in found
        assert abs(Fraction(found[0] or 0) - realized) < Fraction(1, 10**5)
        assert abs(Fraction(found[1] or 0) - unrealized) < Fraction(1, 10**5)


@given(st.lists(executions, min_size=1, max_size=20), prices, rates, ratios)
@many_examples
def test_everything_earned_is_cash_and_what_is_left_is_worth(
    drawn: list[Execution], closes: Prices, spots: dict[dt.date, int], split: Ratios
) -> None:
    drawn = [
        (day, side, quantity, symbol if symbol != FOREIGN else STOCK, *rest)
        for day, side, quantity, symbol, *rest in drawn
    ]
    desk = build(drawn, closes, spots, split)
    cash = sum(-SIGNS[each.side] * each.quantity * each.price * MULTIPLIERS[each.symbol] for each in desk.fills)
    fees = sum(each.fees_usd for each in desk.fills)

    days = account_sessions(desk.fills, desk.marks, INSTRUMENTS, desk.splits)

    quantity = {symbol: Fraction(0) for symbol in SYMBOLS}
    for session_date in SESSIONS:
        for symbol in SYMBOLS:
            new, old = split.get((session_date, symbol), (1, 1))
            quantity[symbol] *= Fraction(new, old)
            quantity[symbol] += sum(
                SIGNS[each.side] * Fraction(each.quantity)
                for each in desk.fills
                if (each.session_date, each.symbol) == (session_date, symbol)
            )
        if session_date == LAST_DAY:
            quantity[OPTION] = Fraction(0)
    value = sum(
        left * closes[SESSIONS[-1], symbol] / 100 * MULTIPLIERS[symbol] for symbol, left in quantity.items() if left
    )
    # Exact to the last digit: a split changes no cost, an expiry costs what was paid.
    total = Fraction(sum(day.total or 0 for day in days), 10**32)
    assert total == Fraction(cash) + value - Fraction(fees)


@given(st.lists(executions, min_size=1, max_size=14), prices, rates, ratios, st.data())
@many_examples
def test_splitting_a_fill_and_order_of_arrival_and_names_change_nothing(
    drawn: list[Execution], closes: Prices, spots: dict[dt.date, int], split: Ratios, data: st.DataObject
) -> None:
    desk = build(drawn, closes, spots, split)
    if not desk.fills:
        return
    index = data.draw(st.integers(0, len(desk.fills) - 1))
    whole = desk.fills[index]
    part = whole.quantity * data.draw(st.sampled_from([1, 25, 99])) / 100
    pieces = [
        whole._replace(quantity=part),
        whole._replace(quantity=whole.quantity - part, tie_rank=whole.tie_rank + 1, fees_usd=Decimal(0)),
    ]
    names = {STOCK: "ZZZ", FOREIGN: "A.TO", OPTION: "Q     250815P00001000", FUTURE: "/A", "@CADUSD": "@CADUSD"}
    moved = [
        each._replace(symbol=names[each.symbol]) for each in (*desk.fills[:index], *pieces, *desk.fills[index + 1 :])
    ]
    marks = [mark._replace(symbol=names[mark.symbol]) for mark in desk.marks]
    shuffle = Random(data.draw(st.integers(0, 9))).shuffle
    for each in (moved, marks):
        shuffle(each)

    days = daily_pnl(
        moved,
        marks,
        [stated._replace(symbol=names[stated.symbol]) for stated in INSTRUMENTS],
        [stated._replace(symbol=names[stated.symbol]) for stated in reversed(desk.splits)],
    )

    assert [_rounded(day) for day in days] == [
        _rounded(day) for day in daily_pnl(desk.fills, desk.marks, INSTRUMENTS, desk.splits)
    ]


def _rounded(day: tuple[object, ...]) -> tuple[object, ...]:
    """Leave out the digits in which a price of eight decimals, divided by a split, may differ."""
    return tuple(round(value, 5) if isinstance(value, Decimal) else value for value in day)


lots = st.lists(st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)), min_size=1, max_size=6)
shares = st.sampled_from([(4, 1), (1, 10), (1, 3), (3, 2), (7, 9), (UNIT + 1, UNIT)])


@given(lots, shares, st.sampled_from([1, -1]))
@many_examples
def test_a_split_changes_no_cost_and_cuts_the_quantity_once(
    drawn: list[tuple[int, int]], ratio: tuple[int, int], sign: int
) -> None:
    held: Lots = deque([sign * quantity, price, number] for number, (quantity, price) in enumerate(drawn))
    cost = sum(lot[0] * lot[1] for lot in held)
    quantity = sum(lot[0] for lot in held)
    opened = [lot[2] for lot in held]

    realized = split_lots(held, *ratio)

    assert sum(lot[0] * lot[1] for lot in held) - realized == cost
    left = sum(lot[0] for lot in held)
    assert left == split_quantity(quantity, *ratio) == sign * int(Fraction(abs(quantity) * ratio[0], ratio[1]))
    assert all(lot[0] * sign > 0 for lot in held)
    assert left or realized == -cost
    assert [lot[2] for lot in held] == sorted(lot[2] for lot in held)
    assert {lot[2] for lot in held} <= set(opened)
