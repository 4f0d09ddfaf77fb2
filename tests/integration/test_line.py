"""The whole line on a real Postgres, step by step, without Airflow: what two runs leave behind."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import random
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core import warehouse
from risk.core.runs import Run, open_run
from risk.core.settings import Settings, read_settings
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules, predict
from risk.model.build_features import store_features
from risk.report.page import Links
from risk.report.send import send_report
from simulation.writing import simulate
from tests.databases import create_database, drop_database

LINKS = Links(run_url="/dags/daily_risk/runs/test")

COMPARED = {
    "deliveries": "account_id, session_date, content_sha256, row_count, loaded_count",
    "fills": "account_id, session_date, line_number, executed_at, side, quantity, symbol, price, fees_usd",
    "positions": "*",
    "daily_pnl": "account_id, session_date, fill_count, gross_pnl_usd, fees_usd, total_pnl_usd, incomplete_reason",
    "features": "*",
    "forecasts": "account_id, effective_session, expert, quantile_05_usd, is_live",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a simulated desk of 5 traders and 45 sessions."""
    folder = tmp_path_factory.mktemp("desk")
    simulate("medium", 5, 45, 3, folder)
    return folder


@pytest.fixture(autouse=True)
def _reports_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv("RISK_DESK", "simulated")


@pytest.fixture
def two_warehouses(server_dsn: str, template_database: str) -> Iterator[tuple[str, str]]:
    """Give two fresh, migrated databases."""
    names = [f"pair_{random.randrange(10**9)}_{side}" for side in "ab"]
    for name in names:
        create_database(server_dsn, name, template_database)
    yield make_dsn(server_dsn, dbname=names[0]), make_dsn(server_dsn, dbname=names[1])
    for name in names:
        drop_database(server_dsn, name)


def _run_line(dsn: str, folder: Path, session_date: dt.date, *, is_simulated: bool = True) -> Run:
    with contextlib.closing(warehouse.connect(dsn)) as connection:
        load = load_drop(connection, folder, session_date, Settings(desk="simulated" if is_simulated else "desk"))
        assert load.quarantined == ()
        run = open_run(connection, session_date, load.load_id, f"test__{session_date}")
        check_fills(connection, dsn, run)
        aggregate(connection, run)
        store_features(connection, run)
        predict(connection, run)
        apply_rules(connection, run)
        send_report(connection, run, None, LINKS, read_settings())
    return run


def _rows(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    with contextlib.closing(warehouse.connect(dsn)) as connection, connection.cursor() as cursor:
        tables = {}
        for table, columns in COMPARED.items():
            cursor.execute(f"select {columns} from {table} order by {columns.replace('*', '1, 2, 3')}")
            tables[table] = cursor.fetchall()
    return tables


def _facts(dsn: str) -> list[tuple[object, ...]]:
    with contextlib.closing(warehouse.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select runs.session_date, reports.facts_sha256 "
            "from risk.reports inner join risk.runs using (run_id) order by 1"
        )
        return cursor.fetchall()


def _newest_sessions(folder: Path) -> list[dt.date]:
    return sorted({dt.date.fromisoformat(path.stem[-10:]) for path in folder.glob("fills*.csv")})


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def test_two_dates_at_the_same_time_leave_the_same_rows_as_one_after_the_other(
    two_warehouses: tuple[str, str], desk: Path
) -> None:
    one_by_one, side_by_side = two_warehouses
    dates = _newest_sessions(desk)[-2:]

    for date in dates:
        _run_line(one_by_one, desk, date)
    threads = [threading.Thread(target=_run_line, args=(side_by_side, desk, date)) for date in reversed(dates)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected, found = _rows(one_by_one), _rows(side_by_side)
    assert all(expected.values())
    assert found == expected


def test_the_later_date_first_leaves_the_same_rows(two_warehouses: tuple[str, str], desk: Path) -> None:
    in_order, reverse = two_warehouses
    dates = _newest_sessions(desk)[-2:]

    for date in dates:
        _run_line(in_order, desk, date)
    for date in reversed(dates):
        _run_line(reverse, desk, date)

    assert _rows(reverse) == _rows(in_order)


def test_running_the_same_date_twice_changes_no_row_and_no_report(warehouse_dsn: str, desk: Path) -> None:
    date = _newest_sessions(desk)[-1]
    _run_line(warehouse_dsn, desk, date)
    before = _rows(warehouse_dsn)

    _run_line(warehouse_dsn, desk, date)

    assert _rows(warehouse_dsn) == before
    (first, second) = _facts(warehouse_dsn)
    assert first == second


def test_the_line_reproduces_the_simulated_truth_to_the_cent(warehouse_dsn: str, desk: Path) -> None:
    with (desk / "truth.csv").open(newline="") as file:
        truth = {(row["account_id"], row["session_date"]): Decimal(row["net_pnl_usd"]) for row in csv.DictReader(file)}

    _run_line(warehouse_dsn, desk, _newest_sessions(desk)[-1])

    with contextlib.closing(warehouse.connect(warehouse_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select account_id, session_date::text, net_pnl_usd, total_pnl_usd from derived.daily_pnl")
        books = {(account, date): (net, total) for account, date, net, total in cursor.fetchall()}
    assert {key: net for key, (net, _) in books.items()} == truth
    assert {key: total for key, (_, total) in books.items()} == truth


def test_the_line_reproduces_the_published_books_of_the_real_trader(
    warehouse_dsn: str, real_fills_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RISK_DESK")
    with (real_fills_dir / "manifest.csv").open(newline="") as file:
        versions = sorted(csv.DictReader(file), key=lambda row: row["published_at"])
    published = {row["session_date"]: (Decimal(row["gross"]), Decimal(row["net"])) for row in versions}
    traded = {row["session_date"]: int(row["fills"]) for row in versions}

    _run_line(warehouse_dsn, real_fills_dir, dt.date(2025, 12, 31), is_simulated=False)

    with contextlib.closing(warehouse.connect(warehouse_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select session_date::text, gross_pnl_usd, net_pnl_usd, fill_count from derived.daily_pnl")
        # Closing prices have eight decimals: a session's exact P&L lies within half a cent of the published one.
        books = {date: (_cents(gross), _cents(net), count) for date, gross, net, count in cursor.fetchall()}
    assert sum(net for _, net, _ in books.values()) == Decimal("332.25")
    assert sum(gross for gross, _, _ in books.values()) == Decimal("1527.84")
    assert sum(count for _, _, count in books.values()) == 5164
    assert {date: (gross, net) for date, (gross, net, _) in books.items()} == {
        date: result for date, result in published.items() if traded[date]
    }
