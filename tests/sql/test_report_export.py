"""Tables for other systems: exact, as they were known at an instant, each file whole and once."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError, StackError
from risk.core.settings import PROJECT_DIR
from risk.core.warehouse import Connection
from risk.limits.publish import EXPORT, OutboundFolder
from risk.report.export import TABLES, ExportFormat, read_tables, write_tables
from tests.report_desks import insert, open_run, recommend, store_report
from tests.track_record_desks import MON, deliver, fill

Riskctl = Callable[..., Any]
BOUGHT = fill(MON, 1, "B", "100", "10.12345678", "1.25")


@pytest.fixture
def riskctl(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Riskctl:
    """Give a way to type a command on the test's warehouse."""
    place = parse_dsn(warehouse_dsn)
    uri = f"postgresql://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, uri)
    return lambda *typed: CliRunner().invoke(app, ["export", *typed], catch_exceptions=False)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def restated_desk(connection: Connection) -> tuple[dt.datetime, dt.datetime]:
    """Deliver a session, then again with another sale; return an instant after each."""
    deliver(connection, [BOUGHT, fill(MON, 2, "S", "100", "9", "1.25")])
    first = now()
    deliver(connection, [BOUGHT, fill(MON, 2, "S", "100", "8", "1.25")])
    return first, now()


def written(folder: Path, name: str) -> list[dict[str, str]]:
    (path,) = folder.glob(f"desk-{name}-*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_results_and_use_are_those_of_the_instant_and_exact(connection: Connection) -> None:
    first, second = restated_desk(connection)

    then = read_tables(connection, first)
    connection.replaced_schemas = {}
    with connection, connection.cursor() as cursor:
        cursor.execute("discard temp")
    later = read_tables(connection, second)

    # 900 - 1,012.345678 = -112.345678 and 100 less for the second delivery; fees 2.50
    assert [row["gross_pnl_usd"] for row in then["daily_results"]] == [Decimal("-112.345678")]
    assert [row["net_pnl_usd"] for row in later["daily_results"]] == [Decimal("-214.845678")]
    (used,) = then["use"]
    assert (used["outcome"], used["limit_usd"], used["final_usd"]) == ("within", 5000, Decimal("-114.845678"))
    assert [(row["account_id"], row["limit_usd"], row["source"]) for row in then["limits"]] == [
        ("NET001", 5000, "default")
    ]


def test_decisions_are_those_recorded_until_the_instant(connection: Connection) -> None:
    deliver(connection, [BOUGHT])
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.40")
    store_report(connection, run)
    publication_id = insert(
        connection,
        "publications",
        run_id=run.run_id,
        effective_session=run.effective_session,
        approval_scope="all",
        has_dual_control=False,
        decision_deadline=now(),
        is_live=False,
        dag_run_id="d",
    )
    before = now()
    insert(
        connection,
        "limit_decisions",
        publication_id=publication_id,
        account_id="NET001",
        action="timed_out",
        limit_usd="3000.00",
        reason="=1+1",
        user_id="",
        user_name="",
    )

    assert read_tables(connection, before)["decisions"] == []
    connection.replaced_schemas = {}
    with connection, connection.cursor() as cursor:
        cursor.execute("discard temp")
    (decided,) = read_tables(connection, now())["decisions"]
    assert (decided["decided_about"], decided["action"], decided["limit_usd"]) == ("recommendation", "timed_out", 3000)


def test_nothing_of_the_warehouse_is_changed(connection: Connection) -> None:
    _, second = restated_desk(connection)

    read_tables(connection, second)

    connection.replaced_schemas = {}
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from risk.runs), (select count(*) from derived.daily_pnl),"
            " (select count(*) from derived.limit_receipts)"
        )
        assert cursor.fetchone() == (0, 0, 0)


