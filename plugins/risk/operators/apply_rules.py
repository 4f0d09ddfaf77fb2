"""Decide a cut for every active account."""

from __future__ import annotations

from typing import Any

from risk.database import Connection
from risk.operators.base import RunOperator
from risk.runs import Run


class ApplyRulesOperator(RunOperator):
    """Store one recommendation, with source and reasons, for every active account."""

    recalled_task = "predict_limits"

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Apply the rules and show the forecast beside them."""
        from risk.decision import store_recommendations

        return {"recommendation_count": store_recommendations(connection, run)}
