"""The fitted model: the pairs it learns from, all that the experts have learned, and what they predict from it."""

from __future__ import annotations

import datetime as dt
import platform
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from risk.core.errors import ModelError
from risk.model.experts.boosted import BoostedQuantile, predict_ratios
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import PRIOR
from risk.model.experts.ridge import LogScaleRidge, RidgeCoefficients
from risk.model.panel import FeaturePanel, FloatTensor, sorted_quantile

MIXED_EXPERTS = ("historical", "filtered", "log_scale_ridge", "boosted", "garch", PRIOR)
"""The prior is the last one: where its file cannot be used, the mixture is that of the five before it."""

FITTED_EXPERTS = ("log_scale_ridge", "boosted", "garch")

MINIMUM_PAIRS = 200
"""Fewer pairs hold fewer than ten losses beyond the 5 % quantile: nothing to learn a tail from."""

LARGEST_PAIR_COUNT = 400_000
"""Of more pairs every k-th is learned from: 20,000 losses beyond the quantile are all that small trees can hold."""

SMALLEST_LOSS_SCALES = 0.05
"""An expert never promises less than this loss, in own scales: a quantile of zero or above is no limit."""

LIBRARIES = ("numpy", "scikit-learn", "xgboost")


@dataclass(frozen=True, slots=True)
class TrainingPairs:
    """Pairs of what was known after session t and what session t + 1 brought, sorted by session, then account.

    Attributes
    ----------
    session, account
        Positions (t, account) in the panel, ``(n_pairs,)``.
    inputs
        Features, ``(n_pairs, n_features)`` float32.
    pnl_usd, scale_usd
        P&L of session t + 1 and scale after session t, ``(n_pairs,)``, US dollars.
    """

    session: NDArray[np.int64]
    account: NDArray[np.int64]
    inputs: FloatTensor
    pnl_usd: NDArray[np.float64]
    scale_usd: NDArray[np.float64]

    @property
    def z(self) -> NDArray[np.float64]:
        """P&L in own scales, ``(n_pairs,)``."""
        return self.pnl_usd / self.scale_usd

    def through(self, last_row: int) -> TrainingPairs:
        """Return the pairs whose result was known after session ``last_row``."""
        count = int(np.searchsorted(self.session, last_row, side="left"))
        return self._part(slice(count))

    def thinned(self, largest_count: int) -> TrainingPairs:
        """Return every k-th pair, with the smallest k that leaves no more than ``largest_count``."""
        step = max(-(-len(self.session) // largest_count), 1)
        return self if step == 1 else self._part(slice(None, None, step))

    def _part(self, chosen: slice) -> TrainingPairs:
        return TrainingPairs(
            self.session[chosen],
            self.account[chosen],
            np.ascontiguousarray(self.inputs[chosen]),
            self.pnl_usd[chosen],
            self.scale_usd[chosen],
        )


def training_pairs(history: FeaturePanel) -> TrainingPairs:
    """Pair every issued forecast's inputs with the result that followed."""
    pnl = history.panel.total_pnl_usd
    session, account = np.nonzero(history.has_forecast[:-1] & np.isfinite(pnl[1:]))
    return TrainingPairs(
        session,
        account,
        # One pair after the other: what XGBoost reads without a copy.
        np.ascontiguousarray(history.features[session, account]),
        pnl[session + 1, account],
        history.scale[session, account],
    )


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
    ridge: RidgeCoefficients
    booster_json: str
    garch_coefficients: tuple[float, float]
    garch_residual_quantile: float

    def predict(
        self, inputs: FloatTensor, scale_usd: NDArray[np.float64], volatility_usd: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Predict the 5 % quantile of the next session by every fitted expert.

        Parameters
        ----------
        inputs
            Features after the session, ``(n_rows, n_features)``.
        scale_usd, volatility_usd
            ``s`` and the volatility of `garch.volatilities` under the model's coefficients after it, ``(n_rows,)``.

        Returns
        -------
        dict
            By expert, ``(n_rows,)``, US dollars, negative. Each row depends on its own inputs alone.
        """
        ridge_scale = np.exp(self.ridge.log_scales(inputs)) * scale_usd
        quantiles = {
            "log_scale_ridge": ridge_scale * self.ridge.residual_quantile,
            "boosted": ridge_scale * predict_ratios(self.booster_json, inputs),
            "garch": volatility_usd * self.garch_residual_quantile,
        }
        smallest = -SMALLEST_LOSS_SCALES * scale_usd
        return {expert: np.minimum(quantile, smallest) for expert, quantile in quantiles.items()}


def library_versions() -> tuple[tuple[str, str], ...]:
    """Name what a model's bytes depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (("python", python), *((name, version(name)) for name in LIBRARIES))


def fit_model(history: FeaturePanel, pairs: TrainingPairs, last_row: int, garch: PooledGarch, seed: int = 0) -> Model:
    """Fit every expert on what was known after a session.

    Parameters
    ----------
    history, pairs
        The panel and all its pairs; later ones than ``last_row`` are not looked at.
    last_row
        The session, as a position in the panel.
    garch
        Fitted on the panel.
    seed
        Of the trees' samples.

    Raises
    ------
    ModelError
        If there are fewer than 200 pairs.
    """
    known = pairs.through(last_row)
    if len(known.session) < MINIMUM_PAIRS:
        raise ModelError(
            f"A model needs {MINIMUM_PAIRS} account-sessions with a forecast and a result, there are "
            f"{len(known.session)}. Rule-based limits apply until more sessions are loaded."
        )
    learned = known.thinned(LARGEST_PAIR_COUNT)
    ridge = LogScaleRidge(history.feature_names).fit(learned.inputs, learned.z)
    coefficients = garch.coefficients_after(last_row)
    residuals = known.pnl_usd / garch.predict(coefficients)[known.session, known.account]
    dates = history.panel.session_dates
    return Model(
        feature_names=history.feature_names,
        first_session_date=dates[int(known.session[0])],
        last_session_date=dates[last_row],
        pair_count=len(learned.session),
        seed=seed,
        versions=library_versions(),
        ridge=ridge.coefficients_,
        booster_json=BoostedQuantile(seed).fit(learned.inputs, ridge.residual_ratios_).booster_json_,
        garch_coefficients=coefficients,
        garch_residual_quantile=sorted_quantile(np.sort(residuals[np.isfinite(residuals)])),
    )
