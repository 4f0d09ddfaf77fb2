"""Desks of two exchanges side by side: from fills to the report, each by its own days, clocks and words."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from risk.core import schema, warehouse
from risk.core.calendar import store_sessions
from risk.core.errors import RequestError
from risk.core.exchange import at_exchange
from risk.core.settings import Settings
from risk.report.doctor import check_stored_calendar
from risk.report.page import Links
from risk.report.send import send_report
from tests.databases import create_database, drop_database
from tests.drops import HEADER
from tests.publications import run_line

CHRISTMAS_EVE = dt.date(2025, 12, 24)
ROWS = (
    # a half day of both exchanges: bought and sold for 100 x 0.50 = 50.00, less 2 x 1.50
    "12/24/2025 08:05:00,AAA,B,100,XYZ,10.0,1.25,0.25,,USD,1",
    "12/24/2025 12:20:00,AAA,S,100,XYZ,10.5,1.25,0.25,,USD,2",
    # a session of New York only
    "12/26/2025 10:00:00,AAA,B,100,XYZ,10.0,1.25,0.25,,USD,3",
    "12/26/2025 10:30:00,AAA,S,100,XYZ,10.1,1.25,0.25,,USD,4",
)


@pytest.fixture
def empty_warehouse(server_dsn: str) -> Iterator[Callable[[], str]]:
    """Give a maker of databases without a schema."""
    names: list[str] = []

    def make() -> str:
        names.append(f"exchange_{random.randrange(10**9)}")
        create_database(server_dsn, names[-1], "template1")
        return make_dsn(server_dsn, dbname=names[-1])

    yield make
    for name in names:
        drop_database(server_dsn, name)


def morning_at(code: str, dsn: str, folder: Path, reports: Path, session_date: dt.date) -> None:
    """Run the steps of a morning for a desk of an exchange."""
    settings = Settings(desk=code.lower(), reports_dir=reports)
    with at_exchange(code), contextlib.closing(warehouse.connect(dsn)) as connection:
        schema.migrate(connection)
        with warehouse.writing(connection):
            store_sessions(connection)
        run = run_line(connection, dsn, folder, session_date)
        send_report(connection, run, None, Links(run_url="/dags/daily_risk/runs/test"), settings)


def daily_results(dsn: str) -> list[tuple[str, str]]:
    """Read the sessions with executions and their results."""
    with contextlib.closing(warehouse.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select session_date::text, net_pnl_usd::numeric(9, 2)::text from derived.daily_pnl order by 1")
        return cursor.fetchall()


def opening_fill(dsn: str) -> str:
    """Read when the first execution was, UTC."""
    with contextlib.closing(warehouse.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select to_char(min(executed_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') from risk.fills")
        return str(cursor.fetchall()[0][0])


def test_two_desks_side_by_side_report_by_the_days_and_clocks_of_their_own_exchange(
    empty_warehouse: Callable[[], str], tmp_path: Path
) -> None:
    # given the same rows in the drops of a desk in London and one in New York
    (tmp_path / "fills.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    london, new_york = empty_warehouse(), empty_warehouse()
    reports, last = tmp_path / "reports", {"XLON": dt.date(2025, 12, 29), "XNYS": dt.date(2025, 12, 26)}

    # when both run at the same time in one process, first for the half day, then for what comes after it
    for days in (dict.fromkeys(last, CHRISTMAS_EVE), last):
        desks = {"XLON": london, "XNYS": new_york}
        threads = [
            threading.Thread(target=morning_at, args=(code, dsn, tmp_path, reports, days[code]))
            for code, dsn in desks.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # then 100 x 0.50 - 3.00 on the half day, and 100 x 0.10 - 3.00 on New York's session, London's next one
    assert daily_results(london) == [("2025-12-24", "47.00"), ("2025-12-29", "7.00")]
    assert daily_results(new_york) == [("2025-12-24", "47.00"), ("2025-12-26", "7.00")]
    # 08:05 is 08:05 UTC in London and 13:05 UTC in New York
    assert (opening_fill(london), opening_fill(new_york)) == ("2025-12-24 08:05", "2025-12-24 13:05")
    effective = {"xlon": "2025-12-29", "xnys": "2025-12-26"}
    for desk, city in (("xlon", "London"), ("xnys", "New York")):
        folder = reports / desk / "2025-12-24"
        facts = json.loads((folder / "report.json").read_text())
        assert (facts["session_date"], facts["effective_session"]) == ("2025-12-24", effective[desk])
        text = (folder / "report.txt").read_text()
        assert city in text
        assert {"London": "New York", "New York": "London"}[city] not in text
        with (folder / "limits.csv").open(newline="") as file:
            assert {row["effective_session"] for row in csv.DictReader(file)} == {effective[desk]}


def test_warehouse_refuses_the_sessions_of_another_exchange(connection: warehouse.Connection) -> None:
    # given a warehouse whose runs were New York's
    with (
        at_exchange("XLON"),
        pytest.raises(RequestError, match="keeps the sessions of XNYS, and RISK_CALENDAR is XLON"),
    ):
        store_sessions(connection)

    # then nothing of it has changed, and the doctor says it, too
    store_sessions(connection)
    assert check_stored_calendar(connection, CHRISTMAS_EVE).is_healthy
    with at_exchange("XLON"):
        assert "keeps the sessions of XNYS" in check_stored_calendar(connection, CHRISTMAS_EVE).sentence
