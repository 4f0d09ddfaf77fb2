"""When ./riskctl starts Postgres for a command."""

from __future__ import annotations

import pytest

from devstack.riskctl import needs_postgres


@pytest.mark.parametrize(
    ("arguments", "is_needed"),
    [
        ("replay --session 2025-08-15", True),
        ("backup", True),
        ("traders --json", True),
        ("replay --help", False),
        ("doctor", False),
        ("pnl --fills replay", False),
        ("", False),
    ],
)
def test_postgres_is_started_for_commands_that_work_on_a_database(arguments: str, is_needed: bool) -> None:
    assert needs_postgres(arguments.split()) is is_needed
