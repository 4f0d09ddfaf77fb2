"""The page of the calendar: results of all traders by session."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from risk.web.calendar_views import FEWEST_SESSIONS, FIRST_SESSIONS, MOST_SESSIONS, SPANS, calendar_table, read_calendar
from risk.web.exports import answer
from risk.web.parameters import Asked, RowCount
from risk.web.views import warehouse

router = APIRouter()


@router.get("/calendar", response_class=HTMLResponse)
def calendar(
    request: Request,
    sessions: Annotated[int, Query(ge=FEWEST_SESSIONS, le=MOST_SESSIONS)] = FIRST_SESSIONS,
    through: dt.date | None = None,
    find: Annotated[str, Query(max_length=100)] = "",
    page: RowCount = 1,
    asked: Asked = "",
) -> Response:
    """Show so many sessions of the traders who were searched for, the newest ones or those up to a day."""
    with warehouse() as connection:
        if asked:
            return answer(request, "calendar", [calendar_table(connection, sessions, through, find)])
        view = read_calendar(connection, sessions, through, find, page)
    shown: dict[str, Any] = {"session_count": sessions, "through": through, "find": find, "spans": SPANS}
    return answer(request, "calendar", [], view=view, **shown)
