"""What was changed behind a report: replay compares more than the report itself."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import pytest

from risk.core import warehouse
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.page import Links
from risk.report.replay import replay
from risk.report.send import send_report
from tests.drops import write_drop
from tests.publications import run_line

SESSION = dt.date(2025, 8, 15)


@pytest.mark.parametrize(
    "change",
    [
        "update results.recommendations set new_limit_usd = 999999 where account_id = 'NET001'",
        "update results.recommendations set cut_ratio = 0.05 where account_id = 'NET001'",
        "delete from results.recommendations where account_id = 'NET001'",
    ],
)
def test_replay_names_recommendations_changed_after_the_report(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, change: str
) -> None:
    (tmp_path / "drop").mkdir()
    drop = write_drop(tmp_path / "drop", SESSION, {"NET001": 4})
    settings = read_settings().model_copy(update={"reports_dir": tmp_path / "reports"})
    send_report(connection, run_line(connection, warehouse_dsn, drop, SESSION), None, Links(), settings)
    with connection, connection.cursor() as cursor:
        cursor.execute(change)

    with contextlib.closing(warehouse.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, SESSION, None)

    assert again.facts.sha256 == again.stored_sha256
    assert again.changed_accounts == ("NET001",)
    assert not again.is_equal
