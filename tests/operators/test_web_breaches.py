"""The pages about breaches: what is open, and the form that closes, corrects and reopens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import HTTPException

from risk.core.warehouse import Connection
from risk.limits.breaches import CLOSED, OPEN, read_entries, read_item
from tests.breach_desks import BROKEN, run_session
from tests.operators.web_client import Member, words
from tests.report_desks import insert
from tests.track_record_desks import MON, deliver

PAGE = f"/breaches/{MON}/NET001"


@pytest.fixture(autouse=True)
def breach(connection: Connection) -> None:
    """Let NET001 lose 7,000 under a limit of 5,000 in a session whose report was mailed."""
    from risk.report.build_facts import build_facts

    deliver(connection, BROKEN)
    run = run_session(connection)
    facts = build_facts(connection, run)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)


def enter(client: Any, **changes: str) -> Any:
    """Send the form that the page shows."""
    hidden = dict(re.findall(r'name="(token|seen_entry)" value="([^"]*)"', client.get(PAGE).text))
    form = {**hidden, "action": "closed", "reason": "traded on", "sentence": "spoke to him"}
    return client.post(f"{PAGE}/entries", data={**form, **changes})


def test_breach_is_listed_on_today_and_the_trader_s_page_until_it_is_closed(
    client: Any, connection: Connection
) -> None:
    open_item = "2025-08-04 NET001 : limit $5,000, down at least $7,000"
    for path in ("/", "/traders/NET001"):
        shown = words(client.get(path))
        assert open_item in shown
        assert "1 open item" in shown
    assert "Breach of $5,000 (default base limit), down at least $7,000 (140%) at 09:39" in words(client.get(PAGE))

    answer = enter(client)

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert read_item(connection, "NET001", MON).state == CLOSED
    assert "closed traded on spoke to him ann" in words(client.get(PAGE))
    for path in ("/", "/traders/NET001"):
        assert open_item not in words(client.get(path))
    assert "2025-08-04 NET001 closed $5,000 $7,000.00 traded on (spoke to him), ann" in words(client.get("/breaches"))


def test_trader_s_page_shows_the_receipts(client: Any) -> None:
    # 7,000 of 5,000 at 09:39, sold at once; from the top, which is 0.
    row = "2025-08-04 -$7,000.00 $5,000 $7,000.00 140% breach"
    assert row in words(client.get("/traders/NET001"))


def test_closed_breach_is_corrected_and_reopened(client: Any, connection: Connection) -> None:
    enter(client)
    assert "Reopen this breach" in words(client.get(PAGE))

    assert enter(client, reason="data error", sentence="wrong fills").status_code == 303
    assert enter(client, action="reopened", sentence="right fills").status_code == 303

    assert read_item(connection, "NET001", MON).state == OPEN
    actions = [(row["action"], row["reason"]) for row in read_entries(connection, "NET001", MON)]
    assert actions == [("closed", "traded on"), ("closed", "data error"), ("reopened", None)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "forged"}, 409),
        ({"reason": "because"}, 409),
        ({"sentence": " "}, 409),
        ({"seen_entry": "7"}, 409),
        ({"action": "deleted"}, 422),
    ],
)
def test_unusable_form_stores_nothing(client: Any, connection: Connection, changes: dict[str, str], code: int) -> None:
    assert enter(client, **changes).status_code == code
    assert read_entries(connection, "NET001", MON) == []


def test_token_of_another_person_and_of_another_breach_is_refused(client: Any, connection: Connection) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    from risk.limits.approvals import AirflowUser
    from risk.web.access import form_token

    other = form_token(AirflowUser("1", "ann"), f"breach {MON} NET002")
    assert enter(client, token=other).status_code == 409
    hers = re.findall(r'name="token" value="([^"]*)"', client.get(PAGE).text)[0]
    client.app.dependency_overrides[get_user] = lambda: Member("2", "bob")
    assert enter(client, token=hers).status_code == 409
    assert read_entries(connection, "NET001", MON) == []


def test_reader_without_the_role_sees_no_form_and_stores_nothing(client: Any, connection: Connection) -> None:
    from risk.web.access import DECIDER, may_decide

    def refuse() -> None:
        raise HTTPException(403, "Forbidden")

    client.app.dependency_overrides |= {may_decide: lambda: False, DECIDER.dependency: refuse}

    shown = client.get(PAGE)

    assert '<form method="post"' not in shown.text
    assert "requires the Airflow role User" in words(shown)
    assert enter(client).status_code == 403
    assert read_entries(connection, "NET001", MON) == []


def test_account_session_that_is_no_item_is_not_found(client: Any) -> None:
    assert client.get(f"/breaches/{MON}/NET002").status_code == 404
    assert client.get("/breaches/yesterday/NET001").status_code == 422
