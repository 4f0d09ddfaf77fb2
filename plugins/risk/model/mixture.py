"""The mixture of the experts: each weighs what it has earned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatMatrix

LEARNING_RATE = 10.0
LOSS_DECAY = 0.99
"""Weight of the past in the discounted sum of losses: half of it is younger than 69 sessions."""


def pinball_loss(pnl: FloatMatrix, quantiles: FloatMatrix) -> FloatMatrix:
    """Score quantile forecasts: lower is better, the true quantile is best on average.

    Source: Koenker and Bassett (1978), "Regression Quantiles", eq. 1.
    """
    errors = pnl - quantiles
    losses: FloatMatrix = np.maximum(TAIL_PROBABILITY * errors, (TAIL_PROBABILITY - 1.0) * errors)
    return losses


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
    losses = pinball_loss(pnl[is_scored], issued[:, is_scored]) / scale[is_scored]
    mean_losses = np.array([losses_of_one.mean() for losses_of_one in losses], dtype=np.float64)
    return LOSS_DECAY * total_losses + mean_losses


def _log_mixture(quantiles: FloatMatrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros(quantiles.shape[1])
    for weight, quantile in zip(weights, quantiles, strict=True):
        total += weight * np.log(-quantile)
    return total
