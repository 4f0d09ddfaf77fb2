"""The Risk page: what it shows, who may see it, who may decide, and what it says where there is nothing to show."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import (
    APPROVED,
    AirflowUser,
    ApprovalPolicy,
    Publication,
    open_publication,
)
from risk.limits.publish import publish
from risk.limits.stand_in import StandInPolicy
from risk.report.build_facts import build_facts
from risk.report.doctor import check_newest_run
from tests.approval_desks import answer, stand_in_due
from tests.operators.web_client import Member, figures, words
from tests.report_desks import SESSION, book, insert, open_run, recommend, store_report

ANN = AirflowUser("1", "ann")
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def publication(connection: Connection, run: Run) -> Publication:
    return open_publication(connection, run, ApprovalPolicy("all", False), FAR)


def shown_form(client: Any, publication: Publication) -> dict[str, str]:
    """Read the hidden fields of the form for NET001."""
    shown = client.get(f"/approvals/{publication.publication_id}").text
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))


def send(client: Any, publication: Publication, shown: dict[str, str], **changes: str) -> Any:
    form = {"action": "edited", "limit": "3000", "reason": "calm since"}
    return client.post(f"/approvals/{publication.publication_id}/decisions", data={**form, **shown, **changes})


def test_today_shows_the_facts_of_the_newest_report(client: Any, run: Run) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    # 5,000 less 60 % is 2,000.
    assert "Reduce 1 limit before the open: NET001 to $2,000." in words(answer)
    assert '<h1>Reduce 1 limit before the open: <a href="/traders/NET001">NET001</a> to $2,000.</h1>' in answer.text
    assert "NET001 $2,000 -$3,000 HIGH 60% $5,000 $5,000 $2,346 -$1,033.20 Firm rule" in words(answer)
    assert "No approval was requested and nothing was published" in words(answer)
    assert "fees look odd" in words(answer)
    assert "<b>streak" not in answer.text
    assert "&lt;b&gt;streak" in answer.text


def dry_run(connection: Connection, session_date: dt.date, cut: str, revision: int = 2) -> None:
    past = open_run(connection, session_date=session_date, revision=revision, is_point_in_time=True)
    recommend(connection, past, "NET001", cut)
    facts = build_facts(connection, past)
    insert(connection, "reports", run_id=past.run_id, facts=facts.canonical, facts_sha256=facts.sha256)


def test_point_in_time_runs_are_neither_today_nor_a_traders_current_limit(
    client: Any, connection: Connection, run: Run
) -> None:
    dry_run(connection, SESSION, "0.20")
    dry_run(connection, dt.date(2025, 8, 18), "0.20", revision=1)

    for path in ("/", "/sessions/2025-08-15"):
        assert "NET001 $2,000 -$3,000 HIGH 60%" in words(client.get(path))
    trader = words(client.get("/traders/NET001"))
    assert "For 2025-08-18: HIGH , reduce limit by 60%" in trader
    assert "2025-08-18 HIGH 60% $2,000 not published" in trader


def test_session_shows_a_point_in_time_run_where_it_is_the_only_report(
    client: Any, connection: Connection, run: Run
) -> None:
    dry_run(connection, dt.date(2025, 8, 14), "0.20", revision=1)

    assert "NET001" in words(client.get("/sessions/2025-08-14"))


def fail(connection: Connection, **changes: Any) -> None:
    failure = {"event": "failure", "dag_id": "daily_risk", "dag_run_id": "manual__9", "task_id": "extract_fills"}
    noted = {"try_number": 1, "error_class": "InputError", "message": "fills_b.csv has no header.\n- more"}
    insert(connection, "audit_log", **{**failure, **noted, **changes})


def test_today_says_that_the_newest_run_failed_until_there_is_a_report_of_it(
    client: Any, connection: Connection, run: Run
) -> None:
    assert "newest run failed" not in words(client.get("/"))
    fail(connection, session_date=SESSION)

    shown = words(client.get("/"))
    session = words(client.get("/sessions/2025-08-15"))
    later = open_run(connection, revision=2)
    facts = build_facts(connection, later)
    insert(connection, "reports", run_id=later.run_id, facts=facts.canonical, facts_sha256=facts.sha256)

    assert "The newest run failed. Task extract_fills of session 2025-08-15, " in shown
    assert "fills_b.csv has no header. These limits are from the last report, of session 2025-08-15." in shown
    assert "- more" not in shown
    assert "newest run failed" not in session
    assert "newest run failed" not in words(client.get("/"))


@pytest.mark.parametrize(
    "changes", [{"dag_id": "weekly_model"}, {"event": "withdrawal"}], ids=["another DAG", "another event"]
)
def test_today_says_nothing_of_other_events(
    client: Any, connection: Connection, run: Run, changes: dict[str, str]
) -> None:
    fail(connection, **changes)

    assert "newest run failed" not in words(client.get("/"))


def test_today_says_nothing_of_a_run_that_recovered_or_was_mailed(
    client: Any, connection: Connection, run: Run
) -> None:
    fail(connection)
    alarm = {"kind": "recovery", "dag_id": "daily_risk", "clear_number": 1, "subject": "recovered"}
    insert(connection, "alarms", dag_run_id="manual__9", **alarm)
    assert "newest run failed" not in words(client.get("/"))

    fail(connection, dag_run_id="manual__10")
    assert "newest run failed" in words(client.get("/"))


def test_today_says_why_there_is_no_report_when_the_first_run_failed(client: Any, connection: Connection) -> None:
    fail(connection)

    shown = words(client.get("/"))
    assert "The newest run failed. Task extract_fills," in shown
    assert "fills_b.csv has no header." in shown


def test_doctor_says_that_the_newest_run_failed(connection: Connection, run: Run) -> None:
    assert check_newest_run(connection).is_healthy
    fail(connection, session_date=SESSION)

    found = check_newest_run(connection)

    assert not found.is_healthy
    assert "task extract_fills of session 2025-08-15" in found.sentence
    assert "fills_b.csv has no header." in found.sentence


def test_trader_shows_exceedances_of_the_forecast(client: Any, connection: Connection, run: Run) -> None:
    for day, quantile in ((14, -5000), (15, -1000)):
        issued = {"run_id": run.run_id, "is_live": True, "expert": "calibrated", "quantile_05_usd": quantile}
        insert(connection, "forecasts", account_id="NET001", effective_session=dt.date(2025, 8, day), **issued)
    book(connection, "NET001", dt.date(2025, 8, 14))

    answer = client.get("/traders/NET001")

    # -1,033.20 is below -1,000 on one day and above -5,000 on the other.
    assert "1 exceedance in 2 forecasts" in words(answer)
    *_, forecast = figures(answer)
    assert [trace["x"] for trace in forecast["data"] if trace["name"] == "Exceedance"] == [["2025-08-15"]]
    assert "2025-08-15 -$1,033.20 -$1,000.00 exceedance 2025-08-14 -$1,033.20 -$5,000.00" in words(answer)
    assert "2025-08-18 HIGH 60% $2,000 not published unknown Rules" in words(answer)


def test_trader_is_measured_by_the_reported_forecast(client: Any, connection: Connection, run: Run) -> None:
    # The report for the 18th forecast -2,345.67 by the model; none covered the 15th.
    for day in (SESSION, run.effective_session):
        issued = {"run_id": run.run_id, "is_live": True, "expert": "calibrated", "quantile_05_usd": -1000}
        insert(connection, "forecasts", account_id="NET001", effective_session=day, **issued)
    book(connection, "NET001", run.effective_session)

    shown = words(client.get("/traders/NET001"))

    # -1,033.20 on both days.
    assert "1 exceedance in 2 forecasts" in shown
    assert "2025-08-15 -$1,033.20 -$1,000.00 exceedance" in shown


def test_trader_shows_what_the_newest_report_says(client: Any, connection: Connection, run: Run) -> None:
    shown = words(client.get("/traders/NET001"))

    assert "For 2025-08-18: HIGH , reduce limit by 60% New limit: $2,000 (was $5,000)" in shown
    assert "not a forecast =1+1 &lt;b&gt;streak&lt;/b&gt; Forecast: 95% VaR $2,346" in shown
    assert (
        "Recommended cut: rules 60%, model 25%. 2025-08-15: net P&L -$812.30, -$1,033.20 including open positions."
        in shown
    )


def test_trader_without_a_limit_is_distinguished_from_one_with(client: Any, connection: Connection, run: Run) -> None:
    book(connection, "GONE")

    assert "No limit for 2025-08-18 The newest report does not list this account" in words(client.get("/traders/GONE"))


def test_form_for_a_session_leads_to_its_address(client: Any) -> None:
    answer = client.get("/sessions?date=2025-08-15")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sessions/2025-08-15")
    assert client.get("/sessions?date=today").status_code == 422


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/traders/NOBODY", "No account named 'NOBODY' has ever traded"),
        ("/traders/%3Cscript%3E", "has ever traded"),
        ("/sessions/2999-01-04", "lies in the future"),
        ("/sessions/2025-08-16", "is no session of XNYS: ask for 2025-08-15 or 2025-08-18"),
        ("/sessions/2025-08-13", "Session 2025-08-13 has no report"),
        ("/approvals/4711", "No approval was requested"),
        ("/reports/2001-01-03", "No report of 2001-01-03 is stored: run the session first."),
        ("/assets/secrets.json", "There is no file"),
        ("/nowhere", "Not Found"),
    ],
)
def test_page_says_clearly_that_there_is_nothing(client: Any, run: Run, path: str, sentence: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert sentence in words(answer).replace("&#39;", "'")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/sessions/yesterday", "/sessions/2025-08-15?known=never", "/approvals/x"])
def test_page_says_what_it_cannot_read(client: Any, run: Run, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 422
    assert "Invalid value" in words(answer)


def test_no_page_of_the_navigation_is_missing_before_the_first_run(client: Any) -> None:
    today = client.get("/")
    assert "No session has a report yet" in words(today)
    assert "make run" in words(today)
    links = re.findall(r'<li><a href="([^"]+)"', today.text)

    assert len(links) >= 6
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", '/" aria-current="page">Today'),
        ("/limits", '/limits" aria-current="page">Limits'),
        ("/breaches/2025-08-15/NET001", '/breaches" aria-current="true">Breaches'),
        ("/nowhere", ""),
    ],
)
def test_navigation_is_the_same_everywhere_and_marks_the_page(client: Any, run: Run, path: str, marked: str) -> None:
    names = ["Today", "Limits", "Breaches", "Policy", "Model", "Track record"]

    text = client.get(path).text
    links = text[text.index('<nav aria-label="Risk">') : text.index("</nav>")]

    assert [name for name in re.findall(r">([\w ]+)</a>", links) if name in names] == names
    assert links.count("aria-current") == (1 if marked else 0)
    assert marked in links


@pytest.mark.parametrize(
    "path", ["/", "/sessions/2025-08-15", "/traders/NET001", "/approvals/1", "/limits", "/track-record", "/model"]
)
def test_page_says_that_the_database_is_down(client: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("RISK_PAGE_DSN", "postgresql://risk_page:hunter2@127.0.0.1:9/nowhere")

    answer = client.get(path)

    assert answer.status_code == 503
    assert "The warehouse does not respond" in words(answer)
    assert "hunter2" not in answer.text
    assert "127.0.0.1" not in answer.text


def test_every_page_forbids_what_comes_from_elsewhere(client: Any, run: Run, publication: Publication) -> None:
    for path in (
        "/",
        "/sessions/2025-08-15",
        "/traders/NET001",
        f"/approvals/{publication.publication_id}",
        "/limits",
        "/track-record",
        "/no",
    ):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "http" not in policy
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), path
        assert "style=" not in answer.text
        assert not re.search(r'<script(?! src| type="application/json")', answer.text)


def test_limit_that_is_set_is_decided_and_the_page_is_shown_again(
    client: Any, connection: Connection, publication: Publication
) -> None:
    answer = send(client, publication, shown_form(client, publication))

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/approvals/{publication.publication_id}")
    shown = words(client.get(f"/approvals/{publication.publication_id}"))
    assert "ann set $3,000: calm since" in shown
    assert "limit set $3,000 ann calm since" in shown
    assert "approved $3,000 ann calm since" in shown


def test_all_cuts_are_approved_at_once_below_their_names_and_amounts(
    client: Any, connection: Connection, publication: Publication
) -> None:
    shown = client.get(f"/approvals/{publication.publication_id}")
    assert "NET001 : $2,000 (in force $5,000) Approve all cuts as recommended" in words(shown)
    form = shown_form(client, publication)
    path = f"/approvals/{publication.publication_id}/cuts"

    assert client.post(path, data={"token": form["token"], "seen": ["0" * 64]}).status_code == 409
    for _ in range(2):
        assert client.post(path, data={"token": form["token"], "seen": [form["seen"]]}).status_code == 303

    stored = rows(connection, "risk_page/select_decisions", {"publication_id": publication.publication_id})
    assert [row[:3] for row in stored] == [("NET001", "approved", Decimal(2000))]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"limit": "900"}, "not between the lowest limit $1,000"),
        ({"limit": "6000"}, "and the base limit $5,000"),
        ({"reason": " "}, "reason is missing"),
        ({"token": "forged"}, "was not shown to you"),
        ({"account_id": "NET002"}, "NET002 needs no approval"),
        ({"seen": "0" * 64}, "NET001 is no longer what you were shown"),
    ],
)
def test_limit_is_not_set_and_the_answer_says_why_and_nothing_is_stored(
    client: Any, connection: Connection, publication: Publication, changes: dict[str, str], sentence: str
) -> None:
    answer = send(client, publication, shown_form(client, publication), **changes)

    assert answer.status_code == 409
    assert sentence in words(answer)
    assert rows(connection, "risk_page/select_decisions", {"publication_id": publication.publication_id}) == []


def test_superseded_approval_links_to_the_one_that_counts(
    client: Any, connection: Connection, publication: Publication
) -> None:
    again = open_run(connection, revision=2)
    recommend(connection, again, "NET001", "0.40")
    store_report(connection, again)
    later = open_publication(connection, again, ApprovalPolicy("all", False), FAR)

    answer = client.get(f"/approvals/{publication.publication_id}")

    assert "Superseded by a later report" in words(answer)
    assert f'href="/approvals/{later.publication_id}"' in answer.text
    assert 'method="post"' not in answer.text


def test_who_may_not_decide_sees_the_limits_and_no_form(client: Any, publication: Publication) -> None:
    from risk.web.access import may_decide
    from risk.web.app import app

    app.dependency_overrides[may_decide] = lambda: False

    answer = client.get(f"/approvals/{publication.publication_id}")

    assert "NET001: HIGH , cut 60%" in words(answer)
    assert "Read-only: approving requires" in words(answer)
    assert 'method="post"' not in answer.text


def test_stand_in_sees_who_may_decide_and_gets_the_forms_in_his_time(
    client: Any, connection: Connection, run: Run
) -> None:
    policy = ApprovalPolicy("all", False, StandInPolicy(("ann", "sam"), dt.timedelta(minutes=30)))
    publication = open_publication(connection, run, policy, FAR)
    path = f"/approvals/{publication.publication_id}"

    before = client.get(path)
    stand_in_due(connection, publication)
    after = client.get(path)

    assert "Until 2100-01-01 08:30 New York ann, sam may not decide, then too: stand-in" in words(before)
    assert 'method="post"' not in before.text
    assert "ann, sam may decide, too: stand-in for whoever does not answer." in words(after)
    assert "Approve $2,000" in words(after)


def test_form_of_one_person_is_refused_from_another(client: Any, publication: Publication) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    from risk.web.app import app

    stolen = shown_form(client, publication)
    app.dependency_overrides[get_user] = lambda: Member("2", "eve")

    assert send(client, publication, stolen).status_code == 409


def test_form_without_token_is_refused(client: Any, publication: Publication) -> None:
    form = shown_form(client, publication)
    del form["token"]

    assert send(client, publication, form).status_code == 422


def test_published_limits_and_who_decided_are_shown(
    client: Any, connection: Connection, publication: Publication
) -> None:
    answer(connection, publication, "NET001", APPROVED, ANN)
    publish(connection, publication, None)

    today = words(client.get("/"))
    assert "$2,000 (approved by ann)" in today
    # NET002 keeps 5,000.
    assert "Published: $7,000 in force in all." in today
    assert "$2,000, approved by ann" in words(client.get("/traders/NET001"))
    assert "Approved by ann: $2,000" in words(client.get(f"/approvals/{publication.publication_id}"))


def test_trader_shows_as_many_recommendations_as_asked_for(client: Any, connection: Connection, run: Run) -> None:
    earlier = open_run(connection, session_date=dt.date(2025, 8, 14))
    recommend(connection, earlier, "NET001", "0.30")
    insert(connection, "reports", run_id=earlier.run_id, facts="{}", facts_sha256="0")

    few, everything = client.get("/traders/NET001?rows=1").text, client.get("/traders/NET001").text

    assert ("HIGH" in few, "MODERATE" in few, "Show all" in few) == (True, False, True)
    assert ("HIGH" in everything, "MODERATE" in everything, "Show all" in everything) == (True, True, False)
