"""The task build_features: every feature of every account and session, and the table that holds them by name."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import io
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.core.errors import FeatureError
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, writing
from risk.model import features as formulas
from risk.model.features import FEATURE_NAMES, ActiveSessions, ratio
from risk.model.panel import (
    FORECAST_WITHIN_SESSIONS,
    MEASURES,
    SCALE_DECAY,
    FloatMatrix,
    FloatTensor,
    Panel,
    ewma_scale,
    read_frame,
    read_panel,
)

TRADE_NORM_HALF_LIFE = 60

THREADS = 2
"""Blocks measured side by side: numpy works outside Python's lock."""

BLOCK_ACCOUNTS = 64
"""Accounts measured together: 64 x 625 float64 are 320 kB a matrix, which stays in the processor's cache."""

ROWS_SENT = 10_000
"""Rows of features sent at once: 8 MB of text."""


def _feature_set_version() -> str:
    definitions = "".join(Path(str(file)).read_text(encoding="utf-8") for file in (formulas.__file__, __file__))
    return hashlib.sha256(f"{definitions}{inspect.getsource(ewma_scale)}{SCALE_DECAY}".encode()).hexdigest()[:12]


FEATURE_SET_VERSION = _feature_set_version()
"""Names the table of features and the code that computes them; stored in every row of ``features``."""


def build_features(panel: Panel, effective_session: dt.date) -> pd.DataFrame:
    """Compute what is known after each session's close, for the session after it.

    Parameters
    ----------
    panel
        The history.
    effective_session
        The session after the panel's last one.

    Returns
    -------
    DataFrame
        (session_date, account_id), every cell of the panel, by feature in the order of `FEATURES`; NaN where a feature
        is not defined (yet). float32, because ratios and counts need no more than its seven digits: 10,000 accounts x
        625 sessions are 1.2 GB instead of 2.4 GB. In memory each feature is one plane, so that
        ``frame.to_numpy().reshape(n_sessions, n_accounts, n_features)`` copies nothing.

    Notes
    -----
    Row t depends on rows up to t and the calendar only; each account's own features depend on that account only.
    No state is carried from morning to morning that could differ from the history it stands for: a whole recomputation
    is cheap (see bench/features.py) and is the incremental update. The formulas work on numpy arrays: pandas' groupby
    and rolling took 13 s and 2.5 GB for 10,000 accounts x 625 sessions, these take 3 s.
    """
    planes = np.empty((len(FEATURE_NAMES), *panel.total_pnl_usd.shape), dtype=np.float32)
    if planes.size:
        plane_of = dict(zip(FEATURE_NAMES, planes, strict=True))
        scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
        # First, while most planes are not in memory yet: these work on whole matrices.
        _measure_shared(plane_of, panel, scale, effective_session)
        starts = range(0, len(panel.account_ids), BLOCK_ACCOUNTS)
        # Blocks write columns of their own, so that threads change no byte.
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            list(pool.map(partial(_measure_own, plane_of, panel, scale), starts))
    return _frame(panel, planes)


def _frame(panel: Panel, planes: FloatTensor) -> pd.DataFrame:
    """Name the rows and columns of planes ``(n_features, n_sessions, n_accounts)`` without copying them."""
    days = pd.DatetimeIndex([*panel.session_dates])
    index = pd.MultiIndex.from_product([days, [*panel.account_ids]], names=["session_date", "account_id"])
    return pd.DataFrame(planes.reshape(len(planes), -1).T, index=index, columns=[*FEATURE_NAMES], copy=False)


def _measure_own(plane_of: dict[str, FloatTensor], panel: Panel, scale: FloatMatrix, start: int) -> None:
    """Measure a block of accounts over their packed active sessions, and unpack: between them the last value stays."""
    block = slice(start, start + BLOCK_ACCOUNTS)
    is_active = panel.is_active[:, block]
    active_count = np.cumsum(is_active, axis=0)
    columns = np.arange(is_active.shape[1])
    # A stable sort of "not active" lists each column's active sessions first and in their order.
    packing = np.argsort(~is_active, axis=0, kind="stable")[: max(int(active_count[-1].max()), 1)]
    packing = packing * len(columns) + columns
    unpacking = np.maximum(active_count - 1, 0) * len(columns) + columns
    matrices = {"scale_usd": scale, **{name: getattr(panel, name) for name in MEASURES}}
    sessions = ActiveSessions(**{name: np.take(matrix[:, block], packing) for name, matrix in matrices.items()})
    for name, values in chain(formulas.pnl_features(sessions), formulas.trading_features(sessions)):
        plane_of[name][:, block] = np.where(active_count > 0, np.take(values, unpacking), np.nan)


