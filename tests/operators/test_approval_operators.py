"""The operator that waits for a person: what each answer becomes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from risk.core.warehouse import Connection
from risk.limits.approvals import (
    AirflowUser,
    ApprovalPolicy,
    LimitEdit,
    Publication,
    approval_request,
    edit,
    open_publication,
    read_proposals,
)
from tests.report_desks import open_run, recommend

pytestmark = pytest.mark.usefixtures("warehouse_connection")

MORNING = dt.datetime(2025, 8, 18, 11, 5, tzinfo=dt.UTC)
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
ANN = {"id": "1", "name": "ann"}


def opened(connection: Connection, instant: dt.datetime, *, dual_control: bool = False) -> Publication:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60")
    return open_publication(connection, run, ApprovalPolicy("all", dual_control), "approval", instant)


def operator(connection: Connection, publication: Publication) -> Any:
    from risk.operators.approval import ApproveLimitOperator

    (proposal,) = read_proposals(connection, publication)
    request = {
        "publication_id": publication.publication_id,
        "decision_deadline": publication.decision_deadline.isoformat(),
        "account_id": proposal.account_id,
        **approval_request(publication, proposal),
    }
    return ApproveLimitOperator(task_id="approve_limit", request=request)


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

    assert outcome(connection, publication) == ("timed_out", "nobody")


@pytest.mark.parametrize(
    ("choice", "user", "expected"),
    [
        ("Approve", ANN, ("approved", "ann")),
        ("Reject", ANN, ("rejected", "ann")),
        # The deadline comes as the default answer of nobody: no approval of an edit.
        ("Approve", None, ("timed_out", "nobody")),
    ],
)
def test_answer_becomes_the_outcome(
    connection: Connection, choice: str, user: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    publication = opened(connection, FAR)

    operator(connection, publication).execute_complete({}, answered(choice, user))

    assert outcome(connection, publication) == expected


def test_own_edit_is_not_approved_under_dual_control_but_asked_again(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = opened(connection, FAR, dual_control=True)
    edit(
        connection,
        publication.publication_id,
        "NET001",
        AirflowUser("1", "ann"),
        LimitEdit("3000", "calm since", None),
    )
    task, asked = operator(connection, publication), []
    monkeypatch.setattr(task, "execute", asked.append)

    task.execute_complete({}, answered("Approve", ANN))

    assert len(asked) == 1
    assert outcome(connection, publication) == (None, None)


def test_request_tells_what_is_proposed_and_until_when(connection: Connection) -> None:
    publication = opened(connection, MORNING)

    request = operator(connection, publication).request

    # 5,000 less 60 %.
    assert request["subject"] == "NET001: limit $2,000 (was $5,000) for 2025-08-18"
    assert "by 2025-08-18 09:00 New York" in request["body"]


def test_private_airflow_api_starts_a_dag_run_as_trigger_dag_run_operator_does(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, OKResponse, TriggerDagRun

    from risk.operators.approval import start_approval

    sent: list[TriggerDagRun] = []
    answers = [OKResponse(ok=True), ErrorResponse(error=ErrorType.DAGRUN_ALREADY_EXISTS)]
    comms = SimpleNamespace(send=lambda message: (sent.append(message), answers.pop(0))[1])
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    run = open_run(connection)

    # started twice: the second answer is that the run exists
    assert start_approval(run, "all") == start_approval(run, "all")

    assert [(one.dag_id, one.conf and one.conf["approval"]) for one in sent] == [("publish_limits", "all")] * 2
