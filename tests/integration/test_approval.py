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

pytestmark = [pytest.mark.stacks, pytest.mark.slow]

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
    detail
        The required action that Airflow shows.
    names
        The traders asked about, most urgent first.
    limits
        Their recommended limits, as the mail writes them.
    """

    detail: Mapping[str, Any]
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
    (detail,) = awaited(lambda: waiting_actions(airflow_stack))
    page = ask(airflow_stack, "/approvals/1", token_of(airflow_stack, "vic"))[1]
    limits = dict(re.findall(r'class="name">([^:]+): <span.*?Recommended limit <strong>([^<]+)<', page, re.S))
    assert len(limits) >= 4, "the desk of this test has too few restricted traders"
    return Morning(detail, list(limits), limits)


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


def choose_in_airflow(stack: Stack, morning: Morning, user: str) -> int:
    """Choose the only option of the required action."""
    ti = morning.detail["task_instance"]
    path = f"/dags/publish_limits/dagRuns/{ti['dag_run_id']}/taskInstances/await_decisions/-1/hitlDetails"
    chosen = {"chosen_options": morning.detail["options"], "params_input": {}}
    return AirflowApi(stack.url, user, PASSWORDS[user]).request("PATCH", path, chosen)[0]


def awaited(find: Callable[[], Found]) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.5)
    return found


def waiting_actions(stack: Stack) -> list[dict[str, Any]]:
    """List the required actions of the approval once its task waits."""
    started = stack.api.call("GET", "/dags/publish_limits/dagRuns")["dag_runs"]
    if not started:
        return []
    run_id = started[0]["dag_run_id"]
    tasks = stack.api.call("GET", f"/dags/publish_limits/dagRuns/{run_id}/taskInstances")["task_instances"]
    if not any(task["state"] == "awaiting_input" for task in tasks):
        return []
    return list(stack.api.call("GET", f"/dags/publish_limits/dagRuns/{run_id}/hitlDetails")["hitl_details"])


def decisions(workspace: Workspace) -> list[tuple[str, str, str]]:
    """List what was decided: account, decision, person."""
    ports = read_json(workspace.var / "ports.json")
    name = DeskKind.simulated.database
    dsn = connection_uri("postgres", "risk", load_secrets(workspace).risk, ports["postgres"], name)
    with contextlib.closing(connect(dsn)) as connection:
        found = rows(connection, "risk_page/select_decisions", {"publication_id": 1})
    return [(account, action, user) for account, action, _, _, user, *_ in found]


def window(chromium: Browser, stack: Stack, user: str, *, width: int = 1280, path: str = "/risk/") -> Page:
    """Open a window of somebody who asks for a page of Risk and logs in."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=stack.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"/auth/login?next={path}")
    log_in(page, user, PASSWORDS[user])
    page.wait_for_url(f"{stack.url}{path}")
    return page


def form_of(page_text: str, name: str) -> dict[str, str]:
    """Read the hidden fields of a trader's form."""
    section = next(part for part in page_text.split("<section") if f'name="account_id" value="{name}"' in part)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', section))


def test_strangers_see_no_page_but_where_to_log_in(airflow_stack: Stack, morning: Morning) -> None:
    assert {page: ask(airflow_stack, page)[0] for page in PAGES} == dict.fromkeys(PAGES, 401)
    form = {"account_id": "x", "limit": "3000", "reason": "why", "token": "x"}
    status, text = ask(airflow_stack, "/approvals/1/decisions", form=form)
    assert (status, "Log in" in text) == (401, True)
    assert ask(airflow_stack, "/assets/risk.css")[0] == 200
    # The login returns to the page that was asked for, never to a form.
    assert 'href="/api/v2/auth/login?next=/risk/"' in text
    assert 'href="/api/v2/auth/login?next=/risk/approvals/1%3Fpage%3D2"' in ask(airflow_stack, "/approvals/1?page=2")[1]


