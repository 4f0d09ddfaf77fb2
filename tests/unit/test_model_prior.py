"""The expert from simulated desks: its file, its exact predict, its fit, and the mixture with and without it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.forecast import history_of_truth
from risk.core.errors import ModelError
from risk.core.settings import PROJECT_DIR
from risk.model.experts import prior as prior_module
from risk.model.experts.boosted import BoostedQuantile, contributions, predict_ratios
from risk.model.experts.prior import (
    PRIOR,
    PRIOR_FILE,
    Prior,
    exact_exponential,
    exact_logarithm,
    load_prior,
    read_prior,
)
from risk.model.experts.ridge import LogScaleRidge
from risk.model.features import LEARNED_NAMES
from risk.model.panel import FloatTensor
from risk.model.walk_forward import prior_forecasts, walk_forward
from simulation.law import stream
from simulation.prior import (
    LARGEST_COEFFICIENT_CHANGE,
    LARGEST_FORECAST_CHANGE_USD,
    PRIOR_SEEDS,
    differences,
    draw_desk,
    fit_prior,
    pnl_history,
    trees_of,
    write_prior,
)
from simulation.truth import draw


@pytest.fixture(scope="module")
def shipped() -> Prior:
    return load_prior(PRIOR_FILE.read_text(encoding="ascii"), LEARNED_NAMES)


def _inputs(rows: int, seed: int = 1) -> FloatTensor:
    """Draw inputs of every size, a tenth of them missing."""
    draws = np.random.default_rng(seed)
    inputs = draws.standard_t(3, (rows, len(LEARNED_NAMES))).astype(np.float32)
    inputs[draws.random(inputs.shape) < 0.1] = np.nan
    return inputs


@pytest.mark.parametrize("seed", range(5))
def test_predict_is_xgboost_s_own_to_the_bit(seed: int) -> None:
    # given trees fitted by XGBoost on inputs with gaps
    draws = np.random.default_rng(seed)
    inputs = _inputs(3000, seed)
    ratios = draws.standard_t(4, 3000) * (1.0 + np.nan_to_num(np.abs(inputs[:, 0].astype(np.float64))))
    booster_json = BoostedQuantile(seed).fit(inputs, ratios).booster_json_
    base_score, trees = trees_of(booster_json)
    ridge = LogScaleRidge(LEARNED_NAMES).fit(inputs, ratios).coefficients_
    prior = Prior(LEARNED_NAMES, 1, 3000, ridge, base_score, trees)

    # when: new rows, among them every threshold itself, and its neighbors
    thresholds = np.array([value for tree in trees for value in tree.threshold], dtype=np.float32)
    edges = np.repeat(thresholds[:, None], len(LEARNED_NAMES), axis=1)
    given = np.concatenate([_inputs(2000, seed + 100), edges, np.nextafter(edges, np.float32(9e9))])

    # then
    np.testing.assert_array_equal(prior.ratios(given), predict_ratios(booster_json, given))
    np.testing.assert_allclose(
        prior.predict(given, np.ones(len(given))),
        np.exp(ridge.log_scales(given)) * predict_ratios(booster_json, given),
        rtol=1e-14,
    )


def test_shares_of_the_trees_add_up_to_the_prediction_and_follow_xgboost_s(shipped: Prior) -> None:
    inputs = _inputs(500)
    np.testing.assert_allclose(shipped.tree_shares(inputs).sum(axis=1), shipped.ratios(inputs), atol=1e-5)
    # another attribution of the same trees: where a feature moves a prediction by one, it does by the other
    booster_json = BoostedQuantile(3).fit(inputs, np.nan_to_num(inputs[:, 0]).astype(np.float64) - 1.0).booster_json_
    base_score, trees = trees_of(booster_json)
    prior = Prior(LEARNED_NAMES, 1, 500, shipped.ridge, base_score, trees)
    own, other = prior.tree_shares(inputs), contributions(booster_json, inputs)
    assert prior.expected_ratio == pytest.approx(float(other[0, -1]), abs=1e-4)
    assert np.corrcoef(own[:, 0], other[:, 0])[0, 1] > 0.99


def test_logarithm_and_exponential_are_right_to_the_last_bits() -> None:
    draws = np.random.default_rng(2)
    values = np.concatenate([np.exp(draws.uniform(-40.0, 40.0, 20_000)), np.linspace(0.5, 2.0, 2001)])
    powers = draws.uniform(-30.0, 30.0, 20_000)

    np.testing.assert_allclose(exact_logarithm(values), [math.log(value) for value in values], rtol=1e-15, atol=3e-16)
    np.testing.assert_allclose(exact_exponential(powers), [math.exp(power) for power in powers], rtol=5e-16)
    assert exact_exponential(np.array([1e9, -1e9])).tolist() == pytest.approx([math.exp(700), math.exp(-700)])
    # against arithmetic without rounding: e as a sum of fractions
    e = float(sum(Fraction(1, math.factorial(number)) for number in range(25)))
    assert exact_exponential(np.array([1.0]))[0] == pytest.approx(e, rel=3e-16)


FORECAST_SHA256 = "f4b8f78ffae90a890048f2e7db327f2bec0202faa88a61a943653c938e390675"
"""Of the shipped expert's forecasts in whole bits; changes only with ``include/model/prior.json``."""


