"""How every page is rendered: its template and how values are written."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from risk.core.settings import EXCHANGE_ZONE, read_settings
from risk.report.render import new_environment

SHOWN_FACTS = 100
"""Warnings and restatements that a page lists: a bad delivery may bring thousands, and report.json has all of them."""


def render(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render ``include/templates/page/<name>.html.j2``; links start at where the app is mounted."""
    shown = {"root": root(request), "is_simulated": read_settings().is_simulated, **context}
    text = _environment().get_template(f"page/{name}.html.j2").render(shown)
    return HTMLResponse(text, status)


def root(request: Request) -> str:
    """Return the path under which the app is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _local_time(instant: dt.datetime) -> str:
    return f"{instant.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} New York"


def _figure(value: float | None, decimals: int = 3) -> str:
    """Write a number without a unit; small ones keep digits that tell them from 0."""
    if value is None:
        return "n/a"
    places = 5 if value and abs(value) < 10**-decimals else decimals
    return f"{value:z,.{places}f}"


@cache
def _environment() -> jinja2.Environment:
    environment = new_environment()
    environment.globals["shown_facts"] = SHOWN_FACTS
    environment.filters.update(local_time=_local_time, figure=_figure)
    return environment
