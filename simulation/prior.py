"""Fits the expert ``prior`` once, on desks of random laws: ``make prior`` writes ``include/model/prior.json``.

The product's own ridge and trees learn from the P&L of 16 simulated desks; what comes from fills is unknown to them.
No seed is one of a set's: the desks of a measurement are never those that were learned from.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from risk.core.calendar import next_session
from risk.core.errors import ModelError
from risk.model.build_features import build_features
from risk.model.experts.boosted import BoostedQuantile
from risk.model.experts.prior import PRIOR_FILE, Prior, Tree, load_prior
from risk.model.experts.ridge import LogScaleRidge
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import SMALLEST_LOSS_SCALES, training_pairs
from risk.model.panel import FeaturePanel, Panel, feature_panel
from simulation.law import Law, stream
from simulation.truth import Truth, draw_law

PRIOR_SEEDS = range(9_100_000, 9_100_016)
"""Of the desks; everything else that draws desks counts its seeds from 0 or 1."""

TRADER_BOUNDS, SESSION_COUNT = (4, 80), 300
"""Desks of any size: an expert of desks of 23 would see an outlier in the number of traders of every other desk."""

COMPARED_TRADERS, COMPARED_SESSIONS = 23, 120

TILT_CHANCE = 0.6
LARGEST_COEFFICIENT_CHANGE = 1e-6
LARGEST_FORECAST_CHANGE_USD = 0.005


def random_law(seed: int) -> Law:
    """Draw the constants of a desk."""
    draws = stream(seed, 20)
    has_scale, has_drift = draws.random(2) < TILT_CHANCE
    return Law(
        common_share=draws.uniform(0.0, 0.3),
        tail_degrees=draws.uniform(3.0, 8.0),
        volatility_shock=draws.uniform(0.0, 0.35),
        market_shock=draws.uniform(0.0, 0.18),
        tilt_scale=draws.uniform(0.0, 0.8) * float(has_scale),
        tilt_drift=draws.uniform(0.0, 0.35) * float(has_drift),
        tilt_probability=0.7,
        jump_probability=0.01,
        jump_deviation=0.5,
        stop_share=0.5,
        stop_bounds=(1.0, 2.5),
        activity_bounds=(0.3, 1.0),
        absence_sessions=draws.uniform(1.0, 8.0),
    )


def pnl_history(truth: Truth) -> FeaturePanel:
    """Turn a simulated desk into what an expert sees of its P&L; nothing is known of its fills."""
    panel = Panel.of(truth.session_dates, truth.account_ids, truth.net_pnl_usd)
    return feature_panel(panel, build_features(panel, next_session(panel.session_dates[-1])), LEARNED_NAMES)


def draw_desk(seed: int, sessions: int = SESSION_COUNT) -> Truth:
    """Draw a desk of a random law and a random number of traders."""
    traders = round(math.exp(stream(seed, 21).uniform(*np.log(TRADER_BOUNDS))))
    return draw_law(random_law(seed), traders, sessions, seed)


def fit_prior(seeds: Sequence[int] = PRIOR_SEEDS, sessions: int = SESSION_COUNT) -> Prior:
    """Fit the expert on one desk for each seed.

    Parameters
    ----------
    seeds
        Of the desks.
    sessions
        Length of each desk's history.
    """
    pairs = [training_pairs(pnl_history(draw_desk(seed, sessions))) for seed in seeds]
    inputs, z = np.concatenate([part.inputs for part in pairs]), np.concatenate([part.z for part in pairs])
    ridge = LogScaleRidge(LEARNED_NAMES).fit(inputs, z)
    base_score, trees = trees_of(BoostedQuantile().fit(inputs, ridge.residual_ratios_).booster_json_)
    return Prior(LEARNED_NAMES, len(pairs), len(z), ridge.coefficients_, base_score, trees)


def trees_of(booster_json: str) -> tuple[float, tuple[Tree, ...]]:
    """Read the base score and the trees from XGBoost's JSON text; the mean of a node is that of its rows' leaves."""
    learner = json.loads(booster_json)["learner"]
    # A list in text since XGBoost 3.1.
    base_score = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
    trees = learner["gradient_booster"]["model"]["trees"]
    return float(np.float32(base_score)), tuple(_tree_of(tree) for tree in trees)


def _tree_of(tree: dict[str, list[float]]) -> Tree:
    left, right = ([int(child) for child in tree[name]] for name in ("left_children", "right_children"))
    conditions = [float(np.float32(value)) for value in tree["split_conditions"]]
    values, weights = list(conditions), tree["sum_hessian"]
    for node in reversed(range(len(left))):
        if left[node] >= 0:
            children = (left[node], right[node])
            values[node] = sum(weights[child] * values[child] for child in children) / sum(
                weights[child] for child in children
            )
    return Tree(
        feature=tuple(int(feature) for feature in tree["split_indices"]),
        threshold=tuple(conditions),
        left=tuple(left),
        right=tuple(right),
        is_missing_left=tuple(bool(value) for value in tree["default_left"]),
        value=tuple(values),
    )


def differences(first: Prior, second: Prior) -> tuple[float, float]:
    """Compare two fits: largest difference of a coefficient, and of a forecast on a desk of its own, US dollars."""
    ridges = [
        np.array([*prior.ridge.center, *prior.ridge.spread, *prior.ridge.coefficients, prior.ridge.intercept])
        for prior in (first, second)
    ]
    seed = PRIOR_SEEDS.stop
    history = pnl_history(draw_law(random_law(seed), COMPARED_TRADERS, COMPARED_SESSIONS, seed))
    session, account = np.nonzero(history.has_forecast)
    inputs, scale = history.features[session, account], history.scale[session, account]
    forecasts = [np.minimum(prior.predict(inputs, scale), -SMALLEST_LOSS_SCALES * scale) for prior in (first, second)]
    return float(np.abs(ridges[0] - ridges[1]).max()), float(np.abs(forecasts[0] - forecasts[1]).max())


def write_prior(file: Path = PRIOR_FILE) -> str:
    """Fit the expert and write its file, unless the file holds the same fit to the tolerances; say what was done.

    The last digits of a fit depend on the processor. A file that agrees keeps its bytes, because its hash names it.
    """
    prior = fit_prior()
    try:
        stored = load_prior(file.read_text(encoding="ascii"), LEARNED_NAMES)
    except (OSError, UnicodeDecodeError, ModelError):
        stored = None
    if stored is not None:
        coefficient, forecast_usd = differences(stored, prior)
        found = f"coefficients within {coefficient:.1e}, forecasts within ${forecast_usd:.6f} of {file.name}"
        if coefficient <= LARGEST_COEFFICIENT_CHANGE and forecast_usd <= LARGEST_FORECAST_CHANGE_USD:
            return f"Rebuilt from {prior.pair_count} pairs: {found}, which stays ({stored.content_sha256[:12]})."
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(prior.to_json(), encoding="ascii")
    return f"Written to {file} from {prior.pair_count} pairs of {prior.desk_count} desks ({prior.content_sha256[:12]})."


if __name__ == "__main__":
    sys.stdout.write(write_prior() + "\n")
