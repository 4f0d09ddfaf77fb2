"""One clone of the project: where its local stack keeps data, passwords and ports.

A file under ``var/`` that is missing or torn is made again: nothing here has to be restored by hand.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.core.errors import StackError
from risk.core.settings import PROJECT_DIR

REQUIRED_FREE_BYTES = 300_000_000
"""A new cluster takes 60 MB, its write-ahead log up to 80 MB before the first checkpoint, logs the rest."""

UI_USER, NOTES_USER = "admin", "notes"
"""Users of the local UI: the stack's own, and the one as whom tasks write their notes."""

SECRET_NAMES = ("superuser", "owner", "risk", "page", "reader", "airflow", "jwt", "api", "backup")

LOOPBACK = "127.0.0.1"
CANDIDATE_PORTS = range(20_000, 32_000)
"""Below every system's range for outgoing connections, so that no client can occupy a chosen port."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folders and files of one clone.

    Attributes
    ----------
    root
        Folder that holds ``dags/``, ``plugins/``, ``var/`` and ``.airflow/``.
    """

    root: Path = PROJECT_DIR

    @property
    def var(self) -> Path:
        """Everything this clone has made: data, logs, mail, reports."""
        return self.root / "var"

    @property
    def postgres(self) -> Path:
        """Data folder of the Postgres cluster."""
        return self.var / "postgres"

    @property
    def mail(self) -> Path:
        """Maildir of the local mail server."""
        return self.var / "mail"

    @property
    def desk(self) -> Path:
        """File drop of the simulated desk."""
        return self.var / "desk"

    @property
    def last_desk(self) -> Path:
        """Which desk the stack works on, or worked on when it last ran."""
        return self.var / "last-desk.json"

    @property
    def logs(self) -> Path:
        """Output of the processes, one file each."""
        return self.var / "log"

    @property
    def records(self) -> Path:
        """Records of the running processes."""
        return self.var / "run"

    @property
    def ports(self) -> Path:
        """Ports of this clone's servers by name."""
        return self.var / "ports.json"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, readable by the owner only."""
        return self.var / "secrets.json"

    @property
    def login(self) -> Path:
        """Passwords of the UI, in the form Airflow's SimpleAuthManager reads; readable by the owner only."""
        return self.var / "ui-password.json"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / ".airflow"

    def prepare(self) -> None:
        """Make the folders; nobody else may look into them.

        Raises
        ------
        StackError
            If they cannot be written or the disk is almost full; nothing has been started then.
        """
        try:
            for folder in (self.var, self.airflow_home):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
            for folder in (self.logs, self.records, self.airflow_home / "logs"):
                folder.mkdir(exist_ok=True)
            probe = self.records / f"probe-{os.getpid()}"
            probe.write_text("writable\n", encoding="utf-8")
            probe.unlink()
        except OSError as error:
            raise StackError(
                f"{self.var} cannot be written ({error.strerror}: {error.filename}): "
                "make the folder and its disk writable for this user, then start again."
            ) from None
        free_bytes = shutil.disk_usage(self.var).free
        if free_bytes < REQUIRED_FREE_BYTES:
            raise StackError(
                f"The disk of {self.var} is almost full: {free_bytes / 1e6:.0f} MB free, "
                f"{REQUIRED_FREE_BYTES / 1e6:.0f} MB needed. Free up space, then start again."
            )

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one command at a time start or stop processes of this clone; others wait."""
        self.records.mkdir(parents=True, exist_ok=True)
        with (self.records / "lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords and keys of one clone, made once.

    Attributes
    ----------
    superuser, owner, risk, page, reader, airflow
        Passwords of the Postgres roles: the server's, the warehouse's owner, pipeline, page and reader, Airflow's
        metadata.
    jwt, api, fernet
        Keys of Airflow; its processes must agree on them.
    backup
        Key that seals backups.
    """

    superuser: str
    owner: str
    risk: str
    page: str
    reader: str
    airflow: str
    jwt: str
    api: str
    fernet: str
    backup: str

    def __repr__(self) -> str:
        """Show nothing."""
        return "Secrets(...)"


def load_secrets(workspace: Workspace) -> Secrets:
    """Read the clone's secrets, making what is missing."""
    stored = read_json(workspace.secrets)
    fresh = {name: secrets.token_urlsafe(32) for name in SECRET_NAMES}
    fresh["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    complete = {name: str(stored.get(name) or value) for name, value in fresh.items()}
    if complete != stored:
        write_json(workspace.secrets, complete)
    return Secrets(**complete)


def load_login(workspace: Workspace, user: str = UI_USER) -> str:
    """Read the password of a user of the UI, making it once."""
    stored = read_json(workspace.login)
    password = stored.get(user)
    if not password:
        password = secrets.token_urlsafe(12)
        write_json(workspace.login, {**stored, user: password})
    return str(password)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a missing or torn file reads as empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file by a JSON object, in one step and readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, sort_keys=True)
            file.write("\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port, on loopback and on every address."""
    for address in (LOOPBACK, "0.0.0.0"):  # noqa: S104  (probed only: another server may hold all addresses)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port(taken: Sequence[int] = ()) -> int:
    """Choose a free port at random, so that two clones that start together seldom collide.

    Raises
    ------
    StackError
        If 200 random candidates are all in use.
    """
    generator = random.SystemRandom()
    for _ in range(200):
        port = generator.choice(CANDIDATE_PORTS)
        if port not in taken and is_free(port):
            return port
    raise StackError(
        f"No free port found between {CANDIDATE_PORTS.start} and {CANDIDATE_PORTS.stop} on {LOOPBACK}: "
        "stop some servers of this machine, then start again."
    )


def stable_port(file: Path, name: str) -> int:
    """Return the port of a server that is not running, the same at every start unless another server has taken it.

    Parameters
    ----------
    file
        JSON file with the ports by name.
    name
        The server's name.
    """
    ports = read_json(file)
    port = ports.get(name)
    if not isinstance(port, int) or not is_free(port):
        port = free_port([other for other in ports.values() if isinstance(other, int)])
        write_json(file, {**ports, name: port})
    return port
