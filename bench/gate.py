"""The gate on desks whose truth is known: how often it promotes what is no better, and how soon what is.

``python -m bench gate`` prints the share of drawn sequences under H0 whose wealth ever reaches the threshold, and for
40 desks of each set, 12 traders and 200 sessions, how many promote the forecast by session 130 and by session 200.
Beside it stand the ladder's own threshold and the rule that decided before: ten passes of the 60-session test in a row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from bench.forecast import walk
from risk.limits.policy import default_terms
from risk.limits.rules import rules_cut_ratios
from risk.model.gate import TEST_SESSIONS, THRESHOLD, GateInputs, is_eligible, rules_quantiles
from risk.model.panel import FloatMatrix, Panel
from risk.model.walk_forward import baseline_forecasts
from risk.model.wealth import Bettor, loss_gains
from risk.model.window_test import session_losses
from simulation.truth import draw

SEQUENCE_COUNT, SEQUENCE_SESSIONS, SEQUENCE_TRADERS = 10_000, 200, 6
SINGLE_THRESHOLD = 20.0
"""What one forecast against one opponent needs at an error of 5 %."""

SESSIONS, TRADERS, DESKS = 200, 12, 40
EARLY = 130
RULES_SHARE = 0.75
"""A forecast that is worse than the rules: theirs, a quarter smaller."""

FORMER_PASSES = 10

AT_LEAST = {"strong": (0.50, 0.90), "medium": (0.20, 0.70), "weak": (0.10, 0.30)}
"""Share of desks that promote the model by session 130 and by session 200."""

AT_MOST_FALSE = 0.055
AT_MOST_DESKS = 4


@dataclass(frozen=True, slots=True)
class ScoredDesk:
    """A walked desk, and what the gate looks at; the rules' cuts ``(n_sessions, n_accounts)``, 0.40 = 40 %."""

    panel: Panel
    rules_cuts: FloatMatrix
    inputs: GateInputs

    def promoted_at(self, forecast: FloatMatrix, threshold: float) -> int | None:
        """Return the session after which a forecast first serves."""
        seen = self.inputs
        gains = loss_gains(seen.pnl, seen.scale, forecast, seen.rules, seen.is_eligible)
        bettor = Bettor(threshold, TEST_SESSIONS)
        rows = np.flatnonzero(gains.forecast_count).tolist()
        return next((row for row in rows if bettor.bet(gains, row).is_serving), None)

    def former_gate_at(self, forecast: FloatMatrix) -> int | None:
        """Return the session after which the former rule promoted it: ten passes in a row."""
        losses = session_losses(self.inputs.pnl, self.inputs.scale, forecast, self.inputs.rules)
        passes = 0
        for row in losses.number.tolist():
            passes = passes + 1 if losses.test_after(row).is_pass else 0
            if passes == FORMER_PASSES:
                return int(row)
        return None


def measure(*, sequences: int = SEQUENCE_COUNT, desks: int = DESKS) -> None:
    """Measure both and print the numbers to reach.

    Parameters
    ----------
    sequences
        Drawn under H0.
    desks
        Of each set.
    """
    share = sum(map(_is_promoted_by_chance, range(sequences))) / sequences
    print(
        f"H0: {sequences} sequences, promoted {share:.2%}, at most {AT_MOST_FALSE:.1%}  {_word(share <= AT_MOST_FALSE)}"
    )
    print(f"of {desks} desks, {TRADERS} x {SESSIONS}: promoted by session {EARLY} / {SESSIONS}")
    for name in ("strong", "medium", "weak", "null", "real"):
        walked = [walked_desk(name, seed) for seed in range(1, desks + 1)]
        _print_set(name, walked)
        if name == "medium":
            _print_false("rules x .75", [desk.promoted_at(_smaller(desk), SINGLE_THRESHOLD) for desk in walked])


