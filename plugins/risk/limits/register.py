"""The register of limit changes: who asked for which limit, from when until when, why, and who approved it.

The command line asks and never approves: an approval is a person logged in to Airflow. A change acts once it is
approved; nothing has to run for it to begin or to end (`risk.limits.in_force`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.core.calendar import (
    FIRST_SESSION,
    closed_weekdays,
    day_start,
    is_session,
    last_session,
    next_session,
    previous_session,
    sessions_between,
)
from risk.core.errors import RequestError
from risk.core.money import usd_exact
from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.approvals import AirflowUser, cleaned_reason, parsed_amount
from risk.limits.in_force import (
    BASE,
    INTRADAY,
    NEVER,
    TEMPORARY,
    AccountLimits,
    LimitChange,
    LimitInForce,
    ReportedLimit,
    base_limit,
    limit_at,
)

APPROVED, REJECTED, PENDING = "approved", "rejected", "pending"
ONE_DAY = dt.timedelta(days=1)
MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LimitTerms:
    """What the policy and the deployment say about limits in force and their changes.

    Attributes
    ----------
    default_limit_usd
        Base limit of an account without any, US dollars.
    largest_alone_usd
        A larger change than this needs a second person, US dollars.
    has_dual_control
        Whether every change needs one.
    emailed_counts
        Whether a recommendation is in force once its email was accepted.
    """

    default_limit_usd: Decimal
    largest_alone_usd: Decimal = Decimal(5000)
    has_dual_control: bool = False
    emailed_counts: bool = True


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """A change as a person typed it.

    Attributes
    ----------
    account_id, limit_text, reason
        The account, US dollars, and why.
    start_text, end_text
        A date, or an instant; without an offset it is New York time. No end: a date begins a base limit, an instant an
        intraday change. A date as the end counts whole.
    replaces
        The temporary change that this one ends; ``None`` = none.
    """

    account_id: str
    limit_text: str
    start_text: str
    end_text: str
    reason: str
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class RegisteredChange:
    """A row of the register; see the tables ``limit_changes`` and ``limit_change_decisions``."""

    account_id: str
    change_id: int
    kind: str
    limit_usd: Decimal
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    reason: str
    requested_by: str
    requester_name: str
    needs_second_person: bool
    replaces: int | None
    recorded_at: dt.datetime
    action: str | None
    decided_by: str | None
    decider_name: str | None
    decided_at: dt.datetime | None

    @property
    def state(self) -> str:
        """``APPROVED``, ``REJECTED`` or ``PENDING``."""
        return self.action or PENDING

    @property
    def terms(self) -> LimitChange:
        """What of it decides the limit in force."""
        approved_at = self.decided_at if self.action == APPROVED else None
        return LimitChange(
            self.change_id, self.kind, self.limit_usd, self.starts_at, self.ends_at, approved_at, self.replaces
        )


def read_changes(connection: Connection, as_of: dt.datetime, account_id: str | None = None) -> list[RegisteredChange]:
    """Read the register as known at an instant, by account and key."""
    found = records(connection, "register/select_limit_changes", {"as_of": as_of, "account_id": account_id})
    return [RegisteredChange(**row) for row in found]


def read_account_limits(
    connection: Connection,
    as_of: dt.datetime,
    terms: LimitTerms,
    *,
    through_session: dt.date,
    first_at: dt.datetime,
    last_at: dt.datetime,
) -> dict[str, AccountLimits]:
    """Read what the limits in force between two instants follow from, by account; one without any row has none.

    Parameters
    ----------
    as_of
        Cut-off on what was recorded.
    through_session
        Limits reported for later sessions do not count.
    first_at, last_at
        Aware instants.
    """
    binds = {"as_of": as_of, "through_session": through_session, "first_at": first_at, "last_at": last_at}
    reported: dict[str, list[ReportedLimit]] = defaultdict(list)
    for account_id, *row in rows(
        connection, "register/select_reported_limits", {**binds, "emailed_counts": terms.emailed_counts}
    ):
        reported[account_id].append(ReportedLimit(*row))
    changes: dict[str, list[LimitChange]] = defaultdict(list)
    for registered in read_changes(connection, as_of):
        changes[registered.account_id].append(registered.terms)
    stated: dict[str, list[LimitChange]] = defaultdict(list)
    for file_limit in records(connection, "register/select_file_limits", {"as_of": as_of}):
        starts_at = day_start(file_limit["valid_from"])
        change = LimitChange(0, BASE, file_limit["limit_usd"], starts_at, None, file_limit["recorded_at"])
        stated[file_limit["account_id"]].append(change)
    return {
        account_id: AccountLimits(
            reported[account_id], changes[account_id], stated[account_id], terms.default_limit_usd
        )
        for account_id in reported.keys() | changes.keys() | stated.keys()
    }


def limits_in_force(connection: Connection, instant: dt.datetime, terms: LimitTerms) -> dict[str, LimitInForce]:
    """Return the limit in force of every account that somebody has named, by name, as known at the instant."""
    session_date = instant.astimezone(EXCHANGE_ZONE).date()
    known = read_account_limits(
        connection, instant, terms, through_session=session_date, first_at=instant, last_at=instant
    )
    unnamed = AccountLimits((), (), (), terms.default_limit_usd)
    names = {name for (name,) in rows(connection, "register/select_accounts")} | known.keys()
    return {name: limit_at(known.get(name, unnamed), instant, session_date) for name in sorted(names)}


def request_change(
    connection: Connection, requested: RequestedChange, user: AirflowUser, terms: LimitTerms
) -> RegisteredChange:
    """Store a change that a person asks for; it is pending, and not in force, until it is approved.

    Parameters
    ----------
    user
        Who asks: the person logged in to Airflow, or ``user@host`` of the command line.

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
        earlier = read_changes(connection, now, requested.account_id)
        _check_overlap(requested, (kind, starts_at, ends_at), earlier)
        values = {
            "account_id": requested.account_id,
            "kind": kind,
            "limit_usd": limit_usd,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "reason": reason,
            "requested_by": user.user_id,
            "requester_name": user.user_name,
            "needs_second_person": terms.has_dual_control
            or abs(limit_usd - _compared_limit(connection, requested.account_id, kind, starts_at, now, terms))
            > terms.largest_alone_usd,
            "replaces": requested.replaces,
        }
        change_id = rows(connection, "register/insert_limit_changes", values)[0][0]
    return read_change(connection, change_id)


