"""Scores and back-tests of value at risk and expected shortfall.

Every p-value is the probability, were the forecasts right, of a statistic at least as far off; NaN where the data
cannot say. An *exceedance* is a result below its forecast quantile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatMatrix

BoolVector = NDArray[np.bool_]

FALSE_DISCOVERY_RATE = 0.05

ZONE_BOUNDS = (0.95, 0.9999)
"""Cumulative probabilities at which the Basel zones yellow and red begin."""

SHORTFALL_RESAMPLES = 2000
SHORTFALL_SEED = 5

COVERAGE_RESAMPLES = 2000
ZONE_RESAMPLES = 20_000
"""Two of them lie beyond the bound of the red zone."""
COVERAGE_SEED = 5
RESAMPLES_AT_ONCE = 1000
"""Held in memory together: 5 MB for each 625 sessions."""

BLOCK_SESSIONS = 5
RESAMPLE_COUNT = 2000
RESAMPLE_SEED = 5

INTERVAL = (0.025, 0.975)
"""Probabilities at the ends of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Independence:
    """Whether exceedances come alone.

    Attributes
    ----------
    transitions
        Sessions by (exceedance before, exceedance now), ``(2, 2)``, of all sequences together.
    statistic
        Likelihood ratio, chi-square with 1 degree of freedom.
    p_value
        Its p-value.
    """

    transitions: NDArray[np.int64]
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class AccountCoverage:
    """One account's exceedances.

    Attributes
    ----------
    account_id
        Its name.
    forecast_count, exceedance_count
        Scored forecasts, exceedances among them.
    p_value
        Exact, two-sided.
    is_rejected
        Whether it is off at a false discovery rate of 5 % among all accounts.
    """

    account_id: str
    forecast_count: int
    exceedance_count: int
    p_value: float
    is_rejected: bool


def pinball_loss(pnl: FloatMatrix, quantiles: FloatMatrix) -> FloatMatrix:
    """Score quantile forecasts cell by cell: lower is better, the true quantile is best on average.

    Source: Koenker and Bassett (1978), "Regression Quantiles", eq. 1. scikit-learn's ``mean_pinball_loss`` returns
    means only; sums by session and their resamples need every cell.
    """
    errors = pnl - quantiles
    losses: FloatMatrix = np.maximum(TAIL_PROBABILITY * errors, (TAIL_PROBABILITY - 1.0) * errors)
    return losses


def kupiec(exceedance_count: int, forecast_count: int, probability: float = TAIL_PROBABILITY) -> tuple[float, float]:
    """Test the proportion of failures, were all forecasts independent; see `session_kupiec` for those that are not.

    Source: Kupiec (1995), "Techniques for Verifying the Accuracy of Risk Measurement Models", eq. 6:
    ``LR = 2 (log L(x / n) - log L(p))``, chi-square with 1 degree of freedom.

    Parameters
    ----------
    exceedance_count, forecast_count
        x and n.
    probability
        p promised, in (0, 1).

    Returns
    -------
    tuple
        The statistic and its p-value; NaN without a forecast.
    """
    from scipy.stats import chi2

    if forecast_count == 0:
        return np.nan, np.nan
    found = _log_likelihood(exceedance_count, forecast_count, exceedance_count / forecast_count)
    statistic = max(2.0 * (found - _log_likelihood(exceedance_count, forecast_count, probability)), 0.0)
    return statistic, float(chi2.sf(statistic, 1))


def christoffersen(sequences: Sequence[BoolVector]) -> Independence:
    """Test that an exceedance does not make the next more likely.

    Source: Christoffersen (1998), "Evaluating Interval Forecasts", eq. 9, the transitions of all sequences pooled.

    Parameters
    ----------
    sequences
        Exceedances of each account in time; no transition joins two accounts.
    """
    from scipy.stats import chi2

    transitions = np.zeros((2, 2), dtype=np.int64)
    for sequence in sequences:
        exceedances = np.asarray(sequence, dtype=np.int64)
        np.add.at(transitions, (exceedances[:-1], exceedances[1:]), 1)
    before = transitions.sum(axis=1)
    if not before.all():
        return Independence(transitions, np.nan, np.nan)
    after = transitions[:, 1]
    apart = sum(_log_likelihood(int(x), int(n), x / n) for x, n in zip(after, before, strict=True))
    together = _log_likelihood(int(after.sum()), int(before.sum()), after.sum() / before.sum())
    statistic = max(2.0 * (apart - together), 0.0)
    return Independence(transitions, statistic, float(chi2.sf(statistic, 1)))


