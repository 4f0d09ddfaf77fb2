"""How far one person's changes move a limit together: the size that the policy's largest change bounds.

A change is lone if its requester approved it. It is compared with what would hold without any lone change: with the
base limits of two persons, of an accounts file or of the policy, their temporary changes, and the reported limits in
proportion to such a base limit. Several lone changes, whoever makes them, therefore add up to no more than one may.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from risk.core.exchange import exchange_zone
from risk.limits.in_force import (
    BASE,
    EMAILED,
    AccountLimits,
    LimitChange,
    ReportedLimit,
    base_limit,
    limit_at,
    standing_limit,
)


@dataclass(frozen=True, slots=True)
class ChangeSize:
    """What a change does to an account's limits, US dollars.

    Attributes
    ----------
    before_usd
        The limit it replaces: the base limit, for other kinds the limit in force when it begins.
    reference_usd
        The same without lone changes.
    largest_usd
        The largest distance that it brings about from either, while it lasts and where what it replaces would have; of
        one that begins later also how far it is above what holds then without temporary changes.
    """

    before_usd: Decimal
    reference_usd: Decimal
    largest_usd: Decimal


def change_size(
    account: AccountLimits, lone_changes: Collection[int], change: LimitChange, now: dt.datetime
) -> ChangeSize:
    """Measure a change as if it were approved now.

    Parameters
    ----------
    account
        What is known at ``now``, with every limit that is reported for a later session.
    lone_changes
        Keys of the account's changes that their requesters approved.
    """
    first = max(change.starts_at, now)
    others = [one for one in account.changes if one.change_id != change.change_id]
    changed = replace(account, changes=[*others, replace(change, approved_at=now)])
    reference = without_lone_changes(account, lone_changes)
    if change.kind == BASE:
        before_usd, reference_usd = (base_limit(one, _day(first)).limit_usd for one in (account, reference))
    else:
        before_usd, reference_usd = (_limit_usd(one, first) for one in (account, reference))
    distances = [abs(change.limit_usd - before_usd), abs(change.limit_usd - reference_usd)]
    # Where a change permanently replaces what two persons agreed, the other limits hold afterwards.
    last = max(
        (
            one.ends_at
            for one in (change, *others)
            if one.ends_at and one.change_id in (change.change_id, change.replaces)
        ),
        default=first,
    )
    instants = {first, *changed.turns(first, last), *reference.turns(first, last)} - {last}
    distances += [abs(_limit_usd(changed, instant) - _limit_usd(reference, instant)) for instant in instants]
    if change.kind != BASE and change.starts_at > now:
        # A report that comes before it begins ends the temporary changes of two persons.
        distances.append(change.limit_usd - standing_limit(reference, first, _day(first)).limit_usd)
    distances += _distances_after_report(changed, reference, first)
    return ChangeSize(before_usd, reference_usd, max(distances))


def _distances_after_report(changed: AccountLimits, reference: AccountLimits, first: dt.datetime) -> list[Decimal]:
    """Return how far limits are raised, while temporary changes last, if a report follows at once.

    The report brings a base limit into force, although a temporary change of two persons that a lone one has replaced
    would hold it down.
    """
    ours, theirs = (_after_report(one, first) for one in (changed, reference))
    last = max((one.ends_at for one in (*changed.changes, *reference.changes) if one.ends_at), default=first)
    instants = {first, *ours.turns(first, last), *theirs.turns(first, last)}
    return [_limit_usd(ours, instant) - _limit_usd(theirs, instant) for instant in instants]


def _after_report(account: AccountLimits, instant: dt.datetime) -> AccountLimits:
    """Return what would be known of an account after a report that cuts its base limit as the last one did."""
    session_date = _day(instant)
    limit_usd = base_limit(account, session_date, instant).limit_usd
    last = account.last_reported(instant, session_date)
    if last is not None:
        before_usd = base_limit(account, last.effective_session, last.reported_at).limit_usd
        limit_usd = limit_usd * last.limit_usd / before_usd if before_usd else limit_usd
    number = max((one.source_id for one in account.reported), default=0) + 1
    return replace(
        account, reported=[*account.reported, ReportedLimit(EMAILED, number, session_date, instant, limit_usd)]
    )


def without_lone_changes(account: AccountLimits, lone_changes: Collection[int]) -> AccountLimits:
    """Return what would be known of an account if nobody had changed a limit alone."""
    replaced = {one.change_id: one.replaces for one in account.changes if one.change_id in lone_changes}
    changes = [
        replace(one, replaces=_first_replaced(one.replaces, replaced))
        for one in account.changes
        if one.change_id not in lone_changes
    ]
    kept = replace(account, changes=changes)
    return replace(kept, reported=[_in_proportion(one, account, kept) for one in account.reported])


def _first_replaced(change_id: int | None, replaced: Mapping[int, int | None]) -> int | None:
    """Return what a change replaces through lone ones in between."""
    while change_id is not None and change_id in replaced:
        change_id = replaced[change_id]
    return change_id


def _in_proportion(reported: ReportedLimit, account: AccountLimits, kept: AccountLimits) -> ReportedLimit:
    """Return a reported limit as it would have followed from the base limit without lone changes."""
    ours, theirs = (
        base_limit(one, reported.effective_session, reported.reported_at).limit_usd for one in (account, kept)
    )
    return reported if ours == theirs else replace(reported, limit_usd=reported.limit_usd * theirs / ours)


def _limit_usd(account: AccountLimits, instant: dt.datetime) -> Decimal:
    return limit_at(account, instant, _day(instant)).limit_usd


def _day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(exchange_zone()).date()
