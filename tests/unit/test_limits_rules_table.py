"""Every row of the rules at, below and above its bound."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from risk.core.calendar import sessions_between
from risk.core.policy import MEASURE_TERMS
from risk.core.policy_document import default_policy
from risk.limits.rules import (
    MEASURES,
    Measurement,
    PnlHistory,
    RuleSet,
    active_sessions,
    drawdown,
    fired_rules,
    large_loss,
    loss_streak,
    rules_cut_ratio,
    rules_cut_ratios,
    volatility,
)
from risk.model.panel import Panel
from tests.policies import ANY_LOSS_TERMS, account_policy

LATEST = dt.date(2025, 8, 15)


def _history(pnl_usd: list[float], scale_usd: float = 1000.0) -> PnlHistory:
    return PnlHistory(np.array(pnl_usd), scale_usd, LATEST)


OWN = account_policy()


def _fired(history: PnlHistory) -> dict[str, Decimal]:
    return {one.rule.measure: one.rule.cut for one in fired_rules(history, OWN)}


CALM = [100.0, -100.0] * 15
"""Thirty sessions that fire nothing: streak 1, no drawdown to speak of, even spread."""


def test_a_calm_history_fires_no_rule() -> None:
    assert fired_rules(_history(CALM), OWN) == []
    assert rules_cut_ratio(_history(CALM), RuleSet(OWN)) == 0


@pytest.mark.parametrize(
    ("losses", "cut"),
    [(2, None), (3, "0.30"), (4, "0.30"), (5, "0.50"), (6, "0.50"), (19, "0.50")],
)
def test_a_loss_streak_cuts_from_three_and_more_from_five_sessions(losses: int, cut: str | None) -> None:
    # given small equal losses after a gain
    history = _history([*CALM, 100.0, *[-10.0] * losses])
    assert _fired(history).get("loss streak") == (None if cut is None else Decimal(cut))


def test_a_session_of_exactly_zero_ends_a_loss_streak() -> None:
    assert loss_streak(_history([-1.0, -1.0, 0.0, -1.0]), 0).value == 1.0
    assert loss_streak(_history([-1.0, -1.0, 0.0]), 0).value == 0.0


@pytest.mark.parametrize(
    ("fall_scales", "cut"),
    [(7.5, None), (8.0, None), (8.5, "0.40"), (10.0, "0.40"), (10.5, "0.60")],
)
def test_a_drawdown_cuts_above_eight_and_more_above_ten_own_scales(fall_scales: float, cut: str | None) -> None:
    # given a peak of 2,000 and then one fall, in scales of 1,000
    history = _history([*[0.0] * 10, 2000.0, -1000.0 * fall_scales])
    assert drawdown(history, 20).value == fall_scales
    assert _fired(history).get("drawdown") == (None if cut is None else Decimal(cut))


def test_the_peak_of_a_drawdown_starts_at_zero() -> None:
    # 9,000 lost from the first session on: the fall is from 0, not from -4,000
    assert drawdown(_history([-4000.0, -5000.0]), 20).value == 9.0


def test_a_drawdown_looks_back_twenty_sessions() -> None:
    # the 21st session back gained 50,000 and is out of the window; inside it nothing fell
    assert drawdown(_history([50000.0, -30000.0, *[1.0] * 20]), 20).value == 0.0
    assert drawdown(_history([50000.0, -30000.0, *[1.0] * 19]), 20).value == 30.0 - 0.019


def test_a_scale_of_zero_has_no_drawdown() -> None:
    assert "drawdown" not in _fired(_history([0.0] * 30, 0.0))


@pytest.mark.parametrize(("width", "fires"), [(1.99, False), (2.0, False), (2.01, True)])
def test_volatility_spikes_above_twice_the_fifteen_sessions_before(width: float, fires: bool) -> None:
    # 15 before: seven 1, seven -1, one 0: variance 14 / 14 = 1. Last 5: w, -w, w, -w, 0: variance 4 w^2 / 4 = w^2.
    history = _history([*[1.0, -1.0] * 7, 0.0, width, -width, width, -width, 0.0])
    assert volatility(history, 5).value == pytest.approx(width)
    assert ("volatility" in _fired(history)) is fires


def test_volatility_spikes_from_nothing_and_never_without_any() -> None:
    assert "volatility" in _fired(_history([*[5.0] * 15, 1.0, -1.0, 1.0, -1.0, 1.0]))
    assert "volatility" not in _fired(_history([5.0] * 20))


def test_volatility_is_not_judged_on_fewer_than_twenty_sessions() -> None:
    assert np.isnan(volatility(_history([1.0, -1.0] * 7 + [9.0, -9.0, 9.0, -9.0, 0.0]), 5).value)


@pytest.mark.parametrize(("last", "fires"), [(-899.0, False), (-900.0, False), (-901.0, True)])
def test_a_large_loss_lies_below_the_quantile_of_the_twenty_sessions_before(last: float, fires: bool) -> None:
    # 20 before, ascending -900, -900, then eighteen at 100: position 19 x 0.05 = 0.95 lies between -900 and -900
    history = _history([-900.0, -900.0, *[100.0] * 18, last])
    assert ("large loss" in _fired(history)) is fires


def test_a_large_loss_needs_twenty_sessions_before_it() -> None:
    # 20 in all: the last has only 19 before it
    assert "large loss" not in _fired(_history([*[100.0] * 19, -99999.0]))
    assert "large loss" in _fired(_history([*[100.0] * 20, -99999.0]))


@pytest.mark.parametrize(("count", "fires"), [(0, True), (19, True), (20, False), (21, False)])
def test_history_is_limited_below_twenty_sessions(count: int, fires: bool) -> None:
    assert ("active sessions" in _fired(_history(([1.0, -1.0] * 11)[:count]))) is fires


@pytest.mark.parametrize(("absent", "cut"), [(44, 0.0), (45, 0.30)])
def test_history_of_who_returns_after_45_sessions_is_limited_again(absent: int, cut: float) -> None:
    # given 30 calm sessions, an absence and five more
    pnl = np.concatenate([CALM, np.full(absent, np.nan), CALM[:5]])[:, None]
    days = sessions_between(dt.date(2025, 1, 2), LATEST)[: len(pnl)]
    panel = Panel.of(days, ("NET001",), pnl)

    # when
    cuts = rules_cut_ratios(panel, np.full_like(pnl, 1000.0), terms=ANY_LOSS_TERMS)[:, 0]

    # then before it he has been known since his twentieth session
    assert cuts[[18, 19, 29]].tolist() == [0.30, 0.0, 0.0]
    assert cuts[-5:].tolist() == [cut] * 5
    assert panel.active_counts()[-1, 0] == (5 if absent == 45 else 35)


def test_reason_of_a_limited_history_names_the_absence() -> None:
    [fired] = fired_rules(PnlHistory(np.array(CALM), 1000.0, LATEST, 27), OWN)
    assert fired.reason == "Limited history: 3 active days after an absence of 45 days or more, 20 required"


def test_the_largest_cut_wins_and_all_reasons_are_listed_strongest_first() -> None:
    # given after a calm month 6 losing sessions, the last of them of 12,345, with a scale of 1,000
    history = _history([*CALM, *[-200.0] * 5, -12345.0])

    # when
    fired = fired_rules(history, OWN)

    # then drawdown 60 %, streak 50 %, spike 25 %, large loss 20 %
    assert [one.rule.cut for one in fired] == [Decimal(text) for text in ("0.60", "0.50", "0.25", "0.20")]
    assert rules_cut_ratio(history, RuleSet(OWN)) == Decimal("0.60")


def test_reasons_carry_the_numbers() -> None:
    # given, as above, 7 losses in a row as the calm ends with one. The window of 20 holds 14 sessions of +-100
    # (sum 0, first +100), 5 of -200 and one of -12,345;
    # its peak is 100, its end -13,345: a fall of 13,445. The last 5: mean (4 x -200 - 12,345) / 5 = -2,629, their
    # deviations 4 x 2,429^2 + 9,716^2 = 118,000,820 over 4, root 5,431. The 15 before: 14 of +-100 and one -200:
    # mean -13.33, squares 14 x 10,000 + 40,000 - 15 x 177.78 = 177,333 over 14, root 113.
    fired = fired_rules(_history([*CALM, *[-200.0] * 5, -12345.0]), OWN)

    # then each reason names its rule and has these numbers
    assert [one.rule.measure for one in fired] == ["drawdown", "loss streak", "volatility", "large loss"]
    expected = [
        ("$13,445", "20-day", "13.4x", "$1,000"),
        ("7",),
        ("$5,431", "$113"),
        ("2025-08-15", "-$12,345", "-$200"),
    ]
    for one, numbers in zip(fired, expected, strict=True):
        assert all(number in one.reason for number in numbers), one.reason


@pytest.mark.parametrize(("count", "words"), [(12, "12 active days"), (1, "1 active day,")])
def test_a_limited_history_says_how_long_it_is(count: int, words: str) -> None:
    (fired,) = fired_rules(_history([1.0] * count), OWN)
    assert words in fired.reason


def test_every_measure_has_its_function_and_its_terms() -> None:
    assert MEASURES.keys() == MEASURE_TERMS.keys()


@pytest.mark.parametrize(
    ("losses", "base_limit_usd", "fires"),
    [
        # Typical daily P&L 1,000: half of it is 500. 5% of a base limit of 5,000 is 250, of 20,000 it is 1,000.
        ([-200.0, -200.0, -99.0], 5000, False),
        ([-200.0, -200.0, -100.0], 5000, True),
        ([-200.0, -200.0, -100.0], 20000, False),
        ([-400.0, -400.0, -200.0], 20000, True),
        ([-400.0, -400.0, -199.0], 20000, False),
    ],
)
def test_a_rule_fires_only_if_its_loss_matters_to_the_trader_and_to_his_limit(
    losses: list[float], base_limit_usd: int, fires: bool
) -> None:
    # given three losing days that sum to the loss the streak is about
    history = _history([*CALM, 100.0, *losses])

    # when the shipped policy decides
    fired = fired_rules(history, account_policy(default_policy(), base_limit_usd))

    # then the streak fires if the sum is at least both bounds
    assert ("loss streak" in [one.rule.measure for one in fired]) is fires


@pytest.mark.parametrize(
    ("measure", "window", "pnl", "loss_usd"),
    [
        (drawdown, 20, [300.0, -200.0, -50.0], 250.0),
        (loss_streak, 0, [-9.0, 5.0, -1.0, -2.0], 3.0),
        (volatility, 5, [*[1.0, -1.0] * 8, 2.0, -70.0, 3.0, 4.0], 70.0),
        (volatility, 5, [*[1.0] * 15, 2.0, 7.0, 3.0, 4.0, 9.0], 0.0),
        (large_loss, 2, [1.0, 2.0, -40.0], 40.0),
        (active_sessions, 0, [-40.0], None),
    ],
)
def test_a_measure_names_the_loss_it_is_about(
    measure: Callable[[PnlHistory, int], Measurement], window: int, pnl: list[float], loss_usd: float | None
) -> None:
    assert measure(_history(pnl), window).loss_usd == loss_usd