def decide_change(connection: Connection, change_id: int, action: str, user: AirflowUser) -> RegisteredChange:
    """Approve or reject a pending change.

    Parameters
    ----------
    action
        ``APPROVED`` or ``REJECTED``.
    user
        A person logged in to Airflow who may decide about limits.

    Raises
    ------
    RequestError
        If there is no such change, it is decided or over, or the approval needs somebody else; nothing is stored.
    """
    with writing(connection):
        change = read_change(connection, change_id)
        now = rows(connection, "publish_limits/select_clock")[0][0]
        if change.action is not None:
            raise RequestError(
                f"Change {change_id} of {change.account_id} is already {change.action} by {change.decider_name}: "
                "enter a new change."
            )
        if change.ends_at is not None and change.ends_at <= now:
            raise RequestError(
                f"Change {change_id} of {change.account_id} ended at {_shown(change.ends_at)} without an approval: "
                "enter a new change."
            )
        if action == APPROVED and change.needs_second_person and change.requested_by == user.user_id:
            raise RequestError(
                f"{user.user_name} asked for change {change_id} of {change.account_id} and may not approve it: a "
                "second person has to."
            )
        binds = {"change_id": change_id, "action": action, "user_id": user.user_id, "user_name": user.user_name}
        execute(connection, "register/insert_limit_change_decisions", binds)
    return read_change(connection, change_id)


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
    raise RequestError(f"The register has no change {change_id}: see the trader's page for the numbers.")


