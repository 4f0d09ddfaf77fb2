"""Evidence for each rule on the desk's own history: how often a large loss followed when it fired, and when it did not.

A rule is a firm's rule, not a forecast. It may still be asked what it said: every morning on which an account went on
to trade is either one on which the rule had fired or one of the others, and the session either was a large loss, beyond
1.5 typical days as that morning knew them, or was not. On real traders such rules said little: after a cut of 40 %
large losses were no more frequent than otherwise.

What accounts share on a day, and one day with the next, stays together: the interval of the difference comes from
blocks of whole sessions drawn again (Politis and Romano 1992).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.money import count, percent
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute
from risk.limits.policy import DeskTerms
from risk.limits.rules import PnlHistory, RuleSet
from risk.model.backtests import INTERVAL, resampled_sessions
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale
from risk.model.states import LARGE_LOSS_DAYS

MINIMUM_FIRINGS = 30
"""With fewer firings nothing is said."""

BoolMatrix = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """What followed a rule.

    Attributes
    ----------
    rule_name
        Its name in the policy.
    firing_count, firing_loss_count
        Trader-days after it fired, and large losses among them.
    other_count, other_loss_count
        The other trader-days, and large losses among them.
    difference_low_ratio, difference_high_ratio
        95 % interval of the share of large losses after it fired less the share otherwise; ``None`` = too few firings.
    """

    rule_name: str
    firing_count: int
    firing_loss_count: int
    other_count: int
    other_loss_count: int
    difference_low_ratio: float | None
    difference_high_ratio: float | None

    @property
    def verdict(self) -> str:
        """``too few``, ``supports`` (the interval is above 0), ``contradicts`` (below 0) or ``open``."""
        if self.difference_low_ratio is None or self.difference_high_ratio is None:
            return "too few"
        if self.difference_high_ratio < 0.0:
            return "contradicts"
        return "supports" if self.difference_low_ratio > 0.0 else "open"

    @property
    def sentence(self) -> str:
        """What followed, for people."""
        if self.difference_low_ratio is None or self.difference_high_ratio is None:
            return f"{self.rule_name}: {count(self.firing_count)} days after it fired, {MINIMUM_FIRINGS} required."
        said = {
            "supports": "a large loss followed more often when it had fired",
            "contradicts": "a large loss followed less often when it had fired",
            "open": "not shown that a large loss follows more or less often",
        }
        return (
            f"{self.rule_name}: {said[self.verdict]}: on {percent(self.firing_loss_count / self.firing_count, 1)} of "
            f"{count(self.firing_count)} days after it, {percent(self.other_loss_count / self.other_count, 1)} of "
            f"{count(self.other_count)} others (difference {percent(self.difference_low_ratio, 1)} to "
            f"{percent(self.difference_high_ratio, 1)})."
        )


def large_losses(panel: Panel, scale_usd: FloatMatrix) -> tuple[BoolMatrix, BoolMatrix]:
    """Say which sessions were traded on a known morning, and which of them were large losses.

    Parameters
    ----------
    panel
        Daily results.
    scale_usd
        Typical daily P&L after each session, ``(n_sessions, n_accounts)``, US dollars.

    Returns
    -------
    tuple
        Both ``(n_sessions - 1, n_accounts)``: row t is about session t + 1, of which the morning knew session t.
    """
    results, known = panel.total_pnl_usd[1:], scale_usd[:-1]
    is_known = np.isfinite(results) & (known > 0.0)
    return is_known, is_known & (results < -LARGE_LOSS_DAYS * np.where(is_known, known, 0.0))


def rule_evidence(rule_name: str, has_fired: BoolMatrix, is_known: BoolMatrix, is_large: BoolMatrix) -> RuleEvidence:
    """Compare the sessions after a rule fired with the others.

    Parameters
    ----------
    rule_name
        Its name.
    has_fired
        Whether it had fired by the morning of the session, as `large_losses` counts sessions.
    is_known, is_large
        What `large_losses` returns.
    """
    fired, other = has_fired & is_known, ~has_fired & is_known
    by_session = np.stack([days.sum(axis=1) for days in (fired, fired & is_large, other, other & is_large)], axis=1)
    by_session = by_session[is_known.any(axis=1)]
    firing_count, firing_loss_count, other_count, other_loss_count = by_session.sum(axis=0).tolist()
    is_enough = firing_count >= MINIMUM_FIRINGS and other_count > 0
    low, high = _difference_interval(by_session) if is_enough else (None, None)
    return RuleEvidence(rule_name, firing_count, firing_loss_count, other_count, other_loss_count, low, high)


def rule_firings(panel: Panel, scale_usd: FloatMatrix, terms: DeskTerms) -> Mapping[str, BoolMatrix]:
    """Apply each rule after each past session.

    Parameters
    ----------
    panel, scale_usd
        As for `large_losses`.
    terms
        Policy and base limit of each account, for all its sessions.

    Returns
    -------
    mapping
        By name of the rule, ``(n_sessions, n_accounts)``: whether its own condition held after the session, even where
        a stronger rule fired, too; carried over sessions without activity.
    """
    firings: dict[str, BoolMatrix] = {}
    latest, counts = panel.latest_active(), panel.active_counts()
    for column, account_id in enumerate(panel.account_ids):
        rules = RuleSet(terms.of(account_id))
        active = np.flatnonzero(panel.is_active[:, column])
        results = panel.total_pnl_usd[active, column]
        for place, row in enumerate(active.tolist()):
            day, before = panel.session_dates[row], place + 1 - int(counts[row, column])
            history = PnlHistory(results[: place + 1], float(scale_usd[row, column]), day, before)
            for rule, _ in rules.firing(history):
                at = firings.setdefault(rule.name, np.zeros(panel.is_active.shape, np.bool_))
                at[latest[:, column] == row, column] = True
    names = dict.fromkeys(rule.name for account_id in panel.account_ids for rule in terms.of(account_id).policy.rules)
    return {name: firings.get(name, np.zeros(panel.is_active.shape, np.bool_)) for name in names}


def desk_evidence(panel: Panel, terms: DeskTerms) -> list[RuleEvidence]:
    """Measure every rule of the policy on the desk's history."""
    scale_usd = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    is_known, is_large = large_losses(panel, scale_usd)
    firings = rule_firings(panel, scale_usd, terms)
    return [rule_evidence(name, has_fired[:-1], is_known, is_large) for name, has_fired in firings.items()]


def store_evidence(connection: Connection, run: Run, found: list[RuleEvidence]) -> None:
    """Replace a run's evidence for each rule; the caller holds the write lock."""
    rows = [{**asdict(one), "verdict": one.verdict, "sentence": one.sentence} for one in found]
    execute(connection, "apply_rules/replace_rule_evidence", {"run_id": run.run_id, "evidence": json.dumps(rows)})


def _difference_interval(by_session: NDArray[np.int64]) -> tuple[float | None, float | None]:
    sums = by_session[resampled_sessions(len(by_session))].sum(axis=1)
    sums = sums[(sums[:, 0] > 0) & (sums[:, 2] > 0)]
    if not len(sums):
        return None, None
    differences = sums[:, 1] / sums[:, 0] - sums[:, 3] / sums[:, 2]
    low, high = np.quantile(differences, INTERVAL)
    return float(low), float(high)
