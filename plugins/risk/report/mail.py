"""Sends mail: a rendered mail becomes one message per recipient, handed to the first server that accepts it.

Delivery is at least once. The Message-ID of a recipient's copy depends on the mail's key only, so that a mailbox can
drop the second copy that a retry after a crash may send.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
)

from risk.core.connections import ServiceConnection
from risk.core.errors import ConnectionLostError, RequestError, RiskError
from risk.report.render import Rendered

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
"""Longest wait for one reply of a server."""

FIRST_PERMANENT_CODE = 500
"""Replies from this code on are permanent, lower ones are temporary (RFC 5321, section 4.2.1)."""

PORTS = {"smtp": 25, "smtps": 465}

Fault = ConnectionLostError | RequestError


class MailServer(Protocol):
    """Accepts mail; `SmtpServer` is the implementation."""

    def send(self, message: EmailMessage) -> str:
        """Return the server's answer once it has accepted the mail; else raise ConnectionLostError or RequestError."""


class _Client(smtplib.SMTP):
    """A connection that keeps how the server accepted a mail, which ``send_message`` drops."""

    accepted = ""

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, reply = super().data(msg)
        self.accepted = f"{code} {_one_line(reply)}"
        return code, reply


class _EncryptedClient(_Client, smtplib.SMTP_SSL):
    """The same, encrypted from the start."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server that accepts our mail.

    Attributes
    ----------
    host, port
        Its address.
    user, password
        Credentials; an empty user means that none are required.
    use_ssl
        Whether the connection is encrypted from the start.
    use_starttls
        Whether the connection is upgraded to TLS first; a server that does not support it is rejected.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    use_ssl: bool = False
    use_starttls: bool = False

    def send(self, message: EmailMessage) -> str:
        """Hand over one mail; the server has accepted it when this returns.

        Returns
        -------
        str
            Its answer, such as ``250 2.0.0 Ok: queued as 4F2A1``.

        Raises
        ------
        ConnectionLostError
            If the server cannot be reached, hangs up, or replies with a temporary error (4xx).
        RequestError
            If it permanently rejects recipient, sender, mail or credentials (5xx).
        """
        recipient = str(message["To"])
        try:
            with contextlib.closing(self._log_in()) as client:
                client.send_message(message)
                # The mail is accepted. A goodbye that fails must not make it look unsent, and waiting for its answer
                # would leave time for a crash before the caller notes that it was sent.
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    client.putcmd("quit")
                return client.accepted
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = error.recipients[recipient]
            raise self._rejection(recipient, code, reply) from None
        except smtplib.SMTPResponseException as error:
            raise self._rejection(recipient, error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise RequestError(
                f"Mail server {self.address} does not support what its connection requires: {error}"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionLostError(
                f"Mail server {self.address} cannot be reached or hung up; mail to {recipient} not sent: {error}."
            ) from None

    def check_connection(self) -> None:
        """Connect, encrypt and log in as for a mail, without sending one.

        Raises
        ------
        ConnectionLostError
            If the server cannot be reached, hangs up, or rejects credentials or encryption.
        """
        try:
            with contextlib.closing(self._log_in()) as client:
                client.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionLostError(f"Mail server {self.address} does not accept mail: {error}.") from None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    def _log_in(self) -> _Client:
        """Connect, encrypt and log in; the caller closes the connection."""
        if self.use_ssl:
            context = ssl.create_default_context()
            client: _Client = _EncryptedClient(self.host, self.port, timeout=TIMEOUT_S, context=context)
        else:
            client = _Client(self.host, self.port, timeout=TIMEOUT_S)
        try:
            if self.use_starttls:
                client.starttls(context=ssl.create_default_context())
            if self.user:
                client.login(self.user, self.password)
        except BaseException:
            client.close()
            raise
        return client

    def _rejection(self, recipient: str, code: int, reply: bytes | str) -> RiskError:
        found = f"Mail server {self.address} replied {code} {_one_line(reply)}"
        if code < FIRST_PERMANENT_CODE:
            return ConnectionLostError(f"{found}: mail to {recipient} not sent yet.")
        return RequestError(f"{found}: mail to {recipient} rejected.")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to several recipients, each of whom gets a message with the same content.

    Attributes
    ----------
    rendered
        Subject, HTML, text, charts and attachments.
    sender
        Address of the sender, ``name@domain``.
    recipients
        Addresses; duplicates get one mail.
    recipients_setting
        Name of the setting that lists the recipients, for error messages.
    kind, key
        Identity: what the mail is, such as ``risk-run``, and which one. Together with sender, recipient, subject and
        text they give the Message-ID.
    date
        Aware instant in the Date header.
    """

    rendered: Rendered
    sender: str
    recipients: Sequence[str]
    recipients_setting: str
    kind: str
    key: str
    date: dt.datetime

    def message_id(self, recipient: str) -> str:
        """Return the Message-ID of a recipient's copy: the same at every attempt, another for other content.

        Keys start again when an older backup is restored, and two desks may use the same: a mail server that drops
        what it has seen must not drop another report.
        """
        content = "\0".join((self.key, self.sender, recipient, self.rendered.subject, self.rendered.text))
        digest = hashlib.sha256(content.encode()).hexdigest()
        return f"<{digest[:40]}@{self.kind}>"

    def message(self, recipient: str) -> EmailMessage:
        """Build the message to one recipient; equal arguments give equal bytes.

        Raises
        ------
        RequestError
            If sender or recipient is not an email address.
        """
        message = EmailMessage(policy=SMTP)
        sender = _address(self.sender, "RISK_SENDER")
        message["From"] = Address("Risk run", sender.username, sender.domain)
        message["To"] = _address(recipient, self.recipients_setting)
        message["Subject"] = self.rendered.subject
        message["Date"] = self.date.astimezone(dt.UTC)
        message["Message-ID"] = self.message_id(recipient)
        # Out-of-office responders must not answer (RFC 3834, section 5).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self.rendered.text, cte="quoted-printable")
        message.add_alternative(self.rendered.html, subtype="html", cte="quoted-printable")
        html = message.get_body(("html",))
        for name, chart in self.rendered.charts.items():
            # A part related to the HTML that shows it (RFC 2387).
            html.add_related(  # type: ignore[union-attr]  # added just now
                chart, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline"
            )
        for name, content in self.rendered.attachments.items():
            message.add_attachment(content, subtype="csv", filename=name, cte="quoted-printable")
        for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
            boundary = hashlib.sha256(f"{number} {self.message_id(recipient)}".encode()).hexdigest()
            part.set_boundary(f"=_{boundary[:32]}")
        return message