def test_viewer_sees_everything_and_decides_nothing(
    airflow_stack: Stack, morning: Morning, chromium: Browser, stack_workspace: Workspace
) -> None:
    visitor = token_of(airflow_stack, "vic")
    before = decisions(stack_workspace)
    page = window(chromium, airflow_stack, "vic")

    page.goto("/risk/approvals/1")

    expect(page.get_by_text("Read-only:")).to_be_visible()
    expect(page.locator("form[method=post]")).to_have_count(0)
    assert {path: ask(airflow_stack, path, visitor)[0] for path in PAGES} == dict.fromkeys(PAGES, 200)
    form = {"account_id": morning.names[0], "action": "approved", "seen": "0" * 64, "token": "x"}
    status, refusal = ask(airflow_stack, "/approvals/1/decisions", visitor, form)
    assert (status, "Not allowed" in refusal) == (403, True)
    assert choose_in_airflow(airflow_stack, morning, "vic") == 403
    assert decisions(stack_workspace) == before
    page.context.close()


def refuse_decisions(airflow_stack: Stack, morning: Morning, stack_workspace: Workspace) -> None:
    """See decisions refused that are forged, out of bounds or stale; the last trader's limit is left set by ann."""
    ann, bob, name = token_of(airflow_stack, "ann"), token_of(airflow_stack, "bob"), morning.names[-1]
    path = "/approvals/1/decisions"
    shown = {
        user: form_of(ask(airflow_stack, "/approvals/1", token)[1], name)
        for user, token in (("ann", ann), ("bob", bob))
    }
    another = {"action": "edited", "limit": "4000", "reason": "calm since"}

    for changes, sentence in (
        ({"token": shown["bob"]["token"]}, "was not shown to you"),
        ({"limit": "999.99"}, "lowest limit"),
        ({"limit": "5000.01"}, "base limit"),
        ({"seen": "0" * 64}, "no longer what you were shown"),
    ):
        status, text = ask(airflow_stack, path, ann, {**shown["ann"], **another, **changes})
        assert (status, sentence in text) == (409, True)
    assert decisions(stack_workspace) == []

    # A double click counts once; bob, who has not seen what ann set, approves nothing.
    for _ in range(2):
        assert ask(airflow_stack, path, ann, {**shown["ann"], **another})[0] == 303
    status, text = ask(airflow_stack, path, bob, {**shown["bob"], "action": "approved"})
    assert (status, "ann has set $4,000" in text) == (409, True)
    assert decisions(stack_workspace) == [(name, "edited", "ann")]


