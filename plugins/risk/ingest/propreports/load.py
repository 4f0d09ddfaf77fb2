"""Loading what the vendor has: asked for whole sessions, written as a file drop, stored in one transaction."""

from __future__ import annotations

import csv
import datetime as dt
import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from risk.core.calendar import next_session, previous_session
from risk.core.entities import ReportedPnl
from risk.core.errors import RefusalError
from risk.core.policy_store import read_policy
from risk.core.settings import VENDOR_HISTORY_SESSIONS, VENDOR_REREAD_AFTER, VENDOR_REREAD_SESSIONS, Settings
from risk.core.warehouse import Connection, execute, rows, writing
from risk.ingest.folder import MANIFEST, MANIFEST_REQUIRED, MANIFEST_TOTALS, reference_files
from risk.ingest.load import Load, load_fetched
from risk.ingest.propreports import pages
from risk.ingest.propreports.client import Client, Endpoint, RateLimiter, Timeouts
from risk.ingest.propreports.pages import Answer, IncompleteAnswerError, Question, lines
from risk.ingest.propreports.reports import (
    ALL_GROUPS,
    LIST,
    Account,
    active_since,
    chosen_report,
    read_accounts,
    read_report,
    report_question,
)
from risk.ingest.propreports.turns import KeptPages, hold_turn, vendor_of
from risk.ingest.words import REQUIRED

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The vendor's counter: whom to ask, where answers are kept, and what time it is there.

    Attributes
    ----------
    client
        Asks.
    folder
        The task's own, for pages that have come.
    kept
        Keeps them for the next task.
    clock
        Gives the warehouse's time, so that no answer seems to come from the future.
    delivered
        Account-sessions with executions in the books.
    active_within
        Sessions within which an account must have traded to be expected.
    """

    client: Client
    folder: Path
    kept: KeptPages
    clock: pages.Clock
    delivered: frozenset[tuple[str, dt.date]]
    active_within: int
    settings: Settings


def load_vendor(
    connection: Connection,
    endpoint: Endpoint,
    through_session_date: dt.date,
    settings: Settings,
    *,
    limiter: RateLimiter | None = None,
    timeouts: Timeouts | None = None,
    clock: pages.Clock | None = None,
) -> Load:
    """Load what the vendor knows up to a session, and commit.

    The run's session is asked for at every look, those never answered whole as well, the last few again. Pages are kept
    until they are loaded, so that a look that was interrupted is taken up by the next one. An incomplete session does
    not stop the others: it is recorded in ``vendor_answers``, which ``check_fills`` judges.

    Parameters
    ----------
    limiter, timeouts, clock
        Replaced in tests; by default the vendor's limit, our time-outs and the warehouse's clock.

    Raises
    ------
    RefusalError
        If the vendor refuses; nothing is stored.
    ConnectionLostError
        If it is out of reach; nothing is stored, pages that came are kept.
    InputError
        As ``load_drop``.
    """
    limiter, clock = limiter or RateLimiter(), clock or _clock(connection)
    vendor = vendor_of(endpoint)
    due = due_sessions(connection, through_session_date, clock(), settings.vendor_since)
    with (
        hold_turn(connection, vendor, limiter),
        tempfile.TemporaryDirectory(prefix="risk-vendor-", dir=settings.scratch_folder()) as own,
        Client(endpoint, limiter, timeouts) as client,
    ):
        folder, kept = Path(own) / "drop", KeptPages(connection, vendor)
        folder.mkdir()
        within = _active_within(connection, next_session(through_session_date))
        desk = _Desk(client, Path(own) / "pages", kept, clock, _delivered(connection, due), within, settings)
        answers = _fetch(desk, due, folder)
        beside = settings.fills_dir
        for path in reference_files(Path(beside)) if beside else ():
            shutil.copy2(path, folder, follow_symlinks=False)
        load = load_fetched(connection, folder, f"vendor {endpoint.host}", through_session_date, settings)
        _record(connection, load, answers)
        kept.forget()
    return load


def due_sessions(
    connection: Connection, through_session_date: dt.date, now: dt.datetime, since: dt.date | None
) -> list[dt.date]:
    """List the sessions to ask for, ascending."""
    binds = {
        "through_session_date": through_session_date,
        "since": since,
        "history_sessions": VENDOR_HISTORY_SESSIONS,
        "reread_sessions": VENDOR_REREAD_SESSIONS,
        "asked_before": now - VENDOR_REREAD_AFTER,
    }
    with connection:
        return [day for (day,) in rows(connection, "vendor/select_due_sessions", binds)]


def _delivered(connection: Connection, due: Sequence[dt.date]) -> frozenset[tuple[str, dt.date]]:
    with connection:
        listed = rows(connection, "vendor/select_delivered_accounts", {"session_dates": list(due)})
    return frozenset((account_id, session_date) for account_id, session_date in listed)


def _active_within(connection: Connection, effective_session: dt.date) -> int:
    with connection:
        return read_policy(connection, effective_session).desk.accounts.active_within_sessions


def _clock(connection: Connection) -> pages.Clock:
    """Compare this machine's clock with the warehouse's once; published_at and recorded_at must not contradict."""
    with connection:
        ((there,),) = rows(connection, "watchdog/select_clock")
    ahead = there - dt.datetime.now(dt.UTC)
    return lambda: dt.datetime.now(dt.UTC) + ahead


def _fetch(desk: _Desk, due: Sequence[dt.date], folder: Path) -> list[SessionAnswer]:
    """Ask for accounts, executions and reports, and write them as a file drop."""
    listed = pages.ask(desk.client, LIST, desk.folder, desk.clock, desk.kept)
    accounts = read_accounts(pages.lines(listed, LIST.columns))
    answers = [_answer(desk, session_date, folder) for session_date in due]
    whole = [answer for answer in answers if answer.finding is None]
    reported = _reported(desk, accounts, whole)
    books = {(row.account_id, row.session_date): row for row in reported}
    write_roster(accounts, folder, desk.settings.account_pattern)
    write_manifest(whole, accounts, desk, books, folder)
    row_count = sum(answer.row_count for answer in whole)
    log.info("vendor accounts=%d sessions=%d of %d rows=%d", len(accounts), len(whole), len(answers), row_count)
    return answers


def _answer(desk: _Desk, session_date: dt.date, folder: Path) -> SessionAnswer:
    """Ask for one session; why its answer is incomplete is part of what is known."""
    asked_at = desk.clock()
    try:
        answer = pages.ask(desk.client, fills_question(session_date), desk.folder, desk.clock, desk.kept)
        return write_fills(session_date, answer, folder)
    except IncompleteAnswerError as incomplete:
        return SessionAnswer(session_date, asked_at, incomplete.page_count, 0, frozenset(), str(incomplete))


def _reported(desk: _Desk, accounts: Sequence[Account], answers: Sequence[SessionAnswer]) -> list[ReportedPnl]:
    """Ask for the vendor's own books of every account with executions; without them there is no reconciliation."""
    kind = chosen_report(desk.settings.vendor_report)
    traded = frozenset[str]().union(*(answer.account_ids for answer in answers))
    asked = [account for account in accounts if account.account_id in traded and account.currency in ("", "USD")]
    found: list[ReportedPnl] = []
    if kind is None or not asked:
        return found
    first, last = min(answer.session_date for answer in answers), max(answer.session_date for answer in answers)
    for account in asked:
        try:
            answer = pages.ask(
                desk.client, report_question(kind, account, first, last), desk.folder, desk.clock, desk.kept
            )
            found += read_report(kind, account.account_id, pages.records(answer))
        except (IncompleteAnswerError, RefusalError) as error:
            log.warning("The vendor's report on account %s is not compared: %s", account.account_id, error)
    return found


