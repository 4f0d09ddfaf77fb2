"""What the page Limits shows: limits in force, the register of their changes, and whether the base limits fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from risk.core.calendar import is_session, next_session
from risk.core.runs import ALL_SESSIONS
from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, records, rows
from risk.limits.change_approvals import ShownChange, acting_changes, open_changes, show_change
from risk.limits.confirmations import STATED_WITHIN, Confirmation, confirmations
from risk.limits.in_force import BASE, NEVER
from risk.limits.limit_inputs import RegisteredChange, read_changes
from risk.limits.register import CurrentLimits, RequestedChange, read_known_limits

FIRST_ROWS, ALL_ROWS = 60, 100_000
"""Rows of a long table at first, and when all are asked for."""


class LimitForm(BaseModel):
    """The form that requests a change, as a person or a link fills it in; the token says to whom it was shown."""

    account_id: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[str, Field(max_length=30)] = ""
    kind: Annotated[str, Field(max_length=10)] = ""
    start: Annotated[str, Field(max_length=40)] = ""
    end: Annotated[str, Field(max_length=40)] = ""
    replaces: Annotated[str, Field(pattern="^[0-9]{0,18}$")] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""
    token: str = ""
    rows: Annotated[int, Field(ge=1, le=ALL_ROWS)] = FIRST_ROWS

    @property
    def change(self) -> RequestedChange:
        """The change that it requests."""
        replaces = int(self.replaces) if self.replaces else None
        return RequestedChange(self.account_id, self.limit, self.start, self.end, self.reason, replaces, self.kind)


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The page Limits.

    Attributes
    ----------
    at
        Aware instant that it shows.
    accounts
        Every account's base limit and limit in force, by name.
    platform
        Whether the trading platform has the limit in force, by account.
    pending
        Changes that somebody may still decide about, oldest first.
    acting
        Approved changes that act or will act.
    past, past_count
        The newest of the other changes, newest first, and how many there are in all.
    fits
        Whether the base limits fit, by the newest run; see ``select_limit_fits.sql``.
    next_session
        Session with which a new base limit may begin.
    """

    at: dt.datetime
    accounts: Sequence[CurrentLimits]
    platform: Mapping[str, Confirmation]
    pending: Sequence[ShownChange]
    acting: Sequence[RegisteredChange]
    past: Sequence[RegisteredChange]
    past_count: int
    fits: Sequence[Mapping[str, Any]]
    next_session: dt.date


def read_limits_page(connection: Connection, row_count: int, *, has_dual_control: bool) -> LimitsView:
    """Read the page as it is known now, by the warehouse's clock, with so many of the past changes."""
    now = rows(connection, "publish_limits/select_clock")[0][0]
    changes = read_changes(connection, now)
    waiting = open_changes(changes, now)
    # One reading for everything: on a large desk it takes seconds.
    last_at = NEVER if waiting else now
    known = read_known_limits(connection, now, first_at=now - STATED_WITHIN, last_at=last_at)
    accounts = known.current()
    pending = [show_change(known, change, has_dual_control=has_dual_control) for change in waiting]
    base_ids = frozenset(one.base.source_id for one in accounts if one.base.source == BASE)
    acting = acting_changes(changes, base_ids, now)
    listed = {shown.change.change_id for shown in pending} | {change.change_id for change in acting}
    past = sorted(
        (change for change in changes if change.change_id not in listed), key=lambda one: one.change_id, reverse=True
    )
    today = now.astimezone(EXCHANGE_ZONE).date()
    following = today if is_session(today) else next_session(today)
    fits = records(connection, "apply_rules/select_limit_fits", ALL_SESSIONS)
    platform = {one.account_id: one for one in confirmations(connection, known)}
    return LimitsView(now, accounts, platform, pending, acting, past[:row_count], len(past), fits, following)
