"""Back-tests against cases worked by hand or printed in the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import mean_pinball_loss

from risk.model import backtests
from simulation.truth import draw


def test_kupiec_accepts_and_rejects_as_his_table() -> None:
    # Kupiec (1995), table 3, p = 5 %, 255 sessions, test size 5 %: not rejected for 6 < x < 21.
    accepted = [x for x in range(40) if backtests.kupiec(x, 255)[1] > 0.05]
    assert accepted == list(range(7, 21))


def test_kupiec_statistic_by_hand() -> None:
    # x = 10 of n = 100 at p = 5 %: 2 (10 ln(.1/.05) + 90 ln(.9/.95)) = 2 (6.931472 - 4.866050) = 4.130844
    statistic, p_value = backtests.kupiec(10, 100)
    assert statistic == pytest.approx(4.130844, abs=1e-6)
    assert p_value == pytest.approx(math.erfc(math.sqrt(4.130844 / 2)), abs=1e-6)


@pytest.mark.parametrize(("exceedances", "expected"), [(0, -200 * math.log(0.95)), (100, -200 * math.log(0.05))])
def test_kupiec_takes_the_edges(exceedances: int, expected: float) -> None:
    assert backtests.kupiec(exceedances, 100)[0] == pytest.approx(expected)


def test_kupiec_says_nothing_without_a_forecast() -> None:
    assert all(math.isnan(value) for value in backtests.kupiec(0, 0))


def test_christoffersen_by_hand_and_without_joining_accounts() -> None:
    # given transitions 00: 3 + 1, 01: 1 + 1, 10: 1, 11: 1, none between the accounts
    first = np.array([0, 0, 0, 1, 1, 0, 0], dtype=bool)
    second = np.array([0, 0, 1], dtype=bool)

    # when
    found = backtests.christoffersen([first, second])

    # then 00 = 2 + 1 (first: 0-0, 0-0, last 0-0 makes 3) + 1, 01 = 1 + 1, 10 = 1, 11 = 1
    assert found.transitions.tolist() == [[4, 2], [1, 1]]
    # apart: 2 ln(1/3) + 4 ln(2/3) + ln(1/2) + ln(1/2) = -5.205380; together: 3 ln(3/8) + 5 ln(5/8) = -5.292506
    assert found.statistic == pytest.approx(2 * (-5.205380 + 5.292506), abs=1e-5)


def test_christoffersen_rejects_exceedances_that_come_together() -> None:
    together = np.tile([False] * 95 + [True] * 5, 10)
    alone = np.tile([False] * 19 + [True], 50)
    assert backtests.christoffersen([together]).p_value < 1e-6
    assert backtests.kupiec(int(together.sum()), 1000)[1] == 1.0
    assert backtests.christoffersen([alone]).p_value < 0.05  # never two in a row is not independent either


def test_christoffersen_says_nothing_without_an_exceedance() -> None:
    assert math.isnan(backtests.christoffersen([np.zeros(50, dtype=bool)]).p_value)


def test_conditional_coverage_is_the_sum_of_both() -> None:
    exceedances = np.tile([False] * 19 + [True], 10)
    statistic, p_value = backtests.conditional_coverage([exceedances])
    assert statistic == pytest.approx(backtests.kupiec(10, 200)[0] + backtests.christoffersen([exceedances]).statistic)
    # chi-square with 2 degrees of freedom: P(X > x) = exp(-x / 2)
    assert p_value == pytest.approx(math.exp(-statistic / 2))


@pytest.mark.parametrize(
    ("exceedances", "zone"), [(0, "green"), (4, "green"), (5, "yellow"), (9, "yellow"), (10, "red"), (30, "red")]
)
def test_zones_are_those_of_the_basel_table(exceedances: int, zone: str) -> None:
    # Basel Committee (1996), table 2: 250 sessions at 1 %.
    assert backtests.basel_zone(exceedances, 250, 0.01) == zone


def test_shortfall_statistic_by_hand() -> None:
    # given 20 forecasts, one exceedance of 3,000 against a shortfall of 2,000: Z2 = 1 - 3000 / (20 x .05 x 2000) = -0.5
    pnl = np.full(20, 100.0)
    pnl[7] = -3000.0
    quantile, shortfall = np.full(20, -1500.0), np.full(20, 2000.0)

    # when
    statistic, _ = backtests.acerbi_szekely(pnl, quantile, shortfall, np.arange(20))

    # then
    assert statistic == pytest.approx(-0.5)


def test_shortfall_is_believed_when_right_and_not_when_too_small() -> None:
    # given normal results: the 5 % quantile is -1.644854, the shortfall phi(1.644854) / .05 = 2.062713
    pnl = np.random.default_rng(3).standard_normal(20_000)
    sessions = np.arange(20_000) // 10
    quantile = np.full(20_000, -1.644854)

    # when
    right = backtests.acerbi_szekely(pnl, quantile, np.full(20_000, 2.062713), sessions)
    small = backtests.acerbi_szekely(pnl, quantile, np.full(20_000, 1.7), sessions)

    # then
    assert abs(right[0]) < 0.1
    assert right[1] > 0.05
    # 1 - 2.062713 / 1.7 = -0.213
    assert small[0] == pytest.approx(-0.213, abs=0.1)
    assert small[1] < 0.01


def test_shortfall_statistic_has_the_critical_value_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    # Acerbi and Szekely (2014), table 2: 250 sessions at 2.5 %; Z2 is below -0.70 in 5 % of right normal models.
    monkeypatch.setattr(backtests, "SHORTFALL_RESAMPLES", 1)
    draws = np.random.default_rng(1).standard_normal((4000, 250))
    # the 2.5 % quantile of a normal result is -1.959964, its shortfall phi(1.959964) / .025 = 2.337803
    quantile, shortfall, sessions = np.full(250, -1.959964), np.full(250, 2.337803), np.arange(250)
    statistics = [backtests.acerbi_szekely(pnl, quantile, shortfall, sessions, 0.025)[0] for pnl in draws]
    assert np.quantile(statistics, 0.05) == pytest.approx(-0.70, abs=0.03)


def test_coverage_is_tested_exactly_for_each_account() -> None:
    # given one account with 3 exceedances of 3: P(3) = .05^3; one without a forecast; one as promised
    exceedances = {
        "bad": np.ones(3, dtype=bool),
        "none": np.empty(0, dtype=bool),
        "good": np.arange(100) < 5,
    }

    # when
    found = backtests.coverage_by_account(exceedances)

    # then
    assert [(one.account_id, one.forecast_count, one.exceedance_count, one.is_rejected) for one in found] == [
        ("bad", 3, 3, True),
        ("good", 100, 5, False),
    ]
    assert found[0].p_value == pytest.approx(0.05**3)


def test_the_pinball_loss_is_that_of_scikit_learn() -> None:
    pnl, quantiles = np.random.default_rng(1).standard_normal((2, 1000))
    expected = mean_pinball_loss(pnl, quantiles, alpha=0.05)
    assert backtests.pinball_loss(pnl, quantiles).mean() == pytest.approx(expected, rel=1e-12)


def _true_quantiles(traders: int, desks: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Count by session what falls below the true quantile on desks of 60 sessions with a common share of .3."""
    truths = [draw("null", traders, 60, seed) for seed in range(desks)]
    return [((one.net_pnl_usd < one.true_q05_usd).sum(axis=1), one.is_active.sum(axis=1)) for one in truths]


