"""The measures that rules compare, and the rules that fire on a trader's recent P&L.

Which rule calls for which cut is policy (`risk.core.policy`); what it measures is one function here, followed by the
sentence that reports it. A new rule with a known measure needs no code; a new measure needs its function in `MEASURES`
and its terms in ``risk.core.policy.MEASURE_TERMS``.

Rules are always computed: they apply while no forecast is proven, and they explain a cut in numbers a risk manager
knows.
"""

from __future__ import annotations

import datetime as dt
import itertools
import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from risk.core.money import counted, multiple, usd
from risk.core.policy import MeasureName, Rule
from risk.limits.policy import AccountPolicy, DeskTerms
from risk.model.panel import RETURN_AFTER_SESSIONS, FloatMatrix, Panel, sorted_quantile

NO_CUT = Decimal("0.00")

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"above": operator.gt, "at least": operator.ge, "at most": operator.le, "below": operator.lt}
)


@dataclass(frozen=True, slots=True)
class PnlHistory:
    """The history of one account that the rules measure.

    Attributes
    ----------
    pnl_usd
        Total P&L of the account's active sessions up to the run's, oldest first, ``(n_active,)``, gains positive.
    scale_usd
        Typical daily P&L after the last of them (EWMA RMS), never negative; NaN without any.
    latest_session_date
        Session of the last of them; without any, the run's.
    count_before_return
        How many of them lie before the account returned from a long absence, see `Panel.active_counts`.
    """

    pnl_usd: NDArray[np.float64]
    scale_usd: float
    latest_session_date: dt.date
    count_before_return: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a measure found.

    Attributes
    ----------
    value
        What is compared with the bound; NaN = cannot be computed, no rule fires.
    loss_usd
        The loss it is about, US dollars, positive; ``None`` = it is not about a loss.
    amounts_usd
        What only the reason needs.
    """

    value: float
    loss_usd: float | None = None
    amounts_usd: tuple[float, ...] = ()


UNKNOWN = Measurement(np.nan)


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired on a history, and the reason in words."""

    rule: Rule
    reason: str


def loss_streak(history: PnlHistory, window: int) -> Measurement:  # noqa: ARG001  (every measure has the same form)
    """Count the consecutive losing sessions up to the last one; about the sum of their losses."""
    losses = list(itertools.takewhile(lambda pnl: pnl < 0.0, reversed(history.pnl_usd)))
    return Measurement(float(len(losses)), -float(sum(losses)))


def _loss_streak_reason(_: PnlHistory, __: Rule, found: Measurement) -> str:
    return f"{found.value:.0f} straight losing days"


def drawdown(history: PnlHistory, window: int) -> Measurement:
    """Measure the fall of cumulative P&L from its peak in the window, which starts at 0, in typical daily P&L.

    NaN where the typical daily P&L is not above 0. About the fall, US dollars.
    """
    cumulative = np.cumsum(history.pnl_usd[-window:])
    fall_usd = float(max(cumulative.max(), 0.0) - cumulative[-1]) if cumulative.size else 0.0
    return Measurement(fall_usd / history.scale_usd if history.scale_usd > 0.0 else np.nan, fall_usd)


def _drawdown_reason(history: PnlHistory, rule: Rule, found: Measurement) -> str:
    days = min(history.pnl_usd.size, rule.window or 0)
    return (
        f"Drawdown {usd(found.loss_usd or 0)} from {days}-day peak "
        f"({multiple(found.value)} typical daily P&L of {usd(history.scale_usd)})"
    )


def volatility(history: PnlHistory, window: int) -> Measurement:
    """Compare the standard deviation of the window with that of the three times as many sessions before.

    Infinite where only the prior one is 0, NaN where both are or with too few sessions. About the largest loss of the
    window; amounts are both standard deviations, US dollars, recent first.
    """
    if history.pnl_usd.size < 4 * window:
        return UNKNOWN
    last = history.pnl_usd[-window:]
    recent = float(np.std(last, ddof=1))
    prior = float(np.std(history.pnl_usd[-4 * window : -window], ddof=1))
    ratio = recent / prior if prior > 0.0 else np.inf if recent > 0.0 else np.nan
    return Measurement(ratio, max(-float(last.min()), 0.0), (recent, prior))


def _volatility_reason(_: PnlHistory, rule: Rule, found: Measurement) -> str:
    recent, prior = found.amounts_usd
    window = rule.window or 0
    return (
        f"Volatility spike: standard deviation {usd(recent)} over the last {window} days, "
        f"{usd(prior)} over the {3 * window} days before"
    )


def large_loss(history: PnlHistory, window: int) -> Measurement:
    """Compare the last P&L with the 5 % quantile of the window's sessions before it.

    US dollars by which it lies below the quantile; NaN with too few sessions. About the last loss; the amount is the
    quantile.
    """
    if history.pnl_usd.size < window + 1:
        return UNKNOWN
    quantile_usd = sorted_quantile(np.sort(history.pnl_usd[-window - 1 : -1]))
    last = float(history.pnl_usd[-1])
    return Measurement(quantile_usd - last, max(-last, 0.0), (quantile_usd,))


