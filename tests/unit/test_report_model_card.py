"""The card of a trained model: what the page and the mail of the model show."""

from __future__ import annotations

import json

import pytest

from bench.forecast import history_of_truth
from risk.model.experts.prior import ReadPrior
from risk.model.train import fit_last, model_card
from risk.model.walk_forward import walk_forward
from simulation.truth import draw
from tests.policies import CUT_FUNCTIONS


def test_card_has_the_weights_of_every_week_and_is_plain_json() -> None:
    history = history_of_truth(draw("strong", 8, 45, 1))
    forecasts = walk_forward(history)

    card = json.loads(
        json.dumps(
            model_card(history, fit_last(history), forecasts, CUT_FUNCTIONS, ReadPrior(None, "")), allow_nan=False
        )
    )

    course, dates = card["course"], history.panel.session_dates
    weeks = {day.isocalendar()[:2] for day in dates}
    assert len(course["session_dates"]) == len(weeks)
    assert course["session_dates"][-1] == dates[-1].isoformat()
    assert [sum(week) for week in zip(*course["weights"].values(), strict=True)] == pytest.approx(
        [1.0] * len(weeks), abs=1e-3
    )
    assert {name: line[-1] for name, line in course["weights"].items()} == pytest.approx(card["weights"], abs=1e-4)
    # What the page of the model shows.
    shown = {
        "account_count",
        "session_count",
        "versions",
        "record",
        "checks",
        "coverage",
        "calibration",
        "course",
        "inputs",
    }
    assert shown <= set(card)
    assert {"forecast_count", "levels", "joint_p", "zone", "shortfall_statistic", "shortfall_p"} <= set(card["checks"])
    assert set(card["record"]) == {"models", "gate"}
