"""Leaks planted on purpose: each replaces one step of the pipeline by one that knows the future."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.model import mixture
from risk.model.backtests import pinball_loss
from risk.model.build_features import build_features
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import PRIOR, PRIOR_FILE, load_prior
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS, fit_model, training_pairs
from risk.model.gate import CutFunctions, GateInputs, PlacedBets, placed_bets, rules_quantiles
from risk.model.leakage import Issued, Pipeline
from risk.model.mixture import calibrate, mix
from risk.model.panel import SCALE_DECAY, FeaturePanel, FloatMatrix, Panel, ewma_scale, feature_panel
from risk.model.train import MID_WEEK
from risk.model.walk_forward import (
    WalkForward,
    combine,
    forecast_rows,
    prior_forecasts,
    refit_rows,
    unfitted_experts,
    walk_forward,
)
from tests.policies import CUT_FUNCTIONS

Matrix = NDArray[np.float32]
RULES, MODEL_CUTS = CUT_FUNCTIONS.by_rules, CUT_FUNCTIONS.by_model
SHIPPED = load_prior(PRIOR_FILE.read_text(), LEARNED_NAMES)


def _next(values: NDArray[Any]) -> NDArray[Any]:
    """Give each row what the next one knows."""
    return np.concatenate([values[1:], values[-1:]])


def _matrix(features: pd.DataFrame, panel: Panel, name: str) -> Matrix:
    return features[name].to_numpy().reshape(panel.total_pnl_usd.shape)


def _feature(name: str, change: Callable[[Panel, Matrix], NDArray[Any]]) -> Pipeline:
    """Replace one feature by a function of the panel and its right values."""

    def features(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
        right = build_features(panel, effective_session)
        return right.assign(**{name: change(panel, _matrix(right, panel, name)).astype(np.float32).ravel()})

    return Pipeline(CUT_FUNCTIONS, features=features)


def _early(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
    """Give each account-session what the next one knows."""
    right = build_features(panel, effective_session)
    return right.groupby("account_id", sort=False).shift(-1).fillna(right)


def _ranks(values: Matrix) -> NDArray[np.float64]:
    return np.searchsorted(np.sort(values[np.isfinite(values)]), values).astype(float)


def _mean(values: FloatMatrix) -> FloatMatrix:
    return np.broadcast_to(np.nanmean(values, axis=0), values.shape)


def _mean_share(panel: Panel) -> FloatMatrix:
    return _mean(panel.adds_to_loser_count / panel.fill_count)


def _calendar_day(panel: Panel, values: Matrix) -> Matrix:
    """Take what is known at the end of the next calendar day, which on most days is a session."""
    days = np.array(panel.session_dates, dtype="datetime64[D]")
    return values[np.searchsorted(days, days + np.timedelta64(1, "D"), side="right") - 1]


def _backward_filled(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
    pnl = panel.total_pnl_usd.copy()
    for row in range(len(pnl) - 2, -1, -1):
        pnl[row] = np.where(np.isfinite(pnl[row]), pnl[row], pnl[row + 1])
    return build_features(dataclasses.replace(panel, total_pnl_usd=pnl), effective_session)


def _survivors(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
    right = build_features(panel, effective_session)
    survives = np.broadcast_to(panel.is_active[-3:].any(axis=0), panel.total_pnl_usd.shape)
    return right.where(pd.Series(survives.ravel(), index=right.index), axis=0)


def _imputed(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
    right = build_features(panel, effective_session)
    return right.fillna(right.mean()).astype(np.float32)


def _history(change: Callable[[FeaturePanel], dict[str, Any]]) -> Pipeline:
    def history(panel: Panel, features: pd.DataFrame, names: tuple[str, ...]) -> FeaturePanel:
        right = feature_panel(panel, features, names)
        return dataclasses.replace(right, **change(right))

    return Pipeline(CUT_FUNCTIONS, history=history)


def _deviation(panel: Panel) -> FloatMatrix:
    return np.broadcast_to(np.nanstd(panel.total_pnl_usd, axis=0), panel.total_pnl_usd.shape)


def _forecasts(change: Callable[[FeaturePanel, WalkForward], WalkForward]) -> Pipeline:
    def forecasts(history: FeaturePanel, issued: Issued, seed: int, first_row: int) -> WalkForward:
        return change(history, walk_forward(history, issued, seed, first_row, prior=SHIPPED))

    return Pipeline(CUT_FUNCTIONS, forecasts=forecasts)


def _with_expert(right: WalkForward, name: str, quantiles: FloatMatrix) -> WalkForward:
    experts = right.experts.copy()
    experts[MIXED_EXPERTS.index(name)] = np.where(np.isfinite(right.mixture), quantiles, np.nan)
    return dataclasses.replace(right, experts=experts)


def _all_data_historical(history: FeaturePanel, right: WalkForward) -> WalkForward:
    quantiles = np.nanquantile(history.panel.total_pnl_usd, 0.05, axis=0)
    return _with_expert(right, "historical", np.broadcast_to(quantiles, right.mixture.shape))


def _all_data_filtered(history: FeaturePanel, right: WalkForward) -> WalkForward:
    ratios = history.panel.total_pnl_usd[1:] / history.scale[:-1]
    return _with_expert(right, "filtered", float(np.nanquantile(ratios, 0.05)) * history.scale)


def _all_data_level(history: FeaturePanel, right: WalkForward) -> WalkForward:
    return _with_expert(right, "garch", right.expert("garch") + np.nanstd(history.panel.total_pnl_usd) * -0.01)


def _early_prior(history: FeaturePanel, right: WalkForward) -> WalkForward:
    features = np.concatenate([history.features[1:], history.features[-1:]])
    early = prior_forecasts(dataclasses.replace(history, features=features), SHIPPED)
    return _with_expert(right, PRIOR, early)


def _refitted(last_row: Callable[[int, int], int]) -> Pipeline:
    """Fit each week's model on the rows up to ``last_row(start, n_sessions)``."""

    def forecasts(history: FeaturePanel, issued: Issued, seed: int, first_row: int) -> WalkForward:
        count = len(history.panel.session_dates)
        experts = unfitted_experts(history)
        pairs = training_pairs(history)
        pooled_garch = PooledGarch().fit(history.panel.total_pnl_usd)
        for start, stop in itertools.pairwise([*refit_rows(history.panel.session_dates), count]):
            if stop > first_row and len(pairs.through(start - 1).session) >= 200:
                model = fit_model(history, pairs, min(last_row(start, count), count - 1), pooled_garch, seed)
                volatility = pooled_garch.predict(model.garch_coefficients)
                forecast_rows(history, model, volatility, slice(start, stop), experts)
        return combine(history, experts, issued, 0)

    return Pipeline(CUT_FUNCTIONS, forecasts=forecasts)


