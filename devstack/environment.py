"""Environment of the local stack's processes: connections, secrets and settings, for one desk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from devstack.workspace import LOOPBACK, NOTES_USER, UI_USER, Secrets, Workspace, load_login
from risk.core.connections import (
    API_CONNECTION,
    METADATA_CONNECTION,
    METADATA_DSN,
    SMTP_CONNECTION,
    SOURCE_CONNECTION,
    VENDOR_CONNECTION,
    WAREHOUSE_CONNECTION,
)
from risk.core.desks import VARIABLE as DESKS_VARIABLE
from risk.core.errors import RequestError

UI_USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
"""Users of the local UI: ``admin:admin,ann:user,bob:viewer``; the first one is the stack's own and stays."""

MAPPING_VARIABLE = "RISK_FILLS_MAPPING"
"""What ``MAPPING=`` sets."""

BASE_URL = "RISK_BASE_URL"
"""Where people reach the UI; Airflow is served below its path, as behind a reverse proxy."""

PAGE_DSN = "RISK_PAGE_DSN"
OWNER_ONLY = ("RISK_BACKUP_KEY", "RISK_OWNER_DSN", PAGE_DSN, "RISK_SERVER_DSN")
"""Connections of privileged roles and the key of backups, which no task ever gets; the API server gets the page's."""


class DeskKind(StrEnum):
    """Whose fills the stack works on."""

    simulated = "simulated"
    real = "real"

    @property
    def database(self) -> str:
        """Name of the embedded warehouse."""
        return "warehouse" if self is DeskKind.real else "warehouse_simulated"


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk a stack is started for.

    Attributes
    ----------
    kind
        Simulated or real.
    fills
        Absolute folder of the file drop; ``None`` where the connection ``risk_vendor`` or ``risk_source`` delivers.
    is_scheduled
        Whether the DAGs run by themselves.
    reference_dir
        Absolute folder of reference files (closing prices and the like) beside the connection ``risk_vendor``.
    """

    kind: DeskKind
    fills: Path | None
    is_scheduled: bool = False
    reference_dir: Path | None = None


def choose_desk(workspace: Workspace, fills: str, given: Mapping[str, str] | None = None) -> Desk:
    """Decide which desk to work on, before anything is started.

    Parameters
    ----------
    workspace
        The clone; its simulated desk lies in ``var/desk``.
    fills
        Folder the user named; empty for the connection ``risk_vendor``, else ``RISK_FILLS_DIR``, else the connection
        ``risk_source``, else the simulated desk.
    given
        The user's environment; by default this process's.

    Raises
    ------
    RequestError
        If the folder is missing, empty or elsewhere, or if the simulated desk would go into the user's own warehouse.
    """
    given = os.environ if given is None else given
    if given.get(DESKS_VARIABLE):
        raise RequestError(
            f"{DESKS_VARIABLE} is set, and the local stack runs one desk: unset it, or take the wheel to an Airflow of "
            "your own."
        )
    named = fills or given.get("RISK_FILLS_DIR", "")
    if "://" in named:
        raise RequestError(
            f"FILLS={named}: the local stack reads folders of this machine. Name a folder, or set RISK_FILLS_DIR to "
            "the address in an Airflow that has the provider of its scheme."
        )
    if given.get(VENDOR_CONNECTION) and not fills:
        return Desk(DeskKind.real, None, reference_dir=Path(named).expanduser().absolute() if named else None)
    if named:
        return Desk(DeskKind.real, checked_folder(named))
    if SOURCE_CONNECTION in given:
        return Desk(DeskKind.real, None)
    if WAREHOUSE_CONNECTION in given:
        raise RequestError(
            f"{WAREHOUSE_CONNECTION} names your own warehouse, but no fills are named, and the simulated desk must not "
            f"go there. Name a folder (FILLS=dir), or unset {WAREHOUSE_CONNECTION} for the simulated desk."
        )
    if given.get(MAPPING_VARIABLE):
        raise RequestError(
            f"MAPPING={given[MAPPING_VARIABLE]} reads exports of a broker, and the simulated desk has none: name their "
            f"folder (FILLS=dir), or unset {MAPPING_VARIABLE}."
        )
    return Desk(DeskKind.simulated, workspace.desk)


def checked_folder(named: str) -> Path:
    """Return the absolute path of a folder that is not empty."""
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise RequestError(f"FILLS={named}: {folder} {found}. Name a folder that holds fills*.csv or fills*.csv.gz.")
    try:
        is_empty = not any(folder.iterdir())
    except PermissionError:
        raise RequestError(f"FILLS={named}: this user may not read {folder}. Allow it, then run again.") from None
    if is_empty:
        raise RequestError(
            f"FILLS={named}: {folder} is empty. Put fills*.csv or fills*.csv.gz into it, then run again."
        )
    return folder


def mapping_setting(environment: Mapping[str, str]) -> str:
    """Return the mapping of the user's environment; a file by its absolute path, since Airflow runs elsewhere."""
    named = environment.get(MAPPING_VARIABLE, "")
    return str(Path(named).expanduser().absolute()) if named.endswith(".toml") else named


def connection_uri(scheme: str, role: str, password: str, port: int, database: str) -> str:
    """Build the URI of a database of the embedded Postgres."""
    return f"{scheme}://{role}:{quote(password, safe='')}@{LOOPBACK}:{port}/{database}"


