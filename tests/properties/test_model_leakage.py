"""The check against leakage finds nothing in the pipeline and every leak planted in it."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest

from bench.forecast import panel_of_truth
from risk.core.calendar import next_session
from risk.core.errors import LeakError
from risk.model.leakage import Leak, Pipeline, require_no_leak, self_check
from risk.model.panel import Panel
from risk.model.train import MID_WEEK, sampled_rows
from risk.model.walk_forward import walk_forward
from simulation.truth import draw
from tests.policies import CUT_FUNCTIONS
from tests.properties.planted_leaks import LEAKS, SHIPPED

CHEAP = {"last_z", "loss_streak", "sessions_absent", "scale", "has_forecast", "rules_cut_ratio"}
"""Outputs that come before any forecast: their leaks are found without one, in milliseconds."""


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


def _leaks(panel: Panel, pipeline: Pipeline, rows: list[int]) -> list[Leak]:
    return self_check(panel, next_session(panel.session_dates[-1]), rows, pipeline)


def _ending_on(desk: Panel, weekday: int) -> Panel:
    """Leave out sessions at the end; the desk's 72 sessions end on a Friday, 4."""
    panel = desk.through(len(desk.session_dates) - (4 - weekday))
    assert panel.session_dates[-1].weekday() == weekday
    return panel


def test_the_pipeline_has_no_leak(desk: Panel) -> None:
    pipeline = Pipeline(CUT_FUNCTIONS, forecasts=partial(walk_forward, prior=SHIPPED))
    assert _leaks(desk, pipeline, sampled_rows(desk.session_dates)) == []


def test_there_are_46_planted_leaks() -> None:
    assert len(LEAKS) == 46


def _thorough_unless(is_tried: bool) -> tuple[pytest.MarkDecorator, ...]:
    return () if is_tried else (pytest.mark.thorough,)


FIRST_OF_OUTPUT = {output: name for name, (output, _) in reversed(LEAKS.items())}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=_thorough_unless(FIRST_OF_OUTPUT[output] == name))
        for number, (name, (output, _)) in enumerate(LEAKS.items())
    ],
)
def test_a_planted_leak_is_caught_by_name(desk: Panel, number: int, name: str) -> None:
    output, pipeline = LEAKS[name]
    panel = _ending_on(desk, number % 5)
    assert {leak.output for leak in _leaks(panel, pipeline, sampled_rows(panel.session_dates))} == {output}


@pytest.mark.parametrize(
    ("name", "weekday"),
    [
        pytest.param(name, weekday, marks=_thorough_unless(number % 5 == weekday))
        for number, name in enumerate(name for name, (output, _) in LEAKS.items() if output in CHEAP)
        for weekday in range(5)
    ],
)
def test_a_leak_is_caught_on_whichever_weekday_the_history_ends(desk: Panel, name: str, weekday: int) -> None:
    output, pipeline = LEAKS[name]
    panel = _ending_on(desk, weekday)
    found = (_leaks(panel, pipeline, [row]) for row in reversed(sampled_rows(panel.session_dates)))
    assert next(leaks for leaks in found if leaks)[0].output == output


@pytest.mark.parametrize("count", range(40, 73))
def test_sampled_sessions_are_two_that_begin_a_week_and_a_late_one_in_mid_week(desk: Panel, count: int) -> None:
    panel = desk.through(count)
    *firsts, late = sampled_rows(panel.session_dates)
    assert len(firsts) == 2
    for row in firsts:
        assert panel.session_dates[row].isocalendar().week != panel.session_dates[row - 1].isocalendar().week
    assert panel.session_dates[late].weekday() in MID_WEEK
    assert 1 <= count - 1 - late <= 4


def test_a_leak_stops_the_training(desk: Panel) -> None:
    leak = Leak("last_z", desk.session_dates[67], "deleted")
    with pytest.raises(LeakError, match=r"last_z of .* changes when later sessions are deleted"):
        require_no_leak([leak])
    require_no_leak([])
