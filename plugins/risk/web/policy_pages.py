"""The pages about the policy: versions, requests to adopt one, trials on past mornings.

Four forms write: they seal a trial and start its run, run it again, adopt a policy or ask for its adoption, and decide
about a request. Nothing of a trial is computed here: its DAG run does.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from risk.core.errors import RequestError
from risk.core.policy_store import read_policies
from risk.core.settings import read_settings
from risk.core.warehouse import writing
from risk.limits.adopt_policy import Adoption, adopt, read_version
from risk.limits.policy_requests import PolicyDecision, decide_request
from risk.limits.trial_outcomes import read_trial
from risk.limits.trials import seal_trial
from risk.limits.what_if import mornings_of_range
from risk.web.access import (
    DECIDER,
    TRIGGERER,
    MayDecideDep,
    MayTriggerDep,
    UserDep,
    check_form_token,
    form_token,
)
from risk.web.exports import answer
from risk.web.parameters import FIRST_ROWS, Number, ShownRows
from risk.web.policy_tables import policy_tables, smaller, stored_interval, trial_tables
from risk.web.policy_views import (
    PolicyForm,
    read_policy_page,
    read_trial_page,
    typed_date,
    version_view,
)
from risk.web.rendering import render, root
from risk.web.trial_runs import TrialRunsDep
from risk.web.views import warehouse

router = APIRouter(prefix="/policy")

PURPOSE = "try or adopt a policy"


@router.get("", response_class=HTMLResponse)
def policy(
    request: Request, user: UserDep, decides: MayDecideDep, triggers: MayTriggerDep, rows: ShownRows
) -> Response:
    """Show the policy in force, its versions, what is pending, the trials, and the form that tries or adopts one."""
    return _page(request, user, decides=decides, triggers=triggers, rows=rows)


@router.post("/trials", dependencies=[TRIGGERER])
def try_policy(
    request: Request,
    user: UserDep,
    decides: MayDecideDep,
    runs: TrialRunsDep,
    entered: Annotated[PolicyForm, Form()],
) -> Response:
    """Seal a policy and a range, start the run of the trial, then redirect to its page."""
    try:
        check_form_token(entered.token, user, PURPOSE)
        first, last = typed_date("From", entered.first), typed_date("To", entered.last)
        document = entered.document
        with warehouse() as connection:
            mornings_of_range(connection, first, last)
            trial = seal_trial(connection, document, first, last, user.user_name)
            with writing(connection):
                runs.start(trial.trial_number, user)
    except RequestError as error:
        return _page(request, user, decides=decides, triggers=True, entered=entered, refusal=str(error))
    return RedirectResponse(f"{root(request)}/policy/trials/{trial.trial_number}", status.HTTP_303_SEE_OTHER)


@router.get("/trials/{trial_number}", response_class=HTMLResponse)
def trial(
    request: Request,
    trial_number: Number,
    user: UserDep,
    triggers: MayTriggerDep,
    runs: TrialRunsDep,
    rows: ShownRows,
) -> Response:
    """Show a trial: its run, what changes on past mornings, what became of it, and the verdict."""
    with warehouse() as connection:
        view = read_trial_page(connection, trial_number)
    return answer(
        request,
        "trial",
        trial_tables(view, rows),
        view=view,
        run=runs.last(trial_number),
        interval=stored_interval,
        smaller=smaller,
        may_trigger=triggers,
        token=form_token(user, _trial_purpose(trial_number)),
    )


@router.post("/trials/{trial_number}/runs", dependencies=[TRIGGERER])
def run_trial(
    request: Request, trial_number: Number, user: UserDep, runs: TrialRunsDep, token: Annotated[str, Form()]
) -> Response:
    """Start another run of a trial, unless one is active, then redirect to its page."""
    check_form_token(token, user, _trial_purpose(trial_number))
    with warehouse() as connection:
        read_trial(connection, trial_number)
        with writing(connection):
            runs.start(trial_number, user)
    return RedirectResponse(f"{root(request)}/policy/trials/{trial_number}", status.HTTP_303_SEE_OTHER)


@router.get("/versions/{version}", response_class=HTMLResponse)
def policy_version(request: Request, version: Annotated[int, Path(ge=0, lt=1 << 31)]) -> HTMLResponse:
    """Show the text of an adopted version, and what it changed."""
    with warehouse() as connection:
        view = version_view(read_policies(connection), read_version(connection, version))
    return render(request, "policy_version", view=view)


@router.post("/adoptions", dependencies=[DECIDER])
def adopt_policy(
    request: Request,
    user: UserDep,
    triggers: MayTriggerDep,
    entered: Annotated[PolicyForm, Form()],
) -> Response:
    """Adopt a policy, under dual control ask for its adoption, then redirect to the page."""
    try:
        check_form_token(entered.token, user, PURPOSE)
        asked = Adoption(entered.document, typed_date("Valid from", entered.valid_from), user, entered.reason)
        with warehouse() as connection:
            adopt(connection, asked, dt.datetime.now(dt.UTC), has_dual_control=read_settings().dual_control)
    except RequestError as error:
        return _page(request, user, decides=True, triggers=triggers, entered=entered, refusal=str(error))
    return RedirectResponse(f"{root(request)}/policy", status.HTTP_303_SEE_OTHER)


@router.post("/requests/{request_id}/decisions", dependencies=[DECIDER])
def decide_policy(
    request: Request,
    request_id: Number,
    user: UserDep,
    action: Annotated[Literal["approved", "rejected"], Form()],
    seen: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    token: Annotated[str, Form()],
) -> Response:
    """Store what the user decides about a request, then redirect to the page."""
    check_form_token(token, user, _request_purpose(request_id))
    with warehouse() as connection:
        decision = PolicyDecision(request_id, action, seen)
        decide_request(connection, decision, user, has_dual_control=read_settings().dual_control)
    return RedirectResponse(f"{root(request)}/policy", status.HTTP_303_SEE_OTHER)


def _page(
    request: Request,
    user: UserDep,
    *,
    decides: bool,
    triggers: bool,
    rows: int = FIRST_ROWS,
    entered: PolicyForm | None = None,
    refusal: str = "",
) -> Response:
    """Render the page, with what a person entered and why it was refused."""
    with warehouse() as connection:
        view = read_policy_page(connection, rows, has_dual_control=read_settings().dual_control)
    return answer(
        request,
        "policy",
        policy_tables(view),
        status=status.HTTP_409_CONFLICT if refusal else status.HTTP_200_OK,
        view=view,
        entered=entered or PolicyForm(policy=view.in_force.document.text, valid_from=str(view.session_date)),
        problems=refusal.splitlines(),
        user=user,
        may_decide=decides,
        may_trigger=triggers,
        has_dual_control=read_settings().dual_control,
        token=form_token(user, PURPOSE),
        tokens={
            one.request.request_id: form_token(user, _request_purpose(one.request.request_id)) for one in view.pending
        },
    )


def _trial_purpose(trial_number: int) -> str:
    return f"run trial {trial_number}"


def _request_purpose(request_id: int) -> str:
    return f"policy request {request_id}"
