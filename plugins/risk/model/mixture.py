"""From the experts' quantiles to the forecast: mixture, calibration, and the distribution around it.

Each expert's weight follows from the losses its forecasts have had so far; the mixture is widened or narrowed by how
often results fell below it; the rest of the distribution has one shape for all accounts and one scale for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.metrics import mean_pinball_loss

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatMatrix, sorted_quantile

LEARNING_RATE = 10.0
LOSS_DECAY = 0.99
"""Weight of the past in the discounted sum of losses: half of it is younger than 69 sessions."""

CALIBRATION_STEP = 0.2
CALIBRATION_FULL_COUNT = 10
CALIBRATION_BOUND = 1.0

LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.95)

MINIMUM_RESIDUALS = 100
"""Fewer hold less than one result beyond the 1 % quantile: until then a normal distribution is used instead."""


def mix(pnl: FloatMatrix, scale: FloatMatrix, experts: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Mix the experts' quantiles by their discounted losses so far.

    Parameters
    ----------
    pnl, scale
        ``(n_sessions, n_accounts)``, US dollars.
    experts
        ``(n_experts, n_sessions, n_accounts)``, US dollars, negative or NaN: row t was issued after session t.

    Returns
    -------
    tuple
        The mixture, ``(n_sessions, n_accounts)``, US dollars, NaN where an expert is silent; the weights each row was
        mixed with, ``(n_sessions, n_experts)``.

    Notes
    -----
    ``L <- 0.99 L + mean loss of the session``, ``w = exp(-10 L) / sum``, ``log abs(q) = sum w log abs(q_k)``. A session
    without a scored account changes nothing.
    Source: Vovk (1990), "Aggregating Strategies", with the discount of Chernov and Zhdanov (2010), "Prediction with
    Expert Advice under Discounted Loss", section 2.
    """
    total_losses = np.zeros(len(experts))
    mixture = np.full_like(pnl, np.nan)
    weights = np.empty((len(pnl), len(experts)))
    for number in range(len(pnl)):
        if number:
            total_losses = _updated(total_losses, pnl[number], scale[number - 1], experts[:, number - 1])
        raw = np.exp(-LEARNING_RATE * (total_losses - total_losses.min()))
        weights[number] = raw / raw.sum()
        mixture[number] = -np.exp(_log_mixture(experts[:, number], weights[number]))
    return mixture, weights


def _updated(
    total_losses: NDArray[np.float64], pnl: NDArray[np.float64], scale: NDArray[np.float64], issued: FloatMatrix
) -> NDArray[np.float64]:
    is_scored = np.isfinite(pnl) & np.isfinite(issued).all(axis=0)
    if not is_scored.any():
        return total_losses
    z = (pnl[is_scored] / scale[is_scored])[:, None]
    quantiles = (issued[:, is_scored] / scale[is_scored]).T
    mean_losses = mean_pinball_loss(
        np.broadcast_to(z, quantiles.shape), quantiles, alpha=TAIL_PROBABILITY, multioutput="raw_values"
    )
    updated: NDArray[np.float64] = LOSS_DECAY * total_losses + mean_losses
    return updated


