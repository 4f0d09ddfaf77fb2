"""Coverage by state: which sessions follow a large loss, a jump of volatility or a break, and what is counted."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bench.forecast import history_of_truth
from risk.core.calendar import sessions_between
from risk.model.panel import SCALE_DECAY, Panel, ewma_scale
from risk.model.states import coverage_by_state, own_states
from risk.model.walk_forward import walk_forward
from simulation.truth import draw


def _states(results: list[float]) -> list[list[int]]:
    """List the sessions in each of the three states, as positions."""
    pnl = np.array(results)[:, None]
    days = sessions_between(dt.date(2025, 1, 2), dt.date(2025, 8, 15))[: len(results)]
    states = own_states(Panel.of(days, ("A",), pnl), ewma_scale(pnl, SCALE_DECAY))
    return [(np.flatnonzero(state[:, 0]) + 1).tolist() for state in states]


NONE = float("nan")


def test_session_after_a_loss_beyond_one_and_a_half_typical_days() -> None:
    # given typical days of 100: a loss of 149, one of 151 before two idle sessions, and the day after
    calm = [100.0, -100.0] * 5
    after_loss, _, _ = _states([*calm, -149.0, 100.0, -100.0])
    assert after_loss == []
    after_loss, _, _ = _states([*calm, -151.0, NONE, NONE, 100.0, -100.0])
    assert after_loss == [13]


def test_first_sessions_after_volatility_has_jumped() -> None:
    # given 30 of 100, then four of 600 between which one is idle: mean square of five 600^2 / 5 = 72,000 against 10,000
    # after the first (2.68 x), which is a jump; the second only goes on
    _, after_jump, _ = _states([*[100.0, -100.0] * 15, 600.0, NONE, 600.0, -600.0, 600.0, *[100.0, -100.0] * 5])
    assert after_jump == [32, 33, 34, 35, 36]
    # 500: 52,000 with the four of 100 (2.28 x) is none
    assert _states([*[100.0, -100.0] * 15, 500.0, *[100.0, -100.0] * 5])[1] == []


@pytest.mark.parametrize(("absent", "expected"), [(9, []), (10, [22, 23, 25, 26, 27])])
def test_first_sessions_after_a_break(absent: int, expected: list[int]) -> None:
    # given 12 sessions, an absence, and a return of which the third session is idle
    results = [*[100.0, -100.0] * 6, *[NONE] * absent, 100.0, -100.0, NONE, *[100.0, -100.0] * 4]
    assert _states(results)[2] == expected


def test_states_of_a_desk_are_counted_with_intervals() -> None:
    # given a desk that tilts, and one that has no forecast yet
    history = history_of_truth(draw("strong", 6, 110, 1))
    forecasts = walk_forward(history)

    # when
    found = {one.state: one for one in coverage_by_state(history, forecasts)}

    # then
    everything = found["All sessions"]
    outcome, issued = history.panel.total_pnl_usd[1:], forecasts.calibrated[:-1]
    assert everything.forecast_count == np.count_nonzero(np.isfinite(outcome) & np.isfinite(issued))
    assert everything.exceedance_count == np.count_nonzero(outcome < issued)
    thirds = [one for name, one in found.items() if name.endswith(" volatility") and "jump" not in name]
    assert len(thirds) == 3
    assert sum(one.forecast_count for one in thirds) == everything.forecast_count
    assert max(one.forecast_count for one in thirds) - min(one.forecast_count for one in thirds) <= 2
    for one in found.values():
        if one.forecast_count:
            assert one.low_ratio is not None
            assert one.high_ratio is not None
            assert one.low_ratio <= one.exceedance_count / one.forecast_count <= one.high_ratio
        else:
            assert (one.low_ratio, one.high_ratio) == (None, None)
    short = history_of_truth(draw("strong", 2, 4, 1))
    assert coverage_by_state(short, walk_forward(short)) == []
