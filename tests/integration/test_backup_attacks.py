"""Hostile archives for a restore: what they contain is run with the rights of a database's owner, never more."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from devstack import postgres
from risk.core import backup
from risk.core.backup import DATABASES
from risk.core.errors import RequestError, RiskError, StackError
from risk.core.roles import Roles
from risk.core.schema import prepare_warehouse
from risk.core.server import ensure_databases
from risk.core.warehouse import connect
from tests.databases import quick_folder

PASSWORDS = {"risk_owner": "one", "risk": "two", "airflow": "three"}
COMMAND = """
create table public.output (line text);
create function public.run(number integer) returns integer language plpgsql as $$
begin
    execute format('copy public.output from program %L', 'touch {file}; echo done');
    return number;
end $$;
create table public.bait (number integer check (public.run(number) > 0));
insert into public.bait values (1);
"""
"""A function that runs a command of the operating system, and a table that calls it for each of its rows."""

BACK_DOOR = """
create function risk.back_door(command text) returns void language plpgsql security definer as $$
begin execute command; end $$;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give a superuser's connection to a server with the databases of an installation, the warehouse prepared."""
    with quick_folder() as folder, postgres.temporary_cluster(folder) as dsn:
        ensure_databases(dsn, DATABASES, PASSWORDS)
        with contextlib.closing(connect(as_role(dsn, "risk_owner", "warehouse"))) as owner:
            prepare_warehouse(owner, Roles("risk"))
        # Tests restore what they have planted; each plants into a copy of this one.
        run_alone(dsn, "create database pristine template warehouse owner risk_owner")
        yield dsn


@pytest.fixture(autouse=True)
def _programs_of_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(postgres.programs_dir()), prepend=os.pathsep)


def as_role(dsn: str, role: str, database: str) -> str:
    return make_dsn(dsn, user=role, password=PASSWORDS[role], dbname=database)


def run(dsn: str, command: str) -> None:
    with contextlib.closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(command)


def archive(server: str, file: Path, planted: str) -> Path:
    """Back up a warehouse into which a superuser has planted something."""
    run_alone(server, "drop database if exists planted", "create database planted template pristine owner risk_owner")
    run(make_dsn(server, dbname="planted"), planted)
    backup.back_up(server, ["planted"], file)
    run_alone(server, "drop database planted")
    return renamed(file, "planted", "warehouse")


def run_alone(dsn: str, *commands: str) -> None:
    with contextlib.closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        for command in commands:
            connection.cursor().execute(command)


def renamed(file: Path, old: str, new: str) -> Path:
    """Write the archive again, as one of another database, its hashes correct."""
    folder = file.with_suffix(".folder")
    folder.mkdir()
    backup.extract(file, folder)
    (folder / f"{old}.dump").rename(folder / f"{new}.dump")
    digest = hashlib.sha256((folder / f"{new}.dump").read_bytes()).hexdigest()
    (folder / backup.CONTENTS).write_text(json.dumps({"sha256": {new: digest}, "seal": ""}))
    with tarfile.open(file, "w") as made:
        for path in folder.iterdir():
            made.add(path, path.name)
    return file


def restore(dsn: str, file: Path) -> None:
    """Restore as an administrator does who trusts a foreign archive."""
    backup.restore(dsn, file, is_trusted=True)


