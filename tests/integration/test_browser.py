"""A person's way through Airflow's pages, in a real browser: log in, start runs, see them end, read why one failed.

Airflow is served below a path, behind a reverse proxy: ``RISK_BASE_URL`` names what people type, with a slash behind.
"""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from devstack import processes, runs, stack
from devstack.environment import Desk, DeskKind
from devstack.stack import Stack
from devstack.workspace import UI_USER, Workspace, load_login
from tests.browser import PATIENCE_MS, log_in
from tests.reverse_proxy import ReverseProxy, proxied, through_nginx

pytestmark = [pytest.mark.stacks, pytest.mark.slow]

TASKS = (
    "extract_fills",
    "check_fills",
    "aggregate_pnl",
    "build_features",
    "predict_limits",
    "apply_rules",
    "send_report",
)
WEEK = ("2025-08-04", "2025-08-05", "2025-08-06", "2025-08-07", "2025-08-08")


@pytest.fixture(scope="module")
def proxy() -> Iterator[ReverseProxy]:
    """Give the proxy in front of the stack."""
    with proxied("airflow") as proxy:
        yield proxy
        assert proxy.outside == [], "Airflow or the Risk page leads out of its path"


@pytest.fixture(scope="module")
def airflow_stack(
    stack_workspace: Workspace, proxy: ReverseProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Start the stack for the tests of this module, where people reach it through the proxy."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RISK_BASE_URL", proxy.address)
        started = stack.start(stack_workspace, Desk(DeskKind.simulated, stack_workspace.desk), is_kept=True)
    with through_nginx(started.url, tmp_path_factory.mktemp("nginx")) as proxy.target:
        yield started
    stack.stop_everything(stack_workspace)


@pytest.fixture
def stranger(chromium: Browser, airflow_stack: Stack, proxy: ReverseProxy) -> Iterator[Page]:
    """Give a page of somebody who has not logged in yet."""
    runs.await_dag(airflow_stack)
    with chromium.new_context(viewport={"width": 1280, "height": 820}, base_url=proxy.address) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()


@pytest.fixture
def page(stranger: Page, stack_workspace: Workspace) -> Page:
    """Give the page of the daily DAG, logged in."""
    stranger.goto("dags/daily_risk")
    log_in(stranger, UI_USER, load_login(stack_workspace))
    stranger.wait_for_url("**/dags/daily_risk")
    return stranger


def run_in(page: Page) -> str:
    """Return the id of the run whose page is open."""
    page.wait_for_url("**/runs/**")
    return page.url.rpartition("/runs/")[2]


def test_session_picked_by_its_date_ends_as_seven_green_squares_and_a_report(page: Page) -> None:
    # given the form of a run, with a session picked
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    form.locator("#element_session_date").fill("2025-08-15")

    # when it is started
    form.get_by_role("button", name="Trigger", exact=True).click()
    run_id = run_in(page)

    # then each task's square in the grid comes to be green, which in Airflow's pages is a tick
    for task_id in TASKS:
        square = page.get_by_test_id(f"grid-{run_id}-{task_id}")
        expect(square.locator("path[d='M20 6 9 17l-5-5']")).to_be_visible()

    # and the last task tells the session, and opens its report
    page.get_by_test_id(f"grid-{run_id}-send_report").click()
    expect(page.get_by_text(re.compile("session 2025-08-15: .*recipient count 0"))).to_be_visible()
    page.get_by_role("link", name="Details").click()
    page.get_by_role("link", name="Report", exact=True).click()
    page.wait_for_url("**/risk/reports/2025-08-15")
    expect(page.get_by_text("SIMULATED DESK").first).to_be_visible()

    # and so does the page that Airflow's navigation shows in a frame, which its link to Airflow leaves
    page.goto("")
    page.get_by_role("link", name="Risk", exact=True).click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="2025-08-18")).to_be_visible()
    frame.get_by_role("link", name="Airflow", exact=True).click()
    expect(page.locator("iframe")).to_have_count(0)

    # and a policy that is tried on that morning is tried by a run, whose outcome the page shows
    page.goto("risk/policy")
    page.get_by_label("From", exact=True).fill("2025-08-18")
    page.get_by_label("To", exact=True).fill("2025-08-18")
    page.get_by_role("button", name="Try it on past mornings").click()
    page.wait_for_url("**/risk/policy/trials/1")
    expect(page.get_by_role("status")).to_contain_text("The run is")
    outcome = page.get_by_text("1 morning decided again; 1 come out as reported")
    for _ in range(60):
        page.wait_for_timeout(1_000)
        page.reload()
        if outcome.is_visible():
            break
    expect(outcome).to_be_visible()
    expect(page.get_by_text("Nothing changes")).to_be_visible()


def pick(page: Page, date: str) -> None:
    """Enter a day into the first field of the form that has none."""
    form = page.get_by_role("dialog")
    form.get_by_text("Select date and time").first.click()
    page.get_by_placeholder("YYYY/MM/DD").locator("visible=true").last.fill(date.replace("-", "/"))
    form.get_by_text("Date Range").click()


def test_week_started_as_a_backfill_runs_its_five_sessions(page: Page, airflow_stack: Stack) -> None:
    # given the form of a backfill, with the first and the last day of a week
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    form.get_by_text("Backfill", exact=True).click()
    pick(page, WEEK[0])
    pick(page, WEEK[-1])
    expect(form.get_by_text("5 runs will be triggered.")).to_be_visible()

    # when it is started
    form.get_by_role("button", name="Run Backfill").click()
    expect(page.get_by_text("Backfill in progress")).to_be_visible()
    page.get_by_role("button", name="Cancel backfill").click()

    # then there is a run for each session; to see them end is another test's business
    listed = runs.runs_between(airflow_stack.api, WEEK[0], WEEK[-1])
    assert tuple(run["data_interval_start"][:10] for run in listed) == WEEK


def failure_mails(maildir: Path) -> list[str]:
    """Return the HTML of the mails about a failed run."""
    if not maildir.is_dir():
        return []
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in maildir.iterdir()]
    bodies = [mail.get_body(("html",)) for mail in mails if "RISK RUN FAILED" in str(mail["Subject"])]
    return [str(body.get_content()) for body in bodies if body is not None]


def test_link_in_the_mail_about_a_failure_leads_a_stranger_to_the_log(
    stranger: Page, airflow_stack: Stack, stack_workspace: Workspace, maildir: Path, tmp_path: Path
) -> None:
    # given a run that has failed, because a file of its folder has no prices, and its mail
    (tmp_path / "simulated.json").write_text("{}", encoding="utf-8")
    (tmp_path / "fills.csv").write_text("account_id,time\nNET001,now\n", encoding="utf-8")
    runs.trigger(airflow_stack.api, {"session_date": "2025-08-14", "fills": str(tmp_path)})
    assert processes.wait_until(lambda: bool(failure_mails(maildir)), PATIENCE_MS / 1000)
    (mail,) = failure_mails(maildir)
    link = re.search(r'href="([^"]*)"[^>]*>\s*Open the log', mail)
    assert link

    # when somebody who is not logged in follows it, and logs in
    stranger.goto(html.unescape(link[1]))
    log_in(stranger, UI_USER, load_login(stack_workspace))

    # then the log of the failed attempt is what they see
    expect(stranger.get_by_text("InputError: ").first).to_be_visible()
    assert "/tasks/extract_fills?try_number=1" in stranger.url
