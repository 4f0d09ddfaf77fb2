"""The stand-in: decides, and is mailed once, when limits wait for an answer shortly before the deadline."""

from __future__ import annotations

import datetime as dt

import pytest

from risk.core.errors import RequestError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.limits.approvals import APPROVED, EDITED, REJECTED, AirflowUser, Publication, read_publication
from risk.limits.decisions import Decider, approve_cuts
from risk.limits.stand_in import StandInPolicy, stand_in_policy
from risk.report.limits_mail import send_reminder
from risk.report.mail import SmtpServer
from tests.approval_desks import ANN, BOB, MORNING, answer, opened, proposal, reported, stand_in_due
from tests.smtp_boxes import Box, closed_port, served

HALF_AN_HOUR = dt.timedelta(minutes=30)
SAM = AirflowUser("3", "sam")
POLICY = StandInPolicy(("sam",), HALF_AN_HOUR)


@pytest.fixture
def run(connection: Connection) -> Run:
    return reported(connection, 1, HIGH="0.60", MODERATE="0.20", LOW="0.00")


def remind(connection: Connection, publication: Publication, server: SmtpServer) -> int:
    changes = {"stand_in_recipients": ("sam@example.com",), "base_url": "https://risk.test"}
    return send_reminder(connection, server, publication, read_settings().model_copy(update=changes))


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        # 07:05 New York: window to 09:00, the stand-in from 08:30.
        ("2025-08-18T11:05:00+00:00", "2025-08-18T12:30:00+00:00"),
        # 09:10: window of half an hour to 09:40, the stand-in from its half.
        ("2025-08-18T13:10:00+00:00", "2025-08-18T13:25:00+00:00"),
    ],
)
def test_stand_in_takes_over_before_the_deadline_and_never_in_the_first_half_of_the_window(
    connection: Connection, run: Run, asked: str, starts: str
) -> None:
    publication = opened(connection, run, at=dt.datetime.fromisoformat(asked), stand_in=POLICY)

    assert publication.stand_in is not None
    assert (publication.stand_in.names, publication.stand_in.starts_at) == (("sam",), dt.datetime.fromisoformat(starts))


def test_settings_say_who_stands_in_and_nobody_does_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stand_in_policy(read_settings()) is None

    monkeypatch.setenv("RISK_STAND_IN_USERS", "sam, kim")
    monkeypatch.setenv("RISK_STAND_IN_MINUTES", "20")
    assert stand_in_policy(read_settings()) == StandInPolicy(("sam", "kim"), dt.timedelta(minutes=20))

    monkeypatch.setenv("RISK_STAND_IN_MINUTES", "0")
    with pytest.raises(RequestError, match="RISK_STAND_IN_MINUTES=0 is not allowed"):
        read_settings()


@pytest.mark.parametrize("action", [APPROVED, REJECTED, EDITED])
def test_stand_in_decides_from_his_time_on_and_not_before(connection: Connection, run: Run, action: str) -> None:
    publication = opened(connection, run, stand_in=POLICY)
    sam = AirflowUser("SAM ", "Samuel")  # another spelling of the same login
    for user in (SAM, sam):
        with pytest.raises(RequestError, match=r"stands in from .* until then the others decide"):
            answer(connection, publication, "HIGH", action, user, limit="3000")
    cut = proposal(connection, publication, "MODERATE").sha256
    with pytest.raises(RequestError, match="stands in from"):
        approve_cuts(connection, publication.publication_id, [cut], Decider(SAM))
    answer(connection, publication, "MODERATE", APPROVED, ANN)

    answer(connection, stand_in_due(connection, publication), "HIGH", action, SAM, limit="3000")

    assert proposal(connection, publication).decided.decider_name == "sam"


def test_stand_in_is_the_second_person_and_never_both(connection: Connection, run: Run) -> None:
    publication = stand_in_due(connection, opened(connection, run, dual_control=True, stand_in=POLICY))
    answer(connection, publication, "HIGH", EDITED, SAM, limit="3000")
    with pytest.raises(RequestError, match="sam has set the limit of HIGH and may not approve it"):
        answer(connection, publication, "HIGH", APPROVED, SAM)

    answer(connection, publication, "HIGH", APPROVED, BOB)

    assert proposal(connection, publication).decided.decider_name == "bob"


def test_stand_in_is_mailed_once_what_waits_with_the_same_link(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, stand_in=POLICY)
    answer(connection, publication, "MODERATE", APPROVED, ANN)

    # A mail that fails is tried again, and fails nothing.
    assert remind(connection, publication, SmtpServer("127.0.0.1", closed_port())) == 0
    with served(box := Box()) as server:
        assert [remind(connection, publication, server) for _ in range(3)] == [1, 0, 0]

    (mail,) = box.mails
    text = " ".join(box.text().split())
    assert mail["To"] == "sam@example.com"
    assert "1 limit for 2025-08-18 without an answer. You stand in: decide by 2100-01-01 09:00 New York." in text
    assert "HIGH: $2,000 proposed, $5,000 in force; without an answer $2,000 applies." in text
    assert f"https://risk.test/risk/approvals/{publication.publication_id}" in text
    with connection, connection.cursor() as cursor:
        cursor.execute("select kind, recipient, message_id, attempt_count, answer from risk.publication_deliveries")
        assert cursor.fetchall() == [("reminder", "sam@example.com", mail["Message-ID"], 2, "250 taken")]


def test_reminder_of_hundreds_of_limits_names_the_first_and_counts_the_rest(connection: Connection) -> None:
    names = {f"T{number:03d}": "0.60" for number in range(300)}
    publication = opened(connection, reported(connection, 1, **names), stand_in=POLICY)

    with served(box := Box()) as server:
        remind(connection, publication, server)

    text = " ".join(box.text().split())
    assert "300 limits for 2025-08-18 without an answer." in text
    assert "T009:" in text
    assert "T010:" not in text
    assert "290 more on the page." in text


def test_nobody_is_reminded_when_everything_is_answered_or_nobody_stands_in(connection: Connection, run: Run) -> None:
    publication = opened(connection, run, "high", stand_in=POLICY)
    answer(connection, publication, "HIGH", APPROVED, ANN)
    alone = opened(connection, reported(connection, 2, HIGH="0.40"), at=MORNING)

    with served(box := Box()) as server:
        assert remind(connection, publication, server) == 0
        assert remind(connection, read_publication(connection, publication_id=alone.publication_id), server) == 0
    assert box.mails == []
