"""Approval on a whole stack, under dual control: who may read, who may decide, and what comes into force."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from devstack import runs
from devstack.environment import UI_USERS, Desk, DeskKind, connection_uri
from devstack.stack import Stack
from devstack.workspace import UI_USER, Workspace, load_secrets, read_json, write_json
from risk.core.connections import AirflowApi
from risk.core.warehouse import connect, rows
from tests.browser import PATIENCE_MS, log_in, obstacles

pytestmark = pytest.mark.slow

SESSION = "2025-07-02"
"""The desk's fifteenth session or so: with a history that short every trader's limit is cut."""

PAGES = (
    "/",
    f"/sessions/{SESSION}",
    "/traders/SIM001",
    "/approvals/1",
    "/track-record",
    "/model",
    f"/reports/{SESSION}",
    "/assets/risk.css",
)
STRANGER = ""
PASSWORDS = {"ann": "ann's word", "bob": "bob's word", "vic": "vic's word"}
ROLES = f"{UI_USER}:admin,ann:user,bob:user,vic:viewer"
PATIENCE_SECONDS = 180.0

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Morning:
    """A run whose limits wait for a person.

    Attributes
    ----------
    dag_run_id
        Of publish_limits.
    names
        The traders asked about, most urgent first.
    limits
        Their recommended limits, as the mail writes them.
    """

    dag_run_id: str
    names: list[str]
    limits: Mapping[str, str]


@pytest.fixture(scope="module", autouse=True)
def _two_managers_and_a_viewer(stack_workspace: Workspace) -> Iterator[None]:
    """Let three people more log in to the stack that these tests start, two of whom may decide."""
    write_json(stack_workspace.login, {UI_USER: "admin's word", **PASSWORDS})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(UI_USERS, ROLES)
        patch.setenv("RISK_DUAL_CONTROL", "1")
        yield


@pytest.fixture(scope="module")
def morning(airflow_stack: Stack, stack_workspace: Workspace) -> Morning:
    """Run the line for a session and wait until a person is asked."""
    runs.await_dag(airflow_stack)
    runs.await_dag(airflow_stack, "publish_limits")
    desk = Desk(DeskKind.simulated, stack_workspace.desk)
    conf = {"session_date": SESSION, "fills": str(desk.fills), "deliver": True, "approval": "all"}
    run_id = runs.trigger(airflow_stack.api, conf)
    list(runs.follow(airflow_stack.api, run_id))
    runs.raise_for_failure(airflow_stack.api, run_id)
    details = awaited(lambda: waiting_requests(airflow_stack))
    limits = {}
    for detail in details:
        name, limit = re.match(r"(\S+): limit (\S+) \(was", detail["subject"]).groups()  # type: ignore[union-attr]
        limits[name] = limit
    assert len(limits) >= 4, "the desk of this test has too few restricted traders"
    return Morning(details[0]["task_instance"]["dag_run_id"], list(limits), limits)


def ask(stack: Stack, path: str, token: str = STRANGER, form: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask the Risk page."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "GET" if form is None else "POST"
    url = f"{stack.url}/risk{path}"
    answer = httpx.request(method, url, data=form, headers=headers, timeout=30, trust_env=False)
    return answer.status_code, answer.text


def token_of(stack: Stack, user: str) -> str:
    login = {"username": user, "password": PASSWORDS[user]}
    answer = httpx.post(f"{stack.url}/auth/token", json=login, timeout=30, trust_env=False)
    return str(answer.json()["access_token"])


def api_of(stack: Stack, user: str) -> AirflowApi:
    return AirflowApi(stack.url, user, PASSWORDS[user])


def requests_of(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    path = f"/dags/publish_limits/dagRuns/{run_id}/hitlDetails"
    return list(stack.api.call("GET", path)["hitl_details"])


def answer_request(api: AirflowApi, detail: dict[str, Any], choice: str) -> int:
    ti = detail["task_instance"]
    path = f"/dags/publish_limits/dagRuns/{ti['dag_run_id']}/taskInstances/approve_limit/{ti['map_index']}/hitlDetails"
    return api.request("PATCH", path, {"chosen_options": [choice], "params_input": {}})[0]


def answer_open_requests(stack: Stack, morning: Morning, choices: Mapping[str, tuple[str, str]]) -> None:
    """Answer what waits, each by its person. Airflow 3.3 asks again where an answer comes within a second of the
    question: it takes the task's parking, heard of late, for the end of what the answer has started, and tries anew.
    """
    for detail in requests_of(stack, morning.dag_run_id):
        name = detail["subject"].split(":")[0]
        if not detail["response_received"] and name in choices:
            user, choice = choices[name]
            assert answer_request(api_of(stack, user), detail, choice) == 200


def awaited(find: Callable[[], Found]) -> Found:
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
    return requests_of(stack, run_id) if is_waiting else []


def decisions(workspace: Workspace) -> list[tuple[str, str, str]]:
    """List what was decided: account, decision, person."""
    ports = read_json(workspace.var / "ports.json")
    name = DeskKind.simulated.database
    dsn = connection_uri("postgres", "risk", load_secrets(workspace).risk, ports["postgres"], name)
    with contextlib.closing(connect(dsn)) as connection:
        found = rows(connection, "risk_page/select_decisions", {"publication_id": 1})
    return [(account, action, user) for account, action, _, _, user, _ in found]


def window(chromium: Browser, stack: Stack, user: str) -> Page:
    """Open a window of somebody who asks for the Risk page and logs in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, base_url=stack.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/auth/login?next=/risk/")
    log_in(page, user, PASSWORDS[user])
    page.wait_for_url(f"{stack.url}/risk/")
    return page