def conditional_coverage(sequences: Sequence[BoolVector], probability: float = TAIL_PROBABILITY) -> tuple[float, float]:
    """Test coverage and independence jointly.

    Source: Christoffersen (1998), eq. 10: the sum of both statistics, chi-square with 2 degrees of freedom. Coverage is
    that of all sessions, the first of each account included.

    Returns
    -------
    tuple
        The statistic and its p-value; NaN where independence cannot be tested.
    """
    from scipy.stats import chi2

    count = sum(len(sequence) for sequence in sequences)
    coverage, _ = kupiec(sum(int(np.count_nonzero(sequence)) for sequence in sequences), count, probability)
    statistic = coverage + christoffersen(sequences).statistic
    return statistic, float(chi2.sf(statistic, 2))


def basel_zone(exceedance_count: int, forecast_count: int, probability: float = TAIL_PROBABILITY) -> str:
    """Name the zone of the traffic light, ``green``, ``yellow`` or ``red``, were all forecasts independent.

    See `session_zone` for those that are not.

    Source: Basel Committee (1996), "Supervisory Framework for the Use of Backtesting", section III: yellow begins where
    the probability of so many exceedances or fewer reaches 95 %, red where it reaches 99.99 %.
    """
    from scipy.stats import binom

    return _zone(float(binom.cdf(exceedance_count, forecast_count, probability)))


def session_kupiec(
    exceedance_counts: NDArray[np.int64], forecast_counts: NDArray[np.int64], probability: float = TAIL_PROBABILITY
) -> float:
    """Test the proportion of failures of traders who have good and bad days together.

    Kupiec's test takes each trader's forecast for a trial of its own. Where traders are correlated a right quantile
    fails it far too often: of 200 traders with a common share of .3, in 60 sessions, in 29 % of cases. Whole sessions
    are drawn again here, so that what traders share stays together.

    Parameters
    ----------
    exceedance_counts, forecast_counts
        By session with a forecast, ``(n_sessions,)``.
    probability
        p promised, in (0, 1).

    Returns
    -------
    float
        The two-sided p-value; Kupiec's own where there is no exceedance, and so nothing to see of what traders share.
        NaN without a forecast.

    Notes
    -----
    The statistic is the sum of exceedances less p times the forecasts, over its standard error from the sessions, which
    is never taken for smaller than that of independent forecasts; the p-value is the share of resamples in which it is
    at least as far from where it was. Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap",
    section 12.5 (bootstrap-t) and algorithm 16.2 (its use as a test).
    """
    count, exceedance_count = int(forecast_counts.sum()), int(exceedance_counts.sum())
    if exceedance_count == 0:
        return kupiec(0, count, probability)[1]
    found, resampled = _studentized(exceedance_counts, forecast_counts, probability, COVERAGE_RESAMPLES)
    return float(np.mean(np.abs(resampled) >= abs(found)))


def session_zone(
    exceedance_counts: NDArray[np.int64], forecast_counts: NDArray[np.int64], probability: float = TAIL_PROBABILITY
) -> str:
    """Name the zone of the traffic light for traders who have good and bad days together; as `session_kupiec`.

    The probability of so many exceedances or fewer, which Basel takes from independent trials, is the share of
    resamples of whole sessions whose statistic is smaller; of those that are equal half count.
    """
    if not exceedance_counts.any():
        return basel_zone(0, int(forecast_counts.sum()), probability)
    found, resampled = _studentized(exceedance_counts, forecast_counts, probability, ZONE_RESAMPLES)
    return _zone(float(np.mean(resampled < found) + 0.5 * np.mean(resampled == found)))


