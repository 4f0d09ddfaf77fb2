"""How every page is rendered: its template and how values are written."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from risk.core.desks import DAILY_DAG, current_desk, own_dag
from risk.core.settings import read_settings
from risk.report.render import new_environment
from risk.web.parameters import ALL_ROWS
from risk.web.tables import Table, figure

NOT_KEPT = frozenset({"format", "table"})
"""Parts of an address that ask for an export and not for a page."""

NAVIGATION = {
    "Today": ("/", "/approvals", "/reports"),
    "Desk": ("/desk",),
    "Calendar": ("/calendar",),
    "Traders": ("/traders",),
    "Limits": ("/limits",),
    "Sessions": ("/sessions",),
    "Breaches": ("/breaches",),
    "Decisions": ("/decisions",),
    "Changes": ("/changes",),
    "Policy": ("/policy",),
    "Model": ("/model",),
    "Track record": ("/track-record",),
}
"""The navigation of every page: the name of an entry, its address, and what else belongs to it. An entry whose page
does not exist is left out."""

CHART_LIBRARY = f"plotly-{importlib.metadata.version('plotly')}.min.js"
"""Name under which the page loads the JavaScript of the installed package: another one for another version."""

PAGE_NUMBER = re.compile("[1-9][0-9]{0,8}")

SHOWN_FACTS = 100
"""Warnings and restatements that a page lists: a bad delivery may bring thousands, and report.json has all of them."""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A link of the navigation.

    Attributes
    ----------
    name, path
        What it says, and its address below the root.
    current
        Value of ``aria-current``: ``page`` where it leads to the page that is shown, ``true`` where that page belongs
        to it, else empty.
    """

    name: str
    path: str
    current: str


def render(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render ``include/templates/page/<name>.html.j2``; links start at where the app, or Airflow itself, is mounted."""
    shown = {
        "root": root(request),
        "airflow_root": airflow_root(request),
        "is_simulated": read_settings().is_simulated,
        "desk_name": current_desk(),
        "daily_dag": own_dag(DAILY_DAG),
        "address": partial(changed_address, request),
        "paged": partial(asked_page, request),
        "navigation": navigation(request),
        "chart_library": CHART_LIBRARY,
        **context,
    }
    text = _environment().get_template(f"page/{name}.html.j2").render(shown)
    return HTMLResponse(text, status)


def changed_address(request: Request, **changes: str | int) -> str:
    """Return the address of the page that is shown, with some parts of its query changed; an empty one goes."""
    kept = [(name, text) for name, text in request.query_params.multi_items() if name not in {*changes, *NOT_KEPT}]
    query = urlencode([*kept, *((name, str(value)) for name, value in changes.items() if value != "")])
    return f"{root(request)}{page_path(request)}" + (f"?{query}" if query else "")


def asked_page(request: Request, table: Table) -> Table:
    """Return the page of a long table that the address asks for by ``page-<name of the table>``, else the first."""
    number = request.query_params.get(f"page-{table.name}", "")
    return table.at_page(int(number) if PAGE_NUMBER.fullmatch(number) else 1)


def page_path(request: Request) -> str:
    """Return the path of a page below the root, quoted as in an address."""
    return quote(shown_path(request))


def root(request: Request) -> str:
    """Return the path under which the app is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_root(request: Request) -> str:
    """Return the path under which Airflow itself is served: that of ``[api] base_url``, without a trailing slash."""
    return str(request.scope.get("app_root_path", "")).rstrip("/")


def shown_path(request: Request) -> str:
    """Return the path of the page that was asked for, below the root, whether the server cut off the mount or not."""
    path: str = request.scope["path"]
    mount = root(request)
    return path.removeprefix(mount) if path.startswith(f"{mount}/") else path


def navigation(request: Request) -> list[NavigationEntry]:
    """Return the links to the pages that exist; that of the page that is shown is marked."""
    existing = {getattr(route, "path", "") for route in request.app.routes}
    path = shown_path(request)
    return [
        NavigationEntry(name, own, _current(path, own, further))
        for name, (own, *further) in NAVIGATION.items()
        if own in existing
    ]


def _current(path: str, own: str, further: list[str]) -> str:
    if path == own:
        return "page"
    belonging = further if own == "/" else [own, *further]
    return "true" if any(path.startswith(f"{start}/") for start in belonging) else ""


def chart_library_file() -> Path:
    """Return the file of the JavaScript that draws the charts, from the installed package."""
    return Path(str(importlib.resources.files("plotly") / "package_data" / "plotly.min.js"))


@cache
def _environment() -> jinja2.Environment:
    environment = new_environment()
    environment.globals.update(shown_facts=SHOWN_FACTS, all_rows=ALL_ROWS)
    environment.filters.update(figure=figure)
    return environment
