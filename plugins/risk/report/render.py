"""Renders pages to the three views of a mail: subject, HTML and text; the limits also as CSV."""

from __future__ import annotations

import base64
import csv
import io
import quopri
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import jinja2

from risk.core import money
from risk.core.calendar import local_time
from risk.core.desks import current_desk
from risk.core.exchange import exchange
from risk.core.runs import Run
from risk.core.settings import TEMPLATE_DIR
from risk.report.charts import draw_charts
from risk.report.facts import Facts, exact
from risk.report.page import Links, build_page
from risk.report.receipt_facts import ReceiptFacts

TEXT_WIDTH = 78

SHORTEST_NAME, MOST_NAMES = 3, 20
"""Letters of a name that a sentence links, and how many names: some warnings list hundreds."""

MAIL_BYTES = 98_000
"""Mail programs truncate messages of more than about 100 kB."""

LIMITS_COLUMNS = (
    "account_id",
    "session_date",
    "effective_session",
    "cut_ratio",
    "base_limit_usd",
    "new_limit_usd",
    "level",
    "source",
    "reasons",
    "session_limit_usd",
    "largest_loss_usd",
    "use_ratio",
    "outcome",
)

FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet runs cells that start with one of these, after blanks, as formulas (OWASP, CSV injection); the last
four are the full-width forms of the first."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The views of one mail; lines end with line feeds.

    Attributes
    ----------
    subject, html, text
        The views.
    charts
        PNG by name; the HTML shows one as ``cid:<name>``.
    attachments
        CSV by file name.
    """

    subject: str
    html: str
    text: str
    charts: Mapping[str, bytes] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)

    @property
    def standalone_html(self) -> str:
        """The HTML with its charts embedded, for a file that is read outside the mail."""
        html = self.html
        for name, chart in self.charts.items():
            data = base64.b64encode(chart).decode()
            html = html.replace(f'src="cid:{name}"', f'src="data:image/png;base64,{data}"')
        return html


def render_report(facts: Facts, run: Run, links: Links, group: str = "") -> Rendered:
    """Render a report, or the excerpt for a group, with as many charts as fit into its mail; attach limits.csv."""
    limits = limits_csv(facts)
    rendered = render_views("risk_report", build_page(facts, run, links, group=group))
    parts_bytes = sum(len(quopri.encodestring(part.encode())) for part in (rendered.html, rendered.text, limits))
    charts = draw_charts(facts, MAIL_BYTES - parts_bytes)
    if charts:
        rendered = render_views("risk_report", build_page(facts, run, links, charts, group))
    return replace(rendered, charts=charts, attachments={"limits.csv": limits})


def limits_csv(facts: Facts) -> str:
    """Return the limits as CSV: exact values, one row per active account, in the report's order."""
    receipts = facts.limit_use.by_account
    stream = io.StringIO()
    writer = csv.DictWriter(stream, LIMITS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for account in facts.accounts:
        writer.writerow(
            {
                "account_id": csv_text(account.account_id),
                "session_date": exact(facts.session_date),
                "effective_session": exact(facts.effective_session),
                "cut_ratio": exact(account.cut_ratio),
                "base_limit_usd": exact(account.base_limit_usd),
                "new_limit_usd": exact(account.new_limit_usd),
                "level": account.level,
                "source": account.source,
                "reasons": csv_text("; ".join(account.reasons)),
                **_use_cells(receipts.get(account.account_id)),
            }
        )
    return stream.getvalue()


def csv_text(text: str) -> str:
    """Return a text as a cell of a CSV: on one line, after a quote where a spreadsheet would run it as a formula."""
    line = " ".join(text.splitlines())
    return f"'{line}" if line.startswith("\t") or line.lstrip().startswith(FORMULA_STARTS) else line


def _use_cells(receipt: ReceiptFacts | None) -> dict[str, str]:
    """Return what an account did with its limit in the session; empty where that is unknown."""
    if receipt is None:
        return {}
    return {
        "session_limit_usd": exact(receipt.limit_usd),
        "largest_loss_usd": exact(receipt.largest_loss_usd),
        "use_ratio": "" if receipt.use_ratio is None else exact(receipt.use_ratio),
        "outcome": receipt.outcome,
    }


def render_views(template: str, page: Any) -> Rendered:
    """Render the three views of a page.

    Parameters
    ----------
    template
        First part of the names ``<template>.subject.j2``, ``.html.j2`` and ``.txt.j2``.
    page
        What the templates see under the name ``page``.

    Raises
    ------
    jinja2.UndefinedError
        If a template uses a name that the page does not have.
    """
    views = {
        kind: _environment(kind).get_template(f"{template}.{kind}.j2").render(page=page)
        for kind in ("subject", "html", "txt")
    }
    # Long lines of the text are wrapped at spaces; a word longer than a line stays whole.
    wrapper = textwrap.TextWrapper(TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)
    lines = []
    for line in map(str.rstrip, views["txt"].strip().splitlines()):
        wrapper.initial_indent = line[: len(line) - len(line.lstrip())]
        wrapper.subsequent_indent = wrapper.initial_indent + "  "
        lines.append(line if len(line) <= TEXT_WIDTH else wrapper.fill(line.lstrip()))
    return Rendered(" ".join(views["subject"].split()), views["html"], "\n".join(lines) + "\n")


def compile_templates() -> None:
    """Compile every mail template, which takes as long as rendering them; later calls use the compiled ones."""
    for path in TEMPLATE_DIR.glob("*.*.j2"):
        kind = path.name.split(".")[-2]
        _environment(kind).get_template(path.name)
        _environment(kind).get_template("macros.j2")


def say(macro: str, *values: Any) -> str:
    """Return a sentence of ``macros.j2`` as the text of a mail has it."""
    return str(getattr(_environment("txt").get_template("macros.j2").module, macro)(*values))


def name_parts(text: str, facts: Facts) -> list[tuple[str, bool]]:
    """Cut a sentence into parts, each with whether it is the name of one of the report's accounts.

    Parts of words and of file names are none, nor are names that may be a word.
    """
    accounts = {one.account_id for one in facts.accounts} | {one.account_id for one in facts.roster}
    named = [name for name in accounts if len(name) >= SHORTEST_NAME and name in text]
    longest_first = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
    parts = re.split(rf"(?<![\w-])({longest_first})(?![\w-]|\.\w)", text, maxsplit=MOST_NAMES) if named else [text]
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


@cache
def _environment(kind: str) -> jinja2.Environment:
    # One environment per kind: a macro of macros.j2 escapes its output in HTML and must not in text. Escaping by file
    # name instead would let a macro's output pass into HTML unescaped.
    return new_environment(is_html=kind == "html")


def new_environment(*, is_html: bool = True) -> jinja2.Environment:
    """Return a new environment of the project's templates, with the filters for amounts; HTML is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE_DIR),
        autoescape=is_html,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(current_desk=current_desk, exchange=exchange)
    environment.filters.update(money.FILTERS, local_time=local_time, name_parts=name_parts)
    return environment
