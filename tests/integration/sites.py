"""A running Airflow of somebody else, with the wheel, the DAG files and its own commands."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg2.extensions import parse_dsn

from devstack import processes
from devstack.mailbox import is_answering
from risk.core.connections import AirflowApi
from risk.core.settings import PROJECT_DIR
from tests.integration.guest import Guest

PASSWORD = "word"
COMPONENTS = ("scheduler", "api-server", "dag-processor")
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Site:
    """A running Airflow of somebody else.

    Attributes
    ----------
    guest
        Its environment.
    settings
        Its variables.
    mail
        Folder in which its mail server puts each mail as a file.
    port
        Of its api-server.
    """

    guest: Guest
    settings: dict[str, str]
    mail: Path
    port: int

    def run(self, command: str, **more: str) -> str:
        """Run a line of the guide."""
        return self.guest.run("sh", "-euc", command, **self.settings, **more)

    @property
    def api(self) -> AirflowApi:
        """A client as its administrator."""
        return AirflowApi(f"http://127.0.0.1:{self.port}", "admin", PASSWORD)


def uri(dsn: str, role: str, database: str, scheme: str = "postgres") -> str:
    """Write a connection of one of the roles, whose password is ``word``, as the guide does."""
    return f"{scheme}://{role}:{PASSWORD}@127.0.0.1:{parse_dsn(dsn)['port']}/{database}"


def mail_connection(port: int) -> str:
    """Write the connection of the mail server."""
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": port}
    return json.dumps({**smtp, "extra": {"disable_ssl": True, "disable_tls": True}})


def stock_settings(guest: Guest, dsn: str, port: int) -> dict[str, str]:
    """Set up Airflow with its own defaults; the bundle stands for the guide's, which needs a git server."""
    bundle = {
        "name": "risk",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(guest.dags)},
    }
    superuser = parse_dsn(dsn)
    login = f"{superuser['user']}:{quote(superuser['password'])}"
    passwords = guest.root / "passwords.json"
    passwords.write_text(json.dumps({"admin": PASSWORD}), encoding="utf-8")
    return {
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": "a secret of this test",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of this test that is long enough for its algorithm, HS512",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        # A busy machine takes longer than 30 s to import a DAG file now and then.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "300",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (f"postgresql+psycopg2://{login}@127.0.0.1:{superuser['port']}/airflow"),
        "RISK_BASE_URL": f"http://127.0.0.1:{port}",
        "RISK_SENDER": "risk-run@example.com",
    }


@contextlib.contextmanager
def started(site: Site, mail_port: int) -> Iterator[None]:
    """Run Airflow's three components and a mail server, which is ours, until the end of a block."""
    root = site.guest.root
    commands = {name: [str(site.guest.python), "-m", "airflow", name] for name in COMPONENTS}
    mailbox = processes.python("devstack.mailbox", "--port", str(mail_port), "--folder", str(root / "mail"))
    ours = {"PYTHONPATH": f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR}"}
    launched: list[processes.Process] = []
    try:
        for name, command in {**commands, "mailbox": mailbox}.items():
            environment = {**site.guest.environment, **site.settings, **(ours if command is mailbox else {})}
            mark = "devstack.mailbox" if command is mailbox else "airflow"
            log = root / f"{name}.log"
            launched.append(processes.launch(command, log=log, mark=mark, cwd=root, environment=environment))
        assert processes.wait_until(lambda: is_answering(mail_port), PATIENCE_SECONDS)
        is_up = processes.wait_until(site.api.wake_execution_api, PATIENCE_SECONDS)
        assert is_up, (root / "api-server.log").read_text()
        yield
    finally:
        processes.stop_all(launched)
