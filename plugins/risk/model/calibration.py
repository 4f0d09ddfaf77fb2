"""Adaptive conformal calibration of the mixture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatMatrix

CALIBRATION_STEP = 0.2
CALIBRATION_FULL_COUNT = 10
CALIBRATION_BOUND = 1.0


def calibrate(pnl: FloatMatrix, quantiles: FloatMatrix, issued: FloatMatrix) -> tuple[FloatMatrix, NDArray[np.float64]]:
    """Widen or narrow the forecasts by what share of the earlier ones was breached.

    Notes
    -----
    With n accounts scored in a session and breach share b of their calibrated forecasts:
    ``c <- clip(c + 0.2 (b - 0.05) min(1, n / 10), -1, 1)``, calibrated = quantile times e^c.
    Source: Gibbs and Candes (2021), "Adaptive Conformal Inference Under Distribution Shift", eq. 2, on the logarithm
    of the loss in place of the level, so that a small desk can be tracked too.

    Parameters
    ----------
    pnl, quantiles, issued
        ``(n_sessions, n_accounts)``, US dollars; a finite cell of ``issued`` takes the place of the computed one.

    Returns
    -------
    tuple
        The calibrated forecasts, ``(n_sessions, n_accounts)``, and ``c`` of each row's, ``(n_sessions,)``.
    """
    calibrated = issued.copy()
    factors = np.zeros(len(pnl))
    factor = 0.0
    for number, outcome in enumerate(pnl):
        if number:
            factor = _tracked(factor, outcome, calibrated[number - 1])
        factors[number] = factor
        computed = quantiles[number] * np.exp(factor)
        calibrated[number] = np.where(np.isfinite(issued[number]), issued[number], computed)
    return calibrated, factors


def _tracked(factor: float, outcome: NDArray[np.float64], issued: NDArray[np.float64]) -> float:
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    count = int(np.count_nonzero(is_scored))
    if count == 0:
        return factor
    breach_share = np.count_nonzero(outcome[is_scored] < issued[is_scored]) / count
    step = CALIBRATION_STEP * (breach_share - TAIL_PROBABILITY) * min(1.0, count / CALIBRATION_FULL_COUNT)
    return float(np.clip(factor + step, -CALIBRATION_BOUND, CALIBRATION_BOUND))
