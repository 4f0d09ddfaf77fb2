"""The tables that a step names are those that Postgres saw it read and write."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from devstack.processes import wait_until
from risk.core.warehouse import Connection, connect
from simulation.writing import simulate
from tests.faults.line import STEPS, Site, do

if TYPE_CHECKING:
    from collections.abc import Mapping

    from risk.report.mail import SmtpServer

SESSION, EARLIER = dt.date(2025, 8, 15), dt.date(2025, 8, 14)
KEYS = {"risk.runs", "risk.loads", "risk.sessions", "risk.calendars"}
"""Where every step looks its run up."""
OPERATORS = {step: f"{step.title().replace('_', '')}Operator" for step in STEPS}
READ = "coalesce(seq_tup_read, 0) + coalesce(seq_scan, 0) + coalesce(idx_tup_fetch, 0) + coalesce(idx_scan, 0)"


class Use(NamedTuple):
    """How often a table was read and written until now."""

    reads: int
    writes: int


def uses(dsn: str) -> Mapping[str, Use]:
    """Return the counts of Postgres by table, once every other session has ended and reported its own."""
    with contextlib.closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:

        def is_alone() -> bool:
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute("select count(*) from pg_stat_activity where datname = current_database()")
            return bool(cursor.fetchall()[0][0] == 1)

        assert wait_until(is_alone, 30)
        cursor.execute(
            f"select schemaname || '.' || relname, {READ}, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables"
        )
        return {table: Use(reads, writes) for table, reads, writes in cursor.fetchall()}


@pytest.fixture
def seen(
    warehouse_dsn: str, server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[set[str], set[str]]]:
    """Run the line of two sessions; give by step the tables it has read only, and those it has written."""
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test")
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    (tmp_path / "outbound").mkdir()
    simulate("medium", 3, 30, 5, tmp_path / "drop", last_session=SESSION)
    (tmp_path / "drop" / "simulated.json").unlink()
    site = Site(warehouse_dsn, server, tmp_path / "drop", tmp_path / "outbound", SESSION)
    found: dict[str, tuple[set[str], set[str]]] = {step: (set(), set()) for step in STEPS}
    for session in (EARLIER, SESSION):
        for step in STEPS:
            before = uses(site.dsn)
            do(step, replace(site, session_date=session))
            after = uses(site.dsn)
            changed = {
                table: Use(*(b - a for a, b in zip(before[table], after[table], strict=True))) for table in after
            }
            written = {table for table, use in changed.items() if use.writes}
            found[step][1].update(written)
            found[step][0].update({table for table, use in changed.items() if use.reads} - written)
    return found


def test_steps_touch_the_tables_they_name(seen: dict[str, tuple[set[str], set[str]]], connection: Connection) -> None:
    from risk.operators.lineage import TABLES

    for step, (read, written) in seen.items():
        reads, writes = map(set, TABLES[OPERATORS[step]])
        # which the task before opens
        written.discard("risk.publications")
        assert written <= writes, step
        assert read - KEYS - writes <= reads, step
        # and on a plain morning most of what it names
        assert len(reads & (read | written)) >= len(reads) * 0.8, step

    with connection.cursor() as cursor:
        cursor.execute("select schemaname || '.' || relname from pg_stat_user_tables")
        existing = {table for (table,) in cursor.fetchall()}
    assert {table for both in TABLES.values() for tables in both for table in tables} <= existing
