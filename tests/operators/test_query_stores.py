"""A database as the source, by whichever hook Airflow has for it: each a real one of this machine."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.errors import ConnectionLostError, InputError, RefusalError, RequestError, RiskError, StackError
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect
from risk.operators.source_query import load_source
from tests.stores import needed

pytestmark = pytest.mark.slow

FRIDAY = dt.date(2025, 8, 15)
DEALS = (
    ("1", "2025-08-15 09:45:00", "NET001", "B", 100, "XYZ", "10.12345678", "1.00"),
    ("2", "2025-08-15 09:46:00", "NET001", "X", 100, "XYZ", "10.5", "1.00"),
    ("3", "2025-08-18 09:45:00", "NET001", "B", 100, "XYZ", "10.5", "1.00"),
)
QUERY = """
select
    {time} as "Date/Time", account as "Account", side as "B/S", quantity as "Qty", symbol as "Symbol",
    {price} as "Price", fees_usd as "Comm", execution_id as "Fill Id"
from deals
where {day} <= %(through_session_date)s
order by executed_at;
"""
COLUMNS = "execution_id text, executed_at {time}, account text, side text, quantity integer, symbol text"
COLUMNS += ", price {amount}, fees_usd {amount}"


def fill_sqlite(file: Path) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(file)) as source, source:
        source.execute(f"create table deals ({COLUMNS.format(time='text', amount='text')})")
        source.executemany("insert into deals values (?, ?, ?, ?, ?, ?, ?, ?)", DEALS)
    return {"conn_type": "sqlite", "host": str(file)}


def fill_duckdb(file: Path) -> dict[str, Any]:
    import duckdb

    with contextlib.closing(duckdb.connect(str(file))) as source:
        source.execute(f"create table deals ({COLUMNS.format(time='timestamp', amount='decimal(20, 8)')})")
        source.executemany("insert into deals values (?, ?, ?, ?, ?, ?, ?, ?)", DEALS)
    return {"conn_type": "duckdb", "host": str(file)}


def fill_postgres(dsn: str) -> dict[str, Any]:
    with contextlib.closing(connect(make_dsn(dsn, options=""))) as source, source, source.cursor() as cursor:
        cursor.execute(f"create table public.deals ({COLUMNS.format(time='timestamp', amount='numeric')})")
        for deal in DEALS:
            cursor.execute("insert into public.deals values (%s, %s, %s, %s, %s, %s, %s, %s)", deal)
    place = parse_dsn(dsn)
    return {
        "conn_type": "postgres",
        "host": place["host"],
        "port": int(place["port"]),
        "login": place["user"],
        "password": place.get("password", ""),
        "schema": place["dbname"],
    }


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """Give a maker of settings whose query and connection are as said."""

    def name(connection: Any, time: str = "executed_at", price: str = "price", day: str = "executed_at") -> Settings:
        monkeypatch.setenv("AIRFLOW_CONN_RISK_SOURCE", json.dumps(connection))
        query = tmp_path / "deals.sql"
        query.write_text(QUERY.format(time=time, price=price, day=day), encoding="utf-8")
        return Settings(source_query=query)

    return name


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "postgres"])
def test_query_of_a_file_is_loaded_exactly_and_once(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, named: Callable[..., Settings], kind: str
) -> None:
    needed(f"airflow.providers.{kind}")
    given = (
        fill_postgres(warehouse_dsn)
        if kind == "postgres"
        else {"sqlite": fill_sqlite, "duckdb": fill_duckdb}[kind](tmp_path / "deals.db")
    )
    settings = named(given, day="date(executed_at)" if kind == "sqlite" else "cast(executed_at as date)")

    first = load_source(connection, "risk_source", FRIDAY, settings)
    second = load_source(connection, "risk_source", FRIDAY, settings)

    # The deal of Monday stays where it is, the one with an unknown side is rejected.
    assert (first.fill_count, first.rejected_count, second.fill_count) == (1, 1, 0)
    with connection, connection.cursor() as cursor:
        cursor.execute("select executed_at, price, fees_usd, fill_key from risk.fills")
        assert cursor.fetchall() == [
            (dt.datetime(2025, 8, 15, 13, 45, tzinfo=dt.UTC), Decimal("10.12345678"), Decimal("1.00"), "1")
        ]


def test_amount_that_is_a_float_is_refused_and_nothing_is_stored(
    connection: Connection, tmp_path: Path, named: Callable[..., Settings]
) -> None:
    needed("airflow.providers.sqlite")
    settings = named(fill_sqlite(tmp_path / "deals.db"), price="cast(price as real)", day="date(executed_at)")

    with pytest.raises(InputError, match=r"Row 1 of the query .* has a float in the column Price, which is not exact"):
        load_source(connection, "risk_source", FRIDAY, settings)

    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from risk.loads")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "postgres"])
def test_query_that_the_database_refuses_is_named(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, named: Callable[..., Settings], kind: str
) -> None:
    needed(f"airflow.providers.{kind}")
    given = (
        fill_postgres(warehouse_dsn)
        if kind == "postgres"
        else {"sqlite": fill_sqlite, "duckdb": fill_duckdb}[kind](tmp_path / "deals.db")
    )

    with pytest.raises(RefusalError, match=r"refuses the query .*deals\.sql .*no_such.*: correct the query") as caught:
        load_source(connection, "risk_source", FRIDAY, named(given, time="no_such"))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "login": "a"},
            ConnectionLostError,
            "cannot be opened",
        ),
        ({"conn_type": "duckdb", "host": "/nowhere/at/all.db"}, ConnectionLostError, "cannot be opened"),
        ({"conn_type": "sftp", "host": "a"}, RequestError, "is no database that a query can be sent to"),
        ({"conn_type": "voicemail", "host": "a"}, StackError, "install its provider where tasks run"),
    ],
)
def test_connection_that_gives_no_database_says_what_to_do(
    connection: Connection, named: Callable[..., Settings], given: Any, error: type[RiskError], words: str
) -> None:
    if given["conn_type"] != "voicemail":
        needed(f"airflow.providers.{given['conn_type']}")

    with pytest.raises(error, match=words):
        load_source(connection, "risk_source", FRIDAY, named(given))


def test_wrong_password_of_a_database_is_an_error_that_does_not_show_it(
    connection: Connection, warehouse_dsn: str, named: Callable[..., Settings]
) -> None:
    needed("airflow.providers.postgres")
    given = {**fill_postgres(warehouse_dsn), "login": "nobody", "password": "hunter2"}

    with pytest.raises(ConnectionLostError, match="correct host, login and password") as caught:
        load_source(connection, "risk_source", FRIDAY, named(given))

    assert "hunter2" not in str(caught.value)


def test_without_a_query_only_postgres_is_a_source(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RISK_SOURCE", f"sqlite://{quote('/a.db', safe='')}")

    with pytest.raises(RequestError, match="is of the type sqlite: name the file with its query in RISK_SOURCE_QUERY"):
        load_source(connection, "risk_source", FRIDAY, Settings())


def test_no_source_at_all_is_said(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_RISK_SOURCE", raising=False)

    with pytest.raises(RefusalError, match="No source of executions is configured: set RISK_FILLS_DIR, or add"):
        load_source(connection, "risk_source", FRIDAY, Settings())


def test_query_file_that_is_missing_is_named(
    connection: Connection, tmp_path: Path, named: Callable[..., Settings]
) -> None:
    needed("airflow.providers.sqlite")
    settings = named(fill_sqlite(tmp_path / "deals.db"))

    with pytest.raises(RequestError, match=r"RISK_SOURCE_QUERY=.*gone\.sql cannot be read"):
        load_source(
            connection, "risk_source", FRIDAY, settings.model_copy(update={"source_query": tmp_path / "gone.sql"})
        )
