"""What must hold for the tail of every desk."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.limits.desk_tail import desk_tail, rounded_shares, shortfall_usd, tail_weights
from risk.model.panel import FloatMatrix
from tests.properties.effort import examples

AMOUNTS = st.integers(-10_000, 10_000).map(float)


@st.composite
def desks(draw: st.DrawFn) -> FloatMatrix:
    shape = (draw(st.integers(60, 130)), draw(st.integers(1, 5)))
    found: FloatMatrix = draw(arrays(np.float64, shape, elements=AMOUNTS))
    return found


def shortfall_by_slices(results: list[float]) -> Fraction:
    """Second method: every result twenty times; the lowest twentieth of them are whole slices."""
    slices = sorted(Fraction(result) for result in results for _ in range(20))
    return -sum(slices[: len(results)], Fraction(0)) / len(results)


@given(st.lists(AMOUNTS, min_size=1, max_size=120))
def test_shortfall_is_that_of_whole_slices(results: list[float]) -> None:
    desk = np.array(results)
    assert shortfall_usd(desk) == pytest.approx(float(shortfall_by_slices(results)), abs=1e-6)
    assert tail_weights(desk).sum() == pytest.approx(1.0, abs=1e-12)


@examples(60)
@given(desks())
def test_shares_add_up_and_follow_the_accounts(results: FloatMatrix) -> None:
    limits = np.full(results.shape[1], 3000.0)
    found = desk_tail(results, limits, limits / 2)
    assert found is not None
    assert found.contributions_usd.sum() == pytest.approx(found.expected_shortfall_usd, abs=1e-6)
    assert found.expected_shortfall_usd >= found.value_at_risk_usd - 1e-6
    if found.shares is not None and found.expected_shortfall_usd > 1.0:
        assert abs(found.shares.sum() - 1.0) < 1e-9
        assert sum(rounded_shares(found.shares)) == 1
    again = desk_tail(results[:, ::-1], limits, limits / 2)
    assert again is not None
    assert again.contributions_usd[::-1] == pytest.approx(found.contributions_usd, abs=1e-6)


@examples(40)
@given(desks(), st.integers(2, 9))
def test_tail_grows_with_the_money_at_stake_and_not_with_the_order_of_days(results: FloatMatrix, times: int) -> None:
    limits = np.full(results.shape[1], 3000.0)
    found, larger = desk_tail(results, limits, limits), desk_tail(results * times, limits * times, limits * times)
    reversed_days = desk_tail(results[::-1], limits, limits)
    assert found is not None
    assert larger is not None
    assert reversed_days is not None
    assert larger.at_limits_usd == pytest.approx(found.at_limits_usd * times, abs=1e-4)
    assert reversed_days.contributions_usd == pytest.approx(found.contributions_usd, abs=1e-6)
    assert found.at_base_usd == found.at_limits_usd
    assert not found.reliefs_usd.any()
