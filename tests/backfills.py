"""A backfill four at a time on two Celery workers, the line one by one without Airflow, and where their rows differ."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

from devstack import runs
from devstack.environment import DeskKind
from devstack.stack import cluster, pipeline_dsn
from devstack.workspace import Workspace, load_secrets, read_json
from risk.core.runs import Run, read_run
from risk.core.warehouse import Connection
from tests.celery_stack import CeleryStack
from tests.databases import create_database
from tests.faults.line import STEPS, Site, digests, do

LINE = tuple(STEPS)[:7]
SIDE_BY_SIDE = 4

OF_HOW_IT_RAN = frozenset(
    {
        "risk.runs",
        "risk.loads",
        "risk.source_files",
        "risk.chain_links",
        "risk.report_parts",
        "risk.report_deliveries",
        "risk.report_digests",
    }
)
"""Tables that name runs and loads, or follow from such names."""


class SessionSite(Site):
    """A site beside which other sessions run at the same time."""

    def newest_run(self, connection: Connection) -> Run:
        """Read the newest run of this session."""
        with connection, connection.cursor() as cursor:
            cursor.execute("select max(run_id) from risk.runs where session_date = %s", (self.session_date,))
            return read_run(connection, cursor.fetchall()[0][0])


def run_line(dsn: str, drop: Path, folder: Path, session_date: dt.date) -> None:
    """Run the seven steps for a session of the simulated desk; as in a backfill, nothing is mailed.

    Parameters
    ----------
    folder
        Gets the report's files.
    """
    with mock.patch.dict("os.environ", {"RISK_REPORTS_DIR": str(folder), "RISK_DESK": "simulated"}):
        site = SessionSite(dsn, None, drop, folder, session_date)
        for step in LINE:
            do(step, site)


def differing_tables(found: Mapping[str, str], expected: Mapping[str, str]) -> set[str]:
    """Return which of the other tables differ in their rows, by digests of `tests.faults.line.digests`."""
    return {table for table in set(expected) - OF_HOW_IT_RAN if found[table] != expected[table]}


def warehouse_of(workspace: Workspace) -> str:
    """Return the connection string of the simulated desk's warehouse, as the pipeline's role."""
    return pipeline_dsn(workspace, _port(workspace), DeskKind.simulated)


@contextlib.contextmanager
def reference(workspace: Workspace) -> Iterator[str]:
    """Copy the simulated desk's warehouse while it is empty."""
    server = cluster(workspace, load_secrets(workspace))
    create_database(server.dsn(_port(workspace)), "reference", DeskKind.simulated.database)
    yield server.dsn(_port(workspace), "reference")


def _port(workspace: Workspace) -> int:
    return int(read_json(workspace.var / "ports.json")["postgres"])


def backfill(celery: CeleryStack, sessions: Sequence[str]) -> None:
    """Backfill consecutive sessions in Airflow, `SIDE_BY_SIDE` at a time; each must succeed."""
    first, last = sessions[0], sessions[-1]
    body = {"dag_id": runs.DAILY_RISK, "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
    celery.running.api.call("POST", "/backfills", {**body, "max_active_runs": SIDE_BY_SIDE})
    ended = {run.session_date: run.state for run in runs.follow_backfill(celery.running.api, first, last)}
    assert ended == dict.fromkeys(sessions, "success")


def one_by_one(dsn: str, drop: Path, folder: Path, sessions: Sequence[str]) -> dict[str, str]:
    """Run the same sessions one after the other in this process, and give the digests of the tables."""
    for day in sessions:
        run_line(dsn, drop, folder, dt.date.fromisoformat(day))
    return digests(dsn)
