"""The simulated sets: their exact quantile, their requests and what each set promises."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from risk.core.calendar import sessions_between
from risk.core.errors import RequestError
from simulation.law import LAWS, Law, law_of, shock_quantile
from simulation.truth import LAST_SESSION, draw, draw_law


def _probability_below(law: Law, value: float) -> float:
    """Integrate over the individual shock, where the code integrates over the common one."""
    own_share = np.sqrt(1 - law.common_share**2)
    deviation = stats.t.std(law.tail_degrees)

    def density(shock: float) -> float:
        rest = (value - own_share * shock / deviation) / law.common_share
        return float(stats.t.pdf(shock, law.tail_degrees) * stats.norm.cdf(rest))

    return float(integrate.quad(density, -np.inf, np.inf, epsabs=1e-12, epsrel=1e-12, limit=400)[0])


@pytest.mark.parametrize("set_name", LAWS)
def test_shock_quantile_has_five_percent_below_it_by_another_integral(set_name: str) -> None:
    law = LAWS[set_name]

    below = _probability_below(law, shock_quantile(law))

    assert below == pytest.approx(0.05, abs=1e-10)


def test_shock_quantile_is_the_normal_one_when_tails_are_thin() -> None:
    # With many degrees of freedom t is normal, and a sum of normals of total variance 1 is standard normal.
    law = Law(0.6, 1e7, 0.0, 0.0, 0.0, 0.0, 0.0)

    quantile = shock_quantile(law)

    assert quantile == pytest.approx(stats.norm.ppf(0.05), abs=1e-5)


def _without_stops(set_name: str) -> Law:
    """Give a set whose quantile no result can be at: with stops see `test_quantile_with_a_stop_by_monte_carlo`."""
    return replace(law_of(set_name), stop_share=0.0)


@pytest.mark.parametrize("set_name", LAWS)
def test_results_fall_below_the_true_quantile_once_in_twenty(set_name: str) -> None:
    # About 216,000 active cells. Breaches of one session share its common shock: the share of a session has the
    # standard deviation D, so the mean over n sessions has D / sqrt(n); four of those are allowed.
    truth = draw_law(_without_stops(set_name), traders=400, sessions=625, seed=11)

    is_exceeded = truth.net_pnl_usd < truth.true_q05_usd
    by_session = is_exceeded.sum(axis=1) / truth.is_active.sum(axis=1)
    bound = 4 * by_session.std() / np.sqrt(len(by_session))

    assert bound < 0.006
    assert abs(by_session.mean() - 0.05) < bound


@pytest.mark.parametrize("set_name", LAWS)
def test_exceedances_of_one_trader_stay_within_binomial_bounds(set_name: str) -> None:
    # Given the past, exceedances of one trader are independent: 5,000 sessions, 3,000 or more of them active,
    # standard deviation sqrt(.05 * .95 / n) = 0.33 %. One trader a desk, so no common shock is shared.
    truth = draw_law(_without_stops(set_name), traders=1, sessions=5000, seed=5)

    is_exceeded = (truth.net_pnl_usd < truth.true_q05_usd)[truth.is_active]

    assert stats.binomtest(int(is_exceeded.sum()), is_exceeded.size, 0.05).pvalue > 0.001


def test_scale_never_moves_in_the_null_set() -> None:
    truth = draw("null", traders=30, sessions=200, seed=3)

    assert np.ptp(truth.sigma_usd, axis=0) == pytest.approx(np.zeros(30), abs=0)
    assert np.ptp(truth.true_q05_usd, axis=0) == pytest.approx(np.zeros(30), abs=0)
    assert not truth.tilt.any()


def test_tilt_starts_only_after_an_active_loss_and_decays_with_active_sessions() -> None:
    truth = draw("medium", traders=40, sessions=300, seed=8)

    before, after = truth.tilt[:-1], truth.tilt[1:]
    is_active = truth.is_active[:-1]
    starts = is_active & (after == 1.0)
    # Full tilt multiplies the scale by 1.5 in this set; half a cent is what rounding may add to a loss.
    calm_scale = truth.sigma_usd[:-1] / 1.5**before
    is_hurt = is_active & (truth.net_pnl_usd[:-1] < -calm_scale + 0.005)

    assert is_hurt[starts].all()
    # 70 % of such losses start a tilt; with 1,000 of them the deviation is 1.4 %.
    assert is_hurt.sum() > 1000
    assert abs(starts.sum() / is_hurt.sum() - 0.7) < 0.06
    np.testing.assert_array_equal(after[~is_active], before[~is_active])
    decays = is_active & ~starts
    np.testing.assert_allclose(after[decays], 0.6 * before[decays], rtol=1e-15)


def test_sets_are_ordered_by_how_much_there_is_to_predict() -> None:
    names = ("strong", "medium", "weak", "null")
    spread = {name: np.log(draw(name, 50, 400, 2).sigma_usd).std(axis=0).mean() for name in names}

    assert spread["strong"] > spread["medium"] > spread["weak"] > spread["null"] == pytest.approx(0, abs=1e-12)


DIGESTS = {
    "strong": "8a35ccc8bffc5de8",
    "medium": "75b1c1c61352475e",
    "weak": "0dce180e12bc3c4f",
    "null": "99cd54b66d2568cf",
}
"""Of results and round trips before the set *real* was added."""


@pytest.mark.parametrize("set_name", DIGESTS)
def test_results_of_a_set_stay_what_they_were(set_name: str) -> None:
    truth = draw(set_name, traders=9, sessions=150, seed=21)

    drawn = np.nan_to_num(truth.net_pnl_usd).tobytes() + truth.trade_count.astype("<i8").tobytes()

    assert hashlib.sha256(drawn).hexdigest()[:16] == DIGESTS[set_name]


def test_quantile_with_a_stop_by_monte_carlo() -> None:
    # given 400 traders with stops, and the same without: the same shocks and scales, no set with stops has tilts
    law = replace(LAWS["real"], stop_share=1.0)
    truth = draw_law(law, traders=400, sessions=625, seed=11)
    free = draw_law(replace(law, stop_share=0.0), traders=400, sessions=625, seed=11)
    np.testing.assert_array_equal(free.sigma_usd, truth.sigma_usd)
    is_stop = truth.true_q05_usd > free.true_q05_usd

    # when
    active = truth.is_active
    is_below = truth.net_pnl_usd < truth.true_q05_usd - 0.005
    is_reached = truth.net_pnl_usd <= truth.true_q05_usd + 0.005

    # then P(X < q) <= 5 % <= P(X <= q): no result is below a stop, and more than 5 % are at it
    assert 0.2 < is_stop[active].mean() < 0.8
    assert not (is_below & is_stop).any()
    assert 0.055 < is_reached[is_stop & active].mean() < 0.25
    # and where no stop is nearer, 5 % are below; about 80,000 cells, with a common shock in each session
    by_session = (is_below & ~is_stop).sum(axis=1) / (active & ~is_stop).sum(axis=1)
    assert abs(by_session.mean() - 0.05) < 4 * by_session.std() / np.sqrt(len(by_session)) < 0.006


def test_set_real_has_the_skew_and_the_tail_of_real_traders() -> None:
    # over 60 desks of 12 traders and 130 sessions, in units of the true scale
    desks = [draw("real", 12, 130, seed) for seed in range(1, 61)]
    units = np.sort(np.concatenate([(desk.net_pnl_usd / desk.sigma_usd)[desk.is_active] for desk in desks]))
    quantile = np.quantile(units, 0.05)

    skew, shortfall_ratio = float(stats.skew(units)), float(units[units <= quantile].mean() / quantile)

    assert 0.1 < skew < 0.3
    assert 1.2 < shortfall_ratio < 1.35


def test_absences_come_in_spells_and_every_trader_keeps_his_share() -> None:
    # given 400 traders over 2,000 sessions, active on 30 to 100% of them
    is_active = draw("real", traders=400, sessions=2000, seed=6).is_active

    begins = is_active[:-1] & ~is_active[1:]
    spell = float((~is_active[1:]).sum() / begins.sum())

    # then the mean of U(.3, 1) is .65 with a deviation of .01, and an absence lasts 4 sessions on average
    assert is_active.mean() == pytest.approx(0.65, abs=0.04)
    assert spell == pytest.approx(4.0, abs=0.2)
    assert (is_active.mean(axis=0) > 0.2).all()


def test_scales_jump_for_good_once_in_a_hundred_sessions() -> None:
    law = replace(LAWS["real"], volatility_shock=0.0, market_shock=0.0)
    steps = np.diff(np.log(draw_law(law, traders=100, sessions=1000, seed=2).sigma_usd), axis=0)

    jumps = steps[np.abs(steps) > 1e-9]

    # 99,900 steps: about 999 jumps, deviation 31
    assert abs(jumps.size - 999) < 130
    assert jumps.std() == pytest.approx(0.5, abs=0.05)


def test_inactive_cells_hold_no_result_and_no_trades() -> None:
    truth = draw("weak", traders=20, sessions=100, seed=1)

    assert 0.75 < truth.is_active.mean() < 0.98
    np.testing.assert_array_equal(np.isnan(truth.net_pnl_usd), truth.trade_count == 0)
    assert np.isfinite(truth.true_q05_usd).all()
    assert (truth.true_q05_usd < 0).all()


def test_sessions_are_the_newest_of_the_exchange_without_a_gap() -> None:
    truth = draw("null", traders=1, sessions=30, seed=1)

    assert truth.session_dates[-1] == LAST_SESSION == dt.date(2025, 8, 15)
    assert list(truth.session_dates) == sessions_between(truth.session_dates[0], LAST_SESSION)
    assert len(truth.session_dates) == 30
    assert dt.date(2025, 7, 4) not in truth.session_dates


@pytest.mark.parametrize(
    ("request_of_desk", "named"),
    [
        ({"set_name": "huge"}, "strong, medium, weak, null, real"),
        ({"traders": 0}, "at least 1 trader"),
        ({"seed": -1}, "seed of at least 0"),
        ({"sessions": 0}, "not 0"),
        ({"sessions": 90_000}, "not 90000"),
        ({"last_session": dt.date(2025, 8, 16)}, "2025-08-16"),
    ],
)
def test_draw_refuses_what_it_cannot_serve_and_names_it(request_of_desk: dict[str, object], named: str) -> None:
    served = {"set_name": "weak", "traders": 2, "sessions": 3, "seed": 1}

    with pytest.raises(RequestError, match=named):
        draw(**(served | request_of_desk))  # type: ignore[arg-type]
