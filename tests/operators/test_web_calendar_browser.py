"""The calendar and a trader's day in a real browser: by keyboard, on a phone, in the dark, without a script."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from risk.core.calendar import sessions_between
from risk.core.warehouse import Connection
from tests.browser import SCHEMES, SIZES, require_readable, watched
from tests.sql.daily_rows import insert_pnl
from tests.sql.test_limits_receipts import update
from tests.track_record_desks import MON, TUE, deliver, fill, mark

PICTURES = os.environ.get("RISK_TEST_PICTURES", "")


@pytest.fixture
def desk(connection: Connection) -> None:
    """Book three traders, two of them over two months; the third breaks his limit on the last day."""
    dice = random.Random(5)
    days = sessions_between(dt.date(2025, 6, 9), TUE)
    for name in ("NET002", "NET003 with a long name of fifty characters, all ok"[:50]):
        insert_pnl(connection, name, {day: dice.randint(-3000, 3000) for day in days})
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into features (account_id, session_date, feature_set_version, last_z) "
            "select account_id, session_date, 'test', total_pnl_usd / 1000 from daily_pnl"
        )
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")])
    mark(connection, MON, "20.00")
    update(connection)
    deliver(connection, [fill(TUE, 1, "S", "500", "14.00", "2"), fill(TUE, 9, "S", "400", "15.00", "1")])
    mark(connection, TUE, "15.00")
    update(connection, TUE)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with watched(chromium, address, viewport=SIZES["desktop"]) as shown:
        yield shown


@pytest.mark.usefixtures("desk")
def test_arrow_keys_move_between_cells_and_what_a_cell_says_stands_above(page: Page, address: str) -> None:
    page.goto("/calendar")
    cells = page.locator(".heat-map .heat a")
    words = page.locator(".heat-words")
    # One stop for the tab key in the whole table.
    assert page.locator('.heat-map .heat a[tabindex="0"]').count() == 1
    cells.first.focus()
    expect(words).to_have_text(f"NET001, {TUE}: -$5,503.00; breach of the limit")

    page.keyboard.press("ArrowRight")
    expect(words).to_have_text(f"NET001, {MON}: $0.00")
    page.keyboard.press("ArrowDown")
    expect(words).to_have_text(re.compile(rf"NET002, {MON}: .* typical days"))
    page.keyboard.press("End")
    expect(words).to_have_text(re.compile("NET002, 2025-06-2"))
    # There is nothing further to the right: it stays.
    page.keyboard.press("ArrowRight")
    expect(words).to_have_text(re.compile("NET002, 2025-06-2"))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{address}/traders/NET001/{TUE}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"NET001 on {TUE}, as known now")


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("path", ["/calendar", f"/traders/NET001/{TUE}", "/traders/NET001"])
def test_pages_have_no_serious_finding_in_any_light_and_size(chromium: Browser, address: str, path: str) -> None:
    with watched(chromium, address) as shown:
        shown.goto(path)
        shown.wait_for_load_state("networkidle")

        require_readable(shown)
        for name, scheme in itertools.product(SIZES if PICTURES else (), SCHEMES["phone"]):
            shown.set_viewport_size(SIZES[name])
            shown.emulate_media(color_scheme=scheme)
            picture = f"{path.strip('/').replace('/', '-')}-{name}-{scheme}.png"
            shown.screenshot(path=Path(PICTURES) / picture, full_page=True)


@pytest.mark.usefixtures("desk")
def test_calendar_works_without_a_script(chromium: Browser, address: str) -> None:
    with watched(chromium, address, viewport=SIZES["phone"], java_script_enabled=False) as shown:
        shown.goto("/calendar")
        first = shown.locator(".heat-map .heat a").first
        assert first.get_attribute("title") == "-$5,503.00; breach of the limit"

        first.click()

        expect(shown.get_by_role("heading", level=1)).to_have_text(f"NET001 on {TUE}, as known now")
