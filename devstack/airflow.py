"""Airflow's three processes: schema, start, health. Its log servers stay off: the UI reads the files itself."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from devstack import processes
from devstack.clone import Clone, read_json, write_json
from devstack.environment import METADATA_DSN
from devstack.rest import Api
from risk.core.errors import ConnectionLostError, StackError

COMPONENTS: dict[str, Sequence[str]] = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
}
MARK = "airflow"
"""In the command line of each process, also after the api-server has renamed itself."""
HEALTHY_SECONDS = 120.0
HEALTH_KEYS = {"scheduler": "scheduler", "dag-processor": "dag_processor"}


def write_configuration(clone: Clone) -> None:
    """Put a file where Airflow would write one with its own keys: three processes would race for it."""
    file = clone.airflow_home / "airflow.cfg"
    if not file.exists():
        file.write_text("# Every setting comes from the environment: devstack/environment.py\n", encoding="utf-8")


def migrate(clone: Clone, environment: Mapping[str, str], stamp: Path) -> None:
    """Bring the metadata database to this version's schema, once for each version and database.

    Parameters
    ----------
    clone, environment
        Where and with which database.
    stamp
        File that remembers what has been done; for the embedded database it lies in its own data folder.

    Raises
    ------
    StackError
        If Airflow cannot; its last lines are in the message.
    """
    place = environment[METADATA_DSN].rpartition("@")[2]
    done = {
        "version": version("apache-airflow-core"),
        "database": "embedded" if stamp.parent == clone.postgres else place,
    }
    if read_json(stamp) == done:
        return
    log = clone.logs / "airflow-migrate.log"
    with log.open("wb") as output:
        migration = subprocess.run(
            processes.python("devstack.airflow_component", "db", "migrate"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=clone.root,
            check=False,
        )
    if migration.returncode != 0:
        raise StackError(f"Airflow cannot prepare its metadata database: see {log}.{processes.tail(log)}")
    write_json(stamp, done)


def start(clone: Clone, environment: Mapping[str, str]) -> None:
    """Start what of the three does not run; waiting is another function's business."""
    write_configuration(clone)
    for name, words in COMPONENTS.items():
        record = clone.records / f"{name}.json"
        if processes.running(record) is None:
            process = processes.launch(
                processes.python("devstack.airflow_component", *words),
                log=clone.logs / f"{name}.log",
                mark=MARK,
                cwd=clone.root,
                environment=environment,
            )
            processes.remember(record, process)


def await_health(clone: Clone, api: Api, since: dt.datetime) -> None:
    """Wait until every component has answered or has given a sign of life since an instant.

    Raises
    ------
    StackError
        If a component ends or stays silent; the message quotes its log.
    """
    deadline = time.monotonic() + HEALTHY_SECONDS
    while not (api.wake_execution_api() and is_healthy(api, since)):
        for name in COMPONENTS:
            if processes.running(clone.records / f"{name}.json") is None:
                log = clone.logs / f"{name}.log"
                raise StackError(f"Airflow's {name} ended while starting. {advice(log)}")
        if time.monotonic() > deadline:
            raise StackError(
                f"Airflow is not healthy after {HEALTHY_SECONDS:.0f} s: read {clone.logs}, "
                "free the machine's processors, then start again."
            )
        time.sleep(0.1)


def advice(log: Path) -> str:
    """Say what to do about a component that has ended."""
    text = processes.tail(log, 8)
    if "address already in use" in text.lower():
        return f"Its port was taken in the same moment: start again, a free one is chosen.{text}"
    if "No space left" in text:
        return f"The disk is full: free some space, then start again.{text}"
    return f"Read its log, mend the cause, then start again.{text}"


def is_healthy(api: Api, since: dt.datetime) -> bool:
    """Tell whether scheduler and dag-processor have beaten since an instant, and the api-server says so."""
    try:
        health = api.health()
    except ConnectionLostError:
        return False
    beats = (health.get(key, {}).get(f"latest_{key}_heartbeat") for key in HEALTH_KEYS.values())
    return all(beat is not None and dt.datetime.fromisoformat(beat) >= since for beat in beats)


def stop(clone: Clone) -> bool:
    """Stop the three side by side, with everything they have forked.

    Returns
    -------
    bool
        True if anything had to be stopped.
    """
    records = [clone.records / f"{name}.json" for name in COMPONENTS]
    known = [process for process in map(processes.recall, records) if process is not None]
    had_members = processes.stop_all(known)
    for record in records:
        record.unlink(missing_ok=True)
    return had_members
