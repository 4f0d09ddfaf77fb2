"""The page of an approval and its form: the only place where a page writes."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from risk.limits.approvals import LimitEdit, edit
from risk.web.access import APPROVAL_DAG_ID, DECIDING, MayDecideDep, PersonDep, check_form_token, form_token
from risk.web.reading import read_approval, warehouse
from risk.web.writing import page

router = APIRouter()


@router.get("/approvals/{publication_id}", response_class=HTMLResponse)
def approval(request: Request, publication_id: int, who: PersonDep, decides: MayDecideDep) -> HTMLResponse:
    """Show what is open and what was decided."""
    with warehouse() as connection:
        view = read_approval(connection, publication_id)
    run_path = f"/dags/{APPROVAL_DAG_ID}/runs/{quote(view.publication.dag_run_id, safe='')}/required_actions"
    return page(
        request,
        "approval",
        view=view,
        run_path=run_path,
        may_decide=decides,
        is_late=dt.datetime.now(dt.UTC) >= view.publication.decision_deadline,
        tokens={one.account_id: form_token(who, _purpose(publication_id, one.account_id)) for one in view.proposals},
    )


@router.post("/approvals/{publication_id}/edits", dependencies=[DECIDING])
def edit_limit(
    request: Request,
    publication_id: int,
    who: PersonDep,
    account_id: Annotated[str, Form()],
    limit: Annotated[str, Form(max_length=30)],
    reason: Annotated[str, Form(max_length=2000)],
    token: Annotated[str, Form()],
    seen_edit: Annotated[str, Form(pattern="^[0-9]{0,18}$")] = "",
) -> Response:
    """Take an edit, then show the page again, so that reloading it sends nothing twice."""
    check_form_token(token, who, _purpose(publication_id, account_id))
    with warehouse() as connection:
        edit(
            connection, publication_id, account_id, who, LimitEdit(limit, reason, int(seen_edit) if seen_edit else None)
        )
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/approvals/{publication_id}", status.HTTP_303_SEE_OTHER)


def _purpose(publication_id: int, account_id: str) -> str:
    return f"{publication_id} {account_id}"
