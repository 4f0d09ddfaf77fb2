"""The dense history every model step reads: sessions by accounts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.core.warehouse import Connection, rows

FloatMatrix = NDArray[np.float64]

SCALE_DECAY = 0.97
"""Weight of the past in an account's own scale: half of it is younger than 23 active sessions."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Daily results of every account on consecutive sessions.

    A cell is NaN where the account had no fills in the session or its books are incomplete: neither is a P&L
    of zero. A session in which a position is only carried has a total P&L without a fill; nobody traded, so it is
    no active session, and what it earned or lost is in no measure of the trader's behavior. All matrices have the
    shape ``(n_sessions, n_accounts)`` and dtype float64.

    Attributes
    ----------
    session_dates
        The sessions, ascending, without a gap in the exchange's calendar.
    account_ids
        The accounts, ascending.
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

    session_dates: tuple[dt.date, ...]
    account_ids: tuple[str, ...]
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

    @classmethod
    def of(
        cls,
        session_dates: Sequence[dt.date],
        account_ids: Sequence[str],
        total_pnl_usd: FloatMatrix,
        **known: FloatMatrix,
    ) -> Self:
        """Make a panel of results; what is not given about the fills is unknown: NaN."""
        unknown = np.full_like(total_pnl_usd, np.nan)
        given = {name: known.pop(name, unknown) for name in MATRICES[1:]}
        return cls(tuple(session_dates), tuple(account_ids), total_pnl_usd, **given, **known)

    def __post_init__(self) -> None:
        shape = (len(self.session_dates), len(self.account_ids))
        for name in MATRICES:
            if getattr(self, name).shape != shape:
                raise ValueError(f"Panel.{name} has shape {getattr(self, name).shape}, expected {shape}.")

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Where an account traded and its books are complete, ``(n_sessions, n_accounts)``."""
        return np.isfinite(self.total_pnl_usd)

    def through(self, session_count: int) -> Panel:
        """Return the panel as it stood after its first sessions."""
        matrices = {name: getattr(self, name)[:session_count] for name in MATRICES}
        return replace(self, session_dates=self.session_dates[:session_count], **matrices)

    def latest_active(self) -> NDArray[np.int64]:
        """Return the row of each account's last active session so far, ``(n_sessions, n_accounts)``; -1 = none yet."""
        numbers = np.arange(len(self.session_dates), dtype=np.int64)[:, None]
        return np.maximum.accumulate(np.where(self.is_active, numbers, -1), axis=0)


MATRICES = tuple(field.name for field in fields(Panel))[2:]
"""Names of a panel's matrices, the results first."""


def read_panel(connection: Connection, through_session_date: dt.date) -> Panel:
    """Read the history of all accounts, legacy ones included because history is pooled.

    Parameters
    ----------
    connection
        The warehouse; nothing is written.
    through_session_date
        Last session of the panel. The first is that of the first row of ``daily_pnl``; between them stands every
        session of the exchange. Without any row the panel has no session and no account.
    """
    binds = {"through_session_date": through_session_date}
    session_dates = tuple(day for (day,) in rows(connection, "panel/select_sessions", binds))
    cells = rows(connection, "panel/select_daily_pnl", binds)
    account_ids = tuple(sorted({cell[0] for cell in cells}))
    session_number = {day: number for number, day in enumerate(session_dates)}
    account_number = {account_id: number for number, account_id in enumerate(account_ids)}
    amounts = np.full((len(MATRICES), len(session_dates), len(account_ids)), np.nan)
    for account_id, session_date, total_pnl_usd, fill_count, *other in cells:
        if fill_count > 0 and total_pnl_usd is not None:
            cell = (session_number[session_date], account_number[account_id])
            amounts[:, cell[0], cell[1]] = (total_pnl_usd, fill_count, *other)
    return Panel(session_dates, account_ids, *amounts)


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

    Source: Hyndman and Fan (1996), definition 7.
    """
    position = (len(ascending) - 1) * probability
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return float(ascending[below] + (position - below) * (ascending[above] - ascending[below]))
