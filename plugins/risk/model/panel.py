"""The panel every model step reads: daily results and trading measures, sessions by accounts.

pandas is imported where it is used: the pages of Airflow's API server need the names of this module only, and pandas
would double that server's share of memory.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import sessions_between
from risk.core.settings import TAIL_PROBABILITY
from risk.core.warehouse import Connection, statement

if TYPE_CHECKING:
    import pandas as pd

FloatMatrix = NDArray[np.float64]
FloatTensor = NDArray[np.float32]

SCALE_DECAY = 0.97
"""Weight of the past in an account's typical daily P&L: half of it is younger than 23 active sessions."""

FORECAST_WITHIN_SESSIONS = 30
"""An account is forecast until so many sessions after its last one: a property of the stored forecasts, not policy."""

RETURN_AFTER_SESSIONS = 45
"""After so many sessions without an active one, a trader who returns is counted anew: his past says little of him."""

MINIMUM_HISTORY_SESSIONS = 5
"""Active sessions before an account is forecast and before its residuals are pooled: its scale means little earlier."""


@dataclass(frozen=True)
class Measures:
    """What is measured of account-sessions: float64 matrices of one shape, a session or row by an account or column.

    Attributes
    ----------
    total_pnl_usd
        Net P&L plus unrealized delta, US dollars, gains positive.
    fill_count
        Executions.
    turnover_usd
        Sum of quantity times price times multiplier, US dollars.
    fees_usd
        Fees, US dollars, costs positive.
    volume
        Sum of quantities, shares or contracts.
    early_pnl_usd, late_pnl_usd
        P&L of the first and of the last hour, before fees, US dollars, gains positive.
    holding_seconds
        How long a dollar was held on average.
    adds_to_loser_count
        Executions that enlarged a losing position.
    concentration_ratio
        Sum of the squared shares of the symbols in turnover: 1 = one symbol.
    overnight_usd
        Value of all positions at the close, long and short alike, US dollars.
    """

    total_pnl_usd: FloatMatrix
    fill_count: FloatMatrix
    turnover_usd: FloatMatrix
    fees_usd: FloatMatrix
    volume: FloatMatrix
    early_pnl_usd: FloatMatrix
    late_pnl_usd: FloatMatrix
    holding_seconds: FloatMatrix
    adds_to_loser_count: FloatMatrix
    concentration_ratio: FloatMatrix
    overnight_usd: FloatMatrix


MEASURES = tuple(field.name for field in fields(Measures))
"""Measures of an account-session, the result first."""


