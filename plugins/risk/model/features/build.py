"""Computing all features of a panel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from risk.model.features.history import OwnHistory, ratio
from risk.model.features.table import (
    CALENDAR_FEATURES,
    FEATURES,
    MARKET_FEATURES,
    OWN_FEATURES,
    SHOWN_FEATURES,
    CalendarView,
    MarketView,
)
from risk.model.panel import MATRICES, SCALE_DECAY, FloatMatrix, Panel, ewma_scale

FeatureTensor = NDArray[np.float32]

TRADE_NORM_HALF_LIFE = 60

THREADS = 2
"""Blocks measured side by side: numpy works outside Python's lock."""

BLOCK_ACCOUNTS = 64
"""Accounts measured together: 64 x 625 float64 are 320 kB a matrix, which stays in the processor's cache."""


def build_features(panel: Panel, effective_session: dt.date) -> FeatureTensor:
    """Compute what is known after each session's close, for the session after it.

    Parameters
    ----------
    panel
        The history.
    effective_session
        The session after the panel's last one.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts, n_features)`` in the order of `FEATURES`, NaN where a feature is not defined (yet).
        float32, because ratios and counts need no more than its seven digits: 10,000 accounts x 625 sessions are
        0.6 GB instead of 1.2 GB, and what is stored is exactly what was computed. In memory each feature is one plane.

    Notes
    -----
    Row t depends on rows up to t and the calendar only; each account's own features depend on that account only.
    There is no state carried from morning to morning that could differ from the history it stands for: a whole
    recomputation is cheap (see bench/features.py) and is the incremental update.
    """
    planes = np.empty((len(FEATURES), *panel.total_pnl_usd.shape), dtype=np.float32)
    if planes.size == 0:
        return np.moveaxis(planes, 0, -1)
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    # First, while most planes are not in memory yet: these work on whole matrices.
    _measure_shared(planes[len(OWN_FEATURES) :], panel, scale, effective_session)

    def measure(start: int) -> None:
        block = slice(start, start + BLOCK_ACCOUNTS)
        own = [*planes[: len(OWN_FEATURES)], *planes[len(planes) - len(SHOWN_FEATURES) :]]
        for plane, measured in zip(own, _own_values(panel, scale, block), strict=True):
            plane[:, block] = measured

    # Blocks write columns of their own, so that threads change no byte.
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        list(pool.map(measure, range(0, len(panel.account_ids), BLOCK_ACCOUNTS)))
    return np.moveaxis(planes, 0, -1)


def _measure_shared(planes: FeatureTensor, panel: Panel, scale: FloatMatrix, effective_session: dt.date) -> None:
    """Write what belongs to all accounts alike, the calendar and the market, into the first of the planes."""
    latest = panel.latest_active()
    has_history = latest >= 0
    shared = _calendar_values(panel, latest, effective_session) + _market_values(panel, scale)
    for plane, measured in zip(planes, shared, strict=False):
        plane[:] = np.where(has_history, measured, np.nan)


def _own_values(panel: Panel, scale: FloatMatrix, block: slice) -> Iterator[FloatMatrix]:
    is_active = np.isfinite(panel.total_pnl_usd[:, block])
    active_count = np.cumsum(is_active, axis=0)
    columns = np.arange(is_active.shape[1])
    # A stable sort of "not active" lists each column's active sessions first and in their order.
    packing = np.argsort(~is_active, axis=0, kind="stable")[: max(int(active_count[-1].max()), 1)]
    packing = packing * len(columns) + columns
    unpacking = np.maximum(active_count - 1, 0) * len(columns) + columns
    matrices = {name: getattr(panel, name) for name in MATRICES[1:]}
    matrices |= {"pnl_usd": panel.total_pnl_usd, "scale_usd": scale}
    own = OwnHistory(**{name: np.take(matrix[:, block], packing) for name, matrix in matrices.items()})
    has_history = active_count > 0
    for feature in OWN_FEATURES + SHOWN_FEATURES:
        yield np.where(has_history, np.take(feature.measure(own, *feature.windows), unpacking), np.nan)


def _calendar_values(panel: Panel, latest: NDArray[np.int64], effective_session: dt.date) -> list[FloatMatrix]:
    numbers = np.arange(len(panel.session_dates), dtype=np.float64)[:, None]
    effective_sessions = (*panel.session_dates[1:], effective_session)
    view = CalendarView(
        sessions_absent=numbers - latest,
        effective_weekdays=np.array([[float(day.weekday())] for day in effective_sessions]),
    )
    return [feature.measure(view) for feature in CALENDAR_FEATURES]


def _market_values(panel: Panel, scale: FloatMatrix) -> list[FloatMatrix]:
    # Sorted in place, and rows without anybody left out as soon as they are known: a large desk is 50 MB a matrix.
    z = ratio(panel.total_pnl_usd, scale)
    has_active = np.isfinite(z).any(axis=1)
    z = z[has_active]
    z.sort(axis=1)
    trade_logs = ratio(panel.fill_count, _trade_norms(panel.fill_count))[has_active]
    np.log(trade_logs, out=trade_logs)
    trade_logs.sort(axis=1)
    view = MarketView(
        z,
        np.count_nonzero(np.isfinite(z), axis=1),
        trade_logs,
        np.count_nonzero(np.isfinite(trade_logs), axis=1),
    )
    values = np.full((len(MARKET_FEATURES), len(scale)), np.nan)
    for number, feature in enumerate(MARKET_FEATURES):
        values[number, has_active] = feature.measure(view, *feature.windows)
    return [row[:, None] for row in values]


def _trade_norms(fill_count: FloatMatrix) -> FloatMatrix:
    """Average each account's fills over its active sessions so far, faded with a half-life of 60 of them."""
    weight = 0.5 ** (1.0 / TRADE_NORM_HALF_LIFE)
    total, count = np.zeros(fill_count.shape[1]), np.zeros(fill_count.shape[1])
    norms = np.full_like(fill_count, np.nan)
    for number, fills in enumerate(fill_count):
        is_active = np.isfinite(fills)
        total = np.where(is_active, weight * total + fills, total)
        count = np.where(is_active, weight * count + 1.0, count)
        norms[number] = total / np.where(count > 0.0, count, np.nan)
    return norms
