"""Hostile archives for a restore: what they contain is run with the rights of a database's owner, never more."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from devstack import postgres
from devstack.stack import DATABASES
from risk.core import backup
from risk.core.errors import RequestError, RiskError
from risk.core.schema import prepare_warehouse
from risk.core.warehouse import connect

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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a superuser's connection to a server with the databases of an installation, the warehouse prepared."""
    with postgres.temporary_cluster(tmp_path_factory.mktemp("server")) as dsn:
        postgres.ensure_databases(dsn, DATABASES, PASSWORDS)
        with contextlib.closing(connect(as_role(dsn, "risk_owner", "warehouse"))) as owner:
            prepare_warehouse(owner, "risk")
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
    """Back up a copy of the warehouse into which a superuser has planted something."""
    run_alone(server, "drop database if exists planted", "create database planted template warehouse owner risk_owner")
    run(make_dsn(server, dbname="planted"), planted)
    backup.back_up(server, {"planted": "postgres"}, file)
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
    (folder / backup.CONTENTS).write_text(json.dumps({"sha256": {new: digest}, "owners": {new: "postgres"}}))
    with tarfile.open(file, "w") as made:
        for path in folder.iterdir():
            made.add(path, path.name)
    return file


def restore(dsn: str, file: Path) -> None:
    """Restore as an administrator does who trusts a foreign archive."""
    backup.restore(dsn, file)


@pytest.mark.xfail(strict=True, reason="the archive is run by a superuser")
def test_archive_runs_no_command_of_the_operating_system(server: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    file = archive(server, tmp_path / "risk.tar", COMMAND.format(file=proof))
    proof.unlink()

    with contextlib.suppress(RiskError):
        restore(server, file)

    assert not proof.exists()


@pytest.mark.xfail(strict=True, reason="the archive names the owner and the rights")
def test_archive_leaves_no_function_with_more_rights_than_its_caller(server: str, tmp_path: Path) -> None:
    restore(server, archive(server, tmp_path / "risk.tar", BACK_DOOR))

    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        run(as_role(server, "risk", "warehouse"), "select risk.back_door('create role mallory superuser')")
    run(as_role(server, "risk", "warehouse"), "select risk.summarize_fills()")


@pytest.mark.parametrize("name", ["postgres", "template1", "payroll", "../warehouse"])
@pytest.mark.xfail(strict=True, reason="any database is replaced")
def test_archive_replaces_no_database_but_those_of_an_installation(server: str, tmp_path: Path, name: str) -> None:
    file = tmp_path / "risk.tar"
    backup.back_up(server, {"airflow": "airflow"}, file)

    with pytest.raises(RequestError, match="no database of this installation"):
        restore(server, renamed(file, "airflow", name))


@pytest.mark.parametrize("database", ["airflow", "postgres", "template1"])
@pytest.mark.xfail(strict=True, reason="everybody may connect")
def test_pipeline_connects_to_no_other_database(server: str, database: str) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(as_role(server, "risk", database)).close()


@pytest.mark.xfail(strict=True, reason="everybody may connect")
def test_restored_database_is_closed_to_other_roles(server: str, tmp_path: Path) -> None:
    file = tmp_path / "risk.tar"
    backup.back_up(server, {"warehouse": "risk_owner", "airflow": "airflow"}, file)
    restore(server, file)

    run(as_role(server, "risk", "warehouse"), "create temporary table mine (number integer)")
    for role, database in (("risk", "airflow"), ("airflow", "warehouse")):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            psycopg2.connect(as_role(server, role, database)).close()
