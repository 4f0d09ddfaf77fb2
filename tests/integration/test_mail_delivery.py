"""Real conversations with a mail server on loopback: who gets the report, once, and what is remembered."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from risk.core.errors import ConnectionLostError, RequestError
from risk.core.policy_document import parse_policy
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.limits.register import limits_in_force
from risk.report.doctor import check_excerpts
from risk.report.mail import SmtpServer
from risk.report.page import Links
from risk.report.send import SentReport, send_report
from tests.policies import adopt, policy_text
from tests.report_desks import book, deliver_fills, insert, insert_fit, open_run, recommend

RECIPIENTS = ("rm@example.test", "cro@example.test")


def take(_: SMTP) -> str:
    return "250 taken"


def say_goodbye(_: SMTP) -> str:
    return "221 bye"


def hang_up(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "421 gone"


class Mailbox:
    """Accepts mail and keeps it; ``answers`` gives a recipient another answer, ``after_data`` acts before the reply."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.after_data: Callable[[SMTP], str] = take
        self.on_quit: Callable[[SMTP], str] = say_goodbye

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.after_data(server)
        if answer.startswith("250") and isinstance(envelope.content, bytes):
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            assert envelope.rcpt_tos == [parsed["To"]]
            self.mails.append(parsed)
        return answer

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return self.on_quit(server)

    @property
    def recipients(self) -> list[str]:
        return [str(mail["To"]) for mail in self.mails]


