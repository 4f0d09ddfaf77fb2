"""The rules: which pattern in a trader's recent P&L calls for which cut.

They are always computed: they apply while no forecast is proven, and they explain a cut in numbers a risk manager
knows. Each formula is followed by the sentence that reports it; `RULES` lists the bounds and the cuts.
"""

from __future__ import annotations

import datetime as dt
import itertools
import operator
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from risk.core.money import counted, multiple, usd
from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.model.panel import FloatMatrix, Panel, sorted_quantile

RULES_VERSION = "rules-1"
"""Version of the table `RULES`: change it with the table."""

DRAWDOWN_SESSIONS = 20
SPIKE_SESSIONS = 5
CALM_SESSIONS = 15
NORM_SESSIONS = 20
NO_CUT = Decimal("0.00")

Numbers = tuple[float, ...]


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
    """

    pnl_usd: NDArray[np.float64]
    scale_usd: float
    latest_session_date: dt.date


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: fires where its measure compares with the bound; a measure of NaN never fires.

    Attributes
    ----------
    name
        Rows of one name are degrees of one rule: only the strongest that fires is reported.
    measure
        Computes the number that is compared, and after it those that only the reason needs.
    compare, bound
        The condition: ``compare(number, bound)``.
    cut_ratio
        The cut it calls for.
    reason
        Writes the finding, from the history and the numbers of the measure.
    """

    name: str
    measure: Callable[[PnlHistory], Numbers]
    compare: Callable[[float, float], bool]
    bound: float
    cut_ratio: Decimal
    reason: Callable[[PnlHistory, Numbers], str]


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired on a history, its cut and the reason in words."""

    name: str
    cut_ratio: Decimal
    reason: str


def loss_streak(history: PnlHistory) -> Numbers:
    """Count the consecutive losing sessions up to the last one."""
    return (float(sum(1 for _ in itertools.takewhile(lambda pnl: pnl < 0.0, reversed(history.pnl_usd)))),)


def _loss_streak_reason(_: PnlHistory, numbers: Numbers) -> str:
    return f"{numbers[0]:.0f} straight losing days"


def drawdown(history: PnlHistory) -> Numbers:
    """Measure the fall of cumulative P&L from its 20-session peak, which starts at 0.

    Returns
    -------
    tuple of float
        The fall in units of the typical daily P&L, NaN where that is not above 0; and in US dollars.
    """
    cumulative = np.cumsum(history.pnl_usd[-DRAWDOWN_SESSIONS:])
    fall_usd = float(max(cumulative.max(), 0.0) - cumulative[-1]) if cumulative.size else 0.0
    return fall_usd / history.scale_usd if history.scale_usd > 0.0 else np.nan, fall_usd


def _drawdown_reason(history: PnlHistory, numbers: Numbers) -> str:
    days = min(history.pnl_usd.size, DRAWDOWN_SESSIONS)
    return (
        f"Drawdown {usd(numbers[1])} from {days}-day peak "
        f"({multiple(numbers[0])} typical daily P&L of {usd(history.scale_usd)})"
    )


def volatility(history: PnlHistory) -> Numbers:
    """Compare the standard deviation of the last 5 sessions with that of the 15 before.

    Returns
    -------
    tuple of float
        Their ratio, infinite where only the prior one is 0, NaN where both are; and both in US dollars, recent first.
        NaN alone with fewer than 20 sessions.
    """
    if history.pnl_usd.size < SPIKE_SESSIONS + CALM_SESSIONS:
        return (np.nan,)
    recent = float(np.std(history.pnl_usd[-SPIKE_SESSIONS:], ddof=1))
    prior = float(np.std(history.pnl_usd[-SPIKE_SESSIONS - CALM_SESSIONS : -SPIKE_SESSIONS], ddof=1))
    if prior > 0.0:
        return recent / prior, recent, prior
    return np.inf if recent > 0.0 else np.nan, recent, prior


def _volatility_reason(_: PnlHistory, numbers: Numbers) -> str:
    return (
        f"Volatility spike: standard deviation {usd(numbers[1])} over the last {SPIKE_SESSIONS} days, "
        f"{usd(numbers[2])} over the {CALM_SESSIONS} days before"
    )


def large_loss(history: PnlHistory) -> Numbers:
    """Compare the last P&L with the 5 % quantile of the 20 sessions before it.

    Returns
    -------
    tuple of float
        P&L less quantile, below 0 = a large loss; and the quantile; US dollars. NaN alone with too few sessions.
    """
    if history.pnl_usd.size < NORM_SESSIONS + 1:
        return (np.nan,)
    quantile_usd = sorted_quantile(np.sort(history.pnl_usd[-NORM_SESSIONS - 1 : -1]))
    return float(history.pnl_usd[-1]) - quantile_usd, quantile_usd


def _large_loss_reason(history: PnlHistory, numbers: Numbers) -> str:
    return (
        f"Large loss on {history.latest_session_date}: {usd(history.pnl_usd[-1])}, worse than the 5% quantile "
        f"of the {NORM_SESSIONS} days before ({usd(numbers[1])})"
    )


def active_session_count(history: PnlHistory) -> Numbers:
    """Count the active sessions."""
    return (float(history.pnl_usd.size),)


def _limited_history_reason(history: PnlHistory, _: Numbers) -> str:
    return f"Limited history: {counted(history.pnl_usd.size, 'active day')}, {LIMITED_HISTORY_SESSIONS} required"


RULES = (
    Rule("drawdown", drawdown, operator.gt, 10.0, Decimal("0.60"), _drawdown_reason),
    Rule("loss streak", loss_streak, operator.ge, 5.0, Decimal("0.50"), _loss_streak_reason),
    Rule("drawdown", drawdown, operator.gt, 8.0, Decimal("0.40"), _drawdown_reason),
    Rule("loss streak", loss_streak, operator.ge, 3.0, Decimal("0.30"), _loss_streak_reason),
    Rule(
        "limited history",
        active_session_count,
        operator.lt,
        float(LIMITED_HISTORY_SESSIONS),
        Decimal("0.30"),
        _limited_history_reason,
    ),
    Rule("volatility spike", volatility, operator.gt, 2.0, Decimal("0.25"), _volatility_reason),
    Rule("large loss", large_loss, operator.lt, 0.0, Decimal("0.20"), _large_loss_reason),
)
"""Strongest first: the first rule that fires decides the cut, and reasons are listed in this order."""


def fired_rules(history: PnlHistory) -> list[FiredRule]:
    """List the rules that fire on an account's history, strongest first, each name once."""
    fired: dict[str, FiredRule] = {}
    for rule in RULES:
        numbers = rule.measure(history)
        if rule.name not in fired and rule.compare(numbers[0], rule.bound):
            fired[rule.name] = FiredRule(rule.name, rule.cut_ratio, rule.reason(history, numbers))
    return list(fired.values())


