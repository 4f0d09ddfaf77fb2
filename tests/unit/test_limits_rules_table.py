"""Every row of the rules at, below and above its bound."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import numpy as np
import pytest

from risk.core.settings import MAXIMUM_CUT_RATIO
from risk.limits.rules import (
    RULES,
    PnlHistory,
    drawdown,
    fired_rules,
    loss_streak,
    rules_cut_ratio,
    volatility,
)

LATEST = dt.date(2025, 8, 15)


def _history(pnl_usd: list[float], scale_usd: float = 1000.0) -> PnlHistory:
    return PnlHistory(np.array(pnl_usd), scale_usd, LATEST)


def _fired(history: PnlHistory) -> dict[str, Decimal]:
    return {rule.name: rule.cut_ratio for rule in fired_rules(history)}


CALM = [100.0, -100.0] * 15
"""Thirty sessions that fire nothing: streak 1, no drawdown to speak of, even spread."""


def test_a_calm_history_fires_no_rule() -> None:
    assert fired_rules(_history(CALM)) == []
    assert rules_cut_ratio(_history(CALM)) == 0


@pytest.mark.parametrize(
    ("losses", "cut"),
    [(2, None), (3, "0.30"), (4, "0.30"), (5, "0.50"), (6, "0.50"), (19, "0.50")],
)
def test_a_loss_streak_cuts_from_three_and_more_from_five_sessions(losses: int, cut: str | None) -> None:
    # given small equal losses after a gain
    history = _history([*CALM, 100.0, *[-10.0] * losses])
    assert _fired(history).get("loss streak") == (None if cut is None else Decimal(cut))


def test_a_session_of_exactly_zero_ends_a_loss_streak() -> None:
    assert loss_streak(_history([-1.0, -1.0, 0.0, -1.0])) == (1.0,)
    assert loss_streak(_history([-1.0, -1.0, 0.0])) == (0.0,)


@pytest.mark.parametrize(
    ("fall_scales", "cut"),
    [(7.5, None), (8.0, None), (8.5, "0.40"), (10.0, "0.40"), (10.5, "0.60")],
)
def test_a_drawdown_cuts_above_eight_and_more_above_ten_own_scales(fall_scales: float, cut: str | None) -> None:
    # given a peak of 2,000 and then one fall, in scales of 1,000
    history = _history([*[0.0] * 10, 2000.0, -1000.0 * fall_scales])
    assert drawdown(history)[0] == fall_scales
    assert _fired(history).get("drawdown") == (None if cut is None else Decimal(cut))


def test_the_peak_of_a_drawdown_starts_at_zero() -> None:
    # 9,000 lost from the first session on: the fall is from 0, not from -4,000
    assert drawdown(_history([-4000.0, -5000.0]))[0] == 9.0


def test_a_drawdown_looks_back_twenty_sessions() -> None:
    # the 21st session back gained 50,000 and is out of the window; inside it nothing fell
    assert drawdown(_history([50000.0, -30000.0, *[1.0] * 20]))[0] == 0.0
    assert drawdown(_history([50000.0, -30000.0, *[1.0] * 19]))[0] == 30.0 - 0.019


def test_a_scale_of_zero_has_no_drawdown() -> None:
    assert "drawdown" not in _fired(_history([0.0] * 30, 0.0))


@pytest.mark.parametrize(("width", "fires"), [(1.99, False), (2.0, False), (2.01, True)])
def test_volatility_spikes_above_twice_the_fifteen_sessions_before(width: float, fires: bool) -> None:
    # 15 before: seven 1, seven -1, one 0: variance 14 / 14 = 1. Last 5: w, -w, w, -w, 0: variance 4 w^2 / 4 = w^2.
    history = _history([*[1.0, -1.0] * 7, 0.0, width, -width, width, -width, 0.0])
    assert volatility(history)[0] == pytest.approx(width)
    assert ("volatility spike" in _fired(history)) is fires


def test_volatility_spikes_from_nothing_and_never_without_any() -> None:
    assert "volatility spike" in _fired(_history([*[5.0] * 15, 1.0, -1.0, 1.0, -1.0, 1.0]))
    assert "volatility spike" not in _fired(_history([5.0] * 20))


def test_volatility_is_not_judged_on_fewer_than_twenty_sessions() -> None:
    assert np.isnan(volatility(_history([1.0, -1.0] * 7 + [9.0, -9.0, 9.0, -9.0, 0.0]))[0])


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
    assert ("limited history" in _fired(_history(([1.0, -1.0] * 11)[:count]))) is fires


def test_the_largest_cut_wins_and_all_reasons_are_listed_strongest_first() -> None:
    # given after a calm month 6 losing sessions, the last of them of 12,345, with a scale of 1,000
    history = _history([*CALM, *[-200.0] * 5, -12345.0])

    # when
    fired = fired_rules(history)

    # then drawdown 60 %, streak 50 %, spike 25 %, large loss 20 %
    assert [rule.cut_ratio for rule in fired] == [Decimal(text) for text in ("0.60", "0.50", "0.25", "0.20")]
    assert rules_cut_ratio(history) == Decimal("0.60")


def test_reasons_carry_the_numbers() -> None:
    # given, as above, 7 losses in a row as the calm ends with one. The window of 20 holds 14 sessions of +-100
    # (sum 0, first +100), 5 of -200 and one of -12,345;
    # its peak is 100, its end -13,345: a fall of 13,445. The last 5: mean (4 x -200 - 12,345) / 5 = -2,629, their
    # deviations 4 x 2,429^2 + 9,716^2 = 118,000,820 over 4, root 5,431. The 15 before: 14 of +-100 and one -200:
    # mean -13.33, squares 14 x 10,000 + 40,000 - 15 x 177.78 = 177,333 over 14, root 113.
    fired = fired_rules(_history([*CALM, *[-200.0] * 5, -12345.0]))

    # then each reason names its rule and has these numbers
    assert [rule.name for rule in fired] == ["drawdown", "loss streak", "volatility spike", "large loss"]
    expected = [
        ("$13,445", "20-day", "13.4x", "$1,000"),
        ("7",),
        ("$5,431", "$113"),
        ("2025-08-15", "-$12,345", "-$200"),
    ]
    for rule, numbers in zip(fired, expected, strict=True):
        assert all(number in rule.reason for number in numbers), rule.reason


@pytest.mark.parametrize(("count", "words"), [(12, "12 active days"), (1, "1 active day,")])
def test_a_limited_history_says_how_long_it_is(count: int, words: str) -> None:
    (fired,) = fired_rules(_history([1.0] * count))
    assert words in fired.reason


def test_no_cut_exceeds_eighty_percent() -> None:
    assert max(rule.cut_ratio for rule in RULES) <= MAXIMUM_CUT_RATIO == Decimal("0.80")


def test_rows_of_a_rule_are_listed_strongest_first_so_that_each_is_reachable() -> None:
    for earlier, later in itertools.pairwise(RULES):
        assert earlier.cut_ratio >= later.cut_ratio
