"""A second report of a session whose limits the first one's mail has put in force: what Today and Approval ask."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.approvals import APPROVED, EDITED, Publication
from risk.limits.publish import publish
from risk.web.wake import api_address
from tests.approval_desks import ANN, after_deadline, answer, opened, reported
from tests.operators.web_client import words
from tests.report_desks import AS_OF, insert

REJECT = "Reject: keep"
SAME = "Rejecting would keep $2,000 too: for any other amount, set another limit."


CUTS = {"HIGH": "0.60", "SOME": "0.20"}


@pytest.fixture
def second(connection: Connection) -> Run:
    """Report cuts, have the mail accepted before the next run's inputs end, and report the same again."""
    first = reported(connection, 1, **CUTS)
    sent = {"recipient": "a", "message_id": "<a@b>", "sent_at": AS_OF - dt.timedelta(minutes=1)}
    insert(connection, "report_deliveries", run_id=first.run_id, attempt_count=1, **sent)
    return reported(connection, 2, **CUTS)


def approval(client: Any, publication: Publication) -> str:
    return words(client.get(f"/approvals/{publication.publication_id}"))


def test_today_says_what_to_decide_before_that_nothing_changes(
    client: Any, connection: Connection, second: Run
) -> None:
    publication, unchanged = opened(connection, second), "No change: 2 cuts stand."

    assert f"Decide 2 limits by {publication.deadline_text}. {unchanged}" in words(client.get("/"))
    answer(connection, publication, "HIGH", APPROVED, ANN)
    assert f"Decide 1 limit by {publication.deadline_text}. {unchanged}" in words(client.get("/"))
    late = after_deadline(connection, publication)
    assert unchanged in (closed := words(client.get("/")))
    assert "Decide 1 limit" not in closed
    publish(connection, late, None)
    assert unchanged in (published := words(client.get("/")))
    assert "Decide 1 limit" not in published


def test_approval_offers_no_rejection_that_would_keep_what_an_approval_brings(
    client: Any, connection: Connection, second: Run
) -> None:
    shown = approval(client, opened(connection, second))

    assert "Approve $2,000" in shown
    assert SAME in shown
    assert SAME.replace("$2,000", "$4,000") in shown
    assert REJECT not in shown


def test_approval_offers_the_rejection_of_a_limit_that_a_person_has_set(
    client: Any, connection: Connection, second: Run
) -> None:
    publication = opened(connection, second, dual_control=True)
    answer(connection, publication, "HIGH", EDITED, ANN, limit="3000")

    assert f"{REJECT} $2,000" in approval(client, publication)
    assert SAME not in approval(client, publication)


@pytest.mark.parametrize(
    ("own", "public", "address"),
    [
        ("http://api-server:8080/execution/", "https://risk.example.com/", "http://api-server:8080"),
        ("http://api-server:8080/airflow/execution", "https://example.com/airflow", "http://api-server:8080/airflow"),
        ("", "https://risk.example.com/", "https://risk.example.com"),
    ],
)
def test_the_waiting_task_is_woken_where_processes_reach_airflow_not_people(
    monkeypatch: pytest.MonkeyPatch, own: str, public: str, address: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", own)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", public)

    assert api_address() == address