def refuse_login(*_: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[SmtpServer]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield SmtpServer("127.0.0.1", controller.port)
    controller.stop()


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv("RISK_RECIPIENTS", ",".join(RECIPIENTS))


@pytest.fixture
def run(connection: Connection) -> Run:
    run = open_run(connection)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    recommend(connection, run)
    return run


def report(connection: Connection, run: Run, server: Any) -> SentReport:
    sent = send_report(connection, run, server, Links(), read_settings())
    sent.outcome.raise_for_faults("send_report")
    return sent


def remembered(connection: Connection) -> dict[str, dict[str, Any]]:
    """Read the deliveries from the server's point of view, in a transaction of their own."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select recipient, attempt_count, last_error, sent_at from risk.report_deliveries")
        names = ("attempt_count", "last_error", "sent_at")
        return {recipient: dict(zip(names, values, strict=True)) for recipient, *values in cursor.fetchall()}


def test_report_reaches_every_recipient_with_text_and_html(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    sent = report(connection, run, server)

    assert (sent.recipient_count, sent.sent_count) == (2, 2)
    assert mailbox.recipients == list(RECIPIENTS)
    for mail in mailbox.mails:
        assert mail["Subject"] == "RISK ALERT - 1 High Risk Trader - 2025-08-18: NET001 -$2,000"
        for kind in ("plain", "html"):
            body = mail.get_body((kind,))
            assert body is not None
            assert "New limit: $3,000 (was $5,000)" in body.get_content()
    assert all(row["sent_at"] and row["attempt_count"] == 1 for row in remembered(connection).values())


def test_report_file_is_the_mail_the_first_recipient_got(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    sent = report(connection, run, server)

    stored = email.message_from_bytes((sent.folder / "report.eml").read_bytes(), policy=email.policy.default)
    received = mailbox.mails[0]
    assert [received[name] for name in stored] == list(stored.values())
    assert [str(part) for part in stored.walk()][1:] == [str(part) for part in received.walk()][1:]


def test_report_is_not_mailed_twice_when_the_task_is_cleared(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    first = report(connection, run, server)
    second = report(connection, run, server)

    assert (second.recipient_count, second.sent_count, second.facts_sha256) == (2, 0, first.facts_sha256)
    assert len(mailbox.mails) == 2


def test_report_reaches_a_recipient_once_when_the_settings_name_him_twice(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test, rm@example.test")

    assert report(connection, run, server).recipient_count == 1
    assert mailbox.recipients == ["rm@example.test"]


def test_report_reaches_the_others_when_one_recipient_is_permanently_rejected(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers["rm@example.test"] = "550 5.1.1 no such user"

    with pytest.raises(RequestError, match=r"replied 550 5\.1\.1 no such user: mail to rm@example\.test rejected"):
        report(connection, run, server)

    assert mailbox.recipients == ["cro@example.test"]
    row = remembered(connection)["rm@example.test"]
    assert (row["attempt_count"], row["sent_at"]) == (1, None)
    assert "550 5.1.1 no such user" in row["last_error"]


def test_report_is_tried_again_for_the_one_who_got_a_temporary_error_only(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers["rm@example.test"] = "451 4.7.1 greylisted"

    with pytest.raises(ConnectionLostError, match=r"replied 451 4\.7\.1 greylisted"):
        report(connection, run, server)
    temporary = remembered(connection)["rm@example.test"]
    del mailbox.answers["rm@example.test"]
    sent = report(connection, run, server)

    assert (temporary["attempt_count"], temporary["sent_at"]) == (1, None)
    assert (sent.recipient_count, sent.sent_count) == (2, 1)
    assert mailbox.recipients == ["cro@example.test", "rm@example.test"]
    row = remembered(connection)["rm@example.test"]
    assert (row["attempt_count"], row["last_error"]) == (2, None)
    assert row["sent_at"]


def test_report_is_tried_again_when_one_error_is_temporary_and_another_permanent(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers.update({"rm@example.test": "550 unknown", "cro@example.test": "451 later"})

    with pytest.raises(ConnectionLostError, match=r"550 unknown.*451 later"):
        report(connection, run, server)


def test_report_is_stored_and_tried_again_when_the_mail_server_is_down(connection: Connection, run: Run) -> None:
    with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1:\d+ cannot be reached .* rm@example\.test not sent"):
        report(connection, run, SmtpServer("127.0.0.1", free_port()))

    with connection, connection.cursor() as cursor:
        cursor.execute("select from risk.reports where run_id = %s", (run.run_id,))
        assert cursor.rowcount == 1
    assert {row["attempt_count"] for row in remembered(connection).values()} == {1}
    assert all("refused" in row["last_error"] for row in remembered(connection).values())


def test_report_is_tried_again_when_the_server_hangs_up_after_the_data(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.after_data = hang_up
    with pytest.raises(ConnectionLostError, match="hung up"):
        report(connection, run, server)
    mailbox.after_data = take

    assert report(connection, run, server).sent_count == 2
    assert mailbox.recipients == list(RECIPIENTS)


def test_report_counts_as_sent_when_the_server_hangs_up_after_taking_it(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.on_quit = hang_up

    assert report(connection, run, server).sent_count == 2
    assert report(connection, run, server).sent_count == 0


def test_mail_is_sent_before_the_server_has_said_goodbye(server: SmtpServer, mailbox: Mailbox) -> None:
    is_sent, goodbyes = threading.Event(), queue.Queue[bool]()

    def wait(server: SMTP) -> str:
        goodbyes.put(is_sent.wait(20))
        return say_goodbye(server)

    mailbox.on_quit = wait
    message = EmailMessage()
    message["From"], message["To"] = "risk@example.test", RECIPIENTS[0]

    server.send(message)
    is_sent.set()

    assert goodbyes.get(timeout=30)


def test_mail_of_a_crashed_attempt_is_sent_again_with_the_same_message_id(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    class Killed:
        """Takes the mail; then the process dies before it can remember that."""

        def send(self, message: EmailMessage) -> str:
            server.send(message)
            raise SystemExit(137)

    with pytest.raises(SystemExit):
        report(connection, run, Killed())
    begun = remembered(connection)
    report(connection, run, server)

    assert begun == {"rm@example.test": {"attempt_count": 1, "last_error": None, "sent_at": None}}
    twice = [mail["Message-ID"] for mail in mailbox.mails if mail["To"] == "rm@example.test"]
    assert len(twice) == 2
    assert len(set(twice)) == 1


def test_report_needs_a_recipient(connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_RECIPIENTS", " , ")

    with pytest.raises(RequestError, match="set RISK_RECIPIENTS"):
        report(connection, run, SmtpServer("127.0.0.1", free_port()))


def test_report_reaches_the_others_when_one_recipient_is_no_address(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_RECIPIENTS", "cro@example.test,rm at example")

    with pytest.raises(RequestError, match="'rm at example' is not an email address"):
        report(connection, run, server)

    assert mailbox.recipients == ["cro@example.test"]


def test_server_without_encryption_is_refused_when_encryption_is_asked_for(
    connection: Connection, run: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    encrypted = SmtpServer(server.host, server.port, use_starttls=True)

    with pytest.raises(RequestError, match=r"STARTTLS.*smtp_default"):
        report(connection, run, encrypted)

    assert mailbox.mails == []


def test_wrong_credentials_get_a_sentence_without_the_password(
    connection: Connection, run: Run, mailbox: Mailbox
) -> None:
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=free_port(), authenticator=refuse_login, auth_require_tls=False
    )
    controller.start()
    try:
        with pytest.raises(RequestError, match=r"replied 535 .*smtp_default") as caught:
            report(connection, run, SmtpServer("127.0.0.1", controller.port, "risk", "hunter2"))
    finally:
        controller.stop()

    assert "hunter2" not in str(caught.value)
    assert mailbox.mails == []


GROUPS = """[
  {name: Interns, recipients: [interns@example.test, both@example.test], overrides: {}},
  {name: Prop, recipients: [prop@example.test, rm@example.test], overrides: {}},
  {name: Empty, recipients: [nobody@example.test], overrides: {}},
]"""
OTHERS = ("NET002", "NET003", "7,234", "3,617", "9,345", "17,456", "2,345.67", "771.11", "7234", "3617", "9345", "771")
"""Names of the accounts outside the group Interns, their amounts, and sums that they are part of."""


@pytest.fixture
def grouped(connection: Connection) -> Run:
    """Report three accounts: NET001 of the group Interns, NET002 of Prop without fills, NET003 of none."""
    text = policy_text().replace("groups: []", f"groups: {GROUPS}")
    adopt(connection, parse_policy(text, "test"))
    run = open_run(connection)
    for line, (name, group, base) in enumerate(
        (("NET001", "interns", 5123), ("NET002", "Prop", 7234), ("NET003", None, 9345))
    ):
        stated = {"group_name": group, "base_limit_usd": base, "valid_from": dt.date(2025, 1, 2), "line_number": line}
        insert(connection, "accounts", load_id=run.load_id, file_name="accounts.csv", account_id=name,
               recorded_at=run.as_of - dt.timedelta(days=9), **stated)  # fmt: skip
        cut = {"NET001": "0.40", "NET002": "0.50", "NET003": "0.00"}[name]
        recommend(connection, run, name, cut, base_limit_usd=base, new_limit_usd=base * (1 - Decimal(cut)))
        insert_fit(connection, run, name, "too large", base_limit_usd=base, sentence=f"{name}: reached by ${base:,}")
        if name != "NET002":
            net = Decimal("-812.30") if name == "NET001" else Decimal("-771.11")
            book(connection, name, net_pnl_usd=net, input_fingerprint=deliver_fills(connection, run, name))
    insert(connection, "quality_results", run_id=run.run_id, check_name="fees", subject="NET003", severity="warn",
           has_passed=False, observed="x", message="NET003: fees of $2,345.67")  # fmt: skip
    return run


def content_of(mail: EmailMessage) -> str:
    """Return everything that a recipient of a mail can read, and the names of its parts."""
    said = [f"{name}: {value}" for name, value in mail.items()]
    for part in mail.walk():
        said.append(str(part.get_filename()))
        if part.get_content_maintype() == "text":
            said.append(part.get_content())
    return "\n".join(said)


def test_recipients_of_a_group_get_its_accounts_and_nothing_of_the_others(
    connection: Connection, grouped: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    sent = report(connection, grouped, server)

    assert (sent.sent_count, sent.excerpts.sent, sent.excerpts.refused) == (2, 3, 0)
    # Who gets the report needs no excerpt, and a group without accounts has none.
    assert mailbox.recipients == [*RECIPIENTS, "interns@example.test", "both@example.test", "prop@example.test"]
    whole, _, interns, _, prop = (content_of(mail) for mail in mailbox.mails)
    assert (
        mailbox.mails[2]["Subject"].strip() == "[Interns] RISK ALERT - 1 High Risk Trader - 2025-08-18: NET001 -$2,049"
    )
    assert mailbox.mails[4]["Subject"].strip() == "[Prop] RISK ALERT - 1 High Risk Trader - 2025-08-18: NET002 -$3,617"
    assert [one for one in OTHERS if one in interns] == []
    assert "NET001" not in prop
    for said in ("REDUCE LIMIT BY 40%", "Limits of all active traders: $3,073.80 (base $5,123)", "NET001,2025-08-15"):
        assert said in interns
    assert "Group on 2025-08-15: 1 account with fills, net P&L -$812.30" in interns
    assert "The full report has 2 further warnings, about other accounts or the desk." in interns
    assert "NET002: no fills received for 2025-08-15" in prop
    assert all(one in whole for one in ("NET001", "NET002", "NET003", "NET003: fees of $2,345.67"))


def test_excerpt_is_mailed_once_and_a_refused_one_stops_nothing(
    connection: Connection, grouped: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers["interns@example.test"] = "550 5.1.1 no such user"

    first = report(connection, grouped, server)
    [diagnosis] = check_excerpts(connection, grouped.run_id)
    del mailbox.answers["interns@example.test"]
    second = report(connection, grouped, server)
    third = report(connection, grouped, server)

    assert (first.sent_count, first.excerpts.sent, first.excerpts.refused) == (2, 2, 1)
    assert (second.sent_count, second.excerpts.sent, third.excerpts.sent) == (0, 1, 0)
    assert "The excerpt for group Interns has not reached interns@example.test: " in diagnosis.sentence
    assert "550 5.1.1 no such user" in diagnosis.sentence
    assert list(check_excerpts(connection, grouped.run_id)) == []
    assert sorted(mailbox.recipients) == sorted(
        [*RECIPIENTS, "both@example.test", "prop@example.test", "interns@example.test"]
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("select attempt_count, last_error from risk.excerpt_deliveries where recipient ~ 'interns'")
        assert cursor.fetchall() == [(2, None)]


def test_excerpt_goes_out_where_a_recipient_of_the_report_is_refused(
    connection: Connection, grouped: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers["rm@example.test"] = "550 unknown"

    with pytest.raises(RequestError, match="550 unknown"):
        report(connection, grouped, server)

    assert mailbox.recipients == ["cro@example.test", "interns@example.test", "both@example.test", "prop@example.test"]


def test_accepted_excerpt_puts_no_limit_in_force(
    connection: Connection, grouped: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    mailbox.answers.update(dict.fromkeys(RECIPIENTS, "550 unknown"))

    with pytest.raises(RequestError):
        report(connection, grouped, server)

    found = limits_in_force(connection, dt.datetime.now(dt.UTC))
    assert (found["NET001"].limit_usd, found["NET001"].source) == (Decimal(5123), "base")


def test_excerpt_of_a_crashed_attempt_is_sent_again_with_the_same_message_id(
    connection: Connection, grouped: Run, server: SmtpServer, mailbox: Mailbox
) -> None:
    class Killed:
        """Takes an excerpt; then the process dies before it can remember that."""

        def send(self, message: EmailMessage) -> str:
            answer = server.send(message)
            if message["To"] == "prop@example.test":
                raise SystemExit(137)
            return answer

    with pytest.raises(SystemExit):
        report(connection, grouped, Killed())
    assert report(connection, grouped, server).excerpts.sent == 1

    first, again = (mail for mail in mailbox.mails if mail["To"] == "prop@example.test")
    assert first.as_bytes() == again.as_bytes()
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 5
