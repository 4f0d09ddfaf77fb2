"""Expert ``filtered``: the pooled shape of the past at today's volatility."""

from __future__ import annotations

from risk.model.experts.quantile import pooled_quantiles
from risk.model.panel import FloatMatrix, ewma_scale

FILTER_DECAY = 0.94
"""Decay of the volatility that filters the history. Source: RiskMetrics Technical Document (1996), daily data."""


def filtered_quantiles(pnl: FloatMatrix) -> FloatMatrix:
    """Filter the history: pooled past quantile of P&L over its volatility, times the volatility now.

    Parameters
    ----------
    pnl
        ``(n_sessions, n_accounts)``, US dollars.
    """
    volatility = ewma_scale(pnl, FILTER_DECAY)
    return pooled_quantiles(pnl, volatility)[:, None] * volatility
