"""Hostile file drops in a real warehouse: what they may cost in logs, and what they may put into sentences."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.core.warehouse import Connection, rows
from risk.ingest.load import load_drop
from risk.ingest.poll import load_or_wait
from tests.drops import write_drop

FRIDAY = dt.date(2025, 8, 15)
MOST_TEXT = 20_000
"""Characters that a load may log or say, whatever lies in the folder."""


def said(connection: Connection, folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    """Load a folder and return its error."""
    with caplog.at_level(logging.INFO), pytest.raises(InputError) as caught:
        load_or_wait(connection, FRIDAY, lambda: load_drop(connection, folder, FRIDAY, Settings()), None)
    assert sum(len(record.getMessage()) for record in caplog.records) < MOST_TEXT
    assert len(str(caught.value)) < MOST_TEXT
    return str(caught.value)


def test_manifest_of_wrong_lines_is_said_in_few(
    connection: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    good = f"fills_{FRIDAY}.csv,NET001,{FRIDAY},2025-08-15T22:00:00Z"
    wrong = [f"fills_{number}{'x' * 60}.csv,NET001,{FRIDAY},2025-08-15T22:00:00Z" for number in range(20_000)]
    lines = ["file,account_id,session_date,published_at", good, *wrong]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")

    error = said(connection, tmp_path, caplog)

    assert "manifest.csv line 3 is refused: the file " in error
    assert "19,980 more lines of manifest.csv are refused" in error
    assert rows(connection, "extract_fills/select_delivered_accounts") == [("NET001",)]


def test_many_wrong_files_are_said_in_few_sentences(
    connection: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    for number in range(500):
        (tmp_path / f"fills_{number:03}{'x' * 200}.csv").touch()

    error = said(connection, tmp_path, caplog)

    assert error.startswith("500 of the delivered files cannot be used")
    assert "is empty (0 bytes)" in error
    assert "480 more" in error
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from risk.source_files where state = 'quarantined'")
        assert cursor.fetchone() == (500,)


def test_name_that_no_file_system_takes_is_missing(
    connection: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    lines = ["file,account_id,session_date,published_at", f"fills_{'x' * 5000}.csv,NET001,{FRIDAY},2025-08-15T22:00Z"]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")

    assert "manifest.csv line 2 is refused: the file 'fills_xxx" in said(connection, tmp_path, caplog)


@pytest.mark.parametrize("name", ["fills_a.csv", "marks.csv"])
def test_header_is_quoted_without_what_a_reader_would_execute(
    connection: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    (tmp_path / name).write_text('![x](https://evil.example/a.png),{"admin": s3-cr.et},<img src=x>\n1,2,3\n')

    error = said(connection, tmp_path, caplog)

    assert not any(part in error + caplog.text for part in ("![", "](", "://", "<img", '{"', "s3-cr"))
