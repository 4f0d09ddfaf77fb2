"""The check against leakage finds nothing in the pipeline and every leak planted in it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench.forecast import panel_of_truth
from risk.core.calendar import next_session
from risk.core.errors import LeakError
from risk.model.leakage import Leak, Pipeline, require_no_leak, self_check
from risk.model.panel import Panel
from simulation.truth import draw
from tests.policies import CUT_FUNCTIONS
from tests.properties.planted_leaks import LEAKS

ROW = 67
"""A Monday: models are refitted, and the next calendar day is a session."""


@pytest.fixture(scope="module")
def desk() -> Panel:
    """Five traders over 72 sessions, of whom one stops early; the first model is fitted around session 55."""
    panel = panel_of_truth(draw("strong", 5, 72, 5))
    drawn = np.random.default_rng(1).random((6, *panel.total_pnl_usd.shape))
    conduct = ("early_pnl_usd", "late_pnl_usd", "holding_seconds", "concentration_ratio", "overnight_usd")
    known = {name: drawn[number] * 100.0 for number, name in enumerate(conduct)}
    known["adds_to_loser_count"] = np.floor(drawn[5] * panel.fill_count)
    known = {name: np.where(panel.is_active, values, np.nan) for name, values in known.items()}
    return dataclasses.replace(panel, **known)


def test_the_pipeline_has_no_leak(desk: Panel) -> None:
    assert self_check(desk, next_session(desk.session_dates[-1]), [4, ROW], Pipeline(CUT_FUNCTIONS)) == []


@pytest.mark.parametrize("name", list(LEAKS))
def test_a_planted_leak_is_caught_by_name(desk: Panel, name: str) -> None:
    output, pipeline = LEAKS[name]
    leaks = self_check(desk, next_session(desk.session_dates[-1]), [ROW], pipeline)
    assert {leak.output for leak in leaks} == {output}


def test_a_leak_stops_the_training(desk: Panel) -> None:
    leak = Leak("last_z", desk.session_dates[ROW], "deleted")
    with pytest.raises(LeakError, match=r"last_z of .* changes when later sessions are deleted"):
        require_no_leak([leak])
    require_no_leak([])
