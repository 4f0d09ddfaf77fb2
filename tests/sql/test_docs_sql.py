"""The SQL that the runbook shows runs on the warehouse as it is."""

from __future__ import annotations

import re

import pytest

from risk.core.settings import PROJECT_DIR
from risk.core.warehouse import Connection

BLOCKS = [
    pytest.param(block, id=path.stem)
    for path in sorted((PROJECT_DIR / "docs").rglob("*.md"))
    for block in re.findall(r"```sql\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
]


@pytest.mark.parametrize("statement", BLOCKS)
def test_shown_statement_runs(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

        assert cursor.description