@dataclass(frozen=True)
class Panel(Measures):
    """Daily results of every account on consecutive sessions; the measures are ``(n_sessions, n_accounts)``.

    A cell is NaN where the account had no fills in the session or its books are incomplete: neither is a P&L of zero.
    A session in which a position is only carried has a total P&L without a fill; nobody traded, so it is no active
    session, and what it earned or lost is in no measure of the trader's behavior.

    Attributes
    ----------
    session_dates
        The sessions, ascending, without a gap in the exchange's calendar.
    account_ids
        The accounts, ascending.
    """

    session_dates: tuple[dt.date, ...]
    account_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        session_dates: Iterable[dt.date],
        account_ids: Iterable[str],
        total_pnl_usd: FloatMatrix,
        **measures: FloatMatrix,
    ) -> Self:
        """Make a panel of matrices ``(n_sessions, n_accounts)``; measures that are not given are unknown: NaN."""
        known = dict.fromkeys(MEASURES, np.full_like(total_pnl_usd, np.nan)) | {"total_pnl_usd": total_pnl_usd}
        return cls(session_dates=tuple(session_dates), account_ids=tuple(account_ids), **{**known, **measures})

    @classmethod
    def of_cells(cls, cells: pd.DataFrame, through_session_date: dt.date) -> Self:
        """Lay out account-sessions densely, up to a session.

        Parameters
        ----------
        cells
            One row per account-session: ``account_id``, ``session_date`` and any of the measures. The panel begins
            with the first of these sessions; without a row it has no session and no account.
        through_session_date
            Last session of the panel.
        """
        import pandas as pd

        if cells.empty:
            return cls.of((), (), np.empty((0, 0)))
        days = tuple(sessions_between(cells["session_date"].min().date(), through_session_date))
        account_ids = tuple(sorted(cells["account_id"].unique()))
        columns = pd.MultiIndex.from_product([MEASURES, account_ids], names=["measure", "account_id"])
        wide = cells.pivot(index="session_date", columns="account_id")
        wide = wide.reindex(index=pd.DatetimeIndex(days, name="session_date"), columns=columns).astype(np.float64)
        # Arrays, not a DataFrame: taking a row of one costs 38 microseconds, of an array 0.07, and a walk-forward takes
        # some 10,000 of them.
        matrices = np.ascontiguousarray(wide.to_numpy()).reshape(len(days), len(MEASURES), len(account_ids))
        measures = {name: matrices[:, number] for number, name in enumerate(MEASURES)}
        return cls(session_dates=days, account_ids=account_ids, **measures)

    @cached_property
    def is_active(self) -> NDArray[np.bool_]:
        """Where an account traded and its books are complete, ``(n_sessions, n_accounts)``."""
        return np.isfinite(self.total_pnl_usd)

    def through(self, session_count: int) -> Panel:
        """Return the panel as it stood after its first sessions."""
        known = {measure: getattr(self, measure)[:session_count] for measure in MEASURES}
        return Panel.of(self.session_dates[:session_count], self.account_ids, **known)

    def of_accounts(self, columns: Sequence[int] | NDArray[np.int64]) -> Panel:
        """Return the panel of some accounts, named by their positions, in that order."""
        known = {measure: getattr(self, measure)[:, columns] for measure in MEASURES}
        return Panel.of(self.session_dates, [self.account_ids[column] for column in columns], **known)

    def latest_active(self) -> NDArray[np.int64]:
        """Return the row of each account's last active session so far, ``(n_sessions, n_accounts)``; -1 = none yet."""
        numbers = np.arange(len(self.session_dates), dtype=np.int64)[:, None]
        return np.maximum.accumulate(np.where(self.is_active, numbers, -1), axis=0)

    def active_counts(self) -> NDArray[np.int64]:
        """Count each account's active sessions so far, ``(n_sessions, n_accounts)``.

        Who returns after 45 sessions without an active one is counted anew, from the session of his return on.
        """
        numbers = np.arange(len(self.session_dates), dtype=np.int64)[:, None]
        counts = np.cumsum(self.is_active, axis=0)
        latest = self.latest_active()
        before = np.vstack([np.full((1, len(self.account_ids)), -1, np.int64), latest])[:-1]
        is_return = self.is_active & (before >= 0) & (numbers - before > RETURN_AFTER_SESSIONS)
        # Counts only grow: the largest so far is that before the last return.
        return counts - np.maximum.accumulate(np.where(is_return, counts - 1, 0), axis=0)


@dataclass(frozen=True, slots=True)
class FeaturePanel:
    """A panel with its features and what every expert needs of it.

    Attributes
    ----------
    panel
        The results.
    features
        ``(n_sessions, n_accounts, n_features)`` float32: row t is known after session t, NaN = not defined.
    feature_names
        Their names.
    scale
        Typical daily P&L after each session, ``(n_sessions, n_accounts)``, US dollars, see `ewma_scale`.
    has_forecast
        Where a forecast is issued, ``(n_sessions, n_accounts)``, see `has_forecast`.
    """

    panel: Panel
    features: FloatTensor
    feature_names: tuple[str, ...]
    scale: FloatMatrix
    has_forecast: NDArray[np.bool_]


def feature_panel(panel: Panel, features: pd.DataFrame, feature_names: tuple[str, ...]) -> FeaturePanel:
    """Put together what the experts need.

    Parameters
    ----------
    panel
        The results.
    features
        As `risk.model.build_features.build_features` computes or `read_features` reads them: (session, account) by
        feature, every cell of the panel in its order.
    feature_names
        What the experts learn from: neighboring columns of the features.

    Raises
    ------
    ValueError
        If the features are not those of the panel.
    """
    named = features.loc[:, feature_names[0] : feature_names[-1]]
    if tuple(named.columns) != feature_names or len(named) != panel.total_pnl_usd.size:
        raise ValueError(f"Features of shape {named.shape} are not those of the panel {panel.total_pnl_usd.shape}.")
    tensor = named.to_numpy().reshape(*panel.total_pnl_usd.shape, len(feature_names))
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    return FeaturePanel(panel, tensor, feature_names, scale, has_forecast(panel, scale))


