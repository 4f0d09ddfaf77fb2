"""Mornings that follow each other, mailed: the mail leads with what changes against the limit in force."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.build_facts import build_facts
from risk.report.page import Links
from risk.report.send import send_report
from simulation.writing import simulate
from tests.mail_reading import read_aloud
from tests.publications import run_line
from tests.smtp_boxes import Box, served

NEUTRAL = "#3d4b5c"


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv("RISK_RECIPIENTS", "desk@example.test")


@pytest.fixture
def box() -> Box:
    return Box()


def deliver(connection: Connection, run: Run, box: Box) -> None:
    with served(box) as server:
        assert send_report(connection, run, server, Links(), read_settings()).sent_count == 1


def header_color(markup: str) -> str:
    found = re.search(r'<td class="pad" bgcolor="(#\w+)"', markup)
    assert found
    return found.group(1)


def test_mail_of_the_real_desk_leads_with_the_limit_that_goes_back_to_base(
    connection: Connection, warehouse_dsn: str, real_fills_dir: Path, box: Box
) -> None:
    # given: two mornings of the supplied account; the first one cut its limit by 20 %
    for session_date in (dt.date(2025, 12, 1), dt.date(2025, 12, 2)):
        run = run_line(connection, warehouse_dsn, real_fills_dir, session_date)
        deliver(connection, run, box)

    (account,) = build_facts(connection, run).accounts

    # 5,000 less 20 % is 4,000; the limit in force is the one that was mailed.
    assert (account.limit_in_force_usd, account.limit_source, account.new_limit_usd) == (4000, "emailed", 5000)
    assert (account.limit_change_usd, account.next_limit_usd) == (1000, 5000)
    assert box.subjects[1] == f"Risk report - 1 Limit Changes - 2025-12-03: {account.account_id} +$1,000"
    assert box.text(1).startswith(f"Raise 1 limit: {account.account_id} to $5,000.\n")
    for words in (" ".join(box.text(1).split()), read_aloud(box.html(1))):
        assert "New limit: $5,000 (was $4,000)" in words
        assert "Restored by policy version 0" in words
        assert "IMMEDIATE ACTION REQUIRED" not in words


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a simulated desk of 6 traders and 75 sessions."""
    folder = tmp_path_factory.mktemp("desk")
    simulate("medium", 6, 75, 3, folder)
    return folder


def test_rerun_with_unchanged_cuts_is_neutral_and_names_the_largest_chances(
    connection: Connection, warehouse_dsn: str, desk: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_DESK", "simulated")
    session_date = max(dt.date.fromisoformat(path.stem.partition("_")[2]) for path in desk.glob("fills_*.csv"))

    for _ in range(2):
        run = run_line(connection, warehouse_dsn, desk, session_date, is_simulated=True)
        deliver(connection, run, box)

    first, second = box.text(0), box.text(1)
    assert first.startswith("Reduce ")
    assert header_color(box.html(0)) != NEUTRAL
    assert second.startswith("No change: ")
    assert header_color(box.html(1)) == NEUTRAL
    assert "IMMEDIATE ACTION REQUIRED" not in second
    assert "REDUCE LIMIT" not in second
    # The subject still counts high-risk traders; no amount changes.
    assert ": " not in box.subjects[1].partition(" - ")[2]
    facts = build_facts(connection, run)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id from results.desk_tail_shares where run_id = %s order by loss_probability desc limit 3",
            (run.run_id,),
        )
        likeliest = [name for (name,) in cursor.fetchall()]
    listed = {one.account_id for one in facts.exposures}
    assert len(likeliest) == 3
    assert set(likeliest) <= listed
    for name in likeliest:
        assert re.search(rf"- {name}: <?[\d.]+% beyond \$[\d,]+, weighted loss \$[\d,]+", " ".join(second.split()))
