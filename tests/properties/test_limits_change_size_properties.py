"""Lone changes, however many and in whatever order, never move a limit further than one of them may.

The oracle keeps a second desk on which nobody changes a limit alone: same reports from its own base limits, same
changes of two persons.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from risk.core.calendar import day_start
from risk.core.exchange import exchange_zone
from risk.limits.change_size import change_size
from risk.limits.in_force import (
    BASE,
    EMAILED,
    TEMPORARY,
    AccountLimits,
    LimitChange,
    ReportedLimit,
    base_limit,
    limit_at,
)
from tests.properties.effort import examples

MONDAY = day_start(dt.date(2025, 8, 4))
HOUR = dt.timedelta(hours=1)
HORIZON = 240 * HOUR
LARGEST = Decimal(5000)
DEFAULT_LIMIT = Decimal(10000)
AMOUNTS = st.integers(1, 25).map(lambda thousands: Decimal(1000 * thousands))
CHANGES = st.tuples(AMOUNTS, st.booleans(), st.integers(-24, 72), st.integers(1, 60))
"""Limit, whether it is a base limit, hours until it starts, hours that it lasts."""
EVENTS = st.lists(st.tuples(st.integers(0, 12), st.one_of(CHANGES, st.none())), min_size=1, max_size=12)
"""Hours until it happens; a lone change, or a report."""


@dataclass
class Desk:
    """One account as the product knows it, and as it would be without lone changes."""

    now: dt.datetime = MONDAY + 8 * HOUR
    actual: list[LimitChange] = field(default_factory=list)
    imagined: list[LimitChange] = field(default_factory=list)
    reports: list[ReportedLimit] = field(default_factory=list)
    imagined_reports: list[ReportedLimit] = field(default_factory=list)

    @property
    def accounts(self) -> tuple[AccountLimits, AccountLimits]:
        return (
            AccountLimits(tuple(self.reports), tuple(self.actual), (), DEFAULT_LIMIT),
            AccountLimits(tuple(self.imagined_reports), tuple(self.imagined), (), DEFAULT_LIMIT),
        )

    def report(self, cut_percent: int) -> None:
        for account, reports in zip(self.accounts, (self.reports, self.imagined_reports), strict=True):
            limit_usd = base_limit(account, day(self.now), self.now).limit_usd * (100 - cut_percent) / 100
            reports.append(ReportedLimit(EMAILED, len(reports), day(self.now), self.now, limit_usd))

    def requested(self, amount: Decimal, starts: int, lasts: int, *, is_base: bool) -> LimitChange | None:
        """Return a change that the register would take; ``None`` = it would refuse it."""
        number = len(self.actual) + 1
        starts_at = self.now + starts * HOUR
        if is_base:
            return LimitChange(number, BASE, amount, day_start(day(starts_at)), None, None)
        ends_at = max(starts_at, self.now) + lasts * HOUR
        gone = {one.replaces for one in self.actual}
        met = [
            one.change_id
            for one in self.actual
            if one.ends_at and one.change_id not in gone and starts_at < one.ends_at and one.starts_at < ends_at
        ]
        if len(met) > 1:
            return None
        return LimitChange(number, TEMPORARY, amount, starts_at, ends_at, None, met[0] if met else None)

    def approve(self, change: LimitChange, *, is_alone: bool) -> None:
        approved = replace(change, approved_at=self.now)
        self.actual.append(approved)
        if not is_alone:
            self.imagined.append(approved)


def day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(exchange_zone()).date()


def distance(accounts: tuple[AccountLimits, AccountLimits], instant: dt.datetime) -> Decimal:
    actual, imagined = (limit_at(one, instant, day(instant)).limit_usd for one in accounts)
    return actual - imagined


def turns(desk: Desk) -> set[dt.datetime]:
    """Return the instants from now on at which either desk's limit may differ from before."""
    found = [one.turns(desk.now, desk.now + HORIZON) for one in desk.accounts]
    return {desk.now, *found[0], *found[1]}


@given(st.lists(CHANGES, max_size=4), st.sampled_from((0, 40, 80)), EVENTS)
@example(
    agreed=[(Decimal(1000), False, 1, 3), (Decimal(1000), True, 0, 1)],
    cut_percent=40,
    events=[(0, (Decimal(6000), False, 2, 1)), (1, None)],
)
@example(
    agreed=[(Decimal(5000), False, 0, 2)],
    cut_percent=0,
    events=[(0, (Decimal(1000), False, 0, 1)), (0, (Decimal(11000), True, 0, 1)), (0, None)],
)
@examples(400)
def test_lone_changes_never_add_up_past_the_largest_that_one_person_may_make(
    agreed: list[tuple[Decimal, bool, int, int]],
    cut_percent: int,
    events: list[tuple[int, tuple[Decimal, bool, int, int] | None]],
) -> None:
    desk = Desk()
    for amount, is_base, starts, lasts in agreed:
        # What reports will say of a base limit of two persons that begins later, nobody knows yet.
        change = desk.requested(amount, -24 if is_base else starts, lasts, is_base=is_base)
        if change is not None:
            desk.approve(change, is_alone=False)
    desk.report(cut_percent)
    lone: set[int] = set()
    for hours, values in events:
        desk.now += hours * HOUR + dt.timedelta(seconds=1)
        if values is None:
            desk.report(cut_percent)
        else:
            _change_alone(desk, lone, values)
        for instant in turns(desk):
            assert distance(desk.accounts, instant) <= LARGEST, instant
            bases = [base_limit(one, day(instant)).limit_usd for one in desk.accounts]
            assert abs(bases[0] - bases[1]) <= LARGEST, instant


def _change_alone(desk: Desk, lone: set[int], values: tuple[Decimal, bool, int, int]) -> None:
    """Let a person change a limit where the product lets her do so alone."""
    amount, is_base, starts, lasts = values
    change = desk.requested(amount, starts, lasts, is_base=is_base)
    if change is None or change_size(desk.accounts[0], lone, change, desk.now).largest_usd > LARGEST:
        return
    desk.approve(change, is_alone=True)
    lone.add(change.change_id)
    first = max(change.starts_at, desk.now)
    own = {one for one in {first, *turns(desk)} if change.ends_at and first <= one < change.ends_at}
    # Down as well as up, over all that is known of its time.
    assert all(abs(distance(desk.accounts, instant)) <= LARGEST for instant in own)
