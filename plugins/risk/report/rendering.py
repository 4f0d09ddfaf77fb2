"""Turns a page into subject, HTML and text: three views of the same facts."""

from __future__ import annotations

from risk import letters
from risk.letters import TEXT_WIDTH, Rendered
from risk.report.page import Page

__all__ = ["TEXT_WIDTH", "Rendered", "render"]


def render(page: Page) -> Rendered:
    """Write a page down.

    Raises
    ------
    jinja2.UndefinedError
        If a template names something the page does not have.
    """
    return letters.render("risk_report", page)
