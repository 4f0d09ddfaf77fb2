"""Decide a cut for every active account."""

from __future__ import annotations

from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.base import RunOperator


class ApplyRulesOperator(RunOperator):
    """Store one recommendation, with source and reasons, for every active account."""

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Update the track record of past cuts, decide on every account, then look for patterns between traders."""
        from risk.desk.store import store_desk
        from risk.limits.decide import apply_rules

        return {"recommendation_count": apply_rules(connection, run), "pattern_count": store_desk(connection, run)}
