"""The bet on a policy: fair whatever the assignment, worked by hand, blind to accounts without results."""

from __future__ import annotations

import itertools
from decimal import Decimal

import numpy as np
import pytest

from risk.limits.betting import STAKES, PastSession, log_growth, needed_wealth, wealth_path
from risk.limits.track_record import IntradayPath, outcome_usd

ALL = np.ones((1, 4), np.bool_)


def test_wealth_is_fair_over_all_assignments_of_the_results() -> None:
    # given any tail losses of four results under four cuts, and any order of revealing
    draws = np.random.default_rng(7)
    for _ in range(20):
        differences, gaps = draws.exponential(size=(1, 4, 4)) - 0.7, draws.random((1, 4))

        # when every account gets every result once
        factors = [
            np.exp(log_growth(differences[:, :, list(results)], gaps, ALL))
            for results in itertools.permutations(range(4))
        ]

        # then the mean of the 24 factors is 1 for every bettor, and nobody can lose everything
        assert np.mean(factors, axis=0) == pytest.approx(1.0)
        assert np.min(factors) > 0.0


def test_growth_is_that_worked_by_hand() -> None:
    # given one account whose cut takes 0.4 off its own result and nothing off the other, which is not cut
    differences = np.array([[[-0.4, 0.0], [0.0, 0.0]]])

    growth = log_growth(differences, np.array([[0.3, 0.0]]), np.ones((1, 2), np.bool_))

    # then the mean is -0.2: 0.2 gained for a stake of 1, and 0.2 lost had it met the other
    assert np.exp(growth[0]) == pytest.approx([1.0 + 0.2 * stake for stake in STAKES])
    assert wealth_path(growth)[0] == pytest.approx(1.0 + 0.2 * np.mean(STAKES))
    lost = log_growth(differences[:, :, ::-1], np.array([[0.3, 0.0]]), np.ones((1, 2), np.bool_))
    assert np.exp(lost[0]) == pytest.approx([1.0 - 0.2 * stake for stake in STAKES])


def test_accounts_without_a_result_change_nothing() -> None:
    draws = np.random.default_rng(1)
    differences, gaps = draws.random((3, 4, 4)), draws.random((3, 4))
    more, more_gaps = np.full((3, 5, 5), 9.0), np.full((3, 5), 9.0)
    kept = [0, 1, 3, 4]
    more[np.ix_(range(3), kept, kept)], more_gaps[:, kept] = differences, gaps
    is_known = np.isin(np.arange(5), kept)[None].repeat(3, axis=0)

    assert log_growth(more, more_gaps, is_known) == pytest.approx(log_growth(differences, gaps, ALL.repeat(3, axis=0)))


def test_equal_policies_leave_the_wealth_as_it_is() -> None:
    assert wealth_path(log_growth(np.zeros((5, 4, 4)), np.zeros((5, 4)), ALL.repeat(5, axis=0))).tolist() == [1.0] * 5


def test_tail_loss_is_that_of_a_stop_beyond_half_a_usual_loss() -> None:
    # given lows of 100, 2,700 and 6,000 and a close of -400; usual loss 2,000, base limit 5,000
    lows = ("100", "2700", "6000")
    session = PastSession(np.array([[*map(float, lows), np.inf]]), np.array([-400.0]), np.array([2000.0]))

    found = session.tail_losses(np.array([5000.0]), np.array([0.0, 0.5]))

    path = IntradayPath([Decimal(low) for low in lows], Decimal(-400))
    expected = [-float(outcome_usd(path, Decimal(limit))) / 2000 - 0.5 for limit in (5000, 2500)]
    assert found[:, 0] == pytest.approx(expected)
    # closes that are no loss are none
    calm = PastSession(np.array([[np.inf]]), np.array([300.0]), np.array([2000.0]))
    assert calm.tail_losses(np.array([5000.0]), np.array([0.0])).tolist() == [[0.0]]


def test_all_variants_together_are_wrong_in_one_case_of_twenty() -> None:
    assert [needed_wealth(number) for number in (1, 2, 3)] == [40.0, 120.0, 240.0]
    assert sum(1.0 / needed_wealth(number) for number in range(1, 100_000)) == pytest.approx(0.05, abs=1e-5)