@pytest.mark.parametrize(("traders", "independent"), [(12, 0.08), (50, 0.14), (200, 0.31)])
def test_true_quantile_of_correlated_traders_is_refused_in_five_percent(
    monkeypatch: pytest.MonkeyPatch, traders: int, independent: float
) -> None:
    monkeypatch.setattr(backtests, "COVERAGE_RESAMPLES", 500)
    found = _true_quantiles(traders, 600)

    refused = np.mean([backtests.session_kupiec(*one) < 0.05 for one in found])
    classical = np.mean([backtests.kupiec(int(hits.sum()), int(counts.sum()))[1] < 0.05 for hits, counts in found])

    # 600 desks at 5 %: standard error 0.9 %
    assert 0.03 <= refused <= 0.075
    assert classical == pytest.approx(independent, abs=0.05)


def test_zone_of_a_true_quantile_of_correlated_traders_is_not_green_in_five_percent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backtests, "ZONE_RESAMPLES", 2000)
    found = _true_quantiles(200, 300)
    zones = [backtests.session_zone(*one) for one in found]
    classical = [backtests.basel_zone(int(hits.sum()), int(counts.sum())) for hits, counts in found]
    assert 0.02 <= np.mean([zone != "green" for zone in zones]) <= 0.08
    assert np.mean([zone != "green" for zone in classical]) > 0.12


def test_a_wrong_quantile_of_correlated_traders_is_refused() -> None:
    # given exceedances on 10 % of 60 sessions of 12 traders: three standard errors too many
    draws = np.random.default_rng(4)
    z = 0.3 * draws.standard_normal((60, 1)) + np.sqrt(0.91) * draws.standard_normal((60, 12))
    hits, counts = (z < -1.281552).sum(axis=1), np.full(60, 12)
    assert backtests.session_kupiec(hits, counts) < 0.01
    assert backtests.session_zone(hits, counts) != "green"


def test_session_tests_are_kupiec_and_basel_where_nothing_is_exceeded() -> None:
    nothing, counts = np.zeros(100, np.int64), np.ones(100, np.int64)
    assert backtests.session_kupiec(nothing, counts) == backtests.kupiec(0, 100)[1]
    assert backtests.session_zone(nothing, counts) == "green"
    assert math.isnan(backtests.session_kupiec(nothing[:0], counts[:0]))
    assert backtests.session_zone(nothing[:0], counts[:0]) == backtests.basel_zone(0, 0)


def test_session_test_of_one_session_or_all_alike_says_something() -> None:
    # one session; and the same in every session: its variance is that of independent forecasts, never 0
    assert 0.0 <= backtests.session_kupiec(np.array([1]), np.array([12])) <= 1.0
    every = np.full(60, 1), np.full(60, 20)
    assert backtests.session_kupiec(*every) == 1.0
    assert backtests.session_zone(*every) == "green"


def test_interval_of_a_rate_by_hand() -> None:
    # 5 of 100 independent ones, one session each: Wilson's (0.0215, 0.1118)
    hits = np.arange(100) < 5
    low, high = backtests.rate_interval(hits.astype(np.int64), np.ones(100, np.int64))
    assert (low, high) == pytest.approx((0.0215, 0.1118), abs=1e-4)
    # the same in sessions of 10 whose five exceedances fall together: 100 forecasts tell as much as 20.
    # variance 10 x (mean of (x - .5)^2) = 10 x 2.25 = 22.5 against 100 x .05 x .95 = 4.75: 100 / 4.737 = 21.1
    together = np.zeros(10, np.int64)
    together[3] = 5
    wide = backtests.rate_interval(together, np.full(10, 10))
    assert wide == pytest.approx((0.0091, 0.2307), abs=2e-3)
    # none of 60: Wilson's 0 to 3.84 / 63.84
    none = backtests.rate_interval(np.zeros(60, np.int64), np.ones(60, np.int64))
    assert none == pytest.approx((0.0, 0.0602), abs=1e-4)
