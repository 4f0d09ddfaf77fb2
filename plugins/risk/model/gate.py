"""The gate: model-based limits apply only while the model beats the rules on past sessions.

Row t of every forecast was issued after session t and is scored with session t + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.money import counted, percent
from risk.core.settings import TAIL_PROBABILITY
from risk.model.backtests import pinball_loss, resampled_sessions
from risk.model.experts.empirical import QUANTILE_SESSIONS
from risk.model.panel import FloatMatrix, Panel

OLDEST_SESSIONS = 10
"""A model may be used for ten sessions after the newest one it has seen: it is refitted every week."""

WINDOW_SESSIONS = 60
SMALLEST_IMPROVEMENT = 0.10
LARGEST_P_VALUE = 0.05
EXCEEDANCE_BOUNDS = (0.03, 0.08)
DEMOTION_EXCEEDANCE_BOUNDS = (0.02, 0.10)
PROMOTION_PASSES = 10
DEMOTION_MISSES = 5
SHRINKAGE_COUNT = 100.0
MINIMUM_POOLED = 100
CUT_BUCKETS = (0.20, 0.40)
"""Cuts by the rules are pooled in these buckets: a part of the test, whatever the policy calls high."""


@dataclass(frozen=True, slots=True)
class CutFunctions:
    """The cuts that past sessions would have called for.

    The gate compares the model with the rules, and the leak check covers both down to the cut, but rules and cuts
    belong to `risk.limits`, which builds on this package: callers hand in ``risk.limits.decide.cut_functions``.

    Attributes
    ----------
    by_rules
        (panel, typical daily P&L, first row) to the rules' cut ratios, ``(n_sessions, n_accounts)``.
    by_model
        (panel, calibrated forecasts, first row) to the forecast's cut ratios, ``(n_sessions, n_accounts)``.
    """

    by_rules: Callable[[Panel, FloatMatrix, int], FloatMatrix]
    by_model: Callable[[Panel, FloatMatrix, int], FloatMatrix]


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate found after one session.

    Attributes
    ----------
    session_count
        Sessions with a scored forecast in the window, at most 60.
    forecast_count
        Forecasts scored in it.
    improvement
        1 - model's loss over the rules' loss; NaN with fewer than 60 sessions.
    p_value
        Share of block resamples whose improvement is not positive.
    exceedance_rate
        Share of results below the model's forecast.
    is_pass
        Whether all three conditions hold.
    is_serving
        Whether model-based limits apply after this session.
    reasons
        Sentences: why the model does not pass; with none, how long it has passed.
    """

    session_count: int
    forecast_count: int
    improvement: float
    p_value: float
    exceedance_rate: float
    is_pass: bool
    is_serving: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Losses, exceedances and counts by session, those without a forecast left out; every array ``(n_scored,)``."""

    number: NDArray[np.int64]
    model_loss: NDArray[np.float64]
    rules_loss: NDArray[np.float64]
    exceedance_count: NDArray[np.int64]
    forecast_count: NDArray[np.int64]


def rules_quantiles(
    pnl: FloatMatrix, historical: FloatMatrix, rules_cut_ratio: FloatMatrix, first_row: int = 0
) -> FloatMatrix:
    """Let the rules forecast: the past quantile of P&L over the historical loss, by how hard they cut.

    Parameters
    ----------
    pnl, historical
        ``(n_sessions, n_accounts)``, US dollars.
    rules_cut_ratio
        The rules' cut after each session, ``(n_sessions, n_accounts)``, 0.40 = 40 %.
    first_row
        Rows before it are left NaN.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, US dollars; NaN while fewer than 100 results are known.

    Notes
    -----
    Buckets below 20 %, 20-39 %, from 40 %. A bucket's quantile is shrunk toward the pooled one with the weight of 100
    results; with fewer than 20 of its own it is the pooled one.
    """
    buckets = np.digitize(rules_cut_ratio, CUT_BUCKETS)
    pool = [np.empty(0) for _ in range(len(CUT_BUCKETS) + 1)]
    quantiles = np.full_like(pnl, np.nan)
    for number in range(1, len(pnl)):
        ratios = pnl[number] / -historical[number - 1]
        for bucket in range(len(pool)):
            known = np.isfinite(ratios) & (buckets[number - 1] == bucket)
            pool[bucket] = np.append(pool[bucket], ratios[known])
        if number >= first_row and sum(map(len, pool)) >= MINIMUM_POOLED:
            losses = np.array(_shrunken(pool))
            quantiles[number] = -losses[buckets[number]] * -historical[number]
    return quantiles


def _shrunken(pool: Sequence[NDArray[np.float64]]) -> list[float]:
    pooled = -float(np.quantile(np.concatenate(pool), TAIL_PROBABILITY))
    losses = []
    for ratios in pool:
        own = -float(np.quantile(ratios, TAIL_PROBABILITY)) if len(ratios) else pooled
        mean = (len(ratios) * own + SHRINKAGE_COUNT * pooled) / (len(ratios) + SHRINKAGE_COUNT)
        losses.append(mean if len(ratios) >= QUANTILE_SESSIONS else pooled)
    return losses


def evaluate_gate(
    pnl: FloatMatrix,
    scale: FloatMatrix,
    model: FloatMatrix,
    rules: FloatMatrix,
    earlier: Sequence[GateResult] = (),
) -> list[GateResult]:
    """Evaluate the model after every session.

    Parameters
    ----------
    pnl, scale
        Results and own scales, ``(n_sessions, n_accounts)``, US dollars.
    model, rules
        One-step-ahead 5 % quantiles, ``(n_sessions, n_accounts)``, US dollars. A cell counts where both are finite.
    earlier
        Results after the first sessions, evaluated before from the same rows: they are taken as they are.

    Returns
    -------
    list
        One result for each session, made with what was known after it.
    """
    sums = _summed(pnl, scale, model, rules)
    counts = _resample_counts()
    results: list[GateResult] = []
    is_serving, passes, misses = False, 0, 0
    for number in range(len(pnl)):
        stop = int(np.searchsorted(sums.number, number, side="right"))
        is_new = stop > 0 and int(sums.number[stop - 1]) == number
        if number < len(earlier):
            results.append(earlier[number])
            is_pass, is_serving = results[-1].is_pass, results[-1].is_serving
            passes = _streak(passes, is_hit=is_pass, is_new=is_new)
            misses = _streak(misses, is_hit=not is_pass, is_new=is_new)
            continue
        window = slice(max(stop - WINDOW_SESSIONS, 0), stop)
        figures = _figures(sums, window, counts)
        reasons = _against(*figures)
        # A session in which nobody was scored is no new evidence: it neither passes nor misses.
        passes = _streak(passes, is_hit=not reasons, is_new=is_new)
        misses = _streak(misses, is_hit=bool(reasons), is_new=is_new)
        is_serving = _serves(figures[-1], is_serving=is_serving, passes=passes, misses=misses)
        reasons_shown = (
            (*_streaks(passes, misses, is_serving=is_serving), *reasons) if is_serving or not reasons else reasons
        )
        results.append(GateResult(*figures, not reasons, is_serving, reasons_shown))
    return results


def _summed(pnl: FloatMatrix, scale: FloatMatrix, model: FloatMatrix, rules: FloatMatrix) -> _Sums:
    outcome = pnl[1:]
    is_scored = np.isfinite(outcome) & np.isfinite(model[:-1]) & np.isfinite(rules[:-1]) & (scale[:-1] > 0.0)
    count = np.count_nonzero(is_scored, axis=1)
    number = np.flatnonzero(count)
    model_loss, rules_loss = (
        np.array([_session_loss(outcome[row], scale[row], quantiles[row], is_scored[row]) for row in number])
        for quantiles in (model, rules)
    )
    exceedance_count = np.count_nonzero(is_scored & (outcome < model[:-1]), axis=1)
    return _Sums(number + 1, model_loss, rules_loss, exceedance_count[number], count[number])


def _session_loss(
    outcome: NDArray[np.float64], scale: NDArray[np.float64], quantile: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> float:
    errors = (outcome[chosen] - quantile[chosen]) / scale[chosen]
    return float(pinball_loss(errors, np.zeros_like(errors)).sum())


def _resample_counts() -> FloatMatrix:
    """Count how often each session of a full window appears in each resample, ``(n_resamples, 60)``."""
    chosen = resampled_sessions(WINDOW_SESSIONS)
    rows = np.repeat(np.arange(len(chosen)), WINDOW_SESSIONS)
    counts = np.zeros(chosen.shape)
    np.add.at(counts, (rows, chosen.ravel()), 1.0)
    return counts


def _figures(sums: _Sums, window: slice, counts: FloatMatrix) -> tuple[int, int, float, float, float]:
    model_loss, rules_loss = sums.model_loss[window], sums.rules_loss[window]
    forecast_count = int(sums.forecast_count[window].sum())
    exceedance_rate = int(sums.exceedance_count[window].sum()) / forecast_count if forecast_count else np.nan
    if len(model_loss) < WINDOW_SESSIONS:
        return len(model_loss), forecast_count, np.nan, np.nan, exceedance_rate
    p_value = float(np.mean(counts @ (rules_loss - model_loss) <= 0.0))
    total = rules_loss.sum()
    improvement = float(1.0 - model_loss.sum() / total) if total > 0.0 else 0.0
    return len(model_loss), forecast_count, improvement, p_value, exceedance_rate


def _against(
    session_count: int, forecast_count: int, improvement: float, p_value: float, exceedance_rate: float
) -> tuple[str, ...]:
    """Say what the model lacks to pass; nothing where it passes."""
    if session_count < WINDOW_SESSIONS:
        return (f"The gate needs {WINDOW_SESSIONS} sessions with a scored forecast and has {session_count}.",)
    reasons = []
    if not improvement > SMALLEST_IMPROVEMENT:
        reasons.append(
            f"The forecast's loss over {WINDOW_SESSIONS} sessions is {percent(improvement, 1)} below the rules'; "
            f"more than {percent(SMALLEST_IMPROVEMENT)} is required."
        )
    if not p_value < LARGEST_P_VALUE:
        reasons.append(f"The improvement may be chance: p = {p_value:.3f}, less than {LARGEST_P_VALUE} is required.")
    low, high = EXCEEDANCE_BOUNDS
    if not low <= exceedance_rate <= high:
        found = f"{percent(exceedance_rate, 1)} of {counted(forecast_count, 'result')}"
        reasons.append(f"{found} fell below the forecast 5% quantile; {percent(low)} to {percent(high)} are allowed.")
    return tuple(reasons)


def _streak(length: int, *, is_hit: bool, is_new: bool) -> int:
    if not is_new:
        return length
    return length + 1 if is_hit else 0


def _serves(exceedance_rate: float, *, is_serving: bool, passes: int, misses: int) -> bool:
    if not is_serving:
        return passes >= PROMOTION_PASSES
    is_tolerable = DEMOTION_EXCEEDANCE_BOUNDS[0] <= exceedance_rate <= DEMOTION_EXCEEDANCE_BOUNDS[1]
    return is_tolerable and misses < DEMOTION_MISSES


def _streaks(passes: int, misses: int, *, is_serving: bool) -> tuple[str, ...]:
    if is_serving and misses:
        missed = f"The model missed the gate in {counted(misses, 'session')} in a row"
        return (f"{missed}; rule-based limits apply from {DEMOTION_MISSES} on.",)
    if is_serving:
        return (f"The forecast has beaten the rules in {counted(passes, 'session')} in a row.",)
    return (
        f"The model has passed the gate in {counted(passes, 'session')} in a row; {PROMOTION_PASSES} are required.",
    )
