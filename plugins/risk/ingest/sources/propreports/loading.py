"""Asking the vendor for what is due and loading it: whole sessions only, all in one transaction."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from risk.core.entities import ReportedPnl
from risk.core.errors import RefusalError
from risk.core.settings import VENDOR_HISTORY_SESSIONS, VENDOR_REREAD_AFTER, VENDOR_REREAD_SESSIONS, Settings
from risk.core.warehouse import Connection, execute, rows, writing
from risk.ingest.load import Load, load_fetched
from risk.ingest.sources.folder import reference_files
from risk.ingest.sources.propreports import drop, pages, reports
from risk.ingest.sources.propreports.accounts import LIST, Account, read_accounts
from risk.ingest.sources.propreports.client import Client, Patience
from risk.ingest.sources.propreports.drop import SessionAnswer
from risk.ingest.sources.propreports.pace import Pace, alone
from risk.ingest.sources.propreports.pages import IncompleteAnswerError
from risk.ingest.sources.propreports.place import Place
from risk.ingest.sources.propreports.reports import chosen_report

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The vendor's counter: whom to ask, where answers are kept, and what time it is there.

    Attributes
    ----------
    client
        Asks.
    kept
        Folder of pages that have come.
    clock
        Gives the warehouse's time, so that no answer seems to come from the future.
    delivered
        Account-sessions with executions in the books.
    """

    client: Client
    kept: Path
    clock: pages.Clock
    delivered: frozenset[tuple[str, dt.date]]
    settings: Settings


def load_vendor(
    connection: Connection,
    place: Place,
    through_session_date: dt.date,
    settings: Settings,
    *,
    pace: Pace | None = None,
    patience: Patience | None = None,
    clock: pages.Clock | None = None,
) -> Load:
    """Load what the vendor knows up to a session, and commit.

    The run's session is asked for at every look, those never answered whole as well, the last few again. Pages are kept
    until they are loaded, so that a look that was interrupted is taken up by the next one. An incomplete session does
    not stop the others: it is recorded in ``vendor_answers``, which ``check_fills`` judges.

    Parameters
    ----------
    pace, patience, clock
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
    pace, clock = pace or Pace(), clock or _clock(connection)
    root = settings.vendor_dir / hashlib.sha256(f"{place.user}@{place.url}".encode()).hexdigest()[:12]
    due = due_sessions(connection, through_session_date, clock(), settings.vendor_since)
    with alone(root, pace), _emptied(root / "drop") as folder, Client(place, pace, patience) as client:
        desk = _Desk(client, root / "pages", clock, _delivered(connection, due), settings)
        answers = _fetch(desk, due, folder)
        beside = settings.fills_dir
        for path in reference_files(beside) if beside else ():
            shutil.copy2(path, folder, follow_symlinks=False)
        load = load_fetched(connection, folder, f"vendor {place.host}", through_session_date, settings)
        _record(connection, load, answers)
        shutil.rmtree(desk.kept)
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


def _clock(connection: Connection) -> pages.Clock:
    """Compare this machine's clock with the warehouse's once; published_at and recorded_at must not contradict."""
    with connection:
        ((there,),) = rows(connection, "watchdog/select_clock")
    ahead = there - dt.datetime.now(dt.UTC)
    return lambda: dt.datetime.now(dt.UTC) + ahead


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Give an empty folder, also where a killed process has left one, and remove it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(desk: _Desk, due: Sequence[dt.date], folder: Path) -> list[SessionAnswer]:
    """Ask for accounts, executions and reports, and write them as a file drop."""
    listed = pages.ask(desk.client, LIST, desk.kept, desk.clock)
    accounts = read_accounts(pages.lines(listed, LIST.columns))
    answers = [_answer(desk, session_date, folder) for session_date in due]
    whole = [answer for answer in answers if answer.finding is None]
    reported = _reported(desk, accounts, whole)
    books = {(row.account_id, row.session_date): row for row in reported}
    drop.write_roster(accounts, folder, desk.settings.account_pattern)
    drop.write_manifest(whole, accounts, desk.delivered, books, folder, desk.settings.account_pattern)
    row_count = sum(answer.row_count for answer in whole)
    log.info("vendor accounts=%d sessions=%d of %d rows=%d", len(accounts), len(whole), len(answers), row_count)
    return answers


def _answer(desk: _Desk, session_date: dt.date, folder: Path) -> SessionAnswer:
    """Ask for one session; why its answer is incomplete is part of what is known."""
    asked_at = desk.clock()
    try:
        answer = pages.ask(desk.client, drop.question_of(session_date), desk.kept, desk.clock)
        return drop.write_fills(session_date, answer, folder)
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
            answer = pages.ask(desk.client, reports.question_of(kind, account, first, last), desk.kept, desk.clock)
            found += reports.read_report(kind, account.account_id, pages.records(answer))
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
