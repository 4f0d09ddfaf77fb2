"""The limit in force: which loss limit an account has at an instant, where it comes from and since when.

One definition, a function of dated inputs: limits that were published, recommendations that some recipient's mail
server accepted, approved changes of the register, and base limits. The last limit stands: a morning without a report
or without an approval changes nothing. Nothing has to run for a temporary change to end; its end is part of the
definition.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from operator import attrgetter

from risk.core.calendar import day_start

BASE, TEMPORARY, INTRADAY = "base", "temporary", "intraday"
PUBLISHED, EMAILED, DEFAULT = "published", "emailed", "default"

ORIGINS = {
    PUBLISHED: "published",
    EMAILED: "emailed",
    BASE: "base limit",
    TEMPORARY: "temporary change",
    INTRADAY: "intraday change",
    DEFAULT: "default base limit",
}
"""Where a limit comes from, for people."""

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class ReportedLimit:
    """A limit for a session that was published, or recommended by an email that was accepted.

    Attributes
    ----------
    source
        ``PUBLISHED`` or ``EMAILED``.
    source_id
        The publication or the run.
    effective_session
        Session it is for.
    reported_at
        Aware instant of the publication, or at which the first recipient's server accepted the email.
    limit_usd
        US dollars.
    """

    source: str
    source_id: int
    effective_session: dt.date
    reported_at: dt.datetime
    limit_usd: Decimal

    @property
    def starts_at(self) -> dt.datetime:
        """When it takes effect: not before 00:00 of its session."""
        return max(self.reported_at, day_start(self.effective_session))


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A change of the register, or a base limit that an accounts file states.

    Attributes
    ----------
    change_id
        Its key; 0 for a file's.
    kind
        ``BASE``, ``TEMPORARY`` or ``INTRADAY``.
    limit_usd
        US dollars; 0 = no trading.
    starts_at, ends_at
        Aware instants: from, and until before; ``None`` = no end.
    approved_at
        Aware instant of the approval, or at which a file's statement was recorded; ``None`` = not approved.
    replaces
        The change that this one ends when it takes effect.
    """

    change_id: int
    kind: str
    limit_usd: Decimal
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    approved_at: dt.datetime | None
    replaces: int | None = None

    @property
    def takes_effect_at(self) -> dt.datetime:
        """When it acts: from its start on, never before its approval; ``NEVER`` without one."""
        return NEVER if self.approved_at is None else max(self.starts_at, self.approved_at)

    def has_begun(self, instant: dt.datetime) -> bool:
        """Return whether it has taken effect by an instant, ended or not."""
        return self.approved_at is not None and self.takes_effect_at <= instant

    def lasts(self, instant: dt.datetime) -> bool:
        """Return whether it has taken effect and has not ended."""
        return self.has_begun(instant) and (self.ends_at is None or instant < self.ends_at)


