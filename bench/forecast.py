"""The forecast on desks whose truth is known: gain, calibration, discrimination, speed, promotion, effect of cuts.

Every number is measured one step ahead: row t was issued after session t and is scored with session t + 1. Gains are
against ``historical`` updated daily, from session 60 on. Run it with ``PYTHONPATH=plugins:. python -m bench.forecast``.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import next_session
from risk.model.backtests import pinball_loss
from risk.model.build_features import build_features
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import Prior, read_prior
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import fit_model, training_pairs
from risk.model.panel import FeaturePanel, FloatMatrix, Panel, feature_panel
from risk.model.walk_forward import WalkForward, walk_forward
from simulation.truth import Truth, draw

FIRST_SCORED_ROW = 60
EVENT_SCALES = 1.5

AT_LEAST = {
    "strong gain": 0.19,
    "weak gain": 0.043,
    "null gain": -0.005,
    "strong auc": 0.70,
}
AT_MOST = {
    "walk-forward seconds": 30.0,
    "10,000 x 625 fit seconds": 120.0,
    "peak memory bytes": 6e9,
}
EXCEEDANCE_BOUNDS = (0.045, 0.055)


@dataclass(frozen=True, slots=True)
class Walked:
    """A simulated desk, what the experts see of it, the forecast of every session, and its processor seconds."""

    truth: Truth
    history: FeaturePanel
    forecasts: WalkForward
    seconds: float


def walk(truth: Truth) -> Walked:
    """Walk forward over a desk with all six experts."""
    history, prior = history_of_truth(truth), shipped_prior()
    started = time.process_time()
    forecasts = walk_forward(history, prior=prior)
    return Walked(truth, history, forecasts, time.process_time() - started)


@cache
def large_desk(set_name: str, seed: int) -> Walked:
    """Walk forward over 23 traders and 625 sessions: once for all that is measured on them."""
    return walk(draw(set_name, 23, 625, seed))


def measure(
    *,
    seeds: Sequence[int] = (1, 2, 3),
    fit_accounts: int = 10_000,
    real_desks: int = 60,
    break_desks: int = 8,
    gate_desks: int = 40,
) -> dict[str, float]:
    """Measure everything and print the table of numbers to reach.

    Parameters
    ----------
    seeds
        Of the desks of 23 traders and 625 sessions.
    fit_accounts
        Accounts of the large fit; 0 = leave out.
    real_desks, break_desks
        Desks of the paired runs with and without the sixth expert, see `bench.pairs.measure_pairs`; 0 = leave out.
    gate_desks
        Desks of each set on which the gate, the effect of cuts and what followed the rules are measured.
    """
    # They take their desks from here.
    from bench import gate, rules, tail, usual
    from bench.pairs import measure_pairs

    figures = measure_pairs(seeds, real_desks, break_desks)
    for set_name in ("strong", "weak", "null"):
        for name, values in _gains(set_name, seeds).items():
            figures[f"{set_name} {name}"] = float(np.mean(values))
            print(
                f"{set_name:8s} {name:22s} {np.mean(values):8.4f}   " + " ".join(f"{v:.4f}" for v in values), flush=True
            )
    figures["walk-forward seconds"] = max(figures.pop(f"{name} seconds") for name in ("strong", "weak", "null"))
    if fit_accounts:
        figures["10,000 x 625 fit seconds"] = _large_fit_seconds(fit_accounts)
        figures["peak memory bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    _print_table(figures)
    gate.measure(desks=gate_desks)
    usual.measure()
    tail.measure_model(gate_desks)
    rules.measure(desks=gate_desks)
    return figures


def panel_of_truth(truth: Truth) -> Panel:
    """Give a simulated desk's results the fills its law knows: their number only."""
    trades = np.where(truth.is_active, truth.trade_count, np.nan)
    return Panel.of(
        session_dates=truth.session_dates,
        account_ids=truth.account_ids,
        total_pnl_usd=truth.net_pnl_usd,
        fill_count=trades,
        turnover_usd=trades * 5000.0,
        fees_usd=trades * 0.5 + 1.0,
        volume=trades * 100.0,
    )


def history_of_truth(truth: Truth) -> FeaturePanel:
    """Turn a simulated desk into what the experts see."""
    panel = panel_of_truth(truth)
    return feature_panel(panel, build_features(panel, next_session(panel.session_dates[-1])), LEARNED_NAMES)


