"""Hands mails to an SMTP server and says in a sentence what became of them."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from risk.core.errors import ConnectionLostError, RequestError, RiskError

TIMEOUT_S = 30.0
"""Longest wait for one answer of the server."""

FIRST_PERMANENT_CODE = 500
"""Answers from here on are final, those below ask to try again (RFC 5321, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server that takes our mails.

    Attributes
    ----------
    host, port
        Where it listens.
    user, password
        Credentials; an empty user means that it asks for none.
    use_ssl
        Whether the connection is encrypted from its start.
    use_starttls
        Whether it is encrypted before anything is said; a server that cannot is refused.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    use_ssl: bool = False
    use_starttls: bool = False

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail; it has been taken when this returns.

        Raises
        ------
        ConnectionLostError
            If the server cannot be reached, hangs up, or asks to try again (answers 4xx).
        RequestError
            If it refuses recipient, sender, mail or credentials for good (answers 5xx).
        """
        with self._sentences(str(message["To"])), contextlib.closing(self._open()) as client:
            self._greet(client)
            client.send_message(message)
            # The mail is taken: a connection that breaks only now must not make it look unsent.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()

    def greet(self) -> None:
        """Talk to the server as for a mail, and send none.

        Raises
        ------
        ConnectionLostError
            If it would take no mail: it cannot be reached, hangs up, or refuses credentials or encryption.
        """
        try:
            with contextlib.closing(self._open()) as client:
                self._greet(client)
                client.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionLostError(f"The mail server {self._place} takes no mail: {error}.") from None

    def _open(self) -> smtplib.SMTP:
        if self.use_ssl:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)

    def _greet(self, client: smtplib.SMTP) -> None:
        if self.use_starttls:
            client.starttls(context=ssl.create_default_context())
        if self.user:
            client.login(self.user, self.password)

    @contextlib.contextmanager
    def _sentences(self, recipient: str) -> Iterator[None]:
        """Turn what smtplib raises into the two errors that tell whether to try again."""
        try:
            yield
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise self._refused(recipient, code, answer) from None
        except smtplib.SMTPResponseException as error:
            raise self._refused(recipient, error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise RequestError(
                f"The mail server {self._place} cannot do what its connection asks for: {error}"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionLostError(
                f"The mail server {self._place} was not reached or hung up, {recipient} has no mail yet: {error}."
            ) from None

    def _refused(self, recipient: str, code: int, answer: bytes | str) -> RiskError:
        words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        said = f"The mail server {self._place} answered {code} {' '.join(words.split())}"
        if code < FIRST_PERMANENT_CODE:
            return ConnectionLostError(f"{said}: {recipient} has no mail yet.")
        return RequestError(f"{said}: {recipient} gets no mail.")

    @property
    def _place(self) -> str:
        return f"{self.host}:{self.port}"
