"""What a person decides by is seen on a phone at once, and large enough to touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from risk.core.warehouse import Connection
from tests.browser import SIZES, watched
from tests.operators.page_desk import store_morning

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize(("path", "column"), [("/", "New limit"), ("/sessions/2025-08-15", "New limit")])
def test_new_limit_is_seen_on_a_phone_without_scrolling_sideways(
    chromium: Browser, address: str, connection: Connection, path: str, column: str
) -> None:
    store_morning(connection)

    with watched(chromium, address, viewport=SIZES["phone"], has_touch=True) as page:
        page.goto(path)
        heading = page.locator("#table-limits thead th", has_text=column).bounding_box()
        navigation = page.locator("header").bounding_box()
        assert heading
        assert navigation
        assert heading["x"] + heading["width"] <= SIZES["phone"]["width"]
        assert navigation["height"] <= 150
        # and a row is at most two lines of text high, however long its reasons
        page.locator("#table-limits td.reason").first.evaluate("(one) => { one.textContent = 'reason '.repeat(40); }")
        row = page.locator("#table-limits tbody tr").first.bounding_box()
        assert row
        assert row["height"] <= 64
        # and the trader's name stays where it is when the table is pushed aside
        name = page.locator("#table-limits tbody th").first
        before = name.bounding_box()
        page.locator("#table-limits").evaluate("(table) => { table.scrollLeft = 200; }")
        assert name.bounding_box() == before


def test_approval_on_a_phone_shows_the_limit_that_it_proposes(
    chromium: Browser, address: str, connection: Connection
) -> None:
    store_morning(connection)

    with watched(chromium, address, viewport=SIZES["phone"], has_touch=True) as page:
        page.goto("/approvals/1")
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            if box:
                assert box["x"] + box["width"] <= SIZES["phone"]["width"]
                assert box["height"] >= 44
        shown = page.get_by_text("Recommended limit").first.locator("strong").bounding_box()
        assert shown
        assert shown["x"] + shown["width"] <= SIZES["phone"]["width"]