@dataclass(frozen=True)
class AccountLimits:
    """Everything an account's limit in force follows from, as known at one instant.

    Attributes
    ----------
    reported
        In any order.
    changes
        Of the register, in any order.
    file_limits
        Base limits that accounts files state, each that differs from the one before; in any order.
    default_limit_usd
        Base limit of an account without any, US dollars.
    """

    reported: Sequence[ReportedLimit]
    changes: Sequence[LimitChange]
    file_limits: Sequence[LimitChange]
    default_limit_usd: Decimal

    @cached_property
    def by_start(self) -> list[ReportedLimit]:
        """What was reported, in the order in which it takes effect."""
        return sorted(self.reported, key=attrgetter("starts_at"))

    @cached_property
    def starts(self) -> list[dt.datetime]:
        """When each of ``by_start`` takes effect."""
        return [one.starts_at for one in self.by_start]

    @cached_property
    def newest(self) -> list[ReportedLimit]:
        """For each of ``by_start``, the newest among it and those before."""
        return list(accumulate(self.by_start, _newer))

    def last_reported(self, instant: dt.datetime, session_date: dt.date) -> ReportedLimit | None:
        """Return the newest limit that had taken effect by an instant, of a session or an earlier one."""
        place = bisect_right(self.starts, instant)
        if place == 0 or self.newest[place - 1].effective_session <= session_date:
            return self.newest[place - 1] if place else None
        earlier = (one for one in self.by_start[:place] if one.effective_session <= session_date)
        return max(earlier, key=_novelty, default=None)

    def turns(self, first: dt.datetime, last: dt.datetime) -> set[dt.datetime]:
        """Return the instants after the first one, up to the last, at which a limit may begin or end."""
        found = set(self.starts[bisect_right(self.starts, first) : bisect_right(self.starts, last)])
        for change in (*self.changes, *self.file_limits):
            found.update(one for one in (change.takes_effect_at, change.ends_at or NEVER) if first < one <= last)
        return found


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit in force.

    Attributes
    ----------
    limit_usd
        US dollars; 0 = no trading.
    source
        ``PUBLISHED``, ``EMAILED``, ``BASE``, ``TEMPORARY``, ``INTRADAY`` or ``DEFAULT``.
    source_id
        Publication, run or change; 0 = an accounts file or the default.
    since
        Aware instant; ``None`` = always.
    """

    limit_usd: Decimal
    source: str
    source_id: int
    since: dt.datetime | None

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return ORIGINS[self.source]


def base_limit(account: AccountLimits, session_date: dt.date, known_at: dt.datetime = NEVER) -> LimitInForce:
    """Return the base limit of a session: of a file's and a person's, the one that took effect last.

    Of several that take effect at one instant, the one that was approved last.

    Parameters
    ----------
    session_date
        Limits that begin later do not count.
    known_at
        Aware instant: limits stated or approved later do not count; by default all count that the inputs hold.
    """
    begins_at = day_start(session_date)
    stated, entered = (
        [
            change
            for change in changes
            if change.kind == BASE and change.starts_at <= begins_at and change.has_begun(known_at)
        ]
        for changes in (account.file_limits, account.changes)
    )
    # Files state history: of theirs the latest day counts. A person's acts from the approval on.
    of_file = max(stated, key=lambda one: (one.starts_at, one.takes_effect_at), default=None)
    candidates = [*([of_file] if of_file else []), *entered]
    last = max(candidates, key=attrgetter("takes_effect_at", "approved_at", "change_id"), default=None)
    if last is None:
        return LimitInForce(account.default_limit_usd, DEFAULT, 0, None)
    return LimitInForce(last.limit_usd, BASE, last.change_id, last.takes_effect_at)


def limit_at(account: AccountLimits, instant: dt.datetime, session_date: dt.date) -> LimitInForce:
    """Return the limit in force at an instant.

    Parameters
    ----------
    instant
        Aware.
    session_date
        The session whose limit it is: what was reported for later sessions does not count.
    """
    standing = standing_limit(account, instant, session_date)
    temporary = _temporary_change(account.changes, instant)
    if temporary is None:
        return standing
    changed = LimitInForce(temporary.limit_usd, temporary.kind, temporary.change_id, temporary.takes_effect_at)
    is_newer = standing.since is None or temporary.takes_effect_at > standing.since
    return changed if is_newer or changed.limit_usd < standing.limit_usd else standing


def limits_in_session(
    account: AccountLimits, session_date: dt.date, first: dt.datetime, last: dt.datetime
) -> list[tuple[dt.datetime, LimitInForce]]:
    """List the limits in force from an instant to another, each with the instant from which on it acted.

    Neighbors differ in their amounts. The first one acts from ``first`` on.
    """
    found: list[tuple[dt.datetime, LimitInForce]] = []
    for instant in sorted({first, *account.turns(first, last)}):
        limit = limit_at(account, instant, session_date)
        if not found or found[-1][1].limit_usd != limit.limit_usd:
            found.append((instant, limit))
    return found


def change_usd(
    account: AccountLimits, recommended_usd: Decimal, effective_session: dt.date, as_of: dt.datetime
) -> Decimal:
    """Return by how much an account's limit changes if its recommendation is accepted, US dollars.

    The limit in force when the effective session begins, less the one at ``as_of``; a raise is positive. Before the
    first report the latter is the base limit.
    """
    begins_at = max(as_of, day_start(effective_session))
    accepted = ReportedLimit(EMAILED, 0, effective_session, begins_at, recommended_usd)
    afterwards = replace(account, reported=(*account.reported, accepted))
    after = limit_at(afterwards, begins_at, effective_session).limit_usd
    return after - limit_at(account, as_of, effective_session).limit_usd


def _novelty(limit: ReportedLimit) -> tuple[dt.date, dt.datetime, int]:
    """Return what tells the newer of two reported limits: the later session's, then the later one."""
    return limit.effective_session, limit.reported_at, limit.source_id


def _newer(one: ReportedLimit, other: ReportedLimit) -> ReportedLimit:
    return max(one, other, key=_novelty)


def standing_limit(account: AccountLimits, instant: dt.datetime, session_date: dt.date) -> LimitInForce:
    """Return the limit in force without temporary changes: the last reported one, or the base limit.

    The base limit counts where it is lower or nothing was reported.

    A base limit that is raised raises nothing by itself: the next report does.
    """
    last = account.last_reported(instant, session_date)
    known = base_limit(account, session_date, instant)
    if last is None:
        # An account that never had a limit has what its files say now about that day.
        return known if known.source == BASE else base_limit(replace(account, changes=()), session_date)
    if known.source == BASE and known.limit_usd < last.limit_usd:
        return known
    return LimitInForce(last.limit_usd, last.source, last.source_id, last.starts_at)


def _temporary_change(changes: Sequence[LimitChange], instant: dt.datetime) -> LimitChange | None:
    """Return the temporary or intraday change that lasts at an instant; of several the lowest, then the newest."""
    replaced = {change.replaces for change in changes if change.has_begun(instant)}
    lasting = [
        change
        for change in changes
        if change.kind != BASE and change.lasts(instant) and change.change_id not in replaced
    ]
    return max(lasting, key=lambda one: (-one.limit_usd, one.takes_effect_at, one.change_id), default=None)