def form_of(page_text: str, name: str) -> dict[str, str]:
    """Read the hidden fields of a trader's form."""
    section = next(part for part in page_text.split("<section") if f'value="{name}"' in part)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', section))


def test_strangers_see_no_page_but_where_to_log_in(airflow_stack: Stack, morning: Morning) -> None:
    assert {page: ask(airflow_stack, page)[0] for page in PAGES} == dict.fromkeys(PAGES, 401)
    form = {"account_id": "x", "limit": "3000", "reason": "why", "token": "x"}
    status, text = ask(airflow_stack, "/approvals/1/edits", form=form)
    assert (status, "Log in" in text) == (401, True)


def test_viewer_sees_everything_and_decides_nothing(
    airflow_stack: Stack, morning: Morning, chromium: Browser, stack_workspace: Workspace
) -> None:
    visitor = token_of(airflow_stack, "vic")
    before = decisions(stack_workspace)
    page = window(chromium, airflow_stack, "vic")

    page.goto("/risk/approvals/1")

    expect(page.get_by_text("Read-only:")).to_be_visible()
    expect(page.get_by_role("button", name="Propose this limit")).to_have_count(0)
    assert {path: ask(airflow_stack, path, visitor)[0] for path in PAGES} == dict.fromkeys(PAGES, 200)
    form = {"account_id": morning.names[0], "limit": "3000", "reason": "why", "token": "x"}
    status, refusal = ask(airflow_stack, "/approvals/1/edits", visitor, form)
    assert (status, "Not allowed" in refusal) == (403, True)
    (detail, *_) = requests_of(airflow_stack, morning.dag_run_id)
    assert answer_request(api_of(airflow_stack, "vic"), detail, "Approve") == 403
    assert decisions(stack_workspace) == before
    page.context.close()


