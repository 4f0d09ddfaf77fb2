"""A run's report is stored once, and its files follow from what is stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from risk.core.chain import read_head
from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, writing
from risk.report import send
from risk.report.build_facts import build_facts
from risk.report.digest_tree import report_digest
from risk.report.facts import parse_facts
from risk.report.mail import MailOutcome
from risk.report.page import Links
from risk.report.render import Rendered, render_report
from risk.report.send import SentReport, send_report
from tests.report_desks import AS_OF, book, deliver_fills, insert, open_run, recommend
from tests.smtp_boxes import Box, served

FILES = ["limits.csv", "report.eml", "report.html", "report.json", "report.txt"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    return tmp_path / "reports" / "desk" / "2025-08-15"


def reported(connection: Connection, run: Run) -> SentReport:
    return send_report(connection, run, None, Links(), read_settings())


def booked_run(connection: Connection) -> Run:
    run = open_run(connection)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    recommend(connection, run)
    return run


def stored_reports(connection: Connection, run: Run) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select facts, facts_sha256 from reports where run_id = %s", (run.run_id,))
        return cursor.fetchall()


def restate(connection: Connection) -> None:
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update daily_pnl set net_pnl_usd = net_pnl_usd - 0.01")


def test_report_is_stored_and_its_files_are_written_when_nothing_is_mailed(
    connection: Connection, folder: Path
) -> None:
    run = booked_run(connection)

    sent = reported(connection, run)

    ((facts, sha256),) = stored_reports(connection, run)
    assert sent == SentReport(sha256, 0, folder, MailOutcome(0, ()))
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert (folder / "report.json").read_text(encoding="utf-8") == facts
    assert hashlib.sha256((folder / "report.json").read_bytes()).hexdigest() == sha256
    assert json.loads(facts)["accounts"][0]["new_limit_usd"] == "3000.00"


def said(folder: Path) -> str:
    return (folder / "report.txt").read_text(encoding="utf-8")


def test_digest_whose_link_a_mail_states_follows_from_the_stored_facts_and_a_salt_of_its_own(
    connection: Connection, folder: Path
) -> None:
    stated = []
    first, second = booked_run(connection), open_run(connection, revision=2)
    recommend(connection, second)
    for run in (first, second):
        reported(connection, run)
        reported(connection, run)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "select facts, salt, report_sha256 from risk.reports join risk.report_digests using (run_id) "
                "where run_id = %s",
                (run.run_id,),
            )
            ((facts, salt, digest),) = cursor.fetchall()
        assert digest == report_digest(parse_facts(facts), salt)
        assert f"\n{read_head(connection, 'report_digests', [str(run.run_id)])}\n" in said(folder)
        assert digest not in said(folder)
        stated.append(digest)

    assert stated[0] != stated[1]


def test_report_of_format_1_states_the_link_of_its_facts(connection: Connection, folder: Path) -> None:
    run = booked_run(connection)
    facts = build_facts(connection, run)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)

    reported(connection, run)

    assert f"\n{read_head(connection, 'reports', [str(run.run_id)])}\n" in said(folder)


def test_report_is_stored_as_rows_whose_copies_are_the_files(connection: Connection, folder: Path) -> None:
    run = booked_run(connection)

    reported(connection, run)

    with connection, connection.cursor() as cursor:
        cursor.execute("select part_name, media_type, content, content_sha256 from risk.report_parts")
        parts = {name: (media_type, bytes(content), sha256) for name, media_type, content, sha256 in cursor.fetchall()}
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: content for name, (_, content, _) in parts.items() if not name.endswith(".png")} == files
    assert all(hashlib.sha256(content).hexdigest() == sha256 for _, content, sha256 in parts.values())
    assert {name: media_type for name, (media_type, _, _) in parts.items()} == {
        "report.html": "text/html",
        "report.txt": "text/plain",
        "report.eml": "message/rfc822",
        "report.json": "application/json",
        "limits.csv": "text/csv",
        # The run has one account with a forecast and one session of P&L: too few for the other chart.
        "forecast-0.png": "image/png",
    }


def test_second_report_of_a_run_leaves_the_same_bytes(connection: Connection, folder: Path) -> None:
    run = booked_run(connection)

    first = reported(connection, run), {path.name: path.read_bytes() for path in folder.iterdir()}
    second = reported(connection, run), {path.name: path.read_bytes() for path in folder.iterdir()}

    assert first == second


def test_second_report_of_a_run_is_refused_when_the_same_inputs_give_another(
    connection: Connection, folder: Path
) -> None:
    run = booked_run(connection)
    reported(connection, run)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    restate(connection)

    with pytest.raises(BooksError, match=r"Run \d+ reported session 2025-08-15 as \w{12} .* now give \w{12}"):
        reported(connection, run)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_second_report_of_a_run_says_what_the_first_said_when_inputs_came_later(
    connection: Connection, folder: Path
) -> None:
    run = booked_run(connection)
    first = reported(connection, run)
    deliver_fills(connection, run, recorded_at=AS_OF + dt.timedelta(days=1))
    restate(connection)

    assert reported(connection, run) == first
    assert Decimal(json.loads((folder / "report.json").read_text())["desk"]["net_pnl_usd"]) == Decimal("-812.30")


def test_second_report_says_what_the_first_said_when_a_later_session_brought_a_correction_or_a_rename(
    connection: Connection, folder: Path
) -> None:
    run = booked_run(connection)
    first = reported(connection, run)
    later: dict[str, Any] = {"session_date": dt.date(2025, 8, 18), "recorded_at": AS_OF + dt.timedelta(days=3)}
    delivery_id = deliver_fills(connection, run, **later)
    what = {"side": "S", "quantity": 1, "symbol": "XYZ", "price": 1, "fees_usd": 0}
    restate(connection)
    with pytest.raises(BooksError):
        reported(connection, run)

    insert(
        connection,
        "corrections",
        delivery_id=delivery_id,
        line_number=2,
        account_id="NET001",
        session_date=dt.date(2025, 8, 18),
        executed_at=dt.datetime(2025, 8, 18, 14, tzinfo=dt.UTC),
        tie_rank=0,
        kind="canceled",
        fill_key="1",
        **what,
    )

    assert reported(connection, run) == first


def test_report_of_an_earlier_revision_does_not_replace_the_files_of_a_later_one(
    connection: Connection, folder: Path
) -> None:
    first, second = booked_run(connection), open_run(connection, revision=2)
    recommend(connection, second, cut="0.60")
    reported(connection, second)

    reported(connection, first)

    assert "REDUCE LIMIT BY 60%" in (folder / "report.txt").read_text()
    assert stored_reports(connection, first)


def test_report_that_knows_the_past_does_not_hold_back_the_files_of_one_that_knows_all(
    connection: Connection, folder: Path
) -> None:
    first, past = booked_run(connection), open_run(connection, revision=2, is_point_in_time=True)
    recommend(connection, past, cut="0.60")
    reported(connection, past)

    reported(connection, first)

    assert "REDUCE LIMIT BY 60%" not in (folder / "report.txt").read_text()


def test_report_that_is_overtaken_while_it_is_written_neither_replaces_files_nor_mails(
    connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = booked_run(connection), open_run(connection, revision=2)
    recommend(connection, second, cut="0.20")
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test")
    is_overtaken = []

    def render_and_be_overtaken(*arguments: Any) -> Rendered:
        if not is_overtaken:
            is_overtaken.append(True)
            reported(connection, second)
        return render_report(*arguments)

    monkeypatch.setattr(send, "render_report", render_and_be_overtaken)
    box = Box()
    with served(box) as server:
        sent = send_report(connection, first, server, Links(), read_settings())

    assert (sent.sent_count, box.mails) == (0, [])
    ((_, sha256),) = stored_reports(connection, second)
    assert hashlib.sha256((folder / "report.json").read_bytes()).hexdigest() == sha256
    assert stored_reports(connection, first)[0][1] != sha256


def test_mail_of_a_report_that_is_overtaken_before_the_second_recipient_stops_there(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = booked_run(connection), open_run(connection, revision=2)
    recommend(connection, second)
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test,cro@example.test")

    taken: list[str] = []

    class Overtaken:
        """Takes a mail; meanwhile the later revision is reported."""

        def send(self, message: EmailMessage) -> str:
            taken.append(str(message["To"]))
            reported(connection, second)
            return "250 taken"

    sent = send_report(connection, first, Overtaken(), Links(), read_settings())

    assert (sent.sent_count, taken) == (1, ["rm@example.test"])


def test_files_that_a_killed_process_left_unfinished_are_removed(connection: Connection, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".report-x").touch()

    reported(connection, booked_run(connection))

    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_report_of_a_later_revision_replaces_the_files_of_an_earlier_one(connection: Connection, folder: Path) -> None:
    first, second = booked_run(connection), open_run(connection, revision=2)
    recommend(connection, second, cut="0.60")
    reported(connection, first)

    reported(connection, second)

    assert "REDUCE LIMIT BY 60%" in (folder / "report.txt").read_text()