@cache
def walked_desk(set_name: str, seed: int) -> ScoredDesk:
    """Draw a desk and forecast every session of it from those before; once for the gate and for the cuts."""
    walked = walk(draw(set_name, TRADERS, SESSIONS, seed))
    panel, scale, forecasts = walked.history.panel, walked.history.scale, walked.forecasts
    cuts = rules_cut_ratios(panel, scale, terms=default_terms())
    historical = forecasts.expert("historical")
    rules = rules_quantiles(panel.total_pnl_usd, historical, cuts)
    filtered = baseline_forecasts(panel).calibrated
    issued = (forecasts.calibrated, filtered, historical, rules)
    return ScoredDesk(panel, cuts, GateInputs(panel.total_pnl_usd, scale, is_eligible(panel), *issued))


def _smaller(desk: ScoredDesk) -> FloatMatrix:
    return np.where(np.isfinite(desk.inputs.model), RULES_SHARE * desk.inputs.rules, np.nan)


def _print_set(name: str, desks: Sequence[ScoredDesk]) -> None:
    ways: dict[str, Callable[[ScoredDesk], int | None]] = {
        f"threshold {SINGLE_THRESHOLD:.0f}": lambda desk: desk.promoted_at(desk.inputs.model, SINGLE_THRESHOLD),
        f"threshold {THRESHOLD:.0f} (ladder)": lambda desk: desk.promoted_at(desk.inputs.model, THRESHOLD),
        "ten passes (former)": lambda desk: desk.former_gate_at(desk.inputs.model),
    }
    for way, promoted in ways.items():
        rows = [promoted(desk) for desk in desks]
        shares = [sum(row is not None and row <= last for row in rows) / len(rows) for last in (EARLY, SESSIONS)]
        bounds, said = AT_LEAST.get(name), ""
        if way == next(iter(ways)) and bounds:
            is_met = all(share >= bound for share, bound in zip(shares, bounds, strict=True))
            said = f"  at least {bounds[0]:.0%} / {bounds[1]:.0%}  {_word(is_met)}"
        if way == next(iter(ways)) and name == "null":
            said = f"  at most {AT_MOST_DESKS} desks  {_word(shares[1] * len(rows) <= AT_MOST_DESKS)}"
        print(f"{name:8s} {way:24s} {shares[0]:5.0%} / {shares[1]:4.0%}{said}", flush=True)


def _print_false(name: str, rows: Sequence[int | None]) -> None:
    count = sum(row is not None for row in rows)
    print(f"{name:33s} {count} desks, at most {AT_MOST_DESKS}  {_word(count <= AT_MOST_DESKS)}", flush=True)


def _is_promoted_by_chance(seed: int) -> bool:
    """Draw a sequence in which no forecast is better than the other, and say whether the wealth ever reaches 20.

    Results are skewed and share the session's shock. The candidate's quantile lies as much too low as the opponent's
    too high, or the other way round, by a coin that nobody knows: expected losses are equal in every session.
    """
    draws = np.random.default_rng([seed, 16])
    shape = (SEQUENCE_SESSIONS, SEQUENCE_TRADERS)
    shared = draws.exponential(1.0, (shape[0], 1)) - 1.0
    pnl = shared + draws.standard_t(3, shape) * np.exp(0.3 * draws.standard_normal((shape[0], 1)))
    spread = 0.4 * draws.standard_normal(shape)
    first, second = -2.5 * np.exp(spread), -2.5 * np.exp(-spread)
    is_first = draws.random((shape[0], 1)) < 0.5
    candidate, opponent = np.where(is_first, first, second), np.where(is_first, second, first)
    gains = loss_gains(pnl, np.ones(shape), candidate, opponent, np.ones(shape, np.bool_))
    bettor = Bettor(SINGLE_THRESHOLD, 1)
    needed = math.log(SINGLE_THRESHOLD)
    return any(bettor.bet(gains, row).log_wealth >= needed for row in itertools.islice(range(shape[0]), 1, None))


def _word(is_met: object) -> str:
    return "met" if is_met else "MISSED"
