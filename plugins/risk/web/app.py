"""The Risk page: a FastAPI app that our plugin serves beside Airflow's own pages, for those who may see these.

Addresses: today, a session, limits, breaches, the model, the track record, approvals, the stored email; those of
traders are in `risk.web.trader_pages`, of the calendar in `risk.web.calendar_pages`, of the policy in
`risk.web.policy_pages`. Those that write: the forms that decide about proposed limits,
request a change of a limit, decide about one, and close a breach.
Everything a page shows comes from the modules ``views`` beside this one; ``guard`` protects every answer.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from urllib.parse import quote

import psycopg2
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Form, HTTPException, Query, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from risk.core.errors import ConnectionLostError, RequestError
from risk.core.policy_store import read_policies
from risk.core.settings import INCLUDE_DIR, read_settings
from risk.core.warehouse import rows as rows_of
from risk.limits.breaches import CLOSING_REASONS, enter, open_items, read_items
from risk.limits.change_approvals import ChangeDecision, decide_change
from risk.limits.confirmations import enter_platform_limits
from risk.limits.decisions import Decider, approve_cuts, decide
from risk.limits.notes import Subject
from risk.limits.register import KIND_TIMES, request_change
from risk.limits.track_record import SLIPPAGE_RATIO
from risk.model.backtests import BLOCK_SESSIONS
from risk.model.gate import OLDEST_SESSIONS
from risk.web.access import DECIDER, READER, MayDecideDep, UserDep, check_form_token, form_token
from risk.web.approval_views import CutsForm, DecisionForm, read_approval, wake_if_decided
from risk.web.breach_views import BreachForm, read_breach
from risk.web.calendar_pages import router as calendar_router
from risk.web.charts import chart_tables
from risk.web.compare_pages import router as compare_router
from risk.web.desk_pages import router as desk_router
from risk.web.exports import answer
from risk.web.guard import Guard, protect
from risk.web.limit_tables import decisions_table, entries_table, limits_tables
from risk.web.limit_views import LimitForm, read_limits_page
from risk.web.list_pages import router as list_router
from risk.web.note_pages import PersonDep, read_notes_view
from risk.web.note_pages import router as note_router
from risk.web.parameters import ALL_ROWS, Known, Number, RowCount, ShownRows
from risk.web.policy_pages import router as policy_router
from risk.web.record_tables import model_tables, track_record_tables
from risk.web.rendering import CHART_LIBRARY, chart_library_file, render, root, shown_path
from risk.web.session_tables import (
    limits_table,
    session_sentences,
    session_tables,
    use_table,
)
from risk.web.tables import PAGE_ROWS
from risk.web.trader_pages import router as trader_router
from risk.web.views import (
    read_failure,
    read_model_page,
    read_problem,
    read_session,
    read_today,
    read_track_record,
    warehouse,
)

router = APIRouter()

HEADINGS = {
    status.HTTP_401_UNAUTHORIZED: "Log in first",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not found",
    status.HTTP_409_CONFLICT: "Not saved",
    status.HTTP_503_SERVICE_UNAVAILABLE: "Warehouse unavailable",
}

REQUEST_PURPOSE = "request a change of a limit"
PLATFORM_PURPOSE = "confirm limits on the platform"

ASSETS_DIR = INCLUDE_DIR / "assets"
ASSETS = {"risk.css": "text/css", "risk.js": "text/javascript"}
YEAR_SECONDS = 365 * 24 * 3600
REPORT_PAGE = "risk_page/select_report_page"


@router.get("/", response_class=HTMLResponse)
def today(request: Request) -> Response:
    """Show the newest report; before the first one, how to get it."""
    with warehouse() as connection:
        morning = read_today(connection)
        if morning is None:
            return render(request, "first_run", failure=read_failure(connection))
        items = open_items(read_items(connection))
        problem = read_problem(connection)
    facts = morning.report.facts
    tables = [limits_table(morning), use_table(facts.limit_use.receipts)]
    return answer(request, "today", tables, morning=morning, facts=facts, items=items, problem=problem)


@router.get("/sessions/{session_date}", response_class=HTMLResponse)
def session(
    request: Request,
    session_date: dt.date,
    person: PersonDep,
    rows: ShownRows,
    known: Known = "then",
) -> Response:
    """Show a past session as its report knew it, or as it is known now."""
    with warehouse() as connection:
        view = read_session(connection, session_date, known)
        notes = read_notes_view(connection, Subject(None, session_date), person, row_count=rows)
    shown: dict[str, Any] = {"morning": view.morning, "facts": view.morning.report.facts, "known": known}
    tables = [*session_tables(view, known, rows), notes.table]
    return answer(request, "session", tables, view=view, sentences=session_sentences(view), notes=notes, **shown)


@router.get("/breaches/{session_date}/{account_id}", response_class=HTMLResponse)
def breach(request: Request, session_date: dt.date, account_id: str, user: UserDep, decides: MayDecideDep) -> Response:
    """Show a breach, what was entered about it, and the form that closes it."""
    with warehouse() as connection:
        view = read_breach(connection, account_id, session_date)
    token = form_token(user, _breach_purpose(account_id, session_date))
    tables = [entries_table(view.entries)]
    return answer(request, "breach", tables, view=view, may_decide=decides, reasons=CLOSING_REASONS, token=token)


@router.post("/breaches/{session_date}/{account_id}/entries", dependencies=[DECIDER])
def enter_breach(
    request: Request, session_date: dt.date, account_id: str, user: UserDep, entered: Annotated[BreachForm, Form()]
) -> Response:
    """Store what the user enters about a breach, then redirect to its page."""
    check_form_token(entered.token, user, _breach_purpose(account_id, session_date))
    with warehouse() as connection:
        enter(connection, account_id, session_date, user, entered.entry)
    path = f"{root(request)}/breaches/{session_date}/{quote(account_id, safe='')}"
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)


@router.get("/limits", response_class=HTMLResponse)
def limits(request: Request, user: UserDep, decides: MayDecideDep, entered: Annotated[LimitForm, Query()]) -> Response:
    """Show limits in force, the register, and the form that requests a change, filled in as the address says."""
    with warehouse() as connection:
        view = read_limits_page(
            connection,
            entered,
            has_dual_control=read_settings().dual_control,
            is_export="format" in request.query_params,
        )
    return answer(
        request,
        "limits",
        limits_tables(view, entered.find),
        view=view,
        entered=entered,
        kinds=KIND_TIMES,
        user=user,
        may_decide=decides,
        token=form_token(user, REQUEST_PURPOSE),
        platform_token=form_token(user, PLATFORM_PURPOSE),
        tokens={one.change.change_id: form_token(user, _change_purpose(one.change.change_id)) for one in view.pending},
    )


@router.post("/limits/platform", dependencies=[DECIDER])
def confirm_limits(
    request: Request, user: UserDep, token: Annotated[str, Form()], entered: Annotated[tuple[str, ...], Form()] = ()
) -> Response:
    """Store that the user has entered limits on the trading platform, then redirect to the page."""
    check_form_token(token, user, PLATFORM_PURPOSE)
    pairs = (text.partition(" ") for text in entered)
    with warehouse() as connection:
        enter_platform_limits(connection, {account_id: limit for limit, _, account_id in pairs}, user)
    return RedirectResponse(f"{root(request)}/limits", status.HTTP_303_SEE_OTHER)


@router.post("/limits/changes", dependencies=[DECIDER])
def request_limit(request: Request, user: UserDep, entered: Annotated[LimitForm, Form()]) -> Response:
    """Store a change that the user requests, then redirect to the page."""
    check_form_token(entered.token, user, REQUEST_PURPOSE)
    with warehouse() as connection:
        request_change(connection, entered.change, user, has_dual_control=read_settings().dual_control)
    return RedirectResponse(f"{root(request)}/limits", status.HTTP_303_SEE_OTHER)


@router.post("/limits/changes/{change_id}/decisions", dependencies=[DECIDER])
def decide_limit_change(
    request: Request,
    change_id: Number,
    user: UserDep,
    action: Annotated[Literal["approved", "rejected"], Form()],
    seen: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    token: Annotated[str, Form()],
) -> Response:
    """Store what the user decides about a change, then redirect to the page."""
    check_form_token(token, user, _change_purpose(change_id))
    with warehouse() as connection:
        decision = ChangeDecision(change_id, action, seen)
        decide_change(connection, decision, user, has_dual_control=read_settings().dual_control)
    return RedirectResponse(f"{root(request)}/limits", status.HTTP_303_SEE_OTHER)


@router.get("/track-record", response_class=HTMLResponse)
@router.get("/track-record/{session_date}", response_class=HTMLResponse)
def track_record(request: Request, rows: ShownRows, session_date: dt.date | None = None) -> Response:
    """Show what past cuts were worth, as known now or to a session's run."""
    with warehouse() as connection:
        view = read_track_record(connection, session_date, rows)
    has_more = view is not None and rows < max(view.session_count, view.record["entry_count"])
    method: dict[str, Any] = {"slippage_ratio": SLIPPAGE_RATIO, "block_sessions": BLOCK_SESSIONS}
    tables = track_record_tables(view, is_cut_short=has_more) + chart_tables(view.chart) if view is not None else []
    return answer(request, "track_record", tables, view=view, **method)


