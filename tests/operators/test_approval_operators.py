"""The task that waits for decisions: it reads the warehouse, and nothing that Airflow holds."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.approvals import APPROVED, Publication
from risk.limits.stand_in import StandInPolicy
from tests.approval_desks import ANN, FAR, MORNING, answer, opened, proposal, reported, stand_in_due

pytestmark = pytest.mark.usefixtures("warehouse_connection")


@pytest.fixture
def run(connection: Connection) -> Run:
    return reported(connection, 1, NET001="0.60")


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record what Airflow would show while it waits."""
    from airflow.providers.standard.operators.hitl import HITLOperator

    found: list[Any] = []
    monkeypatch.setattr(HITLOperator, "execute", lambda self, _context: found.append(self))
    return found


def operator(publication: Publication) -> Any:
    from risk.operators.approval import AwaitDecisionsOperator

    return AwaitDecisionsOperator(task_id="await_decisions", run_id=str(publication.run_id))


def test_wait_shows_one_action_without_amounts_and_looks_again_after_five_minutes(
    connection: Connection, run: Run, parked: list[Any]
) -> None:
    publication = opened(connection, run)

    operator(publication).execute({})

    (task,) = parked
    assert task.options == task.defaults == ["Decided on the Risk page"]
    assert task.subject == "Limits for 2025-08-18: decide on the Risk page by 2100-01-01 09:00 New York"
    assert task.body == f"[Approval on the Risk page](risk/approvals/{publication.publication_id})"
    assert task.response_timeout.total_seconds() == 300


def test_wait_ends_when_the_stand_in_takes_over_and_then_he_is_reminded(
    connection: Connection, run: Run, parked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reminded: list[int] = []
    monkeypatch.setattr(
        "risk.report.limits_mail.send_reminder",
        lambda _connection, _server, publication, _settings: reminded.append(publication.publication_id) or 1,
    )
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://127.0.0.1:25")
    publication = opened(connection, run, stand_in=StandInPolicy(("sam",), dt.timedelta(minutes=30)))
    with connection, connection.cursor() as cursor:
        cursor.execute("update risk.publications set stand_in_from = clock_timestamp() + interval '1 minute'")

    operator(publication).execute({})
    assert 0 < parked[0].response_timeout.total_seconds() <= 60
    assert reminded == []

    stand_in_due(connection, publication)
    operator(publication).execute({})
    assert parked[1].response_timeout.total_seconds() == 300
    assert reminded == [publication.publication_id]


@pytest.mark.parametrize("user", [None, {"id": "2", "name": "bob"}])
def test_answer_in_airflow_decides_nothing(
    connection: Connection, run: Run, parked: list[Any], user: dict[str, str] | None
) -> None:
    publication = opened(connection, run)
    event = {"chosen_options": ["Decided on the Risk page"], "params_input": {}, "responded_at": FAR}

    operator(publication).execute_complete({}, {**event, "responded_by_user": user})

    assert len(parked) == 1
    assert proposal(connection, publication, "NET001").decided.outcome is None


def test_wait_ends_when_everything_is_decided(connection: Connection, run: Run, parked: list[Any]) -> None:
    publication = opened(connection, run)
    answer(connection, publication, "NET001", APPROVED, ANN)

    operator(publication).execute_complete({}, {"chosen_options": []})

    assert parked == []


def test_wait_ends_at_the_deadline_and_when_a_later_report_counts(
    connection: Connection, run: Run, parked: list[Any]
) -> None:
    late = opened(connection, run, at=MORNING)
    first = opened(connection, reported(connection, 2, NET001="0.60"))
    opened(connection, reported(connection, 3, NET001="0.40"))

    operator(late).execute({})
    operator(first).execute({})

    assert parked == []


def test_private_airflow_api_starts_a_dag_run_as_trigger_dag_run_operator_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, OKResponse, TriggerDagRun

    from risk.operators.approval import start_approval
    from tests.report_desks import SESSION

    sent: list[TriggerDagRun] = []
    answers = [OKResponse(ok=True), ErrorResponse(error=ErrorType.DAGRUN_ALREADY_EXISTS)]
    comms = SimpleNamespace(send=lambda message: (sent.append(message), answers.pop(0))[1])
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)

    # started twice: the second answer is that the run exists
    for _ in range(2):
        start_approval("approval__1", 1, SESSION)

    assert [(one.dag_id, one.run_id, one.conf) for one in sent] == [
        ("publish_limits", "approval__1", {"run_id": 1, "session_date": "2025-08-15"})
    ] * 2
