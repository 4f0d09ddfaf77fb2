"""The register of limit changes: who asked for which limit, from when until when, and why; the limits in force.

The command line requests and never approves: a person logged in to Airflow does (`risk.limits.change_approvals`). A
change acts once it is approved; nothing has to run for it to begin or to end (`risk.limits.in_force`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from risk.core.calendar import (
    closed_weekdays,
    day_start,
    first_session,
    is_session,
    last_session,
    local_time,
    next_session,
    previous_session,
    sessions_between,
)
from risk.core.errors import RequestError
from risk.core.exchange import exchange, exchange_zone
from risk.core.money import usd_exact
from risk.core.typed import cleaned_reason, parsed_amount
from risk.core.warehouse import Connection, rows, writing
from risk.limits.approvals import AirflowUser
from risk.limits.change_size import ChangeSize, change_size
from risk.limits.in_force import (
    BASE,
    INTRADAY,
    NEVER,
    TEMPORARY,
    AccountLimits,
    LimitChange,
    LimitInForce,
    base_limit,
    limit_at,
)
from risk.limits.limit_inputs import (
    RegisteredChange,
    read_account_limits,
    read_changes,
    unnamed_limits,
)
from risk.limits.policy import DeskTerms, read_terms
from risk.limits.second_person import PENDING, REJECTED

ONE_DAY = dt.timedelta(days=1)
MOMENT = dt.timedelta(microseconds=1)
NEW_CHANGE = 0
"""Key of a change that the register does not have yet."""

KIND_TIMES = {
    BASE: "A base limit begins with a session and has no end: enter a date, and no end.",
    TEMPORARY: "A temporary change has an end: enter a date or a time until which it lasts.",
    INTRADAY: "An intraday change lasts until the end of its day: enter a date with a time, and no end.",
}
"""What a person must enter for a change of each kind."""

KINDS = f"A change is of one of the kinds {', '.join(KIND_TIMES)}."


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """A change as a person typed it.

    Attributes
    ----------
    account_id, limit_text, reason
        The account, US dollars, and why.
    start_text, end_text
        A date, or an instant; without an offset the exchange's. No end: a date begins a base limit, an instant an
        intraday change. A date as the end counts whole.
    replaces
        The temporary change that this one ends; ``None`` = none.
    kind
        What the person expects the times to mean; empty = whatever they mean.
    """

    account_id: str
    limit_text: str
    start_text: str
    end_text: str
    reason: str
    replaces: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CurrentLimits:
    """The base limit of an account and its limit in force at an instant."""

    account_id: str
    base: LimitInForce
    in_force: LimitInForce


@dataclass(frozen=True, slots=True)
class KnownLimits:
    """Everything the limits in force of a desk follow from, as known at an instant and under the policy of its day.

    Attributes
    ----------
    at
        Aware instant.
    terms
        The policy, and the base limits.
    accounts
        Every account that somebody has named, by name.
    lone_changes
        Keys of the changes that their requesters approved.
    """

    at: dt.datetime
    terms: DeskTerms
    accounts: Mapping[str, AccountLimits]
    lone_changes: frozenset[int] = frozenset()

    def current(self) -> list[CurrentLimits]:
        """List every account's limits at the instant."""
        session_date = _day(self.at)
        return [
            CurrentLimits(name, base_limit(account, session_date, self.at), limit_at(account, self.at, session_date))
            for name, account in self.accounts.items()
        ]

    def size(self, account_id: str, change: LimitChange) -> ChangeSize:
        """Measure a change; limits reported for its sessions must be known."""
        account = self.accounts.get(account_id) or unnamed_limits(self.terms, account_id)
        return change_size(account, self.lone_changes, change, self.at)

    def is_large(self, account_id: str, size: ChangeSize) -> bool:
        """Return whether a change is larger than what one person may change alone."""
        return size.largest_usd > self.terms.of(account_id).policy.changes.largest_alone_usd


def read_known_limits(
    connection: Connection,
    now: dt.datetime,
    *,
    first_at: dt.datetime | None = None,
    last_at: dt.datetime | None = None,
    account_ids: Collection[str] | None = None,
) -> KnownLimits:
    """Read what limits in force follow from, as known at an instant.

    Parameters
    ----------
    first_at, last_at
        Aware instants between which limits are asked for; ``None`` = now.
    account_ids
        Accounts that are asked for; ``None`` = every one that somebody has named.
    """
    last_at = max(now, last_at or now)
    terms = read_terms(connection, _day(now), now)
    known = read_account_limits(
        connection,
        now,
        terms=terms,
        through_session=_day(last_at),
        first_at=first_at or now,
        last_at=last_at,
        account_ids=account_ids,
    )
    names = set(account_ids) if account_ids is not None else {*read_account_names(connection), *known}
    accounts = {name: known.get(name) or unnamed_limits(terms, name) for name in sorted(names)}
    lone_changes = frozenset(one.change_id for one in read_changes(connection, now) if one.is_lone)
    return KnownLimits(now, terms, accounts, lone_changes)


