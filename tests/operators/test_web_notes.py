"""Notes on the pages of traders and sessions: the form, who may write, what is refused, and what an attacker writes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import HTTPException

from risk.core.warehouse import Connection
from risk.limits.notes import read_notes
from tests.operators.web_client import Member, words
from tests.report_desks import SESSION, book, deliver_fills, open_run, recommend, store_report

TRADER, DAY = "/traders/NET001", f"/sessions/{SESSION}"


@pytest.fixture(autouse=True)
def desk(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60")
    book(connection, "NET001", input_fingerprint=deliver_fills(connection, run, "NET001"))
    store_report(connection, run)


def add(client: Any, page: str, **changes: str) -> Any:
    """Send the form that a page shows."""
    (form,) = re.findall(r'<form method="post" action="/notes">.*?</form>', client.get(page).text, re.S)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return client.post("/notes", data={**hidden, "sentence": "He was ill.", "corrects": "", **changes})


def test_note_about_a_trader_stands_on_his_page_and_in_its_exports(client: Any) -> None:
    answer = add(client, TRADER)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{TRADER}#notes")
    assert "ann NET001 He was ill." in words(client.get(TRADER))
    assert ",ann,NET001,He was ill.,," in client.get(f"{TRADER}?format=csv&table=notes").text


def test_note_about_a_session_stands_on_its_page_only(client: Any) -> None:
    answer = add(client, DAY, sentence="Exchange halted.")

    assert answer.headers["Location"] == f"{DAY}#notes"
    assert f"ann the desk on {SESSION} Exchange halted." in words(client.get(DAY))
    assert "Exchange halted." not in client.get(TRADER).text


def test_note_about_a_traders_day_stands_there_and_on_his_page(client: Any) -> None:
    day = f"{TRADER}/{SESSION}"

    answer = add(client, day, sentence="Called him at noon.")

    assert answer.headers["Location"] == f"{day}#notes"
    for page in (day, TRADER, DAY):
        assert f"ann NET001 on {SESSION} Called him at noon." in words(client.get(page))


def test_a_correction_is_named_on_both_notes(client: Any, connection: Connection) -> None:
    add(client, TRADER)
    (first,) = read_notes(connection)

    add(client, TRADER, sentence="He was away.", corrects=str(first.note_id))

    shown = words(client.get(TRADER))
    assert f"He was away. note {first.note_id}" in shown
    assert f"He was ill. note {first.note_id + 1}" in shown


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"token": "forged"}, 409, "has expired or was not shown to you"),
        ({"account_id": "NET002"}, 409, "has expired or was not shown to you"),
        ({"session_date": "2025-08-14"}, 409, "has expired or was not shown to you"),
        ({"session_date": "tomorrow"}, 409, "is not a date"),
        ({"sentence": ""}, 409, "The note is empty"),
        ({"sentence": "x" * 100_000}, 409, "The note has 100,000 characters: use at most 2,000"),
        ({"sentence": "x" * 300_000}, 422, "Invalid value: sentence"),
        ({"corrects": "7"}, 409, "Note 7 is not about NET001"),
        ({"corrects": "-7"}, 422, "Invalid value: corrects"),
    ],
)
def test_a_note_that_cannot_stand_is_refused_with_a_sentence(
    client: Any, connection: Connection, changes: dict[str, str], code: int, sentence: str
) -> None:
    answer = add(client, TRADER, **changes)

    assert answer.status_code == code
    assert sentence in words(answer).replace("&#39;", "'")
    assert read_notes(connection) == []


def test_what_an_attacker_writes_is_shown_as_text(client: Any) -> None:
    add(client, TRADER, sentence='<script>alert(1)</script>" onload="x {{ 7*7 }} =1+1')

    shown = client.get(TRADER).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34; onload=&#34;x {{ 7*7 }} =1+1" in shown


def test_a_viewer_reads_notes_and_writes_none(client: Any, connection: Connection) -> None:
    add(client, TRADER)
    token = re.search(r'name="token" value="([^"]*)"', client.get(TRADER).text)
    assert token is not None

    from risk.web.access import requires_decider

    def refuse() -> None:
        raise HTTPException(403, "Forbidden")

    client.app.dependency_overrides[requires_decider] = refuse
    from risk.web.access import may_decide

    client.app.dependency_overrides[may_decide] = lambda: False

    shown = words(client.get(TRADER))
    assert "He was ill." in shown
    assert "writing notes requires the Airflow role User" in shown
    sent = client.post("/notes", data={"account_id": "NET001", "sentence": "x", "token": token[1]})
    assert sent.status_code == 403
    assert len(read_notes(connection)) == 1


def test_a_form_that_another_person_was_shown_is_refused(client: Any, connection: Connection) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    (token,) = re.findall(r'name="token" value="([^"]*)"', client.get(TRADER).text)
    client.app.dependency_overrides[get_user] = lambda: Member("2", "bob")

    sent = client.post("/notes", data={"account_id": "NET001", "sentence": "x", "token": token})

    assert sent.status_code == 409
    assert read_notes(connection) == []
