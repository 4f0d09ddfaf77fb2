"""Running P&L within simulated sessions: how low a trader's day went before its close.

The law of a simulated desk (`simulation.law`) draws the close only. A loss limit acts on the running P&L, so a path is
drawn to each close: a random walk of the session's true scale, pinned at 0 and at the close.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 60
"""Marks of a path, the close included: fewer make the lows less deep, more hardly deeper."""

FloatVector = NDArray[np.float64]
FloatMatrix = NDArray[np.float64]


def bridged_paths(close_usd: FloatVector, sigma_usd: FloatVector, draws: np.random.Generator) -> FloatMatrix:
    """Draw a path to each close.

    Parameters
    ----------
    close_usd
        Results, ``(n_days,)``, gains positive.
    sigma_usd
        True scale of each day, ``(n_days,)``.
    draws
        Source of the random numbers.

    Returns
    -------
    ndarray
        Running P&L, ``(n_days, 60)``, US dollars; the last column is the close.

    Notes
    -----
    Brownian bridge ``W(u) - u (W(1) - x)`` at ``u = k / 60``. Source: Glasserman (2004), "Monte Carlo Methods in
    Financial Engineering", section 3.1.
    """
    steps = draws.standard_normal((len(close_usd), STEPS)) * (sigma_usd / np.sqrt(STEPS))[:, None]
    walks = np.cumsum(steps, axis=1)
    times = np.arange(1, STEPS + 1) / STEPS
    paths: FloatMatrix = walks - times * (walks[:, -1:] - close_usd[:, None])
    return paths


def running_lows(paths_usd: FloatMatrix) -> FloatMatrix:
    """Return the largest loss so far after each mark before the close, ``(n_days, 59)``, US dollars, 0 = none."""
    lows: FloatMatrix = np.maximum.accumulate(np.maximum(-paths_usd[:, :-1], 0.0), axis=1)
    return lows


def largest_losses(paths_usd: FloatMatrix) -> FloatVector:
    """Return the largest loss of each day, the close included, ``(n_days,)``, US dollars, 0 = none."""
    losses: FloatVector = np.maximum(-paths_usd.min(axis=1), 0.0)
    return losses