def _knowing_weights(history: FeaturePanel, right: WalkForward) -> WalkForward:
    # Row t - 1 is scored with the result of session t + 1.
    _, weights = mix(_next(history.panel.total_pnl_usd), history.scale, right.experts)
    return dataclasses.replace(right, weights=weights)


def _hindsight_mixture(history: FeaturePanel, right: WalkForward) -> WalkForward:
    losses = [
        np.nansum(pinball_loss(history.panel.total_pnl_usd[1:], expert[:-1]) / history.scale[:-1])
        for expert in right.experts
    ]
    return dataclasses.replace(right, mixture=right.experts[int(np.argmin(losses))] * (min(losses) / max(losses)))


def _knowing_calibration(history: FeaturePanel, right: WalkForward) -> WalkForward:
    nothing = np.full_like(right.mixture, np.nan)
    outcome = _next(history.panel.total_pnl_usd)
    # Scored one session early: the forecasts of row t - 1 with the result of row t + 1.
    _, factors = calibrate(outcome, right.mixture, nothing)
    return dataclasses.replace(right, calibration=factors)


def _full_coverage(history: FeaturePanel, right: WalkForward) -> WalkForward:
    ratios = history.panel.total_pnl_usd[1:] / -right.mixture[:-1]
    return dataclasses.replace(right, calibrated=right.mixture * -float(np.nanquantile(ratios, 0.05)))


def _all_data_baseline(pnl: FloatMatrix, historical: FloatMatrix, cuts: FloatMatrix) -> FloatMatrix:
    right = rules_quantiles(pnl, historical, cuts)
    return np.where(np.isfinite(right), historical * -np.nanquantile(pnl[1:] / -historical[:-1], 0.05), np.nan)


def _early_gate(inputs: GateInputs) -> PlacedBets:
    return {row - 1: bets for row, bets in placed_bets(inputs).items()}


def _final_gate(inputs: GateInputs) -> PlacedBets:
    placed = placed_bets(inputs)
    return dict.fromkeys(range(len(inputs.pnl)), placed[max(placed)]) if placed else {}


