"""Drift of inputs and of the exceedance rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from risk.model.drift import exceedance_evidence, feature_drifts, stability_index


def test_stability_index_by_hand() -> None:
    # given a reference of ten equal tenths; recent values all in the lower half, two tenths' worth in each of five bins
    reference = np.arange(1000.0)
    recent = np.arange(500.0)

    # when, then: five bins (.2 - .1) ln 2, five bins (.0001 - .1) ln(.0001 / .1); edges move single values between bins
    by_hand = 5 * 0.1 * math.log(2.0) + 5 * (0.0001 - 0.1) * math.log(0.001)
    assert stability_index(reference, recent) == pytest.approx(by_hand, rel=0.01)


def test_the_same_values_have_no_drift_and_a_moved_feature_is_named() -> None:
    # given
    generator = np.random.default_rng(1)
    reference = generator.standard_normal((5000, 3)).astype(np.float32)
    recent = generator.standard_normal((500, 3)).astype(np.float32)
    recent[:, 1] += 1.0
    recent[:, 2] = np.nan

    # when
    drifts = feature_drifts(["same", "moved", "missing"], reference, recent)

    # then P(N(0,1) and N(1,1) differ) at most: 2 Phi(.5) - 1 = .383
    assert [drift.is_shifted for drift in drifts] == [False, True, False]
    assert drifts[1].distance == pytest.approx(0.383, abs=0.06)
    assert drifts[0].p_value > 0.01
    assert math.isnan(drifts[2].stability_index)


def test_evidence_by_hand_after_one_exceedance() -> None:
    # one forecast exceeded: each bet on rate a pays a / .05: mean of .2, .4, .6, 1.6, 2.4, 4 = 1.533333
    assert exceedance_evidence([1], [1]) == pytest.approx([1.5333333])
    assert exceedance_evidence([0, 1], [0, 1]) == pytest.approx([1.0, 1.5333333])


def test_evidence_rarely_reaches_the_alarm_when_forecasts_are_right_though_accounts_share_days() -> None:
    # given 400 desks of 10 traders over 500 sessions; in each session all or none of a half exceed theirs
    generator = np.random.default_rng(2)
    alarms = 0
    for _ in range(400):
        exceedances = 5 * (generator.random((500, 2)) < 0.05).sum(axis=1)
        alarms += exceedance_evidence(exceedances.tolist(), [10] * 500).max() >= 20.0

    # then at most 5 % of them, and looking at every session is allowed: 3 standard errors are 3.3 %
    assert alarms / 400 <= 0.083


@pytest.mark.parametrize("rate", [0.0, 0.15])
def test_evidence_finds_a_wrong_rate(rate: float) -> None:
    generator = np.random.default_rng(3)
    exceedances = generator.binomial(10, rate, 250)
    assert exceedance_evidence(exceedances.tolist(), [10] * 250)[-1] >= 20.0
