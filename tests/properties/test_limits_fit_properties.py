"""What must hold for the review of every record of losses."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from risk.core.policy_document import default_policy
from risk.limits.fit import LossRecord, reached_level, review_limits
from risk.limits.policy import AccountPolicy
from risk.limits.trader_fits import TraderRecord, review_traders
from tests.properties.effort import examples

POLICY = default_policy().desk
LOSSES = st.lists(st.integers(0, 20_000).map(float), min_size=1, max_size=140)
LIMITS = st.integers(100, 50_000).map(Decimal)


def record(losses: list[float], limit: Decimal, stopped_from: float = np.inf, name: str = "A") -> LossRecord:
    """Make a record whose losses end at ``stopped_from``."""
    values = np.minimum(np.array(losses), stopped_from)
    return LossRecord(name, AccountPolicy(POLICY, limit), values, values >= stopped_from)


@given(LOSSES, st.floats(0.01, 0.6), st.floats(0.01, 0.6))
def test_a_level_that_is_reached_more_often_is_not_higher(losses: list[float], one: float, other: float) -> None:
    values, nobody = np.array(losses), np.zeros(len(losses), np.bool_)
    rarely, often = sorted((one, other))
    level = reached_level(values, nobody, often)
    assume(not np.isnan(level))
    assert level <= reached_level(values, nobody, rarely) + 1e-9
    # second method: no more than its share of the days lies beyond it, but for the half step that it lies amid
    assert np.count_nonzero(values > level) <= often * len(losses) + 0.5 + 1e-9


@examples(60)
@given(LOSSES, LIMITS)
def test_proposal_is_only_downward_and_verdicts_keep_their_terms(losses: list[float], limit: Decimal) -> None:
    [fit] = review_limits([record(losses, limit)])
    if fit.proposed_limit_usd is not None:
        assert fit.verdict == "never reached"
        assert fit.proposed_limit_usd < limit
    if fit.band_low_usd is not None and fit.band_high_usd is not None:
        assert fit.band_low_usd <= fit.band_high_usd
    assert fit.hit_low_ratio <= fit.hit_count / len(losses) <= fit.hit_high_ratio
    assert (fit.verdict == "too large") <= (fit.hit_low_ratio > 0.05)
    assert (fit.verdict == "never reached") <= (max(losses) < 0.25 * float(limit) and len(losses) >= 120)


@examples(40)
@given(LOSSES, LIMITS, st.integers(2, 9))
def test_fit_grows_with_the_money_at_stake(losses: list[float], limit: Decimal, times: int) -> None:
    [once] = review_limits([record(losses, limit)])
    [larger] = review_limits([record([loss * times for loss in losses], limit * times)])
    assert (larger.verdict, larger.hit_count) == (once.verdict, once.hit_count)
    assert larger.largest_use_ratio == pytest.approx(once.largest_use_ratio)


@examples(40)
@given(LOSSES, LIMITS, st.floats(1_000, 15_000))
def test_stops_hide_losses_and_leave_the_band_open(losses: list[float], limit: Decimal, at: float) -> None:
    [free], [held] = review_limits([record(losses, limit)]), review_limits([record(losses, limit, at)])
    if held.band_high_usd is not None and free.band_high_usd is not None and held.stopped_count == 0:
        assert held == free
    assert held.is_band_open == (held.stopped_count > 0)
    assert held.hit_count <= free.hit_count


@examples(100)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(20, 140), st.floats(0.02, 40.0), st.booleans())
def test_verdict_on_several_accounts_is_that_of_their_losses_at_common_instants(
    seed: int, accounts: int, days: int, scale: float, is_stopped: bool
) -> None:
    """The product never sees the common instants; whatever verdict it gives must be theirs."""
    dice = np.random.default_rng(seed)
    common, own = dice.standard_t(4, (days, 12, 1)), dice.standard_t(4, (days, 12, accounts))
    paths = np.cumsum(scale * 100 * (dice.uniform(-1, 1) * common + own), axis=1)
    stopped = (np.arange(days) == days // 2) & is_stopped
    together = AccountPolicy(POLICY, Decimal(1000 * accounts))
    closes = np.maximum(-paths[:, -1].sum(axis=1), 0.0)
    lows = np.maximum(-paths, 0.0).max(axis=1).sum(axis=1)
    true_losses = np.maximum(-paths.sum(axis=2), 0.0).max(axis=1)

    kept = [LossRecord("T", together, losses, stopped) for losses in (closes, lows, true_losses)]
    [found] = review_traders([TraderRecord("T", ("A", "B"), kept[0], kept[1])])
    [true_fit] = review_limits([kept[2]])

    assert found.close_hit_count <= true_fit.hit_count <= found.lows_hit_count
    assert (found.close_use_ratio or 0) <= (true_fit.largest_use_ratio or 0) + 1e-9
    assert (true_fit.largest_use_ratio or 0) <= (found.lows_use_ratio or 0) + 1e-9
    if found.verdict != "not known":
        assert found.verdict == true_fit.verdict
