"""The dense history every model step reads: sessions by accounts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatMatrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Daily results of every account on consecutive sessions.

    A cell is NaN where the account had no fills in the session or its books are incomplete: neither is a P&L
    of zero. All matrices have the shape ``(n_sessions, n_accounts)`` and dtype float64.

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
    """

    session_dates: tuple[dt.date, ...]
    account_ids: tuple[str, ...]
    total_pnl_usd: FloatMatrix
    fill_count: FloatMatrix
    turnover_usd: FloatMatrix
    fees_usd: FloatMatrix
    volume: FloatMatrix

    def __post_init__(self) -> None:
        shape = (len(self.session_dates), len(self.account_ids))
        for name in ("total_pnl_usd", "fill_count", "turnover_usd", "fees_usd", "volume"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"Panel.{name} has shape {getattr(self, name).shape}, expected {shape}.")

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Where an account traded and its books are complete, ``(n_sessions, n_accounts)``."""
        return np.isfinite(self.total_pnl_usd)

    def through(self, session_count: int) -> Panel:
        """Return the panel as it stood after its first sessions."""
        return Panel(
            self.session_dates[:session_count],
            self.account_ids,
            self.total_pnl_usd[:session_count],
            self.fill_count[:session_count],
            self.turnover_usd[:session_count],
            self.fees_usd[:session_count],
            self.volume[:session_count],
        )
