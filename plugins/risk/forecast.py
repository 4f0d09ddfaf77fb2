"""Forecasts of the 5 % quantile of each account's next P&L, walked forward, and their calibration.

The order of information is fixed. After session D: score the forecasts issued before D, update the calibration, give
D to the experts, forecast D + 1. Everything is judged on P&L over the account's own scale, because an error in
dollars would let the two biggest traders decide alone.
"""

from __future__ import annotations

import bisect
import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.database import Connection, execute, rows, writing
from risk.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale, read_panel
from risk.runs import Run
from risk.settings import ACTIVE_WITHIN_SESSIONS, LIMITED_HISTORY_SESSIONS, TAIL_PROBABILITY

FILTER_DECAY = 0.94
"""Decay of the volatility that filters the history. Source: RiskMetrics Technical Document (1996), daily data."""

MINIMUM_HISTORY_SESSIONS = 5
"""Active sessions before an account is forecast and before its residuals are pooled: its scale means little earlier."""

SMALLEST_LOSS_SCALES = 0.05
"""An expert never promises less than this loss, in own scales: a quantile of zero or above is no limit."""

CALIBRATION_STEP = 0.2
CALIBRATION_FULL_COUNT = 10
CALIBRATION_BOUND = 1.0

EXPERTS = ("historical", "filtered", "calibrated")


@dataclass(frozen=True, slots=True)
class Forecasts:
    """One-step-ahead forecasts: row t was issued after session t for the session after it.

    Attributes
    ----------
    historical, filtered, calibrated
        The 5 % quantile of total P&L, ``(n_sessions, n_accounts)``, US dollars, negative; NaN where an account has
        fewer than 5 active sessions, no scale above 0, no session within the last 30, or fewer than 20 residuals are
        pooled yet.
    calibration
        ``c`` of each row's forecasts, ``(n_sessions,)``: calibrated = filtered times e^c.
    """

    historical: FloatMatrix
    filtered: FloatMatrix
    calibrated: FloatMatrix
    calibration: NDArray[np.float64]


def walk_forward(panel: Panel, issued: FloatMatrix | None = None) -> Forecasts:
    """Forecast every session from the sessions before it.

    Parameters
    ----------
    panel
        The history.
    issued
        Calibrated forecasts issued earlier, ``(n_sessions, n_accounts)``, NaN = none: they count as they were
        issued, whatever has been restated since, for the calibration too.
    """
    pnl = panel.total_pnl_usd
    scale = ewma_scale(pnl, SCALE_DECAY)
    is_served = _is_served(panel, scale)
    historical = _expert(_historical(pnl, scale), scale, is_served)
    volatility = ewma_scale(pnl, FILTER_DECAY)
    filtered = _expert(_pooled_quantiles(pnl, volatility)[:, None] * volatility, scale, is_served)
    calibrated, calibration = calibrate(pnl, filtered, np.full_like(pnl, np.nan) if issued is None else issued)
    return Forecasts(historical, filtered, calibrated, calibration)


def _is_served(panel: Panel, scale: FloatMatrix) -> NDArray[np.bool_]:
    latest = panel.latest_active()
    sessions_absent = np.arange(len(panel.session_dates))[:, None] - latest
    has_history = np.cumsum(panel.is_active, axis=0) >= MINIMUM_HISTORY_SESSIONS
    return has_history & (scale > 0.0) & (latest >= 0) & (sessions_absent < ACTIVE_WITHIN_SESSIONS)


def _expert(quantiles: FloatMatrix, scale: FloatMatrix, is_served: NDArray[np.bool_]) -> FloatMatrix:
    return np.where(is_served, np.minimum(quantiles, -SMALLEST_LOSS_SCALES * scale), np.nan)


def _historical(pnl: FloatMatrix, scale: FloatMatrix) -> FloatMatrix:
    """Historical simulation: each account's own expanding quantile; with a short history the pooled one of z.

    Source: Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data".
    """
    quantiles = _pooled_quantiles(pnl, scale)[:, None] * scale
    histories: list[list[float]] = [[] for _ in range(pnl.shape[1])]
    own = np.full(pnl.shape[1], np.nan)
    for number, row in enumerate(pnl):
        for account in np.flatnonzero(np.isfinite(row)):
            history = histories[account]
            bisect.insort(history, float(row[account]))
            if len(history) >= LIMITED_HISTORY_SESSIONS:
                own[account] = sorted_quantile(history)
        # Both experts begin in the same session: when enough is pooled.
        quantiles[number] = np.where(np.isfinite(own) & np.isfinite(quantiles[number]), own, quantiles[number])
    return quantiles


def _pooled_quantiles(pnl: FloatMatrix, volatility: FloatMatrix) -> NDArray[np.float64]:
    """Compute after each session the quantile of all past P&L over the volatility known before it.

    Times today's volatility this is filtered historical simulation.
    Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
    securities", eq. 5-8, with an exponentially weighted volatility in place of their GARCH.
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


def sorted_quantile(ascending: Sequence[float] | NDArray[np.float64]) -> float:
    """Interpolate the 5 % quantile of ascending values.

    Source: Hyndman and Fan (1996), definition 7.
    """
    position = (len(ascending) - 1) * TAIL_PROBABILITY
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return float(ascending[below] + (position - below) * (ascending[above] - ascending[below]))


def calibrate(pnl: FloatMatrix, filtered: FloatMatrix, issued: FloatMatrix) -> tuple[FloatMatrix, NDArray[np.float64]]:
    """Widen or narrow the forecasts by what share of the earlier ones was breached.

    Notes
    -----
    With n accounts scored in a session and breach share b of their calibrated forecasts:
    ``c <- clip(c + 0.2 (b - 0.05) min(1, n / 10), -1, 1)``, calibrated = filtered times e^c.
    Source: Gibbs and Candes (2021), "Adaptive Conformal Inference Under Distribution Shift", eq. 2, on the logarithm
    of the loss in place of the level, so that a small desk can be tracked too.

    Parameters
    ----------
    pnl, filtered, issued
        ``(n_sessions, n_accounts)``, US dollars; a finite cell of ``issued`` takes the place of the computed one.

    Returns
    -------
    calibrated : ndarray
        ``(n_sessions, n_accounts)``, US dollars.
    calibration : ndarray
        ``(n_sessions,)``.
    """
    calibrated = np.full_like(filtered, np.nan)
    calibration = np.zeros(len(filtered))
    current = 0.0
    for number, row in enumerate(filtered):
        if number > 0:
            current = _tracked(current, pnl[number], calibrated[number - 1])
        calibration[number] = current
        calibrated[number] = np.where(np.isfinite(issued[number]), issued[number], row * math.exp(current))
    return calibrated, calibration


def _tracked(calibration: float, outcome: NDArray[np.float64], forecast: NDArray[np.float64]) -> float:
    is_scored = np.isfinite(outcome) & np.isfinite(forecast)
    scored_count = int(np.count_nonzero(is_scored))
    if scored_count == 0:
        return calibration
    breach_share = np.count_nonzero(outcome[is_scored] < forecast[is_scored]) / scored_count
    weight = min(1.0, scored_count / CALIBRATION_FULL_COUNT)
    moved = calibration + CALIBRATION_STEP * (breach_share - TAIL_PROBABILITY) * weight
    return min(max(moved, -CALIBRATION_BOUND), CALIBRATION_BOUND)


def pinball_loss(z: FloatMatrix, quantile: FloatMatrix) -> FloatMatrix:
    """Score quantile forecasts, smaller = better; NaN where either is.

    Source: Koenker and Bassett (1978), "Regression Quantiles", eq. 1.2.
    """
    error = z - quantile
    return np.maximum(TAIL_PROBABILITY * error, (TAIL_PROBABILITY - 1.0) * error)


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
