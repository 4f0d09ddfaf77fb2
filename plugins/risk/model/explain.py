"""Why a forecast is what it is: shares of log abs(q), and sentences a risk manager can check.

Features that say one thing are one topic, each with its sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.money import multiple, percent, usd, usd_cents
from risk.model.experts import boosted, garch
from risk.model.experts.empirical import FILTER_DECAY
from risk.model.experts.prior import PRIOR, Prior
from risk.model.fitted import Model
from risk.model.panel import FeaturePanel, FloatTensor, ewma_scale
from risk.model.walk_forward import WalkForward

SENTENCE_COUNT = 3
SMALLEST_EFFECT = 0.03
"""A topic that moves the forecast loss by less than 3 % is not worth a sentence."""

FROM_SIMULATED_DESKS = "from simulated desks"
"""What people read for the expert ``prior``."""


@dataclass(frozen=True, slots=True)
class ForecastInputs:
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
        By mixed expert, sum 1.
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
        logs = (weight * float(np.log(-self.quantiles_usd[name])) for name, weight in self.weights.items())
        return sum(logs) + self.calibration


@dataclass(frozen=True, slots=True)
class ForecastExplanation:
    """Shares of ``log abs(q)``.

    Attributes
    ----------
    contributions
        By feature name, then ``scale`` (log of the own scale in US dollars), ``volatility`` (of the volatility experts
        against it), ``own history``, ``from simulated desks`` (the level of the prior), ``level`` (what all accounts
        share) and ``calibration``. They add up to `log_loss`.
    log_loss
        Log of the calibrated forecast loss, US dollars.
    sentences
        At most three, strongest first.
    """

    contributions: Mapping[str, float]
    log_loss: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplanationTopic:
    """One subject of an explanation.

    Attributes
    ----------
    parts
        Contributions that belong to it: single half-lives of one series push against each other and mean nothing.
    shown
        The feature whose number is shown.
    fact
        Its sentence from (value, norm of all traders, own scale in US dollars).
    """

    parts: tuple[str, ...]
    shown: str
    fact: Callable[[float, float, float], str]


def _size_fact(value: float, norm: float, scale_usd: float) -> str:
    return f"recent daily P&L of {usd(value * scale_usd)}, usually {usd(norm * scale_usd)}"


def _last_fact(value: float, _norm: float, scale_usd: float) -> str:
    word = "loss" if value < 0.0 else "gain"
    return f"a {word} of {usd(abs(value) * scale_usd)} in the last session ({multiple(abs(value))} typical daily P&L)"


def _fills_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"{multiple(value)} the usual number of fills in the last session"


def _drawdown_fact(value: float, norm: float, scale_usd: float) -> str:
    return f"P&L {usd(value * scale_usd)} below its peak, usually {usd(norm * scale_usd)}"


def _win_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"{percent(value)} of the last 20 sessions were gains, usually {percent(norm)}"


def _desk_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"P&L of all traders {multiple(value / norm)} the usual size lately"


def _absence_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"{value:.0f} sessions since the last fills"


def _weekday_fact(value: float, _norm: float, _scale_usd: float) -> str:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"the next session is a {names[int(value)]}"


def _fees_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"fees of {usd_cents(value * 1e4)} per $10,000 traded, usually {usd_cents(norm * 1e4)}"


def _enlarging_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"{percent(value)} of the last session's fills added to a losing position, usually {percent(norm)}"


def _holding_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"positions held {multiple(value)} as long as usual in the last session"


def _calibration_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"recent forecasts were too {'optimistic' if value > 0.0 else 'conservative'}"


TOPICS = (
    ExplanationTopic(
        (
            "volatility",
            "volatility_ratio_1",
            "volatility_ratio_2",
            "volatility_ratio_4",
            "volatility_ratio_11",
            "volatility_ratio_200",
            "scale_ratio_5_20",
            "scale_ratio_10_60",
        ),
        "volatility_ratio_4",
        _size_fact,
    ),
    ExplanationTopic(
        (
            "last_z",
            "mean_z_3",
            "mean_z_5",
            "mean_z_10",
            "worst_z_5",
            "worst_z_20",
            "loss_ratio_1",
            "loss_ratio_3",
            "large_loss_share_1",
            "large_loss_share_4",
            "loss_streak",
            "win_rate_5",
        ),
        "last_z",
        _last_fact,
    ),
    ExplanationTopic(
        ("trades_against_norm", "volume_against_norm", "trades_ratio_0_60", "trades_ratio_1_60", "trades_ratio_3_60"),
        "trades_ratio_0_60",
        _fills_fact,
    ),
    ExplanationTopic(("drawdown", "sessions_since_peak"), "drawdown", _drawdown_fact),
    ExplanationTopic(("win_rate_20", "mean_z_20"), "win_rate_20", _win_fact),
    ExplanationTopic(
        (
            "market_loser_share",
            "market_mean_z",
            "market_dispersion",
            "market_active_count",
            "market_size_ratio_1",
            "market_size_ratio_4",
            "market_size_ratio_15",
            "market_trades_ratio_1",
            "market_trades_ratio_5",
        ),
        "market_size_ratio_4",
        _desk_fact,
    ),
    ExplanationTopic(("sessions_absent",), "sessions_absent", _absence_fact),
    ExplanationTopic(("weekday",), "weekday", _weekday_fact),
    ExplanationTopic(("fees_per_turnover",), "fees_per_turnover", _fees_fact),
    ExplanationTopic(("enlarging_share_0", "enlarging_share_3"), "enlarging_share_0", _enlarging_fact),
    ExplanationTopic(("holding_against_norm",), "holding_against_norm", _holding_fact),
    ExplanationTopic(("calibration",), "calibration", _calibration_fact),
)
"""Every feature belongs to exactly one topic."""


def explain(model: Model, known: ForecastInputs, prior: Prior | None = None) -> ForecastExplanation:
    """Split one account's forecast into what moved it.

    The mixture is a weighted sum of logarithms, so the experts' shares add; within ``boosted`` the trees' shares of
    the ratio are turned into shares of its logarithm in proportion. What a term cannot explain (intercepts, residual
    quantiles, the floor of an expert) is ``level``. The prior's terms join those of the weekly model's ridge and trees;
    its level is a contribution of its own.
    """
    weights, scale = known.weights, known.scale_usd
    prior_shares = np.zeros(len(model.feature_names)) if prior is None else _prior_shares(prior, known)
    shares = _feature_shares(model, known) + prior_shares
    contributions = dict(zip(model.feature_names, shares.tolist(), strict=True))
    if prior is not None:
        whole = weights[PRIOR] * float(np.log(-known.quantiles_usd[PRIOR] / scale))
        contributions[FROM_SIMULATED_DESKS] = whole - float(prior_shares.sum())
    contributions["scale"] = float(np.log(scale))
    contributions["volatility"] = weights["filtered"] * float(np.log(known.filter_volatility_usd / scale)) + weights[
        "garch"
    ] * float(np.log(known.garch_volatility_usd / scale))
    contributions["own history"] = weights["historical"] * float(np.log(-known.quantiles_usd["historical"] / scale))
    contributions["calibration"] = known.calibration
    contributions["level"] = known.log_loss - sum(contributions.values())
    learned_elsewhere = dict(zip(model.feature_names, prior_shares.tolist(), strict=True))
    found = sentences(model, known, contributions, learned_elsewhere)
    return ForecastExplanation(contributions, known.log_loss, found)


def explain_last(
    history: FeaturePanel, model: Model, forecasts: WalkForward, prior: Prior | None = None
) -> Iterator[tuple[int, ForecastExplanation]]:
    """Explain the forecasts issued after a history's last session.

    Parameters
    ----------
    history, model, prior
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
    weights = dict(zip(forecasts.names, forecasts.weights[-1].tolist(), strict=True))
    for account in np.flatnonzero(np.isfinite(forecasts.calibrated[-1])).tolist():
        known = ForecastInputs(
            inputs=history.features[-1, account][None, :],
            scale_usd=float(history.scale[-1, account]),
            filter_volatility_usd=float(filter_volatility[account]),
            garch_volatility_usd=float(garch_volatility[account]),
            quantiles_usd={name: float(forecasts.expert(name)[-1, account]) for name in forecasts.names},
            weights=weights,
            calibration=float(forecasts.calibration[-1]),
        )
        yield account, explain(model, known, prior)


