"""Forecasts of the 5 % quantile of each account's next P&L: experts, their mixture, its calibration."""

from __future__ import annotations

from risk.forecast.baseline import EXPERTS, Forecasts, walk_forward
from risk.forecast.calibration import calibrate
from risk.forecast.mixture import pinball_loss
from risk.forecast.model import FITTED_EXPERTS, MIXED_EXPERTS, Model, fit, predict
from risk.forecast.quantile import sorted_quantile
from risk.forecast.reconstruction import Reconstruction, forecast_next, reconstruct
from risk.forecast.sample import History, history_of, sample_of
from risk.forecast.store import store_forecasts

__all__ = [
    "EXPERTS",
    "FITTED_EXPERTS",
    "MIXED_EXPERTS",
    "Forecasts",
    "History",
    "Model",
    "Reconstruction",
    "calibrate",
    "fit",
    "forecast_next",
    "history_of",
    "pinball_loss",
    "predict",
    "reconstruct",
    "sample_of",
    "sorted_quantile",
    "store_forecasts",
    "walk_forward",
]
