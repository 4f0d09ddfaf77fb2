"""How every page is rendered: its template and how values are written."""

from __future__ import annotations

from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from risk.core.settings import read_settings
from risk.report.render import new_environment
from risk.web.parameters import ALL_ROWS
from risk.web.tables import figure, local_time

NOT_KEPT = frozenset({"format", "table"})
"""Parts of an address that ask for an export and not for a page."""

SHOWN_FACTS = 100
"""Warnings and restatements that a page lists: a bad delivery may bring thousands, and report.json has all of them."""


def render(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render ``include/templates/page/<name>.html.j2``; links start at where the app is mounted."""
    shown = {
        "root": root(request),
        "is_simulated": read_settings().is_simulated,
        "address": partial(changed_address, request),
        **context,
    }
    text = _environment().get_template(f"page/{name}.html.j2").render(shown)
    return HTMLResponse(text, status)


def changed_address(request: Request, **changes: str | int) -> str:
    """Return the address of the page that is shown, with some parts of its query changed; an empty one goes."""
    kept = [(name, text) for name, text in request.query_params.multi_items() if name not in {*changes, *NOT_KEPT}]
    query = urlencode([*kept, *((name, str(value)) for name, value in changes.items() if value != "")])
    return f"{root(request)}{page_path(request)}" + (f"?{query}" if query else "")


def page_path(request: Request) -> str:
    """Return the path of a page below the root, quoted as in an address."""
    path = request.scope["path"].removeprefix(root(request))
    return quote(path)


def root(request: Request) -> str:
    """Return the path under which the app is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


@cache
def _environment() -> jinja2.Environment:
    environment = new_environment()
    environment.globals.update(shown_facts=SHOWN_FACTS, all_rows=ALL_ROWS)
    environment.filters.update(local_time=local_time, figure=figure)
    return environment
