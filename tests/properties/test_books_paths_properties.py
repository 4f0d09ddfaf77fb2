"""Paths, all accounts and symbols at once, against one position walked fill by fill as one would by hand."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.books.executions import Executions, sums
from risk.books.fifo import Lots, match_fills, open_lots
from risk.books.openings import last_openings
from risk.books.paths import UNKNOWN_SECOND, Carried, SymbolPath, follow
from risk.core.calendar import session_close, session_open

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
    """One account and symbol: what it was carried with (quantity, cost, gain), and its fills in order."""

    carried: tuple[int, int, int]
    fills: tuple[Fill, ...]


def walk(position: Walk) -> SymbolPath:
    """Follow one position with nothing but a loop."""
    (held, cost, gain), fills = position
    turnover = paid = value_seconds = enlarging_count = 0
    side_conflicts: list[int] = []
    marked = cost + gain
    gains = {OPENS + 3600: 0, CLOSES - 3600: 0, CLOSES * 2: 0}
    since = min(OPENS, fills[0].second)
    for number, (side, quantity, price, second) in enumerate(fills, start=1):
        signed = quantity if side in "BC" else -quantity
        value_seconds += abs(held) * price * (second - since)
        since = second
        if (side == "T" and held > 0) or (side == "C" and held + signed > 0):
            side_conflicts.append(number)
        if held * price < cost and held * signed > 0:
            enlarging_count += 1
        turnover += quantity * price
        paid += signed * price
        left = held + signed
        flips = held * left < 0 or left == 0
        cost = left * price if flips else cost + signed * price
        held = left
        for until in gains:
            if second < until:
                gains[until] = held * price - marked - paid
    value_seconds += abs(held) * fills[-1].price * max(CLOSES - since, 0)
    early, before_last_hour, last = gains.values()
    is_timed = all(second != UNKNOWN_SECOND for *_, second in fills)
    times = (early, last - before_last_hour, value_seconds) if is_timed else (None, None, None)
    volume = sum(quantity for _, quantity, *_ in fills)
    return SymbolPath(volume, turnover, paid, held, side_conflicts, enlarging_count, *times)


def columns(positions: Sequence[Walk], dtype: type) -> tuple[Executions, Carried]:
    fills = [fill for position in positions for fill in position.fills]
    names = [str(number) for number in range(len(positions))]
    executions = Executions(
        names,
        names,
        [None] * len(names),
        [None] * len(names),
        np.cumsum([0, *(len(position.fills) for position in positions[:-1])]),
        np.array([fill.signed for fill in fills], dtype=dtype),
        np.array([price for _, _, price, _ in fills], dtype=dtype),
        np.zeros(len(fills), dtype=dtype),
        np.array([second for *_, second in fills]),
        np.frombuffer("".join(side for side, *_ in fills).encode(), dtype=np.uint8),
    )
    return executions, Carried(
        *(list(column) for column in zip(*(walked.carried for walked in positions), strict=True))
    )


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """Whole and broken shares, usual prices and the largest that the books hold, times unknown now and then."""
    unit = draw(st.sampled_from((UNIT, UNIT, UNIT // 100, 1)))
    largest = draw(st.sampled_from((9, 1_000, 10**18 // unit - 1)))
    quantity, price = (
        st.integers(1, largest).map(lambda n: n * unit),
        st.integers(1, draw(st.sampled_from((9 * UNIT, 10**18 - 1)))),
    )
    second = st.integers(OPENS - 900, CLOSES + 900) | st.sampled_from(EDGES)
    seconds = draw(st.lists(second, min_size=1, max_size=8).map(sorted))
    if draw(st.integers(0, 9)) == 0:
        seconds[0] = UNKNOWN_SECOND
    fills = tuple(Fill(draw(st.sampled_from("BSTC")), draw(quantity), draw(price), second) for second in seconds)
    held = draw(st.integers(-2, 2)) * draw(quantity)
    return Walk((held, held * draw(price), held * draw(st.integers(-UNIT, UNIT))), fills)


@settings(max_examples=1000, deadline=None)
@given(st.lists(walks(), min_size=1, max_size=5), st.sampled_from((np.int64, object)))
@example([Walk((0, 0, 0), (Fill("B", 10**18 - 1, 10**18 - 1, CLOSES - 1),) * 16)], np.int64)
@example([Walk((0, 0, 0), (Fill("B", 1, 5 * 10**17, CLOSES - 1),) * 20)], np.int64)
@example([Walk((-20, -20, 0), (Fill("B", 1, 5 * 10**17, CLOSES - 1),))], np.int64)
@example([Walk((1, 1, -(10**19)), (Fill("B", 1, 1, CLOSES - 1),))], np.int64)
def test_paths_are_what_a_loop_over_the_fills_finds(positions: list[Walk], dtype: type) -> None:
    followed = follow(*columns(positions, dtype), SESSION)

    assert followed == [walk(position) for position in positions]


def test_a_position_begins_anew_with_a_first_fill_that_flips_what_was_carried() -> None:
    # Long 10 that cost 10; 20 sold at 5 leave it short 10 at 5, so that the next sale, at 6, enlarges a loss of 10.
    fills = (Fill("S", 20, 5, OPENS), Fill("S", 1, 6, OPENS))
    [path] = follow(*columns([Walk((10, 10, 0), fills)], np.int64), SESSION)

    assert path.enlarging_count == 1


def test_on_a_day_the_calendar_does_not_know_only_what_needs_no_times_is_known() -> None:
    position = Walk((0, 0, 0), (Fill("B", 2, 3, OPENS), Fill("S", 2, 4, OPENS)))
    paths = follow(*columns([position, position], np.int64), dt.date(2025, 8, 3))

    assert paths == [walk(position)._replace(early=None, late=None, held=None)] * 2


def test_sums_are_exact_where_64_bits_are_not_enough() -> None:
    # Twelve of the largest fees and twelve such rebates: they cancel out over all, but not within an account.
    fees = np.repeat(np.array([10**18 - 1, 1 - 10**18]), 12)

    assert sums(fees, np.array([0, 12])) == [12 * (10**18 - 1), -12 * (10**18 - 1)]


def test_short_sales_while_long_and_covers_beyond_the_short_are_odd() -> None:
    # Long 10: T 4 (odd), S 6 to flat, T 5 opens, C 5 closes, C 1 from flat (odd), T 1 closes it (odd), T 2, C 3 (odd).
    sides = "TSTCCTTC"
    fills = tuple(
        Fill(side, quantity, 1, OPENS) for side, quantity in zip(sides, (4, 6, 5, 5, 1, 1, 2, 3), strict=True)
    )
    [known] = follow(*columns([Walk((10, 10, 0), fills)], np.int64), SESSION)
    plain = tuple(fill._replace(side={"T": "S", "C": "B"}.get(fill.side, fill.side)) for fill in fills)
    [unknown] = follow(*columns([Walk((10, 10, 0), plain)], np.int64), SESSION)

    assert (known.side_conflicts, unknown.side_conflicts) == ([1, 5, 6, 8], [])


@settings(max_examples=1000, deadline=None)
@given(st.lists(walks(), min_size=1, max_size=5), st.sampled_from((np.int64, object)))
@example([Walk((0, 0, 0), (Fill("B", 10**18 - 1, 10**18 - 1, CLOSES - 1),) * 16)], np.int64)
def test_what_fifo_leaves_is_the_same_from_either_end(positions: list[Walk], dtype: type) -> None:
    executions, _ = columns(positions, dtype)
    expected, realized = [], []
    for fills in (position.fills for position in positions):
        lots: Lots = deque()
        realized.append(match_fills(lots, [fill.signed for fill in fills], [fill.price for fill in fills], 7))
        expected.append(open_lots(lots))

    opened = last_openings(executions, 7)

    assert opened == expected
    paid = [sum(fill.signed * fill.price for fill in position.fills) for position in positions]
    assert realized == [lots.cost - spent for lots, spent in zip(opened, paid, strict=True)]