@dataclass(slots=True)
class Attempt:
    """An attempt to hand over a recipient's copy.

    Attributes
    ----------
    is_due
        Whether he is still without it.
    answer
        How the server accepted it; empty as long as it has not.
    """

    is_due: bool = True
    answer: str = ""


DeliveryRecord = Callable[[str, str], contextlib.AbstractContextManager[Attempt]]
"""Records an attempt, by recipient and Message-ID, around it."""


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """What became of a mail.

    Attributes
    ----------
    sent_count
        Recipients whose copy a server accepted.
    faults
        One for each recipient whose copy no server accepted.
    had_count
        Recipients who had the mail from an earlier try.
    """

    sent_count: int
    faults: tuple[Fault, ...]
    had_count: int = 0

    @property
    def is_news(self) -> bool:
        """Whether somebody has the mail now, and nobody had it before this try."""
        return self.sent_count > 0 and self.had_count == 0

    def raise_for_faults(self, task_id: str) -> None:
        """Raise one error for all recipients without a copy; nothing if there are none.

        Raises
        ------
        ConnectionLostError
            If at least one recipient is worth a retry.
        RequestError
            If every fault is permanent.
        """
        if not self.faults:
            return
        sentences = " ".join(dict.fromkeys(str(fault) for fault in self.faults))
        if any(isinstance(fault, ConnectionLostError) for fault in self.faults):
            raise ConnectionLostError(
                f"{sentences} Check the mail server; once Airflow has stopped retrying, clear {task_id}: "
                "recipients who have the mail do not get it again."
            )
        raise RequestError(
            f"{sentences} Correct RISK_RECIPIENTS, RISK_SENDER or the connection smtp_default, then clear {task_id}: "
            "recipients who have the mail do not get it again."
        )


