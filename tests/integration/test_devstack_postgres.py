"""A real cluster through start, stop, kill -9, stale files and taken ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from devstack import postgres, processes
from devstack.workspace import LOOPBACK, free_port
from risk.core.backup import DATABASES
from risk.core.errors import StackError
from risk.core.roles import Roles
from risk.core.schema import prepare_warehouse
from risk.core.server import ensure_databases
from risk.core.warehouse import connect


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[postgres.Cluster]:
    """Give a cluster that is not made yet; whatever the test leaves is stopped."""
    cluster = postgres.Cluster(tmp_path / "data", tmp_path / "server.log", tmp_path / "record.json", "secret")
    yield cluster
    postgres.stop(cluster)


def answer(dsn: str, question: str) -> str:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone()
            return str(row[0]) if row else ""
    finally:
        connection.close()


def kill_postmaster(cluster: postgres.Cluster) -> int:
    process = postgres.postmaster(cluster)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.is_alive(process), 5.0)
    return process.pid


def test_start_makes_a_durable_password_protected_server_on_loopback(cluster: postgres.Cluster) -> None:
    port = postgres.start(cluster, free_port())

    assert answer(cluster.dsn(port), "show fsync") == "on"
    assert answer(cluster.dsn(port), "show listen_addresses") == "127.0.0.1"
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(postgres.server_dsn(port, "postgres", "wrong", "postgres"))


def test_start_finds_the_running_server_when_called_again(cluster: postgres.Cluster) -> None:
    port = postgres.start(cluster, free_port())
    first = postgres.postmaster(cluster)

    again = postgres.start(cluster, free_port([port]))

    assert again == port
    assert postgres.postmaster(cluster) == first


def test_data_survive_a_killed_postmaster_and_the_next_start_works(cluster: postgres.Cluster) -> None:
    # given a committed row and a client that stays connected
    port = postgres.start(cluster, free_port())
    client = psycopg2.connect(cluster.dsn(port))
    with client, client.cursor() as cursor:
        cursor.execute("create table kept as select 42 as value")

    # when the postmaster is killed, leaving postmaster.pid, shared memory and a backend, and is started at once
    kill_postmaster(cluster)
    assert (cluster.data / "postmaster.pid").exists()
    port = postgres.start(cluster, port)

    # then
    client.close()
    assert answer(cluster.dsn(port), "select value from kept") == "42"


def test_stop_leaves_no_process_after_a_killed_postmaster(cluster: postgres.Cluster) -> None:
    postgres.start(cluster, free_port())
    assert postgres.backends(cluster)
    kill_postmaster(cluster)

    postgres.stop(cluster)

    assert postgres.backends(cluster) == []
    assert not (cluster.data / "postmaster.pid").exists()


def test_start_ignores_a_stale_pid_file_that_names_a_living_stranger(cluster: postgres.Cluster, tmp_path: Path) -> None:
    # given a stopped cluster whose postmaster.pid names a process of somebody else
    port = postgres.start(cluster, free_port())
    remains = (cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    postgres.stop(cluster)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    stranger = processes.launch(sleep, log=tmp_path / "stranger.log", mark="time.sleep", cwd=tmp_path)
    (cluster.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *remains[1:]]), encoding="utf-8")

    # when
    port = postgres.start(cluster, port)

    # then the server runs and the stranger lives
    assert answer(cluster.dsn(port), "select 1") == "1"
    assert processes.is_alive(stranger)
    processes.stop(stranger)


def test_stop_finds_the_server_when_its_record_is_lost(cluster: postgres.Cluster) -> None:
    port = postgres.start(cluster, free_port())
    cluster.record.unlink()

    assert postgres.stop(cluster)

    assert not postgres.is_answering(cluster.dsn(port))


def test_start_says_what_to_do_when_the_port_is_taken(cluster: postgres.Cluster) -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()

        with pytest.raises(StackError, match=r"does not start: its port is in use\. Start again"):
            postgres.start(cluster, server.getsockname()[1])

    port = postgres.start(cluster, free_port())
    assert answer(cluster.dsn(port), "select 1") == "1"


def test_two_clusters_run_side_by_side(cluster: postgres.Cluster, tmp_path: Path) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    port = postgres.start(cluster, free_port())

    with postgres.temporary_cluster(other_folder) as other:
        postgres.stop(cluster)

        assert answer(other, "select 1") == "1"
        assert not postgres.is_answering(cluster.dsn(port))


def test_ensure_databases_separates_the_roles(cluster: postgres.Cluster) -> None:
    port = postgres.start(cluster, free_port())
    owners = {"warehouse": "risk", "airflow": "airflow"}

    for _ in range(2):  # the second time finds everything there
        ensure_databases(cluster.dsn(port), owners, {"risk": "one", "airflow": "two"})

    dsn = postgres.server_dsn(port, "risk", "one", "warehouse")
    assert (
        answer(dsn, "select pg_catalog.pg_get_userbyid(datdba) from pg_database where datname = 'warehouse'") == "risk"
    )
    assert answer(dsn, "select rolsuper from pg_roles where rolname = 'risk'") == "False"


def test_no_role_of_an_installation_enters_a_database_that_is_not_its_own(tmp_path: Path) -> None:
    names = ("risk_owner", "risk", "risk_page", "risk_reader", "airflow")
    passwords = {name: f"it's {name}" for name in names}
    with postgres.temporary_cluster(tmp_path) as dsn:
        ensure_databases(dsn, DATABASES, passwords)
        for database in ("warehouse", "warehouse_simulated"):
            with contextlib.closing(
                connect(make_dsn(dsn, dbname=database, user="risk_owner", password=passwords["risk_owner"]))
            ) as owner:
                prepare_warehouse(owner, Roles("risk", "risk_page", "risk_reader"))

        # then each enters its own
        entered = set()
        for name in names:
            for database in (*DATABASES, "postgres", "template1"):
                with contextlib.suppress(psycopg2.OperationalError):
                    psycopg2.connect(make_dsn(dsn, dbname=database, user=name, password=passwords[name])).close()
                    entered.add((name, database))

    assert entered == {
        ("airflow", "airflow"),
        *((name, database) for name in names[:4] for database in ("warehouse", "warehouse_simulated")),
    }


def test_initialize_leaves_nothing_half_made_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cluster = postgres.Cluster(tmp_path / "file" / "data", tmp_path / "server.log", tmp_path / "record.json", "secret")

    with pytest.raises(StackError, match="Postgres cannot create its data folder"):
        postgres.start(cluster, free_port())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
