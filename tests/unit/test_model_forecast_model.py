"""The fitted model, its text, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.forecast import history_of_truth
from risk.core.errors import ModelError
from risk.core.settings import PROJECT_DIR
from risk.model import artefact
from risk.model.experts import garch
from risk.model.experts.garch import PooledGarch
from risk.model.fitted import Model, fit_model, training_pairs
from risk.model.panel import FeaturePanel
from simulation.truth import draw

PLUGINS_DIR = PROJECT_DIR / "plugins"


@pytest.fixture(scope="module")
def history() -> FeaturePanel:
    return history_of_truth(draw("strong", 8, 110, 2))


@pytest.fixture(scope="module")
def model(history: FeaturePanel) -> Model:
    return _fitted(history)


def _fitted(history: FeaturePanel) -> Model:
    last_row = len(history.panel.session_dates) - 1
    return fit_model(history, training_pairs(history), last_row, PooledGarch().fit(history.panel.total_pnl_usd))


def _predicted(history: FeaturePanel, model: Model) -> dict[str, Any]:
    volatility = garch.volatilities(history.panel.total_pnl_usd, model.garch_coefficients)
    return model.predict(history.features[-1], history.scale[-1], volatility[-1])


def test_a_model_read_back_predicts_the_same_bits(history: FeaturePanel, model: Model) -> None:
    # given
    text = artefact.to_json(model)

    # when
    read = artefact.load(text, artefact.content_sha256(text), history.feature_names)

    # then
    assert read == model
    fresh, stored = _predicted(history, model), _predicted(history, read)
    assert list(fresh) == ["log_scale_ridge", "boosted", "garch"]
    for expert, quantiles in fresh.items():
        assert quantiles.tobytes() == stored[expert].tobytes()
        assert (quantiles < 0.0).all()
        # each account has a quantile of its own, whatever its scale
        assert len(np.unique(quantiles / history.scale[-1])) == history.scale.shape[1]


def test_another_process_with_other_hashes_and_threads_gives_the_same_bytes(model: Model) -> None:
    # given a training in a process of its own
    program = """
