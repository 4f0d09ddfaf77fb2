"""P&L by the vendor's method: fills and marks become positions and daily results.

Closing picks lots by intra-day FIFO, then overnight FIFO. ``daily_pnl`` needs no warehouse; ``aggregate`` keeps
the warehouse's positions and daily_pnl at the newest knowledge and proves them a second way in SQL.
"""

from __future__ import annotations

from risk.pnl.adjustments import booked_adjustments
from risk.pnl.cache import Aggregate, aggregate
from risk.pnl.daily import DailyPnl, account_sessions, daily_pnl

__all__ = ["Aggregate", "DailyPnl", "account_sessions", "aggregate", "booked_adjustments", "daily_pnl"]
