"""Every released schema becomes today's by the migrations: the dumps are the same."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from risk import __version__
from risk.core import schema, warehouse
from risk.core.errors import SchemaError
from tests.databases import create_database, drop_database
from tests.releases import DUMPS, dump_schema

RELEASED = sorted(schema.released_baselines())


@pytest.fixture
def made(server_dsn: str) -> Iterator[Callable[[str], str]]:
    """Give a maker of empty databases."""
    names: list[str] = []

    def make(name: str) -> str:
        names.append(f"{name}_{os.getpid()}")
        create_database(server_dsn, names[-1], "template1")
        return make_dsn(server_dsn, dbname=names[-1])

    yield make
    for name in names:
        drop_database(server_dsn, name)


@pytest.fixture
def schema_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the schema of a copy of the SQL folder, to change."""
    shutil.copytree(warehouse.SQL_DIR / "schema", tmp_path / "sql" / "schema")
    (tmp_path / "sql" / "schema" / "migrations").mkdir(exist_ok=True)
    for name in ("migrate", "policy"):
        (tmp_path / "sql" / name).symlink_to(warehouse.SQL_DIR / name)
    monkeypatch.setattr(warehouse, "SQL_DIR", tmp_path / "sql")
    monkeypatch.setattr(schema, "SQL_DIR", tmp_path / "sql")
    warehouse.statement.cache_clear()
    yield tmp_path / "sql" / "schema"
    warehouse.statement.cache_clear()


def schema_of_today(dsn: str) -> str:
    """Create the schema in an empty database and dump it."""
    with contextlib.closing(warehouse.connect(dsn)) as connection:
        schema.migrate(connection)
    return dump_schema(dsn)


def migrated(dsn: str, release: str) -> str:
    """Make a warehouse of a release in an empty database, migrate it and dump it."""
    with contextlib.closing(warehouse.connect(dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute((DUMPS / f"{release}.sql").read_text(encoding="utf-8"))
            # The dump has emptied it.
            cursor.execute("set search_path = pg_catalog, pg_temp")
        digest = {"name": schema.BASELINE, "content_sha256": schema.released_baselines()[release]}
        with connection:
            warehouse.execute(connection, "migrate/insert_schema_migrations", digest)
        schema.migrate(connection)
    return dump_schema(dsn)


def test_this_release_is_frozen_unless_it_is_in_the_making() -> None:
    """Otherwise the tests below compare nothing: see tests/releases.py."""
    assert (__version__ in RELEASED) != (".dev" in __version__)
    assert "0.1.0" in RELEASED
    assert {path.stem for path in DUMPS.glob("*.sql")} == set(RELEASED)


@pytest.mark.parametrize("release", RELEASED)
def test_a_released_schema_and_the_migrations_make_the_schema_of_today(
    release: str, made: Callable[[str], str]
) -> None:
    assert migrated(made("released"), release) == schema_of_today(made("today"))


def test_a_change_without_its_migration_is_noticed(schema_dir: Path, made: Callable[[str], str]) -> None:
    table = schema_dir / "tables" / "digests.sql"
    text = table.read_text(encoding="utf-8")
    added = "alter table risk.digests add column note text;\ncomment on column risk.digests.note is 'A remark.';\n"
    table.write_text(f"{text}\n{added}", encoding="utf-8")
    today = schema_of_today(made("changed"))

    assert migrated(made("forgotten"), RELEASED[-1]) != today

    (schema_dir / "migrations" / "900_notes.sql").write_text(added, encoding="utf-8")
    assert migrated(made("remembered"), RELEASED[-1]) == today


def test_a_new_warehouse_holds_the_migrations_and_does_not_run_them(
    schema_dir: Path, made: Callable[[str], str]
) -> None:
    (schema_dir / "migrations" / "900_once.sql").write_text("create table risk.examples (number integer)")
    with contextlib.closing(warehouse.connect(made("fresh"))) as connection:
        assert schema.migrate(connection) == ["baseline", "900_once"]
        assert schema.migrate(connection) == []
        tables = warehouse.rows(connection, "migrate/select_tables", {"schemas": ["risk"]})
    assert ("risk", "examples") not in tables


def test_a_warehouse_from_between_two_releases_is_refused(schema_dir: Path, made: Callable[[str], str]) -> None:
    with contextlib.closing(warehouse.connect(made("between"))) as connection:
        schema.migrate(connection)
        with connection, connection.cursor() as cursor:
            cursor.execute("update risk.schema_migrations set content_sha256 = repeat('0', 64) where name = 'baseline'")
        with pytest.raises(SchemaError, match=r"another version of the schema \(baseline differs\).*make clean"):
            schema.migrate(connection)


def test_older_code_refuses_a_warehouse_of_a_later_release(schema_dir: Path, made: Callable[[str], str]) -> None:
    later = schema_dir / "migrations" / "900_later.sql"
    later.write_text("create table risk.examples (number integer)")
    with contextlib.closing(warehouse.connect(made("later"))) as connection:
        schema.migrate(connection)
        later.unlink()
        with pytest.raises(SchemaError, match=r"900_later differs.*restore a backup"):
            schema.migrate(connection)