def sentences(
    model: Model,
    known: ForecastInputs,
    contributions: Mapping[str, float],
    prior_shares: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Name the topics that move the forecast most, at most three, each with its number and the norm.

    Where more than half of what a topic moves is the prior's, ``prior_shares`` by feature, the sentence says so.
    """
    effects = {topic: sum(contributions.get(name, 0.0) for name in topic.parts) for topic in TOPICS}
    found = []
    for topic in sorted(TOPICS, key=lambda topic: -abs(effects[topic])):
        change = float(np.expm1(effects[topic]))
        fact = _fact(topic, model, known)
        if abs(change) >= SMALLEST_EFFECT and fact is not None:
            from_prior = sum((prior_shares or {}).get(name, 0.0) for name in topic.parts)
            source = f", mostly {FROM_SIMULATED_DESKS}" if from_prior / effects[topic] > 0.5 else ""
            found.append(f"{fact}: {'+' if change > 0.0 else ''}{percent(change)}{source}")
    return tuple(found[:SENTENCE_COUNT])


def _fact(topic: ExplanationTopic, model: Model, known: ForecastInputs) -> str | None:
    if topic.shown not in model.feature_names:
        return topic.fact(known.calibration, 0.0, known.scale_usd) if topic.shown == "calibration" else None
    number = model.feature_names.index(topic.shown)
    value, norm = float(known.inputs[0, number]), model.ridge.center[number]
    if not np.isfinite(value):
        return None
    return topic.fact(value, float(np.exp(norm)) if model.ridge.is_logarithmic[number] else norm, known.scale_usd)


def _feature_shares(model: Model, known: ForecastInputs) -> NDArray[np.float64]:
    ridge_terms = model.ridge.terms(known.inputs)[0]
    ridge_weight = known.weights["log_scale_ridge"] + known.weights["boosted"]
    shares: NDArray[np.float64] = ridge_weight * ridge_terms
    return shares + known.weights["boosted"] * _tree_shares(model, known.inputs)


def _prior_shares(prior: Prior, known: ForecastInputs) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = prior.ridge.terms(known.inputs)[0] + _log_shares(prior.tree_shares(known.inputs)[0])
    return known.weights[PRIOR] * shares


def _tree_shares(model: Model, inputs: FloatTensor) -> NDArray[np.float64]:
    return _log_shares(boosted.contributions(model.booster_json, inputs)[0])


def _log_shares(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the inputs' shares of a ratio, the last one its mean, into shares of its logarithm, in proportion."""
    expected, predicted = float(shares[-1]), float(shares.sum())
    if expected >= 0.0 or predicted >= 0.0:
        return np.zeros(len(shares) - 1)
    change = predicted - expected
    slope = np.log(predicted / expected) / change if abs(change) > 1e-9 else 1.0 / expected
    logs: NDArray[np.float64] = shares[:-1] * slope
    return logs
