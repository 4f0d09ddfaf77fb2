"""What limits in force follow from, as the warehouse knows it at an instant: reports, register and accounts files."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.core.calendar import day_start
from risk.core.policy_store import Instant
from risk.core.warehouse import Connection, records, rows
from risk.limits.in_force import BASE, DEFAULT, AccountLimits, LimitChange, ReportedLimit, base_limit
from risk.limits.second_person import APPROVED, PENDING, is_same_person

if TYPE_CHECKING:
    from risk.limits.policy import DeskTerms


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
    def is_lone(self) -> bool:
        """Whether its requester has approved it."""
        requester = (self.requested_by, self.requester_name)
        decider = (self.decided_by or "", self.decider_name or "")
        return self.action == APPROVED and is_same_person(requester, decider)

    @property
    def terms(self) -> LimitChange:
        """What of it decides the limit in force."""
        approved_at = self.decided_at if self.action == APPROVED else None
        return LimitChange(
            self.change_id, self.kind, self.limit_usd, self.starts_at, self.ends_at, approved_at, self.replaces
        )


def read_changes(connection: Connection, as_of: Instant, account_id: str | None = None) -> list[RegisteredChange]:
    """Read the register as known at an instant, by account and key."""
    found = records(connection, "register/select_limit_changes", {"as_of": as_of, "account_id": account_id})
    return [RegisteredChange(**row) for row in found]


def read_account_limits(
    connection: Connection,
    as_of: Instant,
    *,
    terms: DeskTerms,
    through_session: dt.date,
    first_at: dt.datetime,
    last_at: dt.datetime,
    account_ids: Collection[str] | None = None,
) -> dict[str, AccountLimits]:
    """Read what the limits in force between two instants follow from, by account; one without any row is not there.

    Parameters
    ----------
    as_of
        Cut-off on what was recorded.
    terms
        The policy: the default base limits, and whether a recommendation counts once its email was accepted.
    through_session
        Limits reported for later sessions do not count.
    first_at, last_at
        Aware instants.
    account_ids
        Accounts whose reported limits are read; ``None`` = all.
    """
    reported = read_reported_limits(
        connection,
        as_of,
        emailed_counts=terms.document.desk.use.emailed_counts,
        through_session=through_session,
        first_at=first_at,
        last_at=last_at,
        account_ids=account_ids,
    )
    return with_reported(read_unreported_limits(connection, as_of, terms), reported, terms)


def read_reported_limits(
    connection: Connection,
    as_of: Instant,
    *,
    emailed_counts: bool,
    through_session: dt.date,
    first_at: dt.datetime,
    last_at: dt.datetime,
    account_ids: Collection[str] | None = None,
) -> dict[str, list[ReportedLimit]]:
    """Read what was published, and emailed where that counts, by account; parameters as in `read_account_limits`."""
    binds = {"as_of": as_of, "through_session": through_session, "first_at": first_at, "last_at": last_at}
    asked = {"emailed_counts": emailed_counts, "account_ids": None if account_ids is None else sorted(account_ids)}
    reported: dict[str, list[ReportedLimit]] = defaultdict(list)
    found = rows(connection, "register/select_reported_limits", {**binds, **asked})
    for account_id, *row in found:
        reported[account_id].append(ReportedLimit(*row))
    return reported


def read_unreported_limits(connection: Connection, as_of: Instant, terms: DeskTerms) -> dict[str, AccountLimits]:
    """Read what persons have entered and files have stated, by account; nothing of it is reported."""
    entered, stated = _read_entered(connection, as_of), _read_stated(connection, as_of)
    return {
        account_id: replace(
            unnamed_limits(terms, account_id), changes=entered[account_id], file_limits=stated[account_id]
        )
        for account_id in entered.keys() | stated.keys()
    }


def with_reported(
    known: Mapping[str, AccountLimits], reported: Mapping[str, Sequence[ReportedLimit]], terms: DeskTerms
) -> dict[str, AccountLimits]:
    """Add what was reported to what is known otherwise."""
    return {
        account_id: replace(
            known.get(account_id) or unnamed_limits(terms, account_id), reported=reported.get(account_id, ())
        )
        for account_id in known.keys() | reported.keys()
    }


def unnamed_limits(terms: DeskTerms, account_id: str) -> AccountLimits:
    """Return what holds for an account of which nothing was reported, entered or stated: the policy's default."""
    return AccountLimits((), (), (), terms.default_limit_usd(account_id))


def read_base_limits(connection: Connection, session_date: dt.date, as_of: Instant) -> dict[str, Decimal]:
    """Read the base limits of a session that files or persons have stated, by account, US dollars."""
    entered, stated = _read_entered(connection, as_of), _read_stated(connection, as_of)
    found = {
        account_id: base_limit(AccountLimits((), entered[account_id], stated[account_id], Decimal(0)), session_date)
        for account_id in entered.keys() | stated.keys()
    }
    return {account_id: limit.limit_usd for account_id, limit in found.items() if limit.source != DEFAULT}


def _read_entered(connection: Connection, as_of: Instant) -> dict[str, list[LimitChange]]:
    changes: dict[str, list[LimitChange]] = defaultdict(list)
    for registered in read_changes(connection, as_of):
        changes[registered.account_id].append(registered.terms)
    return changes


def _read_stated(connection: Connection, as_of: Instant) -> dict[str, list[LimitChange]]:
    stated: dict[str, list[LimitChange]] = defaultdict(list)
    for file_limit in records(connection, "register/select_file_limits", {"as_of": as_of}):
        starts_at = day_start(file_limit["valid_from"])
        change = LimitChange(0, BASE, file_limit["limit_usd"], starts_at, None, file_limit["recorded_at"])
        stated[file_limit["account_id"]].append(change)
    return stated
