"""Describe every account by scale-free numbers known after the session."""

from __future__ import annotations

from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.base import RunOperator


class BuildFeaturesOperator(RunOperator):
    """Store the features of the run's session and of earlier sessions whose P&L changed."""

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Build what is missing or changed."""
        from risk.model.build_features import store_features

        return {"feature_row_count": store_features(connection, run)}
