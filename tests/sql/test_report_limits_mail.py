"""Mails about approvals: *Limits in force* says who decided what; a refused recipient stops nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from risk.core.chain import read_head, verify
from risk.core.errors import RequestError
from risk.core.settings import read_settings
from risk.core.verify import read_witnesses
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import APPROVED, EDITED, ApprovalPolicy, open_proposals, read_proposals, read_publication
from risk.limits.publish import publish
from risk.report.limits_mail import send_limits
from risk.report.page import Links
from risk.report.send import send_report
from tests.approval_desks import ANN, BOB, after_deadline, answer, in_force, opened, reported
from tests.report_desks import book, deliver_fills, open_run, recommend
from tests.smtp_boxes import Box, served


def test_mail_says_what_is_in_force_and_who_decided_it(connection: Connection) -> None:
    run = reported(connection, 1, A="0.60", B="0.60", C="0.20", LOW="0.00")
    publication = opened(connection, run, dual_control=True)
    answer(connection, publication, "A", APPROVED, ANN)
    answer(connection, publication, "B", EDITED, ANN, limit="3000")
    answer(connection, publication, "B", APPROVED, BOB)
    settings = read_settings().model_copy(update={"recipients": ("manager@example.com",)})

    with served(box := Box()) as server:
        assert send_limits(connection, server, publication, settings).sent_count == 0
        publish(connection, after_deadline(connection, publication), None)
        assert send_limits(connection, server, publication, settings).sent_count == 1

    assert box.subjects == ["Limits in force for 2025-08-18"]
    text = " ".join(box.text().split())
    assert "4 limits in force for 2025-08-18." in text
    assert "A: $2,000 (approved by ann, as recommended)." in text
    assert "B: $3,000 (approved by bob, set by ann: calm since)." in text
    assert "C: $4,000 (no answer by the deadline: as recommended)." in text
    assert "1 other limit as recommended, without an approval." in text
    # and it is a witness of the last published limit, as the file beside the platform's is
    witnesses = read_witnesses("limits.eml", box.mails[0].as_bytes())
    published = [str(row[-1]) for row in rows(connection, "risk_page/select_published", {"run_id": publication.run_id})]
    assert [one[1:3] for one in witnesses] == [read_head(connection, "published_limits", published)]
    assert f"Chain {witnesses[0].sequence} {witnesses[0].digits}" in text
    assert verify(connection, witnesses).sentence.endswith("Mails witness all of them.")


class Refusing(Box):
    """Knows one of two recipients."""

    async def handle_RCPT(self, _server, _session, envelope, address: str, _options) -> str:  # type: ignore[no-untyped-def]  # noqa: N802
        if address.startswith("gone@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def test_refused_recipient_stops_neither_the_others_mail_nor_the_approval(
    connection: Connection, tmp_path: Path
) -> None:
    run = open_run(connection)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    recommend(connection, run, cut="0.60")
    recipients = ("gone@example.com", "manager@example.com")
    changes = {"reports_dir": tmp_path, "recipients": recipients, "base_url": "https://risk.test"}
    settings = read_settings().model_copy(update=changes)

    with served(box := Refusing()) as server:
        links = Links(base_url=settings.base_url)
        sent = send_report(connection, run, server, links, settings, ApprovalPolicy("all", False))

    assert sent.is_delivered
    with pytest.raises(RequestError, match="550 no such user"):
        sent.outcome.raise_for_faults("send_report")
    publication = read_publication(connection, run_id=run.run_id)
    assert len(open_proposals(publication, read_proposals(connection, publication))) == 1
    text = " ".join(box.text().split())
    assert f"Approval required for 1 limit: decide by {publication.deadline_text}." in text
    assert f"Decide: https://risk.test/risk/approvals/{publication.publication_id}" in text


def delivered(connection: Connection) -> list[tuple[object, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select recipient, message_id, attempt_count, answer, last_error, sent_at is not null "
            "from risk.publication_deliveries where kind = 'limits' order by recipient"
        )
        return list(cursor.fetchall())


def test_mail_of_limits_in_force_is_recorded_and_each_recipient_gets_it_once(connection: Connection) -> None:
    publication = opened(connection, reported(connection, 1, A="0.60"))
    answer(connection, publication, "A", APPROVED, ANN)
    publish(connection, publication, None)
    settings = read_settings().model_copy(update={"recipients": ("gone@example.com", "manager@example.com")})

    with served(box := Refusing()) as server:
        for is_news in (True, False):
            outcome = send_limits(connection, server, publication, settings)
            assert outcome.is_news is is_news
            with pytest.raises(RequestError, match="550 no such user"):
                outcome.raise_for_faults("send_limits")

    (mail,) = box.mails
    refused, accepted = delivered(connection)
    assert accepted == ("manager@example.com", mail["Message-ID"], 1, "250 taken", None, True)
    assert (refused[0], *refused[2:4], refused[5]) == ("gone@example.com", 2, None, False)
    assert "550 no such user" in str(refused[4])
    assert in_force(connection, publication) == {"A": Decimal(2000)}

    with served(healed := Box()) as server:
        late = send_limits(connection, server, publication, settings)
        assert (late.sent_count, late.is_news) == (1, False)
        assert send_limits(connection, server, publication, settings).sent_count == 0
    assert [mail["To"] for mail in healed.mails] == ["gone@example.com"]
    assert {row[3] for row in delivered(connection)} == {"250 taken"}
