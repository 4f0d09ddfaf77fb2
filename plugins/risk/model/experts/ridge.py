"""Expert ``log_scale_ridge``: a linear model of how large tomorrow's result will be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from risk.model.panel import FloatMatrix, FloatTensor, sorted_quantile

PENALTY = 50.0
"""Weight of the squared coefficients, of standardized inputs, against the sum of squared errors."""

LARGEST_DEVIATION = 4.0
"""An input counts as at most so many standard deviations: a linear model must not extrapolate an outlier."""

SMALLEST_Z = 0.1
"""Added to abs(z) before its logarithm: how far below a tenth of the usual a result was says nothing of the tail."""

LOGARITHMIC = ("_ratio_", "_against_norm")
"""Parts of the names of ratios to a norm: half and double are equally far from it."""

SMALLEST_RATIO = 0.02

Logarithm = Callable[[FloatMatrix], FloatMatrix]
"""Natural logarithm of each element; numpy's differs in the last bit between processors."""


@dataclass(frozen=True, slots=True)
class RidgeCoefficients:
    """A fitted expert as it is stored, with a predict of its own that adds in a fixed order.

    Attributes
    ----------
    is_logarithmic, center, spread
        How each input is standardized, ``n_features`` each; a missing input counts as the center.
    coefficients, intercept
        ``log(abs(z) + 0.1) = intercept + sum of coefficient times standardized input``.
    residual_quantile
        5 % quantile of z over its modeled scale, negative.
    """

    is_logarithmic: tuple[bool, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    residual_quantile: float

    def terms(self, inputs: FloatTensor, logarithm: Logarithm = np.log) -> FloatMatrix:
        """Return each input's share of the log scale, ``(n_rows, n_features)``."""
        values = (_logarithms(inputs, self.is_logarithmic, logarithm) - np.array(self.center)) / np.array(self.spread)
        standardized = _clipped(np.where(np.isfinite(values), values, 0.0))
        terms: FloatMatrix = standardized * np.array(self.coefficients)
        return terms

    def log_scales(self, inputs: FloatTensor, logarithm: Logarithm = np.log) -> NDArray[np.float64]:
        """Return the modeled log of ``abs(z) + 0.1``, ``(n_rows,)``."""
        total = np.full(len(inputs), self.intercept)
        # Added one after the other: a matrix product rounds by the number of rows, accounts yet to come included.
        for term in self.terms(inputs, logarithm).T:
            total += term
        return total


class LogScaleRidge(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Ridge regression of the log size of a result; predicts its 5 % quantile in own scales.

    Notes
    -----
    Source: Corsi (2009), "A Simple Approximate Long-Memory Model of Realized Volatility", eq. 8, in logarithms; Hoerl
    and Kennard (1970), "Ridge Regression".

    Inputs are scaled before missing ones are imputed, so that a column's spread is that of its known values; what is
    missing then counts as the mean.

    Parameters
    ----------
    feature_names
        Names of the inputs.

    Attributes
    ----------
    pipeline_
        From inputs to the log scale.
    residual_ratios_
        z over its modeled scale for each pair, ``(n_pairs,)``.
    coefficients_
        What is stored and predicts.
    """

    def __init__(self, feature_names: Sequence[str]) -> None:
        self.feature_names = feature_names

    def fit(self, inputs: FloatTensor, z: NDArray[np.float64]) -> Self:
        """Fit the log scale and the quantile of what is left.

        Parameters
        ----------
        inputs
            ``(n_pairs, n_features)``, NaN = missing; at least one pair.
        z
            Results in own scales, ``(n_pairs,)``.
        """
        is_logarithmic = tuple(any(part in name for part in LOGARITHMIC) for name in self.feature_names)
        preparation = Pipeline(
            [
                ("logarithm", FunctionTransformer(partial(_logarithms, is_logarithmic=is_logarithmic))),
                ("scale", StandardScaler()),
                ("impute", SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)),
                ("clip", FunctionTransformer(_clipped)),
            ]
        )
        # A column that is never known has neither mean nor spread, which the scaler divides by.
        with np.errstate(invalid="ignore"):
            standardized = preparation.fit_transform(inputs)
        # Prepared once, for the fit and the residuals: a walk-forward fits every week.
        ridge = Ridge(alpha=PENALTY, solver="cholesky").fit(standardized, np.log(np.abs(z) + SMALLEST_Z))
        self.pipeline_ = Pipeline([*preparation.steps, ("ridge", ridge)])
        self.residual_ratios_ = z / np.exp(ridge.predict(standardized))
        scaler = preparation["scale"]
        self.coefficients_ = RidgeCoefficients(
            is_logarithmic=is_logarithmic,
            center=_numbers(np.nan_to_num(scaler.mean_, nan=0.0)),
            spread=_numbers(np.nan_to_num(scaler.scale_, nan=1.0)),
            coefficients=_numbers(ridge.coef_),
            intercept=float(ridge.intercept_),
            residual_quantile=sorted_quantile(np.sort(self.residual_ratios_)),
        )
        return self

    def predict(self, inputs: FloatTensor) -> NDArray[np.float64]:
        """Predict the 5 % quantile of z, ``(n_rows,)``, negative."""
        scales: NDArray[np.float64] = np.exp(self.coefficients_.log_scales(inputs))
        return scales * self.coefficients_.residual_quantile


def _logarithms(inputs: FloatTensor, is_logarithmic: Sequence[bool], logarithm: Logarithm = np.log) -> FloatMatrix:
    """Take the logarithm of the inputs that are ratios to a norm; what is not finite is missing."""
    values = np.where(np.isfinite(inputs), inputs, np.nan).astype(np.float64)
    chosen = np.array(is_logarithmic, dtype=bool)
    values[:, chosen] = logarithm(np.maximum(values[:, chosen], SMALLEST_RATIO))
    return values


def _clipped(standardized: FloatMatrix) -> FloatMatrix:
    return np.clip(standardized, -LARGEST_DEVIATION, LARGEST_DEVIATION)


def _numbers(array: NDArray[Any]) -> tuple[float, ...]:
    return tuple(array.tolist())
