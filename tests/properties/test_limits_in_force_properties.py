"""The limit in force over any sequence of changes, approvals, reports, clock jumps and restarts.

The oracle keeps a desk's state event by event, as a clerk would: what was reported last, and which change is open. The
product computes the same from dated rows.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from risk.core.calendar import day_start
from risk.core.exchange import exchange_zone
from risk.limits.in_force import (
    BASE,
    DEFAULT,
    EMAILED,
    PUBLISHED,
    TEMPORARY,
    AccountLimits,
    LimitChange,
    ReportedLimit,
    limit_at,
    limits_in_session,
)
from tests.properties.effort import examples

MONDAY = dt.date(2025, 8, 4)
AMOUNTS = st.integers(0, 12).map(lambda thousands: Decimal(1000 * thousands))
LIMITS = st.integers(1, 12).map(lambda thousands: Decimal(1000 * thousands))
HOUR = dt.timedelta(hours=1)
DEFAULT_LIMIT = Decimal(5000)


@dataclass
class Clerk:
    """What holds now; every event says so."""

    reported: Decimal | None = None
    reported_at: dt.datetime | None = None
    base: Decimal | None = None
    base_at: dt.datetime | None = None
    open_changes: list[LimitChange] = field(default_factory=list)
    replaced: set[int | None] = field(default_factory=set)
    waiting: list[LimitChange] = field(default_factory=list)
    waiting_reports: list[ReportedLimit] = field(default_factory=list)
    newest_session: dt.date = dt.date.min

    def pass_until(self, now: dt.datetime) -> None:
        """Let everything happen that was to happen by now, in its order."""
        events: list[tuple[dt.datetime, int, Any]] = [
            *((change.takes_effect_at, 1, change) for change in self.waiting),
            *((limit.starts_at, 0, limit) for limit in self.waiting_reports),
        ]
        for at, _, event in sorted(events, key=lambda one: one[:2]):
            if at <= now:
                self._happens(at, event)
        self.open_changes = [one for one in self.open_changes if one.ends_at is None or now < one.ends_at]

    def _happens(self, at: dt.datetime, event: Any) -> None:
        if isinstance(event, ReportedLimit):
            self.waiting_reports.remove(event)
            if event.effective_session >= self.newest_session:
                self.reported, self.reported_at, self.newest_session = event.limit_usd, at, event.effective_session
            return
        self.waiting.remove(event)
        if event.kind == BASE:
            self.base, self.base_at = event.limit_usd, at
            return
        self.replaced.add(event.replaces)
        self.open_changes = [one for one in (*self.open_changes, event) if one.change_id not in self.replaced]

    def limit(self) -> Decimal:
        """Return the limit in force now."""
        known = [(amount, at) for amount, at in ((self.reported, self.reported_at), (self.base, self.base_at)) if at]
        standing, since = (DEFAULT_LIMIT, None)
        if self.reported is not None:
            # The base limit caps what was reported; it never lifts it.
            standing, since = min(known, key=lambda one: one[0])
            if self.reported <= standing:
                standing, since = self.reported, self.reported_at
        elif known:
            standing, since = known[0]
        if not self.open_changes:
            return standing
        lowest = min(one.limit_usd for one in self.open_changes)
        [*_, change] = [one for one in self.open_changes if one.limit_usd == lowest]
        if since is None or change.takes_effect_at > since:
            return change.limit_usd
        return min(change.limit_usd, standing)


class Desk(RuleBasedStateMachine):
    """One account from Monday on."""

    pending: Bundle[LimitChange] = Bundle("pending")

    def __init__(self) -> None:
        super().__init__()
        self.now = day_start(MONDAY) + 6 * HOUR
        self.reported: list[ReportedLimit] = []
        self.changes: list[LimitChange] = []
        self.clerk = Clerk()
        self.numbers = 0
        self.before: tuple[Decimal, int] | None = None

    def account(self) -> AccountLimits:
        return AccountLimits(tuple(self.reported), tuple(self.changes), (), DEFAULT_LIMIT)

    def today(self) -> dt.date:
        return self.now.astimezone(exchange_zone()).date()

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    @rule(hours=st.integers(1, 60))
    def clock_jumps(self, hours: int) -> None:
        # A jump is minutes one after the other: what ends in it has ended.
        for _ in range(hours):
            self.now += HOUR
            self.clerk.pass_until(self.now)

    @rule(amount=LIMITS, source=st.sampled_from((PUBLISHED, EMAILED)), days=st.integers(-2, 1))
    def report(self, amount: Decimal, source: str, days: int) -> None:
        self.now += dt.timedelta(seconds=1)
        limit = ReportedLimit(source, self.number(), self.today() + dt.timedelta(days), self.now, amount)
        self.reported.append(limit)
        self.clerk.waiting_reports.append(limit)
        self.clerk.pass_until(self.now)

    @rule(target=pending, amount=AMOUNTS, begins=st.integers(-5, 30), lasts=st.integers(1, 40))
    def request_temporary(self, amount: Decimal, begins: int, lasts: int) -> LimitChange:
        starts_at = self.now + begins * HOUR
        ends_at = max(starts_at, self.now) + lasts * HOUR
        # The register refuses what would overlap: a new change names the one it replaces.
        standing = [one for one in self.changes if one.kind != BASE and one.change_id not in self._replaced()]
        last = standing[-1].change_id if standing else None
        change = LimitChange(self.number(), TEMPORARY, amount, starts_at, ends_at, None, last)
        self.changes.append(change)
        return change

    def _replaced(self) -> set[int | None]:
        return {one.replaces for one in self.changes}

    @rule(target=pending, amount=LIMITS, days=st.integers(-1, 3))
    def request_base(self, amount: Decimal, days: int) -> LimitChange:
        starts_at = day_start(self.today() + dt.timedelta(days))
        change = LimitChange(self.number(), BASE, amount, starts_at, None, None)
        self.changes.append(change)
        return change

    @rule(change=consumes(pending))
    def approve(self, change: LimitChange) -> None:
        self.now += dt.timedelta(seconds=1)
        self.clerk.pass_until(self.now)
        place = self.changes.index(change)
        approved = LimitChange(*(*_values(change)[:5], self.now, change.replaces))
        self.changes[place] = approved
        self.clerk.waiting.append(approved)
        self.clerk.pass_until(self.now)

    @rule()
    def restart(self) -> None:
        text = json.dumps([_values(one) for one in self.changes], default=str)
        self.changes = [_read(values) for values in json.loads(text)]

    @invariant()
    def temporary_changes_end_and_pending_ones_do_not_act(self) -> None:
        found = limit_at(self.account(), self.now, self.today())
        if found.source == TEMPORARY:
            [change] = [one for one in self.changes if one.change_id == found.source_id]
            assert change.approved_at is not None
            assert change.starts_at <= self.now
            assert change.ends_at is not None
            assert self.now < change.ends_at
        if found.source == BASE:
            assert any(one.change_id == found.source_id and one.approved_at for one in self.changes)
        assert (found.source == DEFAULT) == (found.since is None)

    @invariant()
    def nothing_but_an_event_raises_a_limit(self) -> None:
        """A morning that fails, is late or paused adds no row: with the same rows only a change's time may raise it."""
        rows = len(self.reported) + sum(one.approved_at is not None for one in self.changes)
        found = limit_at(self.account(), self.now, self.today()).limit_usd
        timed = any(one.kind == TEMPORARY and one.approved_at for one in self.changes)
        waits = self.clerk.waiting or self.clerk.waiting_reports
        if self.before and self.before[1] == rows and not timed and not waits and not self._has_waited:
            assert found == self.before[0]
        self._has_waited = bool(waits)
        self.before = (found, rows)

    _has_waited = False

    @invariant()
    def clerk_says_the_same(self) -> None:
        found = limit_at(self.account(), self.now, self.today())
        assert found.limit_usd == self.clerk.limit(), found

    @invariant()
    def limits_of_a_day_are_those_of_each_hour(self) -> None:
        first = day_start(self.today())
        listed = limits_in_session(self.account(), self.today(), first, first + 24 * HOUR)
        for hour in range(24):
            instant = first + hour * HOUR
            acting = [limit for since, limit in listed if since <= instant][-1]
            assert acting.limit_usd == limit_at(self.account(), instant, self.today()).limit_usd


def _values(change: LimitChange) -> tuple[Any, ...]:
    names = ("change_id", "kind", "limit_usd", "starts_at", "ends_at", "approved_at", "replaces")
    return tuple(getattr(change, name) for name in names)


def _read(values: list[Any]) -> LimitChange:
    change_id, kind, amount, *instants, replaces = values
    starts_at, ends_at, approved_at = (dt.datetime.fromisoformat(one) if one else None for one in instants)
    assert starts_at is not None
    return LimitChange(change_id, kind, Decimal(amount), starts_at, ends_at, approved_at, replaces)


TestDesk = Desk.TestCase
TestDesk.settings = examples(100, stateful_step_count=25)
