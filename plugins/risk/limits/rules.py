"""The rules: a table of what on an account's recent sessions calls for which cut.

Always computed: they serve while no forecast is proven, and explain a cut in numbers a risk manager knows.
"""

from __future__ import annotations

import datetime as dt
import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import LIMITED_HISTORY_SESSIONS, MAXIMUM_CUT_RATIO
from risk.model.panel import sorted_quantile

RULES_VERSION = "rules-1"
"""Name of this table's content: change it with the table."""

DRAWDOWN_SESSIONS = 20
SPIKE_SESSIONS = 5
CALM_SESSIONS = 15
NORM_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class History:
    """What the rules look at.

    Attributes
    ----------
    pnl_usd
        Total P&L of the account's active sessions up to the run's, oldest first, ``(n_active,)``, gains positive.
    scale_usd
        The account's own scale ``s`` after the last of them, never negative; NaN without any.
    latest_session_date
        Session of the last of them; without any, the run's.
    """

    pnl_usd: NDArray[np.float64]
    scale_usd: float
    latest_session_date: dt.date


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: fires where ``compare(measure(history), bound)``; a measure of NaN never fires.

    Attributes
    ----------
    name
        Rows of one name are degrees of one rule: only the strongest of them that fires is named.
    measure
        Computes the number compared.
    compare, bound
        The condition.
    cut_ratio
        The cut it calls for.
    sentence
        Says what was found, with its numbers.
    """

    name: str
    measure: Callable[[History], float]
    compare: Callable[[float, float], bool]
    bound: float
    cut_ratio: Decimal
    sentence: Callable[[History], str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired."""

    name: str
    cut_ratio: Decimal
    sentence: str


def loss_streak(history: History) -> float:
    """Count the losing sessions in a row up to the last."""
    return float(sum(1 for _ in itertools.takewhile(lambda pnl: pnl < 0.0, reversed(history.pnl_usd))))


def drawdown_scales(history: History) -> float:
    """Measure the fall of cumulative P&L from its peak within the last 20 sessions in own scales; the peak starts at 0.

    NaN without a scale above 0.
    """
    return _drawdown_usd(history) / history.scale_usd if history.scale_usd > 0.0 else np.nan


def spread_ratio(history: History) -> float:
    """Divide the standard deviation of the last 5 sessions by that of the 15 before.

    Infinite where only the 15 before did not vary, NaN where neither did or there are fewer than 20 sessions.
    """
    recent, before = _spreads_usd(history)
    if before > 0.0:
        return recent / before
    return np.inf if recent > 0.0 else np.nan


def loss_beyond_norm_usd(history: History) -> float:
    """Subtract the 5 % quantile of the 20 sessions before from the last P&L: below 0 = a large loss, NaN = too few."""
    return float(history.pnl_usd[-1]) - _norm_quantile_usd(history) if history.pnl_usd.size else np.nan


def active_session_count(history: History) -> float:
    """Count the active sessions."""
    return float(history.pnl_usd.size)


def _drawdown_usd(history: History) -> float:
    cumulative = np.cumsum(history.pnl_usd[-DRAWDOWN_SESSIONS:])
    return float(max(cumulative.max(), 0.0) - cumulative[-1]) if cumulative.size else 0.0


def _spreads_usd(history: History) -> tuple[float, float]:
    if history.pnl_usd.size < SPIKE_SESSIONS + CALM_SESSIONS:
        return np.nan, np.nan
    before = history.pnl_usd[-SPIKE_SESSIONS - CALM_SESSIONS : -SPIKE_SESSIONS]
    return float(np.std(history.pnl_usd[-SPIKE_SESSIONS:], ddof=1)), float(np.std(before, ddof=1))


def _norm_quantile_usd(history: History) -> float:
    if history.pnl_usd.size < NORM_SESSIONS + 1:
        return np.nan
    return sorted_quantile(np.sort(history.pnl_usd[-NORM_SESSIONS - 1 : -1]))


def _streak_sentence(history: History) -> str:
    return f"{loss_streak(history):.0f} sessions of losses in a row"


def _drawdown_sentence(history: History) -> str:
    fall = f"{_drawdown_usd(history):,.0f} USD"
    return (
        f"Drawdown: {fall} below the peak of the last {min(history.pnl_usd.size, DRAWDOWN_SESSIONS)} sessions, "
        f"{drawdown_scales(history):.1f} times the usual daily result of {history.scale_usd:,.0f} USD"
    )


def _spike_sentence(history: History) -> str:
    recent, before = _spreads_usd(history)
    return (
        f"Volatility spike: standard deviation {recent:,.0f} USD in the last {SPIKE_SESSIONS} sessions "
        f"against {before:,.0f} USD in the {CALM_SESSIONS} before"
    )


def _large_loss_sentence(history: History) -> str:
    return (
        f"Large loss on {history.latest_session_date}: {history.pnl_usd[-1]:,.0f} USD "
        f"against a 5 % quantile of {_norm_quantile_usd(history):,.0f} USD in the {NORM_SESSIONS} sessions before"
    )


def _limited_sentence(history: History) -> str:
    count = history.pnl_usd.size
    return f"Limited history: {count} active session{'s' * (count != 1)}, fewer than {LIMITED_HISTORY_SESSIONS}"


RULES = (
    Rule("drawdown", drawdown_scales, operator.gt, 10.0, Decimal("0.60"), _drawdown_sentence),
    Rule("loss streak", loss_streak, operator.ge, 5.0, Decimal("0.50"), _streak_sentence),
    Rule("drawdown", drawdown_scales, operator.gt, 8.0, Decimal("0.40"), _drawdown_sentence),
    Rule("loss streak", loss_streak, operator.ge, 3.0, Decimal("0.30"), _streak_sentence),
    Rule(
        "limited history",
        active_session_count,
        operator.lt,
        float(LIMITED_HISTORY_SESSIONS),
        Decimal("0.30"),
        _limited_sentence,
    ),
    Rule("volatility spike", spread_ratio, operator.gt, 2.0, Decimal("0.25"), _spike_sentence),
    Rule("large loss", loss_beyond_norm_usd, operator.lt, 0.0, Decimal("0.20"), _large_loss_sentence),
)
"""Strongest first: the order in which reasons are listed, and in which the first that fires decides the cut."""


def hits(history: History) -> list[Hit]:
    """List the rules that fire on an account's history, strongest first, each once."""
    found: dict[str, Hit] = {}
    for rule in RULES:
        if rule.name not in found and rule.compare(rule.measure(history), rule.bound):
            found[rule.name] = Hit(rule.name, rule.cut_ratio, rule.sentence(history))
    return list(found.values())


def strongest_cut_ratio(history: History) -> Decimal:
    """Return what `cut_ratio` of `hits` would, without looking at weaker rules and without their sentences."""
    fired = (rule.cut_ratio for rule in RULES if rule.compare(rule.measure(history), rule.bound))
    return min(next(fired, Decimal("0.00")), MAXIMUM_CUT_RATIO)


def cut_ratio(found: Sequence[Hit]) -> Decimal:
    """Return the largest cut, at most 80 %; 0 where no rule fired."""
    return min(max((hit.cut_ratio for hit in found), default=Decimal("0.00")), MAXIMUM_CUT_RATIO)
