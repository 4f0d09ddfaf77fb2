"""Expert ``garch``: GARCH(1,1) with one pair of coefficients for all accounts.

Fits of single accounts are degenerate (a = 0 in 43 % of them), so the coefficients come from the pooled likelihood on
a grid; each account keeps its own level by variance targeting.
"""

from __future__ import annotations

import itertools
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from risk.model.panel import FloatMatrix

GRID = tuple(
    (a, b)
    for a, b in itertools.product((0.0, 0.02, 0.04, 0.07, 0.11, 0.16, 0.23), (0.6, 0.7, 0.78, 0.84, 0.88, 0.91, 0.94))
    if a + b < 0.995
)
"""Candidates for (a, b): reaction to the last square, persistence."""

LARGEST_SQUARE = 25.0
"""A result beyond five volatilities counts as five: one outlier must not choose the coefficients for everybody."""


def log_likelihoods(pnl: FloatMatrix) -> FloatMatrix:
    """Accumulate the pooled Gaussian log likelihood of every candidate.

    Parameters
    ----------
    pnl
        ``(n_sessions, n_accounts)``, US dollars, NaN = not active.

    Returns
    -------
    ndarray
        ``(n_sessions, n_candidates)``: row t counts the sessions up to t, each scored with the variance before it.

    Notes
    -----
    Source: Bollerslev (1986), "Generalized Autoregressive Conditional Heteroskedasticity", eq. 21; the level by
    Engle and Mezrich (1996), "GARCH for groups".
    """
    pairs = np.array(GRID)
    state = _State(pairs[:, :1], pairs[:, 1:], pnl.shape[1])
    gained = np.zeros((len(pnl), len(GRID)))
    for number, row in enumerate(pnl):
        is_scored = np.isfinite(row) & (state.count > 0) & (state.square_sum > 0.0)
        if is_scored.any():
            variance = state.variance[:, is_scored]
            squares = np.minimum(row[is_scored] ** 2 / variance, LARGEST_SQUARE)
            gained[number] = -0.5 * np.sum(np.log(variance / _levels(state, is_scored)) + squares, axis=1)
        state.update(row)
    return np.cumsum(gained, axis=0)


def _levels(state: _State, is_scored: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean squares so far: constants in the likelihood that keep dollars out of it."""
    return state.square_sum[is_scored] / state.count[is_scored]


class PooledGarch(BaseEstimator):  # type: ignore[misc]
    """GARCH(1,1) with one pair of coefficients for all accounts, chosen on a grid by the pooled likelihood.

    Attributes
    ----------
    pnl_
        ``(n_sessions, n_accounts)``, US dollars.
    log_likelihoods_
        Of each candidate after each session, ``(n_sessions, n_candidates)``: one scan of the history is
        enough for the refits of all weeks.
    """

    def fit(self, pnl: FloatMatrix) -> Self:
        """Score every candidate on a panel, ``(n_sessions, n_accounts)`` US dollars, NaN = not active."""
        self.pnl_ = pnl
        self.log_likelihoods_ = log_likelihoods(pnl)
        self._volatilities: dict[tuple[float, float], FloatMatrix] = {}
        return self

    def coefficients_after(self, last_row: int) -> tuple[float, float]:
        """Return (a, b) of the largest likelihood of the sessions up to a row."""
        return GRID[int(np.argmax(self.log_likelihoods_[last_row]))]

    def predict(self, coefficients: tuple[float, float]) -> FloatMatrix:
        """Return `volatilities` under (a, b), computed once."""
        if coefficients not in self._volatilities:
            self._volatilities[coefficients] = volatilities(self.pnl_, coefficients)
        return self._volatilities[coefficients]


def volatilities(pnl: FloatMatrix, coefficients: tuple[float, float]) -> FloatMatrix:
    """Compute the volatility known after each session for the next.

    Parameters
    ----------
    pnl
        ``(n_sessions, n_accounts)``, US dollars.
    coefficients
        (a, b).

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, US dollars, carried over sessions without activity, NaN before the first.
    """
    state = _State(np.array([[coefficients[0]]]), np.array([[coefficients[1]]]), pnl.shape[1])
    variances = np.full_like(pnl, np.nan)
    for number, row in enumerate(pnl):
        state.update(row)
        variances[number] = state.variance[0]
    return np.sqrt(variances)


class _State:
    """Variances of all candidates and accounts, updated session by session.

    ``h' = (1 - a - b) m + a x^2 + b h`` with m the mean square so far, h = m after the first session.
    """

    def __init__(self, a: FloatMatrix, b: FloatMatrix, account_count: int) -> None:
        self.a, self.b = a, b
        self.count = np.zeros(account_count)
        self.square_sum = np.zeros(account_count)
        self.variance = np.full((len(a), account_count), np.nan)

    def update(self, pnl: NDArray[np.float64]) -> None:
        """Take in a session, ``(n_accounts,)`` US dollars, NaN = not active."""
        is_active = np.isfinite(pnl)
        squares = np.where(is_active, pnl, 0.0) ** 2
        self.count += is_active
        self.square_sum += squares
        level = self.square_sum / np.maximum(self.count, 1.0)
        before = np.where(np.isnan(self.variance), level, self.variance)
        after = np.where(self.count == 1, level, (1 - self.a - self.b) * level + self.a * squares + self.b * before)
        self.variance = np.where(is_active, after, self.variance)
