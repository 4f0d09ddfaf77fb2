"""Weights, the distribution and the explanation."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from bench.forecast import history_of_truth
from risk.model.experts import boosted, garch
from risk.model.experts.empirical import FILTER_DECAY
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import read_prior
from risk.model.explain import TOPICS, ForecastInputs, explain
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS, fit_model, training_pairs
from risk.model.mixture import LEVELS, ResidualShape, forecast_distribution, mix, residual_shape
from risk.model.panel import ewma_scale
from risk.model.walk_forward import walk_forward
from simulation.truth import draw


def test_weights_follow_the_discounted_losses_by_hand() -> None:
    # given two experts that say -1 and -2 for one account of scale 1, and results of 0, then nothing, then -3
    pnl = np.array([[0.0], [0.0], [np.nan], [-3.0]])
    experts = np.stack([np.full((4, 1), -1.0), np.full((4, 1), -2.0)])

    # when
    mixture, weights = mix(pnl, np.ones((4, 1)), experts)

    # then session 1: losses .05 and .10; the silent session changes nothing;
    # session 3: .99 x .05 + .95 x 2 = 1.9495 against .99 x .10 + .95 x 1 = 1.049
    first = 1.0 / (1.0 + math.exp(-10 * 0.05))
    last = 1.0 / (1.0 + math.exp(-10 * (1.049 - 1.9495)))
    np.testing.assert_allclose(weights[:, 0], [0.5, first, first, last])
    np.testing.assert_allclose(mixture[:, 0], [-(2.0 ** (1.0 - weight)) for weight in weights[:, 0]])


def test_the_fan_has_the_forecast_as_its_5_percent_quantile() -> None:
    # given residuals -1.99, -1.98, ..., 2.00 in units of a forecast that is too wide by chance
    residuals = np.arange(-199, 201) / 100.0
    pnl = np.vstack([np.zeros(400), residuals * 500.0])
    shape = residual_shape(pnl, np.full_like(pnl, -500.0))

    # when
    found = forecast_distribution(shape, -1000.0, 1000.0)

    # then the 5 % quantile is at position 399 x .05 = 19.95: -1.99 + .1995 = -1.7905 becomes -1
    assert shape.is_pooled
    assert found.quantiles_usd[LEVELS.index(0.05)] == pytest.approx(-1000.0)
    assert list(found.quantiles_usd) == sorted(found.quantiles_usd)
    # the tail are the 20 residuals -1.99 to -1.80, mean -1.895: 1.895 / 1.7905 x 1000
    assert found.expected_shortfall_usd == pytest.approx(1895.0 / 1.7905)
    # those 20 are beyond the limit of 1,000: (20 + .5) / 401
    assert found.loss_probability == pytest.approx(20.5 / 401)


def test_a_desk_without_residuals_gets_the_normal_shape_and_says_so() -> None:
    shape = residual_shape(np.full((3, 2), np.nan), np.full((3, 2), np.nan))
    found = forecast_distribution(shape, -164.4854, 232.6348)
    assert not shape.is_pooled
    # a standard deviation of 100: the 1 % quantile is -232.6, the shortfall phi(1.645) / .05 = 206.3
    assert found.quantiles_usd[0] == pytest.approx(-232.6, rel=0.02)
    assert found.expected_shortfall_usd == pytest.approx(206.3, rel=0.02)
    assert found.loss_probability == pytest.approx(0.01, rel=0.1)


def test_losses_that_never_came_stay_possible() -> None:
    shape = ResidualShape(np.linspace(-2.0, 2.0, 500), is_pooled=True)
    assert 0.0 < forecast_distribution(shape, -100.0, 1e9).loss_probability < 0.01
    assert 0.99 < forecast_distribution(shape, -100.0, 0.0).loss_probability + 0.5 < 1.01


def test_every_feature_belongs_to_one_topic() -> None:
    parts = [part for topic in TOPICS for part in topic.parts]
    assert sorted(parts) == sorted([*LEARNED_NAMES, "volatility", "calibration"])
    assert all(topic.shown in topic.parts for topic in TOPICS)


def test_contributions_add_up_and_sentences_contain_numbers() -> None:
    # given a desk, its last model and the last row's forecasts
    history = history_of_truth(draw("strong", 8, 150, 5))
    pnl = history.panel.total_pnl_usd
    prior = read_prior(LEARNED_NAMES).prior
    forecasts = walk_forward(history, first_row=149, prior=prior)
    model = fit_model(history, training_pairs(history), 149, PooledGarch().fit(pnl))
    volatility = garch.volatilities(pnl, model.garch_coefficients)[-1]
    fitted = model.predict(history.features[-1], history.scale[-1], volatility)
    sentences: set[str] = set()
    for account in range(8):
        quantiles = {name: float(forecasts.expert(name)[-1, account]) for name in MIXED_EXPERTS}
        quantiles.update({name: float(values[account]) for name, values in fitted.items()})
        known = ForecastInputs(
            inputs=history.features[-1, account : account + 1],
            scale_usd=float(history.scale[-1, account]),
            filter_volatility_usd=float(ewma_scale(pnl, FILTER_DECAY)[-1, account]),
            garch_volatility_usd=float(volatility[account]),
            quantiles_usd=quantiles,
            weights=dict(zip(MIXED_EXPERTS, (0.1, 0.2, 0.2, 0.2, 0.1, 0.2), strict=True)),
            calibration=0.07,
        )

        # when
        explanation = explain(model, known, prior)

        # then the logs add up to the mixture's loss times e^.07
        product = math.prod((-quantiles[name]) ** known.weights[name] for name in MIXED_EXPERTS)
        assert explanation.log_loss == pytest.approx(math.log(product) + 0.07, abs=1e-9)
        assert sum(explanation.contributions.values()) == pytest.approx(explanation.log_loss, abs=1e-6)
        assert len(explanation.sentences) <= 3
        assert not any("nan" in sentence for sentence in explanation.sentences)
        sentences.update(explanation.sentences)
    assert any(re.search(r": \+\d+%", sentence) for sentence in sentences)
    assert any(re.search(r": -\d+%", sentence) for sentence in sentences)


def test_a_level_of_the_experts_alone_is_left_when_no_input_moves_it() -> None:
    # given one account at the center of every input: the ridge's terms are 0, the trees' shares are not hidden in level
    history = history_of_truth(draw("medium", 8, 120, 6))
    model = fit_model(history, training_pairs(history), 119, PooledGarch().fit(history.panel.total_pnl_usd))
    shares = boosted.contributions(model.booster_json, history.features[-1])
    predicted = boosted.predict_ratios(model.booster_json, history.features[-1])
    np.testing.assert_allclose(shares.sum(axis=1), predicted, atol=1e-5)
    assert np.abs(shares[:, :-1]).max() > 1e-3
