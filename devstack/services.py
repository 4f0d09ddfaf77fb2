"""The whole stack of one clone: started together, used by several commands, stopped by the last one that needs it."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack import airflow, clusters, mailbox, postgres, processes, warehouse
from devstack.clone import Clone, read_json, write_json
from devstack.environment import (
    METADATA_DSN,
    SMTP_CONNECTION,
    WAREHOUSE_CONNECTION,
    Desk,
    DeskKind,
    Secrets,
    airflow_environment,
    connection_uri,
    load_login,
    load_secrets,
)
from devstack.ports import LOOPBACK, kept_port
from devstack.rest import Api
from risk.core.errors import RequestError, StackError

OWNER, PIPELINE = "risk_owner", "risk"
DATABASES = {"airflow": "airflow", "warehouse": OWNER, "warehouse_simulated": OWNER}
"""Owner of each database of the embedded Postgres."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack.

    Attributes
    ----------
    api
        Client of its api-server.
    url
        Where its UI answers.
    started_at
        When its processes were started, UTC.
    """

    api: Api
    url: str
    started_at: dt.datetime


def cluster(clone: Clone, kept: Secrets) -> clusters.Cluster:
    """Name the clone's Postgres cluster."""
    return clusters.Cluster(
        clone.postgres, clone.logs / "postgres.log", clone.records / "postgres.json", kept.superuser
    )


def running_desk(clone: Clone) -> DeskKind | None:
    """Tell whose fills the running stack works on; nothing if none runs completely."""
    names = ("mailbox", "scheduler", "api-server", "dag-processor")
    started = read_json(clone.records / "stack.json")
    expected = started.get("services", names)
    if not started or any(processes.running(clone.records / f"{name}.json") is None for name in expected):
        return None
    return DeskKind(started["desk"])


def last_desk(clone: Clone) -> DeskKind:
    """Tell whose fills the stack works on, or worked on when it last ran; the simulated desk's before it ever did."""
    return DeskKind(read_json(clone.last_desk).get("desk", DeskKind.simulated))


def attach(clone: Clone) -> Stack:
    """Reach the running stack.

    Raises
    ------
    StackError
        If none runs.
    """
    if running_desk(clone) is None:
        raise StackError("No Airflow of this clone runs: type make up first.")
    started = read_json(clone.records / "stack.json")
    port = int(started["api_port"])
    api = Api(port, load_login(clone))
    return Stack(api, f"http://{LOOPBACK}:{port}", dt.datetime.fromisoformat(started["started_at"]))


def running_environment(clone: Clone) -> dict[str, str]:
    """Tell what this clone's processes are told: by the user's environment, or by what the stack was started with.

    Works also while nothing runs: what watches must know where to look.
    """
    if WAREHOUSE_CONNECTION in os.environ:
        return dict(os.environ)
    ports = read_json(clone.var / "ports.json")
    if not ports:
        return dict(os.environ)
    return airflow_environment(clone, load_secrets(clone), Desk(last_desk(clone), None), {"api": 0, **ports})


def start(clone: Clone, desk: Desk, *, is_kept: bool) -> Stack:
    """Start the stack for a desk, or use the running one.

    Parameters
    ----------
    clone
        The working copy.
    desk
        Whose fills.
    is_kept
        True if the stack shall stay when this command ends.

    Raises
    ------
    RequestError
        If a stack for the other desk runs.
    StackError
        If something cannot start; everything started is stopped again.
    """
    clone.prepare()
    with clone.exclusive():
        runs_for = running_desk(clone)
        if runs_for is not None and runs_for is not desk.kind:
            raise RequestError(
                f"Airflow runs for the {runs_for} desk, and the {desk.kind} desk was asked for: "
                "type make down first, then ask again."
            )
        state = clone.records / "stack.json"
        if runs_for is None:
            stop_everything(clone)
            try:
                launch(clone, desk)
            except BaseException:
                stop_everything(clone)
                raise
            write_json(state, {**read_json(state), "is_kept": is_kept})
        elif is_kept:
            write_json(state, {**read_json(state), "is_kept": True})
        return attach(clone)


