"""What must hold for the rules and cuts of any history."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.limits.policy import model_cut_ratio, new_limit_usd
from risk.limits.rules import PnlHistory, RuleSet, fired_rules, rules_cut_ratio
from tests.policies import account_policy

OWN = account_policy()
AMOUNTS = st.floats(-1e9, 1e9, allow_nan=False)
POSITIVE = st.decimals("0.0001", "1e9", allow_nan=False, allow_infinity=False)


@given(pnl=st.lists(AMOUNTS, max_size=60), scale=st.just(0.0) | st.floats(1e-9, 1e9))
def test_rules_answer_for_every_history(pnl: list[float], scale: float) -> None:
    history = PnlHistory(np.array(pnl), scale, dt.date(2025, 8, 15))
    fired = fired_rules(history, OWN)
    assert rules_cut_ratio(history, RuleSet(OWN)) == max((one.rule.cut for one in fired), default=0) <= Decimal("0.80")
    assert len({one.rule.measure for one in fired}) == len(fired)
    assert [one.rule.cut for one in fired] == sorted((one.rule.cut for one in fired), reverse=True)
    assert all("nan" not in one.reason and "inf" not in one.reason for one in fired)


@given(pnl=st.lists(AMOUNTS, min_size=30, max_size=60), older=st.lists(AMOUNTS, max_size=30))
def test_rules_look_back_twenty_one_sessions_or_a_streak(pnl: list[float], older: list[float]) -> None:
    # given a gain in the last 21, which ends every streak
    pnl[-21] = 1.0
    same = [
        rules_cut_ratio(PnlHistory(np.array(values), 1000.0, dt.date(2025, 8, 15)), RuleSet(OWN))
        for values in (pnl, older + pnl)
    ]
    assert same[0] == same[1]


@given(quantile=POSITIVE, median=POSITIVE)
def test_the_model_cut_is_the_largest_whole_step_not_above_the_exact_one(quantile: Decimal, median: Decimal) -> None:
    cut = model_cut_ratio(-quantile, median, OWN.policy)
    exact = min(max(1 - Fraction(median) / Fraction(quantile), Fraction(0)), Fraction(4, 5))
    assert Fraction(cut) <= exact < Fraction(cut) + Fraction(1, 20)
    assert cut % Decimal("0.05") == 0


@given(quantile=POSITIVE, larger=POSITIVE, median=POSITIVE)
def test_a_wider_tail_never_lowers_the_cut(quantile: Decimal, larger: Decimal, median: Decimal) -> None:
    assert model_cut_ratio(-(quantile + larger), median, OWN.policy) >= model_cut_ratio(-quantile, median, OWN.policy)


@given(base=st.decimals("0.01", "9999999", places=2), steps=st.integers(0, 16))
def test_a_new_limit_is_whole_cents_and_never_above_the_exact_one(base: Decimal, steps: int) -> None:
    cut = steps * Decimal("0.05")
    limit = new_limit_usd(base, cut)
    exact = Fraction(base) * (1 - Fraction(cut))
    assert exact - Fraction(1, 100) < Fraction(limit) <= exact
