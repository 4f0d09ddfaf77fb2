"""Take the documentation's pictures of the mail and of every page anew: ``make pictures``.

Of the running simulated desk only, and of its newest report, whose limits wait for an approval after
``RISK_APPROVAL=all make up`` and ``make trigger``.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from devstack import stack
from devstack.environment import DeskKind
from devstack.workspace import UI_USER, Workspace, load_login
from risk.core.errors import RequestError
from risk.core.settings import PROJECT_DIR
from tests.browser import launched, log_in

FOLDER = PROJECT_DIR / "docs" / "images"
COLORS = 200
LARGEST_BYTES = 80_000
MAILS = {"mail": (700, 1000, "light"), "mail-phone": (360, 1000, "light"), "mail-dark": (700, 1000, "dark")}
"""Width, height and colors of each picture of the mail."""
PAGE_SIZE: ViewportSize = {"width": 1200, "height": 860}
PHONE_SIZE: ViewportSize = {"width": 360, "height": 740}
FOLLOWED = {
    "session": ("/", "a[href*='/sessions/']:not([rel])"),
    "trader": ("/", "tbody th a"),
    "approval": ("/", "a[href*='/approvals/']"),
    "day": ("/calendar", ".heat a"),
    "breach": ("/breaches", "tbody a[href*='/breaches/']"),
    "trial": ("/policy", "a[href*='/policy/trials/']"),
}
"""Pages outside of the navigation: where a link leads to them, and which."""


def main() -> None:
    """Take every picture."""
    workspace = Workspace()
    running = stack.attach(workspace)
    if stack.running_desk(workspace) is not DeskKind.simulated:
        raise RequestError("Pictures show the simulated desk only: type make down, then make up without FILLS.")
    reports = sorted((workspace.var / "reports").glob("simulated/*/report.html"))
    if not reports:
        raise RequestError("There is no report yet: type make trigger first.")
    with launched() as browser:
        if browser is None:
            raise RequestError("There is no chromium on this machine: apt-get install chromium.")
        for name, size in MAILS.items():
            keep(name, mail_picture(browser, reports[-1], size))
        context = browser.new_context(viewport=PAGE_SIZE, base_url=running.url, color_scheme="light")
        page = context.new_page()
        page.goto("/auth/login?next=/risk/")
        log_in(page, UI_USER, load_login(workspace))
        page.wait_for_url(f"{running.url}/risk/")
        take_pages(page, "/risk")
        context.close()


def mail_picture(browser: Browser, report: Path, size: tuple[int, int, str]) -> bytes:
    """Show a mail in a window of its own."""
    width, height, scheme = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(report.as_uri())
    picture = page.screenshot()
    context.close()
    return picture


def take_pages(page: Page, root: str) -> None:
    """Show every page: Today on a phone, those of the navigation, and one of each kind that they lead to."""
    page.set_viewport_size(PHONE_SIZE)
    show(page, f"{root}/")
    keep("page-today-phone", page.screenshot())
    page.set_viewport_size(PAGE_SIZE)
    entries = {link.inner_text(): link.get_attribute("href") for link in page.locator("nav[aria-label=Risk] a").all()}
    for name, address in entries.items():
        show(page, str(address))
        keep(f"page-{name.lower().replace(' ', '-')}", page.screenshot())
    for name, (start, link) in FOLLOWED.items():
        show(page, f"{root}{start}")
        found = page.locator(f"main {link}, nav.local {link}")
        if found.count():
            show(page, str(found.first.evaluate("(link) => link.href")))
            keep(f"page-{name}", page.screenshot())
        else:
            print(f"page-{name}: this desk has none, its picture stays")


def show(page: Page, address: str) -> None:
    """Open an address and wait until its charts are drawn."""
    page.goto(address)
    expect(page.locator("figure.chart:not(.drawn)")).to_have_count(0)


def keep(name: str, picture: bytes) -> None:
    """Write a picture with few colors."""
    stream = io.BytesIO()
    shown = Image.open(io.BytesIO(picture)).convert("RGB")
    shown.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    if len(stream.getvalue()) > LARGEST_BYTES:
        raise RequestError(f"The picture {name} has {len(stream.getvalue()):,} bytes, more than {LARGEST_BYTES:,}.")
    (FOLDER / f"{name}.png").write_bytes(stream.getvalue())
    print(f"{FOLDER / name}.png {len(stream.getvalue()):,} bytes")


if __name__ == "__main__":
    main()