from bench.forecast import history_of_truth
from risk.model import artefact
from risk.model.experts.garch import PooledGarch
from risk.model.fitted import fit_model, training_pairs
from simulation.truth import draw
history = history_of_truth(draw("strong", 8, 110, 2))
last_row = len(history.panel.session_dates) - 1
model = fit_model(history, training_pairs(history), last_row, PooledGarch().fit(history.panel.total_pnl_usd))
print(artefact.content_sha256(artefact.to_json(model)))
"""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "3")
    environment = {**os.environ, **threads, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{PLUGINS_DIR}:{PROJECT_DIR}"}

    # when
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    # then
    assert done.stdout.strip() == artefact.content_sha256(artefact.to_json(model))


def test_columns_that_are_never_known_take_no_place_in_the_trees() -> None:
    # given a desk of which only P&L is known
    history = history_of_truth(draw("strong", 8, 110, 2))
    inputs = training_pairs(history).inputs

    # when
    trees = json.loads(_fitted(history).booster_json)["learner"]["gradient_booster"]["model"]["trees"]

    # then
    splits = {
        index
        for tree in trees
        for index, left in zip(tree["split_indices"], tree["left_children"], strict=True)
        if left != -1
    }
    unknown = set(np.flatnonzero(~np.isfinite(inputs).any(axis=0)).tolist())
    assert {history.feature_names[index] for index in unknown} == {
        "enlarging_share_0",
        "enlarging_share_3",
        "holding_against_norm",
    }
    assert not splits & unknown


def test_the_same_data_and_seed_give_the_same_bytes(history: FeaturePanel, model: Model) -> None:
    again = _fitted(history)
    assert artefact.to_json(again) == artefact.to_json(model)
    sample, candidates = training_pairs(history), PooledGarch().fit(history.panel.total_pnl_usd)
    other = fit_model(history, sample, len(history.scale) - 1, candidates, seed=1)
    assert artefact.to_json(other) != artefact.to_json(model)


def test_a_model_states_its_window_and_libraries(history: FeaturePanel, model: Model) -> None:
    assert model.last_session_date == history.panel.session_dates[-1]
    # five active sessions come before the first input
    assert model.first_session_date == history.panel.session_dates[4]
    assert [name for name, _ in model.versions] == ["python", "numpy", "scikit-learn", "xgboost"]
    assert model.pair_count == len(training_pairs(history).session)


def test_one_changed_byte_is_refused(history: FeaturePanel, model: Model) -> None:
    text = artefact.to_json(model)
    changed = text.replace('"seed":0', '"seed":1', 1)
    with pytest.raises(ModelError, match=r"was changed: its SHA-256 is .* Run the DAG weekly_model"):
        artefact.load(changed, artefact.content_sha256(text), history.feature_names)


def _edited(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return edit


def _constant(content: dict[str, Any]) -> None:
    content["ridge"]["coefficients"] = [0.0] * len(content["feature_names"])
    booster = json.loads(content["booster_json"])
    for tree in booster["learner"]["gradient_booster"]["model"]["trees"]:
        tree["left_children"] = [-1]
    content["booster_json"] = json.dumps(booster)


REFUSED: dict[str, tuple[Callable[[str], str], str]] = {
    "no JSON": (lambda text: text[:-1], "cannot be read"),
    "not an object": (lambda _: "[1]", "cannot be read"),
    "a field is missing": (_edited(lambda content: content.pop("garch_coefficients")), "cannot be read"),
    "a field is unknown": (_edited(lambda content: content.update(code="import os")), "cannot be read"),
    "another format": (_edited(lambda content: content.update(artefact_version=9)), "another format than 1"),
    "another feature": (_edited(lambda content: content["feature_names"].append("horoscope")), "differ in horoscope"),
    "another order": (_edited(lambda content: content["feature_names"].reverse()), "the same in another order"),
    "another library": (_edited(lambda content: content["versions"][3].__setitem__(1, "0.1")), r"xgboost 0\.1 \(today"),
    "a library not named": (_edited(lambda content: content["versions"].pop()), "not all named"),
    "a coefficient too few": (_edited(lambda content: content["ridge"]["coefficients"].pop()), "not one for each"),
    "not a number": (_edited(lambda content: content["ridge"].update(intercept=float("nan"))), "not finite"),
    "a text for a number": (_edited(lambda content: content["ridge"].update(intercept="1")), "not finite"),
    "a gain for a loss": (_edited(lambda content: content.update(garch_residual_quantile=0.5)), "no loss"),
    "no trees": (_edited(lambda content: content.update(booster_json="{}")), "trees cannot be read"),
    "constant": (_edited(_constant), "is constant"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_model_is_refused_with_a_sentence(history: FeaturePanel, model: Model, name: str) -> None:
    edit, message = REFUSED[name]
    text = edit(artefact.to_json(model))
    with pytest.raises(ModelError, match=message) as caught:
        artefact.load(text, artefact.content_sha256(text), history.feature_names)
    assert str(caught.value).endswith("Run the DAG weekly_model for a new one.")


def test_too_few_pairs_are_refused_with_a_sentence() -> None:
    with pytest.raises(ModelError, match="needs 200 account-sessions with a forecast and a result, there are 0"):
        _fitted(history_of_truth(draw("strong", 1, 5, 1)))


def test_a_model_does_not_see_rows_after_its_window(history: FeaturePanel) -> None:
    # given
    sample, candidates = training_pairs(history), PooledGarch().fit(history.panel.total_pnl_usd)
    cut = dataclasses.replace(
        history,
        panel=history.panel.through(80),
        features=history.features[:80],
        scale=history.scale[:80],
        has_forecast=history.has_forecast[:80],
    )

    # when, then
    assert artefact.to_json(fit_model(history, sample, 79, candidates)) == artefact.to_json(_fitted(cut))


def test_garch_agrees_with_the_recursion_by_hand() -> None:
    # given a = .16, b = .78: h after 3 = 9; after -1: m = 5, .06 x 5 + .16 x 1 + .78 x 9 = 7.48; not active: carried
    pnl = np.array([[3.0], [-1.0], [np.nan], [2.0]])

    # when
    volatilities = garch.volatilities(pnl, (0.16, 0.78))

    # then after 2: m = 14 / 3, .06 x 4.666667 + .16 x 4 + .78 x 7.48 = 6.7544
    np.testing.assert_allclose(volatilities[:, 0] ** 2, [9.0, 7.48, 7.48, 6.7544])


def test_garch_likelihood_finds_the_coefficients_a_desk_was_drawn_from() -> None:
    # given 40 accounts that follow GARCH(1,1) with a = .11, b = .84
    generator = np.random.default_rng(4)
    variance, rows = np.ones(40), []
    for _ in range(800):
        rows.append(np.sqrt(variance) * generator.standard_normal(40))
        variance = 0.05 + 0.11 * rows[-1] ** 2 + 0.84 * variance
    found = garch.GRID[int(np.argmax(garch.log_likelihoods(np.array(rows))[-1]))]

    # then
    assert found == (0.11, 0.84)


def test_a_large_sample_is_thinned_evenly(history: FeaturePanel) -> None:
    sample = training_pairs(history)
    count = len(sample.session)
    assert sample.thinned(count) is sample
    # one fewer than there are: every second one is left
    np.testing.assert_array_equal(sample.thinned(count - 1).pnl_usd, sample.pnl_usd[::2])
    assert sample.thinned(count - 1).inputs.flags.c_contiguous
