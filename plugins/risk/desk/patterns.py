"""Patterns between traders to review: crowding, crossing and copying, each with its false-alarm rate.

Crowding
    A trader's entries into a symbol and side that at least two other traders enter within 90 seconds.
Crossing
    Two accounts on opposite sides of a symbol within a minute; and, for rings, one account and any of the others.
Copying
    A trader who repeats another's symbol and side with a steady lag of up to four minutes: meetings are counted in
    windows of 30 seconds of the lag, and the fullest one is reported, with the steadiness of the size ratio.

Self-trades follow the vendor's rule, see `risk.desk.self_trades`. A pattern is a reason to look, not a verdict: two
traders of one strategy cross and copy each other innocently.

Each is judged in every session, and over all sessions together, so that a little every day is seen too. The false-alarm
rate of a finding is what independent traders would give: the probability of at least its count under the null
(`risk.desk.shift_null`), times the number of traders, pairs or pairs and lags that were looked at (Bonferroni), times
the sessions of a year. It is flagged where that is at most `LARGEST_RATE`: with three patterns and two spans of time,
independent traders give less than one flagged finding in a year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from risk.desk.executions import BLOCK_GAP_SECONDS, ActivityProfile, DeskFills, IntVector, Orders, orders_of, profile_of
from risk.desk.shift_null import (
    LARGEST_SHIFT_SECONDS,
    SESSIONS_PER_YEAR,
    Problems,
    SessionCount,
    convolved,
    session_counts,
    tail,
)

CROWDING: Final = "crowding"
CROSSING: Final = "crossing"
COPYING: Final = "copying"

CROSSING_SECONDS = 60
CROWD_SECONDS = 90
"""Less than half of the gap between two entries of a trader: nobody counts twice in a crowd."""
CROWD_OTHERS = 2
LARGEST_LAG_SECONDS, LAG_STEP_SECONDS, LAG_WINDOW_SECONDS = 240, 15, 30
LAGS: IntVector = np.arange(0, LARGEST_LAG_SECONDS - LAG_STEP_SECONDS, LAG_STEP_SECONDS)
"""First second of each window of the lag."""

LARGEST_RATE = 0.125
"""Flagged findings per desk-year of each pattern and span of time, if the traders were independent."""

LEAST_COUNT = 2
"""Fewer meetings are no finding."""
LISTED_COUNT = 20
"""So many of each pattern and span are kept, the rarest first; flagged ones all."""
CANDIDATE_COUNT = 200
MOST_MEETINGS = 1_000_000
"""So many traders, pairs or pairs and lags are tested, those that met most often, and as many as have no more possible
meetings: a large desk costs no more than that. All count as looked at."""
NAMED_SYMBOLS = 5
SIZE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    """One pattern of one trader or pair.

    Attributes
    ----------
    kind
        ``crowding``, ``crossing`` or ``copying``.
    first_session, last_session
        Places of the sessions it covers; equal = one session.
    account
        The trader; of a pair the one who was shifted in the null, the one who follows where one copies.
    other
        The other one of the pair; -1 = several, see ``others``.
    others
        Those who made the crowd, most frequent first.
    symbols
        Where it was, the most frequent first, at most five.
    first_second, last_second
        First and last meeting, seconds since 1970.
    observed, expected
        Meetings, and the mean under the null.
    probability
        Of at least so many under the null.
    rate
        Findings as rare as this per desk-year, if the traders were independent.
    lag_seconds
        Median lag of a copy; ``None`` for other patterns.
    size_ratio, same_size_count
        Median of the copy's size over the original's, and how many are within 5 % of it.
    """

    kind: str
    first_session: int
    last_session: int
    account: int
    other: int
    others: tuple[int, ...]
    symbols: tuple[int, ...]
    first_second: int
    last_second: int
    observed: int
    expected: float
    probability: float
    rate: float
    lag_seconds: int | None = None
    size_ratio: float | None = None
    same_size_count: int | None = None

    @property
    def is_flagged(self) -> bool:
        """Whether independent traders would hardly give it."""
        return self.rate <= LARGEST_RATE


@dataclass(frozen=True, slots=True)
class _Search:
    """One pattern: who may meet whom, and when.

    Attributes
    ----------
    orders, profile
        Of the sessions.
    order, partner
        Places of the orders that may meet under some shift, ``(n_meetings,)``.
    number
        Problem of each meeting, an ascending code of a trader, a pair, or a pair and a lag.
    window
        Distances in seconds at which a problem's orders meet: low and high, by the code.
    needed
        Partners that an order needs.
    is_pair
        Whether a problem is of one partner, else of all.
    """

    kind: str
    orders: Orders
    profile: ActivityProfile
    order: IntVector
    partner: IntVector
    number: IntVector
    codes: IntVector
    low: IntVector
    high: IntVector
    needed: int
    is_pair: bool = True

    @property
    def is_met(self) -> NDArray[np.bool_]:
        """Which meetings were within the window."""
        distance = self.orders.second[self.partner] - self.orders.second[self.order]
        is_met: NDArray[np.bool_] = (distance >= self.low[self.number]) & (distance <= self.high[self.number])
        return is_met


def find_patterns(fills: DeskFills) -> list[Finding]:
    """Find the patterns of some consecutive sessions: flagged ones first, then the rarest of each kind.

    Parameters
    ----------
    fills
        Of the sessions, at least two accounts for anything to be found.
    """
    if not len(fills.second):
        return []
    orders, entries = orders_of(fills), orders_of(fills, BLOCK_GAP_SECONDS)
    profile = profile_of(orders, len(fills.session_dates), len(fills.session_dates) * len(fills.symbols))
    found: list[Finding] = []
    for search in (
        _crowds(entries, profile),
        _crossings(orders, profile),
        _rings(orders, profile),
        _copies(orders, profile),
    ):
        found += _judged(search, fills)
    return sorted(found, key=lambda one: (not one.is_flagged, one.rate, one.kind, one.account, one.other))


def looked_at(kind: str, account_count: int) -> int:
    """Return how many traders, pairs, or pairs and lags are looked at among so many accounts with fills."""
    pairs = account_count * (account_count - 1)
    return {CROWDING: account_count, CROSSING: pairs // 2 + account_count, COPYING: pairs * len(LAGS)}[kind]


def meetings(
    orders: Orders, low: int, high: int, *, is_opposite: bool, chosen: IntVector
) -> tuple[IntVector, IntVector]:
    """List the pairs of orders of different accounts in one place whose distance in time lies in a window.

    Parameters
    ----------
    orders
        As `risk.desk.executions.orders_of` sorts them: the work is in proportion to what is found, not to the pairs
        of traders.
    low, high
        Seconds from the first order to the second one, ends included.
    is_opposite
        Whether the sides differ; else they are the same.
    chosen
        Places of the first orders.
    """
    keys, sought = _keys(orders), _keys(orders, flip=int(is_opposite))[chosen]
    first = np.searchsorted(keys, sought + low, side="left")
    counts = np.searchsorted(keys, sought + high, side="right") - first
    order = np.repeat(chosen, counts)
    partner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - first, counts)
    is_other = orders.account[order] != orders.account[partner]
    return order[is_other], partner[is_other]


def _affordable(
    orders: Orders, candidates: IntVector, accounts: IntVector, reach: int, *, is_opposite: bool
) -> IntVector:
    """Keep the first candidates whose tests cost no more than `MOST_MEETINGS`; ascending.

    Parameters
    ----------
    orders
        All orders.
    candidates, accounts
        Codes, the most frequent first, and the account that each of them shifts.
    reach
        Seconds over which its orders may meet others.
    """
    keys, sought = _keys(orders), _keys(orders, flip=int(is_opposite))
    first = np.searchsorted(keys, sought - reach, side="left")
    after = np.searchsorted(keys, sought + reach, side="right")
    cost = np.bincount(orders.account, after - first)
    is_new = np.zeros(len(accounts), bool)
    is_new[np.unique(accounts, return_index=True)[1]] = True
    total = np.cumsum(np.where(is_new, cost[accounts], 0.0))
    kept = max(int(np.searchsorted(total, MOST_MEETINGS, side="right")), 1)
    return np.unique(candidates[:kept])


def _keys(orders: Orders, flip: int = 0) -> IntVector:
    """Return place, side and time of each order in one ascending number; flipped, on the other side."""
    span = int(orders.second.max() - orders.second.min()) + 4 * LARGEST_SHIFT_SECONDS
    keys: IntVector = (orders.lane ^ flip) * span + orders.second - orders.second.min() + 2 * LARGEST_SHIFT_SECONDS
    return keys


def _crowds(entries: Orders, profile: ActivityProfile) -> _Search:
    """Look for traders whose entries fall together with those of others."""
    near = meetings(entries, -CROWD_SECONDS, CROWD_SECONDS, is_opposite=False, chosen=np.arange(len(entries.second)))
    met, partners = np.unique(near[0], return_counts=True)
    accounts, counts = np.unique(entries.account[met[partners >= CROWD_OTHERS]], return_counts=True)
    reach = LARGEST_SHIFT_SECONDS + CROWD_SECONDS
    frequent = _most_frequent(accounts, counts)
    codes = _affordable(entries, frequent, frequent, reach, is_opposite=False)
    chosen = np.flatnonzero(np.isin(entries.account, codes))
    order, partner = meetings(entries, -reach, reach, is_opposite=False, chosen=chosen)
    number = np.searchsorted(codes, entries.account[order])
    width = np.full(len(codes), CROWD_SECONDS)
    return _Search(
        CROWDING, entries, profile, order, partner, number, codes, -width, width, CROWD_OTHERS, is_pair=False
    )


def _crossings(orders: Orders, profile: ActivityProfile) -> _Search:
    """Look for pairs on opposite sides; of a pair the one with fewer orders is shifted."""
    account_count = int(orders.account.max()) + 1
    busy = np.bincount(orders.account)
    rank = np.argsort(np.lexsort((np.arange(account_count), busy)))

    def pair(order: IntVector, partner: IntVector) -> IntVector:
        return orders.account[order] * account_count + orders.account[partner]

    def of_shifted(found: tuple[IntVector, IntVector]) -> tuple[IntVector, IntVector]:
        is_shifted = rank[orders.account[found[0]]] < rank[orders.account[found[1]]]
        return found[0][is_shifted], found[1][is_shifted]

    everything = np.arange(len(orders.second))
    near = of_shifted(meetings(orders, -CROSSING_SECONDS, CROSSING_SECONDS, is_opposite=True, chosen=everything))
    reach = LARGEST_SHIFT_SECONDS + CROSSING_SECONDS
    frequent = _most_frequent(*np.unique(pair(*near), return_counts=True))
    codes = _affordable(orders, frequent, frequent // account_count, reach, is_opposite=True)
    chosen = np.flatnonzero(np.isin(orders.account, codes // account_count))
    order, partner = of_shifted(meetings(orders, -reach, reach, is_opposite=True, chosen=chosen))
    number, is_tested = _places(codes, pair(order, partner))
    width = np.full(len(codes), CROSSING_SECONDS)
    order, partner = order[is_tested], partner[is_tested]
    return _Search(CROSSING, orders, profile, order, partner, number[is_tested], codes, -width, width, 1)


def _rings(orders: Orders, profile: ActivityProfile) -> _Search:
    """Look for traders whose orders meet the other side of others, whoever they are."""
    everything = np.arange(len(orders.second))
    near, _ = meetings(orders, -CROSSING_SECONDS, CROSSING_SECONDS, is_opposite=True, chosen=everything)
    frequent = _most_frequent(*np.unique(orders.account[np.unique(near)], return_counts=True))
    reach = LARGEST_SHIFT_SECONDS + CROSSING_SECONDS
    codes = _affordable(orders, frequent, frequent, reach, is_opposite=True)
    chosen = np.flatnonzero(np.isin(orders.account, codes))
    order, partner = meetings(orders, -reach, reach, is_opposite=True, chosen=chosen)
    number = np.searchsorted(codes, orders.account[order])
    width = np.full(len(codes), CROSSING_SECONDS)
    return _Search(CROSSING, orders, profile, order, partner, number, codes, -width, width, 1, is_pair=False)


def _copies(orders: Orders, profile: ActivityProfile) -> _Search:
    """Look for traders who follow another one: each pair with its fullest windows of the lag."""
    account_count = int(orders.account.max()) + 1
    everything = np.arange(len(orders.second))
    order, partner = meetings(orders, -LARGEST_LAG_SECONDS + 1, 0, is_opposite=False, chosen=everything)
    lag = orders.second[order] - orders.second[partner]
    pair = orders.account[order] * account_count + orders.account[partner]
    # A lag lies in two windows, except at the ends.
    upper = lag // LAG_STEP_SECONDS
    order, pair = np.tile(order, 2), np.tile(pair, 2)
    window = np.concatenate((upper, upper - 1))
    is_window = (window >= 0) & (window < len(LAGS))
    found = np.unique(((pair * len(LAGS) + window) * len(everything) + order)[is_window])
    frequent = _fullest(found // len(everything), orders.session[found % len(everything)])
    reach = LARGEST_SHIFT_SECONDS + LARGEST_LAG_SECONDS
    codes = _affordable(orders, frequent, frequent // len(LAGS) // account_count, reach, is_opposite=False)
    chosen = np.flatnonzero(np.isin(orders.account, codes // len(LAGS) // account_count))
    order, partner = meetings(orders, -reach, LARGEST_SHIFT_SECONDS, is_opposite=False, chosen=chosen)
    pair = orders.account[order] * account_count + orders.account[partner]
    # Each pair has some windows: one line for each of them.
    first, after = (np.searchsorted(codes // len(LAGS), pair, side=side) for side in ("left", "right"))
    times = after - first
    order, partner = np.repeat(order, times), np.repeat(partner, times)
    number = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times - first, times)
    lags = LAGS[codes % len(LAGS)]
    return _Search(COPYING, orders, profile, order, partner, number, codes, -(lags + LAG_WINDOW_SECONDS - 1), -lags, 1)


def _fullest(codes: IntVector, session: IntVector) -> IntVector:
    """Return the fullest window of each pair in each session and over all, most frequent first."""
    kept = []
    for spans in (session, np.zeros_like(session)):
        span_count = int(spans.max(initial=0)) + 1
        found, counts = np.unique(codes * span_count + spans, return_counts=True)
        whose = found // span_count // len(LAGS) * span_count + found % span_count
        by_pair = np.lexsort((found, -counts, whose))
        best = by_pair[np.unique(whose[by_pair], return_index=True)[1]]
        kept.append(_most_frequent(found[best] // span_count, counts[best]))
    return np.array(list(dict.fromkeys(np.concatenate(kept).tolist())), np.int64)


def _most_frequent(codes: IntVector, counts: IntVector) -> IntVector:
    """Return the codes that met at least twice, at most 200, the most frequent first."""
    codes, counts = codes[counts >= LEAST_COUNT], counts[counts >= LEAST_COUNT]
    return codes[np.lexsort((codes, -counts))][:CANDIDATE_COUNT]


def _places(codes: IntVector, values: IntVector) -> tuple[IntVector, NDArray[np.bool_]]:
    """Return the place of each value in the codes, and whether it is there."""
    if not len(codes):
        return np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
    return places, codes[places] == values


def _judged(search: _Search, fills: DeskFills) -> list[Finding]:
    """Judge every problem in each session and over all sessions."""
    distance = search.orders.second[search.partner] - search.orders.second[search.order]
    problems = Problems(search.number, search.order, distance, search.low, search.high, search.needed)
    by_problem: dict[int, list[SessionCount]] = defaultdict(list)
    for one in session_counts(search.orders, search.profile, problems):
        by_problem[one.problem].append(one)
    met = _Met(search, fills)
    active = [np.unique(fills.account[fills.session == session]) for session in range(len(fills.session_dates))]
    tests = [looked_at(search.kind, len(accounts)) for accounts in active]
    whole_tests = looked_at(search.kind, len(np.unique(fills.account)))
    found = []
    for counts in by_problem.values():
        found += [met.finding([one], tests[one.session], (one.session, one.session)) for one in counts]
        if len(fills.session_dates) > 1:
            found.append(met.finding(counts, whole_tests, (0, len(fills.session_dates) - 1)))
    return list(_listed([one for one in found if one is not None]))


def _listed(found: list[Finding]) -> Iterator[Finding]:
    """Keep one finding of each trader or pair and span, the rarest 20 of each span, and what is flagged."""
    spans: dict[tuple[int, int], dict[tuple[int, int], Finding]] = defaultdict(dict)
    for one in sorted(found, key=lambda one: (one.rate, -one.observed, one.lag_seconds or 0)):
        spans[one.first_session, one.last_session].setdefault((one.account, one.other), one)
    for kept in spans.values():
        for place, one in enumerate(kept.values()):
            if place < LISTED_COUNT or one.is_flagged:
                yield one


class _Met:
    """The meetings that were, by problem, to describe a finding with."""

    def __init__(self, search: _Search, fills: DeskFills) -> None:
        self._search, self._fills = search, fills
        chosen = np.flatnonzero(search.is_met)
        by_number = chosen[np.argsort(search.number[chosen], kind="stable")]
        self._order, self._partner = search.order[by_number], search.partner[by_number]
        self._number = search.number[by_number]

    def finding(self, counts: list[SessionCount], tests: int, span: tuple[int, int]) -> Finding | None:
        """Describe one problem over one or several sessions; ``None`` with fewer than two meetings."""
        observed = sum(one.observed for one in counts)
        if observed < LEAST_COUNT:
            return None
        chances = convolved([one.chances for one in counts])
        probability = tail(chances, sum(one.score for one in counts))
        order, partner = self._of(counts[0].problem, span)
        orders = self._search.orders
        others = _by_frequency(orders.account[partner])
        return Finding(
            self._search.kind, *span,
            account=int(orders.account[order[0]]),
            other=others[0] if self._search.is_pair else -1,
            others=others,
            symbols=_by_frequency(orders.place[order] % len(self._fills.symbols))[:NAMED_SYMBOLS],
            first_second=int(orders.second[order].min()),
            last_second=int(orders.second[order].max()),
            observed=observed,
            expected=sum(one.expected for one in counts),
            probability=probability,
            rate=probability * tests * SESSIONS_PER_YEAR,
            **(_lag_and_size(orders, order, partner) if self._search.kind == COPYING else {}),
        )  # fmt: skip

    def _of(self, problem: int, span: tuple[int, int]) -> tuple[IntVector, IntVector]:
        """Return the meetings of a problem within a span of sessions; of a crowd only where there are enough."""
        part = slice(*np.searchsorted(self._number, (problem, problem + 1)).tolist())
        order, partner = self._order[part], self._partner[part]
        session = self._search.orders.session[order]
        partners = np.bincount(order)[order]
        is_in = (session >= span[0]) & (session <= span[1]) & (partners >= self._search.needed)
        return order[is_in], partner[is_in]


def _by_frequency(values: IntVector) -> tuple[int, ...]:
    distinct, counts = np.unique(values, return_counts=True)
    return tuple(distinct[np.lexsort((distinct, -counts))].tolist())


def _lag_and_size(orders: Orders, order: IntVector, partner: IntVector) -> dict[str, Any]:
    """Return the median lag and the ratio of sizes of copies."""
    ratios = orders.quantity[order] / orders.quantity[partner]
    middle = float(np.median(ratios))
    return {
        "lag_seconds": int(np.median(orders.second[order] - orders.second[partner])),
        "size_ratio": middle,
        "same_size_count": int((np.abs(ratios / middle - 1.0) <= SIZE_TOLERANCE).sum()),
    }