def gain_of(truth: Truth, history: FeaturePanel) -> float:
    """Walk forward over a desk and return the calibrated forecast's gain over ``historical``."""
    walked = Walked(truth, history, walk_forward(history, prior=shipped_prior()), 0.0)
    return _scores(walked)["gain"]


def shipped_prior() -> Prior:
    """Read the expert from simulated desks that ships; without it nothing here is measured."""
    found = read_prior(LEARNED_NAMES)
    if found.prior is None:
        raise SystemExit(found.reason)
    return found.prior


def within_trader_auc(is_event: NDArray[np.bool_], score: FloatMatrix, is_scored: NDArray[np.bool_]) -> float:
    """Average the area under the curve within each trader, weighted by his pairs of event and non-event.

    Source: Hanley and McNeil (1982), by the Mann-Whitney statistic.
    """
    from scipy.stats import rankdata

    won = pairs = 0.0
    for account in range(is_event.shape[1]):
        chosen = is_scored[:, account]
        events = is_event[chosen, account]
        count, others = int(events.sum()), int((~events).sum())
        ranks = rankdata(score[chosen, account])
        won += float(ranks[events].sum()) - count * (count + 1) / 2
        pairs += count * others
    return won / pairs


def _gains(set_name: str, seeds: Sequence[int]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for walked in (large_desk(set_name, seed) for seed in seeds):
        for name, value in {**_scores(walked), "seconds": walked.seconds}.items():
            found.setdefault(name, []).append(value)
    return found


def _scores(walked: Walked) -> dict[str, float]:
    truth, history, forecasts = walked.truth, walked.history, walked.forecasts
    outcome = history.panel.total_pnl_usd[1:]
    scale = history.scale[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(forecasts.calibrated[:-1])
    is_scored[:FIRST_SCORED_ROW] = False

    def loss(quantiles: FloatMatrix) -> float:
        return float((pinball_loss(outcome, quantiles)[is_scored] / scale[is_scored]).sum())

    base = loss(forecasts.expert("historical")[:-1])
    scores = {name: 1 - loss(forecasts.expert(name)[:-1]) / base for name in forecasts.names}
    scores["uncalibrated mixture"] = 1 - loss(forecasts.mixture[:-1]) / base
    scores["gain"] = 1 - loss(forecasts.calibrated[:-1]) / base
    scores["oracle"] = 1 - loss(truth.true_q05_usd[1:]) / base
    scores["exceedance"] = float((outcome < forecasts.calibrated[:-1])[is_scored].mean())
    is_event = outcome < -EVENT_SCALES * scale
    scores["auc"] = within_trader_auc(is_event, -forecasts.calibrated[:-1] / scale, is_scored)
    scores["oracle auc"] = within_trader_auc(is_event, -truth.true_q05_usd[1:] / scale, is_scored)
    fixed = np.broadcast_to(np.nanstd(history.panel.total_pnl_usd, axis=0), outcome.shape)
    scores["auc, fixed scale"] = within_trader_auc(
        outcome < -EVENT_SCALES * fixed, -forecasts.calibrated[:-1], is_scored
    )
    return scores


def _large_fit_seconds(accounts: int) -> float:
    history = history_of_truth(draw("medium", accounts, 625, 1))
    last_row = len(history.panel.session_dates) - 1
    pooled_garch = PooledGarch().fit(history.panel.total_pnl_usd)
    started = time.process_time()
    fit_model(history, training_pairs(history), last_row, pooled_garch)
    return time.process_time() - started


def _print_table(figures: dict[str, float]) -> None:
    for name, bound in AT_LEAST.items():
        if name in figures:
            print(f"{name:28s} {figures[name]:12.4f}  at least {bound:.4g}  {_word(figures[name] >= bound)}")
    for name in ("strong exceedance", "weak exceedance", "null exceedance"):
        is_met = EXCEEDANCE_BOUNDS[0] <= figures[name] <= EXCEEDANCE_BOUNDS[1]
        print(f"{name:28s} {figures[name]:12.4f}  within {EXCEEDANCE_BOUNDS}  {_word(is_met)}")
    for name, bound in AT_MOST.items():
        if name in figures:
            print(f"{name:28s} {figures[name]:12.4g}  at most {bound:.4g}  {_word(figures[name] <= bound)}")


def _word(is_met: object) -> str:
    return "met" if is_met else "MISSED"


if __name__ == "__main__":
    measure()
