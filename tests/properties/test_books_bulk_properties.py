"""Bulk, all accounts and symbols at once, finds what FIFO and the following of one position find fill by fill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from risk.books import bulk, positions
from risk.books.behavior import PositionPath
from risk.books.executions import UNKNOWN_SECOND, Executions
from risk.books.fifo import open_lots
from risk.books.positions import Holding, SymbolTrades
from risk.core.calendar import session_close, session_open
from tests.properties.effort import many_examples

SESSION = dt.date(2025, 8, 4)
OPENS, CLOSES = (int(moment(SESSION).timestamp()) for moment in (session_open, session_close))
EDGES = (OPENS, OPENS + 3599, OPENS + 3600, CLOSES - 3601, CLOSES - 3600, CLOSES)
UNIT = 10**8


class Fill(NamedTuple):
    side: str
    quantity: int
    price: int
    second: int

    @property
    def signed(self) -> int:
        return self.quantity if self.side in "BC" else -self.quantity


class Walk(NamedTuple):
    """One account and symbol: the lots it was carried with (quantity, price), their gain, and its fills in order."""

    carried: tuple[tuple[int, int], ...]
    gain: int
    fills: tuple[Fill, ...]

    @property
    def holding(self) -> Holding | None:
        lots = open_lots([(quantity, price, 7) for quantity, price in self.carried])
        return Holding(lots, "USD", UNIT, self.gain * UNIT, None) if self.carried else None


def columns(walks: Sequence[Walk], dtype: type) -> tuple[Executions, list[Holding | None]]:
    fills = [fill for walk in walks for fill in walk.fills]
    names = [str(number) for number in range(len(walks))]
    executions = Executions(
        names,
        names,
        [None] * len(names),
        [None] * len(names),
        np.cumsum([0, *(len(walk.fills) for walk in walks[:-1])]),
        np.array([fill.signed for fill in fills], dtype=dtype),
        np.array([price for _, _, price, _ in fills], dtype=dtype),
        np.array([10**18 - 1 - number for number in range(len(fills))], dtype=dtype),
        np.array([second for *_, second in fills]),
        np.frombuffer("".join(side for side, *_ in fills).encode(), dtype=np.uint8),
    )
    return executions, [walk.holding for walk in walks]


def one_by_one(walks: Sequence[Walk], session_date: dt.date = SESSION) -> list[SymbolTrades]:
    return list(positions.trade_symbols(*columns(walks, object), session_date))


def in_bulk(walks: Sequence[Walk], dtype: type = np.int64, session_date: dt.date = SESSION) -> list[SymbolTrades]:
    return list(bulk.trade_symbols(*columns(walks, dtype), session_date))


@st.composite
def drawn_walks(draw: st.DrawFn) -> Walk:
    """Whole and broken shares, usual prices and the largest that the books hold, times unknown now and then."""
    unit = draw(st.sampled_from((UNIT, UNIT, UNIT // 100, 1)))
    largest = draw(st.sampled_from((9, 1_000, 10**18 // unit - 1)))
    quantity, price = (
        st.integers(1, largest).map(lambda n: n * unit),
        st.integers(0, draw(st.sampled_from((9 * UNIT, 10**18 - 1)))),
    )
    second = st.integers(OPENS - 900, CLOSES + 900) | st.sampled_from(EDGES)
    seconds = draw(st.lists(second, min_size=1, max_size=8).map(sorted))
    if draw(st.integers(0, 9)) == 0:
        seconds[0] = UNKNOWN_SECOND
    fills = tuple(Fill(draw(st.sampled_from("BSTC")), draw(quantity), draw(price), second) for second in seconds)
    sign = draw(st.sampled_from((-1, 1)))
    carried = draw(st.lists(st.tuples(quantity, price), max_size=3))
    gain = sum(lot[0] for lot in carried) * draw(st.integers(-UNIT, UNIT))
    return Walk(tuple((sign * held, paid) for held, paid in carried), gain, fills)


@many_examples
@given(st.lists(drawn_walks(), min_size=1, max_size=5), st.sampled_from((np.int64, object)))
@example([Walk((), 0, (Fill("B", 10**18 - 1, 10**18 - 1, CLOSES - 1),) * 16)], np.int64)
@example([Walk((), 0, (Fill("B", 1, 5 * 10**17, CLOSES - 1),) * 20)], np.int64)
@example([Walk(((-20, 1),), 0, (Fill("B", 1, 5 * 10**17, CLOSES - 1),))], np.int64)
@example([Walk(((1, 1),), -(10**19), (Fill("B", 1, 1, CLOSES - 1),))], np.int64)
def test_bulk_finds_what_fifo_finds_fill_by_fill(walks: list[Walk], dtype: type) -> None:
    assert in_bulk(walks, dtype) == one_by_one(walks)


def test_a_position_begins_anew_with_a_first_fill_that_flips_what_was_carried() -> None:
    # Long 10 that cost 10; 20 sold at 5 leave it short 10 at 5, so that the next sale, at 6, does not add to a loser
    # but to a short that has lost 1 a share: it does.
    walk = Walk(((10, 1),), 0, (Fill("S", 20, 5, OPENS), Fill("S", 1, 6, OPENS)))

    for [trades] in (in_bulk([walk]), one_by_one([walk])):
        assert trades.path.adds_to_loser_count == 1


def test_on_a_day_the_calendar_does_not_know_only_what_needs_no_times_is_known() -> None:
    walk = Walk((), 0, (Fill("B", 2, 3, OPENS), Fill("S", 2, 4, OPENS)))
    sunday = dt.date(2025, 8, 3)

    # 4 traded for 6 + 8, and 2 more received than paid
    expected = PositionPath(4, 14, -2, [], 0, None, None, None)
    assert [trades.path for trades in in_bulk([walk, walk], session_date=sunday)] == [expected] * 2
    assert [trades.path for trades in one_by_one([walk, walk], sunday)] == [expected] * 2


def test_sums_are_exact_where_64_bits_are_not_enough() -> None:
    # Twelve of the largest fees and twelve such rebates: they cancel out over all, but not within an account.
    fees = np.repeat(np.array([10**18 - 1, 1 - 10**18]), 12)

    assert bulk.sums(fees, np.array([0, 12])) == [12 * (10**18 - 1), -12 * (10**18 - 1)]


def test_short_sales_while_long_and_covers_beyond_the_short_are_side_conflicts() -> None:
    # Long 10: T 4 (conflict), S 6 to flat, T 5 opens, C 5 closes, C 1 from flat (conflict), T 1 closes it (conflict),
    # T 2, C 3 (conflict).
    quantities = (4, 6, 5, 5, 1, 1, 2, 3)
    known = Walk(((10, 1),), 0, tuple(Fill(*fill, 1, OPENS) for fill in zip("TSTCCTTC", quantities, strict=True)))
    unknown = Walk(((10, 1),), 0, tuple(Fill(*fill, 1, OPENS) for fill in zip("SSSBBSSB", quantities, strict=True)))

    for trades in (in_bulk([known, unknown]), one_by_one([known, unknown])):
        assert [found.path.side_conflicts for found in trades] == [[1, 5, 6, 8], []]