def _period(requested: RequestedChange, now: dt.datetime) -> tuple[str, dt.datetime, dt.datetime | None]:
    """Return kind, start and end of a change."""
    starts_at = parsed_instant("--from", requested.start_text)
    is_date = len(requested.start_text.strip()) == len("YYYY-MM-DD")
    day = starts_at.astimezone(EXCHANGE_ZONE).date()
    if not requested.end_text and is_date:
        _check_session(day)
        return BASE, starts_at, None
    ends_at = (
        parsed_instant("--until", requested.end_text, is_end=True) if requested.end_text else day_start(day + ONE_DAY)
    )
    if ends_at <= starts_at:
        raise RequestError(
            f"The change of {requested.account_id} ends at {_shown(ends_at)}, before it begins at {_shown(starts_at)}: "
            "enter a later end."
        )
    if ends_at <= now:
        raise RequestError(
            f"The change of {requested.account_id} ended at {_shown(ends_at)}; it is {_shown(now)}: enter a later end."
        )
    last = (ends_at - MOMENT).astimezone(EXCHANGE_ZONE).date()
    if not sessions_between(day, last):
        raise RequestError(
            f"There is no session from {day} to {last}: the change of {requested.account_id} would never act. The next "
            f"session is {next_session(last)}."
        )
    return (TEMPORARY if requested.end_text else INTRADAY), starts_at, ends_at


def parsed_instant(name: str, text: str, *, is_end: bool = False) -> dt.datetime:
    """Read a date or an instant that a person typed, in New York time unless it states an offset.

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
        instant = (typed if typed.tzinfo else typed.replace(tzinfo=EXCHANGE_ZONE)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise RequestError(
            f"{name} {text!r} is neither a date nor an instant: write 2025-12-05, or 2025-12-05T10:30 in New York time."
        ) from None
    if not FIRST_SESSION <= instant.astimezone(EXCHANGE_ZONE).date() <= last_session():
        raise RequestError(
            f"{name} {text!r} is outside the calendar, which knows the sessions from {FIRST_SESSION} to "
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
    names = [name for (name,) in rows(connection, "register/select_accounts")]
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
                f"{_shown(change.starts_at)} to {_shown(change.ends_at or NEVER)} ({change.state}): name it as the one "
                "to replace, or choose other times."
            )


def _compared_limit(
    connection: Connection, account_id: str, kind: str, starts_at: dt.datetime, now: dt.datetime, terms: LimitTerms
) -> Decimal:
    """Return what a change is compared with: the base limit, or for other kinds the limit in force when it begins."""
    instant = max(starts_at, now)
    session_date = instant.astimezone(EXCHANGE_ZONE).date()
    known = read_account_limits(
        connection, now, terms, through_session=session_date, first_at=instant, last_at=instant
    ).get(account_id, AccountLimits((), (), (), terms.default_limit_usd))
    if kind == BASE:
        return base_limit(known, session_date).limit_usd
    return limit_at(known, instant, session_date).limit_usd


def _shown(instant: dt.datetime) -> str:
    return f"{instant.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} New York"


def change_facts(change: RegisteredChange) -> dict[str, Any]:
    """Return a change for people and JSON: what was asked for, and what became of it."""
    names = ("account_id", "change_id", "kind", "limit_usd", "starts_at", "ends_at", "reason", "requested_by")
    return {name: getattr(change, name) for name in (*names, "needs_second_person", "replaces", "state")}


def change_sentences(change: RegisteredChange, terms: LimitTerms) -> list[str]:
    """Say what was asked for, who may approve it, and which holidays it covers."""
    until = "" if change.ends_at is None else f" until {_shown(change.ends_at)}"
    who = "a person with the role User on the trader's page"
    if change.needs_second_person:
        why = (
            "dual control" if terms.has_dual_control else f"a change of more than {usd_exact(terms.largest_alone_usd)}"
        )
        who = f"a second person on the trader's page ({why})"
    sentences = [
        (
            f"Change {change.change_id} of {change.account_id}: {change.kind} limit {usd_exact(change.limit_usd)} "
            f"from {_shown(change.starts_at)}{until}."
        ),
        f"It is {change.state}" + (f" and not in force until {who} approves it." if change.state == PENDING else "."),
    ]
    first = change.starts_at.astimezone(EXCHANGE_ZONE).date()
    last = first if change.ends_at is None else (change.ends_at - MOMENT).astimezone(EXCHANGE_ZONE).date()
    closed = closed_weekdays(first, last)
    if closed:
        sentences.append(f"No session on {', '.join(map(str, closed))}: nothing is traded under it there.")
    return sentences
