"""When ./riskctl starts Postgres for a command."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from devstack.riskctl import POSTGRES_COMMANDS, needs_postgres, refuse_beside_containers
from devstack.workspace import Workspace
from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError


@pytest.mark.parametrize(
    ("arguments", "is_needed"),
    [
        ("replay --session 2025-08-15", True),
        ("backup", True),
        ("traders --json", True),
        ("verify --mail report.eml", True),
        ("examine --account NET001", True),
        ("replay --help", False),
        ("doctor", False),
        ("pnl --fills replay", False),
        ("", False),
    ],
)
def test_postgres_is_started_for_commands_that_work_on_a_database(arguments: str, is_needed: bool) -> None:
    assert needs_postgres(arguments.split()) is is_needed


def test_every_command_that_reads_the_warehouse_finds_that_of_the_clone() -> None:
    callbacks = {
        one.name or one.callback.__name__.replace("_", "-"): one.callback
        for one in app.registered_commands
        if one.callback
    }
    reading = {name for name, callback in callbacks.items() if "warehouse()" in inspect.getsource(callback)}

    assert {"verify", "examine", "traders"} <= reading
    assert reading <= POSTGRES_COMMANDS


def test_a_clone_with_an_env_names_the_command_that_reaches_its_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WAREHOUSE_CONNECTION, raising=False)
    clone = Workspace(tmp_path)
    refuse_beside_containers(clone, ["doctor"])
    (tmp_path / ".env").touch()

    refuse_beside_containers(clone, ["pnl", "--fills", "desk"])
    with pytest.raises(RequestError, match="docker compose exec api-server riskctl replay --session 2025-08-15"):
        refuse_beside_containers(clone, ["replay", "--session", "2025-08-15"])

    monkeypatch.setenv(WAREHOUSE_CONNECTION, "postgres://risk@elsewhere/warehouse")
    refuse_beside_containers(clone, ["doctor"])
    monkeypatch.delenv(WAREHOUSE_CONNECTION)
    clone.prepare()
    clone.ports.write_text("{}")
    refuse_beside_containers(clone, ["doctor"])
