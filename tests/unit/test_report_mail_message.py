"""The mail of a report as bytes: its headers and its two parts."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest

from risk.core.errors import ConnectionLostError, RequestError
from risk.core.settings import read_settings
from risk.report.mail import Mail, SmtpServer, send_mail
from risk.report.page import Links, build_page
from risk.report.render import Rendered, limits_csv, render_views
from risk.report.send import report_mail
from tests.report_desks import RUN, account, desk


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_SENDER", "risk-run@example.test")


RENDERED = Rendered("", "", "")


def mail(recipient: str = "rm@example.test") -> EmailMessage:
    facts = desk([account("NET001")], ["Größe – 4 × odd"])
    rendered = render_views("risk_report", build_page(facts, RUN, Links()))
    attached = replace(rendered, attachments={"limits.csv": limits_csv(facts)})
    return report_mail(attached, RUN, read_settings()).message(recipient)


def parsed(message: EmailMessage) -> EmailMessage:
    found = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_mail_parses_back_with_its_headers() -> None:
    found = parsed(mail())

    assert found["From"] == "Risk run <risk-run@example.test>"
    assert found["To"] == "rm@example.test"
    assert found["Subject"] == "RISK ALERT - 1 High Risk Trader - 2025-08-18: NET001 -$2,000"
    assert found["Date"].datetime == RUN.as_of.replace(microsecond=0)
    assert found["Message-ID"].endswith("@risk-run>")
    assert not found.defects


def test_mail_parses_back_with_text_and_html_of_the_same_report() -> None:
    found = parsed(mail())

    assert found.get_content_type() == "multipart/mixed"
    alternative, attached = found.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == ["text/plain", "text/html"]
    assert (attached.get_filename(), attached.get_content_type()) == ("limits.csv", "text/csv")
    assert attached.get_content().splitlines()[1].startswith("NET001,2025-08-15,2025-08-18,0.40,5000.00,3000.00,high")
    for part in alternative.iter_parts():
        content = part.get_content()
        assert "Trader NET001: " in content
        assert "Größe – 4 × odd" in content


def test_mail_has_the_same_bytes_every_time() -> None:
    assert mail().as_bytes() == mail().as_bytes()


def test_mail_has_no_line_longer_than_smtp_allows() -> None:
    # RFC 5321, section 4.5.3.1.6: 1,000 octets with the line break.
    assert max(map(len, mail().as_bytes().split(b"\r\n"))) <= 998


def test_message_id_is_stable_and_differs_by_session_revision_recipient_and_content() -> None:
    other_run = replace(RUN, run_id=99, dag_run_id="manual", load_id=5)
    others = [
        report_mail(RENDERED, replace(RUN, revision=2), read_settings()).message_id("rm@example.test"),
        report_mail(RENDERED, replace(RUN, session_date=RUN.effective_session), read_settings()).message_id(
            "rm@example.test"
        ),
        report_mail(RENDERED, RUN, read_settings()).message_id("cro@example.test"),
        report_mail(replace(RENDERED, text="another"), RUN, read_settings()).message_id("rm@example.test"),
    ]

    assert report_mail(RENDERED, other_run, read_settings()).message_id("rm@example.test") == report_mail(
        RENDERED, RUN, read_settings()
    ).message_id("rm@example.test")
    assert len({report_mail(RENDERED, RUN, read_settings()).message_id("rm@example.test"), *others}) == 5


@pytest.mark.parametrize(
    "recipient",
    [
        "rm@example.test\r\nBcc: thief@example.test",
        "rm@example.test\nSubject: other",
        "rm@example.test, thief@example.test",
        "rm",
        "@example.test",
        "",
        "Risk Manager <rm@example.test>",
    ],
)
def test_mail_is_refused_with_a_sentence_when_the_recipient_is_no_single_address(recipient: str) -> None:
    with pytest.raises(RequestError, match="is not an email address: correct RISK_RECIPIENTS"):
        mail(recipient)


def test_mail_header_takes_no_second_line_from_a_subject() -> None:
    rendered = Rendered("Alert\r\nBcc: thief@example.test", "<p>x</p>", "x")

    with pytest.raises(ValueError, match="linefeed"):
        report_mail(rendered, RUN, read_settings()).message("rm@example.test")


def test_mail_server_shows_its_password_nowhere() -> None:
    assert "hunter2" not in repr(SmtpServer("127.0.0.1", 25, "risk", "hunter2"))


class FlakyServer:
    """Raises the given faults, one per call, then accepts."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.accepted: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> str:
        if self.faults:
            raise self.faults.pop(0)
        self.accepted.append(message)
        return "250 taken"


def addressed(*recipients: str) -> Mail:
    return replace(report_mail(RENDERED, RUN, read_settings()), recipients=recipients)


def test_mail_is_retried_when_the_connection_is_lost_once() -> None:
    server = FlakyServer(ConnectionLostError("hung up"))

    outcome = send_mail(addressed("rm@example.test"), [server])

    assert (outcome.sent_count, outcome.faults, len(server.accepted)) == (1, (), 1)


def test_mail_is_not_retried_when_it_was_permanently_rejected() -> None:
    server = FlakyServer(RequestError("550 unknown"))

    outcome = send_mail(addressed("rm@example.test", "cro@example.test"), [server])

    assert (outcome.sent_count, [str(fault) for fault in outcome.faults]) == (1, ["550 unknown"])
    assert [str(message["To"]) for message in server.accepted] == ["cro@example.test"]


def test_mail_goes_through_the_first_server_that_accepts_it() -> None:
    down, up, unused = FlakyServer(RequestError("535 no login")), FlakyServer(), FlakyServer()

    assert send_mail(addressed("rm@example.test"), [down, up, unused]).sent_count == 1
    assert (len(up.accepted), len(unused.accepted)) == (1, 0)
