"""Features by hand, and against a second method: plain loops over one account's sessions."""

from __future__ import annotations

import dataclasses
import math
import operator
import statistics

import numpy as np
import pytest

from risk.model.features import FEATURES
from risk.model.panel import Panel, ewma_scale
from tests.properties.panels import feature_tensor, next_weekday, panel_of, weekdays

NAMES = [feature.name for feature in FEATURES]


def _last(panel: Panel, account: int = 0) -> dict[str, float]:
    values = feature_tensor(panel, next_weekday(panel))[-1, account]
    return dict(zip(NAMES, values.tolist(), strict=True))


def _one(pnl: list[float]) -> Panel:
    return panel_of(np.array(pnl)[:, None])


def test_the_scale_starts_with_the_first_result_and_forgets_slowly() -> None:
    # 100; then 0.97 x 10,000 + 0.03 x 40,000 = 10,900
    np.testing.assert_allclose(
        ewma_scale(np.array([[np.nan], [-100.0], [np.nan], [200.0]]), 0.97)[:, 0],
        [np.nan, 100.0, 100.0, math.sqrt(10_900.0)],
    )


def test_own_features_of_three_sessions_by_hand() -> None:
    # given +100, -200, -100: squares 10,000; 0.97 x 10,000 + 0.03 x 40,000 = 10,900; 0.97 x 10,900 + 300 = 10,873
    values = _last(_one([100.0, -200.0, -100.0]))
    scale = math.sqrt(10_873.0)

    # then
    expected = {
        "last_z": -100.0 / scale,
        "mean_z_3": -200.0 / 3.0 / scale,
        "mean_z_20": -200.0 / 3.0 / scale,  # a window that is not full uses the three there are
        "scale_ratio_5_20": math.nan,  # both windows hold the same three sessions
        "win_rate_5": 1.0 / 3.0,
        "loss_streak": 2.0,
        "sessions_since_peak": 2.0,  # peak of 100 after the first
        "drawdown": 300.0 / scale,  # 100 - (-200)
        "worst_z_5": -200.0 / scale,
        "trades_against_norm": 1.0,
        "fees_per_turnover": 6.0 / 50_000.0,  # 10 fills: 6 dollars of fees, 50,000 of turnover
        "sessions_absent": 0.0,
        "weekday": 3.0,  # Monday, Tuesday and Wednesday are known: Thursday comes
        "market_loser_share": 1.0,
        "market_mean_z": -100.0 / scale,
        "market_dispersion": 0.0,
        "market_active_count": 1.0,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_the_peak_of_cumulative_pnl_starts_at_zero() -> None:
    values = _last(_one([-300.0, 100.0]))
    # 200 below 0, where it stood before the first session: 2 sessions ago
    assert values["sessions_since_peak"] == 2.0
    assert values["drawdown"] == pytest.approx(200.0 / math.sqrt(0.97 * 90_000.0 + 0.03 * 10_000.0), rel=1e-6)


def test_windows_count_the_traders_own_active_sessions() -> None:
    # given gains, then losses with idle sessions between
    values = _last(_one([100.0, 100.0, -10.0, math.nan, -10.0, math.nan, math.nan, -10.0, math.nan, math.nan]))
    assert values["loss_streak"] == 3.0
    assert values["win_rate_5"] == pytest.approx(0.4)
    assert values["sessions_absent"] == 2.0


def test_the_market_is_that_of_the_session_for_everybody() -> None:
    # given after one session of 100 each: -100, 0 and +100 with idle D; z = x / sqrt(0.97 x 10,000 + 0.03 x^2):
    # x = 100: z = 1; x = 0: 0. Losers 1 of 3, mean 0, dispersion sqrt((1 + 0 + 1) / 3)
    panel = panel_of(np.array([[100.0, 100.0, 100.0, 100.0], [-100.0, 0.0, 100.0, math.nan]]))
    for account in range(4):
        values = _last(panel, account)
        assert values["market_loser_share"] == pytest.approx(1.0 / 3.0)
        assert values["market_mean_z"] == pytest.approx(0.0, abs=1e-7)
        assert values["market_dispersion"] == pytest.approx(math.sqrt(2.0 / 3.0))
        assert values["market_active_count"] == 3.0


def test_a_session_in_which_nobody_traded_has_no_market() -> None:
    values = _last(_one([100.0, math.nan]))
    assert math.isnan(values["market_mean_z"])
    assert values["last_z"] == 1.0


def test_a_trader_who_only_ever_earned_zero_has_no_z() -> None:
    values = _last(_one([0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    assert math.isnan(values["last_z"])
    assert math.isnan(values["scale_ratio_5_20"])
    assert values["loss_streak"] == 0.0


def _slowly(panel: Panel, row: int, account: int) -> dict[str, float]:
    """Compute own features by plain loops over the account's active sessions."""
    rows = [number for number in range(row + 1) if math.isfinite(panel.total_pnl_usd[number, account])]
    pnl = [float(panel.total_pnl_usd[number, account]) for number in rows]
    trades = [float(panel.fill_count[number, account]) for number in rows]
    mean_square = pnl[0] ** 2
    for value in pnl[1:]:
        mean_square += 0.03 * (value**2 - mean_square)
    scale = math.sqrt(mean_square)
    streak = next((number for number, value in enumerate(reversed(pnl)) if value >= 0), len(pnl))
    cumulative = [0.0]
    for value in pnl:
        cumulative.append(cumulative[-1] + value)
    peak = max(range(len(cumulative)), key=lambda number: (cumulative[number], number))

    def fading(values: list[float], half_life: int) -> float:
        weights = [0.5 ** (age / half_life) for age in range(len(values))]
        return sum(map(operator.mul, weights, reversed(values))) / sum(weights)

    scales = [abs(pnl[0])]
    for value in pnl[1:]:
        scales.append(math.sqrt(0.97 * scales[-1] ** 2 + 0.03 * value**2))
    large = [0.0, *(float(value < -before) for value, before in zip(pnl[1:], scales[:-1], strict=True))]

    def rms(window: int) -> float:
        return math.sqrt(statistics.fmean(value**2 for value in pnl[-window:]))

    return {
        **{f"mean_z_{window}": statistics.fmean(pnl[-window:]) / scale for window in (3, 5, 10, 20)},
        **{f"worst_z_{window}": min(pnl[-window:]) / scale for window in (5, 20)},
        **{f"win_rate_{window}": statistics.fmean(value > 0 for value in pnl[-window:]) for window in (5, 20)},
        "scale_ratio_5_20": rms(5) / rms(20) if len(pnl) > 5 else math.nan,
        "scale_ratio_10_60": rms(10) / rms(60) if len(pnl) > 10 else math.nan,
        "loss_streak": float(streak),
        "sessions_since_peak": float(len(cumulative) - 1 - peak),
        "drawdown": (cumulative[peak] - cumulative[-1]) / scale,
        "trades_against_norm": trades[-1] / statistics.fmean(trades[-21:-1]) if len(trades) > 1 else math.nan,
        "sessions_absent": float(row - rows[-1]),
        **{
            f"volatility_ratio_{half_life}": math.sqrt(fading([value**2 for value in pnl], half_life)) / scale
            for half_life in (1, 2, 4, 11, 200)
        },
        **{
            f"loss_ratio_{half_life}": math.sqrt(fading([min(value, 0.0) ** 2 for value in pnl], half_life)) / scale
            for half_life in (1, 3)
        },
        **{f"large_loss_share_{half_life}": fading(large, half_life) for half_life in (1, 4)},
        "trades_ratio_0_60": trades[-1] / fading(trades, 60),
        "trades_ratio_1_60": fading(trades, 1) / fading(trades, 60),
        "trades_ratio_3_60": fading(trades, 3) / fading(trades, 60),
    }


def test_features_agree_with_plain_loops() -> None:
    # given three accounts of which one starts late and all miss sessions
    generator = np.random.default_rng(11)
    pnl = np.round(generator.standard_t(4, (90, 3)) * [200.0, 2000.0, 50.0], 2)
    pnl[generator.random((90, 3)) > 0.8] = np.nan
    pnl[:40, 2] = np.nan
    panel = panel_of(pnl, generator)

    # when
    tensor = feature_tensor(panel, next_weekday(panel))

    # then
    compared = 0
    for row in range(90):
        for account in range(3):
            if np.isfinite(pnl[: row + 1, account]).any():
                slow = _slowly(panel, row, account)
                fast = dict(zip(NAMES, tensor[row, account].tolist(), strict=True))
                assert {name: fast[name] for name in slow} == pytest.approx(slow, rel=2e-6, abs=1e-6, nan_ok=True)
                compared += 1
    assert compared > 200


def test_what_fills_tell_is_compared_with_the_account_itself() -> None:
    # given +100, then -60 after fees of 3: 20 lost in the first hour, 10 made in the last, 47 lost between
    panel = Panel.of(
        weekdays(2),
        ("A",),
        np.array([[100.0], [-60.0]]),
        fill_count=np.array([[10.0], [20.0]]),
        turnover_usd=np.array([[1000.0], [3000.0]]),
        fees_usd=np.array([[3.0], [3.0]]),
        early_pnl_usd=np.array([[50.0], [-20.0]]),
        late_pnl_usd=np.array([[0.0], [10.0]]),
        holding_seconds=np.array([[300.0], [900.0]]),
        adds_to_loser_count=np.array([[1.0], [10.0]]),
        concentration_ratio=np.array([[1.0], [0.5]]),
        overnight_usd=np.array([[0.0], [500.0]]),
    )

    # when
    values = _last(panel)

    # then 20 + 47 + 10 = 77 moved; turnover usually 2,000; 1 of 10 fills a session ago weighs .5^(1/3) = 0.7937
    expected = {
        "early_pnl_share": -20.0 / 77.0,
        "late_pnl_share": 10.0 / 77.0,
        "holding_against_norm": 3.0,
        "enlarging_share_0": 0.5,
        "enlarging_share_3": (0.5 + 0.79370053 * 0.1) / 1.79370053,
        "symbol_concentration": 0.5,
        "overnight_exposure": 0.25,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_without_fills_their_features_are_unknown_and_the_others_are_not() -> None:
    values = _last(Panel.of(weekdays(2), ("A",), np.array([[100.0], [-60.0]])))
    assert math.isnan(values["enlarging_share_0"])
    assert math.isnan(values["trades_against_norm"])
    assert values["loss_streak"] == 1.0


def test_each_feature_is_declared_once() -> None:
    assert len(set(NAMES)) == len(NAMES) == 47
    assert feature_tensor(_one([1.0]), next_weekday(_one([1.0]))).shape == (1, 1, 47)


def test_features_of_an_empty_panel_are_empty() -> None:
    panel = panel_of(np.empty((0, 0)))
    assert feature_tensor(panel, next_weekday(panel)).shape == (0, 0, 47)


def test_the_market_fades_over_its_own_sessions() -> None:
    # given two traders, z of 1 each on both days; on the second 3 and 1 times the fills of the first
    pnl = np.array([[100.0, -100.0], [math.nan, math.nan], [100.0, 100.0]])
    panel = panel_of(pnl)
    fills = np.array([[10.0, 10.0], [math.nan, math.nan], [30.0, 10.0]])
    panel = dataclasses.replace(panel, fill_count=fills)

    # when
    values = dict(zip(NAMES, feature_tensor(panel, next_weekday(panel))[-1, 0].tolist(), strict=True))

    # then the norm of 10 and 30 is (10 w + 30) / (1 + w) with w = .5^(1/60); log ratios (log(30 / norm) + 0) / 2 today
    weight = 0.5 ** (1 / 60)
    today = math.log(30.0 * (1 + weight) / (10.0 * weight + 30.0)) / 2
    assert values["market_size_ratio_1"] == pytest.approx(1.0)
    # half-life 1: (today + .5 x 0) / 1.5
    assert values["market_trades_ratio_1"] == pytest.approx(math.exp(today / 1.5))
