"""A real browser for tests: Debian's Chromium, and what of a page a keyboard or a screen reader cannot use."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

PATIENCE_MS = 120_000
"""How long a page may take to show what is expected of it; the machine may be slow and busy."""


@contextlib.contextmanager
def launched() -> Iterator[Browser | None]:
    """Start Debian's Chromium without a window; nothing where there is none."""
    found = shutil.which("chromium")
    if not found:
        yield None
        return
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def log_in(page: Page, user: str, password: str) -> None:
    """Fill in the form that Airflow shows instead of the page that was asked for."""
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def obstacles(page: Page) -> list[str]:
    """List what axe-core finds serious or critical on a page, each with the first element it is about."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['impact']}: {one['id']} ({one['help']}) at {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
