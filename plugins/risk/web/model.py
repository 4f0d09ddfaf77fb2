"""What the page of the model reads from the warehouse: its card, and what the gate has found since."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from risk.core.errors import RequestError
from risk.core.warehouse import Connection, records
from risk.model.gate import SMALLEST_IMPROVEMENT
from risk.web.charts import Chart, Curves, Reliability, curves_chart, reliability_chart, threshold_chart
from risk.web.reading import Row

SHOWN_MODELS = 20


@dataclass(frozen=True, slots=True)
class ModelView:
    """The page of the model.

    Attributes
    ----------
    model
        Identity and card; ``None`` = none was trained.
    models
        The newest ones, to look at.
    reliability, weights, gate
        Charts; ``None`` where the card or the gate has nothing to draw.
    judged_count
        Sessions the gate has judged.
    judgments
        The newest of them, newest first.
    """

    model: Row | None
    models: Sequence[Row]
    reliability: Reliability | None
    weights: Curves | None
    gate: Chart | None
    judged_count: int
    judgments: Sequence[Row]

    @property
    def widening_ratio(self) -> float:
        """By how much the calibration widens the mixture's forecast losses; negative = narrows."""
        return math.expm1(self.model["card"]["calibration"]) if self.model else 0.0

    @property
    def drifts(self) -> Sequence[str]:
        """Sentences about inputs and breaches of late, from the newest judgment."""
        return self.judgments[0]["drifts"] if self.judgments else ()


def read_model_page(connection: Connection, model_id: int | None, row_count: int) -> ModelView:
    """Read a model's card and the gate's newest judgments; without a number the newest model.

    Raises
    ------
    RequestError
        If there is no model of this number.
    """
    found = records(connection, "risk_page/select_model", {"model_id": model_id})
    if not found and model_id is not None:
        raise RequestError(f"No model has the number {model_id}: look at the list of models.")
    judgments = records(connection, "risk_page/select_gate_history")
    card = found[0]["card"] if found else {}
    improvements = [(row["session_date"], row["improvement"]) for row in judgments if row["improvement"] is not None]
    return ModelView(
        found[0] if found else None,
        records(connection, "risk_page/select_models", {"row_count": SHOWN_MODELS}),
        reliability_chart(card.get("checks", {}).get("levels", ())),
        _weights(card),
        threshold_chart(improvements, SMALLEST_IMPROVEMENT),
        len(judgments),
        judgments[: -row_count - 1 : -1],
    )


def _weights(card: Row) -> Curves | None:
    """Draw what cards have told since they tell it: the experts' weights at the end of each week."""
    course = card.get("course")
    if not course:
        return None
    days = [dt.date.fromisoformat(day) for day in course["session_dates"]]
    return curves_chart(days, course["weights"])
