"""What followed the rules on simulated desks: large losses after each fired, and otherwise; part of ``bench forecast``.

The product's own evidence (`risk.limits.evidence`) on all desks of a set, one after the other: with at least 30 firings
the 95 % interval of the difference is over blocks of sessions. Alone: ``python -m bench rules``.
"""

from __future__ import annotations

import numpy as np

from bench.forecast import panel_of_truth
from bench.gate import SESSIONS, TRADERS
from risk.core.money import count, percent
from risk.limits.evidence import BoolMatrix, RuleEvidence, large_losses, rule_evidence, rule_firings
from risk.limits.policy import default_terms
from risk.model.panel import SCALE_DECAY, ewma_scale
from simulation.truth import draw

SETS = ("strong", "medium", "weak", "null", "real")


def measure(*, desks: int = 40) -> dict[str, RuleEvidence]:
    """Print the evidence for each rule of the shipped policy and return it by set and rule.

    Parameters
    ----------
    desks
        Of 12 traders and 200 sessions, of each set, seeds 1, 2, ...
    """
    found: dict[str, RuleEvidence] = {}
    for set_name in SETS:
        for one in _evidence(set_name, desks):
            found[f"{set_name} {one.rule_name}"] = one
            print(f"{set_name:7s} {_line(one)}", flush=True)
    return found


def _evidence(set_name: str, desks: int) -> list[RuleEvidence]:
    fired: dict[str, list[BoolMatrix]] = {}
    losses = []
    for seed in range(1, desks + 1):
        panel = panel_of_truth(draw(set_name, TRADERS, SESSIONS, seed))
        scale_usd = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
        losses.append(large_losses(panel, scale_usd))
        for name, has_fired in rule_firings(panel, scale_usd, default_terms()).items():
            fired.setdefault(name, []).append(has_fired[:-1])
    is_known, is_large = (np.concatenate(parts) for parts in zip(*losses, strict=True))
    return [rule_evidence(name, np.concatenate(parts), is_known, is_large) for name, parts in fired.items()]


def _line(one: RuleEvidence) -> str:
    said = f"{one.rule_name:24s} fired {count(one.firing_count)}: {one.verdict}"
    if one.difference_low_ratio is None or one.difference_high_ratio is None:
        return said
    after, other = one.firing_loss_count / one.firing_count, one.other_loss_count / one.other_count
    interval = f"{percent(one.difference_low_ratio, 1)} to {percent(one.difference_high_ratio, 1)}"
    return f"{said}; large losses {percent(after, 1)} after it, {percent(other, 1)} otherwise; difference {interval}"