def _all_data_median(panel: Panel, calibrated: FloatMatrix, _first_row: int) -> FloatMatrix:
    return np.clip(1.0 + np.nanmedian(-calibrated, axis=0) / calibrated, 0.0, 0.8)


def _in_mid_week(panel: Panel, values: Matrix) -> Matrix:
    """Take what the next session knows on Tuesday, Wednesday and Thursday, what is known on Monday and Friday."""
    is_mid_week = np.array([day.weekday() in MID_WEEK for day in panel.session_dates])
    return np.where(is_mid_week[:, None], _next(values), values)


def _before_large_losses(panel: Panel, values: Matrix) -> Matrix:
    following = _next(panel.total_pnl_usd)
    following[-1] = np.nan
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    return np.where(following < -1.5 * scale, values + 100.0, values)


def _leavers_marked(panel: Panel, values: Matrix) -> Matrix:
    return np.where(panel.is_active[-10:].any(axis=0), values, -1.0)


def _late_deviation(panel: Panel, scale: FloatMatrix) -> FloatMatrix:
    is_late = np.arange(len(scale)) >= 0.9 * len(scale)
    return np.where(is_late[:, None], _deviation(panel), scale)


def _total_loss(history: FeaturePanel, quantiles: FloatMatrix) -> float:
    losses = pinball_loss(history.panel.total_pnl_usd[1:], quantiles[:-1]) / history.scale[:-1]
    return float(np.nansum(losses))


def _best_seed(history: FeaturePanel, issued: Issued, seed: int, first_row: int) -> WalkForward:
    """Walk with the seed whose trees did best in the last weeks of all there is."""
    last = max(len(history.panel.session_dates) - 12, 0)
    walks = [walk_forward(history, issued, seed + number, last) for number in range(3)]
    losses = [_total_loss(history, walk.expert("boosted")) for walk in walks]
    return walk_forward(history, issued, seed + int(np.argmin(losses)), first_row)


def _best_step(history: FeaturePanel, right: WalkForward) -> WalkForward:
    """Calibrate with the step that does best on all data."""
    pnl, nothing = history.panel.total_pnl_usd, np.full_like(right.mixture, np.nan)
    tried = []
    for step in np.linspace(0.02, 0.6, 59):
        with mock.patch.object(mixture, "CALIBRATION_STEP", float(step)):
            tried.append(calibrate(pnl, right.mixture, nothing))
    calibrated, factors = min(tried, key=lambda one: _total_loss(history, one[0]))
    return dataclasses.replace(right, calibrated=calibrated, calibration=factors)