def forecast_digest() -> str:
    """Name the bits of 4,000 forecasts from drawn inputs; random bits are the same on every machine."""
    prior = load_prior(PRIOR_FILE.read_text(encoding="ascii"), LEARNED_NAMES)
    whole = stream(7, 1).integers(-(2**14), 2**14, (4000, len(LEARNED_NAMES)))
    inputs = (whole / 2**12).astype(np.float32)
    inputs[stream(7, 2).random(inputs.shape) < 0.1] = np.nan
    return hashlib.sha256(prior.predict(inputs, np.full(4000, 1234.5)).astype("<f8").tobytes()).hexdigest()


def test_forecasts_are_the_same_bits_on_every_machine() -> None:
    assert forecast_digest() == FORECAST_SHA256


def test_forecasts_are_the_same_bits_without_the_processor_s_kernels() -> None:
    # given a process in which numpy may use none of the instructions that differ between processors
    built = np.show_config(mode="dicts")["SIMD Extensions"]
    names = " ".join(built.get("found", ()))
    code = (
        "import sys; sys.path[:0] = ['plugins', '.']\n"
        "from tests.unit.test_model_prior import forecast_digest; print(forecast_digest())"
    )
    # when
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT_DIR,
            env=os.environ | added,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for added in ({}, {"NPY_DISABLE_CPU_FEATURES": names})
    ]

    # then
    assert found == [FORECAST_SHA256] * 2


