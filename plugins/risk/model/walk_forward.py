"""Forecasts of the past as they would have been issued: the walk-forward with weekly refits.

Beside it the baseline, which needs no fitted model: filtered history, calibrated. It is issued and stored
every morning.

The order of information is fixed. After session D: score the forecasts issued before D, update weights and
calibration, give D to the experts, forecast D + 1. Row t of every matrix was issued after session t.
"""

from __future__ import annotations

import datetime as dt
import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.model.experts import garch
from risk.model.experts.empirical import FILTER_DECAY, historical_quantiles, pooled_quantiles
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import PRIOR, Prior
from risk.model.fitted import (
    FITTED_EXPERTS,
    MINIMUM_PAIRS,
    MIXED_EXPERTS,
    SMALLEST_LOSS_SCALES,
    Model,
    fit_model,
    training_pairs,
)
from risk.model.mixture import calibrate, mix
from risk.model.panel import SCALE_DECAY, FeaturePanel, FloatMatrix, Panel, ewma_scale, has_forecast

MODEL = "model"
"""Name of the calibrated mixture: the forecast of the model."""

BASELINE = "calibrated"
"""Name of the calibrated ``filtered``: what is shown where no model forecasts."""

BASELINE_EXPERTS = ("historical", "filtered", BASELINE)

ProgressCallback = Callable[[float], None]
"""Called with the share of the sessions that has been forecast, 0 to 1."""


@dataclass(frozen=True, slots=True)
class WalkForward:
    """One-step-ahead forecasts of the 5 % quantile: row t was issued after session t for the session after it.

    Attributes
    ----------
    experts
        ``(n_experts, n_sessions, n_accounts)`` in the order of `names`, US dollars, negative; NaN where no forecast is
        issued. Before the first model the fitted experts repeat ``filtered``.
    mixture, calibrated
        ``(n_sessions, n_accounts)``, US dollars, negative.
    weights
        ``(n_sessions, n_experts)``, sums of 1.
    calibration
        ``c``, ``(n_sessions,)``: calibrated = mixture times e^c.
    first_model_row
        First row forecast by a fitted model; ``n_sessions`` = none.
    """

    experts: FloatMatrix
    mixture: FloatMatrix
    calibrated: FloatMatrix
    weights: FloatMatrix
    calibration: NDArray[np.float64]
    first_model_row: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the mixed experts: `MIXED_EXPERTS`, without the last one where there is no prior."""
        return MIXED_EXPERTS[: len(self.experts)]

    def expert(self, name: str) -> FloatMatrix:
        """Return one expert's forecasts."""
        expert: FloatMatrix = self.experts[self.names.index(name)]
        return expert

    def by_name(self) -> dict[str, FloatMatrix]:
        """Return what fitted models forecast, by the names under which it is stored.

        NaN before the first model: what is used in its place there is nobody's forecast.
        """
        is_fitted = np.arange(len(self.weights))[:, None] >= self.first_model_row
        named = {name: self.expert(name) for name in FITTED_EXPERTS}
        named |= {"mixture": self.mixture, MODEL: self.calibrated}
        return {name: np.where(is_fitted, quantiles, np.nan) for name, quantiles in named.items()}


def walk_forward(
    history: FeaturePanel,
    issued: Mapping[str, FloatMatrix] | None = None,
    seed: int = 0,
    first_row: int = 0,
    *,
    prior: Prior | None = None,
    on_progress: ProgressCallback | None = None,
) -> WalkForward:
    """Forecast every session from the sessions before it.

    Parameters
    ----------
    history
        The panel and its features.
    issued
        Forecasts issued earlier by expert, ``mixture`` or ``calibrated``, ``(n_sessions, n_accounts)``, NaN = none:
        they count as they were issued, whatever has been restated since.
    seed
        Of the trees' samples.
    first_row
        No model is fitted for weeks that end before this row: what was issued there is known.
    prior
        The expert from simulated desks; ``None`` = the mixture does without it, whatever it has issued.
    on_progress
        Called after each week.
    """
    issued = {} if issued is None else issued
    experts = unfitted_experts(history, prior, issued)
    session_count = len(history.panel.session_dates)
    first_model_row = session_count
    pooled_garch = PooledGarch().fit(history.panel.total_pnl_usd)
    for start, stop, model in _models(history, pooled_garch, seed, first_row):
        first_model_row = min(first_model_row, start)
        volatility = pooled_garch.predict(model.garch_coefficients)
        forecast_rows(history, model, volatility, slice(start, stop), experts)
        if on_progress is not None:
            on_progress(stop / session_count)
    return combine(history, experts, issued, first_model_row)


def forecast_next(
    history: FeaturePanel, model: Model, issued: Mapping[str, FloatMatrix], prior: Prior | None = None
) -> WalkForward:
    """Forecast every session after those a stored model has seen, the one after the panel's last among them.

    Nothing is fitted: a morning's work. Where an earlier session has no issued forecast of a fitted expert,
    ``filtered`` takes its place in the weights. Where it has none of the prior, which knows nothing of this desk, what
    today's prior makes of that session's features does.

    Parameters
    ----------
    history
        The panel and its features, those the model was checked against.
    model
        Trained on sessions before the panel's last.
    issued, prior
        As in `walk_forward`.
    """
    pnl = history.panel.total_pnl_usd
    experts = unfitted_experts(history, prior, issued)
    first_row = bisect_right(history.panel.session_dates, model.last_session_date)
    volatility = garch.volatilities(pnl, model.garch_coefficients)
    forecast_rows(history, model, volatility, slice(first_row, len(pnl)), experts)
    return combine(history, experts, issued, first_row)