def rate_interval(exceedance_counts: NDArray[np.int64], forecast_counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 95 % interval of the rate of exceedances of traders who have good and bad days together.

    Wilson's interval for as many independent forecasts as tell as much about the rate: the forecasts divided by how
    many times larger the variance of the sessions' sums is than that of independent forecasts, at least 1.
    Sources: Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference"; Kish (1965), "Survey
    Sampling", section 8.2.

    Parameters
    ----------
    exceedance_counts, forecast_counts
        By session, ``(n_sessions,)``, at least one forecast in all.
    """
    count = float(forecast_counts.sum())
    rate = float(exceedance_counts.sum()) / count
    independent = count * rate * (1.0 - rate)
    variance = len(forecast_counts) * float(np.var(exceedance_counts - rate * forecast_counts))
    effective = count / max(variance / independent, 1.0) if independent > 0.0 else count
    z = 1.959964
    center = (rate + z * z / (2.0 * effective)) / (1.0 + z * z / effective)
    half = z * math.sqrt(rate * (1.0 - rate) / effective + (z / (2.0 * effective)) ** 2) / (1.0 + z * z / effective)
    return max(center - half, 0.0), min(center + half, 1.0)


def _zone(cumulative: float) -> str:
    return ("green", "yellow", "red")[sum(cumulative >= bound for bound in ZONE_BOUNDS)]


def _studentized(
    exceedance_counts: NDArray[np.int64], forecast_counts: NDArray[np.int64], probability: float, resamples: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the studentized surplus of exceedances, and those of resamples of sessions around it."""
    surplus = exceedance_counts - probability * forecast_counts
    independent: FloatMatrix = np.asarray(probability * (1.0 - probability) * forecast_counts, np.float64)
    draws = np.random.default_rng(COVERAGE_SEED)

    def standard_error(sums: FloatMatrix, variances: FloatMatrix) -> NDArray[np.float64]:
        error: NDArray[np.float64] = np.sqrt(np.maximum(len(surplus) * sums.var(axis=-1), variances.sum(axis=-1)))
        return error

    resampled = []
    for first in range(0, resamples, RESAMPLES_AT_ONCE):
        shape = (min(RESAMPLES_AT_ONCE, resamples - first), len(surplus))
        chosen = draws.integers(0, len(surplus), shape)
        sums = surplus[chosen]
        resampled.append((sums.sum(axis=1) - surplus.sum()) / standard_error(sums, independent[chosen]))
    return float(surplus.sum() / standard_error(surplus, independent)), np.concatenate(resampled)


def acerbi_szekely(
    pnl_usd: NDArray[np.float64],
    quantile_usd: NDArray[np.float64],
    shortfall_usd: NDArray[np.float64],
    sessions: NDArray[np.int64],
    probability: float = TAIL_PROBABILITY,
) -> tuple[float, float]:
    """Test the expected shortfall together with its quantile.

    Source: Acerbi and Szekely (2014), "Backtesting Expected Shortfall", eq. 6: ``Z2 = 1 + sum of X I / (n p ES)`` is
    0 on average when the forecasts are right, negative when losses exceed them, -1 when they are twice as large. The
    p-value is the share of resamples of whole sessions, which accounts share, in which Z2 is not negative.

    Parameters
    ----------
    pnl_usd, quantile_usd
        Results and 5 % quantiles, ``(n_forecasts,)``.
    shortfall_usd
        Expected shortfalls, ``(n_forecasts,)``, losses positive.
    sessions
        Session number of each.
    probability
        p promised.
    """
    if len(pnl_usd) == 0:
        return np.nan, np.nan
    is_exceedance = pnl_usd < quantile_usd
    terms = np.where(is_exceedance, pnl_usd / (probability * shortfall_usd), 0.0) + 1.0
    _, numbers = np.unique(sessions, return_inverse=True)
    sums, counts = np.bincount(numbers, terms), np.bincount(numbers)
    draws = np.random.default_rng(SHORTFALL_SEED).integers(0, len(sums), (SHORTFALL_RESAMPLES, len(sums)))
    resampled = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return float(sums.sum() / counts.sum()), float(np.mean(resampled >= 0.0))


def coverage_by_account(
    exceedances: Mapping[str, BoolVector], probability: float = TAIL_PROBABILITY
) -> list[AccountCoverage]:
    """Test each account's coverage exactly, at a false discovery rate of 5 % among all of them.

    Source: Benjamini and Hochberg (1995), "Controlling the False Discovery Rate", section 3.

    Parameters
    ----------
    exceedances
        By account, ``(n_forecasts,)`` each.
    probability
        p promised.
    """
    from scipy.stats import binomtest, false_discovery_control

    counts = {name: (len(found), int(np.count_nonzero(found))) for name, found in exceedances.items() if len(found)}
    p_values = [float(binomtest(hits, count, probability).pvalue) for count, hits in counts.values()]
    rejected = false_discovery_control(p_values) <= FALSE_DISCOVERY_RATE if p_values else ()
    return [
        AccountCoverage(name, count, hits, p_value, bool(is_rejected))
        for (name, (count, hits)), p_value, is_rejected in zip(counts.items(), p_values, rejected, strict=True)
    ]


def _log_likelihood(exceedance_count: int, count: int, probability: float) -> float:
    from scipy.special import xlog1py, xlogy

    return float(xlogy(exceedance_count, probability) + xlog1py(count - exceedance_count, -probability))


def resampled_sessions(session_count: int) -> NDArray[np.int64]:
    """Draw circular blocks of 5 sessions until each resample is as long as the record.

    Whole blocks of sessions: what accounts share on a day, and one day with the next, stays together. Not arch's or
    scipy's bootstrap: their random streams are others, and this one is part of every published p-value and interval.

    Source: Politis and Romano (1992), "A Circular Block-Resampling Procedure for Stationary Data".

    Parameters
    ----------
    session_count
        Sessions of the record, at least one.

    Returns
    -------
    ndarray
        Numbers of sessions, ``(2000, session_count)``; the same at every call.
    """
    draws = np.random.default_rng(RESAMPLE_SEED)
    starts = draws.integers(0, session_count, (RESAMPLE_COUNT, math.ceil(session_count / BLOCK_SESSIONS), 1))
    chosen = (starts + np.arange(BLOCK_SESSIONS)) % session_count
    return chosen.reshape(RESAMPLE_COUNT, -1)[:, :session_count]
