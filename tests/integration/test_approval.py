"""Approval on a whole stack: who may look, who may decide, and what comes into force."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import re
import time
import warnings
from typing import Any
from urllib.parse import urlencode

import pytest

from risk.database import connect, rows
from risk.stack import runs
from risk.stack.clone import Clone, read_json
from risk.stack.environment import Desk, DeskKind, connection_uri, load_login, load_secrets
from risk.stack.services import Stack

pytestmark = pytest.mark.slow

SESSION = "2025-07-02"
"""The desk's fifteenth session or so: with a history that short every trader's limit is cut."""

PAGES = (
    "/",
    f"/sessions/{SESSION}",
    "/traders/NET001",
    "/approvals/1",
    "/ledger",
    "/model",
    f"/reports/{SESSION}",
    "/assets/risk.css",
)
PATIENCE_SECONDS = 120.0


def ask(stack: Stack, path: str, token: str = "", form: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask the Risk page; an empty token is a stranger."""
    client = http.client.HTTPConnection("127.0.0.1", stack.api.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = None if form is None else urlencode(form)
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with contextlib.closing(client):
        client.request("GET" if body is None else "POST", f"/risk{path}", body, headers)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def admin_token(stack: Stack, clone: Clone) -> str:
    client = http.client.HTTPConnection("127.0.0.1", stack.api.port, timeout=30)
    with contextlib.closing(client):
        login = json.dumps({"username": "admin", "password": load_login(clone)})
        client.request("POST", "/auth/token", login, {"Content-Type": "application/json"})
        return str(json.loads(client.getresponse().read())["access_token"])


def viewer_token(clone: Clone) -> str:
    """Sign what Airflow would sign for a user of the role Viewer; the local stack has one user only."""
    import jwt

    # HS512 wants a longer key than ours has; Airflow signs with the same one.
    warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)
    now = int(time.time())
    claims = {"sub": "visitor", "role": "viewer", "teams": None, "aud": "apache-airflow", "iat": now, "nbf": now}
    return jwt.encode({**claims, "exp": now + 600, "jti": "visit"}, load_secrets(clone).jwt, algorithm="HS512")


def request_of(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    path = f"/dags/publish_limits/dagRuns/{run_id}/hitlDetails"
    return list(stack.api.call("GET", path)["hitl_details"])


def answer_request(stack: Stack, detail: dict[str, Any], choice: str) -> int:
    ti = detail["task_instance"]
    path = f"/dags/publish_limits/dagRuns/{ti['dag_run_id']}/taskInstances/approve_limit/{ti['map_index']}/hitlDetails"
    return stack.api.ask("PATCH", path, {"chosen_options": [choice], "params_input": {}})[0]


def answer_open_requests(stack: Stack, run_id: str, choices: dict[str, str]) -> None:
    """Answer what waits. Airflow 3.3 asks again where an answer comes within a second of the question: it takes the
    task's parking, heard of late, for the end of what the answer has started, and tries anew.
    """
    for detail in request_of(stack, run_id):
        if not detail["response_received"]:
            assert answer_request(stack, detail, choices[detail["subject"].split(":")[0]]) == 200


def awaited(find: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.5)
    return found


def waiting_requests(stack: Stack) -> list[dict[str, Any]]:
    """List the requests once all that were opened wait for an answer."""
    started = stack.api.call("GET", "/dags/publish_limits/dagRuns")["dag_runs"]
    if not started:
        return []
    run_id = started[0]["dag_run_id"]
    tasks = stack.api.call("GET", f"/dags/publish_limits/dagRuns/{run_id}/taskInstances")["task_instances"]
    asked = [task for task in tasks if task["task_id"] == "approve_limit" and task["map_index"] >= 0]
    is_waiting = bool(asked) and all(task["state"] == "awaiting_input" for task in asked)
    return request_of(stack, run_id) if is_waiting else []


def test_person_edits_approves_and_rejects_and_the_limits_come_into_force(
    airflow_stack: Stack, stack_clone: Clone
) -> None:
    runs.await_dag(airflow_stack)
    runs.await_dag(airflow_stack, "publish_limits")
    desk = Desk(DeskKind.simulated, stack_clone.desk)
    conf = {"session_date": SESSION, "fills": str(desk.fills), "deliver": True, "approval": "all"}
    run_id = runs.trigger(airflow_stack.api, conf)
    list(runs.follow(airflow_stack.api, run_id))
    runs.raise_for_failure(airflow_stack.api, run_id)

    # Strangers see nothing, a viewer everything but may not decide.
    assert {ask(airflow_stack, page)[0] for page in PAGES} == {401}
    visitor, admin = viewer_token(stack_clone), admin_token(airflow_stack, stack_clone)
    form = {"account_id": "x", "limit": "3000", "reason": "why", "token": "x"}
    assert ask(airflow_stack, "/approvals/1/edits", form=form)[0] == 401
    assert ask(airflow_stack, "/", visitor)[0] == 200
    status, refusal = ask(airflow_stack, "/approvals/1/edits", visitor, form)
    assert (status, "Not allowed" in refusal) == (403, True)

    details = awaited(lambda: waiting_requests(airflow_stack))
    names = [detail["subject"].split(":")[0] for detail in details]
    assert len(names) >= 2, "the desk of this test has too few restricted traders"

    # The first trader's limit is edited, then all are approved but the last, which is rejected; a double click is told.
    shown = ask(airflow_stack, "/approvals/1", admin)[1]
    section = next(part for part in shown.split("<section") if f'value="{names[0]}"' in part)
    token = re.search(r'name="token" value="([^"]+)"', section)
    assert token
    edit = {
        "account_id": names[0],
        "limit": "4444.44",
        "reason": "calm since",
        "token": token.group(1),
        "seen_edit": "",
    }
    assert ask(airflow_stack, "/approvals/1/edits", admin, edit)[0] == 303
    choices = {name: "Reject" if name == names[-1] else "Approve" for name in names}

    ports = read_json(stack_clone.var / "ports.json")
    owner = load_secrets(stack_clone)
    dsn = connection_uri("postgres", "risk", owner.risk, ports["postgres"], DeskKind.simulated.database)
    with contextlib.closing(connect(dsn)) as connection:

        def published() -> dict[str, tuple[Any, ...]]:
            answer_open_requests(airflow_stack, details[0]["task_instance"]["dag_run_id"], choices)
            connection.rollback()
            found = rows(connection, "publish_limits/select_published_limits", {"publication_id": 1})
            return {row[0]: row for row in found}

        limits = awaited(published)
    assert (str(limits[names[0]][2]), limits[names[0]][4]) == ("4444.44", "approved")
    assert "edited by admin: calm since" in limits[names[0]][5]
    assert limits[names[-1]][4] == "rejected"
    assert all(row[2] <= row[3] for row in limits.values())
    assert all(row[1] >= dt.date(2025, 1, 1) for row in limits.values())
    assert answer_request(airflow_stack, details[0], "Approve") == 409
    page = ask(airflow_stack, "/", visitor)[1]
    assert "$4,444.44 (approved by admin)" in page
