"""Mails a report once to each recipient, and remembers in the warehouse who has it.

An attempt is noted before it is made and marked sent after the server took the mail. A crash between the
two sends that mail again at the next attempt, with the same Message-ID: delivery is at least once, and a
mailbox can tell the copies. Clearing the task sends nothing to those who have the mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Protocol

from risk.core.errors import ConnectionLostError, RequestError
from risk.core.runs import Run
from risk.core.settings import settings
from risk.core.warehouse import Connection, execute, rows, writing
from risk.report.message import compose, message_id
from risk.report.rendering import Rendered

Fault = ConnectionLostError | RequestError


class MailServer(Protocol):
    """Takes one mail; ``risk.report.mail.SmtpServer`` is the one that serves."""

    def send(self, message: EmailMessage) -> None:
        """Return when the server took the mail; else raise ConnectionLostError (try again) or RequestError."""


def deliver(connection: Connection, run: Run, rendered: Rendered, server: MailServer) -> int:
    """Mail a report to every recipient of the settings who does not have it.

    Returns
    -------
    int
        Mails the server took now.

    Raises
    ------
    ConnectionLostError
        If at least one recipient has to be tried again; the others have been served.
    RequestError
        If nobody is set as recipient, or the server refuses a recipient for good; the others have been served.
    """
    recipients = tuple(dict.fromkeys(settings().recipients))
    if not recipients:
        raise RequestError("Nobody receives the report: name addresses in RISK_RECIPIENTS, then clear send_report.")
    done = {recipient for (recipient,) in rows(connection, "send_report/select_report_deliveries", _key(run))}
    open_ones = [recipient for recipient in recipients if recipient not in done]
    outcomes = [_attempt(connection, run, rendered, server, recipient) for recipient in open_ones]
    _raise_faults([fault for fault in outcomes if fault is not None])
    return len(open_ones)


def _attempt(connection: Connection, run: Run, rendered: Rendered, server: MailServer, recipient: str) -> Fault | None:
    key = {**_key(run), "recipient": recipient}
    started = {**key, "message_id": message_id(run, recipient)}
    with writing(connection):
        execute(connection, "send_report/start_report_deliveries", started)
    try:
        server.send(compose(rendered, run, recipient))
    except (ConnectionLostError, RequestError) as fault:
        with writing(connection):
            execute(connection, "send_report/fail_report_deliveries", {**key, "last_error": str(fault)})
        return fault
    with writing(connection):
        execute(connection, "send_report/finish_report_deliveries", key)
    return None


def _raise_faults(faults: Sequence[Fault]) -> None:
    """Raise one error for all; what can be tried again decides its class, because only that brings a retry."""
    if not faults:
        return
    sentences = " ".join(dict.fromkeys(str(fault) for fault in faults))
    if any(isinstance(fault, ConnectionLostError) for fault in faults):
        raise ConnectionLostError(
            f"{sentences} It is tried again; if that fails too, see to the server and clear send_report: "
            "who has the mail gets no second one."
        )
    raise RequestError(
        f"{sentences} Correct what it is about (RISK_RECIPIENTS, RISK_SENDER, the connection smtp_default), then "
        "clear send_report: who has the mail gets no second one."
    )


def _key(run: Run) -> dict[str, int]:
    return {"run_id": run.run_id}
