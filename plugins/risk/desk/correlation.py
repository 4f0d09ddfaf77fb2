"""Correlation of traders' daily results: who wins and loses on the same days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.model.panel import Panel

SESSIONS = 250
LARGEST_ACCOUNTS = 30
LEAST_SESSIONS = 20
"""Fewer sessions in which both traded say nothing."""
RANK_VARIANCE = 1.06
NORMAL_975 = 1.959964


@dataclass(frozen=True, slots=True)
class Correlation:
    """Two accounts' results together; the ratios are ``None`` with too few sessions or where one is always the same."""

    account_id: str
    other_account_id: str
    session_count: int
    correlation: float | None
    low: float | None
    high: float | None


def correlations(panel: Panel) -> list[Correlation]:
    """Correlate the results of the 30 accounts with the largest ones over the last 250 sessions, by name.

    Parameters
    ----------
    panel
        Daily results; NaN = not traded or incomplete books.

    Notes
    -----
    Spearman's rank correlation, ties by the mean rank, over the sessions in which both traded: a single bad day does
    not make it. Interval: ``tanh(atanh(r) +- 1.96 sqrt(1.06 / (n - 3)))``. Source: Fieller, Hartley and Pearson (1957),
    "Tests for rank correlation coefficients. I", equation 5.
    """
    results = panel.total_pnl_usd[-SESSIONS:]
    counts = np.isfinite(results).sum(axis=0)
    risk = np.sqrt(np.nansum(results**2, axis=0))
    chosen = np.lexsort((np.arange(len(counts)), -np.where(counts >= LEAST_SESSIONS, risk, 0.0)))[:LARGEST_ACCOUNTS]
    chosen = np.sort(chosen[counts[chosen] >= LEAST_SESSIONS])
    return [
        _correlation(panel, results, first, second)
        for place, first in enumerate(chosen.tolist())
        for second in chosen[place + 1 :].tolist()
    ]


def _correlation(panel: Panel, results: NDArray[np.float64], first: int, second: int) -> Correlation:
    both = results[np.isfinite(results[:, first]) & np.isfinite(results[:, second])]
    names = (panel.account_ids[first], panel.account_ids[second])
    ranks = [_mean_ranks(both[:, column]) for column in (first, second)]
    if len(both) < LEAST_SESSIONS or any(np.ptp(one) == 0 for one in ranks):
        return Correlation(*names, len(both), None, None, None)
    first_rank, second_rank = (one - one.mean() for one in ranks)
    ratio = float(first_rank @ second_rank / np.sqrt((first_rank @ first_rank) * (second_rank @ second_rank)))
    middle = np.arctanh(np.clip(ratio, -0.999999, 0.999999))
    reach = NORMAL_975 * np.sqrt(RANK_VARIANCE / (len(both) - 3))
    return Correlation(*names, len(both), ratio, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks
