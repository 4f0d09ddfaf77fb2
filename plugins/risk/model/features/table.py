"""The table of features: each declared once, with the function that measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.model.features import history
from risk.model.panel import FloatMatrix


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the features.

    Attributes
    ----------
    name
        Identifier, stable: models are trained on it.
    sentence
        What it says, for a reader.
    windows
        Lengths in the trader's own active sessions, shorter first; empty = no window. A window that is not full yet
        uses the sessions there are.
    unit
        Unit of the number.
    measure
        Computes it from the argument of its group, followed by the windows.
    """

    name: str
    sentence: str
    windows: tuple[int, ...]
    unit: str
    measure: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class CalendarView:
    """Where accounts and the next session stand in the exchange's calendar.

    Attributes
    ----------
    sessions_absent
        Sessions since the account's last active one, 0 = active in this one, ``(n_sessions, n_accounts)``.
    effective_weekdays
        Weekday of the session after each row's, Monday = 0, ``(n_sessions, 1)``.
    """

    sessions_absent: FloatMatrix
    effective_weekdays: FloatMatrix


@dataclass(frozen=True, slots=True)
class MarketView:
    """The results of all accounts of each session.

    Attributes
    ----------
    z
        P&L in own scales, ``(n_sessions, n_accounts)``, ascending in each row, so that no order of accounts matters;
        NaN behind the last active account.
    active_count
        Number of z in each row, ``(n_sessions,)``.
    trade_logs, trade_log_count
        Logarithm of fills against each account's own norm, arranged as z.
    """

    z: FloatMatrix
    active_count: NDArray[np.int64]
    trade_logs: FloatMatrix
    trade_log_count: NDArray[np.int64]


def _sessions_absent(view: CalendarView) -> FloatMatrix:
    return view.sessions_absent


def _weekday(view: CalendarView) -> FloatMatrix:
    return np.broadcast_to(view.effective_weekdays, view.sessions_absent.shape)


def _loser_share(view: MarketView) -> FloatMatrix:
    return np.sum(view.z < 0.0, axis=1, dtype=np.float64) / view.active_count


def _mean(view: MarketView) -> FloatMatrix:
    return _row_sums(view.z, view.active_count) / view.active_count


def _dispersion(view: MarketView) -> FloatMatrix:
    deviations = view.z - _mean(view)[:, None]
    return np.sqrt(_row_sums(deviations * deviations, view.active_count) / view.active_count)


def _active_count(view: MarketView) -> FloatMatrix:
    return view.active_count.astype(np.float64)


def _size_ratio(view: MarketView, half_life: int) -> FloatMatrix:
    sizes = _row_sums(np.abs(view.z), view.active_count) / view.active_count
    return history.faded(sizes[:, None], half_life)[:, 0]


def _trades_ratio(view: MarketView, half_life: int) -> FloatMatrix:
    mean_logs = _row_sums(view.trade_logs, view.trade_log_count) / view.trade_log_count
    return np.exp(history.faded(mean_logs[:, None], half_life)[:, 0])


def _row_sums(values: FloatMatrix, active_count: NDArray[np.int64]) -> FloatMatrix:
    # Added one after the other: numpy's pairwise sum groups by the width of the matrix, accounts yet to come included.
    return np.cumsum(values, axis=1)[np.arange(len(values)), active_count - 1]


OWN_FEATURES = (
    Feature("last_z", "P&L of the last session", (), "own scales", history.last_z),
    Feature("mean_z_3", "mean P&L of the last 3 sessions", (3,), "own scales", history.mean_z),
    Feature("mean_z_5", "mean P&L of the last 5 sessions", (5,), "own scales", history.mean_z),
    Feature("mean_z_10", "mean P&L of the last 10 sessions", (10,), "own scales", history.mean_z),
    Feature("mean_z_20", "mean P&L of the last 20 sessions", (20,), "own scales", history.mean_z),
    Feature("scale_ratio_5_20", "scale of 5 sessions against that of 20", (5, 20), "ratio", history.scale_ratio),
    Feature("scale_ratio_10_60", "scale of 10 sessions against that of 60", (10, 60), "ratio", history.scale_ratio),
    Feature("win_rate_5", "share of gains in the last 5 sessions", (5,), "ratio", history.win_rate),
    Feature("win_rate_20", "share of gains in the last 20 sessions", (20,), "ratio", history.win_rate),
    Feature("loss_streak", "losing sessions in a row", (), "sessions", history.loss_streak),
    Feature("sessions_since_peak", "sessions since the peak of P&L", (), "sessions", history.sessions_since_peak),
    Feature("drawdown", "fall of cumulative P&L from its peak", (), "own scales", history.drawdown),
    Feature("worst_z_5", "worst P&L of the last 5 sessions", (5,), "own scales", history.worst_z),
    Feature("worst_z_20", "worst P&L of the last 20 sessions", (20,), "own scales", history.worst_z),
    Feature("trades_against_norm", "fills against the 20 sessions before", (20,), "ratio", history.trades_against_norm),
    Feature(
        "volume_against_norm", "volume against the 20 sessions before", (20,), "ratio", history.volume_against_norm
    ),
    *(
        Feature(
            f"volatility_ratio_{half_life}",
            f"size of P&L, half-life {half_life} sessions",
            (half_life,),
            "own scales",
            history.volatility_ratio,
        )
        for half_life in (1, 2, 4, 11, 200)
    ),
    Feature("loss_ratio_1", "size of losses, half-life 1 session", (1,), "own scales", history.loss_ratio),
    Feature("loss_ratio_3", "size of losses, half-life 3 sessions", (3,), "own scales", history.loss_ratio),
    Feature("large_loss_share_1", "share of large losses, half-life 1", (1,), "ratio", history.large_loss_share),
    Feature("large_loss_share_4", "share of large losses, half-life 4", (4,), "ratio", history.large_loss_share),
    Feature(
        "trades_ratio_0_60", "fills of the last session against the norm", (60,), "ratio", history.last_trades_ratio
    ),
    Feature("trades_ratio_1_60", "fills, half-life 1, against the norm", (1, 60), "ratio", history.trades_ratio),
    Feature("trades_ratio_3_60", "fills, half-life 3, against the norm", (3, 60), "ratio", history.trades_ratio),
    Feature("fees_per_turnover", "fees against gross turnover", (), "ratio", history.fees_per_turnover),
    Feature(
        "enlarging_share_0", "share of fills that enlarged a losing position", (0,), "ratio", history.enlarging_share
    ),
    Feature("enlarging_share_3", "the same, half-life 3 sessions", (3,), "ratio", history.enlarging_share),
    Feature(
        "holding_against_norm",
        "holding time against the 20 sessions before",
        (20,),
        "ratio",
        history.holding_against_norm,
    ),
)
"""Measured on `history.OwnHistory`; between active sessions the last value stays."""

CALENDAR_FEATURES = (
    Feature("sessions_absent", "sessions since the last active one", (), "sessions", _sessions_absent),
    Feature("weekday", "weekday of the session to come", (), "0 = Monday", _weekday),
)
"""Measured on `CalendarView`."""

MARKET_FEATURES = (
    Feature("market_loser_share", "share of losing traders in the session", (), "ratio", _loser_share),
    Feature("market_mean_z", "mean P&L of the traders in the session", (), "own scales", _mean),
    Feature("market_dispersion", "spread of P&L between the traders in the session", (), "own scales", _dispersion),
    *(
        Feature(
            f"market_size_ratio_{half_life}",
            f"size of all traders' P&L, half-life {half_life} sessions",
            (half_life,),
            "own scales",
            _size_ratio,
        )
        for half_life in (1, 4, 15)
    ),
    *(
        Feature(
            f"market_trades_ratio_{half_life}",
            f"fills of all traders against their norms, half-life {half_life} sessions",
            (half_life,),
            "ratio",
            _trades_ratio,
        )
        for half_life in (1, 5)
    ),
    Feature("market_active_count", "traders active in the session", (), "traders", _active_count),
)
"""Measured on `MarketView`, over the sessions with at least one active account."""

SHOWN_FEATURES = (
    Feature("early_pnl_share", "share of the first hour in P&L", (), "ratio, signed", history.early_pnl_share),
    Feature("late_pnl_share", "share of the last hour in P&L", (), "ratio, signed", history.late_pnl_share),
    Feature("symbol_concentration", "concentration on few symbols", (), "ratio", history.symbol_concentration),
    Feature(
        "overnight_exposure",
        "positions at the close against usual turnover",
        (20,),
        "ratio",
        history.overnight_exposure,
    ),
)
"""Measured on `history.OwnHistory` for people only: learning from them has cost loss (CONTRIBUTING, forecast)."""

LEARNED_FEATURES = OWN_FEATURES + CALENDAR_FEATURES + MARKET_FEATURES
LEARNED_NAMES = tuple(feature.name for feature in LEARNED_FEATURES)
FEATURES = LEARNED_FEATURES + SHOWN_FEATURES
