"""The step send_report: stores a run's facts and its rendered report once, and mails it once to each recipient."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from risk.core.chain import read_head
from risk.core.errors import BooksError, ConnectionLostError, RequestError, StackError
from risk.core.policy_store import read_policy
from risk.core.runs import Run
from risk.core.settings import Settings, make_private
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.approvals import ApprovalPolicy, open_publication, read_proposals
from risk.limits.policy import read_terms
from risk.report.build_facts import build_facts
from risk.report.digest_tree import FORMAT, report_digest
from risk.report.excerpt import build_excerpt, group_members
from risk.report.facts import Facts, parse_facts
from risk.report.mail import Attempt, Fault, Mail, MailOutcome, MailServer, send_mail
from risk.report.page import ApprovalRequest, Links, approval_request
from risk.report.render import Rendered, render_report

MEDIA_TYPES = {
    ".html": "text/html",
    ".txt": "text/plain",
    ".eml": "message/rfc822",
    ".json": "application/json",
    ".csv": "text/csv",
    ".png": "image/png",
}


UNFINISHED = ".report-"
"""Start of the names of files that are being written; a killed process leaves them, the next one removes them."""

NOT_MAILED = MailOutcome(0, ())


@dataclass(frozen=True, slots=True)
class ExcerptCounts:
    """Excerpts for groups that the server accepted now, and that it did not."""

    sent: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class SentReport:
    """Outcome of the step.

    Attributes
    ----------
    facts_sha256
        Identity of the report.
    recipient_count
        Recipients of the report; 0 if it is not mailed.
    folder
        Folder of the files.
    outcome
        Mails accepted by the server now, none if every recipient already has it; and what it refused.
    excerpts
        What became of the excerpts for groups.
    """

    facts_sha256: str
    recipient_count: int
    folder: Path
    outcome: MailOutcome
    excerpts: ExcerptCounts = ExcerptCounts()

    @property
    def sent_count(self) -> int:
        """Mails accepted by the server now."""
        return self.outcome.sent_count

    @property
    def is_delivered(self) -> bool:
        """Whether at least one recipient has the mail."""
        return self.recipient_count > len(self.outcome.faults)


@contextlib.contextmanager
def recorded_delivery(
    connection: Connection, table: str, mailed: Mapping[str, Any], recipient: str, message_id: str
) -> Iterator[Attempt]:
    """Record in the warehouse an attempt to mail something, and the server's answer; not due if the recipient has it.

    The attempt is stored before it is made and marked as sent after the server accepted the mail. A crash in between
    repeats that mail with the same Message-ID. Clearing the task sends nothing to recipients who have the mail.

    Parameters
    ----------
    table
        ``report_deliveries``, ``excerpt_deliveries`` or ``publication_deliveries``.
    mailed
        Its key without the recipient.
    """
    key = {**mailed, "recipient": recipient}
    with writing(connection):
        attempt = Attempt(execute(connection, f"send_report/start_{table}", {**key, "message_id": message_id}) > 0)
    fault: Fault | None = None
    try:
        yield attempt
    except (ConnectionLostError, RequestError) as error:
        fault = error
    if attempt.is_due:
        outcome = {"last_error": None if fault is None else str(fault), "answer": attempt.answer}
        with writing(connection):
            execute(connection, f"send_report/finish_{table}", {**key, **outcome})
    if fault is not None:
        raise fault


def send_report(
    connection: Connection,
    run: Run,
    server: MailServer | None,
    links: Links,
    settings: Settings,
    approval: ApprovalPolicy | None = None,
) -> SentReport:
    """Store a run's facts and rendered report, write copies of its files and mail it.

    Nothing is written or mailed if a later revision of the session has a report.

    Parameters
    ----------
    connection
        Warehouse.
    run
        The run to report.
    server
        Accepts the mail; ``None`` = the report is written and not mailed.
    links, settings
        Links to run and Risk page; recipients, beside whom the policy names its own, sender and folder.
    approval
        What the mail asks its reader to approve, where there is a mail; ``None`` = nothing.

    Raises
    ------
    BooksError
        If the run was reported with other facts; nothing is written or sent.
    StackError
        If the files cannot be written; the facts are stored, nothing is sent.
    RequestError
        If there is no recipient; facts and files are stored. What a mail server refused is in the outcome.
    """
    facts, salt, is_superseded = _store_facts(connection, run)
    folder = settings.report_dir(run.session_date)
    if is_superseded:
        return SentReport(facts.sha256, 0, folder, NOT_MAILED)
    kind = "reports" if salt is None else "report_digests"
    head = read_head(connection, kind, [str(run.run_id)])
    links = replace(links, head=head)
    if server is not None and approval is not None:
        links = replace(links, request=_approval_request(connection, run, approval))
    mail = report_mail(render_report(facts, run, links), run, with_policy_recipients(connection, run, settings))
    if not _store_files(connection, run, folder, facts, mail) or server is None:
        return SentReport(facts.sha256, 0, folder, NOT_MAILED)
    if not mail.recipients:
        raise RequestError("The report has no recipients: set RISK_RECIPIENTS, then clear send_report.")
    record = partial(recorded_delivery, connection, "report_deliveries", {"run_id": run.run_id})
    outcome = send_mail(mail, [server], record)
    excerpts = _send_excerpts(connection, run, facts, server, links, mail)
    return SentReport(facts.sha256, len(mail.recipients), folder, outcome, excerpts)


def _approval_request(connection: Connection, run: Run, policy: ApprovalPolicy) -> ApprovalRequest | None:
    """Open the publication of a run's limits, before the mail that asks for decisions; ``None`` = nothing to decide."""
    publication = open_publication(connection, run, policy)
    return approval_request(publication, read_proposals(connection, publication))


