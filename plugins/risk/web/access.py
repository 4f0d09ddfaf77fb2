"""Who may read and who may decide: Airflow's own login and roles, and a token against forged forms.

The only module of the page that uses Airflow's core API (``airflow.api_fastapi.core_api.security``), which may change
with any release of Airflow: a plugin has no public way to ask for the logged-in user and his permissions.
``tests/dags/test_unstable_apis.py`` fails where an upgrade changes it (docs/decisions/0006).
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request, status
from itsdangerous import BadSignature, URLSafeTimedSerializer

from risk.core.connections import API_CONNECTION, read_connection
from risk.core.desks import DAILY_DAG, PUBLICATION_DAG, TRIAL_DAG, current_desk, own_dag, own_page
from risk.core.errors import RequestError
from risk.core.warehouse import rows
from risk.limits.approvals import AirflowUser
from risk.web.views import warehouse

TOKEN_SECONDS = 3600

_requires_website = requires_access_view(AccessView.WEBSITE)


def requires_reader(request: Request, user: GetUserDep) -> None:
    """Let in who may see Airflow's pages and, of several desks, the DAG whose reports these are."""
    _requires_website(request, user)
    if current_desk():
        requires_access_dag("GET", None, own_dag(DAILY_DAG))(request, user)


READER = Depends(requires_reader)
"""Whoever may see Airflow's pages may see ours; several desks are each for who may see its DAG."""


def _requires_decider(request: Request, user: BaseUser) -> None:
    requires_access_dag("PUT", DagAccessEntity.HITL_DETAIL, own_dag(PUBLICATION_DAG))(request, user)


def requires_decider(request: Request, user: GetUserDep) -> None:
    """Let in who may answer Airflow's human-in-the-loop tasks, but for the login that tasks have."""
    refuse_service(user)
    _requires_decider(request, user)


DECIDER = Depends(requires_decider)
"""Whoever may edit may approve: the permission Airflow itself requires for its human-in-the-loop tasks."""


def _requires_trigger(request: Request, user: BaseUser) -> None:
    requires_access_dag("POST", DagAccessEntity.RUN, own_dag(TRIAL_DAG))(request, user)


def requires_trigger(request: Request, user: GetUserDep) -> None:
    """Let in who may start the DAG of trials, but for the login that tasks have."""
    refuse_service(user)
    _requires_trigger(request, user)


TRIGGERER = Depends(requires_trigger)
"""Whoever may start the DAG of trials in Airflow may start it from the page."""


def current_user(user: GetUserDep) -> AirflowUser:
    """Name the user as Airflow's approvals do: ids are words under one auth manager and numbers under the other."""
    known: BaseUser = user
    return AirflowUser(str(known.get_id()), str(known.get_name()))


UserDep = Annotated[AirflowUser, Depends(current_user)]


def may_decide(request: Request, user: GetUserDep) -> bool:
    """Return whether the user may decide, for a page that shows its forms only then."""
    return _may(requires_decider, request, user)


MayDecideDep = Annotated[bool, Depends(may_decide)]


def may_trigger(request: Request, user: GetUserDep) -> bool:
    """Return whether the user may start a trial, for a page that shows its form only then."""
    return _may(requires_trigger, request, user)


MayTriggerDep = Annotated[bool, Depends(may_trigger)]


def _may(requires: Callable[[Request, BaseUser], None], request: Request, user: BaseUser) -> bool:
    try:
        requires(request, user)
    except HTTPException:
        return False
    return True


def refuse_service(user: BaseUser) -> None:
    """Refuse whoever is logged in as the user of the connection ``risk_airflow``: that is no person.

    Raises
    ------
    HTTPException
        403.
    """
    try:
        login = read_connection(os.environ, API_CONNECTION).login
    except RequestError:
        return
    if login and str(user.get_name()) == login:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            f"{login} writes the notes of tasks, and tasks have its password: log in as yourself to decide.",
        )


def form_token(user: AirflowUser, purpose: str) -> str:
    """Sign that a form was shown to a user for one purpose."""
    return str(_signer(user).dumps(purpose))


def check_form_token(token: str, user: AirflowUser, purpose: str) -> dt.datetime:
    """Reject a form that was not shown to this user for this purpose within the last hour, and since the last restore.

    Returns
    -------
    datetime
        Aware instant at which it was shown, to the second.

    Raises
    ------
    RequestError
        If the token is forged, somebody else's, for something else, or expired, or the form is of a history that was
        replaced.
    """
    refusal = RequestError("This form has expired or was not shown to you: reload the page and decide there again.")
    try:
        shown_for, shown_at = _signer(user).loads(token, max_age=TOKEN_SECONDS, return_timestamp=True)
    except BadSignature:
        raise refusal from None
    if shown_for != purpose:
        raise refusal
    instant: dt.datetime = shown_at
    with warehouse() as connection:
        restored_at = rows(connection, "risk_page/select_last_restore")[0][0]
    if restored_at is not None and instant < restored_at:
        raise RequestError(
            "The warehouse was restored from a backup after this page was shown: nothing was saved. Reload the page "
            "and decide on what it shows then."
        )
    return instant


def _signer(user: AirflowUser) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        conf.get_mandatory_value("api", "secret_key"), salt=f"risk-form {own_page()} {user.user_id}"
    )
