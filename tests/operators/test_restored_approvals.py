"""After a restore nobody decides about what the replaced history has proposed: not on its pages, not by silence."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
import pytest

from risk.core.chain import newest_head
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, execute
from risk.limits.approvals import APPROVED, EDITED, Publication, open_proposals, read_proposals, read_publication
from risk.limits.decisions import Decider, Decision, decide
from risk.limits.publish import publish
from tests.approval_desks import ANN, BOB, after_deadline, answer, in_force, opened, reported
from tests.operators.test_approval_attacks import approve, shown
from tests.operators.web_client import words


@pytest.fixture
def publication(connection: Connection) -> Publication:
    return opened(connection, reported(connection, 1, NET002="0.60", NET009="0.30"))


def restore(connection: Connection) -> None:
    """Record a restore, as ``risk.core.backup`` does in the warehouse that it has restored."""
    with connection:
        execute(connection, "backup/insert_restores", {"replaced_sequence": None})


def again(connection: Connection, publication: Publication) -> Publication:
    return read_publication(connection, publication_id=publication.publication_id)


def test_restore_closes_what_was_open(client: Any, connection: Connection, publication: Publication) -> None:
    form = shown(client, publication, "NET002")
    restore(connection)
    closed = again(connection, publication)

    # neither the page that was shown before nor a new one decides, and both say why
    assert "The warehouse was restored from a backup after this page was shown" in words(
        approve(client, publication, form)
    )
    page = client.get(f"/approvals/{publication.publication_id}")
    assert "New York closed this approval: these limits never come into force." in words(page)
    assert "<form" not in page.text.split("<main")[1]
    assert "closed this approval" in words(client.get("/"))
    # nor any other door, nor silence
    proposals = read_proposals(connection, closed)
    assert open_proposals(closed, proposals) == []
    seen = next(one.sha256 for one in proposals if one.account_id == "NET002")
    with pytest.raises(RequestError, match=r"closed this approval.*Run the session again; its report asks again"):
        decide(connection, closed.publication_id, Decision("NET002", APPROVED, seen), Decider(ANN))
    with pytest.raises(psycopg2.errors.CheckViolation, match="restored after it was asked"), connection:
        connection.cursor().execute(
            "insert into risk.limit_decisions (publication_id, account_id, action, limit_usd, reason, user_id, "
            "user_name, seen_sha256) values (%s, 'NET002', 'approved', 2000, '', '1', 'ann', repeat('0', 64))",
            [closed.publication_id],
        )
    assert publish(connection, again(connection, after_deadline(connection, closed)), None).account_count == 0
    assert in_force(connection, closed) == {}


def test_next_report_asks_again_and_takes_over_what_was_decided_before_the_backup(
    client: Any, connection: Connection, publication: Publication
) -> None:
    answer(connection, publication, "NET002", EDITED, BOB, limit="3000")
    old = shown(client, publication, "NET009")
    time.sleep(1)  # The time of a token is in whole seconds.
    restore(connection)
    asked = opened(connection, reported(connection, 2, NET002="0.60", NET009="0.30"))

    # a page of the replaced history decides nothing, though it shows the same, wherever it is sent
    stale = approve(client, asked, {**old, "token": old["token"]})
    assert stale.status_code == 409
    with pytest.raises(psycopg2.errors.CheckViolation, match="restored after it was shown"):
        execute_decision(connection, asked)
    time.sleep(1)
    assert approve(client, asked, shown(client, asked, "NET009")).status_code == 303
    connection.rollback()
    publish(connection, after_deadline(connection, asked), None)
    assert {name: str(limit) for name, limit in in_force(connection, asked).items()} == {
        "NET002": "3000.00",
        "NET009": "3500.00",
    }


def execute_decision(connection: Connection, publication: Publication) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into risk.limit_decisions (publication_id, account_id, action, limit_usd, reason, user_id, "
            "user_name, seen_sha256, shown_at) select %s, 'NET009', 'approved', 3500, '', '1', 'ann', "
            "repeat('0', 64), min(recorded_at) - interval '1 second' from risk.restores",
            [publication.publication_id],
        )


def test_what_was_published_before_the_backup_stays_in_force(connection: Connection, publication: Publication) -> None:
    publish(connection, after_deadline(connection, publication), None)
    restore(connection)

    assert again(connection, publication).closing == ""
    assert publish(connection, again(connection, publication), None).account_count == 2


def test_pages_state_the_head_of_the_chain(client: Any, connection: Connection, publication: Publication) -> None:
    head = str(newest_head(connection))
    assert head.startswith("Chain ")

    session = publication.effective_session
    for path in ("/", f"/approvals/{publication.publication_id}"):
        assert head in words(client.get(path)), (path, session)
