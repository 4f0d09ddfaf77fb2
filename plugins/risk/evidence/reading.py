"""Reads what a pack shows: streams of rows, and rows of linked tables as the chain has hashed them."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.core.calendar import day_start, last_session, next_session, previous_session, sessions_between
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, records, rows, statement

CLOSE_NAMES = 5
LONGEST_RANGE = 2_500
"""Sessions: ten years."""
ROWS_AT_ONCE = 500
FOREVER = "infinity"
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pack is about.

    Attributes
    ----------
    account_id, names
        The account, and with its former names.
    sessions
        Its sessions, ascending.
    until
        Aware instant: parts that stay the same hold what was recorded until then. It is the end, at the exchange, of
        the day on whose morning the last session is reported and decided about; where the range was reported later, as
        by a backfill, a day after its last first report.
    made_at
        Aware instant at which the pack is made.
    """

    account_id: str
    names: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    until: dt.datetime
    made_at: dt.datetime

    @property
    def known_at(self) -> dt.datetime:
        """What the parts that stay the same know."""
        return min(self.until, self.made_at)

    @property
    def first(self) -> dt.date:
        """First session."""
        return self.sessions[0]

    @property
    def last(self) -> dt.date:
        """Last session."""
        return self.sessions[-1]

    @property
    def traded(self) -> dict[str, dt.date]:
        """Binds of the sessions themselves."""
        return {"first_session": self.first, "last_session": self.last}

    @property
    def reported(self) -> dict[str, dt.date]:
        """Binds of the sessions whose reports set or judge the limits: the one before the first, too."""
        return {"first_session": previous_session(self.first), "last_session": self.last}

    @property
    def effective(self) -> dict[str, dt.date]:
        """Binds of the sessions that these reports are for."""
        return {"first_session": self.first, "last_session": next_session(self.last)}

    @property
    def early(self) -> dict[str, Any]:
        """Binds of what was recorded in time for the parts that stay the same."""
        return {"names": list(self.names), "after": "-infinity", "until": self.until}

    @property
    def late(self) -> dict[str, Any]:
        """Binds of what was recorded later."""
        return {"names": list(self.names), "after": self.until, "until": FOREVER}


def read_scope(connection: Connection, account_id: str, first: dt.date, last: dt.date) -> Scope:
    """Check what a pack shall be about.

    Raises
    ------
    RequestError
        If nobody knows the account, the range has no session or is not over, or nothing was reported in it.
    """
    now = rows(connection, "publish_limits/select_clock")[0][0]
    if not first <= last <= min(now.date(), last_session()):
        raise RequestError(f"{first} to {last} is not a range of past days: name the first and the last day of it.")
    sessions = tuple(sessions_between(first, last))
    if not sessions:
        raise RequestError(f"There is no session from {first} to {last}: the exchange was closed. Name a longer range.")
    if len(sessions) > LONGEST_RANGE:
        raise RequestError(f"{len(sessions):,} sessions are more than a pack holds ({LONGEST_RANGE:,}): make several.")
    known = [name for (name,) in rows(connection, "examine/select_account_names")]
    if account_id not in known:
        close = difflib.get_close_matches(account_id, known, CLOSE_NAMES, cutoff=0.5)
        hint = f"Did you mean {', '.join(close)}?" if close else "riskctl traders lists all."
        raise RequestError(f"No account is named {account_id!r}. {hint}")
    reported = records(connection, "examine/select_reported_range")[0]
    oldest, newest = reported["first_session"], reported["last_session"]
    if oldest is None or sessions[-1] < oldest or sessions[0] > next_session(newest):
        held = "Nothing was reported yet" if oldest is None else f"Reports are of sessions {oldest} to {newest}"
        raise RequestError(f"Nothing was reported from {first} to {last}. {held}: name another range.")
    until = day_start(next_session(sessions[-1]) + ONE_DAY)
    asked = {"first_session": previous_session(sessions[0]), "last_session": sessions[-1]}
    reported_at = rows(connection, "examine/select_last_recorded", asked)[0][0]
    until = max(until, reported_at + ONE_DAY) if reported_at else until
    former = rows(connection, "examine/select_former_names", {"account_id": account_id, "as_of": until})
    return Scope(account_id, (account_id, *(name for (name,) in former)), sessions, until, now)


def stream(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Give the rows of a statement as they come from the server, whose memory and ours stay bounded."""
    with connection.cursor(f"examine_{name}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(statement(f"examine/{name}"), binds)
        for row in cursor:
            columns = [column.name for column in cursor.description or ()]
            yield dict(zip(columns, row, strict=True))


def linked_rows(connection: Connection, table: str, binds: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give rows of a linked table as rows of a part: the number of the link and what it has hashed."""
    for row in stream(connection, f"select_{table}", binds):
        yield linked_row(table, row)


def linked_row(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Make a row of a part: one without a link says so by its absence."""
    link = row.pop("link_sequence")
    content = {
        name: value for name, value in ((name, plain(value)) for name, value in row.items()) if value is not None
    }
    return {"table": table, **({} if link is None else {"link": link}), "content": content}


def plain(value: Any) -> str | bool | None:
    """Write a value as the chain does: instants in UTC with microseconds, numbers as their decimal text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return None if value is None else str(value)
