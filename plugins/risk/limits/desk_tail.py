"""The desk's tail: what the desk may lose in the next session, who makes the loss, and what a cut takes off it.

Filtered historical simulation of the whole desk: a scenario is one past session, each account's result in units of the
loss forecast for it, and today's forecasts are the scale: ``X[s, i] = pnl[s, i] abs(q[today, i] / q[s, i])`` (after
Barone-Adesi, Giannopoulos and Vosper 1999, "VaR without Correlations for Portfolios of Derivative Securities"). Whole
sessions are taken, so what traders share stays together. An account that did not trade, or had no forecast, has a
result of 0 in that scenario: who joined lately has a smaller part than his forecast alone would give him.

Shares are of the expected shortfall, not of the value at risk: ``E[-X[i] | desk at or below -VaR]`` are the derivatives
of the shortfall and add up to it (Tasche 1999, "Risk contributions and performance measurement"; Tasche 2000,
"Conditional Expectation as Quantile Derivative"). Who earns on the desk's bad days has a negative share.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.limits.track_record import SLIPPAGE_RATIO
from risk.model.backtests import INTERVAL, resampled_sessions
from risk.model.panel import FloatMatrix

SCENARIO_SESSIONS = 250
"""Past sessions that are looked at: one year."""

MINIMUM_SCENARIOS = 60
"""Fewer leave less than three sessions in the worst 5 %."""

SHARE_DECIMALS = 6
"""Shares are rounded so that they still add up to 1, see `rounded_shares`; further digits depend on the processor."""

FloatVector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DeskTail:
    """What the desk may lose in the next session; US dollars, losses positive.

    Attributes
    ----------
    session_count
        Scenarios.
    value_at_risk_usd
        Loss that the desk exceeds on at most 5 % of sessions.
    expected_shortfall_usd, shortfall_interval_usd
        Mean loss of the worst 5 % of sessions and its 95 % interval.
    at_base_usd, at_limits_usd
        The same shortfall if every loss ended at the base limit, and at the recommended limit, 5 % slippage included.
    contributions_usd
        Each account's mean loss in the worst 5 % of the desk's sessions, ``(n_accounts,)``; negative = he earns. They
        add up to the shortfall.
    share_intervals
        95 % intervals of the shares of the shortfall, ``(n_accounts, 2)``; NaN where the shortfall may be no loss.
    reliefs_usd
        What each account's cut alone takes off ``at_base_usd``, ``(n_accounts,)``; negative = it would cost.
    """

    session_count: int
    value_at_risk_usd: float
    expected_shortfall_usd: float
    shortfall_interval_usd: tuple[float, float]
    at_base_usd: float
    at_limits_usd: float
    contributions_usd: FloatVector
    share_intervals: FloatMatrix
    reliefs_usd: FloatVector

    @property
    def shares(self) -> FloatVector | None:
        """Each account's share of the shortfall, adding up to 1; ``None`` if the worst sessions are no loss."""
        if self.expected_shortfall_usd <= 0.0:
            return None
        shares: FloatVector = self.contributions_usd / self.contributions_usd.sum()
        return shares


def desk_tail(results: FloatMatrix, base_limits_usd: FloatVector, limits_usd: FloatVector) -> DeskTail | None:
    """Measure the desk's tail over scenarios of its next session.

    Parameters
    ----------
    results
        As `scenarios` returns them, ``(n_scenarios, n_accounts)``, US dollars, gains positive.
    base_limits_usd, limits_usd
        Base limits and recommended limits, ``(n_accounts,)``, positive.

    Returns
    -------
    DeskTail or None
        ``None`` with fewer than 60 scenarios.
    """
    if len(results) < MINIMUM_SCENARIOS:
        return None
    weights = tail_weights(results.sum(axis=1))
    at_base, at_limits = stopped(results, base_limits_usd), stopped(results, limits_usd)
    reliefs = [_relief_usd(at_base, at_limits, account) for account in range(results.shape[1])]
    shortfall_interval, share_intervals = _intervals(results)
    contributions = -(weights @ results)
    return DeskTail(
        session_count=len(results),
        value_at_risk_usd=-float(results.sum(axis=1)[weights > 0.0].max()),
        expected_shortfall_usd=float(contributions.sum()),
        shortfall_interval_usd=shortfall_interval,
        at_base_usd=shortfall_usd(at_base.sum(axis=1)),
        at_limits_usd=shortfall_usd(at_limits.sum(axis=1)),
        contributions_usd=contributions,
        share_intervals=share_intervals,
        reliefs_usd=np.array(reliefs, np.float64),
    )


