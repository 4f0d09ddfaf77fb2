"""What a decision means for later reports: limits are given back, decisions repeated, silence raises nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from risk.core.errors import RequestError
from risk.core.runs import Run
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import APPROVED, EDITED, read_proposals, read_required_approvals, superseded_by
from risk.limits.decisions import Decider, Decision, decide, recommended_cuts
from risk.limits.publish import PublishedLimits, publish
from tests.approval_desks import (
    ANN,
    BOB,
    MORNING,
    actions,
    after_deadline,
    answer,
    in_force,
    opened,
    proposal,
    published_before,
    reported,
)
from tests.policies import adopt, policy_document


@pytest.fixture
def run(connection: Connection) -> Run:
    return reported(connection, 1, HIGH="0.60", MODERATE="0.20", LOW="0.00")


@pytest.mark.parametrize(("step", "limit_usd"), [("50%", 3500), ("100%", 5000)])
def test_restored_limit_follows_from_the_one_published_before(
    connection: Connection, run: Run, step: str, limit_usd: int
) -> None:
    adopt(connection, policy_document(restore__step=step))
    published_before(connection, "LOW", "0.60")
    publication = opened(connection, run)

    publish(connection, after_deadline(connection, publication), None)

    # In force 2,000, now of low risk with a recommended 5,000: half of the gap of 3,000 is 1,500.
    assert in_force(connection, publication)["LOW"] == Decimal(limit_usd)


def test_silence_raises_no_limit_that_a_person_has_set_lower(connection: Connection, run: Run) -> None:
    published_before(connection, "LOW", "0.40", set_to="2000")
    publication = opened(connection, run, "high")
    needing = {one.account_id for one in read_required_approvals(connection, publication)}

    publish(connection, after_deadline(connection, publication), None)

    assert needing == {"HIGH", "LOW"}
    assert in_force(connection, publication)["LOW"] == Decimal(2000)


def test_silence_gives_nothing_back_where_the_policy_wants_an_answer(connection: Connection, run: Run) -> None:
    adopt(connection, policy_document(restore__without_answer=False))
    published_before(connection, "LOW", "0.60")
    publication = opened(connection, run, "high")

    with pytest.raises(RequestError, match="reason is missing"):
        answer(connection, publication, "LOW", APPROVED, ANN, reason="")
    publish(connection, after_deadline(connection, publication), None)

    assert in_force(connection, publication)["LOW"] == Decimal(2000)


def test_rise_is_none_of_the_cuts_and_approved_with_a_reason(connection: Connection, run: Run) -> None:
    published_before(connection, "MODERATE", "0.60")
    publication = opened(connection, run)
    cuts = recommended_cuts(publication, read_proposals(connection, publication))
    assert [one.account_id for one in cuts] == ["HIGH"]

    answer(connection, publication, "MODERATE", APPROVED, ANN, reason="calm since June")

    assert proposal(connection, publication, "MODERATE").decided.decision_reason == "calm since June"


def test_limit_of_a_dry_run_is_in_force_for_no_session_after_a_live_one(connection: Connection, run: Run) -> None:
    live = opened(connection, run, at=MORNING)
    publish(connection, live, None)
    published_before(connection, "HIGH", "0.80")

    again = opened(connection, reported(connection, 2, HIGH="0.60"), at=MORNING)

    # 5,000 less 80 % was published for the session before, after it was over.
    assert proposal(connection, again).previous_limit_usd is None


def test_limits_superseded_by_a_later_report_never_come_into_force(connection: Connection, run: Run) -> None:
    first = opened(connection, run)
    seen = proposal(connection, first).sha256
    second = opened(connection, reported(connection, 2, HIGH="0.40"))

    with pytest.raises(RequestError, match=f"decide about them in approval {second.publication_id}"):
        decide(connection, first.publication_id, Decision("HIGH", APPROVED, seen), Decider(ANN))
    assert publish(connection, after_deadline(connection, second), None).account_count == 1
    assert publish(connection, after_deadline(connection, first), None) == PublishedLimits(0, "")

    assert in_force(connection, first) == {}
    assert in_force(connection, second) == {"HIGH": Decimal(3000)}


def test_later_report_repeats_what_was_decided_where_it_recommends_the_same(connection: Connection, run: Run) -> None:
    first = opened(connection, run, dual_control=True)
    answer(connection, first, "HIGH", APPROVED, BOB)
    answer(connection, first, "MODERATE", EDITED, ANN, limit="3000")

    second = opened(connection, reported(connection, 2, HIGH="0.60", MODERATE="0.20"), dual_control=True)

    high, moderate = proposal(connection, second), proposal(connection, second, "MODERATE")
    assert (high.decided.outcome, high.decided.decider_name) == ("approved", "bob")
    assert (moderate.decided.outcome, moderate.approved_limit_usd) == (None, Decimal(3000))
    stored = rows(connection, "risk_page/select_decisions", {"publication_id": second.publication_id})
    assert [row[-1] for row in stored] == [True, True]


def test_decision_stands_until_somebody_answers_a_later_report_that_recommends_another_limit(
    connection: Connection, run: Run
) -> None:
    first = opened(connection, run)
    answer(connection, first, "HIGH", EDITED, ANN, limit="1500")
    second = opened(connection, reported(connection, 2, HIGH="0.40", MODERATE="0.20"))
    asked = proposal(connection, second)
    assert (asked.decided.earlier_limit_usd, asked.decided.earlier_decider_name) == (Decimal(1500), "ann")

    publish(connection, after_deadline(connection, second), None)

    # Silence neither raises to 3,000 nor forgets her 1,500.
    assert in_force(connection, second)["HIGH"] == Decimal(1500)
    assert ("HIGH", "timed_out", Decimal(1500), "nobody") in actions(connection)


def test_decision_stands_where_the_later_report_would_ask_nobody(connection: Connection, run: Run) -> None:
    first = opened(connection, run, "high")
    answer(connection, first, "HIGH", APPROVED, ANN)

    second = opened(connection, reported(connection, 2, HIGH="0.00"), "high")

    assert [one.account_id for one in read_required_approvals(connection, second)] == ["HIGH"]
    assert proposal(connection, second).silent_limit_usd == Decimal(2000)


def test_dry_run_supersedes_no_live_limits_and_nothing_supersedes_published_ones(
    connection: Connection, run: Run
) -> None:
    live = opened(connection, run, at=MORNING)
    opened(connection, reported(connection, 2, HIGH="0.40"))

    assert superseded_by(connection, live) is None
    assert publish(connection, live, None).account_count == 3
    again = opened(connection, reported(connection, 3), at=MORNING)

    assert (live.is_live, again.is_live, superseded_by(connection, live)) == (True, True, None)


def test_point_in_time_run_supersedes_no_limits_and_puts_none_in_force(connection: Connection, run: Run) -> None:
    first = opened(connection, run)
    past = opened(connection, reported(connection, 2, is_point_in_time=True, HIGH="0.40"), at=MORNING)

    assert not past.is_live
    assert superseded_by(connection, first) is None
    published_before(connection, "HIGH", "0.80", is_point_in_time=True)
    assert [proposal(connection, one).previous_limit_usd for one in (first, past)] == [None, None]
