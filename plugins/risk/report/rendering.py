"""Turns a page into subject, HTML and text: three views of the same facts."""

from __future__ import annotations

from dataclasses import replace

from risk import letters
from risk.letters import TEXT_WIDTH, Rendered
from risk.report.files import limits_csv
from risk.report.page import Page

__all__ = ["TEXT_WIDTH", "Rendered", "render"]


def render(page: Page) -> Rendered:
    """Write a page down, with its pictures, the limits attached.

    Raises
    ------
    jinja2.UndefinedError
        If a template names something the page does not have.
    """
    rendered = letters.render("risk_report", page)
    return replace(rendered, pictures=page.pictures, attachments={"limits.csv": limits_csv(page.facts)})
