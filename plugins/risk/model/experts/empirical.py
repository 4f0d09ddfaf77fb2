"""Experts ``historical`` and ``filtered``: empirical quantiles that expand with every session.

Nothing is fitted: after each session its results join the pool, and the quantile is read off.
"""

from __future__ import annotations

import bisect

import numpy as np

from risk.model.panel import MINIMUM_HISTORY_SESSIONS, FloatMatrix, sorted_quantile

QUANTILE_SESSIONS = 20
"""Fewest results whose own 5 % quantile is taken: one of them lies below it."""

FILTER_DECAY = 0.94
"""Decay of the volatility that filters the history. Source: RiskMetrics Technical Document (1996), daily data."""


def historical_quantiles(pnl: FloatMatrix, scale: FloatMatrix) -> FloatMatrix:
    """Simulate from each account's own history; while it is short, take the pooled quantile of z times the scale.

    Source: Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data".

    Parameters
    ----------
    pnl, scale
        ``(n_sessions, n_accounts)``, US dollars.

    Returns
    -------
    ndarray
        5 % quantile of the next session's P&L, ``(n_sessions, n_accounts)``, US dollars; NaN until enough is pooled.
    """
    quantiles = pooled_quantiles(pnl, scale)
    histories: list[list[float]] = [[] for _ in range(pnl.shape[1])]
    own = np.full(pnl.shape[1], np.nan)
    for number, row in enumerate(pnl):
        for account in np.flatnonzero(np.isfinite(row)):
            history = histories[account]
            bisect.insort(history, float(row[account]))
            if len(history) >= QUANTILE_SESSIONS:
                own[account] = sorted_quantile(history)
        # All experts begin in the same session: when enough is pooled.
        quantiles[number] = np.where(np.isfinite(own) & np.isfinite(quantiles[number]), own, quantiles[number])
    return quantiles


def pooled_quantiles(pnl: FloatMatrix, volatility: FloatMatrix) -> FloatMatrix:
    """Filter the history: pooled past quantile of P&L over the volatility known before it, times the volatility now.

    With `ewma_scale` of `FILTER_DECAY` this is the expert ``filtered``.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
    securities", eq. 5-8, with an exponentially weighted volatility in place of their GARCH.

    Parameters
    ----------
    pnl, volatility
        ``(n_sessions, n_accounts)``, US dollars; row t of the volatility is known after session t.

    Returns
    -------
    ndarray
        5 % quantile of the next session's P&L, ``(n_sessions, n_accounts)``, US dollars; NaN while fewer than 20
        residuals are pooled.
    """
    history_count = np.cumsum(np.isfinite(pnl), axis=0)
    pool = np.empty(0)
    quantiles = np.full(len(pnl), np.nan)
    for number in range(1, len(pnl)):
        known = volatility[number - 1]
        is_pooled = np.isfinite(pnl[number]) & (history_count[number - 1] >= MINIMUM_HISTORY_SESSIONS) & (known > 0.0)
        residuals = np.sort(pnl[number, is_pooled] / known[is_pooled])
        pool = np.insert(pool, np.searchsorted(pool, residuals), residuals)
        if pool.size >= QUANTILE_SESSIONS:
            quantiles[number] = sorted_quantile(pool)
    return quantiles[:, None] * volatility
