"""Cuts of every past session: what the rules and what the forecast would have called for."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal

import numpy as np

from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.limits.amounts import model_cut_ratio
from risk.limits.rules import History, strongest_cut_ratio
from risk.model.panel import FloatMatrix, Panel


def rules_cut_ratios(panel: Panel, scale: FloatMatrix, first_row: int = 0) -> FloatMatrix:
    """Apply the rules after each session.

    Parameters
    ----------
    panel
        The results.
    scale
        ``s`` after each session, ``(n_sessions, n_accounts)``, US dollars.
    first_row
        Rows before it are left 0.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, 0.40 = 40 %; 0 before an account's first session.
    """
    latest = panel.latest_active()
    ratios = np.zeros_like(panel.total_pnl_usd)
    for account in range(len(panel.account_ids)):
        pnl = panel.total_pnl_usd[:, account]
        active = np.flatnonzero(np.isfinite(pnl))
        results = pnl[active]
        found: dict[int, float] = {-1: 0.0}
        for row in np.unique(latest[first_row:, account]).tolist():
            if row >= 0:
                past = results[: bisect_right(active, row)]
                history = History(past, float(scale[row, account]), panel.session_dates[row])
                found[row] = float(strongest_cut_ratio(history))
        ratios[first_row:, account] = [found[row] for row in latest[first_row:, account].tolist()]
    return ratios


def model_cut_ratios(panel: Panel, calibrated: FloatMatrix, first_row: int = 0) -> FloatMatrix:
    """Cut by each session's forecast against the median of those issued for the account's earlier active sessions.

    Parameters
    ----------
    panel
        The results.
    calibrated
        ``(n_sessions, n_accounts)``, US dollars; row t was issued after session t.
    first_row
        Rows before it are left NaN.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``; NaN where no forecast is issued or fewer than 20 were.
    """
    ratios = np.full_like(calibrated, np.nan)
    was_used = np.isfinite(panel.total_pnl_usd[1:]) & np.isfinite(calibrated[:-1])
    for row in range(max(first_row, 1), len(calibrated)):
        counts = np.count_nonzero(was_used[:row], axis=0)
        for account in np.flatnonzero(np.isfinite(calibrated[row]) & (counts >= LIMITED_HISTORY_SESSIONS)):
            median = float(np.median(-calibrated[:row, account][was_used[:row, account]]))
            ratios[row, account] = float(model_cut_ratio(Decimal(float(calibrated[row, account])), Decimal(median)))
    return ratios
