"""Reconciliation: the books beside what the source's own books say."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute

CHECK_NAME: Final = "totals_agree"
TOLERANCE_USD: Final = Decimal("0.01")
MONEY_FORMAT: Final = "FMMI$999,999,999,999,990.00"
"""As the mail writes dollars, for Postgres."""

WINDOW_SESSIONS: Final = 20
"""A difference is told each morning for so many sessions, or until it is settled."""


def reconcile(connection: Connection, run: Run) -> None:
    """Store where gross or net differ from the source's own totals, among the run's verdicts; the caller commits."""
    binds = {
        "run_id": run.run_id,
        "check_name": CHECK_NAME,
        "session_date": run.session_date,
        "as_of": run.as_of,
        "window_sessions": WINDOW_SESSIONS,
        "tolerance_usd": TOLERANCE_USD,
        "money": MONEY_FORMAT,
    }
    execute(connection, "aggregate_pnl/delete_quality_results", binds)
    execute(connection, "aggregate_pnl/insert_quality_results", binds)
