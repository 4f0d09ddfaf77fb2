"""Expert ``log_scale_ridge``: a linear model of how large tomorrow's result will be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.model.panel import FloatMatrix, sorted_quantile
from risk.model.sample import FloatTensor, Sample

PENALTY = 50.0
"""Weight of the squared coefficients, of standardized inputs, against the sum of squared errors."""

LARGEST_DEVIATION = 4.0
"""An input counts as at most so many standard deviations: a linear model must not extrapolate an outlier."""

SMALLEST_Z = 0.1
"""Added to abs(z) before its logarithm: how far below a tenth of the usual a result was says nothing of the tail."""

LOGARITHMIC = ("_ratio_", "_against_norm")
"""Parts of the names of ratios to a norm: half and double are equally far from it."""

SMALLEST_RATIO = 0.02


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted expert.

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

    def terms(self, inputs: FloatTensor) -> FloatMatrix:
        """Return each input's share of the log scale, ``(n_rows, n_features)``."""
        standardized = _standardized(inputs, self.is_logarithmic, self.center, self.spread)
        terms: FloatMatrix = standardized * np.array(self.coefficients)
        return terms

    def log_scales(self, inputs: FloatTensor) -> NDArray[np.float64]:
        """Return the modeled log of ``abs(z) + 0.1``, ``(n_rows,)``."""
        total = np.full(len(inputs), self.intercept)
        # Added one after the other: a matrix product rounds by the number of rows, accounts yet to come included.
        for term in self.terms(inputs).T:
            total += term
        return total


def fit_ridge(sample: Sample, feature_names: tuple[str, ...]) -> tuple[Ridge, NDArray[np.float64]]:
    """Fit the log scale and the quantile of what is left.

    Source: Corsi (2009), "A Simple Approximate Long-Memory Model of Realized Volatility", eq. 8, in logarithms; Hoerl
    and Kennard (1970), "Ridge Regression".

    Parameters
    ----------
    sample
        At least one pair.
    feature_names
        Names of its inputs.

    Returns
    -------
    tuple
        The expert, and z over its modeled scale for each pair, ``(n_pairs,)``.
    """
    from sklearn.linear_model import Ridge as RidgeRegression

    is_logarithmic = tuple(any(part in name for part in LOGARITHMIC) for name in feature_names)
    center, spread = _standards(sample.inputs, is_logarithmic)
    standardized = _standardized(sample.inputs, is_logarithmic, center, spread)
    log_sizes = np.log(np.abs(sample.z) + SMALLEST_Z)
    fitted = RidgeRegression(alpha=PENALTY, solver="cholesky").fit(standardized, log_sizes)
    coefficients, intercept = tuple(fitted.coef_.tolist()), float(fitted.intercept_)
    ridge = Ridge(is_logarithmic, center, spread, coefficients, intercept, residual_quantile=-1.0)
    ratios = sample.z / np.exp(fitted.predict(standardized))
    return replace(ridge, residual_quantile=sorted_quantile(np.sort(ratios))), ratios


def _standards(inputs: FloatTensor, is_logarithmic: tuple[bool, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    centers, spreads = [], []
    for column, is_log in zip(inputs.T, is_logarithmic, strict=True):
        values = _leveled(column, is_log=is_log)
        known = values[np.isfinite(values)]
        deviation = float(known.std()) if known.size else 0.0
        centers.append(float(known.mean()) if known.size else 0.0)
        spreads.append(deviation if deviation > 1e-9 else 1.0)
    return tuple(centers), tuple(spreads)


def _standardized(
    inputs: FloatTensor, is_logarithmic: tuple[bool, ...], center: tuple[float, ...], spread: tuple[float, ...]
) -> FloatMatrix:
    columns = np.empty(inputs.shape, dtype=np.float64)
    for number, (is_log, middle, deviation) in enumerate(zip(is_logarithmic, center, spread, strict=True)):
        values = (_leveled(inputs[:, number], is_log=is_log) - middle) / deviation
        columns[:, number] = np.where(np.isfinite(values), values, 0.0)
    return np.clip(columns, -LARGEST_DEVIATION, LARGEST_DEVIATION)


def _leveled(column: NDArray[np.float32], *, is_log: bool) -> NDArray[np.float64]:
    values = column.astype(np.float64)
    return np.log(np.maximum(values, SMALLEST_RATIO)) if is_log else values
