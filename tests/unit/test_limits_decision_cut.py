"""From a quantile to a cut, a level, a limit and the reasons, in exact decimals."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from risk.core.policy_document import parse_policy
from risk.limits.decide import ActiveAccount, GateDecision, RunInputs, recommendation
from risk.limits.policy import DeskTerms, forecast_level, model_cut_ratio, new_limit_usd, status
from risk.limits.rules import PnlHistory
from risk.model.mixture import ResidualShape
from tests.policies import ANY_LOSS, ANY_LOSS_TERMS, policy_document, policy_text

SESSION = dt.date(2025, 8, 15)
ACCOUNT = ActiveAccount(
    account_id="NET001",
    latest_session_date=SESSION,
    sessions_absent=0,
    active_session_count=30,
    newest_session_date=SESSION,
    incomplete_reason=None,
    delivery_state="delivered",
    quantile_05_usd=Decimal("-2000"),
    issued_losses_usd=(Decimal("1200"),) * 20,
    last_cut_ratio=None,
    last_level=None,
    last_session_date=None,
)
CALM = PnlHistory(np.array([100.0, -100.0] * 15), 1000.0, SESSION)
THREE_LOSSES = PnlHistory(np.array([100.0, -100.0] * 15 + [100.0, -1.0, -1.0, -1.0]), 1000.0, SESSION)

LOSSES_OF_HUNDREDS = PnlHistory(np.array([100.0, -100.0] * 15 + [100.0, -200.0, -200.0, -200.0]), 1000.0, SESSION)


@pytest.mark.parametrize(
    ("quantile", "median", "cut"),
    [
        ("-1000", "1000", "0.00"),  # 1 - 1
        ("-900", "1000", "0.00"),  # quieter than usual: 1 - 1.11 is below 0
        ("-1250", "1000", "0.20"),  # a tail of 1.25 times the usual: 1 - 0.8
        ("-1249.99", "1000", "0.15"),  # 0.19999 is rounded down
        ("-5000", "3000", "0.40"),  # 1 - 0.6
        ("-5000", "1000", "0.80"),  # 1 - 0.2 exactly: binary floating point would give 75 %
        ("-10", "2", "0.80"),
        ("-1000000", "1", "0.80"),  # never more
        ("-3", "1", "0.65"),  # 0.666...
    ],
)
def test_the_cut_follows_from_the_tail_against_the_usual_one(quantile: str, median: str, cut: str) -> None:
    assert model_cut_ratio(Decimal(quantile), Decimal(median), ANY_LOSS.desk) == Decimal(cut)


@pytest.mark.parametrize(
    ("unusual", "name"),
    [("0.80", "high"), ("0.40", "high"), ("0.3999", "moderate"), ("0.20", "moderate"), ("0.1999", "low"), ("0", "low")],
)
def test_a_forecast_is_named_by_the_share_of_its_loss_that_is_unusual(unusual: str, name: str) -> None:
    # A usual loss of 1,000 x (1 - unusual) against a forecast of 1,000.
    assert forecast_level(Decimal(-1000), 1000 * (1 - Decimal(unusual)), ANY_LOSS.desk.levels) == name


UNPROVEN = GateDecision(
    7, serving="rules", reasons=("52 sessions with a scored forecast, 60 are needed.",), content_sha256="c0ffee"
)
PROVEN = GateDecision(7, serving="model", reasons=("It has beaten the rules.",), content_sha256="c0ffee1234567890")
SHAPE = ResidualShape(np.arange(-100, 101) / 100, is_pooled=True)


def test_the_new_limit_is_exact_and_drops_fractions_of_a_cent() -> None:
    assert new_limit_usd(Decimal("5000.00"), Decimal("0.40")) == Decimal("3000.00")
    # 33.33 x 0.85 = 28.3305
    assert new_limit_usd(Decimal("33.33"), Decimal("0.15")) == Decimal("28.33")
    # 0.99 x 0.45 = 0.4455: never rounded up
    assert new_limit_usd(Decimal("0.99"), Decimal("0.55")) == Decimal("0.44")


@pytest.mark.parametrize(
    ("absent", "count", "name"),
    [
        (4, 20, "active"),
        (5, 20, "stale"),
        (4, 19, "limited history"),
        (5, 19, "stale"),
        (0, 0, "limited history"),
    ],
)
def test_status_is_stale_from_five_sessions_and_limited_below_twenty(absent: int, count: int, name: str) -> None:
    assert status(absent, count, ANY_LOSS.desk.accounts) == name


def test_rules_serve_and_the_forecast_stands_beside_while_it_is_not_proven() -> None:
    # when
    decided = recommendation(ACCOUNT, THREE_LOSSES, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))

    # then the rules' 30 % count, not the model's 1 - 1200 / 2000 = 40 %
    assert (decided["cut_ratio"], decided["rules_cut_ratio"]) == (Decimal("0.30"), Decimal("0.30"))
    assert decided["model_cut_ratio"] == Decimal("0.40")
    assert (decided["source"], decided["source_version"]) == ("rules", "policy version any loss")
    assert decided["source_reason"] == "52 sessions with a scored forecast, 60 are needed."
    assert decided["new_limit_usd"] == Decimal("3500.00")
    (streak,) = decided["reasons"]
    assert streak.startswith("3 ")


def test_the_model_serves_where_the_gate_lets_it() -> None:
    # when
    decided = recommendation(ACCOUNT, THREE_LOSSES, RunInputs(SESSION, PROVEN, SHAPE, ANY_LOSS_TERMS))

    # then 1 - 1200 / 2000 = 40 %, and the reasons of the rules are still listed
    assert (decided["cut_ratio"], decided["rules_cut_ratio"]) == (Decimal("0.40"), Decimal("0.30"))
    assert (decided["source"], decided["source_version"]) == ("model", "c0ffee123456")
    assert decided["source_reason"] == "It has beaten the rules."
    forecast, streak = decided["reasons"]
    assert all(number in forecast for number in ("$2,000", "$1,200", "1.7x"))
    assert streak.startswith("3 ")


def test_rules_serve_an_account_of_which_the_model_knows_too_little() -> None:
    short = dataclasses.replace(ACCOUNT, issued_losses_usd=(Decimal(1200),) * 19)
    decided = recommendation(short, THREE_LOSSES, RunInputs(SESSION, PROVEN, SHAPE, ANY_LOSS_TERMS))
    assert (decided["source"], decided["cut_ratio"]) == ("rules", Decimal("0.30"))
    assert "19" in decided["source_reason"]


def test_a_serving_model_does_not_lower_a_cut_while_fills_are_withheld() -> None:
    account = dataclasses.replace(
        ACCOUNT,
        delivery_state="missing",
        last_cut_ratio=Decimal("0.55"),
        last_level="high",
        last_session_date=dt.date(2025, 8, 14),
    )
    decided = recommendation(account, CALM, RunInputs(SESSION, PROVEN, SHAPE, ANY_LOSS_TERMS))
    assert (decided["cut_ratio"], decided["source"]) == (Decimal("0.55"), "model")


def test_the_fan_spreads_the_shape_by_the_forecast() -> None:
    # residuals -1.00, -0.99 ... 1.00: the quantile at p lies at 2 p - 1, in units of the forecast loss of $2,000
    decided = recommendation(ACCOUNT, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    fan = [Decimal(str(amount)) for amount in ("-1960.00", "-1800.00", "-1600.00", "-1000.00", "0.00", "1000.00")]
    assert decided["forecast_fan_usd"] == [*fan, Decimal("1800.00")]
    # eleven residuals from -1.00 to -0.90 lie at or below the 5 % quantile, -0.95 in the mean
    assert decided["expected_shortfall_usd"] == Decimal("1900.00")
    # none reaches the limit of $5,000: (0 + 0.5) / 202
    assert decided["loss_probability"] == Decimal("0.00248")


def test_there_is_no_model_cut_before_twenty_forecasts_or_without_one() -> None:
    short = dataclasses.replace(ACCOUNT, issued_losses_usd=(Decimal(1200),) * 19)
    silent = dataclasses.replace(ACCOUNT, quantile_05_usd=None)
    assert recommendation(short, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))["model_cut_ratio"] is None
    assert recommendation(silent, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))["model_cut_ratio"] is None


def test_a_recommendation_is_the_same_whatever_the_last_bits_of_the_forecast() -> None:
    one, other = (
        dataclasses.replace(ACCOUNT, quantile_05_usd=Decimal(digits))
        for digits in ("-1987.327673378096", "-1987.3276733780976")  # by two kernels of OpenBLAS, seen
    )
    decided = recommendation(one, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    assert decided == recommendation(other, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    assert decided["forecast_quantile_05_usd"] == Decimal("-1987.33")


def test_incomplete_books_are_the_reason_of_the_source() -> None:
    account = dataclasses.replace(ACCOUNT, incomplete_reason="No mark for XYZ: load marks.")
    decided = recommendation(account, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    assert decided["source"] == "rules"
    (reason,) = decided["reasons"]
    for sentence in (decided["source_reason"], reason):
        assert "2025-08-15" in sentence
        assert "incomplete" in sentence
    assert decided["source_reason"].endswith("No mark for XYZ: load marks.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("not posted", "not posted yet"),
        ("missing", "missing"),
        ("feed broken", "missing for all accounts"),
        ("rejected", "all rejected"),
    ],
)
def test_a_cut_is_not_lowered_while_fills_are_withheld(state: str, words: str) -> None:
    # given 50 % after the session before, and rules that find 30 % in the data there is
    account = dataclasses.replace(
        ACCOUNT,
        delivery_state=state,
        latest_session_date=dt.date(2025, 8, 13),
        last_cut_ratio=Decimal("0.50"),
        last_level="high",
        last_session_date=dt.date(2025, 8, 14),
    )

    # when
    decided = recommendation(account, THREE_LOSSES, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))

    # then
    assert (decided["cut_ratio"], decided["rules_cut_ratio"]) == (Decimal("0.50"), Decimal("0.30"))
    assert decided["level"] == "high"
    kept, streak = decided["reasons"]
    assert all(word in kept for word in ("2025-08-15", words, "50%", "2025-08-14", "kept"))
    assert streak.startswith("3 ")


@pytest.mark.parametrize("last_cut", [None, Decimal("0.10"), Decimal("0.30")])
def test_withheld_fills_are_named_where_the_last_cut_was_no_higher(last_cut: Decimal | None) -> None:
    account = dataclasses.replace(
        ACCOUNT,
        delivery_state="not posted",
        latest_session_date=dt.date(2025, 8, 13),
        last_cut_ratio=last_cut,
        last_session_date=dt.date(2025, 8, 14),
    )
    decided = recommendation(account, THREE_LOSSES, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    assert decided["cut_ratio"] == Decimal("0.30")
    streak, withheld = decided["reasons"]
    assert streak.startswith("3 ")
    assert all(word in withheld for word in ("2025-08-15", "not posted yet", "through 2025-08-13"))
    assert "kept" not in withheld


@pytest.mark.parametrize("state", ["delivered", "no trades", None])
def test_a_cut_falls_when_the_session_is_known(state: str | None) -> None:
    account = dataclasses.replace(
        ACCOUNT, delivery_state=state, last_cut_ratio=Decimal("0.60"), last_session_date=dt.date(2025, 8, 14)
    )
    decided = recommendation(account, CALM, RunInputs(SESSION, UNPROVEN, SHAPE, ANY_LOSS_TERMS))
    assert (decided["cut_ratio"], decided["reasons"]) == (Decimal("0.00"), [])


def test_cut_target_below_one_cuts_everybody_and_calls_nobody_moderate() -> None:
    # given a forecast loss equal to the usual one, and a policy that aims at 70 % of it
    usual = dataclasses.replace(ACCOUNT, quantile_05_usd=Decimal(-1200))
    terms = DeskTerms(policy_document(model__target="0.70"), "target", {}, {})

    # when
    decided = recommendation(usual, CALM, RunInputs(SESSION, PROVEN, SHAPE, terms))

    # then 1 - 0.7 is cut, and nothing is unusual
    assert (decided["cut_ratio"], decided["level"], decided["source"]) == (Decimal("0.30"), "low", "model")


def test_policy_can_leave_the_decision_to_the_rules_although_the_model_is_proven() -> None:
    terms = DeskTerms(policy_document(model__decides="false"), "rules only", {}, {})
    decided = recommendation(ACCOUNT, CALM, RunInputs(SESSION, PROVEN, SHAPE, terms))
    assert (decided["source"], decided["cut_ratio"], decided["model_cut_ratio"]) == ("rules", 0, Decimal("0.40"))
    assert "policy" in decided["source_reason"]


def test_rule_says_the_level_whatever_it_cuts() -> None:
    high = policy_text().replace("cut: 30%\n    level: moderate", "cut: 30%\n    level: high", 1)
    terms = DeskTerms(parse_policy(high, "test"), "level", {}, {})
    decided = recommendation(ACCOUNT, LOSSES_OF_HUNDREDS, RunInputs(SESSION, UNPROVEN, SHAPE, terms))
    assert (decided["cut_ratio"], decided["level"]) == (Decimal("0.30"), "high")
