"""Breaches of limits as items: open from the email that names them until a person closes them with a reason.

Runs record every breach they find. It is an item once a report of its session was mailed: breaches of sessions before
the first mailed report, and of backfills that mail nothing, are recorded and open no item. Nothing is deleted: a later
entry corrects or reopens, and a restatement that removes a breach says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from risk.core.errors import RequestError
from risk.core.money import usd_exact
from risk.core.policy_store import Instant
from risk.core.runs import Run
from risk.core.typed import cleaned_reason
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.approvals import AirflowUser

CLOSED, REOPENED = "closed", "reopened"
OPEN, REMOVED = "open", "removed"

CLOSING_REASONS: Final = (
    "limit not set on the platform",
    "platform's stop late or off",
    "traded on",
    "agreed in advance",
    "gap or illiquid",
    "data error",
    "trader spoken to",
    "other",
)


@dataclass(frozen=True, slots=True)
class BreachItem:
    """A breach whose session's report was mailed, with the newest entry about it.

    Attributes
    ----------
    account_id, session_date
        Account and session of the breach.
    is_breach
        Whether the books as they are now say so; ``None`` = they are incomplete.
    was_breach
        Whether the newest run that recorded it said so.
    limit_usd, largest_loss_usd, use_ratio
        Of the receipt, else as recorded; US dollars, the loss positive; ``None`` = n/a or unknown.
    entry_id, action, reason, sentence, user_id, user_name, entered_at
        Newest entry; ``None`` = nobody entered anything.
    state
        ``REMOVED`` by a restatement, else ``CLOSED`` or ``OPEN`` as the newest entry says.
    """

    account_id: str
    session_date: dt.date
    is_breach: bool | None
    was_breach: bool
    limit_usd: Decimal
    largest_loss_usd: Decimal
    use_ratio: Decimal | None
    entry_id: int | None
    action: str | None
    reason: str | None
    sentence: str | None
    user_id: str | None
    user_name: str | None
    entered_at: dt.datetime | None
    state: str

    @property
    def words(self) -> str:
        """What was broken, and what became of it."""
        size = f"limit {usd_exact(self.limit_usd)}, down at least {usd_exact(self.largest_loss_usd)}"
        if self.state == REMOVED:
            closed = f"; it was closed: {self.closing}" if self.action == CLOSED else ""
            return f"no longer a breach since a restatement ({size}){closed}"
        unknown = "; books are incomplete now" if self.is_breach is None else ""
        return f"{size}{unknown}" + (f"; closed: {self.closing}" if self.state == CLOSED else "")

    @property
    def closing(self) -> str:
        """Reason, explanation and person of the newest entry."""
        return f"{self.reason} ({self.sentence}), {self.user_name}"


@dataclass(frozen=True, slots=True)
class BreachEntry:
    """What a person typed about a breach.

    Attributes
    ----------
    action
        ``CLOSED``, also to correct an earlier reason, or ``REOPENED``.
    reason
        Of `CLOSING_REASONS`; empty to reopen.
    sentence
        Explanation.
    seen_entry_id
        The newest entry that the person saw; ``None`` = none.
    """

    action: str
    reason: str
    sentence: str
    seen_entry_id: int | None


def store_breaches(connection: Connection, run: Run) -> int:
    """Record the breaches that are new in the receipts, and those that a restatement has removed.

    Returns
    -------
    int
        Rows recorded; 0 for a point-in-time run, which finds what is known already.
    """
    if run.is_point_in_time:
        return 0
    with writing(connection):
        return execute(connection, "breaches/insert_limit_breaches", {"run_id": run.run_id, "as_of": run.as_of})


def read_items(
    connection: Connection,
    as_of: Instant = "infinity",
    through_session: dt.date | Literal["infinity"] = "infinity",
    account_id: str | None = None,
) -> list[BreachItem]:
    """Read the items, oldest first, as known at an instant, of all accounts or one."""
    binds = {"as_of": as_of, "through_session": through_session, "account_id": account_id}
    return [BreachItem(**row) for row in records(connection, "breaches/select_items", binds)]


def open_items(items: Sequence[BreachItem]) -> list[BreachItem]:
    """Return those that nobody has closed."""
    return [item for item in items if item.state == OPEN]


def read_item(connection: Connection, account_id: str, session_date: dt.date) -> BreachItem:
    """Read one item.

    Raises
    ------
    RequestError
        If this account-session is none.
    """
    for item in read_items(connection, through_session=session_date, account_id=account_id):
        if item.session_date == session_date:
            return item
    raise RequestError(f"{account_id} has no breach of {session_date} that an email has named: see ./riskctl breaches.")


def read_entries(connection: Connection, account_id: str, session_date: dt.date) -> list[dict[str, Any]]:
    """Read everything that was entered about a breach, in order; see the table ``limit_breach_entries``."""
    return records(connection, "breaches/select_entries", {"account_id": account_id, "session_date": session_date})


def enter(
    connection: Connection, account_id: str, session_date: dt.date, user: AirflowUser, entered: BreachEntry
) -> BreachItem:
    """Close a breach, correct the reason of a closed one, or reopen it.

    Parameters
    ----------
    user
        A person logged in to Airflow who may decide about limits.

    Raises
    ------
    RequestError
        If there is no such item, a restatement has removed it, the reason is none of the list, the explanation is
        missing, it is not closed and so cannot be reopened, or somebody else has entered something meanwhile; nothing
        is stored then.
    """
    with writing(connection):
        item = read_item(connection, account_id, session_date)
        values = _checked(item, entered) | {"user_id": user.user_id, "user_name": user.user_name}
        if item.entry_id != entered.seen_entry_id:
            if all(getattr(item, name) == value for name, value in values.items()):
                return item  # a double click
            raise RequestError(
                f"{item.user_name} has meanwhile {item.action} the breach of {account_id} on {session_date}: reload "
                "the page, then enter yours if it is still needed."
            )
        key = {"account_id": account_id, "session_date": session_date}
        execute(connection, "breaches/insert_limit_breach_entries", {**key, **values})
    return read_item(connection, account_id, session_date)


def _checked(item: BreachItem, entered: BreachEntry) -> dict[str, str | None]:
    """Return action, reason and sentence of a usable entry."""
    name = f"The breach of {item.account_id} on {item.session_date}"
    sentence = cleaned_reason(entered.sentence)
    if item.state == REMOVED:
        raise RequestError(f"{name} is none any more since the books were restated: there is nothing to close.")
    if entered.action == REOPENED:
        if item.state == OPEN and item.entry_id == entered.seen_entry_id:
            raise RequestError(f"{name} is open: there is nothing to reopen.")
        return {"action": REOPENED, "reason": None, "sentence": sentence}
    if entered.reason not in CLOSING_REASONS:
        raise RequestError(f"{entered.reason!r} is no reason to close a breach: choose {', '.join(CLOSING_REASONS)}.")
    return {"action": CLOSED, "reason": entered.reason, "sentence": sentence}
