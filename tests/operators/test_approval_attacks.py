"""Attacks on approvals: what a person approved is what he was shown, and what is published is what was reported."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from risk.core.errors import BooksError
from risk.core.warehouse import Connection, rows, writing
from risk.limits.approvals import EDITED, Publication
from risk.limits.publish import publish
from tests.approval_desks import BOB, after_deadline, answer, in_force, opened, reported
from tests.operators.web_client import words


@pytest.fixture
def publication(connection: Connection) -> Publication:
    """Give an open publication under dual control: NET002 is cut from 5,000 to 2,000, NET009 to 3,500."""
    return opened(connection, reported(connection, 1, NET002="0.60", NET009="0.30"), dual_control=True)


def shown(client: Any, publication: Publication, name: str) -> dict[str, str]:
    """Read the form that approves an account's limit as ann is shown it."""
    page = client.get(f"/approvals/{publication.publication_id}").text
    (section,) = (one for one in page.split("<section") if f'value="{name}"' in one and "approved" in one)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', section))


def approve(client: Any, publication: Publication, form: dict[str, str]) -> Any:
    path = f"/approvals/{publication.publication_id}/decisions"
    return client.post(path, data={**form, "action": "approved", "reason": "why"})


def approved(connection: Connection, publication: Publication) -> list[Any]:
    connection.rollback()
    found = rows(connection, "risk_page/select_decisions", {"publication_id": publication.publication_id})
    return [row for row in found if row[1] == "approved"]


def test_approval_of_what_was_shown_does_not_approve_a_later_edit(
    client: Any, connection: Connection, publication: Publication
) -> None:
    form = shown(client, publication, "NET002")
    answer(connection, publication, "NET002", EDITED, BOB, limit="5000")

    refused = approve(client, publication, form)

    assert refused.status_code == 409
    assert "NET002 is no longer what you were shown (bob has set $5,000): your answer does not count" in words(refused)
    assert approved(connection, publication) == []
    assert approve(client, publication, shown(client, publication, "NET002")).status_code == 303


def test_approval_of_one_account_never_approves_another(
    client: Any, connection: Connection, publication: Publication
) -> None:
    answer(connection, publication, "NET002", EDITED, BOB, limit="4900")

    refused = approve(client, publication, {**shown(client, publication, "NET009"), "account_id": "NET002"})

    assert refused.status_code == 409
    assert approved(connection, publication) == []


def test_recommendations_changed_after_the_report_are_not_published(
    connection: Connection, publication: Publication
) -> None:
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update results.recommendations set new_limit_usd = 999999 where account_id = 'NET002'")

    publish(connection, after_deadline(connection, publication), None)

    assert in_force(connection, publication) == {"NET002": Decimal(2000), "NET009": Decimal(3500)}


def test_report_changed_after_it_was_stored_is_neither_decided_nor_published(
    connection: Connection, publication: Publication
) -> None:
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update risk.reports set facts = replace(facts, '2000.00', '4999.00')")

    with pytest.raises(BooksError, match="missing or was changed"):
        publish(connection, after_deadline(connection, publication), None)


@pytest.mark.parametrize(
    ("desk", "asked", "scope"),
    [
        ("all", "none", "all"),
        ("all", "high", "all"),
        ("high", "none", "high"),
        ("none", "none", None),
        ("none", "all", "all"),
    ],
)
def test_run_started_by_hand_takes_no_approval_away(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, desk: str, asked: str, scope: str | None
) -> None:
    from risk.operators.send_report import SendReportOperator

    class AskedError(Exception):
        pass

    def send_report(*arguments: Any) -> None:
        raise AskedError(arguments[-1])

    monkeypatch.setenv("RISK_APPROVAL", desk)
    monkeypatch.setattr("risk.report.send.send_report", send_report)
    task = SendReportOperator(task_id="send_report", run_id="1", approval=asked, run_type="manual", deliver="False")

    with pytest.raises(AskedError) as found:
        task.work(connection, reported(connection, 1, NET001="0.60"))

    (policy,) = found.value.args
    assert (None if policy is None else policy.scope) == scope