def base_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy the user's environment without what would slow down or divert the processes."""
    environment = dict(os.environ if given is None else given)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "AIRFLOW_CONFIG", *OWNER_ONLY):
        environment.pop(name, None)
    bypassed = [host for host in environment.get("NO_PROXY", environment.get("no_proxy", "")).split(",") if host]
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join([*bypassed, LOOPBACK, "localhost"])
    return environment


def local_url(port: int, base_url: str) -> str:
    """Return the address of the api-server on this machine: below the path of the address that people use."""
    path = urlsplit(base_url).path.strip("/")
    return f"http://{LOOPBACK}:{port}" + (f"/{path}" if path else "")


def airflow_environment(
    workspace: Workspace,
    passwords: Secrets,
    desk: Desk,
    ports: Mapping[str, int],
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Build the environment of Airflow's processes.

    Parameters
    ----------
    workspace, passwords, desk
        Where, with which secrets, for which desk.
    ports
        Ports by name: ``api``, ``mail`` and ``postgres`` where the embedded servers run.
    given
        The user's environment; by default this process's. Connections and the metadata database named there win.

    Returns
    -------
    dict
        The whole environment; it holds secrets and is never printed.
    """
    environment = base_environment(given)
    if desk.fills:
        # The folder the user has named is the source, also of scheduled runs.
        environment.pop(VENDOR_CONNECTION, None)
    fixed = {
        **airflow_settings(workspace, environment.get(BASE_URL, ""), ports["api"]),
        **airflow_keys(passwords),
        "PYTHONPATH": str(workspace.root / "plugins"),
        "RISK_DESK": desk_name(desk.kind, environment),
        "RISK_FILLS_DIR": str(desk.fills or desk.reference_dir or ""),
        MAPPING_VARIABLE: mapping_setting(environment),
    }
    defaults = replaceable(workspace, passwords, desk, ports, environment.get(BASE_URL, ""))
    chosen = {name: environment.get(name) or value for name, value in defaults.items()}
    # The maintenance DAG needs the metadata database, which Airflow itself keeps from tasks.
    address = chosen[METADATA_DSN].partition("://")[2]
    metadata = {METADATA_CONNECTION: environment.get(METADATA_CONNECTION) or f"postgres://{address}"}
    chosen[UI_USERS] = with_notes_user(chosen[UI_USERS])
    return environment | fixed | chosen | metadata


def with_notes_user(users: str) -> str:
    """Add the user as whom tasks write their notes, with the least role that may, where the user does not name it."""
    named = {user.partition(":")[0] for user in users.split(",")}
    return users if NOTES_USER in named else f"{users},{NOTES_USER}:user"


def replaceable(
    workspace: Workspace, passwords: Secrets, desk: Desk, ports: Mapping[str, int], base_url: str
) -> dict[str, str]:
    """List what the user's own environment may replace."""
    mail: dict[str, Any] = {
        "conn_type": "smtp",
        "host": LOOPBACK,
        "port": ports.get("mail", 25),
        "extra": {"disable_ssl": True, "disable_tls": True, "timeout": 30},
    }
    api = {
        "conn_type": "http",
        "host": LOOPBACK,
        "port": ports["api"],
        "schema": urlsplit(base_url).path.strip("/"),
        "login": NOTES_USER,
        "password": load_login(workspace, NOTES_USER),
    }
    port = ports.get("postgres", 5432)
    return {
        API_CONNECTION: json.dumps(api),
        WAREHOUSE_CONNECTION: connection_uri("postgres", "risk", passwords.risk, port, desk.kind.database),
        SMTP_CONNECTION: json.dumps(mail),
        UI_USERS: f"{UI_USER}:admin",
        BASE_URL: local_url(ports["api"], ""),
        METADATA_DSN: connection_uri("postgresql+psycopg2", "airflow", passwords.airflow, port, "airflow"),
        "RISK_SCHEDULE": "sessions" if desk.is_scheduled else "off",
        "RISK_REPORTS_DIR": str(workspace.var / "reports"),
        "RISK_ALARMS_DIR": str(workspace.var / "alarms"),
        "RISK_SCRATCH_DIR": str(workspace.var / "scratch"),
    }


def desk_name(kind: DeskKind, given: Mapping[str, str]) -> str:
    """Return the desk's RISK_DESK; a real desk keeps the name the user gave it."""
    if kind is DeskKind.simulated:
        return str(kind)
    named = given.get("RISK_DESK", "")
    return named if named not in ("", DeskKind.simulated) else "desk"


def airflow_keys(passwords: Secrets) -> dict[str, str]:
    """List the keys that all of Airflow's processes must share."""
    return {
        "AIRFLOW__API__SECRET_KEY": passwords.api,
        "AIRFLOW__API_AUTH__JWT_SECRET": passwords.jwt,
        "AIRFLOW__CORE__FERNET_KEY": passwords.fernet,
    }


def airflow_settings(workspace: Workspace, base_url: str, api_port: int) -> dict[str, str]:
    """List Airflow's settings; docs/benchmarks has the measured reasons."""
    url = local_url(api_port, base_url)
    return {
        "AIRFLOW_HOME": str(workspace.airflow_home),
        "AIRFLOW__API__BASE_URL": base_url or url,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(api_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(workspace.root / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(workspace.root / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(workspace.login),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(workspace.airflow_home / "logs"),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
