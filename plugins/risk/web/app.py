"""The Risk page: what our plugin serves beside Airflow's own pages, for those who may see these."""

from __future__ import annotations

import psycopg2
from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from risk.core.errors import ConnectionLostError, RequestError
from risk.web import approvals, pages
from risk.web.access import LOOKING
from risk.web.writing import page

TITLES = {
    status.HTTP_401_UNAUTHORIZED: "Log in first",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not found",
    status.HTTP_409_CONFLICT: "Not taken",
    status.HTTP_503_SERVICE_UNAVAILABLE: "The warehouse does not answer",
}

# An app of a plugin is open to strangers unless it says otherwise.
app = FastAPI(title="Risk", dependencies=[LOOKING], docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(pages.router)
app.include_router(approvals.router)


@app.exception_handler(HTTPException)
def refused(request: Request, error: HTTPException) -> HTMLResponse:
    """Say why there is no page; 401 tells where to log in."""
    return _error_page(request, error.status_code, str(error.detail))


@app.exception_handler(RequestError)
def wrong_request(request: Request, error: RequestError) -> HTMLResponse:
    """Say what to ask instead: nothing is there to be seen, or nothing was stored."""
    is_form = request.method == "POST"
    return _error_page(request, status.HTTP_409_CONFLICT if is_form else status.HTTP_404_NOT_FOUND, str(error))


@app.exception_handler(RequestValidationError)
def unreadable_request(request: Request, error: RequestValidationError) -> HTMLResponse:
    """Say which part of an address or form cannot be read."""
    parts = ", ".join(str(found["loc"][-1]) for found in error.errors())
    return _error_page(request, status.HTTP_422_UNPROCESSABLE_CONTENT, f"This cannot be read: {parts}.")


@app.exception_handler(ConnectionLostError)
@app.exception_handler(psycopg2.OperationalError)
def warehouse_away(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001  (an error may name hosts)
    """Say that the database is away; the reports on disk are there all the same."""
    return _error_page(
        request,
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "The warehouse does not answer, or is busy: nothing was changed. Try again in a minute; then look at "
        "./riskctl doctor. Reports that were written can be read under /risk/reports/<session>.",
    )


def _error_page(request: Request, code: int, sentence: str) -> HTMLResponse:
    return page(request, "error", status=code, code=code, heading=TITLES.get(code, "No page"), sentence=sentence)
