"""Sends an alarm through the first of several mail servers that takes it."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from risk.core.errors import ConnectionLostError, RequestError
from risk.core.settings import settings
from risk.report.mail import SmtpServer
from risk.report.templates import Rendered, compose

log = logging.getLogger(__name__)

PORTS = {"smtp": 25, "smtps": 465}


def second_server() -> SmtpServer | None:
    """Return the second mail server of the settings, or ``None`` where none is named."""
    uri = settings().alarm_smtp_uri
    return smtp_server(uri, "RISK_ALARM_SMTP_URI") if uri else None


def smtp_server(uri: str, variable: str) -> SmtpServer:
    """Read a mail server from ``smtp://user:password@host:port?starttls=1`` or ``smtps://...``.

    Raises
    ------
    RequestError
        If it is something else; the message names the variable, never its value, which may hold a password.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise RequestError(
            f"{variable} names no mail server: write it as smtp://user:password@host:587?starttls=1, "
            "smtps://user:password@host, or smtp://host for one that asks for nothing."
        )
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_ssl=parts.scheme == "smtps",
        use_starttls=parse_qs(parts.query).get("starttls", ["0"])[-1] in ("1", "true"),
    )


def send(rendered: Rendered, servers: Sequence[SmtpServer], *, key: str, date: dt.datetime) -> int:
    """Mail an alarm to every recipient of alarms, each through the first server that takes it.

    Parameters
    ----------
    rendered
        The mail.
    servers
        In the order in which they are tried.
    key
        Identity of the alarm; a mailbox drops a second copy.
    date
        Aware instant of the mail's date.

    Returns
    -------
    int
        Recipients who were told, at least one.

    Raises
    ------
    ConnectionLostError
        If nobody could be told; the message holds every server's sentence.
    """
    faults: list[str] = []
    recipients = tuple(dict.fromkeys(settings().alert_recipients))
    told = sum(_tell(rendered, servers, recipient, key, date, faults) for recipient in recipients)
    if told == 0:
        reasons = " ".join(dict.fromkeys(faults)) or "No recipient is named in RISK_ALARM_RECIPIENTS."
        raise ConnectionLostError(f"Nobody was told {rendered.subject!r}: {reasons}")
    return told


def _tell(
    rendered: Rendered,
    servers: Sequence[SmtpServer],
    recipient: str,
    key: str,
    date: dt.datetime,
    faults: list[str],
) -> bool:
    name = hashlib.sha256(f"{key} {recipient}".encode()).hexdigest()[:40]
    for server in servers:
        try:
            server.send(
                compose(
                    rendered,
                    recipient=recipient,
                    variable="RISK_ALARM_RECIPIENTS",
                    message_id=f"<{name}@risk-alarm>",
                    date=date,
                )
            )
        except (ConnectionLostError, RequestError) as fault:
            log.warning("%s", fault)
            faults.append(str(fault))
        else:
            return True
    return False