def scenarios(pnl_usd: FloatMatrix, calibrated_usd: FloatMatrix) -> tuple[FloatMatrix, NDArray[np.bool_]]:
    """Turn the last 250 sessions into results at today's scale.

    Parameters
    ----------
    pnl_usd
        Results of the accounts that get a limit, ``(n_sessions, n_accounts)``, gains positive; NaN = not active.
    calibrated_usd
        Calibrated 5 % quantiles, same shape, negative; NaN = none. Row t was issued after session t: the last row is
        today's and scales the scenarios; an account without one is not part of them.

    Returns
    -------
    tuple
        Results, ``(n_scenarios, n_accounts)``, US dollars, 0 where an account has none, and where it has one. Sessions
        in which none of the accounts has a result are no scenario.
    """
    today = -calibrated_usd[-1:]
    ratios = pnl_usd[1:][-SCENARIO_SESSIONS:] / -calibrated_usd[:-1][-SCENARIO_SESSIONS:]
    is_known = np.isfinite(ratios) & np.isfinite(today)
    is_scenario = is_known.any(axis=1)
    return np.where(is_known, ratios * today, 0.0)[is_scenario], is_known[is_scenario]


def tail_weights(desk_usd: FloatMatrix | FloatVector) -> FloatMatrix | FloatVector:
    """Weigh the worst 5 % of scenarios, fractionally at the edge.

    Parameters
    ----------
    desk_usd
        The desk's results, ``(..., n_scenarios)``, gains positive.

    Returns
    -------
    ndarray
        Same shape; non-negative, adding up to 1 along the last axis. With n scenarios the n / 20 lowest have the same
        weight each; what is left of a whole scenario goes to the next one, equal results sharing it.

    Notes
    -----
    ``ES = -(E[X; X < x] + x (p - P[X < x])) / p`` with x the p-quantile: the edge counts with what the results below it
    leave of p. Source: Acerbi and Tasche (2002), "On the coherence of expected shortfall", definition 2.6.
    """
    # 0.05 is no binary fraction: 140 x 0.05 would be 7.000000000000001 scenarios.
    tail_count = round(desk_usd.shape[-1] * TAIL_PROBABILITY, 9)
    edge_place = int(np.ceil(tail_count)) - 1
    edge = np.partition(desk_usd, edge_place, axis=-1)[..., edge_place : edge_place + 1]
    is_beyond, is_edge = desk_usd < edge, desk_usd == edge
    left = tail_count - is_beyond.sum(axis=-1, keepdims=True)
    weights = is_beyond + is_edge * (left / is_edge.sum(axis=-1, keepdims=True))
    scaled: FloatMatrix = weights / tail_count
    return scaled


def shortfall_usd(desk_usd: FloatVector) -> float:
    """Return the mean loss of the worst 5 % of results, ``(n_scenarios,)``; positive = loss."""
    return -float(tail_weights(desk_usd) @ desk_usd)


def stopped(results_usd: FloatMatrix, limits_usd: FloatVector) -> FloatMatrix:
    """End every loss that reaches its account's limit there, less the slippage.

    Results are closes: a session that touched the limit and recovered is not stopped here, so that what a stop takes
    off is rather over- than understated.

    Parameters
    ----------
    results_usd
        ``(n_scenarios, n_accounts)``, gains positive.
    limits_usd
        ``(n_accounts,)``, positive.
    """
    return np.where(results_usd <= -limits_usd, -(1.0 + float(SLIPPAGE_RATIO)) * limits_usd, results_usd)


def rounded_shares(shares: Sequence[float] | FloatVector) -> list[Decimal]:
    """Round shares that add up to 1 to six decimals so that they still do: each is off by at most 0.000001."""
    sums = [Decimal(str(round(float(one), SHARE_DECIMALS))) for one in (0.0, *np.cumsum(shares))]
    return [after - before for before, after in itertools.pairwise(sums)]


def _relief_usd(at_base: FloatMatrix, at_limits: FloatMatrix, account: int) -> float:
    """Return what one account's cut takes off the shortfall while all others keep their base limits."""
    change = at_limits[:, account] - at_base[:, account]
    if not change.any():
        return 0.0
    desk = at_base.sum(axis=1)
    return shortfall_usd(desk) - shortfall_usd(desk + change)


def _intervals(results: FloatMatrix) -> tuple[tuple[float, float], FloatMatrix]:
    """Return the 95 % intervals of the shortfall and of the shares, by blocks of sessions drawn again."""
    chosen = resampled_sessions(len(results))
    weights = tail_weights(results.sum(axis=1)[chosen])
    # How much of each scenario is in the tail of each resample, (n_resamples, n_scenarios).
    places = (np.arange(len(chosen))[:, None] * len(results) + chosen).ravel()
    in_tail = np.bincount(places, weights.ravel(), len(chosen) * len(results)).reshape(len(chosen), len(results))
    shortfalls = -(in_tail @ results.sum(axis=1))
    low, high = np.quantile(shortfalls, INTERVAL)
    shares = np.full((results.shape[1], 2), np.nan)
    if shortfalls.min() > 0.0:
        for account in range(results.shape[1]):
            shares[account] = np.quantile(-(in_tail @ results[:, account]) / shortfalls, INTERVAL)
    return (float(low), float(high)), shares
