"""The pages about the policy: trials that a run computes, adoption, and the second person of dual control."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest

from risk.core.calendar import next_session
from risk.core.exchange import exchange_zone
from risk.core.policy_store import read_policies
from risk.core.warehouse import Connection
from risk.limits.policy_requests import read_requests
from risk.limits.trial_outcomes import read_outcome
from risk.limits.trials import read_trials
from risk.operators.policy_trial import JudgeTrialsOperator, TryPolicyOperator
from tests.operators.test_web_limits import login
from tests.operators.web_client import Runs, figures, words
from tests.policies import SHIPPED, policy_text
from tests.report_desks import insert, open_run
from tests.sql.test_limits_what_if import DAYS, LOSSES, deliver_day, report_morning

SOON = next_session(dt.datetime.now(exchange_zone()).date())
UNCONCERNED = policy_text(smallest_loss__base_limit="100%")
SMALL = policy_text(cut__maximum="60%")


GROUPS_TWICE = SHIPPED.replace(
    "groups: []", "groups:" + "".join(f"\n  - {{name: {name}, recipients: [], overrides: {{}}}}" for name in ("A", "a"))
)
UNREACHABLE = SHIPPED.replace("bound: 3\n    cut: 30%", "bound: 6\n    cut: 30%")


def said(answer: Any) -> str:
    """Return what a person reads in an answer."""
    return html.unescape(words(answer))


def token(client: Any, path: str = "/policy") -> str:
    return str(re.findall(r'name="token" value="([^"]+)"', client.get(path).text)[-1])


def send(client: Any, action: str, **changes: str) -> Any:
    form = {
        "policy": UNCONCERNED.replace("\n", "\r\n"),  # as browsers end lines
        "first": str(DAYS[23]),
        "last": str(DAYS[26]),
        "valid_from": str(SOON),
        "reason": "smaller cuts",
        "token": token(client),
    }
    return client.post(f"/policy/{action}", data={**form, **changes})


def decide(client: Any, action: str = "approved", **changes: str) -> Any:
    """Send the form of the first pending request that the page shows."""
    shown = client.get("/policy").text
    path, form = re.findall(r'action="(/policy/requests/[0-9]+/decisions)">(.*?)</form>', shown, re.DOTALL)[0]
    hidden = dict(re.findall(r'name="(token|seen)" value="([^"]+)"', form))
    return client.post(path, data={**hidden, "action": action, **changes})


@pytest.fixture
def report(connection: Connection) -> None:
    """Let limits have been reported."""
    run = open_run(connection)
    insert(connection, "reports", run_id=run.run_id, facts="{}", facts_sha256="0")


def reported_range(connection: Connection) -> dict[str, str]:
    [[day]] = _rows(connection, "select max(effective_session) from runs")
    return {"first": str(day), "last": str(day)}


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_policy_is_tried_in_a_run_and_its_outcome_is_shown(
    client: Any, connection: Connection, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    # given a desk with a calm account and one with losses, and four reported mornings
    for number, day in enumerate(DAYS[:26]):
        deliver_day(connection, "CALM", day, (100, -100)[number % 2])
        deliver_day(connection, "LOSER", day, LOSSES[day])
        if number >= 22:
            report_morning(connection, day)

    sent = send(client, "trials")

    # when: sealed, and nothing computed
    assert (sent.status_code, sent.headers["Location"]) == (303, "/policy/trials/1")
    [trial] = read_trials(connection)
    assert (trial.document.text, trial.author) == (UNCONCERNED, "ann")
    assert read_outcome(connection, 1) is None
    shown = client.get("/policy/trials/1")
    assert "The run is queued : its log shows the progress" in said(shown)
    assert 'href="/dags/policy_trial/runs/trial_1__1"' in shown.text
    assert "Run it again" not in shown.text
    assert "Not computed yet." in said(shown)

    # when the run computes it
    found = TryPolicyOperator(task_id="try_policy", trial_number="1", dag_run_id="trial_1__1").execute({})
    runs.end(1, "success")

    # then
    assert found == {"trial": 1, "morning_count": 4, "changed_count": 3}
    shown = client.get("/policy/trials/1")
    text = said(shown)
    assert "Exploratory. This is one of 1 trial." in text
    assert "4 mornings decided again; 4 come out as reported under their own policy." in text
    assert "smallest_loss.base_limit: 5% -> 100%" in text
    assert f"{DAYS[23]} LOSER moderate, cut 30%, $3,500 low, cut 0%, $5,000" in text
    # stopped at 4,000 plus 5 % of 3,500 instead of closing at 4,000
    assert "results at these limits: +$175 (too few sessions)" in text
    assert re.search(r"In force \S+ \S+ 1 1 -\$175 too few sessions", text)
    assert re.search(r"Tried \S+ \S+ 0 0 \$0 too few sessions", text)
    assert f"{DAYS[23]} -$175.00" in text
    (drawn,) = figures(shown)
    assert [trace["name"] for trace in drawn["data"]] == [
        "in force",
        "everybody by its average",
        "tried",
        "everybody by the tried average",
    ]
    assert "Verdict: open (wealth 1.00 of 40 needed by variant 1, 0 sessions since" in text
    assert "As of" in text
    listed = said(client.get("/policy"))
    assert "1 trial, newest first" in listed
    assert "Verdict: open" in listed

    # when the same policy and range are sent again, the same trial is run again
    assert send(client, "trials").headers["Location"] == "/policy/trials/1"
    assert [run.dag_run_id for run in runs.started[1]] == ["trial_1__1", "trial_1__2"]


def test_all_tried_policies_are_judged_by_a_run(client: Any, connection: Connection, runs: Runs, report: None) -> None:
    day = reported_range(connection)
    send(client, "trials", **day)
    send(client, "trials", policy=SMALL, **day)
    send(client, "trials", policy=SMALL, first="2025-01-02", last=day["last"])
    assert "no verdict yet" in said(client.get("/policy"))

    assert JudgeTrialsOperator(task_id="judge_trials", dag_run_id="weekly").execute({}) == {"policy_count": 2}

    assert said(client.get("/policy")).count("Verdict: open (wealth 1.00 of 120 needed by variant 2") == 2
    assert _rows(connection, "select count(*) from policy_verdicts") == [(2,)]


def test_two_users_at_once_start_one_run(client: Any, connection: Connection, runs: Runs, report: None) -> None:
    day = reported_range(connection)

    send(client, "trials", **day)
    login("bob")
    answer = send(client, "trials", **day)

    assert answer.headers["Location"] == "/policy/trials/1"
    assert (len(runs.started[1]), runs.users, read_trials(connection)[0].author) == (1, ["ann"], "ann")


def test_trial_is_refused_with_its_sentences_and_seals_nothing(
    client: Any, connection: Connection, runs: Runs, report: None
) -> None:
    day = reported_range(connection)
    refused = (
        ({"policy": SHIPPED.replace("measure: loss streak", "measure: moon", 1)}, "found 'moon'"),
        ({"policy": SHIPPED.replace("step: 5%", "step: five")}, "cut.step: found 'five'"),
        ({"policy": "x" * 200_000}, "has 200,000 characters: a policy has at most 100,000"),
        ({"policy": ""}, "policy is empty"),
        ({"policy": GROUPS_TWICE}, "found overlapping groups of one name"),
        ({"policy": UNREACHABLE}, "is unreachable"),
        ({"first": "soon"}, "From 'soon' is not a date"),
        ({"last": ""}, "To '' is not a date"),
        ({"first": "2025-02-03", "last": "2025-01-02"}, "The range begins on 2025-02-03, after it ends on 2025-01-02"),
        ({"first": "2024-01-02", "last": "2024-01-31"}, "No limits were reported for sessions from 2024-01-02"),
        ({"token": "forged"}, "was not shown to you"),
    )
    for changes, sentence in refused:
        answer = send(client, "trials", **{**day, **changes})

        assert answer.status_code == 409, sentence
        assert sentence in said(answer)
    too_large = send(client, "trials", policy="x" * 2_000_000, **day)
    assert (too_large.status_code, "exceeded maximum size" in said(too_large)) == (400, True)
    assert (read_trials(connection), runs.started) == ([], {})


def test_refused_text_stands_in_the_form_again_and_every_error_has_its_line(
    client: Any, connection: Connection, runs: Runs
) -> None:
    broken = SHIPPED.replace("step: 5%", "step: five").replace("maximum: 80%", "maximum: <b>")

    answer = send(client, "trials", policy=broken)

    assert len(re.findall(r"<li>policy, line \d+, cut\.(?:step|maximum): found", answer.text)) == 2
    assert "step: five" in answer.text.partition("<textarea")[2]
    assert "<b>" not in answer.text


def test_warehouse_without_reports_says_so(client: Any, connection: Connection, runs: Runs) -> None:
    assert "nothing was reported in this warehouse yet" in said(send(client, "trials"))


def test_failed_run_says_so_and_can_be_run_again(client: Any, connection: Connection, runs: Runs, report: None) -> None:
    send(client, "trials", **reported_range(connection))
    runs.end(1, "failed")
    sent = token(client, "/policy/trials/1")
    assert "The last run failed" in said(client.get("/policy/trials/1"))

    assert client.post("/policy/trials/1/runs", data={"token": token(client)}).status_code == 409
    assert client.post("/policy/trials/7/runs", data={"token": sent}).status_code == 409
    assert client.post("/policy/trials/1/runs", data={"token": sent}).status_code == 303

    assert [run.dag_run_id for run in runs.started[1]] == ["trial_1__1", "trial_1__2"]
    assert client.get("/policy/trials/7").status_code == 404


def test_without_dual_control_the_user_adopts_himself(client: Any, connection: Connection, runs: Runs) -> None:
    adopted = send(client, "adoptions", policy=SMALL.replace("\n", "\r\n"))

    assert (adopted.status_code, adopted.headers["Location"]) == (303, "/policy")
    newest = read_policies(connection)[0]
    assert (newest.version, newest.document.text, newest.valid_from, newest.author) == (1, SMALL, SOON, "ann")
    assert newest.approver is None
    text = said(client.get("/policy"))
    assert f"1 ({newest.document.content_sha256[:12]}) {SOON} ann" in text
    assert "cut.maximum: 80% -> 60%" in text
    version = client.get("/policy/versions/1")
    assert "cut.maximum: 80% -> 60%" in said(version)
    assert "maximum: 60%" in version.text
    assert client.get("/policy/versions/9").status_code == 404


def test_adoption_is_refused_with_its_reason(client: Any, connection: Connection, runs: Runs) -> None:
    refused = (
        ({"valid_from": "2025-01-02"}, "2025-01-02 is past"),
        ({"valid_from": ""}, "Valid from '' is not a date"),
        ({"valid_from": "9999-12-31"}, "after the calendar's last session"),
        ({"reason": " "}, "A reason is missing"),
        ({"policy": SHIPPED}, "already, version 0: nothing to adopt"),
        ({"policy": SHIPPED.replace("high: 40%", "high: 4%")}, "moderate is unreachable"),
        ({"token": "forged"}, "was not shown to you"),
    )
    for changes, sentence in refused:
        answer = send(client, "adoptions", **changes)

        assert answer.status_code == 409, sentence
        assert sentence in said(answer)
    assert len(read_policies(connection)) == 1


def test_under_dual_control_a_second_person_approves_what_he_was_shown(
    client: Any, connection: Connection, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_DUAL_CONTROL", "1")

    assert send(client, "adoptions", policy=SMALL).status_code == 303

    text = said(client.get("/policy"))
    assert f"from {SOON} on Not in force. Requested by ann" in text
    assert "cut.maximum: 80% -> 60%" in text
    assert "You requested it: a second person must approve it." in text
    assert "Approve request" not in text
    assert decide(client).status_code == 409
    login("Ann")
    assert "may not approve it: a second person has to" in said(decide(client))
    assert len(read_policies(connection)) == 1

    login("bob")
    assert "Approve request 1" in said(client.get("/policy"))
    assert decide(client, seen="0" * 64).status_code == 409
    assert decide(client, token="forged").status_code == 409
    assert decide(client, action="timed_out").status_code == 422
    assert decide(client).status_code == 303

    newest = read_policies(connection)[0]
    assert (newest.version, newest.author, newest.approver) == (1, "ann", "bob")
    assert "Request 1" in said(client.get("/policy")).partition("Earlier requests")[2]


def test_rejected_request_is_no_version(
    client: Any, connection: Connection, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_DUAL_CONTROL", "1")
    send(client, "adoptions", policy=SMALL)

    assert decide(client, "rejected").status_code == 303

    assert [one.state for one in read_requests(connection)] == ["rejected"]
    assert len(read_policies(connection)) == 1
    assert "rejected by ann" in said(client.get("/policy"))


def test_viewer_sees_the_policy_and_no_form(
    client: Any, connection: Connection, runs: Runs, report: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi import HTTPException

    from risk.web.access import DECIDER, TRIGGERER, may_decide, may_trigger
    from risk.web.app import app

    monkeypatch.setenv("RISK_DUAL_CONTROL", "1")
    send(client, "trials", **reported_range(connection))
    runs.end(1, "success")
    send(client, "adoptions", policy=SMALL)
    sent = {"token": token(client)}

    def refuse() -> None:
        raise HTTPException(403, "Forbidden")

    for guard in (DECIDER, TRIGGERER):
        assert guard.dependency is not None
        app.dependency_overrides[guard.dependency] = refuse
    app.dependency_overrides |= {may_decide: lambda: False, may_trigger: lambda: False}

    for path in ("/policy", "/policy/trials/1", "/policy/versions/0"):
        assert 'method="post"' not in client.get(path).text
    assert "requires the Airflow role User" in said(client.get("/policy"))
    for path in ("trials", "trials/1/runs", "adoptions", "requests/1/decisions"):
        assert client.post(f"/policy/{path}", data=sent).status_code == 403
