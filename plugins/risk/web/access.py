"""Who may look and who may decide: Airflow's own login and roles, and a token against forged forms."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from risk.core.errors import RequestError
from risk.limits.approvals import AirflowUser

APPROVAL_DAG_ID = "publish_limits"
TOKEN_SECONDS = 3600

LOOKING = Depends(requires_access_view(AccessView.WEBSITE))
"""Whoever may see Airflow's pages may see ours."""

_requires_decider = requires_access_dag("PUT", DagAccessEntity.HITL_DETAIL, APPROVAL_DAG_ID)
DECIDING = Depends(_requires_decider)
"""Who may edit is who may approve: what Airflow itself asks of people who answer its human-in-the-loop tasks."""


def person(user: GetUserDep) -> AirflowUser:
    """Name the user as Airflow's approvals do: ids are words under one auth manager and numbers under the other."""
    known: BaseUser = user
    return AirflowUser(str(known.get_id()), str(known.get_name()))


PersonDep = Annotated[AirflowUser, Depends(person)]


def may_decide(request: Request, user: GetUserDep) -> bool:
    """Tell whether the user may decide, for a page that shows its forms to those only."""
    try:
        _requires_decider(request, user)
    except HTTPException:
        return False
    return True


MayDecideDep = Annotated[bool, Depends(may_decide)]


def form_token(who: AirflowUser, purpose: str) -> str:
    """Sign that a form was shown to a user for one purpose."""
    return str(_signer(who).dumps(purpose))


def check_form_token(token: str, who: AirflowUser, purpose: str) -> None:
    """Refuse a form that this page has not shown to this user for this purpose within the last hour.

    Raises
    ------
    RequestError
        If the token is not ours, somebody else's, for something else, or old.
    """
    try:
        shown_for = _signer(who).loads(token, max_age=TOKEN_SECONDS)
    except BadSignature:
        shown_for = None
    if shown_for != purpose:
        raise RequestError("This form was not shown to you lately: open the page again and repeat the edit there.")


def _signer(who: AirflowUser) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt=f"risk-form {who.user_id}")