@router.get("/model", response_class=HTMLResponse)
@router.get("/model/{model_id}", response_class=HTMLResponse)
def model(request: Request, rows: ShownRows, model_id: Number | None = None) -> Response:
    """Show a model's card, the newest one's or an earlier one's, and the gate's evaluations."""
    with warehouse() as connection:
        view = read_model_page(connection, model_id, rows)
        terms = read_policies(connection)[0].desk.accounts
    bounds: dict[str, Any] = {
        "limited_history_sessions": terms.limited_history_sessions,
        "oldest_sessions": OLDEST_SESSIONS,
    }
    tables = [
        *model_tables(view, is_cut_short=rows < view.evaluation_count),
        *chart_tables(view.reliability, view.weights, *(step.chart for step in view.wealth)),
    ]
    return answer(request, "model", tables, view=view, **bounds)


@router.get("/approvals/{publication_id}", response_class=HTMLResponse)
def approval(
    request: Request,
    publication_id: Number,
    user: UserDep,
    decides: MayDecideDep,
    page: RowCount = 1,
    rows: RowCount = PAGE_ROWS,
) -> Response:
    """Show what is open, what was decided and what is in force, and the forms that decide."""
    with warehouse() as connection:
        view = read_approval(connection, publication_id, page, ALL_ROWS if "format" in request.query_params else rows)
    token = form_token(user, _approval_purpose(publication_id))
    shown: dict[str, Any] = {"user": user, "may_decide": decides, "token": token}
    tables = [decisions_table(view.decisions, view.decision_count)]
    return answer(request, "approval", tables, view=view, **shown)


