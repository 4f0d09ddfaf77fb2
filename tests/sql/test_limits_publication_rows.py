"""Decisions about limits as rows: who is asked, what counts, what comes into force."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from risk.core.chain import read_head, witnesses_of
from risk.core.errors import RequestError
from risk.core.runs import Run
from risk.core.warehouse import Connection, connect, rows
from risk.limits.approvals import (
    APPROVED,
    EDITED,
    REJECTED,
    AirflowUser,
    Publication,
    read_proposals,
    read_required_approvals,
)
from risk.limits.decisions import Decider, Decision, approve_cuts, decide, recommended_cuts
from risk.limits.publish import OutboundFolder, publish
from tests.approval_desks import (
    ANN,
    BOB,
    LONG_AGO,
    MORNING,
    actions,
    after_deadline,
    answer,
    earlier_run,
    in_force,
    opened,
    proposal,
    published_before,
    reported,
)
from tests.report_desks import AS_OF, EFFECTIVE_SESSION, insert


@pytest.fixture
def run(connection: Connection) -> Run:
    return reported(connection, 1, HIGH="0.60", MODERATE="0.20", LOW="0.00")


def set_limit(connection: Connection, publication: Publication, limit: str, who: AirflowUser = ANN) -> None:
    answer(connection, publication, "HIGH", EDITED, who, limit=limit)


@pytest.mark.parametrize(("scope", "names"), [("high", ["HIGH"]), ("all", ["HIGH", "MODERATE"])])
def test_accounts_that_need_approval_follow_from_the_policy(
    connection: Connection, run: Run, scope: str, names: list[str]
) -> None:
    publication = opened(connection, run, scope, at=MORNING)

    assert [one.account_id for one in read_required_approvals(connection, publication)] == names


def test_publication_stays_as_it_was_opened_when_it_is_opened_again(connection: Connection, run: Run) -> None:
    first = opened(connection, run, "high", at=MORNING)
    second = opened(connection, run, "all", dual_control=True, at=LONG_AGO)

    assert second == first
    assert first.decision_deadline == dt.datetime(2025, 8, 18, 13, 0, tzinfo=dt.UTC)
    assert first.is_live


def test_approval_publishes_the_recommended_limits_of_all(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    answer(connection, publication, "HIGH", APPROVED, ANN)

    publish(connection, after_deadline(connection, publication), None)

    # 5,000 less 60 and 20 %.
    assert in_force(connection, publication) == {"HIGH": Decimal(2000), "MODERATE": Decimal(4000), "LOW": Decimal(5000)}
    assert actions(connection) == [
        ("HIGH", "approved", Decimal(2000), "ann"),
        ("LOW", "not_required", Decimal(5000), "nobody"),
        ("MODERATE", "timed_out", Decimal(4000), "nobody"),
    ]


def test_nothing_is_published_while_somebody_may_answer(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    answer(connection, publication, "HIGH", APPROVED, ANN)

    with pytest.raises(RequestError, match=r"1 limit can still be decided until .*: nothing was published"):
        publish(connection, publication, None)

    assert in_force(connection, publication) == {}
    assert len(actions(connection)) == 1


def test_limit_that_is_set_is_published_with_its_reason(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, "high")
    set_limit(connection, publication, "$3,500.50")

    publish(connection, publication, None)

    assert in_force(connection, publication)["HIGH"] == Decimal("3500.50")
    assert actions(connection)[:2] == [
        ("HIGH", "edited", Decimal("3500.50"), "ann"),
        ("HIGH", "approved", Decimal("3500.50"), "ann"),
    ]


def test_limit_set_under_dual_control_lapses_at_the_deadline(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, dual_control=True)
    set_limit(connection, publication, "5000")

    publish(connection, after_deadline(connection, publication), None)

    assert in_force(connection, publication)["HIGH"] == Decimal(2000)


def test_rejection_keeps_the_limit_in_force(connection: Connection, run: Run) -> None:
    published_before(connection, "HIGH", "0.30")
    publication = opened(connection, run, "high")
    answer(connection, publication, "HIGH", REJECTED, ANN)

    publish(connection, publication, None)

    # 5,000 less the 30 % of the day before.
    assert in_force(connection, publication)["HIGH"] == Decimal(3500)


def test_rejection_keeps_a_limit_that_was_mailed_before_approvals_were_asked_for(
    connection: Connection, run: Run
) -> None:
    mailed = earlier_run(connection, "HIGH", "0.70")
    sent = {"recipient": "rm@example.test", "message_id": "1", "sent_at": AS_OF - dt.timedelta(days=1)}
    insert(connection, "report_deliveries", run_id=mailed.run_id, attempt_count=1, **sent)

    assert proposal(connection, opened(connection, run)).kept_limit_usd == Decimal(1500)


def test_mail_that_asks_for_an_approval_puts_nothing_in_force(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, at=MORNING)
    sent = {"recipient": "rm@example.test", "message_id": "1", "sent_at": AS_OF}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **sent)

    assert proposal(connection, publication).in_force_limit_usd == Decimal(5000)


def test_dual_control_lets_nobody_approve_a_limit_he_has_set(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, dual_control=True)
    set_limit(connection, publication, "3000", ANN)

    with pytest.raises(RequestError, match="ann has set the limit of HIGH and may not approve it"):
        answer(connection, publication, "HIGH", APPROVED, ANN)
    assert proposal(connection, publication).decided.outcome is None
    answer(connection, publication, "HIGH", APPROVED, BOB)
    assert proposal(connection, publication).decided.decided_limit_usd == Decimal(3000)


@pytest.mark.parametrize(
    "login",
    [
        AirflowUser("7", "ann"),
        AirflowUser("7", "Ann"),
        AirflowUser("7", " an n\u200b"),
        AirflowUser("7", "\uff41nn"),
        AirflowUser("ANN", "somebody else"),
    ],
)
def test_second_login_of_one_person_is_no_second_person(connection: Connection, run: Run, login: AirflowUser) -> None:
    publication = opened(connection, run, dual_control=True)
    set_limit(connection, publication, "3000", ANN)

    with pytest.raises(RequestError, match="ann has set the limit of HIGH and may not approve it"):
        answer(connection, publication, "HIGH", APPROVED, login)
    assert proposal(connection, publication).decided.outcome is None


def test_first_outcome_counts_when_two_managers_disagree_at_once(
    connection: Connection, warehouse_dsn: str, run: Run
) -> None:
    publication = opened(connection, run)
    seen = proposal(connection, publication).sha256
    connection.rollback()

    def answered(action: str, who: AirflowUser) -> str:
        with contextlib.closing(connect(warehouse_dsn)) as own:
            try:
                decide(own, publication.publication_id, Decision("HIGH", action, seen), Decider(who))
            except RequestError as error:
                return str(error)
        return "stored"

    with ThreadPoolExecutor(2) as threads:
        said = sorted(threads.map(answered, (APPROVED, REJECTED), (ANN, BOB)))

    assert [said[0].split(":")[0], said[1]] == ["The limit of HIGH is already decided", "stored"]
    assert len(actions(connection)) == 1


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("999.99", "not between the lowest limit \\$1,000 and the base limit \\$5,000"),
        ("5000.01", "not between"),
        ("-3000", "not an amount"),
        ("3000.001", "not an amount in dollars and cents"),
        ("NaN", "not an amount"),
        ("1e999", "not an amount"),
        ("three", "not an amount"),
        ("", "not an amount"),
    ],
)
def test_limit_is_not_set_when_it_is_wrong(connection: Connection, run: Run, limit: str, sentence: str) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match=sentence):
        set_limit(connection, publication, limit)

    assert actions(connection) == []


@pytest.mark.parametrize("limit", ["1000", "5000.00", " 1,000.00 "])
def test_limit_is_set_at_the_floor_and_at_the_base_limit(connection: Connection, run: Run, limit: str) -> None:
    set_limit(connection, opened(connection, run, dual_control=True), limit)

    assert len(actions(connection)) == 1


@pytest.mark.parametrize("reason", ["", "  \n ", "\u202e", "x" * 501])
def test_limit_is_not_set_without_a_reason_of_reasonable_length(connection: Connection, run: Run, reason: str) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match="reason"):
        answer(connection, publication, "HIGH", EDITED, ANN, limit="3000", reason=reason)

    assert actions(connection) == []


def test_same_decision_twice_by_a_double_click_is_one(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, dual_control=True)
    for name, action, limit in (("HIGH", EDITED, "3000"), ("MODERATE", APPROVED, "")):
        seen = proposal(connection, publication, name).sha256
        for _ in range(2):
            decision = Decision(name, action, seen, "calm since", limit)
            decide(connection, publication.publication_id, decision, Decider(ANN))

    assert len(actions(connection)) == 2


@pytest.mark.parametrize("action", [APPROVED, REJECTED, EDITED])
def test_decision_on_what_was_shown_before_somebody_set_a_limit_does_not_count(
    connection: Connection, run: Run, action: str
) -> None:
    publication = opened(connection, run, dual_control=True)
    seen = proposal(connection, publication).sha256
    set_limit(connection, publication, "3000", ANN)

    with pytest.raises(RequestError, match=r"HIGH is no longer what you were shown \(ann has set \$3,000\)"):
        decide(connection, publication.publication_id, Decision("HIGH", action, seen, "why", "4000"), Decider(BOB))
    set_limit(connection, publication, "4000", BOB)

    assert proposal(connection, publication).approved_limit_usd == Decimal(4000)


def test_decision_does_not_count_when_the_limit_in_force_has_changed_since(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    seen = proposal(connection, publication).sha256
    published_before(connection, "HIGH", "0.70")

    with pytest.raises(RequestError, match="the limit in force or the recommendation has changed"):
        decide(connection, publication.publication_id, Decision("HIGH", REJECTED, seen), Decider(BOB))


def test_limit_is_not_set_after_the_outcome(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    answer(connection, publication, "HIGH", APPROVED, ANN)

    with pytest.raises(RequestError, match="already decided: approved by ann"):
        set_limit(connection, publication, "3000")


@pytest.mark.parametrize("action", [APPROVED, REJECTED, EDITED])
def test_nothing_is_decided_after_the_deadline(connection: Connection, run: Run, action: str) -> None:
    publication = opened(connection, run, at=MORNING)

    with pytest.raises(RequestError, match="closed at 2025-08-18 09:00 New York"):
        answer(connection, publication, "HIGH", action, ANN, limit="3000")
    seen = [one.sha256 for one in recommended_cuts(publication, read_proposals(connection, publication))]
    with pytest.raises(RequestError, match="closed at 2025-08-18 09:00 New York"):
        approve_cuts(connection, publication.publication_id, seen, Decider(ANN))


@pytest.mark.parametrize(("name", "sentence"), [("LOW", "LOW needs no approval"), ("X", "no recommendation for X")])
def test_account_that_needs_no_approval_is_not_decided(
    connection: Connection, run: Run, name: str, sentence: str
) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match=sentence):
        decide(connection, publication.publication_id, Decision(name, EDITED, "", "why", "3000"), Decider(ANN))


def test_all_cuts_are_approved_together_or_not_at_all(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    shown = [one.sha256 for one in recommended_cuts(publication, read_proposals(connection, publication))]
    answer(connection, publication, "MODERATE", REJECTED, BOB)

    with pytest.raises(RequestError, match="no longer the ones you were shown: nothing was approved"):
        approve_cuts(connection, publication.publication_id, shown, Decider(ANN))
    assert len(actions(connection)) == 1
    for _ in range(2):
        approve_cuts(connection, publication.publication_id, shown[:1], Decider(ANN))

    assert actions(connection)[1:] == [("HIGH", "approved", Decimal(2000), "ann")]


def test_publishing_twice_leaves_the_same_rows_and_one_file(connection: Connection, run: Run, tmp_path: Path) -> None:
    publication = opened(connection, run, at=MORNING)

    first = publish(connection, publication, OutboundFolder(tmp_path))
    second = publish(connection, publication, OutboundFolder(tmp_path))

    assert first == second
    file = tmp_path / f"limits-2025-08-18-{publication.publication_id}.csv"
    assert first.file == str(file)
    assert sorted(tmp_path.iterdir()) == [file.with_suffix(".chain"), file]
    (witness,) = witnesses_of(file.with_suffix(".chain"))
    last = str(rows(connection, "risk_page/select_published", {"run_id": run.run_id})[-1][-1])
    assert (witness.sequence, witness.digits) == read_head(connection, "published_limits", [last])
    with file.open(encoding="utf-8", newline="") as stream:
        written = {row["account_id"]: (row["limit_usd"], row["action"]) for row in csv.DictReader(stream)}
    assert written["HIGH"] == ("2000.00", "timed_out")
    assert len(actions(connection)) == 3


def test_dry_run_writes_no_file_for_the_platform(connection: Connection, run: Run, tmp_path: Path) -> None:
    publication = after_deadline(connection, opened(connection, run, at=LONG_AGO + dt.timedelta(days=30)))

    assert publish(connection, publication, OutboundFolder(tmp_path)).file == ""
    assert list(tmp_path.iterdir()) == []


def test_database_refuses_a_second_outcome_from_anybody(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    answer(connection, publication, "HIGH", APPROVED, ANN)
    values = {"publication_id": publication.publication_id, "account_id": "HIGH", "limit_usd": 1, "reason": "x"}

    with pytest.raises(psycopg2.errors.UniqueViolation):
        insert(connection, "limit_decisions", action="not_required", user_id="", user_name="eve", **values)

    assert publication.effective_session == EFFECTIVE_SESSION
