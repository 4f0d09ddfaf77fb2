"""The mail as three engines show it: a browser, a text browser, and Python's own reader of HTML."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from risk.report.facts import Facts
from risk.report.page import Links, build_page
from risk.report.render import render_views
from tests.mail_reading import limits_in
from tests.report_desks import RUN, account, desk

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
