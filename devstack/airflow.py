"""Airflow's three processes: schema, start, health. Their log servers stay off: the UI reads the files itself."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from psycopg2.extensions import parse_dsn

from devstack import processes
from devstack.environment import PAGE_DSN
from devstack.workspace import Workspace, read_json, write_json
from risk.core.connections import METADATA_DSN, AirflowApi, postgres_dsn
from risk.core.errors import ConnectionLostError, StackError
from risk.core.warehouse import connect

COMPONENTS: dict[str, Sequence[str]] = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
}
MARK = "airflow"
"""In the command line of each process, also after the api-server has renamed itself."""
HEALTHY_S = 120.0
HEALTH_KEYS = {"scheduler": "scheduler", "dag-processor": "dag_processor"}


def command(*arguments: str) -> list[str]:
    """Build the command line of one of Airflow's commands."""
    return [sys.executable, "-P", str(Path(__file__).with_name("run_airflow.py")), *arguments]


def write_configuration(workspace: Workspace) -> None:
    """Write an empty airflow.cfg at each start, since an earlier one may hold the paths of a moved clone.

    Airflow itself would create one with random keys, and three processes would race for it.
    """
    file = workspace.airflow_home / "airflow.cfg"
    file.write_text("# Every setting comes from the environment: devstack/environment.py\n", encoding="utf-8")


def migrate(workspace: Workspace, environment: Mapping[str, str]) -> None:
    """Bring the metadata database to this version's schema, once for each version and database.

    Raises
    ------
    StackError
        If Airflow cannot; its last lines are in the message.
    """
    stamp = workspace.var / "airflow-schema.json"
    state = {"version": version("apache-airflow-core"), "database": identity(environment)}
    if read_json(stamp) == state:
        return
    log = workspace.logs / "airflow-migrate.log"
    with log.open("wb") as output:
        migration = subprocess.run(
            command("db", "migrate"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=workspace.root,
            check=False,
        )
    if migration.returncode != 0:
        raise StackError(f"Airflow cannot prepare its metadata database: see {log}.{processes.tail(log)}")
    write_json(stamp, state)


def identity(environment: Mapping[str, str]) -> str:
    """Identify the metadata database: a restored or recreated one has another number."""
    if not urlsplit(environment[METADATA_DSN]).scheme.startswith("postgres"):
        return environment[METADATA_DSN].rpartition("@")[2]
    dsn = postgres_dsn(environment, METADATA_DSN)
    database = parse_dsn(dsn).get("dbname", "")
    with contextlib.closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select system_identifier from pg_control_system()")
        cluster = cursor.fetchone()
        cursor.execute("select oid from pg_database where datname = current_database()")
        number = cursor.fetchone()
    return f"{database} {cluster} {number}"


def start(workspace: Workspace, environment: Mapping[str, str], page_dsn: str = "") -> None:
    """Start those of the three that do not run, without waiting for them.

    Parameters
    ----------
    page_dsn
        Connection of the Risk page's role, for the API server alone: tasks are children of the scheduler.
    """
    write_configuration(workspace)
    for name, arguments in COMPONENTS.items():
        record = workspace.records / f"{name}.json"
        if processes.running(record) is None:
            process = processes.launch(
                command(*arguments),
                log=workspace.logs / f"{name}.log",
                mark=MARK,
                cwd=workspace.root,
                environment={**environment, PAGE_DSN: page_dsn} if name == "api-server" else environment,
            )
            processes.write_record(record, process)


def await_health(workspace: Workspace, api: AirflowApi, since: dt.datetime) -> None:
    """Wait until every component has answered or has sent a heartbeat since an instant.

    Raises
    ------
    StackError
        If a component ends or stays silent; the message quotes its log.
    """

    def is_up() -> bool:
        raise_for_ended(workspace)
        return api.wake_execution_api() and is_healthy(api, since)

    if not processes.wait_until(is_up, HEALTHY_S):
        raise StackError(
            f"Airflow is not healthy after {HEALTHY_S:.0f} s: read {workspace.logs}, free up processor time, then "
            "start again."
        )


def raise_for_ended(workspace: Workspace) -> None:
    """Raise if a component has ended, with the next step."""
    for name in COMPONENTS:
        if processes.running(workspace.records / f"{name}.json") is None:
            log = workspace.logs / f"{name}.log"
            raise StackError(f"Airflow's {name} ended while starting. {remedy(log)}")


def remedy(log: Path) -> str:
    """Return the next step for a component that has ended."""
    text = processes.tail(log, 8)
    if "address already in use" in text.lower():
        return f"Another server took its port at the same moment: start again, another port is chosen.{text}"
    if "No space left" in text:
        return f"The disk is full: free up space, then start again.{text}"
    return f"Read its log, fix the cause, then start again.{text}"


def is_healthy(api: AirflowApi, since: dt.datetime) -> bool:
    """Return whether scheduler and dag-processor have sent a heartbeat since an instant."""
    try:
        health = api.health()
    except ConnectionLostError:
        return False
    beats = (health.get(key, {}).get(f"latest_{key}_heartbeat") for key in HEALTH_KEYS.values())
    return all(beat is not None and dt.datetime.fromisoformat(beat) >= since for beat in beats)


def stop(workspace: Workspace) -> bool:
    """Stop the three side by side, with everything they have forked.

    Returns
    -------
    bool
        True if anything had to be stopped.
    """
    records = [workspace.records / f"{name}.json" for name in COMPONENTS]
    recorded = [process for process in map(processes.read_record, records) if process is not None]
    was_running = processes.stop_all(recorded)
    for record in records:
        record.unlink(missing_ok=True)
    return was_running
