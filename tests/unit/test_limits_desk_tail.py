"""The desk's tail and the largest exposures: worked by hand, and measured on a desk whose truth is known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from risk.limits.desk_tail import desk_tail, rounded_shares, scenarios, shortfall_usd, stopped, tail_weights
from risk.limits.exposure import AccountExposure, largest_exposures, measure_exposures
from risk.model.mixture import ResidualShape
from risk.model.panel import FloatMatrix, Panel
from simulation.law import stream

FIVE_PERCENT = Decimal("0.05")
NO_LIMITS = np.array([1e9, 1e9])


def desk(*tail: tuple[float, float], count: int) -> FloatMatrix:
    """Make scenarios of two accounts: the given ones, then both earn 10 on all others."""
    return np.array([*tail, *[(10.0, 10.0)] * (count - len(tail))])


def test_worst_twentieth_is_weighed_fractionally() -> None:
    # given 70 results: 3.5 of them are the worst 5 %
    results = np.array([-400.0, -300.0, -200.0, -100.0, *np.arange(66.0)])

    # when, then (400 + 300 + 200 + 0.5 x 100) / 3.5 = 950 / 3.5
    assert tail_weights(results)[:5] == pytest.approx([1 / 3.5, 1 / 3.5, 1 / 3.5, 0.5 / 3.5, 0.0])
    assert shortfall_usd(results) == pytest.approx(950 / 3.5)


def test_equal_results_at_the_edge_share_what_is_left() -> None:
    # 60 results, worst three: -300, and two of the four that are -100.
    results = np.array([-100.0, -100.0, 5.0, -300.0, -100.0, -100.0, *np.zeros(54)])
    assert tail_weights(results)[:6] == pytest.approx([1 / 6, 1 / 6, 0, 1 / 3, 1 / 6, 1 / 6])


def test_shares_are_conditional_means_of_the_desks_worst_days() -> None:
    # given 60 sessions, the worst three: desk -900, -600, -300
    results = desk((-1000, 100), (-500, -100), (-400, 100), count=60)

    # when
    found = desk_tail(results, NO_LIMITS, NO_LIMITS)

    # then the first loses 1,900 / 3 there, the second earns 100 / 3: the desk loses 600 on average
    assert found is not None
    assert found.expected_shortfall_usd == pytest.approx(600)
    assert found.value_at_risk_usd == pytest.approx(300)
    assert found.contributions_usd == pytest.approx([1900 / 3, -100 / 3])
    assert found.shares == pytest.approx([19 / 18, -1 / 18])


def test_cut_is_a_stop_at_the_limit_and_five_percent() -> None:
    # A loss of exactly the limit is stopped: -1,000 - 50. A dollar less is not.
    results = np.array([[-1000.0, -999.0], [-3000.0, 250.0]])
    expected = [[-1050.0, -999.0], [-1050.0, 250.0]]
    assert stopped(results, np.array([1000.0, 1000.0])) == pytest.approx(np.array(expected))


def test_relief_is_what_one_cut_takes_off_the_tail_at_base_limits() -> None:
    # given base limits of 800; the worst three sessions become -840 + 100, -500 - 100, -400 + 100
    results = desk((-1000, 100), (-500, -100), (-400, 100), count=60)
    bases = np.array([800.0, 800.0])

    # when the first is cut to 400 and the second is not
    found = desk_tail(results, bases, np.array([400.0, 800.0]))

    # then base: (740 + 600 + 300) / 3; with the cut all three end at -420: (320 + 520 + 320) / 3
    assert found is not None
    assert (found.at_base_usd, found.at_limits_usd) == pytest.approx((1640 / 3, 1160 / 3))
    assert found.reliefs_usd == pytest.approx([160, 0])


def test_fifty_nine_scenarios_are_too_few() -> None:
    assert desk_tail(desk((-1, -1), count=59), NO_LIMITS, NO_LIMITS) is None
    assert desk_tail(desk((-1, -1), count=60), NO_LIMITS, NO_LIMITS) is not None


def test_desk_that_never_loses_has_no_shares() -> None:
    found = desk_tail(desk(count=60), NO_LIMITS, NO_LIMITS)
    assert found is not None
    assert found.shares is None
    assert np.isnan(found.share_intervals).all()


def test_scenario_is_a_past_session_at_the_scale_of_todays_forecasts() -> None:
    # given forecasts of -100 and -50 at first, -200 and none for the second at last
    nan = np.nan
    pnl = np.array([[9.0, 9.0], [-50.0, nan], [nan, -25.0], [30.0, 40.0]])
    calibrated = np.array([[-100.0, -50.0], [-100.0, -50.0], [-60.0, nan], [-200.0, -300.0]])

    # when
    results, is_known = scenarios(pnl, calibrated)

    # then -50 / 100 x 200 and absent; absent and -25 / 50 x 300; 30 / 60 x 200 and without a forecast then
    assert results.tolist() == [[-100.0, 0.0], [0.0, -150.0], [100.0, 0.0]]
    assert is_known.tolist() == [[True, False], [False, True], [True, False]]


def test_sessions_in_which_nobody_traded_or_older_than_a_year_are_no_scenarios() -> None:
    pnl = np.full((400, 1), -1.0)
    pnl[-10:] = np.nan
    results, _ = scenarios(pnl, np.full((400, 1), -2.0))
    assert len(results) == 240


def test_rounded_shares_still_add_up() -> None:
    thirds = rounded_shares([1 / 3, 1 / 3, 1 / 3])
    assert sum(thirds) == 1
    assert all(abs(share - Decimal(1) / 3) < Decimal("0.000001") for share in thirds)


def test_share_interval_holds_the_true_share() -> None:
    # given 40 desks of two traders, normal with deviations 2 and 1 and correlation 0: the true shares of the shortfall
    # are those of the variance, 4 / 5 and 1 / 5
    hits = 0
    for seed in range(40):
        results = stream(seed, 9).standard_normal((250, 2)) * [2.0, 1.0]
        found = desk_tail(results, NO_LIMITS, NO_LIMITS)
        assert found is not None
        low, high = found.share_intervals[0]
        hits += int(low <= 0.8 <= high)

    # then at most a few of them miss it
    assert hits >= 34


def _exposure(name: str, excess: str, chance: str, share: str | None = None) -> AccountExposure:
    part = None if share is None else Decimal(share)
    return AccountExposure(name, Decimal(5000), Decimal(chance), Decimal(excess), None, part, None, None, None, 100)


def test_largest_exposures_are_listed_whatever_the_level() -> None:
    exposures = [
        _exposure("A", "1.00", "0.001", "0.10"),
        _exposure("B", "400.00", "0.293", "0.05"),
        _exposure("C", "30.00", "0.040", "0.05"),
        _exposure("D", "20.00", "0.051", "0.05"),
        _exposure("E", "2.00", "0.051", "0.05"),
        _exposure("F", "0.50", "0.002", "0.70"),
        _exposure("G", "1.50", "0.050", "0.00"),
    ]

    # B, C and D are the three largest, E passes 5 %, F has the largest share; A and G have neither
    assert [one.account_id for one in largest_exposures(exposures, FIVE_PERCENT)] == ["B", "C", "D", "E", "F"]


def test_largest_exposures_without_shares() -> None:
    assert [
        one.account_id
        for one in largest_exposures([_exposure("B", "0.00", "0.01"), _exposure("A", "0.00", "0.01")], FIVE_PERCENT)
    ] == ["A", "B"]


def test_exposure_counts_the_loss_beyond_the_limit_only() -> None:
    # given a forecast of -1,000 and four equally likely results: -3,000, -1,000, 0 and 2,000
    shape = ResidualShape(np.array([-3.0, -1.0, 0.0, 2.0]), is_pooled=True)
    panel = Panel.of((dt.date(2025, 8, 14), dt.date(2025, 8, 15)), ("A", "B"), np.array([[5.0, 5.0], [6.0, 6.0]]))
    calibrated: NDArray[np.float64] = np.array([[-900.0, np.nan], [-1000.0, np.nan]])
    recommendations: list[dict[str, Any]] = [
        {"account_id": name, "base_limit_usd": Decimal(2500), "new_limit_usd": Decimal(1000)} for name in "AB"
    ]

    # when
    desk_row, [found] = measure_exposures(panel, calibrated, shape, recommendations)

    # then beyond 1,000 lie 2,000 with 1/4: 500; a loss of exactly the limit does not pass it: (1 + 0.5) / 5
    assert (found.account_id, found.expected_excess_usd, found.loss_probability) == ("A", 500, Decimal("0.3"))
    assert (found.share_ratio, found.scenario_count) == (None, 1)
    assert (desk_row.session_count, desk_row.account_count, desk_row.expected_shortfall_usd) == (1, 1, None)