@router.post("/approvals/{publication_id}/decisions", dependencies=[DECIDER])
def decide_limit(
    request: Request,
    publication_id: Number,
    user: UserDep,
    entered: Annotated[DecisionForm, Form()],
    tasks: BackgroundTasks,
) -> Response:
    """Store what the user decides about a limit, then redirect to the page: reloading it sends nothing twice."""
    shown_at = check_form_token(entered.token, user, _approval_purpose(publication_id))
    with warehouse() as connection:
        decide(connection, publication_id, entered.decision, Decider(user, shown_at))
    wake_if_decided(request, publication_id, tasks)
    page = f"?page={entered.page}" if entered.page > 1 else ""
    return RedirectResponse(f"{root(request)}/approvals/{publication_id}{page}", status.HTTP_303_SEE_OTHER)


@router.post("/approvals/{publication_id}/cuts", dependencies=[DECIDER])
def approve_all_cuts(
    request: Request,
    publication_id: Number,
    user: UserDep,
    entered: Annotated[CutsForm, Form()],
    tasks: BackgroundTasks,
) -> Response:
    """Store that the user approves all cuts that he was shown, then redirect to the page."""
    shown_at = check_form_token(entered.token, user, _approval_purpose(publication_id))
    with warehouse() as connection:
        approve_cuts(connection, publication_id, entered.hashes, Decider(user, shown_at))
    wake_if_decided(request, publication_id, tasks)
    return RedirectResponse(f"{root(request)}/approvals/{publication_id}", status.HTTP_303_SEE_OTHER)


@router.get("/reports/{session_date}", response_class=HTMLResponse)
def report(session_date: dt.date) -> HTMLResponse:
    """Show the email as it was written for a session, whichever machine wrote it."""
    try:
        with warehouse() as connection:
            found = [bytes(content) for (content,) in rows_of(connection, REPORT_PAGE, {"session_date": session_date})]
    except (ConnectionLostError, psycopg2.OperationalError):
        # The copy of the machine that wrote the report, where this is it.
        file = read_settings().report_dir(session_date) / "report.html"
        if not file.is_file():
            raise
        found = [file.read_bytes()]
    if not found:
        raise RequestError(f"No report of {session_date} is stored: run the session first.")
    # A report holds no script, and none that a delivered name may bring shall run with the reader's login.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'"
    return HTMLResponse(found[0], headers={"Content-Security-Policy": policy})


