"""Empirical quantiles, expanding with the sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.model.panel import FloatMatrix, sorted_quantile

MINIMUM_HISTORY_SESSIONS = 5
"""Active sessions before an account is forecast and before its residuals are pooled: its scale means little earlier."""


def pooled_quantiles(pnl: FloatMatrix, volatility: FloatMatrix) -> NDArray[np.float64]:
    """Compute after each session the 5 % quantile of all past P&L over the volatility known before it.

    Times today's volatility this is filtered historical simulation.
    Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
    securities", eq. 5-8, with an exponentially weighted volatility in place of their GARCH.

    Parameters
    ----------
    pnl, volatility
        ``(n_sessions, n_accounts)``, US dollars; row t of the volatility is known after session t.

    Returns
    -------
    ndarray
        ``(n_sessions,)``, ratio; NaN while fewer than 20 residuals are pooled.
    """
    history_count = np.cumsum(np.isfinite(pnl), axis=0)
    pool = np.empty(0)
    quantiles = np.full(len(pnl), np.nan)
    for number in range(1, len(pnl)):
        known = volatility[number - 1]
        is_pooled = np.isfinite(pnl[number]) & (history_count[number - 1] >= MINIMUM_HISTORY_SESSIONS) & (known > 0.0)
        residuals = np.sort(pnl[number, is_pooled] / known[is_pooled])
        pool = np.insert(pool, np.searchsorted(pool, residuals), residuals)
        if pool.size >= LIMITED_HISTORY_SESSIONS:
            quantiles[number] = sorted_quantile(pool)
    return quantiles
