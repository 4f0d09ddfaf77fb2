"""The gate's baseline, its three conditions and its memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from risk.model.gate import evaluate_gate, rules_quantiles


def _desk(sessions: int, seed: int = 1, traders: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Results whose true scale is known tomorrow morning: pnl, unit scales, true 5 % quantile issued the day before."""
    generator = np.random.default_rng(seed)
    sigma = np.where(generator.random((sessions + 1, traders)) < 0.5, 0.3, 1.5)
    pnl = sigma[:-1] * generator.standard_normal((sessions, traders))
    return pnl, np.ones_like(pnl), -1.644854 * sigma[1:]


def test_rules_forecast_by_bucket_shrunk_toward_all() -> None:
    # given 150 accounts of which 50 are cut by 40 %, with losses of 2 there and 1 elsewhere, and a forecast of 1 each
    pnl = np.tile(np.where(np.arange(150) < 50, -2.0, -1.0), (3, 1))
    historical = -np.ones_like(pnl)
    cuts = np.tile(np.where(np.arange(150) < 50, 0.4, 0.0), (3, 1))

    # when
    quantiles = rules_quantiles(pnl, historical, cuts)

    # then after one session of results: own 2, all together the 5 % quantile of 50 x 2 and 100 x 1 is 2
    assert np.isnan(quantiles[0]).all()
    # bucket: (50 x 2 + 100 x 2) / 150 = 2; others: (100 x 1 + 100 x 2) / 200 = 1.5
    assert quantiles[1, 0] == pytest.approx(-2.0)
    assert quantiles[1, 149] == pytest.approx(-1.5)
    # after two sessions: others (200 x 1 + 100 x 2) / 300
    assert quantiles[2, 149] == pytest.approx(-4.0 / 3.0)


def test_a_bucket_of_fewer_than_20_results_uses_all() -> None:
    pnl = np.tile(np.where(np.arange(150) < 19, -2.0, -1.0), (2, 1))
    cuts = np.tile(np.where(np.arange(150) < 19, 0.25, 0.0), (2, 1))
    quantiles = rules_quantiles(pnl, -np.ones_like(pnl), cuts)
    # the pooled 5 % quantile of 19 x -2 and 131 x -1 is -2: position 149 x .05 = 7.45
    assert quantiles[1, 0] == pytest.approx(-2.0)


def test_a_serving_model_that_misses_says_how_often_and_is_demoted_at_the_fifth() -> None:
    # given the truth until session 85, from then on a forecast that is far too careful
    pnl, scale, truth = _desk(110)
    constant = np.full_like(pnl, np.quantile(pnl, 0.05))
    model = np.where(np.arange(110)[:, None] < 85, truth, 20.0 * truth)

    # when
    judgments = evaluate_gate(pnl, scale, model, constant)

    # then
    first_miss = next(number for number in range(85, 110) if not judgments[number].is_pass)
    reasons = [judgment.reasons[0] for judgment in judgments[first_miss : first_miss + 4]]
    assert reasons == [
        f"The model missed the gate in {count} session{'s' * (count > 1)} in a row; rule-based limits apply from 5 on."
        for count in (1, 2, 3, 4)
    ]
    assert [judgment.is_serving for judgment in judgments[first_miss : first_miss + 5]] == [True] * 4 + [False]
    assert not judgments[first_miss + 4].reasons[0].startswith("The model missed")
    # and results that are known already change nothing of the later ones
    for known in (40, 60, 72, first_miss + 2, 109):
        continued = evaluate_gate(pnl, scale, model, constant, judgments[:known])
        assert list(map(repr, continued)) == list(map(repr, judgments))


def test_a_better_model_is_promoted_after_ten_passes_and_not_before() -> None:
    # given the truth against a constant
    pnl, scale, truth = _desk(90)
    constant = np.full_like(pnl, np.quantile(pnl, 0.05))

    # when
    judgments = evaluate_gate(pnl, scale, truth, constant)

    # then session 60 is the first with 60 scored ones, session 69 the tenth judged
    passes = [judgment.is_pass for judgment in judgments]
    serving = [judgment.is_serving for judgment in judgments]
    assert passes == [False] * 60 + [True] * 30
    assert serving == [False] * 69 + [True] * 21
    assert judgments[58].reasons == ("The gate needs 60 sessions with a scored forecast and has 58.",)
    assert judgments[65].reasons == ("The model has passed the gate in 6 sessions in a row; 10 are required.",)
    assert judgments[80].reasons == ("The forecast has beaten the rules in 21 sessions in a row.",)


def test_a_model_that_equals_the_rules_never_passes() -> None:
    pnl, scale, truth = _desk(70)
    last = evaluate_gate(pnl, scale, truth, truth)[-1]
    assert (last.improvement, last.p_value, last.is_pass) == (0.0, 1.0, False)
    assert last.reasons[0] == (
        "The forecast's loss over 60 sessions is 0.0% below the rules'; more than 10% is required."
    )


def test_a_serving_model_is_demoted_after_five_misses() -> None:
    # given a model that becomes worthless in session 100: each session's loss is then the rules' and a half
    pnl, scale, truth = _desk(160)
    constant = np.full_like(pnl, np.quantile(pnl, 0.05))
    model = truth.copy()
    model[100:] = constant[100:] * 1.3

    # when
    judgments = evaluate_gate(pnl, scale, model, constant)

    # then it still serves at the fourth miss, not at the fifth
    first_miss = next(n for n in range(70, 160) if not judgments[n].is_pass)
    assert [judgments[first_miss + n].is_pass for n in range(5)] == [False] * 5
    assert [judgments[first_miss + n].is_serving for n in range(3, 5)] == [True, False]


def test_a_serving_model_is_demoted_at_once_when_exceedances_explode() -> None:
    # given a model that from session 100 on forecasts a loss of a tenth: every second result is beyond it
    pnl, scale, truth = _desk(130)
    constant = np.full_like(pnl, np.quantile(pnl, 0.05))
    model = truth.copy()
    model[100:] = truth[100:] * 0.02

    # when
    judgments = evaluate_gate(pnl, scale, model, constant)

    # then
    for before, after in itertools.pairwise(judgments[100:]):
        if after.exceedance_rate > 0.10 and before.is_serving:
            assert not after.is_serving
            break
    else:
        pytest.fail("the exceedance rate never left its bounds")


def test_sessions_without_a_forecast_are_no_evidence() -> None:
    # given ten sessions in which nobody traded after the eighth pass
    pnl, scale, truth = _desk(90)
    constant = np.full_like(pnl, np.quantile(pnl, 0.05))
    pnl[68:78] = np.nan

    # when
    judgments = evaluate_gate(pnl, scale, truth, constant)

    # then
    assert not any(judgment.is_serving for judgment in judgments[:79])
    assert judgments[79].is_serving


def test_the_gate_takes_desks_without_any_forecast() -> None:
    nothing = np.full((5, 2), np.nan)
    judgments = evaluate_gate(nothing, nothing, nothing, nothing)
    assert [judgment.is_serving for judgment in judgments] == [False] * 5
    assert judgments[0].reasons == ("The gate needs 60 sessions with a scored forecast and has 0.",)
