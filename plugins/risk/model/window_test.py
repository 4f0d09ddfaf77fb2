"""The 60-session test: how the model's loss compares with the rules' lately.

It is shown beside the bets and decides nothing: judged every morning, it would promote one worthless model in six at
some time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from risk.model.backtests import pinball_loss, resampled_sessions
from risk.model.panel import FloatMatrix

WINDOW_SESSIONS = 60
SMALLEST_IMPROVEMENT = 0.10
LARGEST_P_VALUE = 0.05
EXCEEDANCE_BOUNDS = (0.03, 0.08)


@dataclass(frozen=True, slots=True)
class WindowTest:
    """What the last 60 sessions with a scored forecast say.

    Attributes
    ----------
    session_count
        Sessions with a scored forecast in the window, at most 60.
    forecast_count
        Forecasts scored in it.
    improvement
        1 - model's loss over the rules' loss; NaN with fewer than 60 sessions.
    p_value
        Share of block resamples whose improvement is not positive; NaN with fewer.
    exceedance_rate
        Share of results below the model's forecast; NaN without any.
    """

    session_count: int
    forecast_count: int
    improvement: float
    p_value: float
    exceedance_rate: float

    @property
    def is_pass(self) -> bool:
        """Whether the improvement is above 10 %, unlikely to be chance, and 3 to 8 % of results fell below."""
        is_better = self.improvement > SMALLEST_IMPROVEMENT and self.p_value < LARGEST_P_VALUE
        return is_better and EXCEEDANCE_BOUNDS[0] <= self.exceedance_rate <= EXCEEDANCE_BOUNDS[1]


@dataclass(frozen=True, slots=True)
class SessionLosses:
    """Losses, exceedances and counts by session, those without a forecast left out; every array ``(n_scored,)``."""

    number: NDArray[np.int64]
    model_loss: NDArray[np.float64]
    rules_loss: NDArray[np.float64]
    exceedance_count: NDArray[np.int64]
    forecast_count: NDArray[np.int64]

    def test_after(self, row: int) -> WindowTest:
        """Test the window that ends with a session."""
        stop = int(np.searchsorted(self.number, row, side="right"))
        window = slice(max(stop - WINDOW_SESSIONS, 0), stop)
        model_loss, rules_loss = self.model_loss[window], self.rules_loss[window]
        count = int(self.forecast_count[window].sum())
        exceedance_rate = int(self.exceedance_count[window].sum()) / count if count else np.nan
        if len(model_loss) < WINDOW_SESSIONS:
            return WindowTest(len(model_loss), count, np.nan, np.nan, exceedance_rate)
        p_value = float(np.mean(_resample_counts() @ (rules_loss - model_loss) <= 0.0))
        total = rules_loss.sum()
        improvement = float(1.0 - model_loss.sum() / total) if total > 0.0 else 0.0
        return WindowTest(len(model_loss), count, improvement, p_value, exceedance_rate)


def session_losses(pnl: FloatMatrix, scale: FloatMatrix, model: FloatMatrix, rules: FloatMatrix) -> SessionLosses:
    """Sum both forecasts' losses in each session.

    Parameters
    ----------
    pnl, scale
        Results and own scales, ``(n_sessions, n_accounts)``, US dollars.
    model, rules
        One-step-ahead 5 % quantiles, ``(n_sessions, n_accounts)``, US dollars: row t was issued after session t. A cell
        counts where both are finite.
    """
    outcome = pnl[1:]
    is_scored = np.isfinite(outcome) & np.isfinite(model[:-1]) & np.isfinite(rules[:-1]) & (scale[:-1] > 0.0)
    count = np.count_nonzero(is_scored, axis=1)
    number = np.flatnonzero(count)
    model_loss, rules_loss = (
        np.array([_session_loss(outcome[row], scale[row], quantiles[row], is_scored[row]) for row in number])
        for quantiles in (model, rules)
    )
    exceedance_count = np.count_nonzero(is_scored & (outcome < model[:-1]), axis=1)
    return SessionLosses(number + 1, model_loss, rules_loss, exceedance_count[number], count[number])


def _session_loss(
    outcome: NDArray[np.float64], scale: NDArray[np.float64], quantile: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> float:
    errors = (outcome[chosen] - quantile[chosen]) / scale[chosen]
    return float(pinball_loss(errors, np.zeros_like(errors)).sum())


@cache
def _resample_counts() -> FloatMatrix:
    """Count how often each session of a full window appears in each resample, ``(n_resamples, 60)``."""
    chosen = resampled_sessions(WINDOW_SESSIONS)
    rows = np.repeat(np.arange(len(chosen)), WINDOW_SESSIONS)
    counts = np.zeros(chosen.shape)
    np.add.at(counts, (rows, chosen.ravel()), 1.0)
    return counts
