"""What our plugin serves beside Airflow's own pages: the stored report of a session, for those who may see the UI."""

from __future__ import annotations

import datetime as dt

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.responses import HTMLResponse

from risk.settings import settings

# An app of a plugin is open to strangers unless it says otherwise.
app = FastAPI(
    title="Risk", dependencies=[Depends(requires_access_view(AccessView.WEBSITE))], docs_url=None, openapi_url=None
)


@app.get("/reports/{session_date}", response_class=HTMLResponse)
def report(session_date: dt.date) -> HTMLResponse:
    """Show the report written for a session."""
    file = settings().reports_dir / session_date.isoformat() / "report.html"
    try:
        page = file.read_text(encoding="utf-8")
    except OSError:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"No report of {session_date} lies on this machine: run the session first."
        ) from None
    # A report holds no script, and none that a delivered name may bring shall run with the reader's login.
    return HTMLResponse(
        page, headers={"Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'"}
    )
