"""The null of every pattern: one trader's orders are shifted by 5 to 60 minutes within the same day and symbol.

Traders who share hot symbols and busy hours meet by chance. Permuting whole days would destroy what they share and
alarm on innocent pairs; a shift of minutes keeps it and destroys only what is closer than five minutes: the jitter
method of Amarasingham, Harrison, Hatsopoulos and Geman (2012), "Conditional modeling and the jitter method of spike
resampling", Journal of Neurophysiology 107.

Nothing is drawn: all shifts on a grid of 30 seconds are counted, so that a probability is exact and the same on every
machine. Four things make it a test.

- A block (`risk.desk.executions.BLOCK_GAP_SECONDS`) moves as one, blocks apart from each other: what a trader does
  within five minutes is one event, as in pattern jitter (Harrison and Geman 2009, "A rate and history-preserving
  resampling algorithm for neural spike trains").
- A shift counts by how busy the desk is where it leads: ``w(s)`` is the geometric mean over the block's orders of
  ``rate(t + s) / rate(t)``, for one order the conditional probability of a Poisson process with that rate. A shift out
  of the hours in which the desk trades has weight 0. Without it everybody would look synchronous at the open.
- The day as it was is one of the shifts, and stands for as many of the grid as the window is wide: a probability is
  never 0 (Phipson and Smyth 2010, "Permutation P-values should never be zero").
- A meeting scores by how rare it is for its block, ``-log P(at least one)`` rounded: where everybody trades it says
  little, in a symbol of two traders much. Scores of blocks add up by convolution, over symbols and over sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.desk.executions import ActivityProfile, FloatVector, IntVector, Orders

LEAST_SHIFT_SECONDS, LARGEST_SHIFT_SECONDS = 300, 3600
SHIFT_STEP_SECONDS = 30

SESSIONS_PER_YEAR = 250
"""A desk-year."""

_ONE_WAY = np.arange(LEAST_SHIFT_SECONDS, LARGEST_SHIFT_SECONDS + 1, SHIFT_STEP_SECONDS)
SHIFTS: IntVector = np.concatenate((-_ONE_WAY[::-1], [0], _ONE_WAY))
"""Ascending, in seconds; 0 is the day as it was."""
UNSHIFTED = len(_ONE_WAY)

LARGEST_SCORE = 6

CHUNK_ROWS = 10_000
"""So many rows of shifts are worked on at once: some 40 MB."""


@dataclass(frozen=True, slots=True)
class Problems:
    """What is counted: for each problem the shifted trader's orders with a partner in a window of time.

    Attributes
    ----------
    number
        Problem of each possible meeting, ``(n_meetings,)``.
    order
        Shifted order of each.
    distance
        Seconds from it to the partner's order.
    low, high
        Window of the distance in which they meet, ends included, ``(n_problems,)``.
    needed
        Partners that an order needs.
    """

    number: IntVector
    order: IntVector
    distance: IntVector
    low: IntVector
    high: IntVector
    needed: int = 1


@dataclass(frozen=True, slots=True)
class SessionCount:
    """Meetings of one problem in one session, as they were and under the null.

    Attributes
    ----------
    problem, session
        Which.
    observed, expected
        Shifted orders that meet a partner, and their mean under the null.
    score, chances
        Sum of the scores of these meetings, and the probability of 0, 1, 2, ... under the null.
    """

    problem: int
    session: int
    observed: int
    expected: float
    score: int
    chances: FloatVector


def session_counts(orders: Orders, profile: ActivityProfile, problems: Problems) -> Iterator[SessionCount]:
    """Count the meetings of every problem and session in which there may be one.

    Parameters
    ----------
    orders, profile
        Of the sessions.
    problems
        Their meetings reach over the largest shift and the window, both ways.
    """
    by_block = np.lexsort((problems.order, orders.block[problems.order], problems.number))
    number, order = problems.number[by_block], problems.order[by_block]
    distance = problems.distance[by_block]
    if not len(number):
        return
    is_row = np.append(True, (np.diff(number) != 0) | (np.diff(order) != 0))
    row_starts = np.flatnonzero(is_row)
    rows = (number[row_starts], order[row_starts])
    is_block = np.append(True, (np.diff(rows[0]) != 0) | (np.diff(orders.block[rows[1]]) != 0))
    block_starts = np.flatnonzero(is_block)
    weights = _BlockWeights(orders, profile)
    keys: list[tuple[int, int]] = []
    parts: list[_BlockCount] = []
    for first, last in _chunks(block_starts, len(row_starts)):
        meetings = slice(row_starts[first], row_starts[last] if last < len(row_starts) else len(number))
        hits = _hits(number[meetings], distance[meetings], np.cumsum(is_row[meetings]) - 1, problems)
        starts = block_starts[(block_starts >= first) & (block_starts < last)]
        counts = np.add.reduceat(hits, starts - first, axis=0)
        width = problems.high[rows[0][starts]] - problems.low[rows[0][starts]]
        chances = weights.chances(counts, orders.block[rows[1][starts]], width)
        keys += zip(rows[0][starts].tolist(), orders.session[rows[1][starts]].tolist(), strict=True)
        parts += map(_BlockCount, counts[:, UNSHIFTED].tolist(), counts.max(axis=1).tolist(), chances)
    for (problem, session), group in groupby(zip(keys, parts, strict=True), itemgetter(0)):
        blocks = [part for _, part in group]
        yield SessionCount(
            problem,
            session,
            sum(one.observed for one in blocks),
            sum(one.expected for one in blocks),
            sum(one.observed * one.score for one in blocks),
            convolved([one.scores for one in blocks]),
        )


class _BlockCount(NamedTuple):
    """Meetings of one block: as they were, most of them under any shift, and the probability of each count."""

    observed: int
    largest: int
    chances: FloatVector

    @property
    def expected(self) -> float:
        """Mean under the null."""
        return float(self.chances @ np.arange(len(self.chances)))

    @property
    def score(self) -> int:
        """What a meeting of the block counts."""
        return int(np.clip(round(-np.log(max(1.0 - self.chances[0], 1e-9))), 1, LARGEST_SCORE))

    @property
    def scores(self) -> FloatVector:
        """Probability of 0, 1, 2, ... as the sum of its scores."""
        spread = np.zeros(self.largest * self.score + 1)
        spread[:: self.score] = self.chances[: self.largest + 1]
        return spread


def convolved(parts: list[FloatVector]) -> FloatVector:
    """Return the distribution of the sum of independent scores."""
    whole = np.ones(1)
    for part in parts:
        if len(part) > 1:
            whole = np.convolve(whole, part)
    return whole


def tail(chances: FloatVector, score: int) -> float:
    """Return the probability of at least such a score, summed from the small end: small ones keep their digits."""
    return float(min(chances[score:][::-1].sum(), 1.0)) if score else 1.0


def _chunks(block_starts: IntVector, row_count: int) -> Iterator[tuple[int, int]]:
    """Divide rows into parts that end where a block does."""
    first = 0
    while first < row_count:
        place = int(np.searchsorted(block_starts, first + CHUNK_ROWS))
        last = int(block_starts[place]) if place < len(block_starts) else row_count
        yield first, last
        first = last


def _hits(number: IntVector, distance: IntVector, row: IntVector, problems: Problems) -> NDArray[np.int16]:
    """Tell under which shifts each row's order meets enough partners, ``(n_rows, n_shifts)``."""
    # Shifted by s the distance is d - s: it lies in the window from s = d - high to s = d - low.
    first = np.searchsorted(SHIFTS, distance - problems.high[number], side="left")
    after = np.searchsorted(SHIFTS, distance - problems.low[number], side="right")
    width = len(SHIFTS) + 1
    cells = (int(row[-1]) + 1) * width
    begins, ends = (np.bincount(row * width + place, minlength=cells) for place in (first, after))
    steps = (begins - ends).astype(np.int16).reshape(-1, width)
    partners = np.cumsum(steps, axis=1, dtype=np.int16)[:, :-1]
    return (partners >= problems.needed).astype(np.int16)


