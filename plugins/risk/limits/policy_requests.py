"""Requests to adopt a policy: pending and not in force until a person approves, a second one under dual control.

The command line always asks; the page does where one person may not adopt alone.

A person logged in to Airflow decides on what he was shown: the policy, its first session, the reason and the version it
replaces (`risk.limits.second_person`). Approved, a request becomes the next version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.money import counted
from risk.core.policy_document import PolicyDocument, differences, parse_policy
from risk.core.policy_store import Instant, PolicyVersion, insert_policy, read_policies
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.approvals import AirflowUser
from risk.limits.second_person import APPROVED, PENDING, ShownRequest


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """A request to adopt a policy; see the table ``policy_requests``.

    Attributes
    ----------
    request_id
        Its number.
    document, valid_from, reason
        What was asked for, from which effective session on, and why.
    requested_by, requester_name, recorded_at
        Who asked, and when, UTC.
    action, decided_by, decider_name, decided_at
        ``APPROVED`` or ``REJECTED``, by whom and when, UTC; ``None`` = nobody has decided.
    """

    request_id: int
    document: PolicyDocument
    valid_from: dt.date
    reason: str
    requested_by: str
    requester_name: str
    recorded_at: dt.datetime
    action: str | None
    decided_by: str | None
    decider_name: str | None
    decided_at: dt.datetime | None

    @property
    def state(self) -> str:
        """``PENDING`` or what was decided."""
        return self.action or PENDING

    @property
    def facts(self) -> dict[str, Any]:
        """The request as JSON types."""
        return {
            "request_id": self.request_id,
            "sha256": self.document.content_sha256,
            "valid_from": str(self.valid_from),
            "reason": self.reason,
            "requested_by": self.requested_by,
            "state": self.state,
        }

    @property
    def sentence(self) -> str:
        """What was asked for, and what it waits for."""
        waits = " and not in force until a person approves it on the page Policy" if not self.action else ""
        return (
            f"Request {self.request_id}: policy {self.document.content_sha256[:12]} from {self.valid_from} on, by "
            f"{self.requester_name}: {self.reason}. It is {self.state}{waits}."
        )


@dataclass(frozen=True, slots=True)
class ShownPolicy(ShownRequest):
    """A pending request as a person sees it before he decides.

    Attributes
    ----------
    request
        What was asked for.
    before
        The version it replaces.
    needs_second_person
        Whether the requester may not approve it: dual control.
    """

    request: PolicyRequest
    before: PolicyVersion
    needs_second_person: bool

    @property
    def name(self) -> str:
        """Its number."""
        return f"policy request {self.request.request_id}"

    @property
    def place(self) -> str:
        """The page that shows it."""
        return "Policy"

    @property
    def what_moves(self) -> str:
        """What it would replace."""
        return "the policy it replaces"

    @property
    def facts(self) -> Mapping[str, Any]:
        """Everything a person is shown of it; the hashes stand for the texts."""
        before = {"before_version": self.before.version, "before_sha256": self.before.document.content_sha256}
        return {**self.request.facts, **before}

    @property
    def requester(self) -> AirflowUser:
        """Who asked."""
        return AirflowUser(self.request.requested_by, self.request.requester_name)

    @property
    def differences(self) -> list[str]:
        """The values that change."""
        return differences(self.before.document, self.request.document)


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """What a person decides about a request.

    Attributes
    ----------
    request_id
        The request.
    action
        ``APPROVED`` or ``REJECTED``.
    seen_sha256
        Hash of what he was shown.
    """

    request_id: int
    action: str
    seen_sha256: str


def store_request(
    connection: Connection, document: PolicyDocument, valid_from: dt.date, user: AirflowUser, reason: str
) -> PolicyRequest:
    """Store what a person asks for; the same request of the same person, still pending, is not stored again.

    The caller holds the write lock and has checked the session.
    """
    values = {
        "content_sha256": document.content_sha256,
        "valid_from": valid_from,
        "reason": reason,
        "requested_by": user.user_id,
    }
    for earlier in read_requests(connection):
        same = (earlier.document.content_sha256, earlier.valid_from, earlier.reason, earlier.requested_by)
        if earlier.action is None and same == tuple(values.values()):
            return earlier  # a double click
    texts = {"policy_text": document.text, "requester_name": user.user_name}
    request_id = rows(connection, "policy/insert_policy_requests", {**values, **texts})[0][0]
    return read_request(connection, request_id)


def read_requests(connection: Connection, as_of: Instant = "infinity") -> list[PolicyRequest]:
    """Read all requests, as known at an instant, newest first."""
    return [
        PolicyRequest(document=parse_policy(row.pop("policy_text"), f"policy request {row['request_id']}"), **row)
        for row in records(connection, "policy/select_policy_requests", {"as_of": as_of})
    ]


def read_request(connection: Connection, request_id: int) -> PolicyRequest:
    """Read one request.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    for request in read_requests(connection):
        if request.request_id == request_id:
            return request
    raise RequestError(f"There is no policy request {request_id}: see the page Policy for the numbers.")


