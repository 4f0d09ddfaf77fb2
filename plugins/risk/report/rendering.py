"""Turns a page into subject, HTML and text: three views of the same facts."""

from __future__ import annotations

from dataclasses import replace

from risk.core.runs import Run
from risk.report import templates
from risk.report.charts import draw_pictures
from risk.report.facts import Facts
from risk.report.files import limits_csv
from risk.report.page import Links, Page, build_page
from risk.report.templates import TEXT_WIDTH, Rendered

__all__ = ["MAIL_BYTES", "TEXT_WIDTH", "Rendered", "illustrate", "render"]


MAIL_BYTES = 98_000
"""Mail programs cut off what is longer than about 100 kB."""


def illustrate(facts: Facts, run: Run, links: Links) -> Rendered:
    """Write a report down with as many pictures as its mail has room for beside the words."""
    words = render(build_page(facts, run, links))
    pictures = draw_pictures(facts, MAIL_BYTES - words.byte_count)
    return render(build_page(facts, run, links, pictures)) if pictures else words


def render(page: Page) -> Rendered:
    """Write a page down, with its pictures, the limits attached.

    Raises
    ------
    jinja2.UndefinedError
        If a template names something the page does not have.
    """
    rendered = templates.render("risk_report", page)
    return replace(rendered, pictures=page.pictures, attachments={"limits.csv": limits_csv(page.facts)})