def combine(
    history: FeaturePanel, experts: FloatMatrix, issued: Mapping[str, FloatMatrix], first_model_row: int
) -> WalkForward:
    """Mix and calibrate the experts from their own forecasts and outcomes, without any other state.

    Parameters
    ----------
    history
        The panel.
    experts
        ``(n_experts, n_sessions, n_accounts)``, US dollars.
    issued
        As in `walk_forward`.
    first_model_row
        First row forecast by a fitted model.
    """
    pnl = history.panel.total_pnl_usd
    nothing = np.full_like(pnl, np.nan)
    # Without a prior there are five rows: what it issued while it could be read does not count.
    counted = np.stack(
        [_kept(issued.get(name, nothing), quantiles) for name, quantiles in zip(MIXED_EXPERTS, experts, strict=False)]
    )
    mixture, weights = mix(pnl, history.scale, counted)
    mixture = _kept(issued.get("mixture", nothing), mixture)
    calibrated, calibration = calibrate(pnl, mixture, issued.get("calibrated", nothing))
    return WalkForward(counted, mixture, calibrated, weights, calibration, first_model_row)


def unfitted_experts(
    history: FeaturePanel, prior: Prior | None = None, issued: Mapping[str, FloatMatrix] | None = None
) -> FloatMatrix:
    """Forecast before any model: ``(n_experts, n_sessions, n_accounts)``, the fitted experts repeat ``filtered``.

    Without a prior it is no expert. Before 20 residuals are pooled, ``filtered`` is silent, and all experts with it.
    """
    simple = simple_forecasts(history.panel.total_pnl_usd, history.scale, history.has_forecast)
    if prior is not None:
        known = (issued or {}).get(PRIOR)
        simple[PRIOR] = prior_forecasts(history, prior, known)
    names = MIXED_EXPERTS if prior is not None else MIXED_EXPERTS[:-1]
    return np.stack([simple.get(name, simple["filtered"]) for name in names])


def prior_forecasts(history: FeaturePanel, prior: Prior, issued: FloatMatrix | None = None) -> FloatMatrix:
    """Forecast every session by the expert from simulated desks, from a trader's fifth session on.

    Parameters
    ----------
    history
        The panel and its features.
    prior
        The expert.
    issued
        What it has issued, ``(n_sessions, n_accounts)``, NaN = nothing: stays, and is not computed again.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, US dollars, negative; NaN where no forecast is issued.
    """
    forecasts = np.full_like(history.scale, np.nan) if issued is None else issued.copy()
    session, account = np.nonzero(history.has_forecast & ~np.isfinite(forecasts))
    scale = history.scale[session, account]
    quantiles = prior.predict(history.features[session, account], scale)
    forecasts[session, account] = np.minimum(quantiles, -SMALLEST_LOSS_SCALES * scale)
    return np.where(history.has_forecast, forecasts, np.nan)


def simple_forecasts(pnl: FloatMatrix, scale: FloatMatrix, has_forecast: NDArray[np.bool_]) -> dict[str, FloatMatrix]:
    """Forecast by the experts that need no fitting, by name, ``(n_sessions, n_accounts)`` as are all arguments."""
    quantiles = {
        "historical": historical_quantiles(pnl, scale),
        "filtered": pooled_quantiles(pnl, ewma_scale(pnl, FILTER_DECAY)),
    }
    smallest = -SMALLEST_LOSS_SCALES * scale
    return {name: np.where(has_forecast, np.minimum(values, smallest), np.nan) for name, values in quantiles.items()}


def refit_rows(session_dates: Sequence[dt.date]) -> list[int]:
    """List the first session of every week but the first, as positions.

    The model that forecasts from such a row on has seen the sessions before it: it is fitted that morning, when the
    forecast for that session has already been issued.
    """
    weeks = [day.isocalendar()[:2] for day in session_dates]
    return [number for number in range(1, len(weeks)) if weeks[number] != weeks[number - 1]]


def _models(
    history: FeaturePanel, pooled_garch: PooledGarch, seed: int, first_row: int
) -> Iterator[tuple[int, int, Model]]:
    dates = history.panel.session_dates
    pairs = training_pairs(history)
    for start, stop in itertools.pairwise([*refit_rows(dates), len(dates)]):
        if stop > first_row and len(pairs.through(start - 1).session) >= MINIMUM_PAIRS:
            yield start, stop, fit_model(history, pairs, start - 1, pooled_garch, seed)


def forecast_rows(
    history: FeaturePanel, model: Model, volatility: FloatMatrix, span: slice, experts: FloatMatrix
) -> None:
    """Write what a model forecasts after each session of a span into the matrices of the fitted experts.

    ``volatility`` is that of `garch.volatilities` under the model's coefficients.
    """
    session, account = np.nonzero(history.has_forecast[span])
    session = session + span.start
    if session.size == 0:
        return
    forecasts = model.predict(
        history.features[session, account],
        history.scale[session, account],
        volatility[session, account],
    )
    for name, quantiles in forecasts.items():
        experts[MIXED_EXPERTS.index(name), session, account] = quantiles


def _kept(issued: FloatMatrix, computed: FloatMatrix) -> FloatMatrix:
    return np.where(np.isfinite(issued), issued, computed)


@dataclass(frozen=True, slots=True)
class BaselineForecasts:
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


def baseline_forecasts(panel: Panel, issued: FloatMatrix | None = None) -> BaselineForecasts:
    """Forecast every session from the sessions before it, without a fitted model.

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
    simple = simple_forecasts(pnl, scale, has_forecast(panel, scale))
    nothing = np.full_like(pnl, np.nan)
    calibrated, calibration = calibrate(pnl, simple["filtered"], nothing if issued is None else issued)
    return BaselineForecasts(**simple, calibrated=calibrated, calibration=calibration)