def test_command_writes_each_table_once_and_the_same_bytes_again(
    connection: Connection, riskctl: Riskctl, tmp_path: Path
) -> None:
    first, _ = restated_desk(connection)
    typed = ("--to", str(tmp_path), "--as-of", first.isoformat(), "--format", "csv")

    done = json.loads(riskctl(*typed, "--json").stdout)
    files = {path: path.read_bytes() for path in tmp_path.glob("*.csv")}
    riskctl(*typed)

    assert done["rows"] == {"daily_results": 1, "limits": 1, "use": 1, "decisions": 0}
    assert sorted(done["files"]) == sorted(map(str, files))
    assert files == {path: path.read_bytes() for path in tmp_path.glob("*.csv")}
    (row,) = written(tmp_path, "daily_results")
    assert (row["session_date"], row["gross_pnl_usd"], row["incomplete_reason"]) == (str(MON), "-112.345678", "")
    (used,) = written(tmp_path, "use")
    assert list(used) == list(TABLES["use"])
    # 112.345678 and fees of 2.50; a division in the books leaves zeros behind it.
    assert (used["largest_loss_usd"], used["limit_usd"]) == ("114.845678", "5000.00")


def test_standard_output_is_the_result_alone_whatever_airflow_logs(
    connection: Connection, riskctl: Riskctl, tmp_path: Path
) -> None:
    restated_desk(connection)
    where = {"AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}

    ended = subprocess.run(
        [sys.executable, "-m", "risk", "export", "--to", (tmp_path / "tables").as_uri(), "--json"],
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR / "plugins"), **where},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ended.stdout)["rows"]["daily_results"] == 1
    assert "debug" in ended.stderr


def test_parquet_has_decimals_dates_and_instants(connection: Connection, riskctl: Riskctl, tmp_path: Path) -> None:
    restated_desk(connection)

    paths = riskctl("--to", str(tmp_path)).stdout.split()

    assert len(paths) == len(TABLES)
    table = pq.read_table(paths[0])
    assert table.schema.names == list(TABLES["daily_results"])
    assert [field.type for field in table.schema] == list(TABLES["daily_results"].values())
    (row,) = table.to_pylist()
    assert (row["session_date"], row["net_pnl_usd"]) == (MON, Decimal("-214.845678"))


def test_file_with_other_content_is_left_and_named(tmp_path: Path) -> None:
    instant = dt.datetime(2025, 8, 15, 11, tzinfo=dt.UTC)
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    (tmp_path / "desk-limits-20250815T110000Z.csv").write_text("other")

    with pytest.raises(StackError, match=r"already exists with other tables: .*then run the command again\.$"):
        list(write_tables(tables, OutboundFolder(tmp_path, EXPORT), "desk", instant, ExportFormat.csv))

    assert (tmp_path / "desk-limits-20250815T110000Z.csv").read_text() == "other"


def test_amount_beyond_parquet_is_refused_and_the_other_format_has_it(tmp_path: Path) -> None:
    instant = dt.datetime(2025, 8, 15, 11, tzinfo=dt.UTC)
    row = dict.fromkeys(TABLES["limits"]) | {"account_id": "A", "limit_usd": Decimal("0." + "1" * 19), "source": "=x"}
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES} | {"limits": [row]}

    with pytest.raises(RequestError, match="use --format csv, which writes every decimal"):
        list(write_tables(tables, OutboundFolder(tmp_path, EXPORT), "desk", instant, ExportFormat.parquet))
    list(write_tables(tables, OutboundFolder(tmp_path, EXPORT), "desk", instant, ExportFormat.csv))

    (found,) = written(tmp_path, "limits")
    assert (found["limit_usd"], found["source"]) == ("0." + "1" * 19, "'=x")


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2999-01-01", "lies in the future"),
        ("2001-01-01", "Nothing had been loaded until"),
        ("yesterday", "is not a timestamp"),
    ],
)
def test_instant_that_cannot_be_is_refused(
    connection: Connection, riskctl: Riskctl, tmp_path: Path, as_of: str, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        riskctl("--to", str(tmp_path), "--as-of", as_of)

    assert list(tmp_path.iterdir()) == []