def _large_loss_reason(history: PnlHistory, rule: Rule, found: Measurement) -> str:
    return (
        f"Large loss on {history.latest_session_date}: {usd(history.pnl_usd[-1])}, worse than the 5% quantile "
        f"of the {rule.window} days before ({usd(found.amounts_usd[0])})"
    )


def active_sessions(history: PnlHistory, window: int) -> Measurement:  # noqa: ARG001
    """Count the active sessions since the account returned from a long absence, if it did; not about a loss."""
    return Measurement(float(history.pnl_usd.size - history.count_before_return))


def _active_sessions_reason(history: PnlHistory, rule: Rule, found: Measurement) -> str:
    since = f" after an absence of {RETURN_AFTER_SESSIONS} days or more" if history.count_before_return else ""
    return f"Limited history: {counted(int(found.value), 'active day')}{since}, {rule.bound} required"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: what it computes from a history and a window, and the sentence that reports it."""

    compute: Callable[[PnlHistory, int], Measurement]
    reason: Callable[[PnlHistory, Rule, Measurement], str]


MEASURES: Mapping[MeasureName, Measure] = MappingProxyType(
    {
        "active sessions": Measure(active_sessions, _active_sessions_reason),
        "drawdown": Measure(drawdown, _drawdown_reason),
        "large loss": Measure(large_loss, _large_loss_reason),
        "loss streak": Measure(loss_streak, _loss_streak_reason),
        "volatility": Measure(volatility, _volatility_reason),
    }
)


class RuleSet:
    """The rules of one account's policy, ready to be applied to many histories.

    Parameters
    ----------
    account
        Its policy and base limit.
    """

    def __init__(self, account: AccountPolicy) -> None:
        smallest = account.policy.smallest_loss
        self.typical_days = float(smallest.typical_days)
        self.base_loss_usd = float(smallest.base_limit * account.base_limit_usd)
        self.rules = [
            (rule, MEASURES[rule.measure].compute, rule.window or 0, COMPARISONS[rule.comparison], float(rule.bound))
            for rule in account.policy.ordered_rules
        ]

    def smallest_loss_usd(self, history: PnlHistory) -> float:
        """Return the loss below which no rule about a loss fires, US dollars, positive: the larger of the two."""
        typical_usd = history.scale_usd if history.scale_usd > 0.0 else 0.0
        return max(self.typical_days * typical_usd, self.base_loss_usd)

    def firing(self, history: PnlHistory) -> Iterator[tuple[Rule, Measurement]]:
        """Find the rules that fire on a history, largest cut first, with what their measures found."""
        smallest_usd = self.smallest_loss_usd(history)
        measured: dict[tuple[str, int], Measurement] = {}
        for rule, compute, window, compare, bound in self.rules:
            found = measured.get((rule.measure, window)) or compute(history, window)
            measured[rule.measure, window] = found
            if compare(found.value, bound) and (found.loss_usd is None or found.loss_usd >= smallest_usd):
                yield rule, found


def fired_rules(history: PnlHistory, account: AccountPolicy) -> list[FiredRule]:
    """List the rules that fire on an account's history, largest cut first, each measure once."""
    fired: dict[tuple[str, int | None], FiredRule] = {}
    for rule, found in RuleSet(account).firing(history):
        if (rule.measure, rule.window) not in fired:
            reason = MEASURES[rule.measure].reason(history, rule, found)
            fired[rule.measure, rule.window] = FiredRule(rule, reason)
    return list(fired.values())


def rules_cut_ratio(history: PnlHistory, rules: RuleSet) -> Decimal:
    """Return the cut of the strongest rule that fires, 0 where none does; stops at the first."""
    return next((rule.cut for rule, _ in rules.firing(history)), NO_CUT)


def rules_cut_ratios(panel: Panel, scale: FloatMatrix, first_row: int = 0, *, terms: DeskTerms) -> FloatMatrix:
    """Apply the rules after each past session.

    Parameters
    ----------
    panel
        Daily results.
    scale
        Typical daily P&L after each session, ``(n_sessions, n_accounts)``, US dollars.
    first_row
        Rows before it are left 0.
    terms
        Policy and base limit of each account, for all its sessions.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, 0.40 = 40 %; 0 before an account's first session.
    """
    latest, counts = panel.latest_active(), panel.active_counts()
    ratios = np.zeros_like(panel.total_pnl_usd)
    for account, account_id in enumerate(panel.account_ids):
        rules = RuleSet(terms.of(account_id))
        pnl = panel.total_pnl_usd[:, account]
        active = np.flatnonzero(np.isfinite(pnl))
        results = pnl[active]
        cut_of_row: dict[int, float] = {-1: 0.0}
        for row in np.unique(latest[first_row:, account]).tolist():
            if row >= 0:
                past = results[: bisect_right(active, row)]
                before = past.size - int(counts[row, account])
                history = PnlHistory(past, float(scale[row, account]), panel.session_dates[row], before)
                cut_of_row[row] = float(rules_cut_ratio(history, rules))
        ratios[first_row:, account] = [cut_of_row[row] for row in latest[first_row:, account].tolist()]
    return ratios
