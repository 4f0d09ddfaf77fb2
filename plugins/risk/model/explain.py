"""Why a forecast is what it is: shares of log abs(q), and sentences a risk manager can check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.model.experts import boosted, garch
from risk.model.experts.filtered import FILTER_DECAY
from risk.model.fitted import MIXED_EXPERTS, Model
from risk.model.panel import ewma_scale
from risk.model.sample import FloatTensor, History
from risk.model.topics import TOPICS, Topic
from risk.model.walk_forward import Reconstruction

SENTENCE_COUNT = 3
SMALLEST_EFFECT = 0.03
"""A topic that moves the forecast loss by less than 3 % is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one account's forecast was made of.

    Attributes
    ----------
    inputs
        Its features, ``(1, n_features)``.
    scale_usd
        ``s``.
    filter_volatility_usd, garch_volatility_usd
        Volatilities behind ``filtered`` and ``garch``, US dollars.
    quantiles_usd
        By expert, negative.
    weights
        By expert, sum 1.
    calibration
        ``c``.
    """

    inputs: FloatTensor
    scale_usd: float
    filter_volatility_usd: float
    garch_volatility_usd: float
    quantiles_usd: Mapping[str, float]
    weights: Mapping[str, float]
    calibration: float

    @property
    def log_loss(self) -> float:
        """Log of the calibrated forecast loss, US dollars."""
        logs = (self.weights[name] * float(np.log(-self.quantiles_usd[name])) for name in MIXED_EXPERTS)
        return sum(logs) + self.calibration


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shares of ``log abs(q)``.

    Attributes
    ----------
    contributions
        By feature name, then ``scale`` (log of the own scale in US dollars), ``volatility`` (of the volatility experts
        against it), ``own history``, ``level`` (what all accounts share) and ``calibration``. They add up to
        `log_loss`.
    log_loss
        Log of the calibrated forecast loss, US dollars.
    sentences
        At most three, strongest first.
    """

    contributions: Mapping[str, float]
    log_loss: float
    sentences: tuple[str, ...]


def explain(model: Model, known: Known) -> Explanation:
    """Split one account's forecast into what moved it.

    The mixture is a weighted sum of logarithms, so the experts' shares add; within ``boosted`` the trees' shares of
    the ratio are turned into shares of its logarithm in proportion. What a term cannot explain (intercepts, residual
    quantiles, the floor of an expert) is ``level``.
    """
    contributions = dict(zip(model.feature_names, _feature_shares(model, known).tolist(), strict=True))
    weights, scale = known.weights, known.scale_usd
    contributions["scale"] = float(np.log(scale))
    contributions["volatility"] = weights["filtered"] * float(np.log(known.filter_volatility_usd / scale)) + weights[
        "garch"
    ] * float(np.log(known.garch_volatility_usd / scale))
    contributions["own history"] = weights["historical"] * float(np.log(-known.quantiles_usd["historical"] / scale))
    contributions["calibration"] = known.calibration
    contributions["level"] = known.log_loss - sum(contributions.values())
    return Explanation(contributions, known.log_loss, sentences(model, known, contributions))


def explain_last(history: History, model: Model, forecasts: Reconstruction) -> Iterator[tuple[int, Explanation]]:
    """Explain the forecasts issued after a history's last session.

    Parameters
    ----------
    history, model
        What they were made from.
    forecasts
        Their last row is explained.

    Yields
    ------
    tuple
        Position of the account, and its explanation, in the order of the accounts.
    """
    pnl = history.panel.total_pnl_usd
    filter_volatility = ewma_scale(pnl, FILTER_DECAY)[-1]
    garch_volatility = garch.volatilities(pnl, model.garch_coefficients)[-1]
    weights = dict(zip(MIXED_EXPERTS, forecasts.weights[-1].tolist(), strict=True))
    for account in np.flatnonzero(np.isfinite(forecasts.calibrated[-1])).tolist():
        known = Known(
            inputs=history.features[-1, account][None, :],
            scale_usd=float(history.scale[-1, account]),
            filter_volatility_usd=float(filter_volatility[account]),
            garch_volatility_usd=float(garch_volatility[account]),
            quantiles_usd={name: float(forecasts.expert(name)[-1, account]) for name in MIXED_EXPERTS},
            weights=weights,
            calibration=float(forecasts.calibration[-1]),
        )
        yield account, explain(model, known)


def sentences(model: Model, known: Known, contributions: Mapping[str, float]) -> tuple[str, ...]:
    """Tell the topics that move the forecast most, at most three, each with its number and the norm."""
    effects = {topic: sum(contributions.get(name, 0.0) for name in topic.parts) for topic in TOPICS}
    told = []
    for topic in sorted(TOPICS, key=lambda topic: -abs(effects[topic])):
        change = float(np.expm1(effects[topic]))
        fact = _fact(topic, model, known)
        if abs(change) >= SMALLEST_EFFECT and fact is not None:
            direction = "higher" if change > 0.0 else "lower"
            told.append(f"{fact} (forecast loss {abs(change) * 100:.0f} % {direction})")
    return tuple(told[:SENTENCE_COUNT])


def _fact(topic: Topic, model: Model, known: Known) -> str | None:
    if topic.shown not in model.feature_names:
        return topic.fact(known.calibration, 0.0, known.scale_usd) if topic.shown == "calibration" else None
    number = model.feature_names.index(topic.shown)
    value, norm = float(known.inputs[0, number]), model.ridge.center[number]
    if not np.isfinite(value):
        return None
    return topic.fact(value, float(np.exp(norm)) if model.ridge.is_logarithmic[number] else norm, known.scale_usd)


def _feature_shares(model: Model, known: Known) -> NDArray[np.float64]:
    ridge_terms = model.ridge.terms(known.inputs)[0]
    ridge_weight = known.weights["log_scale_ridge"] + known.weights["boosted"]
    shares: NDArray[np.float64] = ridge_weight * ridge_terms
    return shares + known.weights["boosted"] * _tree_shares(model, known.inputs)


def _tree_shares(model: Model, inputs: FloatTensor) -> NDArray[np.float64]:
    shares = boosted.contributions(model.booster_json, inputs)[0]
    expected, predicted = float(shares[-1]), float(shares.sum())
    if expected >= 0.0 or predicted >= 0.0:
        return np.zeros(len(shares) - 1)
    change = predicted - expected
    slope = np.log(predicted / expected) / change if abs(change) > 1e-9 else 1.0 / expected
    logs: NDArray[np.float64] = shares[:-1] * slope
    return logs
