"""Notes that people write about a trader, a day of his, or a day of the desk: append only, a later one corrects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from risk.core.calendar import is_session
from risk.core.errors import RequestError
from risk.core.exchange import exchange, exchange_zone
from risk.core.typed import cleaned_note
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.approvals import AirflowUser
from risk.limits.register import read_account_names

ALL_NOTES = 1_000_000
"""Rows that no warehouse has."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a note is about.

    Attributes
    ----------
    account_id
        Trader; ``None`` = the whole desk.
    session_date
        Day; ``None`` = no single one.
    """

    account_id: str | None
    session_date: dt.date | None

    def __str__(self) -> str:
        if self.account_id is None:
            return f"the desk on {self.session_date}"
        return self.account_id if self.session_date is None else f"{self.account_id} on {self.session_date}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was stored; see the table ``notes``.

    Attributes
    ----------
    corrected_by
        Newest note that corrects this one; ``None`` = none does.
    """

    note_id: int
    account_id: str | None
    session_date: dt.date | None
    sentence: str
    corrects: int | None
    user_id: str
    user_name: str
    recorded_at: dt.datetime
    corrected_by: int | None

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject(self.account_id, self.session_date)


def read_notes(
    connection: Connection,
    *,
    account_id: str | None = None,
    session_date: dt.date | None = None,
    recorded: tuple[dt.date, dt.date] | None = None,
    row_count: int = ALL_NOTES,
) -> list[Note]:
    """Read notes, newest first.

    Parameters
    ----------
    account_id, session_date
        Trader and day that they are about; ``None`` = any.
    recorded
        First and last day of the exchange's zone on which they were recorded; ``None`` = any.
    row_count
        So many of the newest.
    """
    first, last = recorded or (None, None)
    about: Mapping[str, Any] = {"account_id": account_id, "session_date": session_date}
    bounds = {"first_date": first, "last_date": last, "row_count": row_count}
    return [Note(**row) for row in records(connection, "notes/select_notes", {**about, **bounds})]


def write_note(
    connection: Connection, subject: Subject, text: str, user: AirflowUser, corrects: int | None = None
) -> None:
    """Store a note; one that the same person has just written about the same is not stored twice.

    Parameters
    ----------
    subject
        A trader, a day of his, or a day of the desk.
    text
        What the person typed.
    user
        A person logged in to Airflow who may decide about limits.
    corrects
        Earlier note about the same that this one corrects.

    Raises
    ------
    RequestError
        If the text is empty or too long, nobody knows the trader, the day is no session or lies in the future, or there
        is no such note to correct; nothing is stored then.
    """
    sentence = cleaned_note(text)
    with writing(connection):
        _check(connection, subject)
        known = read_notes(connection, account_id=subject.account_id, session_date=subject.session_date)
        own = [note for note in known if note.subject == subject]
        if corrects is not None and corrects not in {note.note_id for note in own}:
            raise RequestError(f"Note {corrects} is not about {subject}: reload the page and correct it there.")
        if own and (own[0].sentence, own[0].user_id, own[0].corrects) == (sentence, user.user_id, corrects):
            return  # a double click
        values = {"sentence": sentence, "corrects": corrects, "user_id": user.user_id, "user_name": user.user_name}
        about = {"account_id": subject.account_id, "session_date": subject.session_date}
        execute(connection, "notes/insert_notes", {**about, **values})


def _check(connection: Connection, subject: Subject) -> None:
    """Refuse a subject that nobody can have a note about."""
    if subject.account_id is None and subject.session_date is None:
        raise RequestError("A note is about a trader, a day, or both: name one.")
    if subject.account_id is not None and subject.account_id not in read_account_names(connection):
        raise RequestError(f"No account named {subject.account_id!r} is known: see the list of traders.")
    if subject.session_date is not None:
        today = rows(connection, "publish_limits/select_clock")[0][0].astimezone(exchange_zone()).date()
        if subject.session_date > today or not is_session(subject.session_date):
            raise RequestError(
                f"{subject.session_date} is no session until today ({today} in {exchange().city}): a note is about one."
            )
