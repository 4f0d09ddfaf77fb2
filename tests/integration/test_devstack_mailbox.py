"""The local mail server takes real mail over SMTP and keeps it in a Maildir."""

from __future__ import annotations

import mailbox as maildir
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from devstack import mailbox, processes
from devstack.workspace import LOOPBACK, Workspace
from risk.core.settings import PROJECT_DIR


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give a working copy whose Python code is this one's."""
    (tmp_path / "plugins").symlink_to(PROJECT_DIR / "plugins")
    workspace = Workspace(tmp_path)
    workspace.prepare()
    # An empty folder that was there before must take mail too.
    workspace.mail.mkdir(parents=True, exist_ok=True)
    return workspace


@pytest.fixture
def server(workspace: Workspace) -> Iterator[tuple[processes.Process, int]]:
    """Run the mail server."""
    process, port = mailbox.start(workspace)
    assert processes.wait_until(lambda: mailbox.is_answering(port), 15.0)
    yield process, port
    processes.stop(process)


def test_mailbox_keeps_a_mail_as_it_was_sent(workspace: Workspace, server: tuple[processes.Process, int]) -> None:
    # given a mail with a picture, a foreign letter and a stable id
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "risk@localhost", "manager@localhost", "RISK – 3 traders"
    mail["Message-ID"] = "<session-1@risk>"
    mail.set_content("Limit für NET001\n")
    mail.add_attachment(bytes(range(256)), maintype="image", subtype="png", filename="chart.png")

    with smtplib.SMTP(LOOPBACK, server[1], timeout=10) as client:
        client.send_message(mail)

    (kept,) = maildir.Maildir(workspace.mail, create=False)
    assert kept["Message-ID"] == "<session-1@risk>"
    assert kept["X-RcptTo"] == "manager@localhost"
    text, picture = kept.get_payload()
    assert text.get_payload(decode=True).decode() == "Limit für NET001\n"
    assert picture.get_payload(decode=True) == bytes(range(256))


def test_mailbox_start_finds_the_running_server(workspace: Workspace, server: tuple[processes.Process, int]) -> None:
    assert mailbox.start(workspace) == server


def test_mailbox_stops_at_once_when_asked(server: tuple[processes.Process, int]) -> None:
    assert processes.stop(server[0], grace_s=5.0)

    assert not mailbox.is_answering(server[1])
