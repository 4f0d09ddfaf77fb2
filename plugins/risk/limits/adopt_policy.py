"""Adopting a policy: it becomes a new version, valid from a session that has not been decided yet.

The command line asks for it only, and under dual control nobody adopts alone: what a person asks for is stored as a
request (`risk.limits.policy_requests`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from risk.core.calendar import is_session, last_session, next_session
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.policy_document import PolicyDocument
from risk.core.policy_store import PolicyVersion, insert_policy, read_policies
from risk.core.typed import cleaned_reason
from risk.core.warehouse import Connection, writing
from risk.limits.approvals import AirflowUser
from risk.limits.policy_requests import PolicyRequest, check_new, store_request


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a person asks for.

    Attributes
    ----------
    document
        The policy.
    valid_from
        First effective session it shall apply to.
    user, reason
        Who asks, a person logged in to Airflow or ``user@host`` of the command line, and why.
    """

    document: PolicyDocument
    valid_from: dt.date
    user: AirflowUser
    reason: str


def adopt(
    connection: Connection, asked: Adoption, instant: dt.datetime, *, has_dual_control: bool
) -> PolicyVersion | PolicyRequest:
    """Store a policy as the next version; under dual control as a request, pending until a second person approves.

    The same request of the same person, still pending, is not stored again.

    Parameters
    ----------
    instant
        Now, aware.
    has_dual_control
        Whether one person may not decide alone.

    Raises
    ------
    RequestError
        If the session is past or none, the reason is missing, or the policy is the one that applies then already;
        nothing is stored then.
    """
    if has_dual_control:
        return request_adoption(connection, asked, instant)
    _check_session(asked.valid_from, instant)
    reason = cleaned_reason(asked.reason)
    with writing(connection):
        check_new(connection, asked.document, asked.valid_from)
        insert_policy(connection, asked.document, asked.valid_from, asked.user.user_name, reason)
        return read_policies(connection)[0]


def request_adoption(connection: Connection, asked: Adoption, instant: dt.datetime) -> PolicyRequest:
    """Store a policy as a request, pending until a person approves it on the page; raises as `adopt`."""
    _check_session(asked.valid_from, instant)
    reason = cleaned_reason(asked.reason)
    with writing(connection):
        check_new(connection, asked.document, asked.valid_from)
        return store_request(connection, asked.document, asked.valid_from, asked.user, reason)


def policy_of_session(connection: Connection, effective_session: dt.date, as_of: dt.datetime | None) -> PolicyVersion:
    """Return the policy of a session, as known at an instant; ``None`` = now.

    Raises
    ------
    RequestError
        If the day is no session.
    """
    if not is_session(effective_session):
        raise RequestError(
            f"{effective_session} is no session of the exchange: name one, such as {next_session(effective_session)}."
        )
    return read_policies(connection, effective_session, as_of or "infinity")[0]


def read_version(connection: Connection, version: int) -> PolicyVersion:
    """Return an adopted version.

    Raises
    ------
    RequestError
        If there is none of that number.
    """
    versions = read_policies(connection)
    for one in versions:
        if one.version == version:
            return one
    raise RequestError(f"No policy version {version} was adopted: the newest is {versions[0].version}.")


def _check_session(valid_from: dt.date, instant: dt.datetime) -> None:
    today = instant.astimezone(exchange_zone()).date()
    if valid_from < today:
        raise RequestError(
            f"{valid_from} is past: limits of that session were decided by another policy. "
            f"Name {next_session(today)} or later."
        )
    if valid_from > last_session():
        raise RequestError(f"{valid_from} is after the calendar's last session: name {last_session()} or earlier.")
    if not is_session(valid_from):
        raise RequestError(f"{valid_from} is no session of the exchange: name {next_session(valid_from)}.")
