"""Forecasts of the 5 % quantile of each account's next P&L: experts, their mixture, its calibration."""

from __future__ import annotations

from risk.forecast.baseline import EXPERTS, Forecasts, walk_forward
from risk.forecast.calibration import calibrate
from risk.forecast.mixture import pinball_loss
from risk.forecast.model import FITTED_EXPERTS, MIXED_EXPERTS, Model, fit, predict
from risk.forecast.reconstruction import MODEL, Reconstruction, forecast_next, reconstruct
from risk.forecast.sample import History, history_of, sample_of
from risk.forecast.store import STORED_EXPERTS, insert_forecasts, read_issued, unissued
from risk.forecast.versions import Standing, read_model

__all__ = [
    "EXPERTS",
    "FITTED_EXPERTS",
    "MIXED_EXPERTS",
    "MODEL",
    "STORED_EXPERTS",
    "Forecasts",
    "History",
    "Model",
    "Reconstruction",
    "Standing",
    "calibrate",
    "fit",
    "forecast_next",
    "history_of",
    "insert_forecasts",
    "pinball_loss",
    "predict",
    "read_issued",
    "read_model",
    "reconstruct",
    "sample_of",
    "unissued",
    "walk_forward",
]