def open_requests(requests: list[PolicyRequest], now: dt.datetime) -> list[PolicyRequest]:
    """List the requests that somebody may still decide about at an instant, oldest first."""
    today = now.astimezone(exchange_zone()).date()
    return [request for request in reversed(requests) if request.action is None and request.valid_from >= today]


def show_request(connection: Connection, request: PolicyRequest, *, has_dual_control: bool) -> ShownPolicy:
    """Add to a request the version that it would replace, and whether it needs a second person."""
    return ShownPolicy(request, read_policies(connection, request.valid_from)[0], has_dual_control)


def pending_policy_sentences(connection: Connection, instant: dt.datetime) -> list[str]:
    """Say which policies wait for a decision, as known at an instant; nothing where none does."""
    waiting = [
        f"{one.document.content_sha256[:12]} from {one.valid_from} on, requested by {one.requester_name}"
        for one in open_requests(read_requests(connection, instant), instant)
    ]
    if not waiting:
        return []
    verb = "is" if len(waiting) == 1 else "are"
    policies = counted(len(waiting), "policy", "policies")
    return [f"{policies} {verb} pending and not in force: {'; '.join(waiting)}. Approve or reject on the page Policy."]


def decide_request(
    connection: Connection, decision: PolicyDecision, user: AirflowUser, *, has_dual_control: bool
) -> PolicyRequest:
    """Approve or reject a pending request; the same decision of the same person twice counts once.

    Parameters
    ----------
    user
        A person logged in to Airflow who may decide about limits.
    has_dual_control
        Whether somebody else than the requester has to approve.

    Raises
    ------
    RequestError
        If there is no such request, it is decided or its session is past, it is no longer what the person was shown,
        the approval needs somebody else, or the policy applies already; nothing is stored.
    """
    with writing(connection):
        request = read_request(connection, decision.request_id)
        if (request.action, request.decided_by) == (decision.action, user.user_id):
            return request  # a double click
        _check_open(request, rows(connection, "publish_limits/select_clock")[0][0])
        shown = show_request(connection, request, has_dual_control=has_dual_control)
        shown.check_decision(decision.action, decision.seen_sha256, user)
        binds = {
            "request_id": decision.request_id,
            "action": decision.action,
            "seen_sha256": decision.seen_sha256,
            "user_id": user.user_id,
            "user_name": user.user_name,
        }
        execute(connection, "policy/insert_policy_request_decisions", binds)
        if decision.action == APPROVED:
            check_new(connection, request.document, request.valid_from)
            author, approver = request.requester_name, user.user_name
            insert_policy(connection, request.document, request.valid_from, author, request.reason, approver)
    return read_request(connection, decision.request_id)


def check_new(connection: Connection, document: PolicyDocument, valid_from: dt.date) -> None:
    """Refuse the policy that applies to a session already.

    Raises
    ------
    RequestError
        If it does.
    """
    present = read_policies(connection, valid_from)[0]
    if present.document.content_sha256 == document.content_sha256:
        raise RequestError(
            f"This is the policy that applies on {valid_from} already, version {present.version}: nothing to adopt."
        )


def _check_open(request: PolicyRequest, now: dt.datetime) -> None:
    if request.action is not None:
        raise RequestError(
            f"Policy request {request.request_id} is already {request.action} by {request.decider_name}: request it "
            "again."
        )
    if request.valid_from < now.astimezone(exchange_zone()).date():
        raise RequestError(
            f"Policy request {request.request_id} was for sessions from {request.valid_from} on, which is past, and "
            "was not approved by then: request it again from a later session."
        )