def report_mail(rendered: Rendered, run: Run, settings: Settings) -> Mail:
    """Address a rendered report; the instant of its inputs is the date of the mail."""
    return Mail(
        rendered=rendered,
        sender=settings.sender,
        recipients=tuple(dict.fromkeys(settings.recipients)),
        recipients_setting="RISK_RECIPIENTS",
        kind="risk-run",
        key=f"{run.session_date.isoformat()} {run.revision}",
        date=run.as_of,
    )


def _send_excerpts(
    connection: Connection, run: Run, facts: Facts, server: MailServer, links: Links, report: Mail
) -> ExcerptCounts:
    """Mail each group of the policy its excerpt, to those who do not get the report.

    A refused recipient is logged and recorded, and fails nothing: the report has been mailed, and approvals wait for
    the end of the task.
    """
    terms = read_terms(connection, run.effective_session, run.as_of)
    named = {one.account_id for one in facts.accounts} | {one.account_id for one in facts.roster}
    unasked = replace(links, request=None)
    sent_count, faults = 0, 0
    for group in terms.document.desk.groups:
        members = group_members(group, terms, named)
        recipients = tuple(one for one in dict.fromkeys(group.recipients) if one not in report.recipients)
        if not members or not recipients:
            continue
        rendered = render_report(build_excerpt(connection, run, facts, members), run, unasked, group.name)
        mail = replace(
            report,
            rendered=rendered,
            recipients=recipients,
            recipients_setting=f"the recipients of group {group.name} in the policy",
            kind="risk-excerpt",
            key=f"{report.key} {group.name}",
        )
        key = {"run_id": run.run_id, "group_name": group.name}
        outcome = send_mail(mail, [server], partial(recorded_delivery, connection, "excerpt_deliveries", key))
        sent_count += outcome.sent_count
        faults += len(outcome.faults)
    return ExcerptCounts(sent_count, faults)


def with_policy_recipients(connection: Connection, run: Run, settings: Settings) -> Settings:
    """Add the recipients whom the policy of a run names."""
    policy = read_policy(connection, run.effective_session, run.as_of).desk
    return settings.model_copy(update={"recipients": (*settings.recipients, *policy.recipients)})


