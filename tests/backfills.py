"""The line over some sessions without Airflow, and which tables two ways of running it have filled differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from risk.core.runs import Run, read_run
from risk.core.warehouse import Connection
from tests.faults.line import STEPS, Site, do
from tests.smtp_boxes import Box, served

LINE = tuple(STEPS)[:7]

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
    """Run the seven steps for a session of the simulated desk; the report is mailed into nothing.

    Parameters
    ----------
    folder
        Gets the report's files.
    """
    own = {"RISK_REPORTS_DIR": str(folder), "RISK_DESK": "simulated"}
    with mock.patch.dict("os.environ", own), served(Box()) as server:
        site = SessionSite(dsn, server, drop, folder, session_date)
        for step in LINE:
            do(step, site)


def differing_tables(found: Mapping[str, str], expected: Mapping[str, str]) -> set[str]:
    """Return which of the other tables differ in their rows, by digests of `tests.faults.line.digests`."""
    return {table for table in set(expected) - OF_HOW_IT_RAN if found[table] != expected[table]}