def refuse_edits(airflow_stack: Stack, morning: Morning, stack_workspace: Workspace) -> None:
    """See edits refused that are forged, out of bounds, twice or stale; the last trader's is left with one of ann's."""
    ann, bob, name = token_of(airflow_stack, "ann"), token_of(airflow_stack, "bob"), morning.names[-1]
    shown = {
        user: form_of(ask(airflow_stack, "/approvals/1", token)[1], name)
        for user, token in (("ann", ann), ("bob", bob))
    }
    edit = {"limit": "4000", "reason": "calm since"}

    for changes, sentence in (
        ({"token": shown["bob"]["token"]}, "was not shown to you"),
        ({"limit": "999.99"}, "lowest limit"),
        ({"limit": "5000.01"}, "base limit"),
    ):
        status, text = ask(airflow_stack, "/approvals/1/edits", ann, {**shown["ann"], **edit, **changes})
        assert (status, sentence in text) == (409, True)
    assert decisions(stack_workspace) == []

    # A double click is one edit; bob, who has not seen it, gets an error.
    for _ in range(2):
        assert ask(airflow_stack, "/approvals/1/edits", ann, {**shown["ann"], **edit})[0] == 303
    status, text = ask(airflow_stack, "/approvals/1/edits", bob, {**shown["bob"], **edit, "limit": "2000"})
    assert (status, "ann has meanwhile changed the limit" in text) == (409, True)
    assert decisions(stack_workspace) == [(name, "edited", "ann")]


def test_person_reads_the_morning_approves_one_limit_edits_another_and_sees_what_is_in_force(
    airflow_stack: Stack, morning: Morning, chromium: Browser, stack_workspace: Workspace
) -> None:
    approved, edited, *others = morning.names
    refuse_edits(airflow_stack, morning, stack_workspace)

    # ann reads today, opens a trader, and goes from there to the approval
    page = window(chromium, airflow_stack, "ann")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Reduce {len(morning.names)} limits before the open")
    expect(page.get_by_role("row").filter(has_text=approved).first).to_contain_text(morning.limits[approved])
    page.get_by_role("link", name=approved, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Trader {approved}")
    assert obstacles(page) == []
    page.get_by_role("link", name="Today").click()
    page.get_by_role("link", name="Decide").click()

    # she edits the second trader's limit with a reason
    section = page.get_by_role("region", name=edited)
    section.get_by_label(f"Another limit for {edited}").fill("$4,444.44")
    section.get_by_label("Reason").fill("calm since June")
    section.get_by_role("button", name="Propose this limit").click()
    expect(page.get_by_role("region", name=edited)).to_contain_text("ann proposes $4,444.44: calm since June")
    assert obstacles(page) == []

    # and approves the first one's in Airflow
    page.get_by_role("link", name="Approve or reject in Airflow").click()
    page.get_by_role("cell", name=approved).first.click()
    expect(page.get_by_text(f"{approved}: limit")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    awaited(lambda: (approved, "approved", "ann") in decisions(stack_workspace))

    # dual control: her approval of her own edit does not count, bob's does; his rejection keeps the limit in force
    choices = {approved: ("ann", "Approve"), edited: ("ann", "Approve")}
    answer_open_requests(airflow_stack, morning, choices)
    choices |= {edited: ("bob", "Approve")} | dict.fromkeys(others, ("bob", "Reject"))

    def is_published() -> bool:
        answer_open_requests(airflow_stack, morning, choices)
        return "$4,444.44 (approved by bob)" in ask(airflow_stack, "/", token_of(airflow_stack, "vic"))[1]

    awaited(is_published)
    assert {one for one in decisions(stack_workspace) if one[1] != "edited"} == {
        (approved, "approved", "ann"),
        (edited, "approved", "bob"),
        *((name, "rejected", "bob") for name in others),
    }

    # then everybody sees what is in force, and nothing can be decided twice
    page.goto("/risk/")
    row = page.get_by_role("row")
    expect(row.filter(has_text=edited)).to_contain_text("$4,444.44 (approved by bob)")
    expect(row.filter(has_text=approved)).to_contain_text(f"{morning.limits[approved]} (approved by ann)")
    expect(row.filter(has_text=others[0])).to_contain_text("(rejected by bob)")
    (detail, *_) = requests_of(airflow_stack, morning.dag_run_id)
    assert answer_request(api_of(airflow_stack, "bob"), detail, "Approve") == 409
    page.context.close()