def has_forecast(panel: Panel, scale: FloatMatrix) -> NDArray[np.bool_]:
    """Say where a forecast is issued, ``(n_sessions, n_accounts)``.

    That takes at least 5 active sessions, the last of them within 30 sessions, and a scale above 0.
    """
    latest = panel.latest_active()
    sessions_absent = np.arange(len(panel.session_dates))[:, None] - latest
    has_history = np.cumsum(panel.is_active, axis=0) >= MINIMUM_HISTORY_SESSIONS
    return has_history & (scale > 0.0) & (latest >= 0) & (sessions_absent < FORECAST_WITHIN_SESSIONS)


def read_panel(connection: Connection, through_session_date: dt.date) -> Panel:
    """Read the history of all accounts, legacy ones included because history is pooled.

    Parameters
    ----------
    connection
        The warehouse; nothing is written.
    through_session_date
        Last session of the panel. The first is that of the first row of ``daily_pnl``; between them lies every session
        of the exchange. Without any row the panel has no session and no account.
    """
    cells = read_frame(connection, "panel/select_daily_pnl", {"through_session_date": through_session_date})
    cells.loc[~(cells["fill_count"] > 0) | cells["total_pnl_usd"].isna(), [*MEASURES]] = np.nan
    return Panel.of_cells(cells, through_session_date)


def read_frame(
    connection: Connection, name: str, binds: Mapping[str, Any], dtypes: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Read one statement file into a DataFrame; ``account_id`` is text, ``session_date`` a timestamp.

    Numbers come back bit by bit. They travel as CSV: as Python objects, 32 bytes each, the features of a large desk
    would need eight times the memory.
    """
    import pandas as pd

    with connection.cursor() as cursor, tempfile.TemporaryFile() as file:
        query = cursor.mogrify(statement(name).rstrip().removesuffix(";"), binds)
        cursor.copy_expert(b"copy (" + query + b"\n) to stdout (format csv, header)", file)
        file.seek(0)
        return pd.read_csv(
            file,
            dtype={"account_id": str, **(dtypes or {})},
            parse_dates=["session_date"],
            keep_default_na=False,
            na_values=[""],
        )


def ewma_scale(pnl_usd: FloatMatrix, decay: float) -> FloatMatrix:
    """Compute the exponentially weighted root mean square of past P&L after each session.

    Parameters
    ----------
    pnl_usd
        ``(n_sessions, n_accounts)``, US dollars, NaN where an account was not active.
    decay
        Weight of the past, in (0, 1).

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, US dollars, never negative: ``s`` after the session, carried over sessions
        without activity, NaN before the first one, where it is the absolute P&L.

    Notes
    -----
    ``s[t]^2 = decay s[t-1]^2 + (1 - decay) x[t]^2``. Source: RiskMetrics Technical Document (1996), eq. 5.3.
    pandas' ``ewm(alpha=1 - decay, adjust=False, ignore_na=True)`` is the same recursion at the same speed and differs
    in the last bit; this one is part of the frozen numbers, because features and forecasts start from it.
    """
    mean_squares = np.full_like(pnl_usd, np.nan)
    current = np.full(pnl_usd.shape[1], np.nan)
    for number, squares in enumerate(pnl_usd * pnl_usd):
        updated = np.where(np.isnan(current), squares, decay * current + (1.0 - decay) * squares)
        current = np.where(np.isnan(squares), current, updated)
        mean_squares[number] = current
    return np.sqrt(mean_squares)


def sorted_quantile(ascending: Sequence[float] | NDArray[np.float64], probability: float = TAIL_PROBABILITY) -> float:
    """Interpolate a quantile of ascending values.

    Source: Hyndman and Fan (1996), definition 7. ``np.quantile`` takes 300 times as long (177 against 0.5
    microseconds), in loops that insert one value at a time.
    """
    position = (len(ascending) - 1) * probability
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return float(ascending[below] + (position - below) * (ascending[above] - ascending[below]))
