"""The morning report: one set of facts, stored once per run, shown as mail, text, JSON and CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.settings import settings
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.report.delivery import MailServer, deliver
from risk.report.facts import Facts, parse_facts
from risk.report.files import limits_csv, report_folder, write_files
from risk.report.message import compose
from risk.report.page import Links
from risk.report.reading import build_facts
from risk.report.rendering import Rendered, illustrate

__all__ = ["Facts", "Links", "MailServer", "Sent", "build_facts", "send_report"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a report.

    Attributes
    ----------
    facts_sha256
        Identity of the report.
    recipient_count
        Addresses the report goes to; 0 where it is not mailed.
    sent_count
        Mails the server took now; 0 where everybody has it.
    folder
        Where the files are.
    """

    facts_sha256: str
    recipient_count: int
    sent_count: int
    folder: Path


def send_report(connection: Connection, run: Run, server: MailServer | None, links: Links) -> Sent:
    """Store a run's facts, write the report's files and mail it.

    A run whose session has the report of a later revision writes and mails nothing: the newer answer stands.

    Parameters
    ----------
    connection
        Warehouse.
    run
        The run to report.
    server
        Takes the mails; ``None`` = nothing leaves the house, the files are written all the same.
    links
        Where the reader can look further.

    Raises
    ------
    BooksError
        If the run was reported with other facts; nothing is written or sent.
    StackError
        If the files cannot be written; the facts are stored, nothing is sent.
    ConnectionLostError, RequestError
        If a mail was not taken; facts and files are there, the other recipients have theirs.
    """
    facts = _stored_facts(connection, run)
    folder = report_folder(facts)
    if _is_superseded(connection, run):
        return Sent(facts.sha256, 0, 0, folder)
    rendered = illustrate(facts, run, links)
    write_files(folder, _files(facts, run, rendered))
    if server is None:
        return Sent(facts.sha256, 0, 0, folder)
    sent_count = deliver(connection, run, rendered, server)
    return Sent(facts.sha256, len(set(settings().recipients)), sent_count, folder)


def _stored_facts(connection: Connection, run: Run) -> Facts:
    """Store the facts the first time; later they must come out the same."""
    facts = build_facts(connection, run)
    stored = records(connection, "send_report/select_reports", {"run_id": run.run_id})
    if not stored:
        values = {"run_id": run.run_id, "facts": facts.canonical, "facts_sha256": facts.sha256}
        with writing(connection):
            execute(connection, "send_report/insert_reports", values)
        return facts
    if stored[0]["facts_sha256"] == facts.sha256:
        return facts
    # Books are a cache of the newest knowledge: with inputs newer than the run, what it reported then stands.
    cut_off = {"session_date": run.session_date, "as_of": run.as_of}
    if rows(connection, "send_report/select_later_inputs", cut_off)[0][0]:
        return parse_facts(stored[0]["facts"])
    raise BooksError(
        f"Run {run.run_id} reported session {run.session_date} as {stored[0]['facts_sha256'][:12]} and the same inputs "
        f"now give {facts.sha256[:12]}: nothing was sent. Call the developers; "
        "to report again with what is known now, clear extract_fills."
    )


def _is_superseded(connection: Connection, run: Run) -> bool:
    later = {"session_date": run.session_date, "revision": run.revision, "is_point_in_time": run.is_point_in_time}
    return rows(connection, "send_report/select_later_reports", later)[0][0] is not None


def _files(facts: Facts, run: Run, rendered: Rendered) -> dict[str, bytes]:
    """Return the bytes of each file; report.eml is the mail as its first recipient gets it."""
    first = next(iter(settings().recipients), settings().sender)
    return {
        "report.html": rendered.standalone_html.encode(),
        "report.txt": rendered.text.encode(),
        "report.eml": compose(rendered, run, first).as_bytes(),
        "report.json": facts.canonical.encode(),
        "limits.csv": limits_csv(facts).encode(),
    }
