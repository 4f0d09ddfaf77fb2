"""One installation by Docker Compose, in a folder and under a project name of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from devstack.workspace import free_port
from risk.core.connections import AirflowApi
from risk.core.settings import PROJECT_DIR
from tests.compose.engine import Engine

START_S = 600
PATIENCE_S = 300.0
MAILPIT = {"conn_type": "smtp", "host": "mailpit", "port": 1025, "extra": {"disable_ssl": True, "disable_tls": True}}
AWKWARD = """a$HOME ${B} #c '"\\ d"""
"""What a password of a mail server or a vendor may hold."""

Found = TypeVar("Found")


@dataclass(slots=True)
class Installation:
    """A copy of the project's files with a .env, and the containers started from it.

    Attributes
    ----------
    engine
        Runs the containers.
    clone
        The copy.
    project
        Name of the Compose project.
    values
        What the .env says.
    """

    engine: Engine
    clone: Path
    project: str
    values: dict[str, str]

    @property
    def url(self) -> str:
        """Address of the UI."""
        return f"http://127.0.0.1:{self.values['AIRFLOW_PORT']}"

    def command(self, *arguments: str) -> list[str]:
        """Return the words of `docker compose` for the clone."""
        place = ("--project-name", self.project, "--file", str(self.clone / "docker-compose.yaml"))
        return ["docker", "compose", *place, *arguments]

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` for the clone."""
        return self.engine.run(*self.command(*arguments)[1:], timeout=1800)

    def done(self, *arguments: str) -> str:
        """Run `docker compose`, which must succeed, and return what it prints."""
        ended = self.compose(*arguments)
        assert ended.returncode == 0, (
            f"docker compose {' '.join(arguments)}: {ended.stdout[-2000:]}{ended.stderr[-3000:]}"
        )
        return ended.stdout

    def start(self) -> None:
        """Start everything and wait until all containers are healthy."""
        ended = self.compose("up", "--detach", "--quiet-pull", "--wait", "--wait-timeout", str(START_S))
        if ended.returncode != 0:
            logs = self.compose("logs", "--no-color", "--tail", "30").stdout
            raise AssertionError(f"docker compose up: {ended.stderr[-1000:]}\n{logs[-20000:]}")

    def inside(self, service: str, *command: str) -> str:
        """Run a command in a running container and return what it prints."""
        return self.done("exec", "-T", service, *command)

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.done("ps", "--all", "--quiet", service).strip()

    def kill(self, service: str) -> None:
        """Kill a service's first process as a crash does, so that its restart policy applies."""
        pid = self.engine.run("inspect", "--format", "{{.State.Pid}}", self.container(service)).stdout.strip()
        if pid not in ("", "0"):
            subprocess.run(["kill", "-9", pid], check=False)

    def add_user(self, name: str, role: str) -> None:
        """Create a user as the documents say; the password is the name."""
        who = ("--username", name, "--password", name, "--role", role, "--email", f"{name}@example.com")
        self.inside("api-server", "airflow", "users", "create", *who, "--firstname", name, "--lastname", role)

    def api(self, name: str) -> AirflowApi:
        """Return the API as a user has it."""
        return AirflowApi(self.url, name, name, timeout_s=120)

    def page(self, name: str, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Ask the Risk page as a user, with a form as its button does."""
        login = {"username": name, "password": name}
        token = httpx.post(f"{self.url}/auth/token", json=login, timeout=120, trust_env=False).json()["access_token"]
        answer = httpx.request(
            "GET" if form is None else "POST",
            f"{self.url}/risk{path}",
            data=form,
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
            trust_env=False,
        )
        return answer.status_code, answer.text

    def subjects(self) -> list[str]:
        """List the subjects of all mails that the mail server holds."""
        address = f"http://127.0.0.1:{self.values['MAILPIT_PORT']}/api/v1/messages"
        return [mail["Subject"] for mail in httpx.get(address, timeout=120, trust_env=False).json()["messages"]]

    def write_files(self, commit: str | None = None) -> None:
        """Replace the files of the clone by those of a commit, by default by the present ones, as git does."""
        env = self.clone / ".env"
        kept = env.read_text() if env.exists() else ""
        shutil.rmtree(self.clone, ignore_errors=True)
        self.clone.mkdir(mode=0o700)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=PROJECT_DIR, capture_output=True, check=True
        )
        writing = ["git", "archive", commit] if commit else ["tar", "-c", "--ignore-failed-read", "--null", "-T", "-"]
        files = subprocess.run(writing, cwd=PROJECT_DIR, input=listed.stdout, capture_output=True, check=True)
        reading = ["tar", "-x", "--no-same-owner", "--no-same-permissions"]
        subprocess.run(reading, cwd=self.clone, input=files.stdout, check=True, umask=0o077)
        env.write_text(kept)
        env.chmod(0o600)

    def write_env(self) -> None:
        """Fill in the clone's .env.example."""
        lines = (self.clone / ".env.example").read_text().splitlines()
        given = {line.partition("=")[0]: line.partition("=")[2] for line in lines if line and line[0] != "#"}
        self.values = {name: self.values.get(name) or value or invented(name) for name, value in given.items()}
        written = [f"{name}={quoted(value)}\n" for name, value in self.values.items()]
        (self.clone / ".env").write_text("".join(written))


def invented(name: str) -> str:
    """Make a secret as .env.example says; nothing for other variables."""
    if name == "AIRFLOW_FERNET_KEY":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32) if re.search("PASSWORD|SECRET", name) else ""


def quoted(value: str) -> str:
    """Write a value as .env.example says: between single quotes, where Compose changes nothing but \\' ."""
    return f"'{value}'"


def in_airflows_form(**fields: Any) -> str:
    """Write a connection as JSON that may stand between single quotes."""
    return json.dumps(fields).replace("'", "\\u0027")


def awaited(find: Callable[[], Found], what: str) -> Found:
    """Ask until there is an answer."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if found := find():
                return found
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        assert time.monotonic() < deadline, f"{what} took too long"
        time.sleep(1)


def make_installation(engine: Engine, folder: Path) -> Installation:
    """Prepare an installation that is not started: folders of the host, ports, a project's name."""
    fills, outbound = folder / "fills", folder / "outbound"
    for path in (fills, outbound):
        path.mkdir()
    if os.geteuid() == 0:
        os.chown(outbound, 50000, 50000)
    ports = [free_port(), free_port()]
    values = {
        "RISK_FILLS_HOST_DIR": str(fills),
        "RISK_OUTBOUND_HOST_DIR": str(outbound),
        "RISK_DESK": "simulated",
        "RISK_APPROVAL": "all",
        "RISK_BASE_URL": f"http://127.0.0.1:{ports[0]}",
        "RISK_SENDER": "risk@example.com",
        "RISK_RECIPIENTS": "desk@example.com",
        "SMTP_CONNECTION": in_airflows_form(**MAILPIT),
        "RISK_AIRFLOW_CONNECTION": in_airflows_form(
            conn_type="http", host="api-server", port=8080, login="notes", password="notes"
        ),
        "RISK_ALARM_SMTP_URI": "smtp://mailpit:1025",
        "AIRFLOW_PORT": str(ports[0]),
        "MAILPIT_PORT": str(ports[1]),
    }
    return Installation(engine, folder / "clone", f"risk-test-{secrets.token_hex(3)}", values)
