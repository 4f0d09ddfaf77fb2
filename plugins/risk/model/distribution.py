"""The whole distribution of the next P&L: one shape for all, one scale for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatMatrix, sorted_quantile

LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.95)

MINIMUM_RESIDUALS = 100
"""Fewer hold less than one result beyond the 1 % quantile: until then a normal distribution stands in."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Pooled past results in units of their forecast loss, so that the 5 % quantile is -1.

    Attributes
    ----------
    residuals
        Ascending, ``(n_residuals,)``.
    is_pooled
        False while too few results are known and the normal distribution stands in: a reader must be told.
    """

    residuals: NDArray[np.float64]
    is_pooled: bool


@dataclass(frozen=True, slots=True)
class Outlook:
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


def shape_of(pnl: FloatMatrix, calibrated: FloatMatrix) -> Shape:
    """Pool the results so far over the calibrated forecasts issued for them.

    Parameters
    ----------
    pnl, calibrated
        ``(n_sessions, n_accounts)``, US dollars; row t of the forecasts was issued after session t.

    Notes
    -----
    Divided by their own 5 % quantile, so that the fan's 5 % is the calibrated forecast itself. Where even that quantile
    is no loss the normal distribution stands in.
    """
    outcomes, forecasts = pnl[1:], calibrated[:-1]
    is_scored = np.isfinite(outcomes) & np.isfinite(forecasts)
    residuals = np.sort(outcomes[is_scored] / -forecasts[is_scored])
    level = -sorted_quantile(residuals) if residuals.size >= MINIMUM_RESIDUALS else 0.0
    if level <= 0.0:
        return Shape(_normal_residuals(), is_pooled=False)
    return Shape(residuals / level, is_pooled=True)


def outlook(shape: Shape, quantile_05_usd: float, limit_usd: float) -> Outlook:
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
    return Outlook(quantiles, float(-tail.mean()) * loss_usd, (beyond + 0.5) / (residuals.size + 1))


def _normal_residuals() -> NDArray[np.float64]:
    from scipy.special import ndtri

    ranks = (np.arange(1000) + 0.5) / 1000
    residuals = ndtri(ranks)
    normal: NDArray[np.float64] = residuals / -sorted_quantile(residuals, TAIL_PROBABILITY)
    return normal
