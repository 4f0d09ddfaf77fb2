"""Every address of the Risk page in a real browser: phone and desktop, light and dark, keyboard only, without scripts.

The addresses are those of the app: a new page without an example here fails the first test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import SIZES, require_readable, unreached, watched
from tests.operators.web_client import page_routes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXAMPLES = {
    "/": ("/",),
    "/sessions": ("/sessions", "/sessions?from=2030-01-02"),
    "/sessions/{session_date}": ("/sessions/2025-08-15",),
    "/sessions/{first}/compare/{second}": ("/sessions/2025-08-04/compare/2025-08-15",),
    "/traders": ("/traders", "/traders?sort=-cut_ratio&level=high"),
    "/traders/{place:path}": ("/traders/NET001", "/traders/NET001/2025-08-04"),
    "/desk": ("/desk",),
    "/desk/{session_date}": ("/desk/2025-08-15",),
    "/calendar": ("/calendar",),
    "/breaches": ("/breaches",),
    "/breaches/{session_date}/{account_id}": ("/breaches/2025-08-04/NET001",),
    "/decisions": ("/decisions",),
    "/changes": ("/changes",),
    "/limits": ("/limits",),
    "/track-record": ("/track-record",),
    "/track-record/{session_date}": ("/track-record/2025-08-05",),
    "/model": ("/model",),
    "/model/{model_id}": ("/model/1",),
    "/approvals/{publication_id}": ("/approvals/1",),
    "/policy": ("/policy",),
    "/policy/trials/{trial_number}": ("/policy/trials/1",),
    "/policy/versions/{version}": ("/policy/versions/0",),
}
"""Addresses of each page at the desk of ``page_desk``."""

ERRORS = ("/traders/NOBODY", "/sessions/2999-01-04", "/nowhere")

EVERYTHING = [*itertools.chain.from_iterable(EXAMPLES.values()), *ERRORS]


@pytest.fixture(scope="module")
def window(chromium: Browser, desk_address: str) -> Iterator[Page]:
    """Give one window for all pages: a new one would read and compile the library of charts again."""
    with watched(chromium, desk_address) as page:
        yield page


def show(page: Page, path: str) -> None:
    """Open an address with its charts drawn and everything that folds unfolded."""
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size(SIZES["desktop"])
    go_to(page, path)
    expect(page.locator("figure.chart:not(.drawn)")).to_have_count(0)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.fixture(scope="module")
def plain(chromium: Browser, desk_address: str) -> Iterator[Page]:
    """Give a window that runs no scripts."""
    with watched(chromium, desk_address, java_script_enabled=False) as page:
        yield page


def go_to(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer
    assert (answer.status == 200) != (path in ERRORS), path


def test_every_address_of_the_app_is_tried() -> None:
    assert page_routes() == EXAMPLES.keys(), "give a new page an example in EXAMPLES"


@pytest.mark.parametrize("path", EVERYTHING)
def test_page_is_for_phone_and_desktop_day_and_night_keyboard_alone_and_without_scripts(
    window: Page, plain: Page, path: str
) -> None:
    show(window, path)
    words = window.locator("main").evaluate("(main) => [...main.querySelectorAll('td')].map((one) => one.textContent)")
    require_readable(window)
    assert unreached(window) == []
    require_the_same_without_scripts(plain, path, words)


def require_the_same_without_scripts(plain: Page, path: str, words: list[str]) -> None:
    go_to(plain, path)
    cells = plain.locator("main td")
    assert cells.all_text_contents() == words
    assert plain.locator("main h1").is_visible()
    for table in plain.locator("figure.chart table").all():
        assert table.is_visible()


@pytest.mark.parametrize("path", ["/", "/traders/NET001"])
def test_page_is_printed_without_navigation_and_with_whole_tables(window: Page, path: str) -> None:
    show(window, path)
    window.emulate_media(media="print")

    assert not window.locator("header").is_visible()
    assert window.locator(".scroll").first.evaluate("(one) => getComputedStyle(one).overflowX") == "visible"
    assert window.locator("main a").first.evaluate("(one) => getComputedStyle(one).textDecorationLine") == "none"


def test_control_that_the_keyboard_does_not_reach_is_found(chromium: Browser) -> None:
    shown = chromium.new_page()
    shown.set_content(
        "<a id=a href='#'>a</a><a id=b href='#' tabindex=-1>b</a><button id=c style='outline:0'>c</button>"
    )

    assert [found.partition(" href")[0].partition(" style")[0] for found in unreached(shown)] == [
        'not reached: <a id="b"',
        'no visible focus: <button id="c"',
    ]
    shown.close()
