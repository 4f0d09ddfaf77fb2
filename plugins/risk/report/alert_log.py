"""Remembers which alarms have left, in the warehouse; while that does not answer, in files.

An alarm is remembered after a mail server took it: a crash in between sends it twice rather than never.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from risk.core.settings import settings
from risk.core.warehouse import Connection, execute, records, rows
from risk.report.alert_records import RunKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """What has been sent about one run.

    Attributes
    ----------
    connection
        Warehouse; ``None`` where it does not answer.
    key
        The run and its clearing.
    folder
        Where files remember.
    """

    connection: Connection | None
    key: RunKey
    folder: Path

    def has_sent(self, kind: str) -> bool:
        """Tell whether this kind of alarm left for this clearing of the run."""
        return self._marker(kind).exists() or (kind, self.key.clear_number) in self._stored()

    def has_alarmed(self) -> bool:
        """Tell whether anybody was ever told that this run fails or is late, at whatever clearing."""
        if any(kind in ("failure", "lateness") for kind, _ in self._stored()):
            return True
        clearings = range(self.key.clear_number + 1)
        return any(self._marker(kind, number).exists() for kind in ("failure", "lateness") for number in clearings)

    def note(self, kind: str, subject: str) -> None:
        """Remember that an alarm left."""
        values = {**asdict(self.key), "kind": kind, "subject": subject}
        if self.connection is not None:
            execute(self.connection, "alarms/insert_alarms", values)
            return
        try:
            self._marker(kind).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("This alarm may be sent again: %s cannot be written (%s).", self.folder, error)

    def _stored(self) -> list[tuple[str, int]]:
        if self.connection is None:
            return []
        run = {"dag_id": self.key.dag_id, "dag_run_id": self.key.dag_run_id}
        return [(row["kind"], row["clear_number"]) for row in records(self.connection, "alarms/select_alarms", run)]

    def _marker(self, kind: str, clear_number: int | None = None) -> Path:
        number = self.key.clear_number if clear_number is None else clear_number
        name = hashlib.sha256(f"{self.key.dag_id} {self.key.dag_run_id}".encode()).hexdigest()[:32]
        return self.folder / f"{name}-{number}-{kind}.json"


@contextlib.contextmanager
def remembering(connection: Connection | None, key: RunKey) -> Iterator[Memory]:
    """Hold the turn to decide about a run's alarms, across processes, until they are sent and remembered."""
    folder = settings().alarms_dir
    with contextlib.ExitStack() as turn:
        if connection is None:
            turn.enter_context(_locked(folder))
        else:
            turn.enter_context(connection)
            rows(connection, "alarms/lock_alarms", {"key": f"alarm {key.dag_id} {key.dag_run_id}"})
        yield Memory(connection, key, folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder; where it cannot be written the alarm goes out all the same, perhaps twice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a", encoding="utf-8")
    except OSError as error:
        log.warning("Nothing keeps this alarm from being sent twice: %s cannot be written (%s).", folder, error)
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