LEAKS: dict[str, tuple[str, Pipeline]] = {
    "every feature one session early": (
        "last_z",
        Pipeline(CUT_FUNCTIONS, features=_early),
    ),
    "same-session result of another trader": (
        "last_z",
        _feature("last_z", lambda _, values: np.roll(_next(values), 1, axis=1)),
    ),
    "result in scales of the full sample": (
        "mean_z_20",
        _feature("mean_z_20", lambda panel, values: values / _deviation(panel)),
    ),
    "missing features filled with the mean of all sessions": (
        "scale_ratio_5_20",
        Pipeline(CUT_FUNCTIONS, features=_imputed),
    ),
    "rank among all sessions": ("drawdown", _feature("drawdown", lambda _, values: _ranks(values))),
    "centered window": (
        "volatility_ratio_4",
        _feature("volatility_ratio_4", lambda _, values: (values + _next(values)) / 2),
    ),
    "market of the session forecast": ("market_mean_z", _feature("market_mean_z", lambda _, values: _next(values))),
    "outliers cut at a quantile of all sessions": (
        "worst_z_20",
        _feature("worst_z_20", lambda _, values: np.maximum(values, np.nanquantile(values, 0.4))),
    ),
    "account encoded by its mean result": (
        "fees_per_turnover",
        _feature(
            "fees_per_turnover",
            lambda panel, values: values * 0 + np.nanmean(panel.total_pnl_usd, axis=0) / np.nanmax(panel.total_pnl_usd),
        ),
    ),
    "days until the account trades next": (
        "sessions_absent",
        _feature("sessions_absent", lambda panel, values: np.where(_next(panel.is_active), values, values + 1)),
    ),
    "fills of the session forecast": (
        "enlarging_share_0",
        _feature(
            "enlarging_share_0",
            lambda panel, _: _next(panel.adds_to_loser_count / panel.fill_count),
        ),
    ),
    "habit of averaging down over all sessions": (
        "enlarging_share_3",
        _feature("enlarging_share_3", lambda panel, values: values - _mean_share(panel)),
    ),
    "first hour of the session forecast": (
        "early_pnl_share",
        _feature("early_pnl_share", lambda _, values: _next(values)),
    ),
    "last hour over the result of the session forecast": (
        "late_pnl_share",
        _feature("late_pnl_share", lambda panel, _: panel.late_pnl_usd / np.abs(_next(panel.total_pnl_usd))),
    ),
    "holding time against the norm of all sessions": (
        "holding_against_norm",
        _feature(
            "holding_against_norm",
            lambda panel, _: panel.holding_seconds / _mean(panel.holding_seconds),
        ),
    ),
    "concentration smoothed over the sessions around": (
        "symbol_concentration",
        _feature("symbol_concentration", lambda _, values: (values + _next(values)) / 2),
    ),
    "positions still open the morning after": (
        "overnight_exposure",
        _feature("overnight_exposure", lambda panel, _: _next(panel.overnight_usd) / panel.turnover_usd),
    ),
    "missing sessions filled from the next": ("last_z", Pipeline(CUT_FUNCTIONS, features=_backward_filled)),
    "calendar day for session": ("last_z", _feature("last_z", _calendar_day)),
    "one session ahead in mid-week only": ("last_z", _feature("last_z", _in_mid_week)),
    "flag before large losses": ("loss_streak", _feature("loss_streak", _before_large_losses)),
    "leavers marked": ("sessions_absent", _feature("sessions_absent", _leavers_marked)),
    "survivors only": ("last_z", Pipeline(CUT_FUNCTIONS, features=_survivors)),
    "traders counted over all history": (
        "market_active_count",
        _feature("market_active_count", lambda panel, values: values * 0 + panel.is_active.sum()),
    ),
    "spread of the full sample as scale": ("scale", _history(lambda right: {"scale": _deviation(right.panel)})),
    "scale that includes the session forecast": ("scale", _history(lambda right: {"scale": _next(right.scale)})),
    "spread of the full sample as scale, late only": (
        "scale",
        _history(lambda right: {"scale": _late_deviation(right.panel, right.scale)}),
    ),
    "forecast only for who will trade": (
        "has_forecast",
        _history(lambda right: {"has_forecast": right.has_forecast & _next(right.panel.is_active)}),
    ),
    "rules of the session forecast": (
        "rules_cut_ratio",
        Pipeline(CutFunctions(lambda panel, scale, row: _next(RULES(panel, scale, row)), MODEL_CUTS)),
    ),
    "rules in scales of the full sample": (
        "rules_cut_ratio",
        Pipeline(CutFunctions(lambda panel, _, row: RULES(panel, _deviation(panel) / 4, row), MODEL_CUTS)),
    ),
    "historical quantile over all data": ("historical", _forecasts(_all_data_historical)),
    "filtered residuals of all data": ("filtered", _forecasts(_all_data_filtered)),
    "prior fed by the session it forecasts": ("prior", _forecasts(_early_prior)),
    "one model for all sessions": ("log_scale_ridge", _refitted(lambda _, count: count - 1)),
    "refit including the scored session": ("log_scale_ridge", _refitted(lambda start, _: start + 3)),
    "random seed chosen on all data": ("boosted", Pipeline(CUT_FUNCTIONS, forecasts=_best_seed)),
    "volatility targeted at the full sample": ("garch", _forecasts(_all_data_level)),
    "weights that know the outcome": ("weights", _forecasts(_knowing_weights)),
    "mixture chosen in hindsight": ("mixture", _forecasts(_hindsight_mixture)),
    "calibration that knows the outcome": ("calibration", _forecasts(_knowing_calibration)),
    "conformal step tuned on all data": ("calibrated", _forecasts(_best_step)),
    "coverage of the full sample": ("calibrated", _forecasts(_full_coverage)),
    "baseline over all data": ("rules_quantile", Pipeline(CUT_FUNCTIONS, baseline=_all_data_baseline)),
    "gate one session early": ("gate_bet", Pipeline(CUT_FUNCTIONS, gate=_early_gate)),
    "last verdict for all sessions": ("gate_bet", Pipeline(CUT_FUNCTIONS, gate=_final_gate)),
    "median of all forecasts": ("model_cut_ratio", Pipeline(CutFunctions(RULES, _all_data_median))),
}
"""By name: the first output that must give it away, and the pipeline it is planted in."""