def test_a_row_s_forecast_does_not_depend_on_the_others(shipped: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, scale = _inputs(100), np.linspace(10.0, 1000.0, 100)
    whole = shipped.predict(inputs, scale)
    monkeypatch.setattr(prior_module, "ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(shipped.predict(inputs, scale), whole)
    np.testing.assert_array_equal(shipped.predict(inputs[40:41], scale[40:41]), whole[40:41])
    assert shipped.predict(inputs[:0], scale[:0]).shape == (0,)


def test_nothing_from_fills_moves_the_shipped_expert(shipped: Prior) -> None:
    # given a desk with fills and the same without
    truth = draw("medium", 5, 60, 3)
    with_fills, without = history_of_truth(truth), pnl_history(truth)

    # then
    assert np.isfinite(with_fills.features).sum() > np.isfinite(without.features).sum()
    np.testing.assert_array_equal(prior_forecasts(with_fills, shipped), prior_forecasts(without, shipped))


def test_it_forecasts_from_a_trader_s_fifth_session_on_and_what_was_issued_stays(shipped: Prior) -> None:
    # given a desk of two whose 20 residuals are not pooled yet
    history = pnl_history(draw("null", 2, 12, 3))

    # when
    forecasts = prior_forecasts(history, shipped)

    # then
    is_fifth = np.cumsum(history.panel.is_active, axis=0) >= 5
    np.testing.assert_array_equal(np.isfinite(forecasts), is_fifth)
    assert (forecasts[is_fifth] < 0.0).all()
    issued = np.full_like(forecasts, np.nan)
    issued[8] = -77.0
    again = prior_forecasts(history, shipped, issued)
    np.testing.assert_array_equal(again[8], np.where(is_fifth[8], -77.0, np.nan))
    np.testing.assert_array_equal(np.delete(again, 8, 0), np.delete(forecasts, 8, 0))


def test_without_it_the_mixture_is_that_of_the_five_others(shipped: Prior) -> None:
    # given what it has issued while its file could be read
    history = history_of_truth(draw("strong", 6, 90, 2))
    issued = {PRIOR: prior_forecasts(history, shipped)}

    # when
    five, ignored, six = (
        walk_forward(history),
        walk_forward(history, issued),
        walk_forward(history, issued, prior=shipped),
    )

    # then
    np.testing.assert_array_equal(ignored.calibrated, five.calibrated)
    assert ignored.names == five.names
    assert six.names == (*five.names, PRIOR)
    np.testing.assert_allclose(six.weights.sum(axis=1), 1.0)
    np.testing.assert_array_equal(six.expert(PRIOR), issued[PRIOR])
    np.testing.assert_array_equal(walk_forward(history, prior=shipped).calibrated, six.calibrated)
    assert not np.array_equal(six.calibrated, five.calibrated, equal_nan=True)


def _edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Change the content and write the file as `make prior` would, hash included."""

    def edit(text: str) -> str:
        content = json.loads(text)["content"]
        change(content)
        digest = hashlib.sha256(prior_module._canonical(content).encode()).hexdigest()
        return prior_module._canonical({"content": content, "content_sha256": digest}) + "\n"

    return edit


DAMAGED: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], "is damaged (JSONDecodeError)"),
    "empty": (lambda _: "", "is damaged"),
    "another text": (lambda _: "[1, 2]", "is damaged (TypeError)"),
    "nested without end": (lambda _: "[" * 100_000, "is damaged (RecursionError)"),
    "a changed digit": (lambda text: text.replace("1", "2", 1), "was changed"),
    "a blank more": (lambda text: text.replace(":", ": ", 1), "was changed"),
    "another format": (_edited(lambda content: content.update(format=2)), "has another format than 1"),
    "a field is missing": (_edited(lambda content: content.pop("ridge")), "is damaged (KeyError)"),
    "an unknown field": (_edited(lambda content: content.update(more=1)), "is damaged (TypeError)"),
    "another feature": (
        _edited(lambda content: content["feature_names"].__setitem__(0, "moon_phase")),
        "was fitted on other features than today's; they differ in last_z, moon_phase",
    ),
    "another order": (_edited(lambda content: content["feature_names"].reverse()), "they differ in their order"),
    "a coefficient too few": (_edited(lambda content: content["ridge"]["coefficients"].pop()), "cannot be used"),
    "a text for a number": (_edited(lambda content: content["ridge"].update(intercept="1")), "cannot be used"),
    "a tree without end": (
        _edited(lambda content: content["trees"][0]["left"].__setitem__(0, 0)),
        "cannot be used",
    ),
    "a feature there is not": (
        _edited(lambda content: content["trees"][0]["feature"].__setitem__(0, 99)),
        "cannot be used",
    ),
    "a list too short": (_edited(lambda content: content["trees"][0]["left"].pop()), "cannot be used"),
    "a gain for a loss": (_edited(lambda content: content.update(base_score=9.0)), "cannot be used"),
}


@pytest.mark.parametrize("kind", list(DAMAGED))
def test_a_file_that_cannot_be_used_is_a_reason_and_no_error(kind: str, tmp_path: Path) -> None:
    change, reason = DAMAGED[kind]
    file = tmp_path / "prior.json"
    file.write_text(change(PRIOR_FILE.read_text(encoding="ascii")), encoding="ascii")

    found = read_prior(LEARNED_NAMES, file)

    assert found.prior is None
    assert reason in found.reason
    assert found.reason.startswith("The expert from simulated desks is not used: include/model/prior.json ")
    assert found.reason.endswith("Restore it from the release, or rebuild it with make prior.")


def test_a_file_that_is_not_there_or_no_text_is_a_reason(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in read_prior(LEARNED_NAMES, tmp_path / "none.json").reason
    assert "cannot be read: Is a directory" in read_prior(LEARNED_NAMES, tmp_path).reason
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    assert "it is no text" in read_prior(LEARNED_NAMES, tmp_path / "bytes.json").reason


def test_no_byte_can_change_unseen() -> None:
    text = PRIOR_FILE.read_text(encoding="ascii")
    for position in range(0, len(text), 97):
        changed = text[:position] + chr((ord(text[position]) - 31) % 95 + 32) + text[position + 1 :]
        with pytest.raises(ModelError):
            load_prior(changed, LEARNED_NAMES)


def test_a_small_fit_is_the_same_again_and_reads_back(tmp_path: Path) -> None:
    # given two desks of 60 sessions
    first, second = (fit_prior(PRIOR_SEEDS[:2], sessions=60) for _ in range(2))

    # then
    coefficient, forecast_usd = differences(first, second)
    assert coefficient <= LARGEST_COEFFICIENT_CHANGE
    assert forecast_usd <= LARGEST_FORECAST_CHANGE_USD
    assert load_prior(first.to_json(), LEARNED_NAMES) == first
    # and one of another desk is recognized
    assert differences(first, fit_prior(PRIOR_SEEDS[1:3], sessions=60))[1] > LARGEST_FORECAST_CHANGE_USD


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="The file was fitted with the libraries of Python 3.11.")
def test_make_prior_rebuilds_the_shipped_file(tmp_path: Path) -> None:
    # given a copy of the shipped file, and a damaged one
    kept, damaged = tmp_path / "kept.json", tmp_path / "damaged.json"
    kept.write_text(PRIOR_FILE.read_text(encoding="ascii"), encoding="ascii")
    damaged.write_text("{", encoding="ascii")

    # when
    said = write_prior(kept)
    write_prior(damaged)

    # then
    assert "which stays" in said
    assert kept.read_bytes() == PRIOR_FILE.read_bytes()
    rebuilt = load_prior(damaged.read_text(encoding="ascii"), LEARNED_NAMES)
    shipped = load_prior(PRIOR_FILE.read_text(encoding="ascii"), LEARNED_NAMES)
    coefficient, forecast_usd = differences(shipped, rebuilt)
    assert coefficient <= LARGEST_COEFFICIENT_CHANGE
    assert forecast_usd <= LARGEST_FORECAST_CHANGE_USD


def test_desks_of_the_fit_are_of_many_sizes_and_of_no_measured_seed() -> None:
    sizes = [len(draw_desk(seed, 1).account_ids) for seed in PRIOR_SEEDS]
    assert len(sizes) == 16
    assert min(sizes) < 10
    assert max(sizes) > 40
    assert PRIOR_SEEDS.start > 1_000_000
