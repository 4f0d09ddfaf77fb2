"""What the page Limits shows: limits in force, the register of their changes, and whether the base limits fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from risk.core.calendar import is_session, next_session
from risk.core.exchange import exchange_zone
from risk.core.runs import ALL_SESSIONS
from risk.core.warehouse import Connection, records, rows
from risk.limits.change_approvals import ShownChange, acting_changes, open_changes, show_change
from risk.limits.confirmations import STATED_WITHIN, Confirmation, confirmations
from risk.limits.in_force import BASE, NEVER, base_limit
from risk.limits.limit_inputs import RegisteredChange, read_changes, read_unreported_limits
from risk.limits.register import (
    CurrentLimits,
    KnownLimits,
    RequestedChange,
    read_account_names,
    read_known_limits,
)
from risk.limits.second_person import REJECTED
from risk.web.parameters import ALL_ROWS, FIRST_ROWS, SHOW_ALL, Show
from risk.web.tables import WHOLE, Page, page_of

PageNumber = Annotated[int, Field(ge=1, le=ALL_ROWS)]


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
    rows: PageNumber = FIRST_ROWS
    find: Annotated[str, Field(max_length=100)] = ""
    accounts: PageNumber = 1
    fits: PageNumber = 1
    traders: PageNumber = 1
    show: Show = ""

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
    names
        Every account.
    accounts
        A page of the accounts that were searched for: base limit and limit in force, by name.
    hidden_count
        Those of them that are left out: the newest report gives them no limit, and no change of the register does.
    platform
        Whether the trading platform has the limit in force, by account of the page.
    pending, pending_count
        The oldest changes that somebody may still decide about, oldest first, and how many there are in all.
    acting, acting_count
        Approved changes that act or will act, and how many there are in all.
    past, past_count
        The newest of the other changes, newest first, and how many there are in all.
    fits
        A page of whether the base limits fit, by the newest run; see ``select_limit_fits.sql``.
    traders
        The same for the traders with several accounts; see ``select_trader_fits.sql``.
    next_session
        Session with which a new base limit may begin.
    """

    at: dt.datetime
    names: Sequence[str]
    accounts: Page[CurrentLimits]
    hidden_count: int
    platform: Mapping[str, Confirmation]
    pending: Sequence[ShownChange]
    pending_count: int
    acting: Sequence[RegisteredChange]
    acting_count: int
    past: Sequence[RegisteredChange]
    past_count: int
    fits: Page[Mapping[str, Any]]
    traders: Page[Mapping[str, Any]]
    next_session: dt.date


def read_limits_page(
    connection: Connection, asked: LimitForm, *, has_dual_control: bool, is_export: bool = False
) -> LimitsView:
    """Read the page as it is known now, by the warehouse's clock, with so many of the long tables as was asked for.

    An export has all rows of each table.
    """
    if is_export:
        asked = asked.model_copy(update={"rows": ALL_ROWS, "accounts": WHOLE, "fits": WHOLE, "traders": WHOLE})
    now = rows(connection, "publish_limits/select_clock")[0][0]
    changes = read_changes(connection, now)
    waiting = open_changes(changes, now)
    names = read_account_names(connection)
    found = [name for name in names if _is_found(asked, name)]
    hidden = _without_limit(connection, changes, now).intersection(found) if asked.show != SHOW_ALL else frozenset()
    listed = page_of([name for name in found if name not in hidden], asked.accounts)
    # One reading for the accounts that are shown: that of a large desk takes seconds.
    known = read_known_limits(
        connection,
        now,
        first_at=now - STATED_WITHIN,
        last_at=NEVER if waiting else now,
        account_ids={*listed.rows, *(change.account_id for change in waiting[: asked.rows])},
    )
    current = {one.account_id: one for one in known.current()}
    acting = acting_changes(changes, _base_ids(connection, known), now)
    past = _newest_first(changes, {change.change_id for change in (*waiting, *acting)})
    fits, traders = _read_fits(connection, asked)
    return LimitsView(
        at=now,
        names=names,
        accounts=Page(listed.number, [current[name] for name in listed.rows], listed.count),
        hidden_count=len(hidden),
        platform={one.account_id: one for one in confirmations(connection, known)},
        pending=[show_change(known, one, has_dual_control=has_dual_control) for one in waiting[: asked.rows]],
        pending_count=len(waiting),
        acting=acting[: asked.rows],
        acting_count=len(acting),
        past=past[: asked.rows],
        past_count=len(past),
        fits=page_of(fits, asked.fits),
        traders=page_of(traders, asked.traders),
        next_session=_first_session(now.astimezone(exchange_zone()).date()),
    )


def _first_session(today: dt.date) -> dt.date:
    return today if is_session(today) else next_session(today)


def _newest_first(changes: Sequence[RegisteredChange], left_out: Set[int]) -> list[RegisteredChange]:
    past = [change for change in changes if change.change_id not in left_out]
    return sorted(past, key=lambda one: one.change_id, reverse=True)


def _read_fits(connection: Connection, asked: LimitForm) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read whether base limits fit, of the accounts and of the traders that were searched for."""
    fits = records(connection, "apply_rules/select_limit_fits", ALL_SESSIONS)
    traders = records(connection, "apply_rules/select_trader_fits", ALL_SESSIONS)
    return (
        [fit for fit in fits if _is_found(asked, fit["account_id"])],
        [fit for fit in traders if _is_found(asked, fit["trader_name"], *fit["account_ids"])],
    )


def _without_limit(connection: Connection, changes: Sequence[RegisteredChange], now: dt.datetime) -> frozenset[str]:
    """Return the accounts to which neither the newest report gives a limit nor a change, pending or approved."""
    reported = records(connection, "risk_page/select_trader_list")
    standing = {
        change.account_id
        for change in changes
        if change.state != REJECTED and (change.ends_at is None or change.ends_at > now)
    }
    return frozenset(row["account_id"] for row in reported if row["has_no_limit"]) - standing


def _is_found(asked: LimitForm, *names: str) -> bool:
    return any(asked.find.strip().casefold() in name.casefold() for name in names)


def _base_ids(connection: Connection, known: KnownLimits) -> frozenset[int]:
    """Return the changes that accounts' base limits come from."""
    today = known.at.astimezone(exchange_zone()).date()
    unreported = read_unreported_limits(connection, known.at, known.terms).values()
    bases = (base_limit(account, today, known.at) for account in unreported if account.changes)
    return frozenset(base.source_id for base in bases if base.source == BASE)
