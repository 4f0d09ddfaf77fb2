"""What the pages about breaches show: the items, and one breach with its receipt, its entries and the form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from risk.core.warehouse import Connection
from risk.limits.breaches import BreachEntry, BreachItem, read_entries, read_item
from risk.limits.policy import read_terms
from risk.report.receipt_facts import ReceiptFacts, read_receipts


class BreachForm(BaseModel):
    """The form that closes or reopens a breach; the token says to whom it was shown."""

    action: Literal["closed", "reopened"]
    sentence: Annotated[str, Field(max_length=2000)]
    reason: Annotated[str, Field(max_length=100)] = ""
    seen_entry: Annotated[str, Field(pattern="^[0-9]{0,18}$")] = ""
    token: str = ""

    @property
    def entry(self) -> BreachEntry:
        """What the person typed."""
        seen_entry_id = int(self.seen_entry) if self.seen_entry else None
        return BreachEntry(self.action, self.reason, self.sentence, seen_entry_id)


@dataclass(frozen=True, slots=True)
class BreachView:
    """The page of a breach: the item, its receipt as the books are now, and what was entered, in order.

    ``receipt`` is ``None`` where the books are incomplete.
    """

    item: BreachItem
    receipt: ReceiptFacts | None
    entries: Sequence[Mapping[str, Any]]


def read_breach(connection: Connection, account_id: str, session_date: dt.date) -> BreachView:
    """Read a breach.

    Raises
    ------
    RequestError
        If this account-session is none that an email has named.
    """
    item = read_item(connection, account_id, session_date)
    terms = read_terms(connection, session_date)
    receipts = [one for _, one in read_receipts(connection, terms, session_date=session_date, account_id=account_id)]
    return BreachView(item, receipts[0] if receipts else None, read_entries(connection, account_id, session_date))
