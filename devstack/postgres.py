"""The embedded Postgres: one cluster for each clone, run as an ordinary process of ours.

The postmaster is started directly rather than by pg_ctl, whose ``status`` and ``stop`` believe a stale postmaster.pid.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from devstack import processes
from devstack.clusters import Cluster, diagnosis, initialize, program, unprivileged
from devstack.ports import free_port
from risk.core.errors import StackError

START_SECONDS = 30.0


def postmaster(cluster: Cluster) -> processes.Process | None:
    """Return the running postmaster of this cluster, recorded or found through postmaster.pid."""
    process = processes.running(cluster.record)
    if process is not None:
        return process
    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    found = processes.Process(pid, processes.start_time(pid), mark(cluster), str(cluster.data))
    return found if processes.is_alive(found) else None


def mark(cluster: Cluster) -> str:
    """Return the part of the postmaster's command line that names this cluster."""
    return f"postgres -D {cluster.data} "


def port_of(process: processes.Process) -> int:
    """Read the port from a running postmaster's command line."""
    words = processes.command_line(process.pid).split()
    return int(words[words.index("-p") + 1])


def is_answering(dsn: str) -> bool:
    """Tell whether the server accepts this connection."""
    try:
        psycopg2.connect(dsn, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def start(cluster: Cluster, port: int) -> int:
    """Start the cluster, or find it running, and wait until it answers.

    Parameters
    ----------
    cluster
        The cluster; made if it does not exist.
    port
        Free port on loopback for a server that does not run yet.

    Returns
    -------
    int
        The port it listens on.

    Raises
    ------
    StackError
        If it does not answer in time; what was started is stopped again.
    """
    found = postmaster(cluster)
    if found is not None:
        port = port_of(found)
        if processes.wait_until(lambda: is_answering(cluster.dsn(port)), 5.0):
            processes.remember(cluster.record, found)
            return port
        processes.stop(found, polite=signal.SIGQUIT)
    initialize(cluster)
    clear_remains(cluster)
    process = processes.launch(
        [*unprivileged(), program("postgres"), "-D", str(cluster.data), "-p", str(port)],
        log=cluster.log,
        mark=mark(cluster),
        cwd=cluster.data,
    )
    processes.remember(cluster.record, process)
    await_answer(cluster, process, port)
    return port


def await_answer(cluster: Cluster, process: processes.Process, port: int) -> None:
    """Wait until a server just started accepts connections; stop it again if it does not."""
    dsn = cluster.dsn(port)
    processes.wait_until(lambda: not processes.is_alive(process) or is_answering(dsn), START_SECONDS)
    if processes.is_alive(process) and is_answering(dsn):
        return
    if processes.is_alive(process) and "password authentication failed" in processes.tail(cluster.log):
        cause = "its password is not the one kept for it. Put back var/secrets.json, then start again."
    else:
        cause = diagnosis(processes.tail(cluster.log, 20))
    processes.stop(process, polite=signal.SIGQUIT)
    raise StackError(f"Postgres in {cluster.data} does not start: {cause}")


def clear_remains(cluster: Cluster) -> None:
    """Clear what a killed postmaster has left: its backends, and a postmaster.pid that names nobody of ours.

    The backends hold the old shared memory until they have noticed; each opens a session of its own, so they are
    known by their command and by the working folder they share with the dead postmaster.
    """
    if not processes.wait_until(lambda: not backends(cluster), 5.0):
        for pid in backends(cluster):
            processes.send(pid, signal.SIGKILL)
        processes.wait_until(lambda: not backends(cluster), 5.0)
    if postmaster(cluster) is None:
        # Postgres would take any living process with that number for a running postmaster and refuse to start.
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def backends(cluster: Cluster) -> list[int]:
    """List the server processes that work in the cluster's data folder, the postmaster aside."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(cluster.data) and " ".join(process.cmdline()).startswith("postgres: "):
                found.append(process.pid)
        except psutil.Error:
            continue  # it has ended meanwhile, or is not ours to look at
    return found


def stop(cluster: Cluster) -> bool:
    """Stop the cluster: fast shutdown, open transactions are rolled back.

    Returns
    -------
    bool
        True if it had been running.
    """
    process = postmaster(cluster) or processes.recall(cluster.record)
    had_members = process is not None and processes.stop(process, polite=signal.SIGINT)
    if (cluster.data / "PG_VERSION").exists():
        clear_remains(cluster)
    cluster.record.unlink(missing_ok=True)
    return had_members


def ensure_databases(dsn: str, owners: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """Make roles and databases that do not exist yet and set the roles' passwords.

    Parameters
    ----------
    dsn
        Superuser's connection.
    owners
        Owner of each database by its name.
    passwords
        Password of each role by its name.
    """
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for role, password in passwords.items():
            cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
            verb = sql.SQL("alter" if cursor.fetchone() else "create")
            command = sql.SQL("{} role {} login password {}")
            cursor.execute(command.format(verb, sql.Identifier(role), sql.Literal(password)))
        for database, owner in owners.items():
            cursor.execute("select pg_get_userbyid(datdba) from pg_database where datname = %s", (database,))
            found = cursor.fetchone()
            if found is None:
                command = sql.SQL("create database {} owner {}")
                cursor.execute(command.format(sql.Identifier(database), sql.Identifier(owner)))
            elif found[0] != owner:
                change_owner(make_dsn(dsn, dbname=database), database, found[0], owner)


def change_owner(dsn: str, database: str, former: str, owner: str) -> None:
    """Give a database of an earlier version, with everything in it, to another role."""
    names = {"database": sql.Identifier(database), "former": sql.Identifier(former), "owner": sql.Identifier(owner)}
    connection = psycopg2.connect(dsn)
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("alter database {database} owner to {owner}").format(**names))
        cursor.execute(sql.SQL("reassign owned by {former} to {owner}").format(**names))


@contextlib.contextmanager
def temporary_cluster(folder: Path) -> Iterator[str]:
    """Run a throw-away cluster in a folder and give its superuser's connection string.

    Its data need not survive a crash, so it does not wait for the disk.
    """
    cluster = Cluster(folder / "data", folder / "postgres.log", folder / "postgres.json", "throw-away")
    initialize(cluster)
    with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    port = start(cluster, free_port())
    try:
        yield cluster.dsn(port)
    finally:
        stop(cluster)
        shutil.rmtree(cluster.data, ignore_errors=True)
