"""The pages of a trader: his past, one of his days, and the examiner's pack about him.

A name may hold a slash: what stands after the last one is a day, ``pack``, or the end of the name.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from risk.core.errors import RequestError
from risk.evidence.later import airflow_people
from risk.evidence.pack import examine
from risk.limits.breaches import open_items, read_items
from risk.limits.notes import Subject
from risk.web.charts import chart_tables
from risk.web.day_charts import results_chart, running_chart, use_chart
from risk.web.day_tables import day_tables, symbols_table
from risk.web.day_views import read_day
from risk.web.exports import answer
from risk.web.note_pages import Person, PersonDep, read_notes_view
from risk.web.parameters import ALL_ROWS, FEW_ROWS, Asked, FewRows, Known, RowCount
from risk.web.session_tables import feature_tables, recommendations_table
from risk.web.tables import WHOLE, page_of
from risk.web.trader_results import read_results, results_table
from risk.web.views import read_trader, warehouse

router = APIRouter()

CHART_SESSIONS = 125
"""Sessions in the charts of results and use."""

PAGE_FILLS = 25
"""Fills on a page of a day, which has much besides them."""

PAGE_SESSIONS = 20
"""Sessions on a page of the table of results, which has much below it."""

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@router.get("/traders/{account_id:path}/pack")
def pack(
    tasks: BackgroundTasks,
    account_id: str,
    first: Annotated[dt.date, Query(alias="from")],
    last: Annotated[dt.date, Query(alias="to")],
) -> FileResponse:
    """Make the examiner's pack of a trader and download it."""
    folder = Path(tempfile.mkdtemp(prefix="risk-pack-"))
    tasks.add_task(shutil.rmtree, folder)
    name = f"{account_id}-{first}-{last}.zip"
    with contextlib.ExitStack() as failed, warehouse() as connection:
        failed.callback(shutil.rmtree, folder)
        made = examine(connection, account_id, first, last, folder / "pack.zip", airflow_people())
        failed.pop_all()
    return FileResponse(made.file, media_type="application/zip", filename=name)


@router.get("/traders/{place:path}", response_class=HTMLResponse)
def trader(
    request: Request,
    place: str,
    person: PersonDep,
    rows: FewRows,
    page: RowCount = 1,
    asked: Asked = "",
    known: Known = "now",
) -> Response:
    """Show one trader's past, or one of his days where the address ends with a date, as known then or now."""
    name, _, day = place.rpartition("/")
    if name and DATE.fullmatch(day):
        size = PAGE_FILLS if rows == FEW_ROWS else rows
        return _day_page(request, Subject(name, _parsed(day)), person, WHOLE if asked else page, size, known)
    return _trader_page(request, Subject(place, None), person, rows, None if asked else page)


def _parsed(day: str) -> dt.date:
    try:
        return dt.date.fromisoformat(day)
    except ValueError:
        raise RequestError(f"{day} is no date: ask for another day.") from None


def _day_page(request: Request, subject: Subject, person: Person, page: int, size: int, known: str) -> Response:
    """Show what a trader did in a session, so many fills a page, and what he carried over its close."""
    account_id, session_date = subject.account_id or "", subject.session_date or dt.date.min
    with warehouse() as connection:
        view = read_day(connection, account_id, session_date, known)
        items = read_items(connection, through_session=session_date, account_id=account_id)
        notes = read_notes_view(connection, subject, person)
    fills, chart = page_of(view.fills, page, size), running_chart(view)
    tables = [*day_tables(view, fills), *chart_tables(chart), notes.table]
    shown: dict[str, Any] = {"items": [item for item in items if item.session_date == session_date]}
    return answer(request, "day", tables, view=view, fills=fills, chart=chart, notes=notes, **shown)


def _trader_page(request: Request, subject: Subject, person: Person, rows: int, page: int | None) -> Response:
    """Show one trader's past, with the newest recommendations and notes or all of them; ``None`` = all sessions."""
    account_id = subject.account_id or ""
    with warehouse() as connection:
        view = read_trader(connection, account_id, rows)
        sessions = read_results(connection, account_id)
        items = open_items(read_items(connection, account_id=account_id))
        notes = read_notes_view(connection, subject, person, row_count=rows)
    results = page_of(sessions.results[::-1], page or 1, PAGE_SESSIONS)
    drawn = sessions.results[-CHART_SESSIONS:]
    charts = {"results": results_chart(account_id, drawn), "use": use_chart(account_id, drawn)}
    has_more = len(view.recommendations) == rows and rows < ALL_ROWS
    tables = [
        results_table(account_id, results.rows if page else sessions.results[::-1]),
        symbols_table(sessions.symbols, sessions.symbols_caption, has_sessions=True),
        recommendations_table(view.recommendations, is_cut_short=has_more),
        *feature_tables(view.features),
        *chart_tables(*charts.values(), view.drawdown, view.forecast),
        notes.table,
    ]
    shown: dict[str, Any] = {"sessions": sessions, "results": results, "charts": charts}
    return answer(request, "trader", tables, view=view, items=items, notes=notes, **shown)
