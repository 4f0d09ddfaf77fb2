"""Builds the mail of a report: one message for one recipient, text and HTML."""

from __future__ import annotations

import datetime as dt
import hashlib
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from risk.errors import RequestError
from risk.report.rendering import Rendered
from risk.runs import Run
from risk.settings import settings


def message_id(run: Run, recipient: str) -> str:
    """Name the mail of a run to a recipient: the same at every attempt, so that a mailbox can drop a second copy."""
    key = f"{run.session_date.isoformat()} {run.revision} {recipient}"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@risk-run>"


def compose(rendered: Rendered, run: Run, recipient: str) -> EmailMessage:
    """Build the mail; the same run, report and recipient give the same headers and parts.

    Parameters
    ----------
    rendered
        Subject, HTML and text.
    run
        Its ``as_of`` is the mail's date: when the facts were known.
    recipient
        One address, ``name@domain``.

    Raises
    ------
    RequestError
        If sender or recipient is no mail address.
    """
    message = EmailMessage(policy=SMTP)
    sender = _address(settings().sender, "RISK_SENDER")
    message["From"] = Address("Risk run", sender.username, sender.domain)
    message["To"] = _address(recipient, "RISK_RECIPIENTS")
    message["Subject"] = rendered.subject
    message["Date"] = run.as_of.astimezone(dt.UTC)
    message["Message-ID"] = message_id(run, recipient)
    # Out-of-office robots must not answer a morning report (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{hashlib.sha256(message['Message-ID'].encode()).hexdigest()[:32]}")
    return message


def _address(text: str, variable: str) -> Address:
    """Parse a bare address; a line break or a second address in it is refused, not cleaned."""
    try:
        address = Address(addr_spec=text)
        is_complete = bool(address.username and address.domain)
    except (ValueError, IndexError, MessageError):
        is_complete = False
    if not is_complete:
        raise RequestError(f"{text!r} is no mail address: correct {variable}, then clear send_report.")
    return address
