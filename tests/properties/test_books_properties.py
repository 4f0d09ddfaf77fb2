"""What holds for any fills: lots against single shares, conservation, and what must not matter."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Context, Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.books.session import DailyPnl, daily_pnl
from risk.books.store import decimal_text
from risk.core.calendar import sessions_between
from risk.core.entities import Fill, Mark
from tests.properties.effort import many_examples

SESSIONS = sessions_between(dt.date(2025, 6, 30), dt.date(2025, 7, 7))
"""Five sessions around the holiday of 4 July."""

Execution = tuple[dt.date, str, int, str, int, int, str]

SIGNS = {"B": 1, "C": 1, "S": -1, "T": -1}

executions = st.tuples(
    st.sampled_from(SESSIONS),
    st.sampled_from("BSTC"),
    st.integers(1, 6),
    st.sampled_from(["ABC", "XYZ"]),
    st.integers(900, 1100),
    st.integers(-5, 40),
    st.sampled_from(["NET001", "NET002"]),
)
closes = st.fixed_dictionaries({(day, symbol): st.integers(900, 1100) for day in SESSIONS for symbol in ("ABC", "XYZ")})


@pytest.fixture(autouse=True, scope="module")
def _warm_calendar() -> None:
    """Open the exchange's calendar before hypothesis takes the time."""
    sessions_between(SESSIONS[0], SESSIONS[-1])


def build(drawn: Sequence[Execution]) -> list[Fill]:
    """Fills one minute apart, in the order drawn; prices and fees in cents."""
    return [
        Fill(
            account_id,
            session_date,
            dt.datetime.combine(session_date, dt.time(12), dt.UTC) + dt.timedelta(minutes=number),
            10 * number,
            side,
            Decimal(quantity),
            symbol,
            Decimal(price).scaleb(-2),
            "USD",
            Decimal(fees).scaleb(-2),
        )
        for number, (session_date, side, quantity, symbol, price, fees, account_id) in enumerate(drawn)
    ]


def build_marks(drawn: dict[tuple[dt.date, str], int]) -> list[Mark]:
    return [Mark(day, symbol, Decimal(price).scaleb(-2), "USD", None) for (day, symbol), price in drawn.items()]


def realized_share_by_share(fills: Sequence[Fill]) -> dict[tuple[str, dt.date], Decimal]:
    """Enumerate single shares: each share sold looks through all open shares for the one the vendor would close."""
    open_shares: list[tuple[str, str, dt.date, int, int, Decimal]] = []
    realized: dict[tuple[str, dt.date], Decimal] = {}
    order = sorted(fills, key=lambda fill: (fill.session_date, fill.executed_at))
    for number, fill in enumerate(order):
        sign = SIGNS[fill.side]
        day = (fill.account_id, fill.session_date)
        realized.setdefault(day, Decimal(0))
        for _ in range(int(fill.quantity)):
            candidates = [
                share for share in open_shares if share[:2] == (fill.account_id, fill.symbol) and share[4] == -sign
            ]
            today = [share for share in candidates if share[2] == fill.session_date]
            closed = min(today or candidates, key=lambda share: share[3], default=None)
            if closed is None:
                open_shares.append((fill.account_id, fill.symbol, fill.session_date, number, sign, fill.price))
            else:
                open_shares.remove(closed)
                realized[day] += (fill.price - closed[5]) * closed[4]
    return realized


@given(st.lists(executions, max_size=25))
@many_examples
def test_lots_realize_what_single_shares_do(drawn: list[Execution]) -> None:
    fills = build(drawn)

    days = daily_pnl(fills, [])

    expected = realized_share_by_share(fills)
    assert {(day.account_id, day.session_date): day.gross_pnl_usd for day in days} == {
        (day.account_id, day.session_date): expected.get((day.account_id, day.session_date), Decimal(0)) for day in days
    }
    assert expected.keys() <= {(day.account_id, day.session_date) for day in days}


