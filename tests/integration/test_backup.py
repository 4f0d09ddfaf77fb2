"""A backup restored into an empty cluster gives back the same report, byte for byte."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tarfile
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from devstack import postgres
from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core import backup
from risk.core.calendar import store_sessions
from risk.core.errors import RequestError, StackError
from risk.core.roles import Roles
from risk.core.runs import Run, open_run, read_run
from risk.core.schema import prepare_warehouse
from risk.core.server import ensure_databases
from risk.core.settings import Settings, read_settings
from risk.core.warehouse import Connection, connect, writing
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules, predict
from risk.model.build_features import store_features
from risk.report.build_facts import build_facts
from risk.report.page import Links
from risk.report.send import send_report
from simulation.writing import simulate

OWNERS = {"warehouse": "risk_owner"}
PASSWORDS = {"risk_owner": "one", "risk": "two"}


@pytest.fixture(autouse=True)
def _programs_of_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(postgres.programs_dir()), prepend=os.pathsep)


@pytest.fixture(autouse=True)
def _reports_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv("RISK_DESK", "simulated")


def warehouse(server_dsn: str, role: str) -> contextlib.closing[Connection]:
    return contextlib.closing(connect(make_dsn(server_dsn, user=role, password=PASSWORDS[role], dbname="warehouse")))


def run_line(connection: Connection, dsn: str, folder: Path, session_date: dt.date) -> Run:
    """Run the seven steps as the pipeline's own role."""
    with writing(connection):
        store_sessions(connection)
    load = load_drop(connection, folder, session_date, Settings(desk="simulated"))
    run = open_run(connection, session_date, load.load_id, "test")
    check_fills(connection, dsn, run)
    for step in (aggregate, store_features, predict):
        step(connection, run)
    apply_rules(connection, run)
    send_report(connection, run, None, Links(), read_settings())
    return run


def stored(connection: Connection) -> tuple[int, str]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select run_id, facts_sha256 from risk.reports order by run_id desc limit 1")
        row = cursor.fetchone()
        assert row
        return row


def rebuild(connection: Connection, run: Run) -> str:
    """Throw away everything that is computed, compute it again from the inputs, and return the report's identity."""
    with writing(connection), connection.cursor() as cursor:
        for table in ("derived.positions", "derived.daily_pnl", "derived.features", "results.recommendations"):
            cursor.execute(f"delete from {table}")
    for step in (aggregate, store_features):
        step(connection, run)
    apply_rules(connection, run)
    return build_facts(connection, run).sha256


@pytest.mark.slow
def test_restore_into_an_empty_cluster_rebuilds_the_last_report_to_the_same_bytes(tmp_path: Path) -> None:
    # given a run, made by the pipeline's role, and a backup of its warehouse
    desk = tmp_path / "desk"
    simulate("medium", 4, 30, 3, desk)
    session_date = max(dt.date.fromisoformat(path.stem[-10:]) for path in desk.glob("fills*.csv"))
    file = tmp_path / "backups" / "risk.tar"
    for name in "ab":
        (tmp_path / name).mkdir()
    with postgres.temporary_cluster(tmp_path / "a") as dsn:
        ensure_databases(dsn, OWNERS, PASSWORDS)
        with warehouse(dsn, "risk_owner") as owner:
            prepare_warehouse(owner, Roles("risk"))
        with warehouse(dsn, "risk") as pipeline:
            run_line(pipeline, pipeline.dsn.replace("password=xxx", "password=two"), desk, session_date)
            run_id, sha256 = stored(pipeline)
        backup.back_up(dsn, OWNERS, file, "key")

    # when it is restored into a cluster that has nothing but the roles
    with postgres.temporary_cluster(tmp_path / "b") as dsn:
        ensure_databases(dsn, OWNERS, PASSWORDS)
        assert backup.restore(dsn, file, "key").databases == ["warehouse"]

        # then the pipeline's role reads, computes again and still may not change inputs
        with warehouse(dsn, "risk") as pipeline:
            assert stored(pipeline) == (run_id, sha256)
            assert rebuild(pipeline, read_run(pipeline, run_id)) == sha256
            with pytest.raises(psycopg2.errors.InsufficientPrivilege), pipeline, pipeline.cursor() as cursor:
                cursor.execute("delete from risk.fills")
    assert file.stat().st_mode & 0o777 == 0o600


def test_restore_refuses_a_damaged_file_and_changes_nothing(
    server_dsn: str, warehouse_dsn: str, tmp_path: Path
) -> None:
    # given a backup of which one byte in the middle has changed
    name = parse_dsn(warehouse_dsn)["dbname"]
    file = tmp_path / "risk.tar"
    backup.back_up(server_dsn, [name], file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)

    with pytest.raises(RequestError, match="is damaged"):
        backup.restore(server_dsn, file)

    with contextlib.closing(connect(warehouse_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) > 1000 from risk.sessions")
        assert cursor.fetchone() == (True,)


def test_restore_writes_nothing_beside_its_own_folder(server_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("not ours")
    with tarfile.open(tmp_path / "risk.tar", "w") as archive:
        archive.add(tmp_path / "elsewhere", "../beside")

    with pytest.raises(RequestError, match=r"is not a backup of make backup \(it holds '\.\./beside'\)"):
        backup.restore(server_dsn, tmp_path / "risk.tar")
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "risk.tar"}


def test_restore_says_what_a_backup_is_when_given_something_else(server_dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.tar"
    file.write_text("not a backup", encoding="utf-8")

    with pytest.raises(RequestError, match="is not a backup of make backup"):
        backup.restore(server_dsn, file)


def test_backup_leaves_no_file_behind_when_a_database_does_not_exist(server_dsn: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="pg_dump of database nowhere failed"):
        backup.back_up(server_dsn, ["nowhere"], tmp_path / "risk.tar")

    assert list(tmp_path.iterdir()) == []
