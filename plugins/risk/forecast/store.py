"""Keeping the table ``forecasts``: the first forecast for an account and session stays for ever."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from risk.database import Connection, execute, rows, writing
from risk.forecast.baseline import EXPERTS, walk_forward
from risk.panel import FloatMatrix, Panel, read_panel
from risk.runs import Run


def store_forecasts(connection: Connection, run: Run) -> int:
    """Store the forecasts for the run's effective session and every past one that is missing.

    The first forecast for an account and effective session stays for ever. The calibration is computed from stored
    forecasts and outcomes alone, so that sessions may run in any order and leave the same rows.

    Returns
    -------
    int
        Rows written; 0 when everything was there.
    """
    panel = read_panel(connection, run.session_date)
    effective_sessions = (*panel.session_dates[1:], run.effective_session)
    issued = _read_issued(connection, panel, effective_sessions)
    forecasts = walk_forward(panel, issued["calibrated"])
    written = 0
    with writing(connection):
        for number, effective_session in enumerate(effective_sessions[: len(panel.session_dates)]):
            missing = [
                {"account_id": panel.account_ids[account], "expert": expert, "quantile_05_usd": repr(quantile)}
                for expert in EXPERTS
                for account, quantile in _missing(getattr(forecasts, expert)[number], issued[expert][number])
            ]
            if missing:
                written += _insert(connection, run, effective_session, missing)
    return written


def _missing(computed: NDArray[np.float64], issued: NDArray[np.float64]) -> list[tuple[int, float]]:
    accounts = np.flatnonzero(np.isfinite(computed) & ~np.isfinite(issued))
    return list(zip(accounts.tolist(), computed[accounts].tolist(), strict=True))


def _read_issued(connection: Connection, panel: Panel, effective_sessions: Sequence[dt.date]) -> dict[str, FloatMatrix]:
    issued = {expert: np.full_like(panel.total_pnl_usd, np.nan) for expert in EXPERTS}
    session_number = {day: number for number, day in enumerate(effective_sessions)}
    account_number = {account_id: number for number, account_id in enumerate(panel.account_ids)}
    binds = {"effective_session": effective_sessions[-1]}
    for account_id, effective_session, expert, quantile in rows(connection, "predict_limits/select_forecasts", binds):
        if account_id in account_number and effective_session in session_number and expert in issued:
            issued[expert][session_number[effective_session], account_number[account_id]] = quantile
    return issued


def _insert(connection: Connection, run: Run, effective_session: dt.date, missing: Sequence[Mapping[str, str]]) -> int:
    binds = {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "effective_session": effective_session,
        "forecasts": json.dumps(missing),
    }
    return execute(connection, "predict_limits/insert_forecasts", binds)