def read_account_names(connection: Connection) -> list[str]:
    """List every account that delivered fills or that a file states, by name."""
    return [name for (name,) in rows(connection, "register/select_accounts")]


def limits_in_force(connection: Connection, instant: dt.datetime) -> dict[str, LimitInForce]:
    """Return the limit in force of every account that somebody has named, by name, as known at the instant."""
    return {one.account_id: one.in_force for one in read_known_limits(connection, instant).current()}


def request_change(
    connection: Connection, requested: RequestedChange, user: AirflowUser, *, has_dual_control: bool
) -> RegisteredChange:
    """Store a change that a person requests; it is pending, and not in force, until it is approved.

    The same request of the same person, still pending, is not stored again.

    Parameters
    ----------
    user
        Who requests it: the person logged in to Airflow, or ``user@host`` of the command line.
    has_dual_control
        Whether every change needs a second person; otherwise only one above the policy's largest does.

    Raises
    ------
    RequestError
        If account, amount, times or reason are not usable, or it overlaps another temporary change; nothing is stored.
    """
    with writing(connection):
        now = rows(connection, "publish_limits/select_clock")[0][0]
        reason = cleaned_reason(requested.reason)
        limit_usd = parsed_amount(requested.limit_text)
        kind, starts_at, ends_at = _period(requested, now)
        _check_account(connection, requested.account_id)
        if kind == BASE and limit_usd == 0:
            raise RequestError(
                f"A base limit of $0 for {requested.account_id} would leave nothing to cut: enter an amount above $0, "
                "or stop the account for a time with a limit of 0 and an end."
            )
        values = {
            "account_id": requested.account_id,
            "kind": kind,
            "limit_usd": limit_usd,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "reason": reason,
            "requested_by": user.user_id,
            "replaces": requested.replaces,
        }
        earlier = read_changes(connection, now, requested.account_id)
        double_click = next((change for change in earlier if _is_pending_request(change, values)), None)
        if double_click is not None:
            return double_click
        _check_overlap(requested, (kind, starts_at, ends_at), earlier)
        known = read_known_limits(connection, now, last_at=NEVER, account_ids=[requested.account_id])
        change = LimitChange(NEW_CHANGE, kind, limit_usd, starts_at, ends_at, None, requested.replaces)
        is_large = known.is_large(requested.account_id, known.size(requested.account_id, change))
        values["needs_second_person"] = has_dual_control or is_large
        values["requester_name"] = user.user_name
        change_id = rows(connection, "register/insert_limit_changes", values)[0][0]
    return read_change(connection, change_id)


def _is_pending_request(change: RegisteredChange, values: Mapping[str, Any]) -> bool:
    return change.action is None and all(getattr(change, name) == value for name, value in values.items())