def launch(clone: Clone, desk: Desk) -> None:
    """Start Postgres and the mail server, then Airflow, and wait until all are healthy."""
    since = dt.datetime.now(dt.UTC)
    kept = load_secrets(clone)
    ports_file = clone.var / "ports.json"
    ports = {"api": kept_port(ports_file, "api")}
    services = list(airflow.COMPONENTS)
    if SMTP_CONNECTION not in os.environ:
        services.append("mailbox")
        _, ports["mail"] = mailbox.start(clone, ports_file)
    if WAREHOUSE_CONNECTION not in os.environ or METADATA_DSN not in os.environ:
        services.append("postgres")
        ports["postgres"] = start_postgres(clone, kept)
    load_login(clone)
    environment = airflow_environment(clone, kept, desk, ports)
    owned_dsn = clusters.server_dsn(ports.get("postgres", 0), OWNER, kept.owner, desk.kind.database)
    warehouse.prepare(environment[WAREHOUSE_CONNECTION], None if WAREHOUSE_CONNECTION in os.environ else owned_dsn)
    stamp_folder = clone.var if METADATA_DSN in os.environ else clone.postgres
    airflow.migrate(clone, environment, stamp_folder / "airflow-schema.json")
    airflow.start(clone, environment)
    # Recorded before all is healthy, so that an interrupted start can be stopped.
    content = {
        "desk": desk.kind,
        "schedule": environment["RISK_SCHEDULE"],
        "api_port": ports["api"],
        "services": services,
        "started_at": since.isoformat(),
        "is_kept": False,
    }
    write_json(clone.records / "stack.json", content)
    write_json(clone.last_desk, {"desk": desk.kind})
    airflow.await_health(clone, Api(ports["api"], load_login(clone)), since)
    if "mail" in ports and not processes.wait_until(lambda: mailbox.is_answering(ports["mail"]), 10.0):
        log = clone.logs / "mailbox.log"
        raise StackError(f"The mail server does not answer: read {log}, then start again.{processes.tail(log)}")


def pipeline_dsn(clone: Clone, port: int, kind: DeskKind) -> str:
    """Name the embedded warehouse of a desk to libpq, as the pipeline's role."""
    return connection_uri("postgres", PIPELINE, load_secrets(clone).risk, port, kind.database)


def start_postgres(clone: Clone, kept: Secrets) -> int:
    """Start the embedded Postgres with its roles and databases and return its port."""
    server = cluster(clone, kept)
    port = postgres.start(server, kept_port(clone.var / "ports.json", "postgres"))
    passwords = {OWNER: kept.owner, PIPELINE: kept.risk, "airflow": kept.airflow}
    postgres.ensure_databases(server.dsn(port), DATABASES, passwords)
    return port


def stop_everything(clone: Clone) -> bool:
    """Stop what this clone has started: Airflow and mail side by side, Postgres last.

    Returns
    -------
    bool
        True if anything had been running.
    """
    record = clone.records / "mailbox.json"
    mail = processes.recall(record)
    with ThreadPoolExecutor(max_workers=2) as pool:
        mail_stopped = pool.submit(lambda: mail is not None and processes.stop(mail))
        had_airflow = airflow.stop(clone)
        had_mail = mail_stopped.result()
    record.unlink(missing_ok=True)
    had_postgres = postgres.stop(cluster(clone, load_secrets(clone)))
    (clone.records / "stack.json").unlink(missing_ok=True)
    return had_airflow or had_mail or had_postgres


@contextlib.contextmanager
def in_use(clone: Clone) -> Iterator[None]:
    """Hold the stack in use: a command that started it for itself leaves it to others that still need it."""
    clone.prepare()
    with (clone.records / "users").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def release(clone: Clone) -> None:
    """Stop a stack that nobody asked to keep and nobody uses."""
    with clone.exclusive():
        if read_json(clone.records / "stack.json").get("is_kept", False) or is_used(clone.records / "users"):
            return
        stop_everything(clone)


def is_used(file: Path) -> bool:
    """Tell whether another command holds the stack in use."""
    with file.open("a", encoding="utf-8") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