def asset(request: Request) -> FileResponse:
    """Serve our style sheet or script, or the charts' library, which a browser keeps: its address has its version."""
    name = request.path_params["name"]
    if name == CHART_LIBRARY:
        lasting = {"Cache-Control": f"private, max-age={YEAR_SECONDS}, immutable"}
        return FileResponse(chart_library_file(), media_type="text/javascript", headers=lasting)
    if name not in ASSETS:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no file {name!r} here.")
    return FileResponse(ASSETS_DIR / name, media_type=ASSETS[name])


def _approval_purpose(publication_id: int) -> str:
    return f"approval {publication_id}"


def _change_purpose(change_id: int) -> str:
    return f"limit change {change_id}"


def _breach_purpose(account_id: str, session_date: dt.date) -> str:
    return f"breach {session_date} {account_id}"


def check_address(request: Request) -> None:
    """Refuse a character that no name in the warehouse has.

    Raises
    ------
    RequestError
        If the address holds a NUL.
    """
    if any("\0" in text for text in (*request.path_params.values(), *request.query_params.values())):
        raise RequestError("The address holds a NUL character, which no name has: correct it.")


def refuse_foreign(request: Request) -> HTMLResponse:
    """Say that a form came from elsewhere."""
    sentence = (
        "This form was sent by another site, so nothing was saved: open the Risk page and enter it there. If this was "
        "the Risk page, its address is not the one in RISK_BASE_URL."
    )
    return _error_page(request, status.HTTP_403_FORBIDDEN, sentence)


# An app of a plugin is open to everybody unless it says otherwise.
app = FastAPI(
    title="Risk", dependencies=[READER, Depends(check_address)], docs_url=None, redoc_url=None, openapi_url=None
)
app.include_router(router)
app.include_router(list_router)
app.include_router(compare_router)
app.include_router(trader_router)
app.include_router(calendar_router)
app.include_router(desk_router)
app.include_router(policy_router)
app.include_router(note_router)
# Everybody gets these: they say nothing about the desk, and the page that asks for the login looks like the others.
app.add_route("/assets/{name}", asset)
app.add_middleware(Guard, refuse=refuse_foreign)


@app.exception_handler(StarletteHTTPException)
def http_error(request: Request, error: StarletteHTTPException) -> HTMLResponse:
    """Say why there is no page; 401 links to the login."""
    return _error_page(request, error.status_code, str(error.detail))


@app.exception_handler(RequestError)
def wrong_request(request: Request, error: RequestError) -> HTMLResponse:
    """Say what to ask instead: there is nothing to show, or nothing was stored."""
    is_form = request.method == "POST"
    return _error_page(request, status.HTTP_409_CONFLICT if is_form else status.HTTP_404_NOT_FOUND, str(error))


@app.exception_handler(RequestValidationError)
def invalid_request(request: Request, error: RequestValidationError) -> HTMLResponse:
    """Say which part of an address or form is invalid."""
    parts = ", ".join(str(found["loc"][-1]) for found in error.errors())
    return _error_page(request, status.HTTP_422_UNPROCESSABLE_CONTENT, f"Invalid value: {parts}.")


@app.exception_handler(ConnectionLostError)
@app.exception_handler(psycopg2.OperationalError)
def warehouse_unavailable(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001  (may name hosts)
    """Say that the database is down; the copies of reports on this disk are available all the same."""
    return _error_page(
        request,
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "The warehouse does not respond or is busy; nothing was changed. Try again in a minute, then run "
        "./riskctl doctor. Reports written on this machine remain available under "
        f"{root(request)}/reports/<session>.",
    )


@app.exception_handler(Exception)
def unexpected_error(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001  (the server logs it)
    """Say that this is our fault; Starlette answers outside of every middleware here."""
    answer = _error_page(
        request,
        status.HTTP_500_INTERNAL_SERVER_ERROR,
        "The page failed; what was entered may not be saved. Go back and look, then read the api-server's log.",
    )
    protect(answer.headers)
    return answer


def _error_page(request: Request, code: int, sentence: str) -> HTMLResponse:
    heading = HEADINGS.get(code, "Error")
    return render(
        request, "error", status=code, code=code, heading=heading, sentence=sentence, wanted=login_target(request)
    )


def login_target(request: Request) -> str:
    """Return where a login leads: the page that was asked for; from a form, which cannot be repeated, to Today."""
    mount = root(request)
    if request.method != "GET":
        return f"{mount}/"
    page = f"{mount}{shown_path(request)}"
    query = request.url.query
    return f"{page}?{query}" if query else page
