"""One working copy of the project: where its running stack keeps what it needs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.core.errors import StackError
from risk.core.settings import PROJECT_DIR

REQUIRED_FREE_BYTES = 300_000_000
"""A new cluster takes 60 MB, its write-ahead log up to 80 MB before the first checkpoint, logs the rest."""


@dataclass(frozen=True, slots=True)
class Clone:
    """Places of one working copy.

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
        """Whose fills the stack works on, or worked on when it last ran."""
        return self.var / "last-desk.json"

    @property
    def logs(self) -> Path:
        """Output of the processes, one file each."""
        return self.var / "log"

    @property
    def records(self) -> Path:
        """What is known about the running processes."""
        return self.var / "run"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, readable by the owner only."""
        return self.var / "secrets.json"

    @property
    def login(self) -> Path:
        """Password of the UI, in the form Airflow's SimpleAuthManager reads; readable by the owner only."""
        return self.var / "ui-password.json"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / ".airflow"

    def prepare(self) -> None:
        """Make the folders.

        Raises
        ------
        StackError
            If they cannot be written or the disk is almost full; nothing has been started then.
        """
        try:
            for folder in (self.var, self.logs, self.records, self.airflow_home, self.airflow_home / "logs"):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.records / f"probe-{os.getpid()}"
            probe.write_text("writable\n", encoding="utf-8")
            probe.unlink()
        except OSError as error:
            raise StackError(
                f"{self.var} cannot be written ({error.strerror}: {error.filename}): "
                "make the folder and its disk writable for this user, then start again."
            ) from None
        free = shutil.disk_usage(self.var).free
        if free < REQUIRED_FREE_BYTES:
            raise StackError(
                f"The disk of {self.var} is almost full: {free / 1e6:.0f} MB free, "
                f"{REQUIRED_FREE_BYTES / 1e6:.0f} MB needed. Free some space, then start again."
            )

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one command at a time start or stop processes of this clone; others wait."""
        self.records.mkdir(parents=True, exist_ok=True)
        with (self.records / "lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a missing or torn file reads as empty, since every state file can be made anew."""
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
