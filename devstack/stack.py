"""The local stack of one clone: started together, used by several commands, stopped by the last one that needs it."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack import airflow, mailbox, postgres, processes
from devstack.environment import BASE_URL, Desk, DeskKind, airflow_environment, connection_uri, local_url
from devstack.workspace import (
    UI_USER,
    Secrets,
    Workspace,
    load_login,
    load_secrets,
    read_json,
    stable_port,
    write_json,
)
from risk.core.backup import DATABASES, WAREHOUSE_OWNER
from risk.core.connections import METADATA_DSN, SMTP_CONNECTION, WAREHOUSE_CONNECTION, AirflowApi, postgres_dsn
from risk.core.errors import RequestError, StackError
from risk.core.roles import PAGE, PIPELINE, READER
from risk.core.schema import Logins, migrate_as_owner
from risk.core.server import ensure_databases
from risk.core.settings import PROJECT_DIR, read_settings

SERVICES = ("mailbox", "scheduler", "api-server", "dag-processor")


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack.

    Attributes
    ----------
    api
        Client of its api-server.
    url
        Address of its UI.
    started_at
        When its processes were started, UTC.
    """

    api: AirflowApi
    url: str
    started_at: dt.datetime


def cluster(workspace: Workspace, passwords: Secrets) -> postgres.Cluster:
    """Return the clone's Postgres cluster."""
    return postgres.Cluster(
        workspace.postgres,
        workspace.logs / "postgres.log",
        workspace.records / "postgres.json",
        passwords.superuser,
    )


def state_file(workspace: Workspace) -> Path:
    """Return the file that describes the running stack."""
    return workspace.records / "stack.json"


def running_desk(workspace: Workspace) -> DeskKind | None:
    """Return which desk the running stack works on; nothing unless it runs completely."""
    state = read_json(state_file(workspace))
    services = state.get("services", SERVICES)
    if not state or any(processes.running(workspace.records / f"{name}.json") is None for name in services):
        return None
    return DeskKind(state["desk"])


def last_desk(workspace: Workspace) -> DeskKind:
    """Return which desk the stack works on, or worked on when it last ran; before it ever ran, the simulated one."""
    return DeskKind(read_json(workspace.last_desk).get("desk", DeskKind.simulated))


def attach(workspace: Workspace) -> Stack:
    """Connect to the running stack.

    Raises
    ------
    StackError
        If none runs.
    """
    if running_desk(workspace) is None:
        raise StackError("Airflow does not run in this clone: run make up first.")
    state = read_json(state_file(workspace))
    api = local_api(workspace, int(state["api_port"]), state.get("base_url", ""))
    return Stack(api, api.url, dt.datetime.fromisoformat(state["started_at"]))


def local_api(workspace: Workspace, port: int, base_url: str) -> AirflowApi:
    """Return a client of the api-server on this machine, served below the path of an address."""
    return AirflowApi(local_url(port, base_url), UI_USER, load_login(workspace))


def start(workspace: Workspace, desk: Desk, *, is_kept: bool) -> Stack:
    """Start the stack for a desk, or use the running one.

    Parameters
    ----------
    workspace
        The clone.
    desk
        Which desk.
    is_kept
        True if the stack stays when this command ends.

    Raises
    ------
    RequestError
        If a stack for the other desk runs.
    StackError
        If something cannot start; everything started is stopped again.
    """
    workspace.prepare()
    with workspace.exclusive():
        running = running_desk(workspace)
        if running is not None and running is not desk.kind:
            raise RequestError(
                f"Airflow runs for the {running} desk, but the {desk.kind} desk was requested: run make down first."
            )
        state = state_file(workspace)
        if running is None:
            stop_everything(workspace)
            try:
                launch(workspace, desk)
            except BaseException:
                stop_everything(workspace)
                raise
            write_json(state, {**read_json(state), "is_kept": is_kept})
        elif is_kept:
            write_json(state, {**read_json(state), "is_kept": True})
        return attach(workspace)


def launch(workspace: Workspace, desk: Desk) -> None:
    """Start Postgres and the mail server, then Airflow, and wait until all are healthy."""
    since = dt.datetime.now(dt.UTC)
    passwords = load_secrets(workspace)
    ports = {"api": stable_port(workspace.ports, "api")}
    services = list(airflow.COMPONENTS)
    if SMTP_CONNECTION not in os.environ:
        services.append("mailbox")
        _, ports["mail"] = mailbox.start(workspace)
    if WAREHOUSE_CONNECTION not in os.environ or METADATA_DSN not in os.environ:
        services.append("postgres")
        ports["postgres"] = start_postgres(workspace, passwords)
    environment = airflow_environment(workspace, passwords, desk, ports)
    settings, dsn = read_settings(), postgres_dsn(environment, WAREHOUSE_CONNECTION)
    if WAREHOUSE_CONNECTION in os.environ:
        logins = Logins(dsn, settings.owner_dsn, settings.page_dsn, settings.reader_role)
    else:
        logins = embedded_logins(dsn, passwords, ports["postgres"], desk.kind)
    migrate_as_owner(logins, settings.default_limit_usd)
    airflow.migrate(workspace, environment)
    airflow.start(workspace, environment, logins.page_dsn)
    # Recorded before all is healthy, so that an interrupted start can be stopped.
    state = {
        "desk": desk.kind,
        "schedule": environment["RISK_SCHEDULE"],
        "api_port": ports["api"],
        "base_url": environment[BASE_URL],
        "services": services,
        "started_at": since.isoformat(),
        "is_kept": False,
    }
    write_json(state_file(workspace), state)
    write_json(workspace.last_desk, {"desk": desk.kind})
    airflow.await_health(workspace, local_api(workspace, ports["api"], environment[BASE_URL]), since)
    if "mail" in ports and not processes.wait_until(lambda: mailbox.is_answering(ports["mail"]), 10.0):
        log = workspace.logs / "mailbox.log"
        raise StackError(f"The mail server does not answer: read {log}, then start again.{processes.tail(log)}")


