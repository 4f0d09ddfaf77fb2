"""The pages that are looked at: today, a session, a trader, the model, the ledger, the stored mail."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from risk.core.settings import PROJECT_DIR, read_settings
from risk.report.page import TAIL_SESSIONS, headline
from risk.web.ledger import read_ledger
from risk.web.model import read_model_page
from risk.web.reading import read_morning, read_session, read_trader, warehouse
from risk.web.writing import page

router = APIRouter()

FIRST_ROWS, ALL_ROWS = 60, 100_000
"""Recommendations shown at first, and when all are asked for."""

ASSETS_DIR = PROJECT_DIR / "include" / "assets"
ASSETS = {"risk.css": "text/css", "risk.js": "text/javascript"}


@router.get("/", response_class=HTMLResponse)
def today(request: Request) -> HTMLResponse:
    """Show the newest report."""
    with warehouse() as connection:
        morning = read_morning(connection, None)
    accounts = morning.report.facts.accounts
    lead = {"account_count": len(accounts), "headline": headline(accounts)}
    return page(request, "today", morning=morning, facts=morning.report.facts, lead=lead)


@router.get("/sessions")
def any_session(request: Request, date: dt.date) -> RedirectResponse:
    """Lead from the form of every page to the address of a session, which can be kept."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return RedirectResponse(f"{root}/sessions/{date}", status.HTTP_303_SEE_OTHER)


@router.get("/sessions/{session_date}", response_class=HTMLResponse)
def session(
    request: Request, session_date: dt.date, known: Annotated[str, Query(pattern="^(then|now)$")] = "then"
) -> HTMLResponse:
    """Show a past session as its report knew it, or as it is known now."""
    with warehouse() as connection:
        view = read_session(connection, session_date, known)
    reported = {account.account_id: account for account in view.morning.report.facts.accounts}
    facts = view.morning.report.facts
    return page(request, "session", view=view, morning=view.morning, facts=facts, known=known, reported=reported)


@router.get("/traders/{account_id}", response_class=HTMLResponse)
def trader(
    request: Request, account_id: str, rows: Annotated[int, Query(ge=1, le=ALL_ROWS)] = FIRST_ROWS
) -> HTMLResponse:
    """Show one trader's past, with the newest recommendations or all of them."""
    with warehouse() as connection:
        view = read_trader(connection, account_id, rows)
    has_more = len(view.recommendations) == rows and rows < ALL_ROWS
    all_rows = ALL_ROWS if has_more else None
    return page(request, "trader", view=view, all_rows=all_rows, tail_sessions=TAIL_SESSIONS)


@router.get("/ledger", response_class=HTMLResponse)
@router.get("/ledger/{session_date}", response_class=HTMLResponse)
def ledger(
    request: Request, session_date: dt.date | None = None, rows: Annotated[int, Query(ge=1, le=ALL_ROWS)] = FIRST_ROWS
) -> HTMLResponse:
    """Show what past recommendations were worth, as known now or with a session's run."""
    with warehouse() as connection:
        view = read_ledger(connection, session_date, rows)
    has_more = view is not None and rows < max(view.session_count, view.result["entry_count"])
    return page(request, "ledger", view=view, has_more=has_more, all_rows=ALL_ROWS)


@router.get("/model", response_class=HTMLResponse)
@router.get("/model/{model_id}", response_class=HTMLResponse)
def model(
    request: Request, model_id: int | None = None, rows: Annotated[int, Query(ge=1, le=ALL_ROWS)] = FIRST_ROWS
) -> HTMLResponse:
    """Show a model's card, the newest one's or an earlier one's, and what the gate has found."""
    with warehouse() as connection:
        view = read_model_page(connection, model_id, rows)
    return page(request, "model", view=view, has_more=rows < view.judged_count, all_rows=ALL_ROWS)


@router.get("/reports/{session_date}", response_class=HTMLResponse)
def report(session_date: dt.date) -> HTMLResponse:
    """Show the mail as it was written for a session."""
    file = read_settings().report_dir(session_date) / "report.html"
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"No report of {session_date} lies on this machine: run the session first."
        ) from None
    # A report holds no script, and none that a delivered name may bring shall run with the reader's login.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


@router.get("/assets/{name}")
def asset(name: str) -> FileResponse:
    """Give a style sheet or script of ours."""
    if name not in ASSETS:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no file {name!r} here.")
    return FileResponse(ASSETS_DIR / name, media_type=ASSETS[name])