def _log_mixture(quantiles: FloatMatrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros(quantiles.shape[1])
    for weight, quantile in zip(weights, quantiles, strict=True):
        total += weight * np.log(-quantile)
    return total


def calibrate(pnl: FloatMatrix, quantiles: FloatMatrix, issued: FloatMatrix) -> tuple[FloatMatrix, NDArray[np.float64]]:
    """Widen or narrow the forecasts by how often results fell below the earlier ones.

    Parameters
    ----------
    pnl, quantiles, issued
        ``(n_sessions, n_accounts)``, US dollars; a finite cell of ``issued`` takes the place of the computed one.

    Returns
    -------
    tuple
        The calibrated forecasts, ``(n_sessions, n_accounts)``, and ``c`` of each row's, ``(n_sessions,)``.

    Notes
    -----
    With n accounts scored in a session and share b of results below their calibrated forecasts:
    ``c <- clip(c + 0.2 (b - 0.05) min(1, n / 10), -1, 1)``, calibrated = quantile times e^c.
    Source: Gibbs and Candes (2021), "Adaptive Conformal Inference Under Distribution Shift", eq. 2, on the logarithm
    of the loss in place of the level, so that a small desk can be tracked too.
    """
    calibrated = issued.copy()
    factors = np.zeros(len(pnl))
    factor, earlier = 0.0, np.full(pnl.shape[1], np.nan)
    for number, outcome in enumerate(pnl):
        is_scored = np.isfinite(outcome) & np.isfinite(earlier)
        if count := int(np.count_nonzero(is_scored)):
            exceedance_share = np.count_nonzero(outcome[is_scored] < earlier[is_scored]) / count
            step = CALIBRATION_STEP * (exceedance_share - TAIL_PROBABILITY) * min(1.0, count / CALIBRATION_FULL_COUNT)
            factor = float(np.clip(factor + step, -CALIBRATION_BOUND, CALIBRATION_BOUND))
        factors[number] = factor
        computed = quantiles[number] * np.exp(factor)
        calibrated[number] = earlier = np.where(np.isfinite(issued[number]), issued[number], computed)
    return calibrated, factors


@dataclass(frozen=True, slots=True)
class ResidualShape:
    """Pooled past results in units of their forecast loss, so that the 5 % quantile is -1.

    Attributes
    ----------
    residuals
        Ascending, ``(n_residuals,)``.
    is_pooled
        False while too few results are known and the normal distribution is used instead.
    """

    residuals: NDArray[np.float64]
    is_pooled: bool


@dataclass(frozen=True, slots=True)
class ForecastDistribution:
    """What may happen to one account in the next session, US dollars.

    Attributes
    ----------
    quantiles_usd
        P&L at the levels 1, 5, 10, 25, 50, 75 and 95 %, ascending.
    expected_shortfall_usd
        Mean loss given a P&L at or below the 5 % quantile, positive.
    loss_probability
        Probability of a loss beyond the limit, strictly between 0 and 1.
    """

    quantiles_usd: tuple[float, ...]
    expected_shortfall_usd: float
    loss_probability: float


def residual_shape(pnl: FloatMatrix, calibrated: FloatMatrix) -> ResidualShape:
    """Pool the results so far over the calibrated forecasts issued for them.

    Parameters
    ----------
    pnl, calibrated
        ``(n_sessions, n_accounts)``, US dollars; row t of the forecasts was issued after session t.

    Notes
    -----
    Divided by their own 5 % quantile, so that the distribution's 5 % quantile is the calibrated forecast itself. Where
    even that quantile is no loss the normal distribution is used instead.
    """
    outcomes, forecasts = pnl[1:], calibrated[:-1]
    is_scored = np.isfinite(outcomes) & np.isfinite(forecasts)
    residuals = np.sort(outcomes[is_scored] / -forecasts[is_scored])
    level = -sorted_quantile(residuals) if residuals.size >= MINIMUM_RESIDUALS else 0.0
    if level > 0.0:
        return ResidualShape(residuals / level, is_pooled=True)
    normal = ndtri((np.arange(1000) + 0.5) / 1000)
    return ResidualShape(normal / -sorted_quantile(normal), is_pooled=False)


def forecast_distribution(shape: ResidualShape, quantile_05_usd: float, limit_usd: float) -> ForecastDistribution:
    """Spread the shape by one account's forecast.

    Parameters
    ----------
    shape
        The pooled shape.
    quantile_05_usd
        The account's calibrated 5 % quantile, negative.
    limit_usd
        Loss limit, positive.
    """
    loss_usd = -quantile_05_usd
    residuals = shape.residuals
    quantiles = tuple(sorted_quantile(residuals, level) * loss_usd for level in LEVELS)
    tail = residuals[residuals <= sorted_quantile(residuals)]
    beyond = int(np.searchsorted(residuals, -limit_usd / loss_usd, side="left"))
    # The half keeps an event that has not happened yet possible.
    return ForecastDistribution(quantiles, float(-tail.mean()) * loss_usd, (beyond + 0.5) / (residuals.size + 1))
