"""Pages and mails with hundreds of open items, thousands of warnings: bounded, and complete elsewhere."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.approvals import Publication
from risk.report.build_facts import build_facts
from risk.report.facts import Facts, RestatementFacts, WarningFacts
from risk.report.page import Links
from risk.report.render import render_report
from tests.approval_desks import opened, reported
from tests.operators.web_client import words
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend

OPEN_COUNT = 300


@pytest.fixture
def publication(connection: Connection) -> Publication:
    run = reported(connection, 1, **{f"T{number:03d}": "0.60" for number in range(OPEN_COUNT)})
    return opened(connection, run)


def shown(client: Any, publication: Publication, query: str = "") -> str:
    answer = client.get(f"/approvals/{publication.publication_id}{query}")
    assert answer.status_code == 200
    return str(answer.text)


def test_approval_of_hundreds_has_pages_and_a_decision_returns_to_its_own(
    client: Any, publication: Publication
) -> None:
    pages = [shown(client, publication, f"?page={number}") for number in (1, 2, 3, 9)]

    sections = [re.findall(r'class="name">(T\d+): <span', page) for page in pages]
    assert [len(names) for names in sections] == [100, 100, 100, 100]
    assert (sections[1][0], sections[3]) == ("T100", sections[2])
    assert "Traders 101 to 200 of 300" in pages[1]
    assert "300 limits to decide by" in pages[1]
    assert max(map(len, pages)) < 1_000_000
    part = next(part for part in pages[1].split("<section") if 'name="account_id" value="T150"' in part)
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', part))
    path = f"/approvals/{publication.publication_id}"

    answer = client.post(f"{path}/decisions", data={**form, "action": "rejected"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?page=2")
    assert "299 limits to decide by" in shown(client, publication)


def test_all_cuts_of_hundreds_are_approved_at_once(client: Any, publication: Publication) -> None:
    text = shown(client, publication)
    token = re.findall(r'name="token" value="([^"]*)"', text)[0]
    cuts = text[text.index("Cuts that wait") : text.index("Approve all cuts as recommended")]
    # A form of more than 1,000 fields is refused: however many cuts there are, they are one.
    (seen,) = re.findall(r'name="seen" value="([0-9a-f ]+)"', cuts)
    assert len(seen.split()) == OPEN_COUNT

    answer = client.post(f"/approvals/{publication.publication_id}/cuts", data={"token": token, "seen": seen})

    assert answer.status_code == 303
    after = shown(client, publication)
    assert "Every limit is decided." in after
    assert "The newest 100 of 300." in after
    pages = [shown(client, publication, f"?rows=1000&page-decisions={number}") for number in (1, 2, 3)]
    assert [page.count("<td>approved</td>") for page in pages] == [100, 100, 100]


@pytest.fixture
def flooded(connection: Connection) -> tuple[Run, Facts]:
    """Report a session with thousands of unread files, rejected rows and restatements."""
    run = open_run(connection)
    recommend(connection, run, cut="0.60")
    book(connection, input_fingerprint=deliver_fills(connection, run))
    facts = dataclasses.replace(
        build_facts(connection, run),
        warnings=tuple(WarningFacts("file", "", f"x{number}.csv is not read") for number in range(5_000)),
        restatements=tuple(
            RestatementFacts(f"T{number:04d}", SESSION, Decimal(0), Decimal(number), "fees restated")
            for number in range(3_000)
        ),
    )
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)
    return run, facts


def test_mail_with_thousands_of_warnings_shows_the_first_and_counts_the_rest(flooded: tuple[Run, Facts]) -> None:
    run, facts = flooded

    rendered = render_report(facts, run, Links())

    assert len(rendered.html) < 150_000
    for view in (rendered.html, rendered.text):
        text = " ".join(view.split())
        assert "x19.csv is not read" in text
        assert "x20.csv is not read" not in text
        assert "4,980 more warnings in report.json" in text
        assert "T2980, 2025-08-15: $0.00 restated to +$2,980.00 (fees restated)" in text
        assert "T2979," not in text
        assert "2,980 more restatements, smaller ones, in report.json" in text


def test_pages_with_thousands_of_warnings_show_the_first_and_count_the_rest(
    client: Any, flooded: tuple[Run, Facts]
) -> None:
    for path in ("/", f"/sessions/{SESSION}"):
        answer = client.get(path)
        assert len(answer.text) < 150_000
        assert "4,900 more warnings in report.json of the session." in words(answer)
        assert "2,900 more restatements in report.json of the session." in words(answer)
