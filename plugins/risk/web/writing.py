"""Writes pages down, with the headers that keep everything on this machine."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from risk.core import money
from risk.core.settings import EXCHANGE_ZONE, TEMPLATE_DIR, read_settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def page(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render ``include/templates/page/<name>.html.j2``; links start at where the app is mounted."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    shown = {"root": root, "is_simulated": read_settings().is_simulated, **context}
    text = _environment().get_template(f"page/{name}.html.j2").render(shown)
    return HTMLResponse(text, status, HEADERS)


def local_time(instant: dt.datetime) -> str:
    """Write an instant in New York's time."""
    return f"{instant.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} New York"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE_DIR),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({**money.FILTERS, "local_time": local_time})
    return environment
