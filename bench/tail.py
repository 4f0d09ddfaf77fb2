"""Coverage of the tail effect's intervals, and its power, on desks whose truth is known: ``python -m bench tail``.

Base limits are the traders' usual losses. On null desks the rules cut, which know nothing there; the true effect is the
mean over all desks. On the others the cut is that of the true tail. The model's own cuts from session 60 on, served or
not, as stops on a base limit of $5,000, all desks together, are a part of ``python -m bench forecast``.
"""

from __future__ import annotations

import numpy as np

from bench.forecast import history_of_truth, panel_of_truth, shipped_prior
from risk.limits.decide import model_cut_ratios
from risk.limits.policy import default_terms
from risk.limits.rules import rules_cut_ratios
from risk.limits.tail_effect import MINIMUM_SESSIONS, CutDays, Effect, TailEffect, measure_effect, usual_losses
from risk.model.panel import SCALE_DECAY, FloatMatrix, ewma_scale
from risk.model.walk_forward import walk_forward
from simulation.law import stream
from simulation.paths import bridged_paths, running_lows
from simulation.truth import Truth, draw

TRADERS = 12
WARM_UP_SESSIONS = 30
COVERAGE = (0.92, 0.98)
"""Shares of 95 % intervals that may hold the truth."""


MODEL_SESSIONS, FIRST_CUT_ROW = 200, 60
MODEL_BASE_USD = 5000.0
LEAST_FORECASTS = 20
LEAST_STRONG_EFFECT = 0.08


def measure(*, null_desks: int = 400, other_desks: int = 10) -> dict[str, float]:
    """Measure coverage at the fewest sessions that are judged, and the effect of cuts by the truth."""
    figures: dict[str, float] = {}
    found = [effect for seed in range(1, null_desks + 1) if (effect := _by_rules(seed)) is not None]
    for name in ("against_equal", "against_own"):
        effects = [getattr(one, name) for one in found]
        truth = float(np.mean([effect.ratio for effect in effects]))
        figures[f"coverage {name}"] = float(np.mean([effect.low <= truth <= effect.high for effect in effects]))
        figures[f"null shown {name}"] = float(np.mean([effect.low > 0.0 for effect in effects]))
        figures[f"null effect {name}"] = truth
    figures["null random p < 5%"] = float(np.mean([one.random_p_value < 0.05 for one in found]))
    for set_name in ("strong", "medium", "weak"):
        effects = [
            measure_effect(days_of(draw(set_name, TRADERS, 200, seed), seed)) for seed in range(1, other_desks + 1)
        ]
        figures[f"{set_name} effect"] = float(np.mean([one.against_equal.ratio for one in effects if one]))
        figures[f"{set_name} shown"] = float(np.mean([one.against_equal.low > 0.0 for one in effects if one]))
    for name, value in figures.items():
        is_met = COVERAGE[0] <= value <= COVERAGE[1]
        verdict = f"within {COVERAGE}  {'met' if is_met else 'MISSED'}" if name.startswith("coverage") else ""
        print(f"{name:28s} {value:8.3f}  {verdict}", flush=True)
    return figures


def measure_model(desks: int = 40) -> None:
    """Measure what the model's own cuts do, on desks of 12 x 200 of three sets."""
    for set_name in ("strong", "null", "real"):
        _print_model_effect(set_name, desks)


