"""Whether a base limit fits: worked by hand, and on simulated desks whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest

from bench.fit import measure
from risk.core.policy_document import default_policy
from risk.limits.fit import (
    LimitFit,
    LossRecord,
    fitting_band,
    hit_interval,
    pooled_multiples,
    reached_level,
    review_limits,
    rounded_outward,
    size_in_words,
)
from risk.limits.policy import AccountPolicy


def record(
    losses: Sequence[float], limit: str = "5000", stopped: Sequence[int] = (), chance: str | None = None
) -> LossRecord:
    """Make the record of one account; ``stopped`` are the places of days that ended at a limit."""
    is_stopped = np.isin(np.arange(len(losses)), stopped)
    probability = None if chance is None else Decimal(chance)
    terms = AccountPolicy(default_policy().desk, Decimal(limit))
    return LossRecord("A", terms, np.array(losses, np.float64), is_stopped, loss_probability=probability)


def reviewed(one: LossRecord) -> LimitFit:
    [fit] = review_limits([one])
    return fit


def test_level_is_reached_on_its_share_of_the_days() -> None:
    # given losses of 1 to 100: 100 is reached on half its own step, 0.5 %; 96 on 4 days beyond and half a step, 4.5 %
    losses, nobody = np.arange(1.0, 101.0), np.zeros(100, np.bool_)

    # when, then 5 % lies amid 95 and 96; beyond the largest loss nothing is invented
    assert reached_level(losses, nobody, 0.05) == pytest.approx(95.5)
    assert reached_level(losses, nobody, 0.005) == pytest.approx(100)
    assert reached_level(losses, nobody, 0.001) == 100


def test_stopped_days_count_as_at_least_their_loss() -> None:
    # given ten days, of which the one at 8 was stopped
    losses, stopped = np.arange(1.0, 11.0), np.arange(10) == 7

    # when, then 9 and 10 take over its share: reached by 3/10 from 8 on, so 9 amid .30 and .15, 10 amid .15 and 0
    assert reached_level(losses, stopped, 0.225) == pytest.approx(9.0)
    assert reached_level(losses, stopped, 0.075) == pytest.approx(10.0)
    # all stopped at the top: beyond it nothing is known
    assert math.isnan(reached_level(losses, np.arange(10) >= 7, 0.05))


def test_losses_too_large_for_the_limit_are_said_with_count_interval_and_size() -> None:
    # given 12 of 49 days beyond 5,000, the largest 30,000
    losses = [*np.linspace(100, 4900, 37), *np.linspace(5000, 30000, 12)]
    order = np.random.default_rng(1).permutation(49)

    # when
    fit = reviewed(record(np.array(losses)[order].tolist()))

    # then
    assert fit.verdict == "too large"
    assert fit.sentence.startswith("losses too large for the limit: reached on 12 of 49 days (")
    assert "; to keep $5,000 size must fall to about " in fit.sentence
    assert fit.sentence.endswith(" would be reached on 1 to 5% of days.)")
    assert "(For information: $" in fit.sentence
    # a raise is nobody's proposal
    assert fit.proposed_limit_usd is None


def test_limit_that_is_never_reached_is_proposed_lower() -> None:
    # given 250 days with losses up to 200: 4 % of 5,000
    fit = reviewed(record(np.linspace(0, 200, 250).tolist()))

    # then
    assert fit.verdict == "never reached"
    assert fit.sentence.startswith("never reached: largest use 4% in 250 days; $1")
    assert fit.largest_use_ratio == pytest.approx(0.04)
    assert fit.proposed_limit_usd == fit.band_high_usd
    assert fit.proposed_limit_usd is not None
    assert fit.proposed_limit_usd < 5000


@pytest.mark.parametrize(
    ("days", "largest", "verdict"),
    [
        # 25 % of 5,000 is use enough; a cent less is not, and 119 days are too few to say so.
        (120, 1250.00, "fits"),
        (120, 1249.99, "never reached"),
        (119, 1249.99, "fits"),
        (20, 100.00, "fits"),
        (19, 100.00, "limited history"),
        (0, None, "limited history"),
    ],
)
def test_verdict_changes_at_its_bounds(days: int, largest: float | None, verdict: str) -> None:
    losses = np.linspace(0.0, largest or 0.0, days).tolist()
    assert reviewed(record(losses)).verdict == verdict


def test_only_the_last_year_is_reviewed() -> None:
    # given 100 days far beyond the limit, then 250 calm ones
    assert reviewed(record([90000.0] * 100 + np.linspace(0, 3000, 250).tolist())).hit_count == 0


def test_days_stopped_at_the_limit_leave_the_band_open() -> None:
    # given hits on 20 of 60 days, all stopped at the limit
    losses = [*np.linspace(100, 4900, 40), *[5000.0] * 20]
    order = np.random.default_rng(2).permutation(60)
    fit = reviewed(record(np.array(losses)[order].tolist(), stopped=np.flatnonzero(order >= 40).tolist()))

    # then the levels beyond are not known, and nothing is invented
    assert fit.is_band_open
    assert (fit.band_low_usd, fit.band_high_usd) == (None, None)
    assert fit.sentence.startswith("losses too large for the limit: reached on at least 20 of 60 days")


def test_own_tail_beyond_the_stops_is_that_of_all_accounts() -> None:
    # given an account that is stopped at 3,600, on 7 % of days, and one of half its size that never is
    free = np.abs(np.random.default_rng(3).standard_normal(250)) * 1000
    twice = np.minimum(free * 2, 3600.0)
    held = record(twice.tolist(), stopped=np.flatnonzero(twice == 3600.0).tolist())
    records = [record(free.tolist()), held]

    # when
    multiples = pooled_multiples(records, (0.05, 0.01))
    low, high = fitting_band(held, multiples)

    # then its band is about twice the other's
    own_low, own_high = fitting_band(records[0], multiples)
    assert (low / own_low, high / own_high) == pytest.approx((2.0, 2.0), rel=0.15)


def test_chance_above_five_percent_is_a_warning_and_no_verdict() -> None:
    losses = np.linspace(0, 4000, 60).tolist()
    assert reviewed(record(losses, chance="0.05")).warning == ""
    warned = reviewed(record(losses, chance="0.293"))
    assert warned.verdict == "fits"
    assert warned.warning == "29.3% chance of losing more than $5,000 in the next session, at the close"


def test_interval_of_no_hit_is_not_nothing() -> None:
    # given 60 days without a hit: exact upper end 1 - 0.025^(1/60)
    low, high = hit_interval(np.zeros(60, np.bool_))
    assert (low, high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 60)))
    low, high = hit_interval(np.arange(60) % 10 == 0)
    assert low < 0.1 < high


@pytest.mark.parametrize(
    ("band", "rounded"),
    [((18950.0, 23100.0), (18000, 24000)), ((912.0, 1400.0), (910, 1400)), ((0.4, 7.2), (0, 8))],
)
def test_band_is_rounded_outward_to_two_digits(band: tuple[float, float], rounded: tuple[int, int]) -> None:
    assert rounded_outward(*band) == rounded


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(0.24, "a quarter"), (0.5, "half"), (0.95, "three quarters"), (0.09, "a tenth"), (0.05, "less than a tenth")],
)
def test_size_is_said_in_words(ratio: float, words: str) -> None:
    assert size_in_words(ratio) == words


def test_band_holds_the_truth_and_planted_limits_are_flagged_on_simulated_desks() -> None:
    # given two desks
    figures = measure(seeds=(1, 2), sets=("medium",))

    # then
    assert figures["medium band holds the truth"] >= 0.9
    assert figures["medium 20x too large flagged"] >= 0.9
    assert figures["medium 10x too small flagged"] == 1.0
    assert figures["medium false flags"] <= 0.05
