"""Approve or reject the changes of the register: a person logged in to Airflow decides on what he was shown.

A large change (`risk.limits.change_size`), or any under dual control, needs a second person: the requester may not
approve it. Whether it does is judged again when somebody decides, since the limit in force may have moved since the
request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.core.errors import RequestError
from risk.core.money import counted, usd_exact
from risk.core.warehouse import Connection, execute, rows, writing
from risk.limits.approvals import AirflowUser
from risk.limits.in_force import BASE, NEVER
from risk.limits.limit_inputs import RegisteredChange, read_changes
from risk.limits.register import KnownLimits, change_facts, read_change, read_known_limits, shown
from risk.limits.second_person import APPROVED, ShownRequest


@dataclass(frozen=True, slots=True)
class ShownChange(ShownRequest):
    """A pending change as a person sees it before he decides.

    Attributes
    ----------
    change
        What was requested.
    before_usd
        The limit it replaces, US dollars: the base limit, for other kinds the limit in force when it begins.
    reference_usd
        The same without the changes that their requesters approved.
    needs_second_person
        Whether the requester may not approve it.
    """

    change: RegisteredChange
    before_usd: Decimal
    reference_usd: Decimal
    needs_second_person: bool

    @property
    def change_usd(self) -> Decimal:
        """By how much it changes the limit, US dollars; a raise is positive."""
        return self.change.limit_usd - self.before_usd

    @property
    def name(self) -> str:
        """Its number and account."""
        return f"change {self.change.change_id} of {self.change.account_id}"

    @property
    def place(self) -> str:
        """The page that shows it."""
        return "Limits"

    @property
    def what_moves(self) -> str:
        """What it would replace."""
        return "the limit it replaces"

    @property
    def facts(self) -> Mapping[str, Any]:
        """Everything a person is shown of it."""
        limits = {"before_usd": self.before_usd, "reference_usd": self.reference_usd}
        return {**change_facts(self.change), **limits, "needs": self.needs_second_person}

    @property
    def requester(self) -> AirflowUser:
        """Who asked."""
        return AirflowUser(self.change.requested_by, self.change.requester_name)


@dataclass(frozen=True, slots=True)
class ChangeDecision:
    """What a person decides about a change.

    Attributes
    ----------
    change_id
        The change.
    action
        ``APPROVED`` or ``REJECTED``.
    seen_sha256
        Hash of what he was shown.
    """

    change_id: int
    action: str
    seen_sha256: str


def open_changes(changes: Sequence[RegisteredChange], now: dt.datetime) -> list[RegisteredChange]:
    """List the changes that somebody may still decide about at an instant, oldest first."""
    pending = [
        change for change in changes if change.action is None and (change.ends_at is None or change.ends_at > now)
    ]
    return sorted(pending, key=lambda change: change.change_id)


def show_change(known: KnownLimits, change: RegisteredChange, *, has_dual_control: bool) -> ShownChange:
    """Add to a change what it would replace, and whether it needs a second person, both judged by what is known."""
    size = known.size(change.account_id, change.terms)
    is_large = change.needs_second_person or known.is_large(change.account_id, size)
    return ShownChange(change, size.before_usd, size.reference_usd, has_dual_control or is_large)


def decide_change(
    connection: Connection, decision: ChangeDecision, user: AirflowUser, *, has_dual_control: bool
) -> RegisteredChange:
    """Approve or reject a pending change; the same decision of the same person twice counts once.

    Parameters
    ----------
    user
        A person logged in to Airflow who may decide about limits.
    has_dual_control
        Whether every change needs a second person.

    Raises
    ------
    RequestError
        If there is no such change, it is decided or over, it is no longer what the person was shown, or the approval
        needs somebody else; nothing is stored.
    """
    with writing(connection):
        change = read_change(connection, decision.change_id)
        if (change.action, change.decided_by) == (decision.action, user.user_id):
            return change  # a double click
        now = rows(connection, "publish_limits/select_clock")[0][0]
        _check_open(change, now)
        known = read_known_limits(connection, now, last_at=NEVER, account_ids=[change.account_id])
        now_shown = show_change(known, change, has_dual_control=has_dual_control)
        now_shown.check_decision(decision.action, decision.seen_sha256, user)
        binds = {
            "change_id": decision.change_id,
            "action": decision.action,
            "seen_sha256": decision.seen_sha256,
            "user_id": user.user_id,
            "user_name": user.user_name,
        }
        execute(connection, "register/insert_limit_change_decisions", binds)
    return read_change(connection, decision.change_id)


def pending_sentences(
    connection: Connection, instant: dt.datetime, account_ids: Collection[str] | None = None
) -> list[str]:
    """Say which changes, of all or some accounts, wait for a decision, as known at an instant; nothing if none does."""
    waiting = [
        f"{change.account_id} {change.kind} limit {usd_exact(change.limit_usd)} from {shown(change.starts_at)}"
        for change in open_changes(read_changes(connection, instant), instant)
        if account_ids is None or change.account_id in account_ids
    ]
    if not waiting:
        return []
    verb = "is" if len(waiting) == 1 else "are"
    changes = counted(len(waiting), "limit change")
    return [f"{changes} {verb} pending and not in force: {'; '.join(waiting)}. Approve or reject on the page Limits."]


def acting_changes(
    changes: Sequence[RegisteredChange], base_ids: frozenset[int], now: dt.datetime
) -> list[RegisteredChange]:
    """List the approved changes that act or will act: base limits that hold or begin later, others until their end.

    Parameters
    ----------
    base_ids
        The changes that the accounts' base limits come from.
    """
    gone = {change.replaces for change in changes if change.terms.has_begun(now)}
    return [
        change
        for change in changes
        if change.action == APPROVED
        and change.change_id not in gone
        and (
            change.terms.takes_effect_at > now
            or (change.change_id in base_ids if change.kind == BASE else change.terms.lasts(now))
        )
    ]


def _check_open(change: RegisteredChange, now: dt.datetime) -> None:
    if change.action is not None:
        raise RequestError(
            f"Change {change.change_id} of {change.account_id} is already {change.action} by {change.decider_name}: "
            "request a new change."
        )
    if change.ends_at is not None and change.ends_at <= now:
        raise RequestError(
            f"Change {change.change_id} of {change.account_id} ended at {shown(change.ends_at)} without an approval: "
            "request a new change."
        )
