"""Expert ``historical``: each account's own expanding quantile."""

from __future__ import annotations

import bisect

import numpy as np

from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.model.experts.quantile import pooled_quantiles
from risk.model.panel import FloatMatrix, sorted_quantile


def historical_quantiles(pnl: FloatMatrix, scale: FloatMatrix) -> FloatMatrix:
    """Simulate from each account's own history; while it is short, take the pooled quantile of z times the scale.

    Source: Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data".

    Parameters
    ----------
    pnl, scale
        ``(n_sessions, n_accounts)``, US dollars.
    """
    quantiles = pooled_quantiles(pnl, scale)[:, None] * scale
    histories: list[list[float]] = [[] for _ in range(pnl.shape[1])]
    own = np.full(pnl.shape[1], np.nan)
    for number, row in enumerate(pnl):
        for account in np.flatnonzero(np.isfinite(row)):
            history = histories[account]
            bisect.insort(history, float(row[account]))
            if len(history) >= LIMITED_HISTORY_SESSIONS:
                own[account] = sorted_quantile(history)
        # All experts begin in the same session: when enough is pooled.
        quantiles[number] = np.where(np.isfinite(own) & np.isfinite(quantiles[number]), own, quantiles[number])
    return quantiles
