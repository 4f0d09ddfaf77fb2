"""The vendor's list of accounts."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from risk.core.calendar import sessions_between
from risk.core.settings import ACTIVE_WITHIN_SESSIONS
from risk.ingest.sources.propreports.pages import Question

ALL_GROUPS: Final = "-2"
COLUMNS: Final = ("Account Id", "Account Name", "First Traded", "Last Traded", "Currency")
LIST: Final = Question("accounts", {"action": "accounts", "groupId": ALL_GROUPS}, COLUMNS)

ACTIVE_WITHIN_DAYS: Final = dt.timedelta(days=2 * ACTIVE_WITHIN_SESSIONS)
"""Days that hold at least ACTIVE_WITHIN_SESSIONS sessions."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the vendor lists it.

    Attributes
    ----------
    key
        The vendor's number of it, which its reports are asked by.
    account_id
        Its name, which its executions carry.
    first_traded, last_traded
        New York dates; ``None`` where it has never traded or the list does not say it in a form we know.
    currency
        ISO 4217 code of its books.
    """

    key: str
    account_id: str
    first_traded: dt.date | None
    last_traded: dt.date | None
    currency: str

    def is_answered_for(self, session_date: dt.date, active_since: dt.date) -> bool:
        """Tell whether an answer without executions of it says something about a session.

        Not before its first trade, nor once it has not traded for so long that nobody expects it any more: the list
        keeps closed accounts for ever.

        Parameters
        ----------
        active_since
            What ``active_since`` says of the session.
        """
        if self.first_traded is None or session_date < self.first_traded:
            return False
        return self.last_traded is None or self.last_traded >= active_since


def active_since(session_date: dt.date) -> dt.date:
    """Return the day since when an account must have traded to be expected in a session."""
    recent = sessions_between(session_date - ACTIVE_WITHIN_DAYS, session_date)
    return recent[-ACTIVE_WITHIN_SESSIONS]


def read_accounts(lines: Iterable[str]) -> list[Account]:
    """Read the list from its header on; a record that is too short for its columns is passed over."""
    return [
        Account(
            row["Account Id"].strip(),
            row["Account Name"].strip(),
            read_day(row["First Traded"]),
            read_day(row["Last Traded"]),
            row["Currency"].strip(),
        )
        for row in csv.DictReader(lines)
        if all(row.get(name) is not None for name in COLUMNS)
    ]


def read_day(text: str) -> dt.date | None:
    """Read a day as the vendor writes it, MM/DD/YYYY or YYYY-MM-DD, with or without a time of day."""
    american = re.match(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})\b", text.strip())
    try:
        if american:
            month, day, year = map(int, american.groups())
            return dt.date(year if year > 99 else 2000 + year, month, day)
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
