"""Charts in a real browser: drawn from the installed package under the pages' policy, and tables without a script."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from risk.core.warehouse import Connection
from tests.browser import obstacles, watched
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend, store_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def trader(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60")
    for day in (SESSION, dt.date(2025, 8, 14)):
        fingerprint = deliver_fills(connection, run, "NET001") if day == SESSION else "0"
        book(connection, "NET001", day, input_fingerprint=fingerprint)
        issued = {"run_id": run.run_id, "is_live": True, "expert": "calibrated", "quantile_05_usd": -1000}
        insert(connection, "forecasts", account_id="NET001", effective_session=day, **issued)
    store_report(connection, run)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with watched(chromium, address) as shown:
        yield shown


@pytest.mark.usefixtures("trader")
def test_charts_are_drawn_with_their_tables_folded(page: Page) -> None:
    page.goto("/traders/NET001")

    page.locator("figure.chart.drawn").nth(1).wait_for()
    assert page.locator("figure.chart .main-svg").count() >= 2
    assert page.locator("figure.chart details[open]").count() == 0
    assert obstacles(page) == []


@pytest.mark.usefixtures("trader")
def test_chart_zooms_from_the_keyboard_and_back(page: Page) -> None:
    page.goto("/traders/NET001")
    page.locator("figure.chart.drawn").nth(1).wait_for()
    page.get_by_role("button", name="Zoom in: Cumulative").wait_for()
    ends = "document.querySelector('.plot[aria-label^=Cumulative]')._fullLayout.xaxis.range"
    span = f"new Date({ends}[1]) - new Date({ends}[0])"
    whole = page.evaluate(span)

    page.get_by_role("button", name="Zoom in: Cumulative").press("Enter")
    page.wait_for_function(f"() => Math.abs(({span}) - {whole} / 2) < {whole} / 100")

    page.get_by_role("button", name="Show all: Cumulative").press("Enter")
    page.wait_for_function(f"() => Math.abs(({span}) - {whole}) < {whole} / 100")
    assert page.evaluate(span) == pytest.approx(whole, rel=0.01)


@pytest.mark.usefixtures("trader")
def test_chart_takes_the_colors_of_the_dark_when_it_falls(page: Page) -> None:
    page.goto("/traders/NET001")
    page.locator("figure.chart.drawn").nth(1).wait_for()
    color = "getComputedStyle(document.querySelector('.plot .xtick text')).fill"
    light = page.evaluate(color)

    page.emulate_media(color_scheme="dark")

    # --ink of each
    assert light == "rgb(23, 32, 42)"
    page.wait_for_function(f"() => {color} === 'rgb(232, 237, 242)'")


@pytest.mark.usefixtures("trader")
def test_tables_of_charts_stand_open_without_a_script(chromium: Browser, address: str) -> None:
    with watched(chromium, address, java_script_enabled=False) as page:
        page.goto("/traders/NET001")

        figure = page.locator("figure.chart").first
        assert figure.get_by_role("cell", name="-$1,033.20").first.is_visible()
        assert not figure.locator(".plot").is_visible()


def test_charts_library_is_kept_by_browsers_and_everything_else_is_not(client: Any) -> None:
    from risk.web.rendering import CHART_LIBRARY

    kept = client.get(f"/assets/{CHART_LIBRARY}")

    assert kept.headers["content-type"].startswith("text/javascript")
    assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert b"plotly.js v" in kept.content[:100]
    assert client.get("/assets/plotly-0.0.0.min.js").status_code == 404
    assert client.get("/assets/risk.js").headers["cache-control"] == "no-store"


@pytest.mark.usefixtures("trader")
def test_charts_library_is_loaded_only_where_there_is_a_chart(client: Any) -> None:
    assert {path: "plotly-" in client.get(path).text for path in ("/", "/limits", "/traders/NET001")} == {
        "/": False,
        "/limits": False,
        "/traders/NET001": True,
    }