def from_the_mail(chromium: Browser, stack: Stack, workspace: Workspace, user: str) -> Page:
    """Tap the mail's button on a phone, and log in: the page that decides follows."""
    context = chromium.new_context(viewport={"width": 360, "height": 780}, base_url=stack.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.set_content((workspace.var / "reports" / "simulated" / SESSION / "report.html").read_text())
    page.get_by_role("link", name="Decide").click()
    page.get_by_role("link", name="Log in").click()
    log_in(page, user, PASSWORDS[user])
    page.wait_for_url(f"{stack.url}/risk/approvals/1")
    return page


def see_a_stale_answer_asked_again(page: Page, stack: Stack, name: str) -> None:
    """Approve on a page that was opened before ann set another limit: it does not count, and the new one is asked."""
    section = page.get_by_role("region", name=name)
    stale = section.get_by_role("button", name="Approve").inner_text()
    token = token_of(stack, "ann")
    form = form_of(ask(stack, "/approvals/1", token)[1], name)
    another = {"action": "edited", "limit": "$4,321", "reason": "spoke to him"}
    assert ask(stack, "/approvals/1/decisions", token, {**form, **another})[0] == 303

    section.get_by_role("button", name="Approve").click()
    expect(page.locator("body")).to_contain_text("ann has set $4,321")
    expect(page.locator("body")).to_contain_text("your answer does not count")
    page.goto("/risk/approvals/1")
    expect(page.get_by_role("region", name=name)).to_contain_text("ann set $4,321: spoke to him")
    assert stale != "Approve $4,321"
    page.get_by_role("region", name=name).get_by_role("button", name="Approve $4,321").click()
    expect(page.get_by_role("region", name=name)).to_contain_text("Approved by bob: $4,321")


def run_again(stack: Stack) -> None:
    """Run the session once more, with approval, until its limits are published."""
    desk_conf = stack.api.call("GET", "/dags/daily_risk/dagRuns")["dag_runs"][0]["conf"]
    run_id = runs.trigger(stack.api, desk_conf)
    list(runs.follow(stack.api, run_id))
    runs.raise_for_failure(stack.api, run_id)

    def is_published() -> bool:
        found = stack.api.call("GET", "/dags/publish_limits/dagRuns")["dag_runs"]
        return len(found) == 2 and all(one["state"] == "success" for one in found)

    awaited(is_published)


def test_two_people_decide_on_the_page_and_everybody_sees_what_is_in_force(
    airflow_stack: Stack, morning: Morning, chromium: Browser, stack_workspace: Workspace
) -> None:
    edited, rejected, *cut, overtaken, contested = morning.names
    refuse_decisions(airflow_stack, morning, stack_workspace)

    # ann reads today, opens a trader, and goes from there to the approval
    page = window(chromium, airflow_stack, "ann")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Reduce {len(morning.names)} limits before the open")
    page.get_by_role("link", name=edited, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Trader {edited}")
    assert obstacles(page) == []
    page.get_by_role("link", name="Today").click()
    page.get_by_role("link", name="Decide").click()

    # she sets one limit with a reason, which she cannot approve herself, and rejects another cut
    section = page.get_by_role("region", name=edited)
    section.get_by_text(f"Set another limit for {edited}").click()
    section.get_by_label(f"Another limit for {edited}").fill("$4,444.44")
    section.get_by_label("Reason").fill("calm since June")
    section.get_by_role("button", name="Set limit").click()
    expect(section).to_contain_text("ann set $4,444.44: calm since June")
    expect(section).to_contain_text("a second person has to approve it")
    page.get_by_role("region", name=rejected).get_by_role("button", name="Reject").click()
    expect(page.get_by_role("region", name=rejected)).to_contain_text("Rejected by ann: $5,000")
    assert obstacles(page) == []
    page.context.close()

    # an answer in Airflow decides nothing
    assert choose_in_airflow(airflow_stack, morning, "bob") == 200
    awaited(lambda: waiting_actions(airflow_stack))
    assert {action for _, action, _ in decisions(stack_workspace)} == {"edited", "rejected"}

    # bob comes from the mail, on a phone; ann sets a limit that he has open, so that he is asked again
    phone = from_the_mail(chromium, airflow_stack, stack_workspace, "bob")
    see_a_stale_answer_asked_again(phone, airflow_stack, overtaken)

    # he approves the rest: the cuts at once, with the second tap from the mail, ann's limits one by one
    phone.get_by_role("button", name="Approve all cuts as recommended").click()
    for name in (edited, contested):
        phone.get_by_role("region", name=name).get_by_role("button", name="Approve").click()
        expect(phone.get_by_role("region", name=name)).to_contain_text("Approved by bob")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    assert obstacles(phone) == []

    # the last decision wakes the task that waits
    visitor = token_of(airflow_stack, "vic")
    awaited(lambda: "$4,444.44 (approved by bob)" in ask(airflow_stack, "/", visitor)[1])
    assert {one for one in decisions(stack_workspace) if one[1] != "edited"} == {
        (edited, "approved", "bob"),
        (contested, "approved", "bob"),
        (overtaken, "approved", "bob"),
        (rejected, "rejected", "ann"),
        *((name, "approved", "bob") for name in cut),
    }

    # then everybody sees what is in force
    phone.goto("/risk/approvals/1")
    in_force = phone.get_by_role("region", name="In force")
    expect(in_force).to_contain_text(f"{edited}: $4,444.44, set by ann: calm since June")
    expect(in_force).to_contain_text(f"{cut[0]}: {morning.limits[cut[0]]}, as recommended")
    phone.context.close()
    run_id = morning.detail["task_instance"]["dag_run_id"]
    awaited(lambda: airflow_stack.api.call("GET", f"/dags/publish_limits/dagRuns/{run_id}")["state"] == "success")

    # a second run of the session asks nothing that was answered
    run_again(airflow_stack)
    again = ask(airflow_stack, "/approvals/2", visitor)[1]
    assert "Published: these limits are in force." in again
    assert again.count("on an earlier report") >= len(morning.names)
    assert "No decision by the deadline" not in again