def read_change(connection: Connection, change_id: int) -> RegisteredChange:
    """Read one change.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    for change in read_changes(connection, NEVER):
        if change.change_id == change_id:
            return change
    raise RequestError(f"The register has no change {change_id}: see the page Limits for the numbers.")


def _period(requested: RequestedChange, now: dt.datetime) -> tuple[str, dt.datetime, dt.datetime | None]:
    """Return kind, start and end of a change."""
    starts_at = parsed_instant("From", requested.start_text)
    kind = _kind(requested)
    day = starts_at.astimezone(exchange_zone()).date()
    if kind == BASE:
        _check_session(day)
        return BASE, starts_at, None
    ends_at = (
        parsed_instant("Until", requested.end_text, is_end=True) if requested.end_text else day_start(day + ONE_DAY)
    )
    if ends_at <= starts_at:
        raise RequestError(
            f"The change of {requested.account_id} ends at {shown(ends_at)}, before it begins at {shown(starts_at)}: "
            "enter a later end."
        )
    if ends_at <= now:
        raise RequestError(
            f"The change of {requested.account_id} ended at {shown(ends_at)}; it is {shown(now)}: enter a later end."
        )
    last = (ends_at - MOMENT).astimezone(exchange_zone()).date()
    if not sessions_between(day, last):
        raise RequestError(
            f"There is no session from {day} to {last}: the change of {requested.account_id} would never act. The next "
            f"session is {next_session(last)}."
        )
    return kind, starts_at, ends_at


def _kind(requested: RequestedChange) -> str:
    """Return the kind that follows from the times, and refuse the one a person named if it is another."""
    is_date = len(requested.start_text.strip()) == len("YYYY-MM-DD")
    kind = TEMPORARY if requested.end_text else BASE if is_date else INTRADAY
    if requested.kind not in ("", kind):
        raise RequestError(f"{KIND_TIMES.get(requested.kind, KINDS)} What was entered is a change of kind {kind}.")
    return kind


def parsed_instant(name: str, text: str, *, is_end: bool = False) -> dt.datetime:
    """Read a date or an instant that a person typed, in the exchange's time unless it states an offset.

    Parameters
    ----------
    name
        What it is, for the error sentence.
    is_end
        Whether a date counts whole: the instant is 00:00 of the next day.

    Raises
    ------
    RequestError
        If it is neither, or outside the calendar.
    """
    plain = text.strip()
    try:
        typed = dt.datetime.fromisoformat(plain)
        if is_end and len(plain) == len("YYYY-MM-DD"):
            typed += ONE_DAY
        instant = (typed if typed.tzinfo else typed.replace(tzinfo=exchange_zone())).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise RequestError(
            f"{name} {text!r} is neither a date nor an instant: write 2025-12-05, or 2025-12-05T10:30 in "
            f"{exchange().city} time."
        ) from None
    if not first_session() <= instant.astimezone(exchange_zone()).date() <= last_session():
        raise RequestError(
            f"{name} {text!r} is outside the calendar, which knows the sessions from {first_session()} to "
            f"{last_session()}: enter a day in between."
        )
    return instant


def _check_session(day: dt.date) -> None:
    if not is_session(day):
        raise RequestError(
            f"{day} is no session, and a base limit begins with one: enter {next_session(day)} or "
            f"{previous_session(day)}."
        )


def _check_account(connection: Connection, account_id: str) -> None:
    names = read_account_names(connection)
    if account_id not in names:
        raise RequestError(
            f"There is no account {account_id!r}: of {len(names)} accounts, see ./riskctl traders for the names."
        )


def _check_overlap(
    requested: RequestedChange,
    period: tuple[str, dt.datetime, dt.datetime | None],
    earlier: Sequence[RegisteredChange],
) -> None:
    """Refuse a temporary change that meets another one, unless it replaces it."""
    kind, starts_at, ends_at = period
    gone = {change.replaces for change in earlier if change.action != REJECTED}
    standing = [
        change
        for change in earlier
        if change.kind != BASE and change.action != REJECTED and change.change_id not in gone
    ]
    if requested.replaces is not None and requested.replaces not in {change.change_id for change in standing}:
        raise RequestError(
            f"{requested.account_id} has no temporary change {requested.replaces} that could be replaced: leave it out."
        )
    if kind == BASE:
        return
    for change in standing:
        meets = starts_at < (change.ends_at or NEVER) and change.starts_at < (ends_at or NEVER)
        if meets and change.change_id != requested.replaces:
            raise RequestError(
                f"{requested.account_id} has change {change.change_id} to {usd_exact(change.limit_usd)} from "
                f"{shown(change.starts_at)} to {shown(change.ends_at or NEVER)} ({change.state}): name it as the one "
                "to replace, or choose other times."
            )


def _day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(exchange_zone()).date()


def shown(instant: dt.datetime) -> str:
    """Write an instant for people: date and time in the exchange's zone."""
    return local_time(instant)


def change_facts(change: RegisteredChange) -> dict[str, Any]:
    """Return a change for people and JSON: what was requested, and what became of it."""
    names = ("account_id", "change_id", "kind", "limit_usd", "starts_at", "ends_at", "reason", "requested_by")
    return {name: getattr(change, name) for name in (*names, "needs_second_person", "replaces", "state")}


def change_sentences(change: RegisteredChange) -> list[str]:
    """Say what was requested, who may approve it, and which holidays it covers."""
    until = "" if change.ends_at is None else f" until {shown(change.ends_at)}"
    who = "a second person" if change.needs_second_person else "a person with the role User"
    sentences = [
        (
            f"Change {change.change_id} of {change.account_id}: {change.kind} limit {usd_exact(change.limit_usd)} "
            f"from {shown(change.starts_at)}{until}."
        ),
        f"It is {change.state}"
        + (f" and not in force until {who} approves it on the page Limits." if change.state == PENDING else "."),
    ]
    first = change.starts_at.astimezone(exchange_zone()).date()
    last = first if change.ends_at is None else (change.ends_at - MOMENT).astimezone(exchange_zone()).date()
    closed = closed_weekdays(first, last)
    if closed:
        sentences.append(f"No session on {', '.join(map(str, closed))}: nothing is traded under it there.")
    return sentences