def embedded_logins(pipeline_dsn: str, passwords: Secrets, port: int, kind: DeskKind) -> Logins:
    """Return the logins of the embedded warehouse's roles."""
    owner_dsn = postgres.server_dsn(port, WAREHOUSE_OWNER, passwords.owner, kind.database)
    page_dsn = connection_uri("postgresql", PAGE, passwords.page, port, kind.database)
    return Logins(pipeline_dsn, owner_dsn, page_dsn, READER)


def pipeline_dsn(workspace: Workspace, port: int, kind: DeskKind) -> str:
    """Return the connection URI of a desk's embedded warehouse, as the pipeline's role."""
    return connection_uri("postgres", PIPELINE, load_secrets(workspace).risk, port, kind.database)


def start_postgres(workspace: Workspace, passwords: Secrets) -> int:
    """Start the embedded Postgres with its roles and databases and return its port."""
    server = cluster(workspace, passwords)
    port = postgres.start(server, stable_port(workspace.ports, "postgres"))
    roles = {
        WAREHOUSE_OWNER: passwords.owner,
        PIPELINE: passwords.risk,
        PAGE: passwords.page,
        READER: passwords.reader,
        "airflow": passwords.airflow,
    }
    ensure_databases(server.dsn(port), DATABASES, roles)
    return port


@contextlib.contextmanager
def embedded_postgres(workspace: Workspace) -> Iterator[int]:
    """Provide the port of this clone's Postgres, started for the block if it does not run."""
    workspace.prepare()
    with workspace.exclusive():
        server = cluster(workspace, load_secrets(workspace))
        found = postgres.postmaster(server)
        port = postgres.port_of(found) if found else start_postgres(workspace, load_secrets(workspace))
        try:
            yield port
        finally:
            if found is None:
                postgres.stop(server)


def stop_everything(workspace: Workspace) -> bool:
    """Stop what this clone has started: Airflow and mail server side by side, Postgres last.

    Returns
    -------
    bool
        True if anything had been running.
    """
    record = workspace.records / "mailbox.json"
    mail = processes.read_record(record)
    with ThreadPoolExecutor(max_workers=2) as pool:
        mail_stopped = pool.submit(lambda: mail is not None and processes.stop(mail))
        had_airflow = airflow.stop(workspace)
        had_mail = mail_stopped.result()
    record.unlink(missing_ok=True)
    had_postgres = postgres.stop(cluster(workspace, load_secrets(workspace)))
    state_file(workspace).unlink(missing_ok=True)
    return had_airflow or had_mail or had_postgres


@contextlib.contextmanager
def in_use(workspace: Workspace) -> Iterator[None]:
    """Mark the stack as used: a command that started it for itself leaves it running for others that still need it."""
    workspace.prepare()
    with (workspace.records / "users").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def release(workspace: Workspace) -> None:
    """Stop a stack that is not to be kept and that no command uses."""
    with workspace.exclusive():
        is_kept = read_json(state_file(workspace)).get("is_kept", False)
        if not is_kept and not is_used(workspace.records / "users"):
            stop_everything(workspace)


def is_used(file: Path) -> bool:
    """Return whether another command marks the stack as used."""
    with file.open("a", encoding="utf-8") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def temporary_stack(folder: Path, desk: Desk, dags: Mapping[str, str]) -> Iterator[tuple[Workspace, Stack]]:
    """Run a whole stack in a temporary folder, for tests and measurements.

    Parameters
    ----------
    folder
        Empty folder; what the stack writes stays there.
    desk
        Which desk.
    dags
        Text of additional DAG files by file name.
    """
    for name in ("plugins", "include"):
        (folder / name).symlink_to(PROJECT_DIR / name)
    (folder / "dags").mkdir()
    for path in filter(Path.is_file, (PROJECT_DIR / "dags").iterdir()):
        (folder / "dags" / path.name).symlink_to(path)
    for name, text in dags.items():
        (folder / "dags" / name).write_text(text, encoding="utf-8")
    workspace = Workspace(folder)
    try:
        yield workspace, start(workspace, desk, is_kept=True)
    finally:
        with workspace.exclusive():
            stop_everything(workspace)
