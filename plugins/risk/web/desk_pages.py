"""The page of the desk: curve, tail and shares, limits, patterns between traders, correlations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from risk.desk.patterns import LARGEST_RATE
from risk.web.charts import chart_tables
from risk.web.desk_tables import curve_chart, desk_tables, heat_rows
from risk.web.desk_views import read_desk_page
from risk.web.exports import answer
from risk.web.parameters import SHOW_ALL, FewRows, Show
from risk.web.rendering import render
from risk.web.views import read_failure, warehouse

router = APIRouter()


@router.get("/desk", response_class=HTMLResponse)
@router.get("/desk/{session_date}", response_class=HTMLResponse)
def desk(
    request: Request,
    rows: FewRows,
    session_date: dt.date | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
    show: Show = "",
) -> Response:
    """Show the desk after the newest report or a session's, and the patterns of its week or of a range of days."""
    with warehouse() as connection:
        view = read_desk_page(connection, session_date, first, last, shows_all=show == SHOW_ALL)
        if view is None:
            return render(request, "first_run", failure=read_failure(connection))
    chart = curve_chart(view.curve, view.reported)
    shown: dict[str, Any] = {"chart": chart, "heat": heat_rows(view.correlations), "largest_rate": LARGEST_RATE}
    tables = [*desk_tables(view, rows), *chart_tables(chart)]
    return answer(request, "desk", tables, view=view, facts=view.summary.facts, show=show, **shown)
