"""Decisions about limits as rows: who is asked, what counts, what comes into force."""

from __future__ import annotations

import csv
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from risk.core.errors import RequestError
from risk.core.runs import Run
from risk.core.warehouse import Connection, connect, rows, writing
from risk.limits.approvals import (
    APPROVED,
    NO_USER,
    REJECTED,
    TIMED_OUT,
    AirflowUser,
    ApprovalPolicy,
    LimitEdit,
    Proposal,
    Publication,
    decide,
    edit,
    open_publication,
    read_proposals,
    read_required_approvals,
    superseded_by,
)
from risk.limits.publish import PublishedLimits, publish
from tests.policies import adopt, policy_document
from tests.report_desks import EFFECTIVE_SESSION, insert, open_run, recommend

ANN, BOB = AirflowUser("1", "ann"), AirflowUser("2", "bob")
MORNING = dt.datetime(2025, 8, 18, 11, 5, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2025, 8, 18, 14, 0, tzinfo=dt.UTC)
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""The database clock decides what is late, so open requests of these tests end in a far future."""


@pytest.fixture
def run(connection: Connection) -> Run:
    run = open_run(connection)
    for name, cut in (("HIGH", "0.60"), ("MODERATE", "0.20"), ("LOW", "0.00")):
        recommend(connection, run, name, cut)
    return run


def opened(
    connection: Connection, run: Run, scope: str = "all", *, dual_control: bool = False, at: dt.datetime = FAR
) -> Publication:
    return open_publication(connection, run, ApprovalPolicy(scope, dual_control), "approval", at)


def proposal(connection: Connection, publication: Publication, name: str = "HIGH") -> Proposal:
    return next(one for one in read_proposals(connection, publication) if one.account_id == name)


def edited(
    connection: Connection, publication: Publication, limit: str, who: AirflowUser = ANN, seen: int | None = None
) -> Decimal:
    return edit(connection, publication.publication_id, "HIGH", who, LimitEdit(limit, "calm since", seen))


def in_force(connection: Connection, publication: Publication) -> dict[str, Decimal]:
    binds = {"publication_id": publication.publication_id}
    return {row[0]: row[2] for row in rows(connection, "publish_limits/select_published_limits", binds)}


def actions(connection: Connection) -> list[tuple[str, str, Decimal, str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id, action, limit_usd, user_name from limit_decisions order by decision_id")
        return list(cursor.fetchall())


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
    decide(connection, publication, "HIGH", APPROVED, ANN)
    decide(connection, publication, "MODERATE", TIMED_OUT, NO_USER)

    publish(connection, publication, None)

    # 5,000 less 60 and 20 %.
    assert in_force(connection, publication) == {"HIGH": Decimal(2000), "MODERATE": Decimal(4000), "LOW": Decimal(5000)}
    assert actions(connection) == [
        ("HIGH", "approved", Decimal(2000), "ann"),
        ("MODERATE", "timed_out", Decimal(4000), "nobody"),
        ("LOW", "not_required", Decimal(5000), "nobody"),
    ]


def test_approval_publishes_an_edit_with_its_reason(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    assert edited(connection, publication, "$3,500.50") == Decimal("3500.50")
    decide(connection, publication, "HIGH", APPROVED, BOB)

    publish(connection, publication, None)

    assert in_force(connection, publication)["HIGH"] == Decimal("3500.50")
    assert ("HIGH", "approved", Decimal("3500.50"), "bob") in actions(connection)


def test_deadline_applies_the_recommended_cut_whatever_was_edited(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    edited(connection, publication, "5000")
    decide(connection, publication, "HIGH", TIMED_OUT, NO_USER)

    publish(connection, publication, None)

    assert in_force(connection, publication)["HIGH"] == Decimal(2000)


def test_rejection_keeps_the_limit_in_force(connection: Connection, run: Run) -> None:
    earlier_run = open_run(connection, session_date=dt.date(2025, 8, 14))
    recommend(connection, earlier_run, "HIGH", "0.30")
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update runs set effective_session = '2025-08-15' where run_id = %s", (earlier_run.run_id,))
    publish(connection, opened(connection, earlier_run), None)
    publication = opened(connection, run)
    decide(connection, publication, "HIGH", REJECTED, ANN)

    publish(connection, publication, None)

    # 5,000 less the 30 % of the day before.
    assert in_force(connection, publication)["HIGH"] == Decimal(3500)


def test_dual_control_lets_nobody_approve_an_edit_of_their_own(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, dual_control=True)
    edited(connection, publication, "3000", ANN)

    assert not decide(connection, publication, "HIGH", APPROVED, ANN)
    assert proposal(connection, publication).outcome is None
    assert decide(connection, publication, "HIGH", APPROVED, BOB)
    assert proposal(connection, publication).decided_limit_usd == Decimal(3000)


def test_without_dual_control_one_person_may_edit_and_approve(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    edited(connection, publication, "3000", ANN)

    assert decide(connection, publication, "HIGH", APPROVED, ANN)


def test_first_outcome_counts_when_two_managers_disagree_at_once(
    connection: Connection, warehouse_dsn: str, run: Run
) -> None:
    publication = opened(connection, run)
    connections = [connect(warehouse_dsn) for _ in range(2)]

    with ThreadPoolExecutor(2) as threads:
        answers = zip(connections, (APPROVED, REJECTED), (ANN, BOB), strict=True)
        done = [threads.submit(decide, one, publication, "HIGH", answer, who) for one, answer, who in answers]
        assert [future.result() for future in done] == [True, True]
    for one in connections:
        one.close()

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
def test_edit_is_refused_with_a_sentence_when_the_limit_is_wrong(
    connection: Connection, run: Run, limit: str, sentence: str
) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match=sentence):
        edited(connection, publication, limit)

    assert actions(connection) == []


@pytest.mark.parametrize("limit", ["1000", "5000.00", " 1,000.00 "])
def test_edit_is_taken_at_the_floor_and_at_the_base_limit(connection: Connection, run: Run, limit: str) -> None:
    edited(connection, opened(connection, run), limit)

    assert len(actions(connection)) == 1


@pytest.mark.parametrize("reason", ["", "  \n ", "\u202e", "x" * 501])
def test_edit_is_refused_without_a_reason_of_reasonable_length(connection: Connection, run: Run, reason: str) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match="reason"):
        edit(connection, publication.publication_id, "HIGH", ANN, LimitEdit("3000", reason, None))

    assert actions(connection) == []


def test_edit_twice_by_a_double_click_is_one_edit(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)

    assert edited(connection, publication, "3000") == edited(connection, publication, "3000")

    assert len(actions(connection)) == 1


def test_edit_is_refused_when_somebody_else_has_edited_meanwhile(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    edited(connection, publication, "3000", ANN)

    with pytest.raises(RequestError, match=r"ann has meanwhile changed the limit of HIGH to \$3,000"):
        edited(connection, publication, "4000", BOB)
    edited(connection, publication, "4000", BOB, seen=proposal(connection, publication).edit_id)

    assert proposal(connection, publication).proposed_limit_usd == Decimal(4000)


def test_edit_is_refused_after_the_outcome(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    decide(connection, publication, "HIGH", APPROVED, ANN)

    with pytest.raises(RequestError, match="already decided: approved by ann"):
        edited(connection, publication, "3000")


def test_edit_is_refused_after_the_deadline(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, at=MORNING)

    with pytest.raises(RequestError, match="closed at 2025-08-18 09:00 New York"):
        edited(connection, publication, "3000")


@pytest.mark.parametrize(("name", "sentence"), [("LOW", "LOW needs no approval"), ("X", "no recommendation for X")])
def test_edit_is_refused_for_an_account_that_needs_no_approval(
    connection: Connection, run: Run, name: str, sentence: str
) -> None:
    publication = opened(connection, run)

    with pytest.raises(RequestError, match=sentence):
        edit(connection, publication.publication_id, name, ANN, LimitEdit("3000", "why", None))


def test_publishing_twice_leaves_the_same_rows_and_one_file(connection: Connection, run: Run, tmp_path: Path) -> None:
    publication = opened(connection, run, at=MORNING)

    first = publish(connection, publication, tmp_path)
    second = publish(connection, publication, tmp_path)

    assert first == second
    assert first.file == tmp_path / f"limits-2025-08-18-{publication.publication_id}.csv"
    assert list(tmp_path.iterdir()) == [first.file]
    with first.file.open(encoding="utf-8", newline="") as stream:
        written = {row["account_id"]: (row["limit_usd"], row["action"]) for row in csv.DictReader(stream)}
    assert written["HIGH"] == ("2000.00", "timed_out")
    assert len(actions(connection)) == 3


def test_dry_run_writes_no_file_for_the_platform(connection: Connection, run: Run, tmp_path: Path) -> None:
    publication = opened(connection, run, at=LONG_AGO + dt.timedelta(days=30))

    assert publish(connection, publication, tmp_path).file is None
    assert list(tmp_path.iterdir()) == []


def earlier_run(connection: Connection, name: str, cut: str, *, is_point_in_time: bool = False) -> Run:
    run = open_run(connection, session_date=dt.date(2025, 8, 14), is_point_in_time=is_point_in_time)
    recommend(connection, run, name, cut)
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update runs set effective_session = '2025-08-15' where run_id = %s", (run.run_id,))
    return run


@pytest.mark.parametrize(("step", "limit_usd"), [("50%", 3500), ("100%", 5000)])
def test_restored_limit_follows_from_the_one_published_before(
    connection: Connection, run: Run, step: str, limit_usd: int
) -> None:
    adopt(connection, policy_document(restore__step=step))
    publish(connection, opened(connection, earlier_run(connection, "LOW", "0.60")), None)
    publication = opened(connection, run)

    publish(connection, publication, None)

    # In force 2,000, now of low risk with a recommended 5,000: half of the gap of 3,000 is 1,500.
    assert in_force(connection, publication)["LOW"] == Decimal(limit_usd)


def test_limit_of_a_dry_run_is_in_force_for_dry_runs_only(connection: Connection, run: Run) -> None:
    publish(connection, opened(connection, earlier_run(connection, "HIGH", "0.80")), None)
    again = open_run(connection, revision=2)
    recommend(connection, again, "HIGH", "0.60")

    live, dry_run = opened(connection, run, at=MORNING), opened(connection, again)

    # 5,000 less 80 % was published for the session before, after it was over.
    in_force_limits = [proposal(connection, one).in_force_limit_usd for one in (live, dry_run)]
    assert in_force_limits == [None, Decimal(1000)]


def test_limits_superseded_by_a_later_report_never_come_into_force(connection: Connection, run: Run) -> None:
    first = opened(connection, run)
    again = open_run(connection, revision=2)
    recommend(connection, again, "HIGH", "0.40")
    second = opened(connection, again)

    with pytest.raises(RequestError, match=f"edit them in approval {second.publication_id}"):
        edited(connection, first, "4000")
    assert publish(connection, second, None).account_count == 1
    # Answered late: the request that was replaced changes nothing any more.
    decide(connection, first, "HIGH", APPROVED, ANN)
    assert publish(connection, first, None) == PublishedLimits(0, None)

    assert in_force(connection, first) == {}
    assert in_force(connection, second) == {"HIGH": Decimal(3000)}


def test_dry_run_supersedes_no_live_limits_and_nothing_supersedes_published_ones(
    connection: Connection, run: Run
) -> None:
    live = opened(connection, run, at=MORNING)
    dry_run = open_run(connection, revision=2)
    recommend(connection, dry_run, "HIGH", "0.40")
    opened(connection, dry_run)

    assert superseded_by(connection, live) is None
    assert publish(connection, live, None).account_count == 3
    again = opened(connection, open_run(connection, revision=3), at=MORNING)

    assert (live.is_live, again.is_live, superseded_by(connection, live)) == (True, True, None)


def test_point_in_time_run_supersedes_no_limits_and_has_none_in_force(connection: Connection, run: Run) -> None:
    first = opened(connection, run)
    past = open_run(connection, revision=2, is_point_in_time=True)
    recommend(connection, past, "HIGH", "0.40")

    dry_run = opened(connection, past, at=MORNING)

    assert not dry_run.is_live
    assert superseded_by(connection, first) is None
    publish(connection, opened(connection, earlier_run(connection, "HIGH", "0.80", is_point_in_time=True)), None)
    in_force_limits = [proposal(connection, one).in_force_limit_usd for one in (first, dry_run)]
    assert in_force_limits == [None, Decimal(1000)]


def test_database_refuses_a_second_outcome_from_anybody(connection: Connection, run: Run) -> None:
    publication = opened(connection, run)
    decide(connection, publication, "HIGH", APPROVED, ANN)
    values = {"publication_id": publication.publication_id, "account_id": "HIGH", "limit_usd": 1, "reason": "x"}

    with pytest.raises(psycopg2.errors.UniqueViolation):
        insert(connection, "limit_decisions", action="rejected", user_id="9", user_name="eve", **values)

    assert publication.effective_session == EFFECTIVE_SESSION