def _measure_shared(
    plane_of: dict[str, FloatTensor], panel: Panel, scale: FloatMatrix, effective_session: dt.date
) -> None:
    """Write the features of the calendar and the market; an account has none before its first active session."""
    latest = panel.latest_active()
    numbers = np.arange(len(panel.session_dates), dtype=np.float64)[:, None]
    next_sessions = (*panel.session_dates[1:], effective_session)
    next_weekdays = np.array([[float(day.weekday())] for day in next_sessions])
    # Sorted in place, and rows without anybody left out as soon as they are known: a large desk is 50 MB a matrix.
    z = ratio(panel.total_pnl_usd, scale)
    has_active = np.isfinite(z).any(axis=1)
    z = z[has_active]
    z.sort(axis=1)
    trade_logs = ratio(panel.fill_count, _trade_norms(panel.fill_count))[has_active]
    np.log(trade_logs, out=trade_logs)
    trade_logs.sort(axis=1)
    plane_of["sessions_absent"][:] = np.where(latest >= 0, numbers - latest, np.nan)
    plane_of["weekday"][:] = np.where(latest >= 0, next_weekdays, np.nan)
    for name, values in formulas.market_features(z, trade_logs):
        column = np.full((len(scale), 1), np.nan)
        column[has_active, 0] = values
        plane_of[name][:] = np.where(latest >= 0, column, np.nan)


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


def store_features(connection: Connection, run: Run) -> int:
    """Store the features of the run's session and of every earlier one where they are missing or have changed.

    Rows of later sessions are left alone, so that an older session may run again at any time. An account has a row
    in each session while it counts as active: for 30 sessions from its last one on.

    Returns
    -------
    int
        Rows written or removed; 0 when nothing has changed.
    """
    panel = read_panel(connection, run.session_date)
    features = build_features(panel, run.effective_session)
    stored = np.flatnonzero(features["sessions_absent"] < FORECAST_WITHIN_SESSIONS)
    columns = ", ".join(("account_id", "session_date", "feature_set_version", *FEATURE_NAMES))
    with writing(connection), connection.cursor() as cursor:
        execute(connection, "build_features/create_incoming_features")
        # In parts of a bounded size; the doubles are the float32 exactly.
        for start in range(0, len(stored), ROWS_SENT):
            part = features.iloc[stored[start : start + ROWS_SENT]].astype(np.float64).swaplevel()
            part.insert(0, "feature_set_version", FEATURE_SET_VERSION)
            lines = io.StringIO(part.to_csv(None, header=False, date_format="%Y-%m-%d"))
            cursor.copy_expert(f"copy pg_temp.incoming_features ({columns}) from stdin (format csv)", lines)
        removed = execute(connection, "build_features/delete_features", {"session_date": run.session_date})
        return removed + execute(connection, "build_features/merge_features")


def read_features(connection: Connection, panel: Panel, needed: NDArray[np.bool_]) -> pd.DataFrame:
    """Read the stored features of a panel, by name.

    Parameters
    ----------
    connection
        The warehouse; nothing is written.
    panel
        Its sessions and accounts are the rows.
    needed
        Account-sessions that must be there, ``(n_sessions, n_accounts)``.

    Returns
    -------
    DataFrame
        As `build_features` computed it, bit by bit; NaN where no row is stored.

    Raises
    ------
    FeatureError
        If a needed row is missing or was computed by other formulas than today's.
    """
    if not panel.session_dates:
        return _frame(panel, np.empty((len(FEATURE_NAMES), 0, 0), dtype=np.float32))
    stored = read_frame(
        connection,
        "build_features/select_features",
        {"through_session_date": panel.session_dates[-1]},
        dict.fromkeys(FEATURE_NAMES, np.float32) | {"feature_set_version": str},
    )
    row = pd.DatetimeIndex([*panel.session_dates]).get_indexer(pd.DatetimeIndex(stored["session_date"]))
    column = pd.Index([*panel.account_ids]).get_indexer(pd.Index(stored["account_id"]))
    is_known = (row >= 0) & (column >= 0)
    is_today = (stored["feature_set_version"] == FEATURE_SET_VERSION).to_numpy()
    is_used = is_known & is_today
    planes = np.full((len(FEATURE_NAMES), *needed.shape), np.nan, dtype=np.float32)
    planes[:, row[is_used], column[is_used]] = stored.loc[is_used, [*FEATURE_NAMES]].to_numpy().T
    is_missing = needed.copy()
    is_missing[row[is_used], column[is_used]] = False
    if is_missing.any():
        raise FeatureError(
            _missing_sentence(panel, is_missing, stored.loc[is_known & ~is_today, "feature_set_version"])
        )
    return _frame(panel, planes)


def _missing_sentence(panel: Panel, is_missing: NDArray[np.bool_], other_versions: pd.Series[str]) -> str:
    row, column = np.argwhere(is_missing)[0].tolist()
    cell = f"{panel.account_ids[column]} on {panel.session_dates[row]}"
    remedy = "Clear task build_features, then this task."
    if len(other_versions):
        return (
            f"The stored features are of version {other_versions.iloc[0]}, this code computes {FEATURE_SET_VERSION} "
            f"(first: {cell}). {remedy}"
        )
    return f"No features are stored for {cell} ({int(is_missing.sum())} account-sessions in all). {remedy}"
