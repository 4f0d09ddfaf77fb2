"""What all past cuts together were worth, and whether that is evidence.

A measure that rises with every cut proves nothing. So two controls stand beside the cuts: everybody cut by the same
average, and each session's cuts given to its accounts at random.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.limits.cut_paths import EXACT, Path, benefit_usd
from risk.model.resampling import INTERVAL, resampled_sessions

LARGEST_P_VALUE = 0.05
CENT = Decimal("0.01")


class Entry(NamedTuple):
    """One past recommendation and the day it was for; limits in US dollars, 0.40 = 40 %."""

    is_live: bool
    base_limit_usd: Decimal
    cut_ratio: Decimal
    limit_usd: Decimal
    path: Path


@dataclass(frozen=True, slots=True)
class Totals:
    """Benefits added up, US dollars: the positive days, the negative ones, and both."""

    prevented_usd: Decimal
    forgone_usd: Decimal

    @property
    def net_usd(self) -> Decimal:
        """Prevented and forgone."""
        with localcontext(EXACT):
            return self.prevented_usd + self.forgone_usd


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, US dollars."""

    low_usd: Decimal
    high_usd: Decimal


@dataclass(frozen=True, slots=True)
class Chance:
    """The net had each session's cuts been given to its accounts at random.

    Attributes
    ----------
    net_usd, deviation_usd
        Mean and standard deviation over all re-assignments.
    p_value
        Probability of a net at least as large as the real one; 1 where nothing can be re-assigned.
    """

    net_usd: Decimal
    deviation_usd: Decimal
    p_value: float


@dataclass(frozen=True, slots=True)
class Judgment:
    """What past recommendations were worth.

    Attributes
    ----------
    entry_count, live_count, cut_count, session_count
        Recommendations; those made before their session opened; those with a cut; sessions.
    average_cut_ratio
        Share of all their base limits that was cut away.
    own, uniform
        Totals of the cuts, and of everybody cut by that average.
    net, lead
        Intervals of the own net and of what it is above the uniform one; ``None`` with fewer than 20 sessions.
    chance
        The random control.
    """

    entry_count: int
    live_count: int
    cut_count: int
    session_count: int
    average_cut_ratio: Decimal
    own: Totals
    uniform: Totals
    net: Interval | None
    lead: Interval | None
    chance: Chance

    @property
    def verdict(self) -> str:
        """``nothing``, ``too few``, ``harm``, ``no evidence`` or ``evidence``."""
        if self.cut_count == 0:
            return "nothing"
        if self.net is None or self.lead is None:
            return "too few"
        if self.net.high_usd < 0:
            return "harm"
        is_aimed = self.lead.low_usd > 0 and self.chance.p_value < LARGEST_P_VALUE
        return "evidence" if self.net.low_usd > 0 and is_aimed else "no evidence"


class _Day(NamedTuple):
    """One session's sums: exact benefits of the cuts and of the uniform ones, mean and variance of the random net."""

    own: Totals
    uniform: Totals
    random_mean: float
    random_variance: float


def judge(sessions: Iterable[Sequence[Entry]], average_cut_ratio: Decimal) -> Judgment:
    """Add up what past recommendations were worth and set the controls beside it.

    Parameters
    ----------
    sessions
        The entries of one session after the other, ascending; they are read once.
    average_cut_ratio
        Share of all their base limits that was cut away.
    """
    days: list[_Day] = []
    counts: Counter[str] = Counter()
    with localcontext(EXACT):
        for entries in sessions:
            days.append(_day(entries, average_cut_ratio))
            counts["entry"] += len(entries)
            counts["live"] += sum(entry.is_live for entry in entries)
            counts["cut"] += sum(entry.cut_ratio > 0 for entry in entries)
        own, uniform = (_summed(getattr(day, name) for day in days) for name in ("own", "uniform"))
        nets, leads = (
            np.array([float(day.own.net_usd - sign * day.uniform.net_usd) for day in days]) for sign in (0, 1)
        )
    return Judgment(
        counts["entry"],
        counts["live"],
        counts["cut"],
        len(days),
        average_cut_ratio,
        own,
        uniform,
        _interval(nets),
        _interval(leads),
        _chance(days, float(own.net_usd)),
    )


def _day(entries: Sequence[Entry], average_cut_ratio: Decimal) -> _Day:
    own = [benefit_usd(entry.path, entry.base_limit_usd, entry.limit_usd) for entry in entries]
    uniform = [
        benefit_usd(entry.path, entry.base_limit_usd, entry.base_limit_usd * (1 - average_cut_ratio))
        for entry in entries
    ]
    return _Day(_totals(own), _totals(uniform), *_reassigned(entries))


def _totals(benefits: Iterable[Decimal]) -> Totals:
    known = list(benefits)
    return Totals(
        sum((benefit for benefit in known if benefit > 0), Decimal(0)),
        sum((benefit for benefit in known if benefit < 0), Decimal(0)),
    )


def _summed(days: Iterable[Totals]) -> Totals:
    known = list(days)
    return Totals(
        sum((day.prevented_usd for day in known), Decimal(0)), sum((day.forgone_usd for day in known), Decimal(0))
    )


def _reassigned(entries: Sequence[Entry]) -> tuple[float, float]:
    """Return mean and variance of a session's net over all ways to give its cuts to its accounts.

    Source: Hoeffding (1951), "A Combinatorial Central Limit Theorem", theorem 2: with c(i, j) the benefit of account i
    under cut j, mean ``sum c / n`` and variance ``sum d^2 / (n - 1)``, d being c less its row's and its column's mean
    plus the mean of all. Equal cuts are one column with a weight.
    """
    cuts = Counter(entry.cut_ratio for entry in entries)
    benefits = np.array(
        [[float(benefit_usd(path, base, base * (1 - cut))) for cut in cuts] for _, base, _, _, path in entries]
    )
    weights = np.array(list(cuts.values()), dtype=np.float64)
    count = len(entries)
    mean = float((benefits @ weights).sum() / count)
    if len(cuts) == 1:
        return mean, 0.0
    by_account, by_cut = benefits @ weights / count, benefits.mean(axis=0)
    deviations = benefits - by_account[:, None] - by_cut + mean / count
    return mean, float((deviations**2 @ weights).sum() / (count - 1))


def _interval(by_session: NDArray[np.float64]) -> Interval | None:
    if len(by_session) < LIMITED_HISTORY_SESSIONS:
        return None
    sums = by_session[resampled_sessions(len(by_session))].sum(axis=1)
    low, high = np.quantile(sums, INTERVAL)
    return Interval(_cents(low), _cents(high))


def _chance(days: Sequence[_Day], net_usd: float) -> Chance:
    """Compare the net with the random ones; sums of many sessions are close to normal."""
    mean = math.fsum(day.random_mean for day in days)
    deviation = math.sqrt(math.fsum(day.random_variance for day in days))
    p_value = 0.5 * math.erfc((net_usd - mean) / deviation / math.sqrt(2)) if deviation else 1.0
    return Chance(_cents(mean), _cents(deviation), p_value)


def _cents(amount: float) -> Decimal:
    return Decimal(float(amount)).quantize(CENT)
