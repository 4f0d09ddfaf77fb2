"""What the processes of the stack are told: connections, secrets, settings, all through the environment."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from devstack.clone import Clone, read_json, write_json
from devstack.ports import LOOPBACK
from risk.core.errors import RequestError
from risk.core.settings import PROJECT_DIR

UI_USER = "admin"
UI_USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
"""More people at one local UI: ``admin:admin,ann:user,bob:viewer``; the first one is ours and stays."""
WAREHOUSE_CONNECTION = "AIRFLOW_CONN_RISK_WAREHOUSE"
VENDOR_CONNECTION = "AIRFLOW_CONN_RISK_VENDOR"
SMTP_CONNECTION = "AIRFLOW_CONN_SMTP_DEFAULT"
API_CONNECTION = "AIRFLOW_CONN_RISK_AIRFLOW"
METADATA_DSN = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
METADATA_CONNECTION = "AIRFLOW_CONN_AIRFLOW_METADATA"
OWNER_DSN = "RISK_OWNER_DSN"
"""Names the warehouse's owner where the user brings a warehouse with two roles; no task ever sees it."""
SECRET_NAMES = ("superuser", "owner", "risk", "airflow", "jwt", "api")


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
        Whether the line runs by itself every morning.
    companions
        Absolute folder of closing prices and the like beside fills of the connection ``risk_vendor``.
    """

    kind: DeskKind
    fills: Path | None
    is_scheduled: bool = False
    companions: Path | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords and keys of one clone, made once.

    Attributes
    ----------
    superuser, owner, risk, airflow
        Passwords of the Postgres roles: the server's, the warehouse's owner, the pipeline, Airflow's metadata.
    jwt, api, fernet
        Keys of Airflow; the processes must agree on them.
    """

    superuser: str
    owner: str
    risk: str
    airflow: str
    jwt: str
    api: str
    fernet: str

    def __repr__(self) -> str:
        """Show nothing."""
        return "Secrets(...)"


def load_secrets(clone: Clone) -> Secrets:
    """Read the clone's secrets, making what is missing."""
    kept = read_json(clone.secrets)
    fresh = {name: secrets.token_urlsafe(32) for name in SECRET_NAMES}
    fresh["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    complete = {name: str(kept.get(name) or value) for name, value in fresh.items()}
    if complete != kept:
        write_json(clone.secrets, complete)
    return Secrets(**complete)


def load_login(clone: Clone) -> str:
    """Read the password of the UI's user, making it once."""
    password = read_json(clone.login).get(UI_USER)
    if not password:
        password = secrets.token_urlsafe(12)
        write_json(clone.login, {UI_USER: password})
    return str(password)


def choose_desk(clone: Clone, fills: str, given: Mapping[str, str] | None = None) -> Desk:
    """Decide whose fills to work on, before anything is started.

    Parameters
    ----------
    clone
        The working copy; its simulated desk lies in ``var/desk``.
    fills
        Folder the user named; empty for the connection ``risk_vendor``, else ``RISK_FILLS_DIR``, else the connection
        ``risk_source``, else the simulated desk.
    given
        The user's environment; by default this process's.

    Raises
    ------
    RequestError
        If the folder is missing or empty, or if the simulated desk would go into the user's own warehouse.
    """
    given = os.environ if given is None else given
    named = fills or given.get("RISK_FILLS_DIR", "")
    if given.get(VENDOR_CONNECTION) and not fills:
        return Desk(DeskKind.real, None, companions=Path(named).expanduser().absolute() if named else None)
    if named:
        return Desk(DeskKind.real, checked_folder(named))
    if "AIRFLOW_CONN_RISK_SOURCE" in given:
        return Desk(DeskKind.real, None)
    if WAREHOUSE_CONNECTION in given:
        raise RequestError(
            f"{WAREHOUSE_CONNECTION} names a warehouse of your own, and no fills are named: simulated fills do not go "
            f"there. Name a folder (FILLS=dir), or unset {WAREHOUSE_CONNECTION} for the simulated desk."
        )
    return Desk(DeskKind.simulated, clone.desk)


def checked_folder(named: str) -> Path:
    """Return the absolute path of a folder that holds something."""
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise RequestError(f"FILLS={named}: {folder} {found}. Name a folder that holds fills*.csv or fills*.csv.gz.")
    try:
        is_empty = not any(folder.iterdir())
    except PermissionError:
        raise RequestError(f"FILLS={named}: {folder} may not be read by this user. Allow it, then run again.") from None
    if is_empty:
        raise RequestError(
            f"FILLS={named}: {folder} is empty. Put fills*.csv or fills*.csv.gz into it, then run again."
        )
    return folder


def connection_uri(scheme: str, role: str, password: str, port: int, database: str) -> str:
    """Build the URI of a database of the embedded Postgres."""
    return f"{scheme}://{role}:{quote(password, safe='')}@{LOOPBACK}:{port}/{database}"


def base_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy the user's environment without what would slow down or divert our processes."""
    environment = dict(os.environ if given is None else given)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "AIRFLOW_CONFIG", OWNER_DSN):
        environment.pop(name, None)
    bypassed = [host for host in environment.get("NO_PROXY", environment.get("no_proxy", "")).split(",") if host]
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join([*bypassed, LOOPBACK, "localhost"])
    return environment


