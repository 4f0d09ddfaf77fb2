"""The mail as three engines show it: a browser, a text browser, and Python's own reader of HTML."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from risk.core.chain import Head
from risk.report.facts import DeskTailFacts, ExposureFacts, Facts, FitFacts, GateFacts
from risk.report.page import Links, build_page
from risk.report.receipt_facts import LimitUseFacts
from risk.report.render import render_views
from tests.browser import launched
from tests.mail_reading import limits_in
from tests.report_desks import RUN, account, desk, within

LONG_NAME = "A Trader With A Name That Fills All Of The Fifty X"
DESK = desk(
    [
        account("NET001", "0.50", base_limit_usd=Decimal("12345.50")),
        account(LONG_NAME, "0.40"),
        account("NET002", "0.30"),
        account("NET005", "0.15"),
        account("NET009", "0.00"),
    ]
)
# 12,345.50 less 50 % is 6,172.75; 5,000 less 40, 30 and 15 % is 3,000, 3,500 and 4,250.
LIMITS = {
    ("NET001", "50", "6172.75", "12345.50"),
    (LONG_NAME, "40", "3000", "5000"),
    ("NET002", "30", "3500", "5000"),
    ("NET005", "15", "4250", "5000"),
    ("NET009", "0", "5000", "5000"),
}
"""Account, cut in percent, new limit and base limit."""
SHOW_WORDS = """<script>
const words = document.body.innerText; document.body.textContent = words;
</script></body>"""


class Reader(HTMLParser):
    """Collects the words of a page's body."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._is_hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._is_hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._is_hidden = False

    def handle_data(self, data: str) -> None:
        if not self._is_hidden:
            self.words.append(data)


def page(facts: Facts) -> str:
    return render_views("risk_report", build_page(facts, RUN, Links())).html


def test_python_reads_every_limit() -> None:
    reader = Reader()
    reader.feed(page(DESK))

    assert limits_in(" ".join(reader.words)) == LIMITS


def test_chromium_shows_every_limit(tmp_path: Path) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("No Chromium is installed (Debian: apt-get install chromium).")
    file = tmp_path / "mail.html"
    file.write_text(page(DESK).replace("</body>", SHOW_WORDS), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

    done = subprocess.run(
        [program, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )

    words = html.unescape(done.stdout.partition("<body")[2])
    assert limits_in(words) == LIMITS


def quiet_desk() -> Facts:
    """Make a desk of twelve on which nothing changes: four cuts stand, fills of one trader are missing."""
    reasons = {
        "NET005": ("Drawdown $14,680 from 20-day peak (13.5x typical daily P&L of $1,086)", "3 straight losing days"),
        "NET002": ("Limited history: 12 active days, 20 required", "Fills of 2025-08-15 are missing"),
    }
    cuts = {"NET005": "0.60", "NET010": "0.50", "NET002": "0.30", "NET009": "0.30"}
    standing = [
        account(name, cut, limit_in_force_usd=5000 * (1 - Decimal(cut)), reasons=reasons.get(name, ("6 losing days",)))
        for name, cut in cuts.items()
    ]
    names = ("NEL004", "NET001", "NECS005", "NET018", "NEL005", "NET026", "NET015", "NECS010")
    chances = zip((*names[:3], "NET010", "NET005"), ("0.334", "0.156", "0.066", "0.059", "0.051"), strict=True)
    rest = tuple(map(Decimal, ("3145", "0.43", "0.30", "0.50", "0")))
    exposures = tuple(ExposureFacts(name, Decimal(5000), Decimal(chance), *rest) for name, chance in chances)
    gate = GateFacts("rule-based limits apply", ("Model does not decide yet: 52 of 60 sessions.",))
    return desk(
        [*standing, *(account(name, "0.00") for name in names)],
        ["NET002: no fills received for 2025-08-15 (others received). Contact the source."],
        exposures=exposures,
        limit_use=LimitUseFacts((within("NECS005", "0.69"),)),
        desk_tail=DeskTailFacts(250, 12, *map(Decimal, (18211, 24500, 19000, 31000, 23000, 22000))),
        fits=tuple(FitFacts(name, "too large", "said on the page", "", None) for name in names[:3]),
        gate=gate,
        past_cuts=("No evidence of benefit yet: 9 sessions, 20 required.", "42 of 101 recommendations cut a limit."),
        is_simulated=True,
    )


def test_quiet_mail_is_at_most_one_screen_and_a_half_high_and_never_wider_than_the_screen() -> None:
    links = Links("/dags/daily_risk/runs/x", base_url="https://risk.example.test", head=Head(482, "0123456789abcdef"))
    markup = render_views("risk_report", build_page(quiet_desk(), RUN, links)).html
    sizes = {}

    with launched() as browser:
        if browser is None:
            pytest.skip("No Chromium is installed (Debian: apt-get install chromium).")
        for width, height in ((660, 900), (360, 740)):
            shown = browser.new_page(viewport={"width": width, "height": height})
            shown.set_content(markup)
            sizes[width] = shown.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")

    sys.stdout.write(f"Height of a quiet mail: {sizes[660][1]} px at 660 x 900, {sizes[360][1]} px at 360 x 740.\n")
    assert sizes[660][1] <= 1.5 * 900
    assert (sizes[660][0], sizes[360][0]) == (660, 360)


@pytest.mark.parametrize("program", ["w3m", "lynx"])
def test_text_browser_shows_every_limit(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"No {program} is installed (Debian: apt-get install {program}).")
    file = tmp_path / "mail.html"
    file.write_text(page(DESK), encoding="utf-8")

    done = subprocess.run(
        [program, "-dump", str(file)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )

    assert limits_in(done.stdout) == LIMITS
