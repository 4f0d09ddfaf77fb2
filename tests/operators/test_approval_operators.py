"""The operator that waits for a person: what each answer becomes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from risk.core.warehouse import Connection
from risk.limits.approvals import Person, Publication, edit, read_proposals
from risk.limits.publish import Asking, open_publication
from tests.report_desks import open_run, recommend

pytestmark = pytest.mark.usefixtures("warehouse_connection")

MORNING = dt.datetime(2025, 8, 18, 11, 5, tzinfo=dt.UTC)
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
ANN = {"id": "1", "name": "ann"}


def opened(connection: Connection, instant: dt.datetime, *, dual_control: bool = False) -> Publication:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60")
    return open_publication(connection, run, Asking("all", dual_control, "approval"), instant)[0]


def operator(connection: Connection, publication: Publication) -> Any:
    from risk.operators.approval import ApproveLimitOperator, request

    (proposal,) = read_proposals(connection, publication)
    return ApproveLimitOperator(task_id="approve_limit", request=request(publication, proposal))


def answered(choice: str, user: dict[str, str] | None) -> dict[str, Any]:
    return {
        "chosen_options": [choice],
        "params_input": {},
        "responded_at": FAR,
        "responded_by_user": user,
        "timedout": user is None,
    }


def outcome(connection: Connection, publication: Publication) -> tuple[str | None, str | None]:
    connection.rollback()
    (proposal,) = read_proposals(connection, publication)
    return proposal.outcome, proposal.decider_name


def test_question_after_the_deadline_is_answered_by_the_clock(connection: Connection) -> None:
    publication = opened(connection, MORNING)

    operator(connection, publication).execute({})

    assert outcome(connection, publication) == ("defaulted", "nobody")


@pytest.mark.parametrize(
    ("choice", "user", "expected"),
    [
        ("Approve", ANN, ("approved", "ann")),
        ("Reject", ANN, ("rejected", "ann")),
        # The deadline comes as the default answer of nobody: no approval of an edit.
        ("Approve", None, ("defaulted", "nobody")),
    ],
)
def test_answer_becomes_the_outcome(
    connection: Connection, choice: str, user: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    publication = opened(connection, FAR)

    operator(connection, publication).execute_complete({}, answered(choice, user))

    assert outcome(connection, publication) == expected


def test_own_edit_is_not_approved_under_four_eyes_but_asked_again(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = opened(connection, FAR, dual_control=True)
    edit(connection, publication.publication_id, "NET001", Person("1", "ann"), ("3000", "calm since", None))
    task, asked = operator(connection, publication), []
    monkeypatch.setattr(task, "execute", asked.append)

    task.execute_complete({}, answered("Approve", ANN))

    assert len(asked) == 1
    assert outcome(connection, publication) == (None, None)


def test_request_tells_what_is_proposed_and_until_when(connection: Connection) -> None:
    publication = opened(connection, MORNING)

    request = operator(connection, publication).request

    # 5,000 less 60 %.
    assert request["subject"] == "NET001: limit 2,000.00 USD instead of 5,000.00 for 2025-08-18"
    assert "until 2025-08-18 09:00 New York" in request["body"]