def airflow_environment(
    clone: Clone, kept: Secrets, desk: Desk, ports: Mapping[str, int], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the environment of Airflow's processes.

    Parameters
    ----------
    clone, kept, desk
        Where, with which secrets, for whose fills.
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
        # The folder the user has named is the source, of scheduled runs, too.
        environment.pop(VENDOR_CONNECTION, None)
    own = {
        **airflow_settings(clone, ports["api"]),
        **airflow_keys(kept),
        **risk_settings(clone, desk, ports["api"], environment),
    }
    chosen = {name: environment.get(name) or value for name, value in replaceable(clone, kept, desk, ports).items()}
    # The maintenance needs the metadata database, which Airflow itself keeps from tasks.
    place = chosen[METADATA_DSN].partition("://")[2]
    metadata = {METADATA_CONNECTION: environment.get(METADATA_CONNECTION) or f"postgres://{place}"}
    return environment | own | chosen | metadata


def replaceable(clone: Clone, kept: Secrets, desk: Desk, ports: Mapping[str, int]) -> dict[str, str]:
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
        "login": UI_USER,
        "password": load_login(clone),
    }
    port = ports.get("postgres", 5432)
    return {
        API_CONNECTION: json.dumps(api),
        WAREHOUSE_CONNECTION: connection_uri("postgres", "risk", kept.risk, port, desk.kind.database),
        SMTP_CONNECTION: json.dumps(mail),
        UI_USERS: f"{UI_USER}:admin",
        METADATA_DSN: connection_uri("postgresql+psycopg2", "airflow", kept.airflow, port, "airflow"),
        "RISK_SCHEDULE": "sessions" if desk.is_scheduled else "off",
        "RISK_REPORTS_DIR": str(clone.var / "reports"),
        "RISK_ALARMS_DIR": str(clone.var / "alarms"),
        "RISK_SCRATCH_DIR": str(clone.var / "scratch"),
        "RISK_VENDOR_DIR": str(clone.var / "vendor"),
    }


def desk_name(kind: DeskKind, given: Mapping[str, str]) -> str:
    """Return the desk's RISK_DESK; a real desk keeps the name the user gave it."""
    named = given.get("RISK_DESK", "")
    return str(kind) if kind is DeskKind.simulated else named if named not in ("", DeskKind.simulated) else "desk"


def risk_settings(clone: Clone, desk: Desk, api_port: int, given: Mapping[str, str]) -> dict[str, str]:
    """List the settings that follow from the desk; a real desk keeps the name the user gave it."""
    return {
        "PYTHONPATH": f"{clone.root / 'plugins'}:{PROJECT_DIR}",
        "RISK_DESK": desk_name(desk.kind, given),
        "RISK_FILLS_DIR": str(desk.fills or desk.companions or ""),
        "RISK_BASE_URL": f"http://{LOOPBACK}:{api_port}",
    }


def airflow_keys(kept: Secrets) -> dict[str, str]:
    """List the keys all of Airflow's processes must share."""
    return {
        "AIRFLOW__API__SECRET_KEY": kept.api,
        "AIRFLOW__API_AUTH__JWT_SECRET": kept.jwt,
        "AIRFLOW__CORE__FERNET_KEY": kept.fernet,
    }


def airflow_settings(clone: Clone, api_port: int) -> dict[str, str]:
    """List Airflow's settings; the measured reasons stand in CONTRIBUTING."""
    url = f"http://{LOOPBACK}:{api_port}"
    return {
        "AIRFLOW_HOME": str(clone.airflow_home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(api_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(clone.root / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(clone.root / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(clone.login),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(clone.airflow_home / "logs"),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
