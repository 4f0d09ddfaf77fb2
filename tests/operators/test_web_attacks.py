"""Attacks on the Risk page: hostile addresses and forms, and pages of other sites that act for the person logged in."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from risk.core.calendar import next_session
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser, ApprovalPolicy, open_publication
from risk.limits.register import RequestedChange, request_change
from risk.report.build_facts import build_facts
from tests.breach_desks import BROKEN, run_session
from tests.operators.test_web_model import CARD, store_model
from tests.operators.web_client import Member
from tests.policies import policy_text
from tests.report_desks import book, deliver_fills, insert, open_run, recommend
from tests.track_record_desks import MON, deliver

ANN = AirflowUser("1", "ann")
FUTURE = str(next_session(dt.datetime.now(dt.UTC).date()))

SMALL = policy_text(cut__maximum="60%")

HOSTILE = ("%00", "NET%00001", "99999999999999999999999999", "-1", "0001-01-01", "9999-12-31", "%ed%a0%80", "a" * 5000)
"""NUL, a number that no column holds, the ends of the calendar, half a surrogate, a name that is too long."""

PROTECTION = {
    "content-security-policy": r"default-src 'none'.*frame-ancestors 'self'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

CHANGE = {"account_id": "NET001", "limit": "3000", "reason": "calm since", "start": FUTURE, "end": ""}
DECISION = {"account_id": "NET001", "action": "edited", "seen": "0" * 64, "limit": "3000", "reason": "calm"}
FORMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/limits/changes", "request a change of a limit", CHANGE),
    ("/limits/platform", "confirm limits on the platform", {"entered": "3000 NET001"}),
    ("/limits/changes/1/decisions", "limit change 1", {"action": "approved", "seen": "0" * 64}),
    (f"/limits/changes/{10**30}/decisions", f"limit change {10**30}", {"action": "approved", "seen": "0" * 64}),
    ("/approvals/1/decisions", "approval 1", DECISION),
    (f"/approvals/{10**30}/decisions", f"approval {10**30}", DECISION),
    ("/approvals/1/cuts", "approval 1", {"seen": "0" * 64}),
    (
        f"/breaches/{MON}/NET001/entries",
        f"breach {MON} NET001",
        {"action": "closed", "sentence": "calm", "reason": "data error", "seen_entry": ""},
    ),
    ("/notes", "note about NET001 ", {"account_id": "NET001", "sentence": "calm", "corrects": ""}),
    (
        "/notes",
        f"note about NET001 {MON}",
        {"account_id": "NET001", "session_date": str(MON), "sentence": "calm", "corrects": "1"},
    ),
    ("/policy/trials", "try or adopt a policy", {"policy": SMALL, "first": FUTURE, "last": FUTURE}),
    ("/policy/adoptions", "try or adopt a policy", {"policy": SMALL, "valid_from": FUTURE, "reason": "calm"}),
    ("/policy/trials/1/runs", "run trial 1", {}),
    ("/policy/requests/1/decisions", "policy request 1", {"action": "approved", "seen": "0" * 64}),
)
"""Address, purpose of the token, and a form that is read."""


def paths(client: Any, method: str) -> list[str]:
    return [route.path for route in client.app.routes if method in route.methods]


def is_protected(answer: Any) -> bool:
    return all(re.search(value, answer.headers.get(name, "")) for name, value in PROTECTION.items())


@pytest.fixture
def morning(connection: Connection) -> None:
    """Store a report, a publication, a change that waits, a breach and a model."""
    deliver(connection, BROKEN)
    run_session(connection)
    store_model(connection, CARD)
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60")
    book(connection, "NET001", input_fingerprint=deliver_fills(connection, run, "NET001"))
    facts = build_facts(connection, run)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)
    open_publication(connection, run, ApprovalPolicy("all", False), dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    change = RequestedChange("NET001", "4000", FUTURE, "", "calm since")
    request_change(connection, change, ANN, has_dual_control=False)


@pytest.fixture
def lenient(client: Any) -> Any:
    """Give a client that gets the answer to an error that nobody has caught, as a browser does."""
    from fastapi.testclient import TestClient

    return TestClient(client.app, follow_redirects=False, raise_server_exceptions=False)


@pytest.mark.usefixtures("morning")
def test_no_address_breaks_the_page(lenient: Any) -> None:
    broken = []
    for path in paths(lenient, "GET"):
        for text in HOSTILE:
            address = re.sub(r"\{[^}]+\}", text, path)
            for asked in (address, f"{address}?rows={text}&account_id={text}&limit={text}&date={text}"):
                answer = lenient.get(asked)
                if answer.status_code >= 500 or not is_protected(answer):
                    broken.append((asked[:80], answer.status_code))

    assert broken == []


@pytest.mark.usefixtures("morning")
@pytest.mark.parametrize("text", ["\0", "NET\0001", "9" * 30])
def test_no_form_breaks_the_page(lenient: Any, text: str) -> None:
    from risk.web.access import form_token

    broken = []
    for address, purpose, form in FORMS:
        for field in (*form, "none of them"):
            token = form_token(ANN, purpose)
            answer = lenient.post(address, data={**form, "token": token, field: text})
            if answer.status_code >= 500 or not is_protected(answer):
                broken.append((address, field, answer.status_code))

    assert broken == []


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/reports/2025-08-15", "/assets/risk.css", "/sessions?date=2025-08-15"]
)
def test_every_answer_carries_the_headers(
    client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, path: str
) -> None:
    (tmp_path / "desk" / "2025-08-15").mkdir(parents=True)
    (tmp_path / "desk" / "2025-08-15" / "report.html").write_text("<p>A report")
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path))

    assert is_protected(client.get(path))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:81"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_form_of_another_site_is_refused(client: Any, headers: dict[str, str]) -> None:
    for path in paths(client, "POST"):
        answer = client.post(re.sub(r"\{[^}]+\}", "1", path), headers=headers)

        assert answer.status_code == 403
        assert "another site" in answer.text
        assert is_protected(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        {"Origin": "https://risk.example.com"},
    ],
)
def test_form_of_our_own_page_is_read(client: Any, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    # Behind a proxy that ends TLS the page has the address that people use, and the server sees another one.
    monkeypatch.setenv("RISK_BASE_URL", "https://risk.example.com/airflow")

    answer = client.post("/limits/changes", headers=headers)

    assert "This form has expired" in answer.text


def test_nobody_decides_with_the_login_that_tasks_have(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    from risk.web import access

    monkeypatch.setenv("AIRFLOW_CONN_RISK_AIRFLOW", '{"conn_type": "http", "login": "notes", "password": "word"}')
    monkeypatch.setattr(access, "_requires_decider", lambda *_: None)
    monkeypatch.setattr(access, "_requires_trigger", lambda *_: None)
    for one in (access.DECIDER, access.TRIGGERER):
        client.app.dependency_overrides.pop(one.dependency, None)
    form = {**CHANGE, "token": ""}

    client.app.dependency_overrides[get_user] = lambda: Member("9", "notes")
    refused = client.post("/limits/changes", data=form)
    client.app.dependency_overrides[get_user] = lambda: Member("1", "ann")

    assert refused.status_code == 403
    assert "tasks have its password" in refused.text
    assert client.post("/limits/changes", data=form).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "query", "wanted"),
    [
        ("GET", "/risk/approvals/1", b"page=2", "/risk/approvals/1?page=2"),
        ("GET", "/approvals/1", b"", "/risk/approvals/1"),  # as a server that leaves the mount out
        ("GET", "/risk/", b"", "/risk/"),
        ("POST", "/risk/approvals/1/cuts", b"", "/risk/"),
    ],
)
def test_login_returns_to_the_page_that_was_asked_for(method: str, path: str, query: bytes, wanted: str) -> None:
    from fastapi import Request

    from risk.web.app import login_target

    scope = {"type": "http", "method": method, "path": path, "root_path": "/risk", "query_string": query, "headers": []}

    assert login_target(Request({**scope, "server": ("risk.test", 443), "scheme": "https"})) == wanted
