"""The schema, the write lock and connections of the warehouse."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core import calendar, schema, warehouse
from risk.core.errors import CheckError, ConnectionLostError, SchemaError, StackError
from risk.core.roles import SCHEMAS
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.ingest.load import load_drop
from risk.model.build_features import store_features
from tests.databases import create_database, drop_database
from tests.drops import write_drop
from tests.report_desks import insert

SESSION = dt.date(2025, 8, 15)
OBJECTS = sorted(
    path.stem for part in ("tables", "functions") for path in (warehouse.SQL_DIR / "schema" / part).glob("*.sql")
)


@pytest.fixture
def schema_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the schema of a copy of the SQL folder, with one more migration."""
    folder = tmp_path / "sql"
    shutil.copytree(warehouse.SQL_DIR / "schema", folder / "schema")
    (folder / "migrate").symlink_to(warehouse.SQL_DIR / "migrate")
    (folder / "schema" / "migrations").mkdir(exist_ok=True)
    (folder / "schema" / "migrations" / "900_examples.sql").write_text("create table risk.examples (number integer)")
    monkeypatch.setattr(warehouse, "SQL_DIR", folder)
    monkeypatch.setattr(schema, "SQL_DIR", folder)
    warehouse.statement.cache_clear()
    yield folder / "schema"
    warehouse.statement.cache_clear()


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[warehouse.Connection]:
    """Give a connection to a database without any schema of ours."""
    name = f"empty_{os.getpid()}"
    create_database(server_dsn, name, "template1")
    with contextlib.closing(warehouse.connect(make_dsn(server_dsn, dbname=name))) as made:
        yield made
    drop_database(server_dsn, name)


def test_migrate_creates_the_schema_in_an_empty_database_once(empty_database: warehouse.Connection) -> None:
    assert schema.migrate(empty_database) == ["baseline"]
    assert schema.migrate(empty_database) == []
    tables = warehouse.rows(empty_database, "migrate/select_tables", {"schemas": list(SCHEMAS)})
    assert {name for _, name in tables} < set(OBJECTS)


