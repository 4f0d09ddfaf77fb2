"""The Risk page where Airflow is served below a path: every link and every form of every page, behind a proxy.

Airflow itself is a stand-in that mounts the page as Airflow does (``[api] base_url`` with a path); with the real one:
tests/integration/test_browser.py.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest

from risk.core.calendar import next_session
from risk.core.warehouse import Connection
from risk.limits.adopt_policy import Adoption, adopt
from risk.limits.register import RequestedChange, request_change
from risk.report.page import ApprovalRequest, Links
from risk.report.render import render_report
from tests.approval_desks import opened, reported
from tests.browser import watched
from tests.operators.page_desk import ANN, store_desk
from tests.operators.test_web_every_page import ERRORS, EXAMPLES
from tests.operators.web_client import Member, Runs, served
from tests.policies import policy_document
from tests.report_desks import RUN, account, desk, insert
from tests.reverse_proxy import ReverseProxy, proxied

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATH = "airflow"
FOREIGN = ("data:", "mailto:")
UNBOOKED = ("/traders/NET005", "/traders/NET007", "/traders/NET009")
"""Accounts of the facts that `store_morning` stores, of which its books have nothing."""

ENTERED = {
    "account_id": "NET001",
    "limit": "2500",
    "reason": "seen",
    "sentence": "seen",
    "date": "2025-08-15",
    "first": "2025-08-18",
    "last": "2025-08-18",
    "find": "NET",
    "a": "2025-08-04",
    "b": "2025-08-15",
    "from": "2025-08-04",
    "to": "2025-08-15",
    "valid_from": "2030-01-03",
}
"""What a person enters into the fields of a form that are empty, by their names."""

FILL_IN = """(button, entered) => {
    document.querySelectorAll('details').forEach((one) => { one.open = true; });
    for (const field of button.form.elements) {
        if (field.type === 'checkbox') field.checked = true;
        else if (field.name === 'policy') field.value = field.value.replace(/(base_limit_usd: ).*/, '$13000.00');
        else if (field.type !== 'hidden' && !field.value && field.name in entered) field.value = entered[field.name];
    }
}"""
PAGES = [*itertools.chain.from_iterable(EXAMPLES.values()), "/approvals/2"]


class Addresses(HTMLParser):
    """What a page links to, loads and sends its forms to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  (the parser's)
        given = dict(attrs)
        self.links += [given[name] or "" for name in ("href", "src") if name in given]
        self.targets += [given[name] or "" for name in ("action", "formaction") if name in given]


@pytest.fixture
def airflow(client: Any, connection: Connection, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReverseProxy]:
    """Serve the page as Airflow does below a path, behind a proxy, to bob; ann has asked for what he decides."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    from risk.web.trial_runs import TrialRun

    monkeypatch.setenv("RISK_DUAL_CONTROL", "1")
    client.app.dependency_overrides[get_user] = lambda: Member("2", "bob")
    store_desk(connection)
    opened(connection, reported(connection, 2, NET001="0.60", NET002="0.40"), dual_control=True)
    runs.started[1] = [TrialRun("trial_1__1", "success")]
    day = next_session(dt.datetime.now(dt.UTC).date())
    request_change(connection, RequestedChange("NET002", "4000", str(day), "", "calm"), ANN, has_dual_control=True)
    asked = Adoption(policy_document(accounts__default_base_limit_usd="4000.00"), next_session(day), ANN, "calm")
    adopt(connection, asked, dt.datetime.now(dt.UTC), has_dual_control=True)
    server = FastAPI(root_path=f"/{PATH}")
    server.mount("/risk", client.app)

    @server.get("/{rest:path}")
    def other(rest: str) -> PlainTextResponse:
        return PlainTextResponse(f"Airflow's {rest}")

    with proxied(PATH) as proxy, served(server) as proxy.target:
        store_mails(connection, proxy.address)
        yield proxy


def store_mails(connection: Connection, base_url: str) -> None:
    """Store a mail for each run, with a link to the run, to an approval, and to all that it always links to."""
    request = ApprovalRequest(3, "2025-08-18 09:00 New York", "/risk/approvals/1")
    links = Links("/dags/daily_risk/runs/x", request=request, base_url=base_url)
    mail = render_report(desk([account("NET001", "0.60")]), RUN, links).standalone_html.encode()
    with connection, connection.cursor() as cursor:
        cursor.execute("select run_id from risk.runs")
        run_ids = [run_id for (run_id,) in cursor.fetchall()]
    for run_id in run_ids:
        part = {"part_name": "report.html", "media_type": "text/html", "content_sha256": "0"}
        insert(connection, "report_parts", run_id=run_id, content=mail, **part)


def read(client: httpx.Client, address: str, source: str) -> Addresses:
    """Ask for an address that a page links to, and read what it points to itself; an export points nowhere."""
    answer = client.get(address)
    assert answer.status_code == (404 if address.endswith((*ERRORS, *UNBOOKED)) else 200), (address, source)
    found = Addresses()
    if "text/html" in answer.headers["content-type"]:
        found.feed(answer.text)
    return found


def kind(address: str) -> tuple[str, frozenset[str]]:
    """Return what addresses of one kind share: the path and the names of what is asked of it."""
    parts = urlsplit(address)
    return parts.path, frozenset(re.findall(r"(?:^|&)([^=&]+)=", parts.query))


def test_every_link_of_every_page_leads_below_the_path(airflow: ReverseProxy) -> None:
    waiting = deque((f"{airflow.address}risk{path}", "") for path in (*PAGES, *ERRORS))
    seen = {kind(address) for address, _ in waiting}

    with httpx.Client(trust_env=False, timeout=60, follow_redirects=True) as client:
        while waiting:
            address, source = waiting.popleft()
            found = read(client, address, source)
            for href in [*found.links, *found.targets]:
                target = urldefrag(urljoin(address, href)).url
                assert target.startswith(airflow.address) or href.startswith(FOREIGN), (address, href)
                if href in found.links and not href.startswith(FOREIGN) and kind(target) not in seen:
                    seen.add(kind(target))
                    waiting.append((target, address))

    paths = {path for path, _ in seen}
    assert f"/{PATH}/" in paths
    assert f"/{PATH}/dags/policy_trial/runs/trial_1__1" in paths
    assert f"/{PATH}/dags/daily_risk/runs/x" in paths
    assert any(names >= {"format", "table"} for _, names in seen)
    assert airflow.outside == []


BUTTONS = """() => [...document.querySelectorAll('button[type=submit]')].map((button) => {
    const { form } = button;
    return `${button.getAttribute('formaction') || form.getAttribute('action')} ${button.value}`;
})"""


def submit(page: Page, number: int) -> None:
    """Fill in the form of one of the buttons of a page that send forms, and press it."""
    button = page.locator("button[type=submit]").nth(number)
    button.evaluate(FILL_IN, ENTERED)
    assert button.evaluate("(button) => button.form.checkValidity()"), button.inner_text()
    is_download = button.evaluate("(button) => button.form.getAttribute('action').endsWith('/pack')")
    with page.expect_download() if is_download else page.expect_navigation(wait_until="domcontentloaded"):
        button.click()


def form_routes(app: Any) -> dict[str, re.Pattern[str]]:
    """Return the addresses of the app that forms are sent to."""
    from fastapi.routing import APIRoute

    return {
        route.path: route.path_regex for route in app.routes if isinstance(route, APIRoute) and "POST" in route.methods
    }


def test_every_form_of_every_page_comes_back_below_the_path(
    chromium: Browser, client: Any, airflow: ReverseProxy
) -> None:
    sent: list[tuple[str, str, int]] = []
    pressed: set[str] = set()

    with watched(chromium, airflow.address) as page:
        page.on("response", lambda got: sent.append((got.request.method, urlsplit(got.url).path, got.status)))
        for path in PAGES:
            page.goto(f"{airflow.address}risk{path}", wait_until="domcontentloaded")
            while new := [one for one in page.evaluate(BUTTONS) if one not in pressed]:
                pressed.add(new[0])
                submit(page, page.evaluate(BUTTONS).index(new[0]))
                page.goto(f"{airflow.address}risk{path}", wait_until="domcontentloaded")

    assert [one for one in sent if one[2] not in {200, 303} or not one[1].startswith(f"/{PATH}/risk/")] == []
    posted = {path.removeprefix(f"/{PATH}/risk") for method, path, _ in sent if method == "POST"}
    missed = [path for path, pattern in form_routes(client.app).items() if not any(map(pattern.fullmatch, posted))]
    assert missed == [], "no form of any page was sent to it"
    assert airflow.outside == []
