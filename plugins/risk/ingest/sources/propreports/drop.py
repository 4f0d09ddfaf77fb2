"""The vendor's answers as a file drop: a file a session, a manifest that gives empty ones a meaning, a roster."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from risk.core.calendar import previous_session
from risk.core.entities import ReportedPnl
from risk.ingest.rules import REQUIRED
from risk.ingest.sources.folder import MANIFEST, MANIFEST_REQUIRED, MANIFEST_TOTALS
from risk.ingest.sources.propreports.accounts import ALL_GROUPS, Account, active_since
from risk.ingest.sources.propreports.pages import Answer, IncompleteAnswerError, Question, lines


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """What the vendor has answered for one session.

    Attributes
    ----------
    session_date
        The session.
    asked_at
        When the question was put: what was published later is not in the answer.
    page_count, row_count
        What came.
    account_ids
        Accounts with executions in it.
    finding
        Why it is incomplete; ``None`` for a whole answer.
    """

    session_date: dt.date
    asked_at: dt.datetime
    page_count: int
    row_count: int
    account_ids: frozenset[str]
    finding: str | None = None

    @property
    def file_name(self) -> str:
        """Name of its file in the drop."""
        return f"fills_vendor_{self.session_date}.csv"


def question_of(session_date: dt.date) -> Question:
    """Ask for all executions of a session; the days since the session before it belong to it, too."""
    first = previous_session(session_date) + dt.timedelta(days=1)
    form = {
        "action": "fills",
        "groupId": ALL_GROUPS,
        "startDate": first.isoformat(),
        "endDate": session_date.isoformat(),
    }
    return Question(f"fills-{session_date}", form, tuple(REQUIRED))


def write_fills(session_date: dt.date, answer: Answer, folder: Path) -> SessionAnswer:
    """Write a session's file from the pages of its answer, line by line.

    Raises
    ------
    IncompleteAnswerError
        If the answer is no table of executions; the file is not left behind.
    """
    empty = SessionAnswer(session_date, answer.asked_at, len(answer.digests), 0, frozenset())
    path = folder / empty.file_name
    row_count, account_ids = 0, set[str]()
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            for name in _accounts(_written(answer, file)):
                row_count += 1
                account_ids.add(name)
    except (IncompleteAnswerError, csv.Error) as error:
        path.unlink()
        reason = f"what came is no table of executions: {error}"
        raise IncompleteAnswerError(reason, len(answer.digests)) from None
    return replace(empty, row_count=row_count, account_ids=frozenset(account_ids))


def _written(answer: Answer, file: TextIO) -> Iterator[str]:
    """Copy the lines of an answer into a file and pass them on; a header is written where none came."""
    line = ""
    for line in lines(answer, tuple(REQUIRED)):
        file.write(f"{line}\n")
        yield line
    if not line:
        file.write(",".join(REQUIRED) + "\n")


def _accounts(table: Iterable[str]) -> Iterator[str]:
    """Yield the account of each record."""
    place = -1
    for fields in csv.reader(table):
        if place < 0:
            place = [name.strip() for name in fields].index("Account")
        else:
            yield fields[place].strip(" ") if place < len(fields) else ""


def write_manifest(
    answers: Iterable[SessionAnswer],
    accounts: Iterable[Account],
    delivered: Collection[tuple[str, dt.date]],
    reported: Mapping[tuple[str, dt.date], ReportedPnl],
    folder: Path,
    account_pattern: str,
) -> None:
    """Name the account-sessions that the answers speak of; a file that speaks of none is removed.

    An account that the vendor lists and that has no executions in the answer gets an entry as well: its delivery is
    empty, and by the instant at which we asked it means *not posted* or *no trades*.

    Parameters
    ----------
    delivered
        Account-sessions with executions in the books: where the vendor has taken all of them back, an empty delivery
        replaces them, whatever the list says of the account's days.
    """
    listed = list(accounts)
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*MANIFEST_REQUIRED, *MANIFEST_TOTALS))
        for answer in answers:
            since = active_since(answer.session_date)
            silent = {
                account.account_id
                for account in listed
                if account.is_answered_for(answer.session_date, since)
                or (account.account_id, answer.session_date) in delivered
            }
            named = [name for name in sorted(silent | answer.account_ids) if re.fullmatch(account_pattern, name)]
            for name in named:
                books = reported.get((name, answer.session_date))
                amounts = (books.gross_pnl_usd, books.net_pnl_usd) if books else ("", "")
                asked_at = answer.asked_at.isoformat()
                writer.writerow((answer.file_name, name, answer.session_date, asked_at, *amounts))
            if not named:
                (folder / answer.file_name).unlink()


def write_roster(accounts: Iterable[Account], folder: Path, account_pattern: str) -> None:
    """Write the vendor's list of accounts as a statement file; its days in one form, without names nobody may carry."""
    with (folder / "accounts_vendor.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("Account Name", "First Traded", "Last Traded"))
        for account in accounts:
            if re.fullmatch(account_pattern, account.account_id):
                writer.writerow((account.account_id, account.first_traded, account.last_traded))
