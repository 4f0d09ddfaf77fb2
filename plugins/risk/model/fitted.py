"""The fitted model: all that the experts have learned, and what they predict from it."""

from __future__ import annotations

import datetime as dt
import platform
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from risk.core.errors import ModelError
from risk.model.experts import boosted, garch
from risk.model.experts.ridge import Ridge, fit_ridge
from risk.model.panel import FloatMatrix, sorted_quantile
from risk.model.sample import FloatTensor, History, Sample

MIXED_EXPERTS = ("historical", "filtered", "log_scale_ridge", "boosted", "garch")
FITTED_EXPERTS = ("log_scale_ridge", "boosted", "garch")

MINIMUM_PAIRS = 200
"""Fewer pairs hold fewer than ten losses beyond the 5 % quantile: nothing to learn a tail from."""

LARGEST_PAIR_COUNT = 400_000
"""Of more pairs every k-th is learned from: 20,000 losses beyond the quantile tell all that small trees can hold."""

SMALLEST_LOSS_SCALES = 0.05
"""An expert never promises less than this loss, in own scales: a quantile of zero or above is no limit."""

LIBRARIES = ("numpy", "scikit-learn", "xgboost")


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model; `risk.model.artefact` turns it into text and back.

    Attributes
    ----------
    feature_names
        Inputs, in their order.
    first_session_date, last_session_date
        Training window: sessions of the oldest input and of the newest result.
    pair_count
        Pairs learned from.
    seed
        Of the trees' samples.
    versions
        (name, version) of Python (minor) and the libraries that fitted it.
    ridge, booster_json
        Experts ``log_scale_ridge`` and ``boosted``.
    garch_coefficients, garch_residual_quantile
        Expert ``garch``: (a, b), and the 5 % quantile of P&L over its volatility, negative.
    """

    feature_names: tuple[str, ...]
    first_session_date: dt.date
    last_session_date: dt.date
    pair_count: int
    seed: int
    versions: tuple[tuple[str, str], ...]
    ridge: Ridge
    booster_json: str
    garch_coefficients: tuple[float, float]
    garch_residual_quantile: float


def library_versions() -> tuple[tuple[str, str], ...]:
    """Name what a model's bytes depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("python", python), *((name, version(name)) for name in LIBRARIES))


def fit(history: History, sample: Sample, last_row: int, candidates: garch.Candidates, seed: int = 0) -> Model:
    """Fit every expert on what was known after a session.

    Parameters
    ----------
    history, sample
        The panel and all its pairs; later ones than ``last_row`` are not looked at.
    last_row
        The session, as a position in the panel.
    candidates
        Of the coefficients of ``garch`` on the panel.
    seed
        Of the trees' samples.

    Raises
    ------
    ModelError
        If there are fewer than 200 pairs.
    """
    known = sample.through(last_row)
    if len(known.session) < MINIMUM_PAIRS:
        raise ModelError(
            f"A model needs {MINIMUM_PAIRS} account-sessions with a forecast and a result, there are "
            f"{len(known.session)}: rules serve until more sessions are loaded."
        )
    learned = known.thinned(LARGEST_PAIR_COUNT)
    ridge, ratios = fit_ridge(learned, history.feature_names)
    dates = history.panel.session_dates
    return Model(
        feature_names=history.feature_names,
        first_session_date=dates[int(known.session[0])],
        last_session_date=dates[last_row],
        pair_count=len(learned.session),
        seed=seed,
        versions=library_versions(),
        ridge=ridge,
        booster_json=boosted.fit_booster(learned.inputs, ratios, seed),
        garch_coefficients=(best := candidates.best(last_row)),
        garch_residual_quantile=_residual_quantile(known, candidates.volatilities(best)),
    )


def predict(
    model: Model, inputs: FloatTensor, scale_usd: NDArray[np.float64], volatility_usd: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Predict the 5 % quantile of the next session by every fitted expert.

    Parameters
    ----------
    model
        The model.
    inputs
        Features after the session, ``(n_rows, n_features)``.
    scale_usd, volatility_usd
        ``s`` and the volatility of `garch.volatilities` under the model's coefficients after it, ``(n_rows,)``.

    Returns
    -------
    dict
        By expert, ``(n_rows,)``, US dollars, negative. Each row depends on its own inputs alone.
    """
    ridge_scale = np.exp(model.ridge.log_scales(inputs)) * scale_usd
    quantiles = {
        "log_scale_ridge": ridge_scale * model.ridge.residual_quantile,
        "boosted": ridge_scale * boosted.predict_ratios(model.booster_json, inputs),
        "garch": volatility_usd * model.garch_residual_quantile,
    }
    return {expert: bounded(quantile, scale_usd) for expert, quantile in quantiles.items()}


def bounded(quantiles: FloatMatrix, scale: FloatMatrix) -> FloatMatrix:
    """Keep quantiles at a loss of 0.05 own scales at least."""
    return np.minimum(quantiles, -SMALLEST_LOSS_SCALES * scale)


def _residual_quantile(known: Sample, volatility: FloatMatrix) -> float:
    residuals = known.pnl_usd / volatility[known.session, known.account]
    return sorted_quantile(np.sort(residuals[np.isfinite(residuals)]))
