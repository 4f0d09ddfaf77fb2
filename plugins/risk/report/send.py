"""The step send_report: stores a run's facts once, renders them, and mails them once to each recipient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from risk.core.errors import BooksError, RequestError
from risk.core.runs import Run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.report.artefacts import store_parts, write_files
from risk.report.build_facts import build_facts
from risk.report.facts import Facts, parse_facts
from risk.report.mail import Fault, Mail, MailServer, send_mail
from risk.report.page import Links
from risk.report.render import Rendered, render_report


@dataclass(frozen=True, slots=True)
class SentReport:
    """Outcome of the step.

    Attributes
    ----------
    facts_sha256
        Identity of the report.
    recipient_count
        Recipients of the report; 0 if it is not mailed.
    sent_count
        Mails accepted by the server now; 0 if every recipient already has it.
    folder
        Folder of the files.
    """

    facts_sha256: str
    recipient_count: int
    sent_count: int
    folder: Path


@dataclass(frozen=True, slots=True)
class ReportDeliveries:
    """Records in the warehouse who has the report of a run.

    An attempt is stored before it is made and marked as sent after the server accepted the mail. A crash in between
    repeats that mail with the same Message-ID. Clearing the task sends nothing to recipients who have the mail.
    """

    connection: Connection
    run: Run

    def missing(self, recipients: tuple[str, ...]) -> tuple[str, ...]:
        """Return the recipients who do not have the report."""
        delivered = rows(self.connection, "send_report/select_report_deliveries", {"run_id": self.run.run_id})
        return tuple(recipient for recipient in recipients if (recipient,) not in delivered)

    def start(self, recipient: str, message_id: str) -> None:
        """Store an attempt before it is made."""
        values = {"run_id": self.run.run_id, "recipient": recipient, "message_id": message_id}
        with writing(self.connection):
            execute(self.connection, "send_report/start_report_deliveries", values)

    def finish(self, recipient: str, fault: Fault | None) -> None:
        """Store the outcome of an attempt."""
        last_error = None if fault is None else str(fault)
        values = {"run_id": self.run.run_id, "recipient": recipient, "last_error": last_error}
        with writing(self.connection):
            execute(self.connection, "send_report/finish_report_deliveries", values)


def send_report(
    connection: Connection, run: Run, server: MailServer | None, links: Links, settings: Settings
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
        Links to run and Risk page; recipients, sender and folder.

    Raises
    ------
    BooksError
        If the run was reported with other facts; nothing is written or sent.
    StackError
        If the files cannot be written; the facts are stored, nothing is sent.
    ConnectionLostError, RequestError
        If a mail was not accepted; facts and files are stored, the other recipients have theirs.
    """
    facts, is_superseded = _store_facts(connection, run)
    folder = settings.report_dir(run.session_date)
    if is_superseded:
        return SentReport(facts.sha256, 0, 0, folder)
    rendered = render_report(facts, run, links)
    mail = report_mail(rendered, run, settings)
    files = _files(facts, mail)
    charts = {f"{name}.png": chart for name, chart in rendered.charts.items()}
    store_parts(connection, run, files | charts)
    write_files(folder, files)
    if server is None:
        return SentReport(facts.sha256, 0, 0, folder)
    return SentReport(facts.sha256, len(mail.recipients), _deliver(connection, run, mail, server), folder)


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


def _store_facts(connection: Connection, run: Run) -> tuple[Facts, bool]:
    """Store the facts the first time, later require the same; return them, and whether a later report exists."""
    facts = build_facts(connection, run)
    values = {"run_id": run.run_id, "facts": facts.canonical, "facts_sha256": facts.sha256}
    with writing(connection):
        execute(connection, "send_report/insert_reports", values)
    (stored,) = records(connection, "send_report/select_reports", {"run_id": run.run_id})
    if stored["facts_sha256"] == facts.sha256:
        return facts, stored["is_superseded"]
    # The books are a cache of everything known now: once newer inputs exist, the stored report stays valid.
    cut_off = {"session_date": run.session_date, "as_of": run.as_of}
    if rows(connection, "send_report/select_later_inputs", cut_off)[0][0]:
        return parse_facts(stored["facts"]), stored["is_superseded"]
    raise BooksError(
        f"Run {run.run_id} reported session {run.session_date} as {stored['facts_sha256'][:12]} and the same inputs "
        f"now give {facts.sha256[:12]}: nothing was sent. Call the developers; "
        "to report again with everything known now, clear extract_fills."
    )


def _files(facts: Facts, mail: Mail) -> dict[str, bytes]:
    """Return the bytes of each file; report.eml is the message to the first recipient."""
    rendered = mail.rendered
    return {
        "report.html": rendered.standalone_html.encode(),
        "report.txt": rendered.text.encode(),
        "report.eml": mail.message(next(iter(mail.recipients), mail.sender)).as_bytes(),
        "report.json": facts.canonical.encode(),
        "limits.csv": rendered.attachments["limits.csv"].encode(),
    }


def _deliver(connection: Connection, run: Run, mail: Mail, server: MailServer) -> int:
    """Mail a report to every recipient who does not have it; return how many mails the server accepted."""
    if not mail.recipients:
        raise RequestError("The report has no recipients: set RISK_RECIPIENTS, then clear send_report.")
    deliveries = ReportDeliveries(connection, run)
    outcome = send_mail(replace(mail, recipients=deliveries.missing(tuple(mail.recipients))), [server], deliveries)
    outcome.raise_for_faults("send_report")
    return outcome.sent_count
