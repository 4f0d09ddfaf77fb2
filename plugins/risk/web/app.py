"""The Risk page: a FastAPI app that our plugin serves beside Airflow's own pages, for those who may see these."""

from __future__ import annotations

import psycopg2
from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from risk.core.errors import ConnectionLostError, RequestError
from risk.web.access import READER
from risk.web.pages import render, router

HEADINGS = {
    status.HTTP_401_UNAUTHORIZED: "Log in first",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not found",
    status.HTTP_409_CONFLICT: "Not saved",
    status.HTTP_503_SERVICE_UNAVAILABLE: "Warehouse unavailable",
}

# An app of a plugin is open to everybody unless it says otherwise.
app = FastAPI(title="Risk", dependencies=[READER], docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(router)


@app.exception_handler(HTTPException)
def http_error(request: Request, error: HTTPException) -> HTMLResponse:
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
    """Say that the database is down; the reports on disk are available all the same."""
    return _error_page(
        request,
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "The warehouse does not respond or is busy; nothing was changed. Try again in a minute, then run "
        "./riskctl doctor. Reports on disk remain available under /risk/reports/<session>.",
    )


def _error_page(request: Request, code: int, sentence: str) -> HTMLResponse:
    return render(request, "error", status=code, code=code, heading=HEADINGS.get(code, "Error"), sentence=sentence)
