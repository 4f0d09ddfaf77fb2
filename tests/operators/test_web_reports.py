"""The stored email on the Risk page: out of the warehouse, whichever machine wrote it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.page import Links
from risk.report.send import send_report
from tests.operators.web_client import words
from tests.report_desks import book, deliver_fills, insert, open_run, recommend

PAGE = "/reports/2025-08-15"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    return tmp_path / "reports" / "desk" / "2025-08-15"


@pytest.fixture
def run(connection: Connection, folder: Path) -> Run:
    """Report a run as send_report does, on this machine."""
    run = open_run(connection)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    recommend(connection, run)
    send_report(connection, run, None, Links(), read_settings())
    return run


def store_page(connection: Connection, run: Run, text: str) -> None:
    part = {"part_name": "report.html", "media_type": "text/html", "content_sha256": "0"}
    insert(connection, "report_parts", run_id=run.run_id, content=text.encode(), **part)


def test_page_and_its_pictures_need_no_file_of_the_machine_that_wrote_them(client: Any, run: Run, folder: Path) -> None:
    written = (folder / "report.html").read_bytes()
    assert b"data:image/png;base64," in written
    shutil.rmtree(folder)

    answer = client.get(PAGE)

    assert (answer.status_code, answer.content) == (200, written)


def test_an_old_copy_on_this_machine_is_not_served(client: Any, run: Run, folder: Path) -> None:
    written = (folder / "report.html").read_bytes()
    (folder / "report.html").write_text("<p>What another revision said, before it was written elsewhere")

    assert client.get(PAGE).content == written


def test_page_is_the_newest_revision_and_no_dry_run(client: Any, connection: Connection, run: Run) -> None:
    store_page(connection, open_run(connection, revision=2), "<p>Second")
    store_page(connection, open_run(connection, revision=3, is_point_in_time=True), "<p>Dry run")

    assert client.get(PAGE).text == "<p>Second"


def test_only_while_the_warehouse_is_down_the_copy_here_is_served(
    client: Any, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_PAGE_DSN", "postgresql://risk_page:hunter2@127.0.0.1:9/nowhere")
    written = (folder / "report.html").read_bytes()

    there = client.get(PAGE)
    shutil.rmtree(folder)
    elsewhere = client.get(PAGE)

    assert (there.status_code, there.content) == (200, written)
    assert elsewhere.status_code == 503
    assert "The warehouse does not respond" in words(elsewhere)
