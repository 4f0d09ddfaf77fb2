"""Turn fills and marks into positions and daily P&L."""

from __future__ import annotations

from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.base import RunOperator


class AggregatePnlOperator(RunOperator):
    """Recompute positions and daily P&L of the accounts whose inputs changed, from the earliest change on.

    The accounting identity is checked a second way in SQL; a cent of difference fails the task and stores nothing.
    """

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Bring the books up to date with what the run knows."""
        from risk.books.warehouse import aggregate

        books = aggregate(connection, run)
        return {
            "account_session_count": books.account_session_count,
            "recomputed_account_count": books.recomputed_account_count,
            "incomplete_count": books.incomplete_count,
        }