def _store_facts(connection: Connection, run: Run) -> tuple[Facts, str | None, bool]:
    """Store the facts with a salt and their digest the first time, later require the same facts.

    Return what is stored: facts, salt, and whether a later report exists.
    """
    facts = build_facts(connection, run)
    values = {"run_id": run.run_id, "facts": facts.canonical, "facts_sha256": facts.sha256}
    with writing(connection):
        (stored,) = records(connection, "send_report/insert_reports", {**values, "salt": secrets.token_hex(32)})
        is_equal, salt = stored["facts_sha256"] == facts.sha256, stored["salt"]
        if is_equal and salt is not None:
            digest = {"run_id": run.run_id, "format_number": FORMAT, "report_sha256": report_digest(facts, salt)}
            execute(connection, "send_report/insert_report_digests", digest)
    if is_equal:
        return facts, salt, stored["is_superseded"]
    # The books are a cache of everything known now: once newer inputs exist, the stored report stays valid.
    cut_off = {"session_date": run.session_date, "as_of": run.as_of}
    if rows(connection, "send_report/select_later_inputs", cut_off)[0][0]:
        return parse_facts(stored["facts"]), salt, stored["is_superseded"]
    raise BooksError(
        f"Run {run.run_id} reported session {run.session_date} as {stored['facts_sha256'][:12]} and the same inputs "
        f"now give {facts.sha256[:12]}: nothing was sent. Call the developers; "
        "to report again with everything known now, clear extract_fills."
    )


def _store_files(connection: Connection, run: Run, folder: Path, facts: Facts, mail: Mail) -> bool:
    """Store the parts of a report as rows, of which those of its first rendering stay, and write all but the charts.

    All under the write lock: of two runs of one session the later one's files stay, whichever is slower. False if
    there is a later one, and then nothing is stored.
    """
    rendered = mail.rendered
    files = {
        "report.html": rendered.standalone_html.encode(),
        "report.txt": rendered.text.encode(),
        # The message to the first recipient.
        "report.eml": mail.message(next(iter(mail.recipients), mail.sender)).as_bytes(),
        "report.json": facts.canonical.encode(),
        "limits.csv": rendered.attachments["limits.csv"].encode(),
    }
    with writing(connection):
        if rows(connection, "send_report/select_superseded", {"run_id": run.run_id})[0][0]:
            return False
        for name, content in (files | {f"{name}.png": chart for name, chart in rendered.charts.items()}).items():
            values = {
                "run_id": run.run_id,
                "part_name": name,
                "media_type": MEDIA_TYPES[Path(name).suffix],
                "content": content,
                "content_sha256": hashlib.sha256(content).hexdigest(),
            }
            execute(connection, "send_report/insert_report_parts", values)
        write_files(folder, files)
    return True


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replace files of a folder atomically: a reader sees the old or the new file, never half of one.

    Parameters
    ----------
    folder
        Created if absent.
    contents
        Bytes by file name. No file is replaced before all are on the disk.

    Raises
    ------
    StackError
        If the disk is full or the folder cannot be written; the earlier files stay complete.
    """
    waiting: dict[Path, Path] = {}
    try:
        make_private(folder)
        for leftover in folder.glob(f"{UNFINISHED}*"):
            leftover.unlink(missing_ok=True)
        for name, content in contents.items():
            descriptor, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=folder)
            waiting[Path(temporary)] = folder / name
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for path, target in list(waiting.items()):
            path.replace(target)
            del waiting[path]
    except OSError as error:
        raise StackError(
            f"The report cannot be written to {folder}: {error.strerror or error}. "
            "Free space or make the folder writable (setting RISK_REPORTS_DIR), then clear send_report."
        ) from error
    finally:
        for path in waiting:
            path.unlink(missing_ok=True)
