"""Notes on the pages of traders, their days and sessions: the table, the form, and the address that stores one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, status
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from risk.core.typed import LONGEST_NOTE
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser
from risk.limits.notes import Note, Subject, read_notes, write_note
from risk.web.access import DECIDER, MayDecideDep, UserDep, check_form_token, form_token
from risk.web.day_views import day_path
from risk.web.parameters import ALL_ROWS
from risk.web.policy_views import typed_date
from risk.web.rendering import root
from risk.web.session_tables import session_path, trader_path
from risk.web.tables import NAME, TEXT, TIME, WORDS, Column, Table
from risk.web.views import warehouse

router = APIRouter()

LONGEST_FORM = 200_000
"""Characters of a note that is answered with a sentence about its length; a longer form is not read."""


class NoteForm(BaseModel):
    """The form that stores a note; the token says to whom it was shown and about what."""

    account_id: Annotated[str, Field(max_length=100)] = ""
    session_date: Annotated[str, Field(max_length=40)] = ""
    sentence: Annotated[str, Field(max_length=LONGEST_FORM)] = ""
    corrects: Annotated[str, Field(pattern="^[0-9]{0,18}$")] = ""
    token: str = ""

    @property
    def subject(self) -> Subject:
        """What the note is about."""
        day = typed_date("The day", self.session_date) if self.session_date else None
        return Subject(self.account_id or None, day)


@dataclass(frozen=True, slots=True)
class NotesView:
    """The notes of a page, for the macro ``notes``.

    Attributes
    ----------
    subject
        What a new note of the form is about.
    notes
        Those shown, newest first.
    token
        Of the form.
    may_write
        Whether the form is shown.
    is_cut_short
        Whether there may be more.
    """

    subject: Subject
    notes: Sequence[Note]
    token: str
    may_write: bool
    is_cut_short: bool

    @property
    def table(self) -> Table:
        """The notes as a table of the page."""
        columns = [
            Column("Note", TEXT, lambda note: str(note.note_id)),
            Column("Written", TIME, "recorded_at"),
            Column("By", NAME, "user_name"),
            Column("About", TEXT, lambda note: str(note.subject), link=lambda note: subject_path(note.subject)),
            Column("Text", WORDS, "sentence"),
            Column("Corrects", TEXT, _number("corrects")),
            Column("Corrected by", TEXT, _number("corrected_by"), tone=lambda _: "moderate"),
        ]
        caption = "Newest first; notes are never changed or deleted, a later one corrects."
        return Table(
            "notes",
            "Notes",
            caption,
            columns,
            self.notes,
            f"Nobody has written a note about {self.subject} yet.",
            is_sortable=False,
            is_cut_short=self.is_cut_short,
        )

    @property
    def correctable(self) -> list[Note]:
        """Notes about the subject that no later one corrects."""
        return [note for note in self.notes if note.subject == self.subject and note.corrected_by is None]

    @property
    def longest(self) -> int:
        """Characters that a note may have."""
        return LONGEST_NOTE


@dataclass(frozen=True, slots=True)
class Person:
    """Who sees a page, and whether he may decide, and so write notes."""

    user: AirflowUser
    may_write: bool


def current_person(user: UserDep, decides: MayDecideDep) -> Person:
    """Return who sees a page with notes."""
    return Person(user, decides)


PersonDep = Annotated[Person, Depends(current_person)]


def _number(name: str) -> Callable[[Note], str | None]:
    def text(note: Note) -> str | None:
        number = getattr(note, name)
        return None if number is None else f"note {number}"

    return text


def subject_path(subject: Subject) -> str:
    """Return the address, below the root, of the page about what a note is about."""
    if subject.account_id is None:
        return session_path(subject.session_date or dt.date.min)
    if subject.session_date is None:
        return trader_path(subject.account_id)
    return day_path(subject.account_id, subject.session_date)


def read_notes_view(
    connection: Connection, subject: Subject, person: Person, *, row_count: int = ALL_ROWS
) -> NotesView:
    """Read the notes of a page: those about a trader and all his days, about one day of his, or about a session.

    Parameters
    ----------
    subject
        A trader, a day of his, or a session: this one with the notes about traders on that day.
    person
        Who sees the page.
    row_count
        So many of the newest notes.
    """
    notes = read_notes(
        connection, account_id=subject.account_id, session_date=subject.session_date, row_count=row_count
    )
    token = form_token(person.user, _purpose(subject))
    return NotesView(subject, notes, token, person.may_write, is_cut_short=len(notes) == row_count)


@router.post("/notes", dependencies=[DECIDER])
def add_note(request: Request, user: UserDep, entered: Annotated[NoteForm, Form()]) -> Response:
    """Store a note, then redirect to the page of what it is about."""
    subject = entered.subject
    check_form_token(entered.token, user, _purpose(subject))
    with warehouse() as connection:
        write_note(
            connection, subject, entered.sentence, user, corrects=int(entered.corrects) if entered.corrects else None
        )
    return RedirectResponse(f"{root(request)}/{subject_path(subject)}#notes", status.HTTP_303_SEE_OTHER)


def _purpose(subject: Subject) -> str:
    return f"note about {subject.account_id or ''} {subject.session_date or ''}"
