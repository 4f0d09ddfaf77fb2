"""When ./riskctl starts Postgres for a command."""

from __future__ import annotations

import inspect

import pytest

from devstack.riskctl import POSTGRES_COMMANDS, needs_postgres
from risk.cli import app


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