def test_archive_runs_no_command_of_the_operating_system(server: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    file = archive(server, tmp_path / "risk.tar", COMMAND.format(file=proof))
    proof.unlink()

    with contextlib.suppress(RiskError):
        restore(server, file)

    assert not proof.exists()


def test_archive_leaves_no_function_with_more_rights_than_its_caller(server: str, tmp_path: Path) -> None:
    restore(server, archive(server, tmp_path / "risk.tar", BACK_DOOR))

    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        run(as_role(server, "risk", "warehouse"), "select risk.back_door('create role mallory superuser')")
    run(as_role(server, "risk", "warehouse"), "select risk.summarize_fills()")


@pytest.mark.parametrize("name", ["postgres", "template1", "payroll", "../warehouse"])
def test_archive_replaces_no_database_but_those_of_an_installation(server: str, tmp_path: Path, name: str) -> None:
    file = tmp_path / "risk.tar"
    backup.back_up(server, ["airflow"], file)

    with pytest.raises(RequestError, match=r"no database of this installation|is not a backup of make backup"):
        restore(server, renamed(file, "airflow", name))


@pytest.mark.parametrize("database", ["airflow", "postgres", "template1"])
def test_pipeline_connects_to_no_other_database(server: str, database: str) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(as_role(server, "risk", database)).close()


def test_restored_database_is_closed_to_other_roles(server: str, tmp_path: Path) -> None:
    file = tmp_path / "risk.tar"
    backup.back_up(server, ["warehouse", "airflow"], file)
    restore(server, file)

    run(as_role(server, "risk", "warehouse"), "create temporary table mine (number integer)")
    for role, database in (("risk", "airflow"), ("airflow", "warehouse")):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            psycopg2.connect(as_role(server, role, database)).close()


def test_archive_of_another_origin_is_refused_unless_it_is_trusted(server: str, tmp_path: Path) -> None:
    file = tmp_path / "risk.tar"
    backup.back_up(server, ["airflow"], file, "key")

    assert backup.restore(server, file, "key").databases == ["airflow"]
    for key in ("", "another key"):
        with pytest.raises(RequestError, match="was not made by this installation"):
            backup.restore(server, file, key)
    # A forger knows everything but the key.
    with pytest.raises(RequestError, match="was not made by this installation"):
        backup.restore(server, renamed(file, "airflow", "warehouse"), "key")
    backup.back_up(server, ["airflow"], tmp_path / "bare.tar")
    with pytest.raises(RequestError, match=r"trust where it comes from, with make restore FILE=path TRUSTED=1"):
        backup.restore(server, tmp_path / "bare.tar", "")


def test_restore_that_is_killed_at_any_command_leaves_all_old_or_all_new_databases(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a backup of two databases, each of which says that it is the old one, then the new one
    names = {"warehouse": "risk_owner", "airflow": "airflow"}
    for name in names:
        run(make_dsn(server, dbname=name), "create table public.state as select 'old' as state")
    backup.back_up(server, names, tmp_path / "backup.tar")
    for name in names:
        run(make_dsn(server, dbname=name), "update public.state set state = 'new'")

    # when the restore is killed before each command of the swap in turn
    seen = []
    for count in range(20):
        with contextlib.suppress(KeyboardInterrupt), monkeypatch.context() as patch:
            patch.setattr(backup, "swap", lambda cursor, databases, count=count: swap(Dying(cursor, count), databases))
            restore(server, tmp_path / "backup.tar")
            break
        # then all are what they were, or all are restored, and the next restore does it all
        states = {value(make_dsn(server, dbname=name), "select state from public.state") for name in names}
        assert len(states) == 1
        seen += states
        for name in names:
            run(make_dsn(server, dbname=name), "update public.state set state = 'new'")
    assert len(seen) > 4
    assert set(seen) == {"new", "old"}
    assert value(server, "select count(*) from pg_database where datname ~ '_(restored|replaced)$'") == 0
    for name in names:
        assert value(make_dsn(server, dbname=name), "select state from public.state") == "old"
        run(make_dsn(server, dbname=name), "drop table public.state")


swap = backup.swap


class Dying:
    """A cursor of a process that is killed before one of its commands."""

    def __init__(self, cursor: psycopg2.extensions.cursor, left: int) -> None:
        self.cursor = cursor
        self.left = left

    def execute(self, command: Any) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.cursor.execute(command)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.cursor.fetchall()


def value(dsn: str, query: str) -> Any:
    with contextlib.closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()[0][0]


def test_restore_leaves_no_role_and_no_setting_behind(server: str, tmp_path: Path) -> None:
    planted = "create function public.poison() returns integer language plpgsql as $$ begin " + "".join(
        f"execute 'alter {what} set search_path = public'; "
        for what in ("role risk_owner", "role risk_owner in database warehouse_restored", "database warehouse_restored")
    )
    bait = "return 1; end $$; create table public.bait (number integer check (public.poison() > 0));"
    run_alone(server, "drop database if exists warehouse_restored with (force)", "create database warehouse_restored")
    file = archive(server, tmp_path / "risk.tar", planted + bait + "insert into public.bait values (1);")

    restore(server, file)

    with contextlib.closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_db_role_setting")
        assert cursor.fetchone() == (0,)
        cursor.execute("select count(*) from pg_roles where rolname like 'restore%'")
        assert cursor.fetchone() == (0,)


def test_warehouse_of_another_version_replaces_nothing(server: str, tmp_path: Path) -> None:
    place = make_dsn(server, dbname="warehouse")
    run(place, "comment on schema risk is 'in place'")
    file = archive(server, tmp_path / "risk.tar", "update risk.schema_migrations set content_sha256 = repeat('0', 64)")

    with pytest.raises(StackError, match=r"comes from another version of the code, and nothing was replaced"):
        restore(server, file)

    with contextlib.closing(psycopg2.connect(place)) as connection, connection.cursor() as cursor:
        cursor.execute("select obj_description('risk'::regnamespace)")
        assert cursor.fetchone() == ("in place",)
