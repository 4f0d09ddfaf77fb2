"""The roles of a warehouse, and connections as each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from risk.core.roles import Duty, Roles
from risk.core.schema import prepare_warehouse
from risk.core.warehouse import Connection, connect
from risk.report.mail import SmtpServer
from tests.databases import as_role
from tests.smtp_boxes import Box, served


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def server(box: Box) -> Iterator[SmtpServer]:
    """Run a mail server that puts everything into the box."""
    with served(box) as server:
        yield server


@pytest.fixture
def alarm_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let alerts go to an operator, and their log into the test's folder."""
    monkeypatch.setenv("RISK_ALARMS_DIR", str(tmp_path / "alarms"))
    monkeypatch.setenv("RISK_ALARM_RECIPIENTS", "operator@example.test")


@pytest.fixture
def roles(connection: Connection) -> Iterator[Roles]:
    """Give three roles that have been granted what they need."""
    names = [f"{duty}_{connection.info.backend_pid}" for duty in Duty]
    with connection, connection.cursor() as cursor:
        cursor.execute(f"alter database {connection.info.dbname} reset all")
        for name in names:
            cursor.execute(f"create role {name} login password 'word'")
    yield (made := Roles(*names))
    with connection, connection.cursor() as cursor:
        for name in made.duties:
            cursor.execute(f"drop owned by {name} cascade")
            cursor.execute(f"drop role {name}")


@pytest.fixture
def log_in(connection: Connection, roles: Roles, warehouse_dsn: str) -> Iterator[Callable[[str], Connection]]:
    """Give a way to connect as one of the roles."""
    prepare_warehouse(connection, roles)
    with contextlib.ExitStack() as stack:
        yield lambda name: stack.enter_context(contextlib.closing(connect(as_role(warehouse_dsn, name))))


@pytest.fixture
def pipeline(log_in: Callable[[str], Connection], roles: Roles) -> Connection:
    return log_in(roles.pipeline)


@pytest.fixture
def page(log_in: Callable[[str], Connection], roles: Roles) -> Connection:
    return log_in(roles.page)


@pytest.fixture
def reader(log_in: Callable[[str], Connection], roles: Roles) -> Connection:
    return log_in(roles.reader)