@given(st.lists(executions, min_size=1, max_size=25), closes)
@many_examples
def test_realized_and_unrealized_are_cash_and_market_value(
    drawn: list[Execution], drawn_closes: dict[tuple[dt.date, str], int]
) -> None:
    fills = build(drawn)
    marks = build_marks(drawn_closes)
    last = {mark.symbol: mark.price for mark in marks if mark.session_date == SESSIONS[-1]}

    days = daily_pnl(fills, marks)

    for account_id in {fill.account_id for fill in fills}:
        own = [fill for fill in fills if fill.account_id == account_id]
        cash = sum(-SIGNS[fill.side] * fill.quantity * fill.price for fill in own)
        value = sum(SIGNS[fill.side] * fill.quantity * (last[fill.symbol] or 0) for fill in own)
        fees = sum(fill.fees_usd for fill in own)
        total = sum(day.total_pnl_usd or 0 for day in days if day.account_id == account_id)
        assert total == cash + value - fees


@given(st.lists(executions, min_size=1, max_size=15), closes, st.data())
@many_examples
def test_splitting_a_fill_changes_nothing(
    drawn: list[Execution],
    drawn_closes: dict[tuple[dt.date, str], int],
    data: st.DataObject,
) -> None:
    fills = build(drawn)
    index = data.draw(st.integers(0, len(fills) - 1))
    whole = fills[index]
    part = Decimal(data.draw(st.integers(1, 99))) / 100 * whole.quantity
    halves = [
        whole._replace(quantity=part),
        whole._replace(quantity=whole.quantity - part, tie_rank=whole.tie_rank + 1, fees_usd=Decimal(0)),
    ]

    split = daily_pnl([*fills[:index], *halves, *fills[index + 1 :]], build_marks(drawn_closes))

    assert split == daily_pnl(fills, build_marks(drawn_closes))


@given(st.lists(executions, max_size=15), st.randoms(use_true_random=False))
@many_examples
def test_order_of_arrival_and_names_change_nothing(
    drawn: list[Execution],
    random: Random,
) -> None:
    fills = build(drawn)
    renamed = [
        fill._replace(account_id=f"Z{9 - int(fill.account_id[-1])}", symbol={"ABC": "QQQ", "XYZ": "AAA"}[fill.symbol])
        for fill in fills
    ]
    random.shuffle(renamed)

    days = daily_pnl(renamed, [])

    restored = [day._replace(account_id=f"NET00{9 - int(day.account_id[-1])}") for day in days]
    assert sorted(restored, key=lambda day: day[:2]) == daily_pnl(fills, [])


@given(st.lists(executions, max_size=20), closes)
@many_examples
def test_the_mirror_image_of_a_desk_earns_the_opposite(
    drawn: list[Execution], drawn_closes: dict[tuple[dt.date, str], int]
) -> None:
    fills = build(drawn)
    mirrored = [fill._replace(side={"B": "T", "C": "S", "S": "C", "T": "B"}[fill.side]) for fill in fills]

    pairs = zip(
        daily_pnl(fills, build_marks(drawn_closes)), daily_pnl(mirrored, build_marks(drawn_closes)), strict=True
    )

    assert all(before_fees(day) == -before_fees(mirror) for day, mirror in pairs)


def before_fees(day: DailyPnl) -> Decimal:
    assert day.total_pnl_usd is not None
    return day.total_pnl_usd + day.fees_usd


@given(st.lists(executions, min_size=1, max_size=20), closes, st.integers(0, len(SESSIONS) - 1))
@many_examples
def test_nothing_later_changes_a_session(
    drawn: list[Execution],
    drawn_closes: dict[tuple[dt.date, str], int],
    index: int,
) -> None:
    fills, marks = build(drawn), build_marks(drawn_closes)
    cut = SESSIONS[index]

    known_then = daily_pnl(
        [fill for fill in fills if fill.session_date <= cut], [mark for mark in marks if mark.session_date <= cut]
    )

    assert known_then == [day for day in daily_pnl(fills, marks) if day.session_date <= cut]


@given(
    st.integers(-(10**30), 10**30) | st.integers(-9999, 9999).map(lambda number: number * 10**22),
    st.sampled_from([0, 6, 8, 24]),
)
def test_a_scaled_integer_is_written_as_the_decimal_it_stands_for_without_needless_digits(
    value: int, digits: int
) -> None:
    text = decimal_text(value, digits)

    assert Decimal(text) == Decimal(value).scaleb(-digits, Context(prec=60))
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text)
