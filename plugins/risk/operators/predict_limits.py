"""Forecast the next session's 5 % quantile of every account."""

from __future__ import annotations

from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.base import RunOperator


class PredictLimitsOperator(RunOperator):
    """Store one-step-ahead forecasts, why they are what they are, and the bets of the gate."""

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Forecast with what was known at each session's close."""
        from risk.limits.decide import predict

        predicted = predict(connection, run)
        return {
            "forecast_count": predicted.forecast_count,
            "explained_count": predicted.explained_count,
            "model_id": predicted.model_id,
            "serving": predicted.serving,
        }
