"""Builds the mail of a report: one message for one recipient, text and HTML."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage

from risk.core.runs import Run
from risk.report import templates
from risk.report.templates import Rendered


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
    return templates.compose(
        rendered,
        recipient=recipient,
        variable="RISK_RECIPIENTS",
        message_id=message_id(run, recipient),
        date=run.as_of,
    )
