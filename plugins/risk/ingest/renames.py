"""Renamed and merged accounts: whose history an account's sessions are. ``renamed_accounts`` says the same in SQL."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from risk.core.entities import AccountStatement, Adjustment
from risk.ingest.rows import first_session

MOST_STEPS: Final = 10
"""So many renames are followed one after another; more can only be a circle."""


class Renames:
    """The names of accounts as they are now.

    Parameters
    ----------
    statements
        In the order they were made: of two about one former account and day the later one counts.
    """

    def __init__(self, statements: Iterable[AccountStatement]) -> None:
        told: dict[str, dict[dt.date, str]] = {}
        for stated in statements:
            if stated.former_account_id is not None:
                # A statement without a day is dated to the first session: then every session is meant.
                is_always = stated.valid_from == first_session()
                ends_before = dt.date.max if is_always else stated.valid_from
                told.setdefault(stated.former_account_id, {})[ends_before] = stated.account_id
        self._told = {former: sorted(names.items()) for former, names in told.items()}

    def current_name(self, account_id: str, session_date: dt.date) -> str:
        """Return the account whose history a session of an account is."""
        for _ in range(MOST_STEPS):
            names = self._told.get(account_id, [])
            place = bisect_right(names, session_date, key=lambda told: told[0])
            if place == len(names):
                break
            account_id = names[place][1]
        return account_id

    def rebooked(self, told: Adjustment) -> Adjustment:
        """Return an adjustment with the accounts it is booked to now."""
        offset = told.offset_account_id
        return told._replace(
            account_id=self.current_name(told.account_id, told.session_date),
            offset_account_id=offset and self.current_name(offset, told.session_date),
        )
