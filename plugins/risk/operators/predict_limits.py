"""Forecast the next session's 5 % quantile of every account."""

from __future__ import annotations

from typing import Any

from risk.database import Connection
from risk.operators.base import RunOperator
from risk.runs import Run


class PredictLimitsOperator(RunOperator):
    """Store one-step-ahead forecasts: the next session's, and past ones that are missing."""

    recalled_task = "build_features"

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Forecast with what was known at each session's close."""
        from risk.forecast import store_forecasts

        return {"forecast_count": store_forecasts(connection, run)}
