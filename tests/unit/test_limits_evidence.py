"""Evidence for each rule: counted by hand, against the rules themselves, and on desks whose answer is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bench.forecast import panel_of_truth
from risk.limits.evidence import RuleEvidence, desk_evidence, large_losses, rule_evidence, rule_firings
from risk.limits.policy import default_terms
from risk.limits.rules import rules_cut_ratios
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale
from simulation.law import stream
from simulation.truth import draw

TERMS = default_terms()


def panel_of(results: FloatMatrix) -> Panel:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(len(results))]
    return Panel.of(days, [f"A{number}" for number in range(results.shape[1])], results)


def test_large_loss_is_beyond_one_and_a_half_typical_days_as_the_morning_knew_them() -> None:
    # given typical days of 100, 100, 200
    nan = np.nan
    panel = panel_of(np.array([[100.0, nan], [-150.0, 5.0], [-150.01, 5.0], [-299.0, nan]]))
    scale = np.array([[100.0, nan], [100.0, nan], [200.0, 0.0], [1.0, 1.0]])

    # when
    is_known, is_large = large_losses(panel, scale)

    # then -150 is not beyond 150, -150.01 is, -299 is not beyond 300; without a scale above 0 nothing is known
    assert is_large.tolist() == [[False, False], [True, False], [False, False]]
    assert is_known.tolist() == [[True, False], [True, False], [True, False]]


def test_counts_compare_days_after_the_rule_fired_with_the_others() -> None:
    # given 100 sessions of one account, fired before every second one; one large loss in 5 after it, 1 in 25 otherwise
    fired = (np.arange(100) % 2 == 0)[:, None]
    large = (np.arange(100) % 10 == 0)[:, None] | (np.arange(100) % 50 == 1)[:, None]
    known = np.ones((100, 1), np.bool_)

    # when
    found = rule_evidence("streak", fired, known, large)

    # then
    assert (found.firing_count, found.firing_loss_count) == (50, 10)
    assert (found.other_count, found.other_loss_count) == (50, 2)
    assert found.difference_low_ratio is not None
    assert found.difference_low_ratio < 0.16
    assert "20.0% of 50 days after it, 4.0% of 50 others" in found.sentence


@pytest.mark.parametrize(("firings", "verdict"), [(29, "too few"), (30, "open")])
def test_thirty_firings_are_required(firings: int, verdict: str) -> None:
    fired = (np.arange(100) < firings)[:, None]
    large = (np.arange(100) % 10 == 0)[:, None]
    assert rule_evidence("streak", fired, np.ones((100, 1), np.bool_), large).verdict == verdict


def test_rule_that_always_fires_has_nothing_to_compare_with() -> None:
    everything = np.ones((100, 1), np.bool_)
    assert rule_evidence("streak", everything, everything, everything).verdict == "too few"


@pytest.mark.parametrize(
    ("low", "high", "verdict", "words"),
    [
        (0.01, 0.05, "supports", "followed more often"),
        (-0.05, -0.01, "contradicts", "followed less often"),
        (-0.01, 0.01, "open", "not shown"),
        (-0.05, 0.0, "open", "not shown"),
    ],
)
def test_rule_is_contradicted_only_by_an_interval_below_zero(low: float, high: float, verdict: str, words: str) -> None:
    found = RuleEvidence("streak", 100, 5, 1000, 40, low, high)
    assert found.verdict == verdict
    assert words in found.sentence


def test_firings_are_those_that_the_rules_cut_by() -> None:
    # given a simulated desk
    panel = panel_of_truth(draw("strong", 6, 90, 4))
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)

    # when the largest cut of the rules that fire is taken
    firings = rule_firings(panel, scale, TERMS)
    cuts = {rule.name: float(rule.cut) for rule in TERMS.document.desk.rules}
    largest = np.max([firings[name] * cut for name, cut in cuts.items()], axis=0)

    # then it is the rules' cut
    assert np.array_equal(largest, rules_cut_ratios(panel, scale, terms=TERMS))


def test_evidence_says_what_is_true() -> None:
    # given 300 sessions of eight accounts whose days after a losing one are three times as wild, or a third as wild
    for factor, verdict in ((3.0, "supports"), (1 / 3, "contradicts")):
        noise = stream(5, 1).standard_normal((300, 8))
        results = noise.copy()
        for row in range(3, 300):
            after_losses = (results[row - 3 : row] < 0.0).all(axis=0)
            results[row] = noise[row] * np.where(after_losses, factor, 1.0)
        # in dollars that matter for the smallest loss of the policy
        found = {one.rule_name: one for one in desk_evidence(panel_of(results * 1000.0), TERMS)}

        # then the rule of losing streaks has it
        assert found["losing streak"].verdict == verdict
