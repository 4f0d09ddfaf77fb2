"""A real browser for tests: Debian's Chromium, and what of a page a keyboard or a screen reader cannot use."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

POLICY = "Content Security Policy"
"""What the console says of a violation."""

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


@contextlib.contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Give a window in which nothing is asked of another machine, no script fails and nothing breaks the page's policy.

    Parameters
    ----------
    browser
        Where the window opens.
    address
        Of our server, ``http://127.0.0.1:<port>``.
    options
        Of the window: ``viewport``, ``color_scheme``, ``java_script_enabled``, ...
    """
    failures: list[str] = []
    with contextlib.closing(browser.new_context(base_url=address, **options)) as context:
        shown = context.new_page()
        shown.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(address) else failures.append(f"{shown.url} asks for {asked.url}")
            ),
        )
        shown.on("pageerror", lambda error: failures.append(f"{shown.url}: {error}"))
        shown.on("console", lambda said: failures.append(f"{shown.url}: {said.text}") if POLICY in said.text else None)
        yield shown
    assert failures == []


def log_in(page: Page, user: str, password: str) -> None:
    """Fill in the form that Airflow shows instead of the page that was asked for."""
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


RULES_OF_COLORS = ("color-contrast", "link-in-text-block")
"""Those rules of axe-core whose answer a color scheme can change."""


def obstacles(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """List what axe-core finds serious or critical on a page, each with the first element it is about.

    Parameters
    ----------
    rules
        Names of the only rules to ask; by default all.
    """
    if page.evaluate("window.axe === undefined"):
        page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"], **({"runOnly": [*rules]} if rules else {})}
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [
        f"{one['impact']}: {one['id']} ({one['help']}) at {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 360, "height": 740},
    "desktop": {"width": 1280, "height": 800},
}
SCHEMES: dict[str, Sequence[Literal["light", "dark"]]] = {"phone": ("dark", "light"), "desktop": ("light", "dark")}
"""Color schemes of each size, the first of which is asked all rules of axe."""


def require_readable(page: Page) -> None:
    """Let axe ask each size all its rules in one scheme and those of colors in the other; only tables move sideways."""
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        for scheme, rules in zip(SCHEMES[name], ((), RULES_OF_COLORS), strict=True):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            assert obstacles(page, rules) == [], (name, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name


CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"

WATCH_FOCUS = """(controls) => {
    window.passed = new Set();
    window.unseen = new Set();
    const isFolded = (one) => one.closest('details:not([open])') && one.tagName !== 'SUMMARY';
    // Of cells that the arrow keys move between, the Tab key stops at one.
    const isRoving = (one) => one.tabIndex === -1 && one.closest('table')?.querySelector("[tabindex='0']");
    const isShown = (one) => one.checkVisibility() && !one.disabled && !isFolded(one) && !isRoving(one);
    window.wanted = [...document.querySelectorAll(controls)].filter(isShown);
    document.addEventListener('focusin', ({ target }) => {
        window.passed.add(target);
        const style = getComputedStyle(target);
        if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) === 0) window.unseen.add(target);
    });
    // A date has a stop for each of its parts.
    return window.wanted.length + 4 * window.wanted.filter((one) => one.type === 'date').length + 2;
}"""

MISSED = """() => {
    const name = (one) => one.outerHTML.split('>')[0].slice(0, 100);
    const missed = window.wanted.filter((one) => !window.passed.has(one)).map((one) => `not reached: ${name(one)}`);
    const unseen = window.wanted.filter((one) => window.unseen.has(one)).map((one) => `no visible focus: ${name(one)}`);
    return [...missed, ...unseen];
}"""


def unreached(page: Page) -> list[str]:
    """List the controls of a page that the Tab key does not reach, and those on which it cannot be seen."""
    for _ in range(page.evaluate(WATCH_FOCUS, CONTROLS)):
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate(MISSED)
    return found
