"""Coverage of the tail effect's intervals, and its power, on desks whose truth is known: ``python -m bench tail``.

Base limits are the traders' usual losses. On null desks the rules cut, which know nothing there; the true effect is the
mean over all desks. On the others the cut is that of the true tail. The model's own cuts from session 60 on, as stops
on a base limit of $5,000, all desks together, are a part of ``python -m bench forecast``: as issued, whether they
served or not, and as served by the ladder.

Cuts that know nothing have an effect against the equal cut, too, see `risk.limits.tail_effect`. How much that is on a
set is measured by dealing the same cuts at random among the days of each trader.
"""

from __future__ import annotations

import numpy as np

from bench.forecast import panel_of_truth
from bench.gate import SESSIONS, TRADERS, ScoredDesk, walked_desk
from risk.limits.decide import model_cut_ratios
from risk.limits.policy import default_terms
from risk.limits.rules import rules_cut_ratios
from risk.limits.tail_effect import (
    MINIMUM_SESSIONS,
    CutDays,
    TailEffect,
    measure_effect,
    tail_mean,
    usual_losses,
)
from risk.model.gate import FILTERED, MODEL, RULES, Ladder
from risk.model.panel import SCALE_DECAY, FloatMatrix, ewma_scale
from simulation.law import stream
from simulation.paths import bridged_paths, running_lows
from simulation.truth import Truth, draw

WARM_UP_SESSIONS = 30
COVERAGE = (0.92, 0.98)
"""Shares of 95 % intervals that may hold the truth."""

FIRST_CUT_ROW = 60
MODEL_BASE_USD = 5000.0
DEALS = 60
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
        verdict = f"within {COVERAGE}  {_word(is_met)}" if name.startswith("coverage") else ""
        print(f"{name:28s} {value:8.3f}  {verdict}", flush=True)
    return figures


def measure_model(desks: int = 40) -> None:
    """Measure what the model's own cuts do, on desks of 12 x 200 of three sets."""
    for set_name in ("strong", "null", "real"):
        walked = [walked_desk(set_name, seed) for seed in range(1, desks + 1)]
        _print_effect(set_name, "issued", walked, [_model_cuts(desk) for desk in walked])
        _print_effect(set_name, "served", walked, [_served_cuts(desk) for desk in walked])


def _model_cuts(desk: ScoredDesk) -> FloatMatrix:
    return np.nan_to_num(model_cut_ratios(desk.panel, desk.inputs.model, terms=default_terms()))


def _served_cuts(desk: ScoredDesk) -> FloatMatrix:
    """Cut each morning by what the ladder lets serve: the rules, or a forecast where it has a norm."""
    serving = [standing.serving() for standing in Ladder(desk.inputs).standings]
    cuts = {
        name: model_cut_ratios(desk.panel, forecast, terms=default_terms())
        for name, forecast in ((MODEL, desk.inputs.model), (FILTERED, desk.inputs.filtered))
    }
    rows = [desk.rules_cuts[row] if name == RULES else cuts[name][row] for row, name in enumerate(serving)]
    return np.where(np.isfinite(rows), rows, desk.rules_cuts)


def _print_effect(set_name: str, whose: str, desks: list[ScoredDesk], cuts: list[FloatMatrix]) -> None:
    """Measure cuts against everybody cut by the same share, all desks together, and print what stands beside them."""
    days = _joined(
        [_days(set_name, seed, desk, cut) for seed, (desk, cut) in enumerate(zip(desks, cuts, strict=True), 1)]
    )
    effect = measure_effect(days)
    if effect is None:
        print(f"{set_name:6s} {whose}: no cut, or too few sessions", flush=True)
        return
    main, own = effect.against_equal, effect.against_own
    said, dealt, deviation = "", *_dealt_effect(days)
    if whose == "issued" and set_name == "strong":
        said = f"; low end above {LEAST_STRONG_EFFECT:.0%}  {_word(main.low > LEAST_STRONG_EFFECT)}"
    if whose == "issued" and set_name == "null":
        said = f"; contains 0  {_word(main.low <= 0.0 <= main.high)}"
        said += f"; contains the effect of the same cuts dealt at random  {_word(main.low <= dealt <= main.high)}"
    print(
        f"{set_name:6s} cuts as {whose}, mean {effect.mean_cut_ratio:.1%}: {main.ratio:.2%} [{main.low:.2%}, "
        f"{main.high:.2%}] against the equal cut; {own.ratio:.2%} [{own.low:.2%}, {own.high:.2%}] against own means; "
        f"{effect.random_ratio:.2%} against random (p {effect.random_p_value:.3f}); the same cuts dealt at random "
        f"{dealt:.2%} (deviation {deviation:.2%}){said}",
        flush=True,
    )


def _days(set_name: str, seed: int, desk: ScoredDesk, cuts: FloatMatrix) -> CutDays:
    """Lay out a desk from session 60 on; the unit is each trader's usual loss as that morning knew it."""
    truth = draw(set_name, TRADERS, SESSIONS, seed)
    usual = usual_losses(desk.panel, desk.inputs.model, np.full(TRADERS, LEAST_FORECASTS))
    unit, cut = (np.concatenate((np.full((1, TRADERS), np.nan), values[:-1])) for values in (usual, cuts))
    chosen = truth.is_active & np.isfinite(unit) & (np.arange(SESSIONS)[:, None] >= FIRST_CUT_ROW)
    rows, columns = np.nonzero(chosen)
    closes = truth.net_pnl_usd[rows, columns]
    lows = running_lows(bridged_paths(closes, truth.sigma_usd[rows, columns], stream(seed, 8)))
    padded = np.concatenate((lows, np.full((len(lows), 1), np.inf)), axis=1)
    bases = np.full(len(rows), MODEL_BASE_USD)
    limits = bases * (1.0 - cut[rows, columns])
    return CutDays(rows, columns, bases, limits, unit[rows, columns], padded, closes)


def _joined(desks: list[CutDays]) -> CutDays:
    """Put desks one after the other, as sessions and accounts of one."""
    number = np.repeat(np.arange(len(desks)), [len(days.sessions) for days in desks])
    joined = {name: np.concatenate([getattr(days, name) for days in desks]) for name in CutDays.__slots__}
    joined["sessions"] = joined["sessions"] + SESSIONS * number
    joined["accounts"] = joined["accounts"] + TRADERS * number
    return CutDays(**joined)


def _dealt_effect(days: CutDays) -> tuple[float, float]:
    """Return mean and deviation of the effect against the equal cut of cuts dealt among each trader's days."""
    draws, weights = stream(DEALS, 1), np.ones(len(days.sessions))
    ratios, by_account = days.cut_ratios, np.argsort(days.accounts, kind="stable")
    equal = tail_mean(days.outcomes(days.base_limits_usd * (1.0 - ratios.mean())), weights)
    effects = np.empty(DEALS)
    for number in range(DEALS):
        dealt = np.empty_like(ratios)
        dealt[by_account] = ratios[np.lexsort((draws.random(len(ratios)), days.accounts))]
        effects[number] = 1.0 - tail_mean(days.outcomes(days.base_limits_usd * (1.0 - dealt)), weights) / equal
    return float(effects.mean()), float(effects.std())


def _word(is_met: object) -> str:
    return "met" if is_met else "MISSED"


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
