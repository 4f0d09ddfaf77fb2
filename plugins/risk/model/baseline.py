"""The forecast that needs no fitted model: filtered history, calibrated.

It is issued and stored every morning and shown beside the model's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.model.calibration import calibrate
from risk.model.experts.filtered import filtered_quantiles
from risk.model.experts.historical import historical_quantiles
from risk.model.fitted import bounded
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale
from risk.model.sample import served

EXPERTS = ("historical", "filtered", "calibrated")


@dataclass(frozen=True, slots=True)
class Forecasts:
    """One-step-ahead forecasts: row t was issued after session t for the session after it.

    Attributes
    ----------
    historical, filtered, calibrated
        The 5 % quantile of total P&L, ``(n_sessions, n_accounts)``, US dollars, negative; NaN where an account has
        fewer than 5 active sessions, no scale above 0, no session within the last 30, or fewer than 20 residuals are
        pooled yet.
    calibration
        ``c`` of each row's forecasts, ``(n_sessions,)``: calibrated = filtered times e^c.
    """

    historical: FloatMatrix
    filtered: FloatMatrix
    calibrated: FloatMatrix
    calibration: NDArray[np.float64]


def walk_forward(panel: Panel, issued: FloatMatrix | None = None) -> Forecasts:
    """Forecast every session from the sessions before it.

    Parameters
    ----------
    panel
        The history.
    issued
        Calibrated forecasts issued earlier, ``(n_sessions, n_accounts)``, NaN = none: they count as they were
        issued, whatever has been restated since, for the calibration too.
    """
    pnl = panel.total_pnl_usd
    scale = ewma_scale(pnl, SCALE_DECAY)
    has_forecast = served(panel, scale)
    historical = np.where(has_forecast, bounded(historical_quantiles(pnl, scale), scale), np.nan)
    filtered = np.where(has_forecast, bounded(filtered_quantiles(pnl), scale), np.nan)
    calibrated, calibration = calibrate(pnl, filtered, np.full_like(pnl, np.nan) if issued is None else issued)
    return Forecasts(historical, filtered, calibrated, calibration)
