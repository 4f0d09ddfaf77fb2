"""Bets on a forecast: by hand, at their bounds, and under the hypothesis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from risk.model.wealth import (
    CONTRARY_EVIDENCE,
    LARGEST_LOG_WEALTH,
    NOTHING_BET,
    Bettor,
    LossGains,
    SessionBet,
    loss_gains,
)


def _gains(gain: np.ndarray, bound: float, hits: np.ndarray | None = None, count: int = 10) -> LossGains:
    """Gains of sessions with so many forecasts; 5 % exceedances unless other ones are given."""
    size = len(gain)
    cycle = np.arange(size) % 2 if hits is None else hits
    counts = np.full(size, count)
    return LossGains(gain, np.full(size, bound), np.full(size, bound), counts, counts, cycle)


def _bet_all(bettor: Bettor, gains: LossGains) -> list[SessionBet]:
    return [bettor.bet(gains, row) for row in range(len(gains.gain))]


def test_a_session_gains_the_difference_of_pinball_losses() -> None:
    # given two accounts of scale 100: the candidate says -200 and -100, the opponent -100 and -200
    pnl = np.array([[0.0, 0.0], [-150.0, -50.0]])
    candidate = np.array([[-200.0, -100.0], [np.nan, np.nan]])
    opponent = np.array([[-100.0, -200.0], [np.nan, np.nan]])
    everybody = np.ones((2, 2), np.bool_)

    found = loss_gains(pnl, np.full((2, 2), 100.0), candidate, opponent, everybody)

    # then account 1: opponent .95 x .5 = .475, candidate .05 x .5 = .025; account 2: .05 x 1.5 - .05 x .5 = .05
    assert found.gain.tolist() == pytest.approx([0.0, 0.45 + 0.05])
    # at most .05 x 1 can be lost on the larger forecast, .95 x 1 on the smaller one; the reverse can be gained
    assert found.largest_loss.tolist() == pytest.approx([0.0, 1.0])
    assert found.largest_gain.tolist() == pytest.approx([0.0, 1.0])
    assert (found.forecast_count.tolist(), found.exceedance_count.tolist()) == ([0, 2], [0, 0])


def test_bounds_count_who_may_trade_and_gains_who_did() -> None:
    # given an account that does not trade, and one that is not eligible
    pnl = np.array([[0.0, 0.0, 0.0], [-300.0, np.nan, -300.0]])
    candidate, opponent = np.full((2, 3), -200.0), np.full((2, 3), -100.0)
    eligible = np.array([[True, True, False]] * 2)

    found = loss_gains(pnl, np.full((2, 3), 100.0), candidate, opponent, eligible)

    assert (found.account_count[1], found.forecast_count[1], found.exceedance_count[1]) == (2, 1, 1)
    assert found.gain[1] == pytest.approx(0.95)
    assert found.largest_loss[1] == pytest.approx(0.1)
    assert found.largest_gain[1] == pytest.approx(1.9)


def test_no_gain_is_outside_its_bounds() -> None:
    draws = np.random.default_rng(3)
    pnl = draws.standard_t(2, (400, 5)) * 100.0
    candidate, opponent = (-np.exp(draws.normal(4.0, 1.0, (400, 5))) for _ in range(2))
    found = loss_gains(pnl, np.full((400, 5), 100.0), candidate, opponent, np.ones((400, 5), np.bool_))
    assert (found.gain >= -found.largest_loss - 1e-12).all()
    assert (found.gain <= found.largest_gain + 1e-12).all()


def test_the_first_stake_follows_from_five_sessions() -> None:
    # given five gains of 1 and then one of 2, with bounds far away
    bettor = Bettor(20.0, 60)
    bets = _bet_all(bettor, _gains(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0]), 0.1))

    # then nothing was staked before; the mean is 5 / 15, the variance 0: 1 / mean = 3, within .9 / .1
    assert [bet.log_wealth for bet in bets[:5]] == [0.0] * 5
    assert bets[5].log_wealth == pytest.approx(math.log(1.0 + 3.0 * 2.0))


def test_a_session_never_costs_more_than_nine_tenths() -> None:
    bettor = Bettor(20.0, 60)
    gain = np.array([0.2] * 20 + [-0.5])
    bets = _bet_all(bettor, _gains(gain, 0.5))
    assert bets[-1].log_wealth - bets[-2].log_wealth == pytest.approx(math.log(0.1))


def test_promotion_waits_for_its_sessions() -> None:
    bettor = Bettor(20.0, 60)
    bets = _bet_all(bettor, _gains(np.full(61, 0.3), 0.5))
    assert bets[30].log_wealth > math.log(20.0)
    assert [bet.is_serving for bet in bets] == [False] * 59 + [True, True]


def test_a_candidate_that_turns_worse_is_demoted_and_starts_again() -> None:
    draws = np.random.default_rng(4)
    better, worse = draws.normal(0.3, 0.3, 70), draws.normal(-0.3, 0.3, 60)
    bettor = Bettor(20.0, 60)
    bets = _bet_all(bettor, _gains(np.concatenate([better, worse]), 1.0))

    serving = [bet.is_serving for bet in bets]
    end = max(row for row, is_serving in enumerate(serving) if is_serving)
    assert 75 < end < 110
    assert bets[end + 1].log_contrary >= math.log(CONTRARY_EVIDENCE)
    # then every wealth is 1 again: what was won before cannot promote it
    assert bets[end + 2].log_wealth <= 1e-9
    assert bets[end + 2].log_contrary == 0.0
    assert not any(serving[end + 1 :])


@pytest.mark.parametrize(("hits", "name"), [(3, "log_high"), (0, "log_low")])
def test_exceedances_that_are_not_five_percent_keep_it_out(hits: int, name: str) -> None:
    count = 10 if hits else 60
    bettor = Bettor(20.0, 60)
    bets = _bet_all(bettor, _gains(np.full(140, 0.3), 0.5, np.full(140, hits), count))
    assert max(bet.log_wealth for bet in bets) > math.log(20.0)
    assert max(getattr(bet, name) for bet in bets) >= math.log(CONTRARY_EVIDENCE)
    assert not bets[-1].is_serving


def test_a_bettor_continues_from_stored_bets() -> None:
    draws = np.random.default_rng(5)
    gains = _gains(np.concatenate([draws.normal(0.3, 0.3, 80), draws.normal(-0.4, 0.3, 40)]), 1.0)
    whole = _bet_all(Bettor(20.0, 60), gains)
    for known in (1, 59, 60, 61, 90, 100, 119):
        bettor = Bettor(20.0, 60)
        for bet in whole[:known]:
            bettor.remember(bet)
        assert [bettor.bet(gains, row) for row in range(known, 120)] == whole[known:], known


def test_wealth_stays_a_number() -> None:
    bettor = Bettor(20.0, 60)
    bets = _bet_all(bettor, _gains(np.full(900, 1e6), 1e-9))
    assert bets[-1].log_wealth == LARGEST_LOG_WEALTH
    equal = Bettor(20.0, 60)
    assert {bet.log_wealth for bet in _bet_all(equal, _gains(np.zeros(80), 0.0))} == {0.0}


def test_before_the_first_bet_nothing_serves() -> None:
    assert Bettor(20.0, 60).last is NOTHING_BET
    assert not NOTHING_BET.is_serving


def test_wealth_under_the_hypothesis_reaches_20_in_at_most_one_of_20_desks() -> None:
    # given desks on which both forecasts are equally wrong, with skewed results that all accounts of a session share
    reached = 0
    for seed in range(400):
        draws = np.random.default_rng(seed)
        common = draws.exponential(1.0, (150, 1)) - 1.0
        pnl = common + draws.standard_t(3, (150, 6))
        sign = np.where(draws.random((150, 6)) < 0.5, 1.0, -1.0)
        candidate, opponent = -2.0 * np.exp(0.3 * sign), -2.0 * np.exp(-0.3 * sign)
        gains = loss_gains(pnl, np.ones_like(pnl), candidate, opponent, np.ones(pnl.shape, np.bool_))
        bettor = Bettor(20.0, 1)
        reached += any(bettor.bet(gains, row).log_wealth >= math.log(20.0) for row in range(1, 150))
    assert reached <= 400 * 0.055
