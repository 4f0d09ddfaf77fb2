"""Risk page and mail in a real browser: keyboard and screen reader can use them, tables sort, nothing is loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from risk.core.warehouse import Connection
from risk.operators.policy_trial import TryPolicyOperator
from risk.report.facts import Facts
from risk.report.page import ApprovalRequest, Links
from risk.report.render import render_report
from tests.breach_desks import BROKEN, run_session
from tests.browser import obstacles, watched
from tests.operators.page_desk import store_morning
from tests.operators.web_client import Runs
from tests.report_desks import RUN, USE, account, desk
from tests.sql.test_limits_what_if import DAYS, deliver_day, report_morning
from tests.track_record_desks import MON, deliver

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def morning(connection: Connection) -> None:
    store_morning(connection)


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    """Give a window in light or dark colors."""
    with watched(chromium, address, color_scheme=request.param) as shown:
        yield shown


def test_breaches_can_be_used_by_keyboard_and_screen_reader(page: Page, connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)

    page.goto("/breaches")
    assert obstacles(page) == []
    page.get_by_role("link", name=str(MON)).press("Enter")
    assert obstacles(page) == []
    page.get_by_label("Reason").select_option("data error")
    page.get_by_label("What happened, in a sentence").fill("the fill was cancelled")
    page.get_by_role("button", name="Close this breach").press("Enter")
    assert page.get_by_text("Closed: limit $5,000").count() == 1
    assert page.get_by_role("button", name="Reopen this breach").count() == 1


def test_policy_can_be_tried_by_keyboard_and_screen_reader(page: Page, connection: Connection, runs: Runs) -> None:
    # given three sessions and their mornings
    for day in DAYS[:3]:
        deliver_day(connection, "NET001", day, -100)
        report_morning(connection, day)

    # when
    page.goto("/policy")
    assert obstacles(page) == []
    text = page.get_by_label("Policy, YAML")
    text.fill(text.input_value().replace("default_base_limit_usd: 5000.00", "default_base_limit_usd: 3000.00"))
    page.get_by_label("From", exact=True).fill(str(DAYS[1]))
    page.get_by_label("To", exact=True).fill(str(DAYS[3]))
    page.get_by_role("button", name="Try it on past mornings").press("Enter")

    # then
    assert page.get_by_text("The run is queued").count() == 1
    assert obstacles(page) == []
    TryPolicyOperator(task_id="try_policy", trial_number="1", dag_run_id="trial_1__1").execute({})
    runs.end(1, "success")
    page.reload()
    assert page.get_by_text("3 mornings decided again").count() == 1
    assert page.locator(".plot .main-svg").count() > 0
    for summary in page.locator("summary").all():
        summary.click()
    assert obstacles(page) == []


@pytest.mark.usefixtures("morning")
def test_table_of_limits_is_sorted_from_the_keyboard(page: Page) -> None:
    page.goto("/")
    names = page.locator("#limits ~ div tbody th")
    assert names.all_text_contents() == ["NET001", "NET002", "NET003"]

    heading = page.get_by_role("button", name="New limit")
    heading.press("Enter")

    # 5,000 less 60, 20 and 0 %.
    assert names.all_text_contents() == ["NET001", "NET002", "NET003"]
    heading.press("Enter")
    assert names.all_text_contents() == ["NET003", "NET002", "NET001"]
    assert page.locator("th[aria-sort=descending]").inner_text().strip().startswith("New limit")


@pytest.mark.usefixtures("morning")
def test_first_stop_of_the_keyboard_leads_to_the_content(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"


def test_obstacles_are_found_where_there_are_some(chromium: Browser) -> None:
    shown = chromium.new_page()
    shown.set_content("<html lang=en><title>t</title><main><h1>t</h1><input><p style='color:#bbb'>pale</p></main>")

    assert sorted(found.partition(" (")[0] for found in obstacles(shown)) == [
        "critical: label",
        "serious: color-contrast",
    ]
    shown.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mail_can_be_read_by_a_screen_reader_and_fits_a_phone(chromium: Browser, scheme: Any) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    shown = context.new_page()

    for facts in mails():
        shown.set_content(
            render_report(
                facts, RUN, Links(request=ApprovalRequest(3, "2025-08-18 09:00 New York", "/risk/approvals/1"))
            ).standalone_html
        )
        # All rows of a mail are alike: two say what 200 would, in a tenth of the time.
        assert len(facts.accounts) == 200 or obstacles(shown) == []
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360

    context.close()


def mails() -> Iterator[Facts]:
    """Make desks of every size, with names as long as may be."""
    long_name = "A.Trader.With.A.Name.That.Fills.All.Of.The.Fifty.X"
    results = tuple(Decimal(amount) for amount in (500, -300, -400))
    yield desk([], ["The feed is broken."])
    yield desk([account(long_name, "0.60", recent_results_usd=results), account("B", "0.20"), account(long_name, "0")])
    yield desk([account("B", "0.20")], limit_use=USE)
    yield desk([account(f"NET{number:03d}", "0.40", recent_results_usd=results) for number in range(200)])