def test_every_table_column_and_function_has_a_comment(connection: warehouse.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select format('%%I.%%I', tables.relname, columns.attname)
            from pg_class as tables
            inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0
            where tables.relkind = 'r' and tables.relnamespace::regnamespace::text = any(%(schemas)s)
                and (obj_description(tables.oid, 'pg_class') is null or col_description(tables.oid, attnum) is null)
            union all
            select oid::regprocedure::text from pg_proc
            where pronamespace = 'risk'::regnamespace and obj_description(oid, 'pg_proc') is null
            """,
            {"schemas": list(SCHEMAS)},
        )
        assert cursor.fetchall() == []


def test_each_file_of_the_schema_defines_the_object_of_its_name() -> None:
    for part, kind in (("tables", "table"), ("functions", "function")):
        for path in (warehouse.SQL_DIR / "schema" / part).glob("*.sql"):
            assert re.findall(rf"^create {kind} \w+\.(\w+)", path.read_text(), re.M) == [path.stem]


def test_keys_of_fills_and_daily_results_contain_the_session(connection: warehouse.Connection) -> None:
    partitioned = ["fills", "corrections", "positions", "daily_pnl", "last_fills", "features"]
    with connection.cursor() as cursor:
        cursor.execute(
            "select indexes.indrelid::regclass::text from pg_index as indexes where indexes.indisunique and "
            "indexes.indrelid::regclass::text = any(%s) and not exists (select from pg_attribute where "
            "attrelid = indexes.indrelid and attnum = any(indexes.indkey) and attname = 'session_date')",
            (partitioned,),
        )
        assert cursor.fetchall() == []


def test_every_statement_names_the_schema_of_its_tables() -> None:
    # Temporary tables too: a bare name means what the search path finds first, and that begins with pg_catalog.
    objects = (warehouse.SQL_DIR / "schema").rglob("*.sql")
    bare = re.compile(
        r"\b(?:from|join|into|update|truncate|like|on table|analyze|temporary table|drop table(?: if exists)?)"
        r"\s+(?!lateral\b|set\b|only\b|if\b|pg_)([a-z]\w*)\b(?!\s*[.(])",
        re.IGNORECASE,
    )
    unqualified = []
    for path in set(warehouse.SQL_DIR.rglob("*.sql")) - set(objects):
        code = re.sub(r"--.*|'[^']*'|\bdistinct from\b|\bextract\s*\([^)]*\)", "", path.read_text())
        named = set(re.findall(r"(?:\bwith(?: recursive)?|,)\s+(\w+) as (?:(?:not )?materialized )?\(", code))
        unqualified += [(path.name, name) for name in bare.findall(code) if name not in named]

    assert unqualified == []


def test_no_name_of_a_step_can_be_shadowed(warehouse_dsn: str, tmp_path: Path) -> None:
    # given tables of the same names, and a connection whose path finds them first
    shadows = [name for path in warehouse.SQL_DIR.rglob("*.sql") for name in re.findall(
        r"create temporary table pg_temp\.(\w+)", path.read_text())]  # fmt: skip
    with contextlib.closing(warehouse.connect(warehouse_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create schema shadow")
        for name in {*shadows, *OBJECTS}:
            cursor.execute(f"create table shadow.{name} (number integer)")
    hostile = make_dsn(warehouse_dsn, options="-c search_path=shadow,pg_catalog,pg_temp")

    # when a session is loaded, checked, booked and described
    with contextlib.closing(warehouse.connect(hostile)) as connection:
        load = load_drop(connection, write_drop(tmp_path, SESSION, {"NET001": 2}), SESSION, Settings())
        run = open_run(connection, SESSION, load.load_id, "r")
        check_fills(connection, hostile, run)
        aggregate(connection, run)
        store_features(connection, run)

        # then no row is in any of them
        with connection, connection.cursor() as cursor:
            for name in {*shadows, *OBJECTS}:
                cursor.execute(f"select from shadow.{name}")
                assert cursor.fetchone() is None
            cursor.execute("select count(*) from risk.fills")
            assert cursor.fetchone() == (2,)
    assert len(shadows) > 10


def test_a_percent_sign_of_a_statement_starts_a_bind_or_is_doubled() -> None:
    statements = set(warehouse.SQL_DIR.rglob("*.sql")) - set((warehouse.SQL_DIR / "schema").rglob("*.sql"))
    alone = [path.name for path in statements if re.search(r"(?<!%)%(?![%(])", path.read_text())]

    assert alone == []


def test_migrate_refuses_a_warehouse_that_is_older_than_the_baseline(empty_database: warehouse.Connection) -> None:
    with empty_database, empty_database.cursor() as cursor:
        cursor.execute("create table public.schema_migrations (name text)")

    with pytest.raises(SchemaError, match=r"older than the schema's baseline and cannot be upgraded.*make clean"):
        schema.migrate(empty_database)


def test_migrate_refuses_a_warehouse_of_another_baseline(connection: warehouse.Connection, schema_dir: Path) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("update schema_migrations set content_sha256 = repeat('0', 64)")

    with pytest.raises(SchemaError, match=r"another version of the schema \(baseline differs\).*make clean"):
        schema.migrate(connection)

    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('risk.examples')")
        assert cursor.fetchone() == (None,)


def test_migrate_applies_a_migration_after_the_baseline_once(
    connection: warehouse.Connection, schema_dir: Path
) -> None:
    assert schema.migrate(connection) == ["900_examples"]
    assert schema.migrate(connection) == []


def test_migrate_refuses_a_missing_migration(connection: warehouse.Connection, schema_dir: Path) -> None:
    schema.migrate(connection)
    (schema_dir / "migrations" / "900_examples.sql").unlink()

    with pytest.raises(SchemaError, match="900_examples differs"):
        schema.migrate(connection)


def test_migrate_from_several_processes_applies_a_migration_once(warehouse_dsn: str, schema_dir: Path) -> None:
    applied: list[str] = []

    def migrate() -> None:
        connection = warehouse.connect(warehouse_dsn)
        applied.extend(schema.migrate(connection))
        connection.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert applied == ["900_examples"]


def test_writing_rolls_back_everything_when_a_step_fails(connection: warehouse.Connection) -> None:
    def write_and_fail() -> None:
        with warehouse.writing(connection), connection.cursor() as cursor:
            cursor.execute("insert into digests (through_date, database_bytes) values ('2025-01-03', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from digests")
        assert cursor.fetchone() == (0,)


def test_connect_names_the_place_but_not_the_password_when_nobody_answers() -> None:
    with pytest.raises(ConnectionLostError) as caught:
        warehouse.connect("postgresql://risk:secret-word@127.0.0.1:1/warehouse")

    assert "127.0.0.1:1/warehouse" in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_store_sessions_repairs_a_calendar_that_differs_and_leaves_an_equal_one_alone(
    connection: warehouse.Connection,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update sessions set closes_at = closes_at + interval '3 hours' where session_date = '2025-07-03'"
        )
        cursor.execute("delete from sessions where session_date = '2025-07-02'")

        calendar.store_sessions(connection)

        cursor.execute(
            "select session_date::text, closes_at from sessions where session_date in ('2025-07-02', '2025-07-03')"
        )
        assert sorted(cursor.fetchall()) == [
            ("2025-07-02", calendar.session_close(dt.date(2025, 7, 2))),
            ("2025-07-03", calendar.session_close(dt.date(2025, 7, 3))),
        ]
        connection.commit()

        calendar.store_sessions(connection)

        cursor.execute("select pg_current_xact_id_if_assigned() is null")
        assert cursor.fetchone() == (True,)


def test_a_server_lost_in_the_middle_of_a_transaction_gets_a_sentence_and_undoes_it(
    connection: warehouse.Connection, warehouse_dsn: str
) -> None:
    # A full disk ends every connection the same way: the server restarts itself.
    with pytest.raises(ConnectionLostError) as caught, warehouse.answering(), warehouse.writing(connection):
        lose_in_the_middle(connection, warehouse_dsn)

    assert "broke off in the middle of the work: " in str(caught.value)
    assert "already closed" not in str(caught.value)
    with contextlib.closing(warehouse.connect(warehouse_dsn)) as after:
        assert "999_lost" not in dict(warehouse.rows(after, "migrate/select_schema_migrations"))


def test_run_is_refused_while_something_is_recorded_later_than_the_clock_shows(
    connection: warehouse.Connection,
) -> None:
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    load = {"source": "drop", "is_simulated": False, "through_session_date": dt.date(2025, 8, 15)}
    load_id = insert(connection, "loads", **load, recorded_at=ahead)

    with pytest.raises(CheckError, match=f"something was loaded at {ahead:%Y-%m-%d %H:%M:%S} UTC: the clock was ahead"):
        open_run(connection, dt.date(2025, 8, 15), load_id, "r")

    assert open_run(connection, dt.date(2025, 8, 15), load_id, "r", as_of=ahead).as_of == ahead


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "other"}, "refuses the connection: .*password authentication failed.* Correct login, password"),
        ({"dbname": "absent"}, 'refuses the connection: .*database "absent" does not exist. Correct login, password'),
        ({"port": 1}, r"does not answer: .*Connection refused.* Start it \(make up\), then clear this task"),
    ],
)
def test_a_refused_login_is_not_taken_for_a_server_that_is_down(
    warehouse_dsn: str, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(ConnectionLostError, match=said) as caught:
        warehouse.connect(make_dsn(warehouse_dsn, **wrong))

    assert "other" not in str(caught.value)


def test_a_refusal_that_ends_with_a_period_gets_no_second_one(warehouse_dsn: str) -> None:
    name = f"closed_{os.getpid()}"
    with contextlib.closing(warehouse.connect(make_dsn(warehouse_dsn, dbname="postgres"))) as admin:
        admin.autocommit = True
        admin.cursor().execute(f"create role {name} login password 'word'")
        admin.cursor().execute(f"create database {name}")
        admin.cursor().execute(f"revoke connect on database {name} from public")
        try:
            with pytest.raises(ConnectionLostError, match=r"CONNECT privilege\. Correct login, password or database"):
                warehouse.connect(make_dsn(warehouse_dsn, dbname=name, user=name, password="word"))
        finally:
            admin.cursor().execute(f"drop database {name} with (force)")
            admin.cursor().execute(f"drop role {name}")


def test_full_disk_is_one_error_with_its_folder_and_remedy() -> None:
    with (
        pytest.raises(StackError, match=r"There is no space for .*RISK_SCRATCH_DIR name a folder of another disk"),
        warehouse.answering(),
        Path("/dev/full").open("w", encoding="utf-8") as file,
    ):
        file.write("x" * 100_000)


def test_a_role_without_a_privilege_gets_a_sentence_with_the_remedy(reader: warehouse.Connection) -> None:
    with (
        pytest.raises(
            StackError, match=r"lacks a privilege: permission denied for table .*riskctl migrate as the owner"
        ),
        warehouse.answering(),
    ):
        warehouse.execute(reader, "migrate/insert_schema_migrations", {"name": "x", "content_sha256": ""})


def lose_in_the_middle(connection: warehouse.Connection, dsn: str) -> None:
    warehouse.execute(connection, "migrate/insert_schema_migrations", {"name": "999_lost", "content_sha256": ""})
    with contextlib.closing(warehouse.connect(dsn)) as other, other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
    warehouse.rows(connection, "migrate/select_schema_migrations")
