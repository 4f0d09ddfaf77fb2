"""Keeping the table ``forecasts``: the first forecast for an account and session stays for ever."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

import numpy as np

from risk.core.warehouse import Connection, execute, rows
from risk.model.fitted import MIXED_EXPERTS
from risk.model.panel import FloatMatrix, Panel
from risk.model.walk_forward import MODEL

BASELINE = "calibrated"
"""Name of the calibrated ``filtered``: what is shown where no model forecasts."""

STORED_EXPERTS = (*MIXED_EXPERTS, "mixture", MODEL, BASELINE)
"""By name; ``historical``, ``filtered`` and ``calibrated`` need no model."""


def read_issued(connection: Connection, panel: Panel, effective_session: dt.date) -> dict[str, FloatMatrix]:
    """Read the forecasts issued so far.

    Parameters
    ----------
    panel
        Its sessions and accounts are the rows and columns.
    effective_session
        The session after its last one.

    Returns
    -------
    dict
        By expert, ``(n_sessions, n_accounts)``, US dollars, negative; NaN = none. Row t was issued after session t.
    """
    issued = {expert: np.full_like(panel.total_pnl_usd, np.nan) for expert in STORED_EXPERTS}
    row_of = {day: number for number, day in enumerate((*panel.session_dates[1:], effective_session))}
    column_of = {account_id: number for number, account_id in enumerate(panel.account_ids)}
    binds = {"effective_session": effective_session}
    for account_id, day, expert, quantile in rows(connection, "predict_limits/select_forecasts", binds):
        if account_id in column_of and day in row_of and expert in issued:
            issued[expert][row_of[day], column_of[account_id]] = quantile
    return issued


def insert_forecasts(
    connection: Connection,
    panel: Panel,
    effective_session: dt.date,
    missing: Mapping[str, FloatMatrix],
    source: Mapping[str, object],
) -> int:
    """Store forecasts; the caller holds the write lock.

    Parameters
    ----------
    panel, effective_session
        As in `read_issued`.
    missing
        By expert, ``(n_sessions, n_accounts)``, US dollars; NaN = nothing to store.
    source
        ``run_id`` and ``model_id``, one of which may be ``None``, and ``as_of``, when they were made.

    Returns
    -------
    int
        Rows written: what was issued before stays.
    """
    days = [day.isoformat() for day in (*panel.session_dates[1:], effective_session)]
    listed = [
        {
            "account_id": panel.account_ids[account],
            "effective_session": days[row],
            "expert": expert,
            "quantile_05_usd": repr(float(quantiles[row, account])),
        }
        for expert, quantiles in missing.items()
        for row, account in np.argwhere(np.isfinite(quantiles)).tolist()
    ]
    if not listed:
        return 0
    return execute(connection, "predict_limits/insert_forecasts", {**source, "forecasts": json.dumps(listed)})


def unissued(computed: Mapping[str, FloatMatrix], issued: Mapping[str, FloatMatrix]) -> dict[str, FloatMatrix]:
    """Return what was computed where nothing was issued, by expert; NaN elsewhere."""
    return {expert: np.where(np.isfinite(issued[expert]), np.nan, quantiles) for expert, quantiles in computed.items()}