def _record(connection: Connection, load: Load, answers: Sequence[SessionAnswer]) -> None:
    """Remember which sessions were answered whole; a file that was refused after all was not."""
    refused = {item.file_name: item.reason for item in load.quarantined}
    findings = [answer.finding or refused.get(answer.file_name) for answer in answers]
    binds = {
        "load_id": load.load_id,
        "session_dates": [answer.session_date for answer in answers],
        "asked_ats": [answer.asked_at for answer in answers],
        "page_counts": [answer.page_count for answer in answers],
        "row_counts": [answer.row_count for answer in answers],
        "findings": findings,
    }
    with writing(connection):
        execute(connection, "vendor/insert_vendor_answers", binds)


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


def fills_question(session_date: dt.date) -> Question:
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
    column = -1
    for fields in csv.reader(table):
        if column < 0:
            column = [name.strip() for name in fields].index("Account")
        else:
            yield fields[column].strip(" ") if column < len(fields) else ""


def write_manifest(
    answers: Iterable[SessionAnswer],
    accounts: Iterable[Account],
    desk: _Desk,
    reported: Mapping[tuple[str, dt.date], ReportedPnl],
    folder: Path,
) -> None:
    """Name the account-sessions that the answers speak of; a file that speaks of none is removed.

    An account that the vendor lists and that has no executions in the answer gets an entry as well: its delivery is
    empty, and by the instant at which we asked it means *not posted* or *no trades*.

    Parameters
    ----------
    desk
        Where the vendor has taken back all executions of an account-session that are ``delivered``, an empty delivery
        replaces them, whatever the list says of the account's days.
    """
    listed = list(accounts)
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*MANIFEST_REQUIRED, *MANIFEST_TOTALS))
        for answer in answers:
            since = active_since(answer.session_date, desk.active_within)
            silent = {
                account.account_id
                for account in listed
                if account.is_answered_for(answer.session_date, since)
                or (account.account_id, answer.session_date) in desk.delivered
            }
            named = [
                name
                for name in sorted(silent | answer.account_ids)
                if re.fullmatch(desk.settings.account_pattern, name)
            ]
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