def _print_model_effect(set_name: str, desks: int) -> None:
    """Measure the model's cuts as issued, all desks of 12 x 200 together, against everybody cut by the same share."""
    found = [_by_model(set_name, seed) for seed in range(1, desks + 1)]
    desk = np.concatenate([np.full(len(days.sessions), number) for number, days in enumerate(found)])
    joined = {name: np.concatenate([getattr(days, name) for days in found]) for name in CutDays.__slots__}
    joined["sessions"] = joined["sessions"] + MODEL_SESSIONS * desk
    joined["accounts"] = joined["accounts"] + TRADERS * desk
    effect = measure_effect(CutDays(**joined))
    main = effect.against_equal if effect else Effect(0.0, 0.0, 0.0)
    said = ""
    if set_name == "strong":
        said = f"low end above {LEAST_STRONG_EFFECT:.0%}  {'met' if main.low > LEAST_STRONG_EFFECT else 'MISSED'}"
    if set_name == "null":
        said = f"contains 0  {'met' if main.low <= 0.0 <= main.high else 'MISSED'}"
    print(
        f"{set_name:6s} effect of the model's cuts {main.ratio:6.1%} [{main.low:.1%}, {main.high:.1%}]  {said}",
        flush=True,
    )


def _by_model(set_name: str, seed: int) -> CutDays:
    """Lay out the days of a desk from session 60 on; the unit is each trader's usual loss as that morning knew it."""
    truth = draw(set_name, TRADERS, MODEL_SESSIONS, seed)
    history = history_of_truth(truth)
    calibrated = walk_forward(history, prior=shipped_prior()).calibrated
    cuts = model_cut_ratios(history.panel, calibrated, terms=default_terms())
    usual = usual_losses(history.panel, calibrated, np.full(TRADERS, LEAST_FORECASTS))
    issued = [np.concatenate((np.full((1, TRADERS), np.nan), values[:-1])) for values in (cuts, usual)]
    chosen = truth.is_active & np.isfinite(issued[1]) & (np.arange(MODEL_SESSIONS)[:, None] >= FIRST_CUT_ROW)
    rows, columns = np.nonzero(chosen)
    closes = truth.net_pnl_usd[rows, columns]
    lows = running_lows(bridged_paths(closes, truth.sigma_usd[rows, columns], stream(seed, 8)))
    bases = np.full(len(rows), MODEL_BASE_USD)
    limits = bases * (1.0 - np.nan_to_num(issued[0][rows, columns]))
    padded = np.concatenate((lows, np.full((len(lows), 1), np.inf)), axis=1)
    return CutDays(rows, columns, bases, limits, issued[1][rows, columns], padded, closes)


def days_of(truth: Truth, seed: int, cut_ratios: FloatMatrix | None = None, first_row: int = 0) -> CutDays:
    """Lay out a simulated desk whose base limits are the usual losses, cut by the true tail or as given.

    Parameters
    ----------
    truth, seed
        The desk; its paths are drawn by the seed.
    cut_ratios
        ``(n_sessions, n_accounts)``, those in force in each session; ``None`` = by the true tail.
    first_row
        Sessions before it are left out.
    """
    usual = np.median(-truth.true_q05_usd, axis=0)
    cuts = np.clip(1.0 + usual / truth.true_q05_usd, 0.0, 0.8) if cut_ratios is None else cut_ratios
    is_chosen = truth.is_active.copy()
    is_chosen[:first_row] = False
    rows, columns = np.nonzero(is_chosen)
    closes = truth.net_pnl_usd[rows, columns]
    lows = running_lows(bridged_paths(closes, truth.sigma_usd[rows, columns], stream(seed, 8)))
    padded = np.concatenate((lows, np.full((len(lows), 1), np.inf)), axis=1)
    bases = usual[columns]
    return CutDays(rows, columns, bases, bases * (1.0 - cuts[rows, columns]), bases, padded, closes)


def _by_rules(seed: int) -> TailEffect | None:
    truth = draw("null", TRADERS, WARM_UP_SESSIONS + MINIMUM_SESSIONS, seed)
    panel = panel_of_truth(truth)
    cuts = rules_cut_ratios(panel, ewma_scale(panel.total_pnl_usd, SCALE_DECAY), terms=default_terms())
    in_force = np.concatenate((np.zeros((1, TRADERS)), cuts[:-1]))
    return measure_effect(days_of(truth, seed, in_force, WARM_UP_SESSIONS))


if __name__ == "__main__":
    measure()