def rules_cut_ratio(history: PnlHistory) -> Decimal:
    """Return the cut of the strongest rule that fires, 0 where none does; stops at the first."""
    return next((rule.cut_ratio for rule in RULES if rule.compare(rule.measure(history)[0], rule.bound)), NO_CUT)


def rules_cut_ratios(panel: Panel, scale: FloatMatrix, first_row: int = 0) -> FloatMatrix:
    """Apply the rules after each past session.

    Parameters
    ----------
    panel
        Daily results.
    scale
        Typical daily P&L after each session, ``(n_sessions, n_accounts)``, US dollars.
    first_row
        Rows before it are left 0.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, 0.40 = 40 %; 0 before an account's first session.
    """
    latest = panel.latest_active()
    ratios = np.zeros_like(panel.total_pnl_usd)
    for account in range(len(panel.account_ids)):
        pnl = panel.total_pnl_usd[:, account]
        active = np.flatnonzero(np.isfinite(pnl))
        results = pnl[active]
        cut_of_row: dict[int, float] = {-1: 0.0}
        for row in np.unique(latest[first_row:, account]).tolist():
            if row >= 0:
                past = results[: bisect_right(active, row)]
                history = PnlHistory(past, float(scale[row, account]), panel.session_dates[row])
                cut_of_row[row] = float(rules_cut_ratio(history))
        ratios[first_row:, account] = [cut_of_row[row] for row in latest[first_row:, account].tolist()]
    return ratios