class _BlockWeights:
    """How likely each shift of a block of orders is."""

    def __init__(self, orders: Orders, profile: ActivityProfile) -> None:
        self._orders, self._profile = orders, profile
        self._by_block = np.argsort(orders.block, kind="stable")
        self._sorted = orders.block[self._by_block]

    def chances(self, counts: NDArray[np.int16], blocks: IntVector, width: IntVector) -> FloatVector:
        """Return the probability of each count of each block, ``(n_blocks, largest count + 1)``.

        Parameters
        ----------
        counts
            By shift, ``(n_blocks, n_shifts)``.
        blocks
            Their numbers.
        width
            Seconds of each window: what the day as it was stands for.
        """
        weights = self._weights(blocks)
        weights[:, UNSHIFTED] *= np.maximum(width / SHIFT_STEP_SECONDS, 1.0)
        weights /= weights.sum(axis=1, keepdims=True)
        chances = [(weights * (counts == count)).sum(axis=1) for count in range(int(counts.max()) + 1)]
        return np.stack(chances, axis=1)

    def _weights(self, blocks: IntVector) -> FloatVector:
        """Return ``w(s)`` of each block, ``(n_blocks, n_shifts)``; 1 for the day as it was."""
        distinct, inverse = np.unique(blocks, return_inverse=True)
        first, after = (np.searchsorted(self._sorted, distinct, side=side) for side in ("left", "right"))
        sizes = after - first
        offsets = np.cumsum(sizes) - sizes
        members = self._by_block[np.arange(sizes.sum()) - np.repeat(offsets - first, sizes)]
        orders = self._orders
        session, place, second = (values[members][:, None] for values in (orders.session, orders.place, orders.second))
        logs = self._profile.log_rate(session, place, second + SHIFTS) - self._profile.log_rate(session, place, second)
        weights: FloatVector = np.exp(np.add.reduceat(logs, offsets, axis=0) / sizes[:, None])
        return weights[inverse]
