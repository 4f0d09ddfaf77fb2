"""Migrations, the write lock and connections of the warehouse."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.core import calendar, warehouse
from risk.core.errors import ConnectionLostError, SchemaError


@pytest.fixture
def schema_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a copy of the SQL folder whose schema has one file of its own."""
    folder = tmp_path / "sql"
    (folder / "schema").mkdir(parents=True)
    (folder / "migrate").symlink_to(warehouse.SQL_DIR / "migrate")
    applied = sorted((warehouse.SQL_DIR / "schema").glob("*.sql"))
    for path in applied:
        (folder / "schema" / path.name).write_bytes(path.read_bytes())
    (folder / "schema" / "900_examples.sql").write_text("create table examples (example_id bigint primary key)")
    monkeypatch.setattr(warehouse, "SQL_DIR", folder)
    warehouse.statement.cache_clear()
    yield folder
    warehouse.statement.cache_clear()


def test_migrate_applies_each_file_once(connection: warehouse.Connection, schema_dir: Path) -> None:
    assert warehouse.migrate(connection) == ["900_examples"]
    assert warehouse.migrate(connection) == []


def test_migrate_refuses_a_changed_old_file_and_applies_nothing(
    connection: warehouse.Connection, schema_dir: Path
) -> None:
    warehouse.migrate(connection)
    (schema_dir / "schema" / "900_examples.sql").write_text("create table examples (other_id bigint primary key)")
    (schema_dir / "schema" / "901_more.sql").write_text("create table more (more_id bigint primary key)")

    with pytest.raises(
        SchemaError, match=r"Schema file 900_examples\.sql was applied to this warehouse and has changed"
    ):
        warehouse.migrate(connection)

    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('more')")
        assert cursor.fetchone() == (None,)


def test_migrate_refuses_a_missing_old_file(connection: warehouse.Connection, schema_dir: Path) -> None:
    warehouse.migrate(connection)
    (schema_dir / "schema" / "900_examples.sql").unlink()

    with pytest.raises(SchemaError, match=r"900_examples\.sql was applied to this warehouse and is gone"):
        warehouse.migrate(connection)


def test_migrate_from_two_processes_applies_each_file_once(warehouse_dsn: str, schema_dir: Path) -> None:
    applied: list[str] = []

    def migrate() -> None:
        connection = warehouse.connect(warehouse_dsn)
        applied.extend(warehouse.migrate(connection))
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
            cursor.execute("insert into base_limits (account_id, valid_from, limit_usd) values ('A', '2025-01-02', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from base_limits")
        assert cursor.fetchone() == (0,)


def test_connect_names_the_place_but_not_the_password_when_nobody_answers() -> None:
    with pytest.raises(ConnectionLostError) as caught:
        warehouse.connect("postgresql://risk:secret-word@127.0.0.1:1/warehouse")

    assert "127.0.0.1:1/warehouse" in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_store_sessions_mends_a_calendar_that_differs_and_leaves_an_equal_one_alone(
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


def lose_in_the_middle(connection: warehouse.Connection, dsn: str) -> None:
    warehouse.execute(connection, "migrate/insert_schema_migrations", {"name": "999_lost", "content_sha256": ""})
    with contextlib.closing(warehouse.connect(dsn)) as other, other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
    warehouse.rows(connection, "migrate/select_schema_migrations")