def send_mail(mail: Mail, servers: Sequence[MailServer], record: DeliveryRecord | None = None) -> MailOutcome:
    """Send a mail to each of its recipients through the first server that accepts it; the only send loop.

    Parameters
    ----------
    mail
        What to send, and to whom.
    servers
        In the order in which they are tried.
    record
        Records each attempt; ``None`` = no record is kept.

    Returns
    -------
    MailOutcome
        A recipient who is rejected does not keep the others from getting theirs.
    """
    faults: list[Fault] = []
    sent_count, had_count = 0, 0
    for recipient in dict.fromkeys(mail.recipients):
        recorded = record(recipient, mail.message_id(recipient)) if record else contextlib.nullcontext(Attempt())
        try:
            with recorded as attempt:
                if attempt.is_due:
                    attempt.answer = _send_to_first(mail.message(recipient), servers)
                    sent_count += 1
                else:
                    had_count += 1
        except (ConnectionLostError, RequestError) as error:
            log.warning("%s", error)
            faults.append(error)
    return MailOutcome(sent_count, tuple(faults), had_count)


@retry(
    retry=retry_if_exception_type(ConnectionLostError),
    # A server that times out is left to the caller's own retry, which waits longer.
    stop=stop_after_attempt(3) | stop_after_delay(20),
    wait=wait_exponential(multiplier=0.5),
    before_sleep=before_sleep_log(log, logging.INFO),
    reraise=True,
)
def _send_to_first(message: EmailMessage, servers: Sequence[MailServer]) -> str:
    """Return the answer of the first server that accepts a message; raise one error that holds all their sentences."""
    faults: list[Fault] = []
    for server in servers:
        try:
            return server.send(message)
        except (ConnectionLostError, RequestError) as fault:
            faults.append(fault)
    sentences = " ".join(dict.fromkeys(str(fault) for fault in faults)) or "No mail server is configured."
    is_temporary = any(isinstance(fault, ConnectionLostError) for fault in faults)
    raise ConnectionLostError(sentences) if is_temporary else RequestError(sentences)


def smtp_server_from_uri(uri: str, variable: str) -> SmtpServer:
    """Read a mail server from ``smtp://user:password@host:port?starttls=1`` or ``smtps://...``.

    Raises
    ------
    RequestError
        If it is anything else; the message names the variable, never its value, which may hold a password.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise RequestError(
            f"{variable} is not a mail server: set it to smtp://user:password@host:587?starttls=1, "
            "smtps://user:password@host, or smtp://host for a server without login."
        )
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_ssl=parts.scheme == "smtps",
        use_starttls=parse_qs(parts.query).get("starttls", ["0"])[-1] in ("1", "true"),
    )


def smtp_server_of(connection: ServiceConnection) -> SmtpServer:
    """Read a mail server from an Airflow connection of type ``smtp``."""
    return SmtpServer(
        host=connection.host or "localhost",
        port=connection.port or PORTS["smtp"],
        user=connection.login,
        password=connection.password,
        use_ssl=str(connection.extra.get("disable_ssl", "true")).lower() == "false",
        use_starttls=str(connection.extra.get("disable_tls", "true")).lower() == "false",
    )


def second_server(uri: str) -> SmtpServer | None:
    """Return the second mail server of the setting ``alarm_smtp_uri``; ``None`` if it is empty."""
    return smtp_server_from_uri(uri, "RISK_ALARM_SMTP_URI") if uri else None


def _one_line(reply: bytes | str) -> str:
    words = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(words.split())


def _address(text: str, setting: str) -> Address:
    """Parse a bare address; reject a line break or a second address instead of cleaning it."""
    try:
        address = Address(addr_spec=text)
        is_complete = bool(address.username and address.domain)
    except (ValueError, IndexError, MessageError):
        is_complete = False
    if not is_complete:
        raise RequestError(f"{text!r} is not an email address: correct {setting}.")
    return address
