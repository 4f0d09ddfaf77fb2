"""The forecast's record on past sessions: every model and every baseline, scored one step ahead.

Row t of every matrix was issued after session t and is scored with session t + 1. Losses are pinball losses of P&L over
the account's own scale, so that no trader's size decides for the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import next_session
from risk.limits.rules import rules_cut_ratios
from risk.model.backtests import christoffersen, kupiec
from risk.model.features.build import build_features
from risk.model.features.table import LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS
from risk.model.gate import judge, rules_quantiles
from risk.model.mixture import pinball_loss
from risk.model.panel import FloatMatrix, Panel
from risk.model.resampling import INTERVAL, RESAMPLE_SEED, resampled_sessions
from risk.model.sample import History, history_of
from risk.model.walk_forward import Reconstruction, Told, reconstruct

FLAT_CUT_RATIO = 0.21
"""What "cut everybody the same" cuts: a model that cannot beat it tells nobody apart."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one model did where every model has a forecast.

    Attributes
    ----------
    loss
        Mean pinball loss at 5 % of P&L over own scale; smaller = better.
    gain_vs_historical
        1 - loss over that of ``historical``; 0.12 = 12 %.
    gain_interval
        95 % interval of the gain over resampled blocks of 5 sessions.
    breach
        Share of results below the forecast; 0.05 is right.
    kupiec_p, christoffersen_p
        p-values of right coverage and of independent breaches; ``None`` where they cannot be computed.
    """

    loss: float
    gain_vs_historical: float
    gain_interval: tuple[float, float]
    breach: float
    kupiec_p: float | None
    christoffersen_p: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """A finished backtest.

    Attributes
    ----------
    session_count, forecast_count
        Sessions scored, forecasts scored in each model.
    models
        Scores by model; empty where no session could be scored.
    gate
        ``served``: ``model`` or ``rules``; ``improvement`` and ``p_value`` over the last 60 sessions, ``None`` where
        there are fewer; ``reasons``: sentences.
    """

    session_count: int
    forecast_count: int
    models: Mapping[str, Score]
    gate: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "models": {name: asdict(score) for name, score in self.models.items()},
            "gate": dict(self.gate),
        }


def backtest(panel: Panel) -> Record:
    """Walk forward over the history and score every model and baseline.

    Never raises for a short or odd history: with nothing to score, ``models`` is empty and the gate says why.
    """
    return record_of(*walk(panel))


def walk(panel: Panel, told: Told | None = None) -> tuple[History, Reconstruction]:
    """Forecast every session of a history from the sessions before it; ``told`` hears how far it is."""
    features = build_features(panel, next_session(panel.session_dates[-1]))
    history = history_of(panel, features, LEARNED_NAMES)
    return history, reconstruct(history, told=told)


def record_of(history: History, forecasts: Reconstruction) -> Record:
    """Score forecasts that were issued one step ahead against every baseline."""
    panel = history.panel
    rules = rules_quantiles(panel.total_pnl_usd, forecasts.expert("historical"), rules_cut_ratios(panel, history.scale))
    models = _models(forecasts, rules)
    scores, session_count, forecast_count = _scores(history, models)
    return Record(session_count, forecast_count, scores, _verdict(history, forecasts, rules))


def _models(forecasts: Reconstruction, rules: FloatMatrix) -> dict[str, FloatMatrix]:
    historical = forecasts.expert("historical")
    experts = {name: forecasts.expert(name) for name in MIXED_EXPERTS}
    return {
        **experts,
        "mixture": forecasts.mixture,
        "calibrated": forecasts.calibrated,
        "rules": rules,
        "always_21_percent": historical / (1.0 - FLAT_CUT_RATIO),
        "random_reassignment": historical * _reassigned(forecasts.calibrated / historical),
    }


def _reassigned(ratios: FloatMatrix) -> FloatMatrix:
    """Hand each session's ratios to other accounts at random: does it know the day or the trader."""
    draws = np.random.default_rng(RESAMPLE_SEED)
    shuffled = ratios.copy()
    for row in shuffled:
        known = np.flatnonzero(np.isfinite(row))
        row[known] = row[draws.permutation(known)]
    return shuffled


def _scores(history: History, models: Mapping[str, FloatMatrix]) -> tuple[dict[str, Score], int, int]:
    outcome, scale = history.panel.total_pnl_usd[1:], history.scale[:-1]
    is_scored = np.isfinite(outcome)
    for quantiles in models.values():
        is_scored &= np.isfinite(quantiles[:-1])
    count = int(is_scored.sum())
    if count == 0:
        return {}, 0, 0
    losses = {
        name: np.where(is_scored, pinball_loss(outcome, quantiles[:-1]) / scale, 0.0).sum(axis=1)
        for name, quantiles in models.items()
    }
    is_used = is_scored.any(axis=1)
    resamples = _resampled_sums({name: loss[is_used] for name, loss in losses.items()})
    base = float(losses["historical"].sum())
    scores = {}
    for name, quantiles in models.items():
        breaches = outcome < quantiles[:-1]
        gains = 1.0 - resamples[name] / resamples["historical"]
        low, high = (float(value) for value in np.quantile(gains, INTERVAL))
        scores[name] = Score(
            loss=float(losses[name].sum()) / count,
            gain_vs_historical=1.0 - float(losses[name].sum()) / base,
            gain_interval=(low, high),
            breach=float(breaches[is_scored].mean()),
            kupiec_p=_known(kupiec(int(breaches[is_scored].sum()), count)[1]),
            christoffersen_p=_known(christoffersen(_sequences(breaches, is_scored)).p_value),
        )
    return scores, int(is_used.sum()), count


def _resampled_sums(losses: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Sum each model's losses over the same blocks of sessions."""
    chosen = resampled_sessions(len(losses["historical"]))
    return {name: loss[chosen].sum(axis=1) for name, loss in losses.items()}


def _sequences(breaches: NDArray[np.bool_], is_scored: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    return [breaches[is_scored[:, account], account] for account in range(breaches.shape[1])]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _verdict(history: History, forecasts: Reconstruction, rules: FloatMatrix) -> dict[str, Any]:
    """Say who would serve tomorrow."""
    last = judge(history.panel.total_pnl_usd, history.scale, forecasts.calibrated, rules)[-1]
    return {
        "served": "model" if last.is_serving else "rules",
        "improvement": _known(last.improvement),
        "p_value": _known(last.p_value),
        "reasons": list(last.reasons),
    }
