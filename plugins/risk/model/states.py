"""Coverage by state: does the forecast hold on the days on which it is needed.

A forecast can be exceeded on 5 % of all days and still be too small on those that matter: after a large loss, when a
trader may try to win it back, in volatile weeks, just after volatility has jumped, and after a break. Each state is
known before the session it is about, from the trader's own results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.model.backtests import rate_interval
from risk.model.panel import FeaturePanel, FloatMatrix, Panel
from risk.model.walk_forward import WalkForward

LARGE_LOSS_DAYS = 1.5
"""A loss beyond so many typical days is large."""

RECENT_SESSIONS, EARLIER_SESSIONS = 5, 20
JUMP_RATIO = 2.5
"""Volatility has jumped when the root mean square of the last 5 results is so many times that of the 20 before."""

BREAK_SESSIONS = 10
"""A break is at least so many sessions without an active one."""

FIRST_SESSIONS = 5
"""Active sessions that are looked at after a jump or a break."""

VOLATILITY_FEATURE = "volatility_ratio_4"
"""Size of recent P&L, half-life 4 sessions, in typical daily P&L."""

DEFINITIONS = (
    f"Large loss: beyond {LARGE_LOSS_DAYS} typical days, in the session before. Volatility: recent, in own typical "
    f"days, by thirds. Jump: the last {RECENT_SESSIONS} sessions vary more than {JUMP_RATIO} times as much as the "
    f"{EARLIER_SESSIONS} before. Break: {BREAK_SESSIONS} sessions or more. After jump and break: the first "
    f"{FIRST_SESSIONS} sessions."
)
"""What the names of the states mean."""

BoolMatrix = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StateCoverage:
    """Exceedances of the calibrated forecasts in a state.

    Attributes
    ----------
    state
        In words.
    forecast_count, exceedance_count
        Forecasts with a result, exceedances among them.
    low_ratio, high_ratio
        95 % interval of the rate, see `rate_interval`; ``None`` without a forecast.
    """

    state: str
    forecast_count: int
    exceedance_count: int
    low_ratio: float | None
    high_ratio: float | None


def coverage_by_state(history: FeaturePanel, forecasts: WalkForward) -> list[StateCoverage]:
    """Count the exceedances of what was forecast one step ahead, all and by state; none without any result."""
    outcome, issued = history.panel.total_pnl_usd[1:], forecasts.calibrated[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    if not is_scored.any():
        return []
    exceedances = is_scored & (outcome < issued)
    return [_counted(name, exceedances, is_scored & state) for name, state in _states(history, is_scored).items()]


def _counted(name: str, exceedances: BoolMatrix, chosen: BoolMatrix) -> StateCoverage:
    counts = chosen.sum(axis=1)
    exceeded = (exceedances & chosen).sum(axis=1)
    has_any = counts > 0
    interval = rate_interval(exceeded[has_any], counts[has_any]) if has_any.any() else (None, None)
    return StateCoverage(name, int(counts.sum()), int(exceeded.sum()), *interval)


def _states(history: FeaturePanel, is_scored: BoolMatrix) -> Mapping[str, BoolMatrix]:
    """Name the states; each is ``(n_sessions - 1, n_accounts)``, row t is about session t + 1."""
    recent = history.features[:-1, :, history.feature_names.index(VOLATILITY_FEATURE)]
    known = recent[is_scored & np.isfinite(recent)]
    low, high = np.quantile(known, (1 / 3, 2 / 3)).tolist() if known.size else (np.nan, np.nan)
    after_loss, after_jump, after_break = own_states(history.panel, history.scale)
    return {
        "All sessions": np.ones_like(is_scored),
        "After a large loss": after_loss,
        "Low volatility": recent <= low,
        "Middle volatility": (recent > low) & (recent <= high),
        "High volatility": recent > high,
        "After a jump of volatility": after_jump,
        "After a break": after_break,
    }


def own_states(panel: Panel, scale: FloatMatrix) -> tuple[BoolMatrix, BoolMatrix, BoolMatrix]:
    """Say which sessions follow a large loss, a jump of volatility or a break.

    Parameters
    ----------
    panel
        Daily results.
    scale
        Typical daily P&L after each session, ``(n_sessions, n_accounts)``, US dollars.

    Returns
    -------
    tuple
        Three matrices ``(n_sessions - 1, n_accounts)``: row t is about session t + 1 and false where it is not active.
    """
    after_loss, after_jump, after_break = (np.zeros(panel.is_active.shape, np.bool_) for _ in range(3))
    for account in range(len(panel.account_ids)):
        rows = np.flatnonzero(panel.is_active[:, account])
        if rows.size < 2:
            continue
        results = panel.total_pnl_usd[rows, account]
        is_large = results[1:] < -LARGE_LOSS_DAYS * scale[rows[1:] - 1, account]
        after_loss[rows[2:], account] = is_large[:-1]
        after_jump[rows[1:], account] = _within_first(_jumps(results))[:-1]
        after_break[rows[1:], account] = _within_first(np.diff(rows) > BREAK_SESSIONS)
    return after_loss[1:], after_jump[1:], after_break[1:]


def _jumps(results: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say after which results volatility has jumped and had not before."""
    count = RECENT_SESSIONS + EARLIER_SESSIONS
    is_above = np.zeros(len(results), np.bool_)
    for place in range(count, len(results) + 1):
        squares = results[place - count : place] ** 2
        earlier, recent = squares[:EARLIER_SESSIONS].mean(), squares[EARLIER_SESSIONS:].mean()
        is_above[place - 1] = recent > JUMP_RATIO**2 * earlier
    is_new: NDArray[np.bool_] = is_above & ~np.concatenate([[False], is_above[:-1]])
    return is_new


def _within_first(happened: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say where it happened or did within the places before, so that it is so for the first sessions."""
    counts = np.cumsum(np.concatenate([np.zeros(FIRST_SESSIONS, np.int64), happened]))
    within: NDArray[np.bool_] = counts[FIRST_SESSIONS:] > counts[:-FIRST_SESSIONS]
    return within
