"""A restore is recorded in the chain: mails of the history that it replaced say what is missing, never nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn
from typer.testing import CliRunner

from devstack import postgres
from risk.cli import app
from risk.core import backup
from risk.core.backup import DATABASES
from risk.core.calendar import store_sessions
from risk.core.chain import read_head, verify
from risk.core.errors import RequestError
from risk.core.roles import Roles
from risk.core.schema import prepare_warehouse
from risk.core.server import ensure_databases
from risk.core.verify import Verdict, Witness
from risk.core.warehouse import Connection, connect, writing
from risk.limits.approvals import APPROVED, read_publication
from risk.limits.publish import publish
from tests.approval_desks import ANN, MORNING, answer, opened, reported
from tests.databases import quick_folder
from tests.report_desks import insert

PASSWORDS = {"risk_owner": "one", "risk": "two", "airflow": "three"}


@pytest.fixture(scope="module")
def installation() -> Iterator[str]:
    """Give a superuser's connection to a server with the databases of an installation, the warehouse prepared."""
    with quick_folder() as folder, postgres.temporary_cluster(folder) as dsn:
        ensure_databases(dsn, DATABASES, PASSWORDS)
        with warehouse(dsn, "risk_owner") as owner:
            prepare_warehouse(owner, Roles("risk"))
            with writing(owner):
                store_sessions(owner)
        run(dsn, "create database pristine template warehouse owner risk_owner")
        yield dsn


