"""Turns a page into subject, HTML and text: three views of the same facts."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cache

import jinja2

from risk.report.page import Page
from risk.settings import TEMPLATE_DIR

TEXT_WIDTH = 78


@dataclass(frozen=True, slots=True)
class Rendered:
    """The views a mail is made of; line ends are line feeds."""

    subject: str
    html: str
    text: str


def render(page: Page) -> Rendered:
    """Write a page down.

    Raises
    ------
    jinja2.UndefinedError
        If a template names something the page does not have.
    """
    views = {
        kind: _environment(kind).get_template(f"risk_report.{kind}.j2").render(page=page)
        for kind in ("subject", "html", "txt")
    }
    return Rendered(" ".join(views["subject"].split()), views["html"], wrapped(views["txt"]))


def wrapped(text: str) -> str:
    """Break long lines at words, continuing two columns deeper; a word longer than a line stays whole."""
    return "\n".join(_wrapped_line(line.rstrip()) for line in text.strip().splitlines()) + "\n"


def _wrapped_line(line: str) -> str:
    if len(line) <= TEXT_WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.lstrip(),
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def _environment(kind: str) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE_DIR),
        # One environment per kind: a macro of macros.j2 escapes what it writes in HTML, and must not in text.
        # Escaping by the name of the file instead would let its macros' output pass into HTML unescaped.
        autoescape=kind == "html",  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