@pytest.fixture
def server(installation: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the same with a warehouse in which nothing is recorded."""
    monkeypatch.setenv("PATH", str(postgres.programs_dir()), prepend=os.pathsep)
    run(installation, "drop database if exists warehouse with (force)")
    run(installation, "create database warehouse template pristine owner risk_owner")
    run(installation, "grant connect, create, temporary on database warehouse to risk")
    return installation


def run(dsn: str, command: str) -> None:
    with contextlib.closing(psycopg2.connect(dsn)) as superuser:
        superuser.autocommit = True
        superuser.cursor().execute(command)


@contextlib.contextmanager
def warehouse(dsn: str, role: str = "risk") -> Iterator[Connection]:
    login = {
        "user": role,
        "password": PASSWORDS[role],
        "dbname": "warehouse",
        "options": "-c search_path=risk,results,derived",
    }
    with contextlib.closing(connect(make_dsn(dsn, **login))) as connection:
        yield connection


def witness(dsn: str, name: str, sent_at: str = "") -> Witness:
    """Record something, and give the head that a mail about it states."""
    with warehouse(dsn) as connection:
        insert(connection, "policy_verdicts", content_sha256=name, facts="{}", dag_run_id="")
        with connection, connection.cursor() as cursor:
            cursor.execute("select max(verdict_id)::text from risk.policy_verdicts")
            return Witness(name, *read_head(connection, "policy_verdicts", [cursor.fetchall()[0][0]]), sent_at)


def verdict(dsn: str, *witnesses: Witness) -> Verdict:
    with warehouse(dsn) as connection:
        return verify(connection, witnesses)


def restored_at(dsn: str) -> str:
    with warehouse(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            'select to_char(max(recorded_at), \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') from risk.chain_links '
            "where kind = 'restores'"
        )
        return str(cursor.fetchall()[0][0])


def test_restore_is_linked_and_says_what_is_missing_of_what_mails_have_seen(server: str, tmp_path: Path) -> None:
    # given a backup between two mails
    kept = witness(server, "kept.eml")
    backup.back_up(server, ["warehouse"], tmp_path / "risk.tar", "key")
    lost = witness(server, "lost.eml")
    assert verdict(server, kept, lost).exit_code == 0

    # when it is restored and work goes on
    backup.restore(server, tmp_path / "risk.tar", "key")
    after = witness(server, "after.eml")

    # then what came after the backup is missing, and the rest is whole
    found = verdict(server, kept, lost, after)
    assert (found.exit_code, found.faults) == (2, ())
    missing = f"History {kept.sequence + 1} to {lost.sequence} is missing since the restore of {restored_at(server)}"
    assert found.missing == (f"{missing}: lost.eml has seen it. Confirm the restore.",)
    assert found.witnessed_count == found.link_count == after.sequence
    assert verdict(server, kept, after).exit_code == 0
    # and longer history than it replaced, a later mail and what came before the backup it does not explain
    for odd in (
        lost._replace(sequence=lost.sequence + 1),
        lost._replace(sent_at="2100-01-01T00:00:00.000000Z"),
        kept._replace(digits="0" * 16),
    ):
        assert verdict(server, odd, after).exit_code == 1
    assert verdict(server, lost._replace(sent_at="2025-08-15T11:00:00.000000Z"), after).exit_code == 2


def test_without_a_link_of_a_restore_the_chain_is_cut(server: str, tmp_path: Path) -> None:
    witness(server, "kept.eml")
    backup.back_up(server, ["warehouse"], tmp_path / "risk.tar", "key")
    lost = witness(server, "lost.eml")
    backup.restore(server, tmp_path / "risk.tar", "key")
    forget = "delete from risk.restores; delete from risk.chain_links where kind = 'restores'"
    run(make_dsn(server, dbname="warehouse"), forget)

    found = verdict(server, lost)

    assert (found.exit_code, found.missing) == (1, ())
    assert found.faults == (f"The chain is cut: it ends at link 2, and lost.eml states link {lost.sequence}.",)


def test_forged_restore_still_names_what_is_missing(server: str) -> None:
    seen = [witness(server, name) for name in ("first.eml", "second.eml", "third.eml")]
    run(
        make_dsn(server, dbname="warehouse"),
        "delete from risk.policy_verdicts where verdict_id > 1; delete from risk.chain_links where sequence > 2;"
        "insert into risk.restores (head_sequence) values (2)",
    )
    witness(server, "later.eml")

    found = verdict(server, *seen)

    assert (found.exit_code, found.faults, len(found.missing)) == (2, (), 2)
    assert "History 3 to 3 is missing" in found.missing[0]
    assert "second.eml has seen it" in found.missing[0]


def test_restore_into_an_empty_place_explains_whatever_came_after_the_backup(server: str, tmp_path: Path) -> None:
    witness(server, "kept.eml")
    backup.back_up(server, ["warehouse"], tmp_path / "risk.tar", "key")
    lost = witness(server, "lost.eml")
    run(server, "drop database warehouse")

    backup.restore(server, tmp_path / "risk.tar", "key")

    assert verdict(server, lost).exit_code == 2


def test_restore_says_which_open_approvals_it_has_closed(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse(server, "risk_owner") as connection:
        publication = opened(connection, reported(connection, 1, HIGH="0.60"), at=MORNING)
        backup.back_up(server, ["warehouse"], file := tmp_path / "risk.tar", "key")
    monkeypatch.setenv("RISK_SERVER_DSN", server)
    monkeypatch.setenv("RISK_BACKUP_KEY", "key")

    done = CliRunner().invoke(app, ["restore", "--file", str(file)])

    assert done.output == (
        "Restored warehouse. Approvals that were open in the backup, for 2025-08-18, are closed and never come into "
        "force: run the session again, and its report asks again. Start Airflow again (make up).\n"
    )
    with warehouse(server, "risk_owner") as connection:
        with pytest.raises(RequestError, match="closed this approval"):
            answer(connection, publication, "HIGH", APPROVED, ANN)
        assert publish(connection, read_publication(connection, run_id=publication.run_id), None).account_count == 0


def test_pipeline_records_no_restore(server: str) -> None:
    with warehouse(server) as connection, pytest.raises(psycopg2.errors.InsufficientPrivilege), connection:
        connection.cursor().execute("insert into risk.restores (head_sequence) values (1)")


def test_second_restore_explains_what_the_first_has_replaced(server: str, tmp_path: Path) -> None:
    # given a backup, after which a long history and then a short one were replaced by it
    witness(server, "kept.eml")
    backup.back_up(server, ["warehouse"], tmp_path / "risk.tar", "key")
    long = [witness(server, f"{number}.eml") for number in range(5)]
    backup.restore(server, tmp_path / "risk.tar", "key")
    short = witness(server, "short.eml")

    backup.restore(server, tmp_path / "risk.tar", "key")

    assert verdict(server, *long, short).faults == ()
    assert verdict(server, long[-1]).exit_code == verdict(server, short).exit_code == 2
