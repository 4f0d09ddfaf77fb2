"""Runs that failed, and what sends their alerts: for the tests of alerts."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.alerts import AlertContext
from risk.report.incidents import FailedRun, FailedTask, RunKey
from risk.report.mail import SmtpServer
from risk.report.session_state import RunDates
from tests.report_desks import EFFECTIVE_SESSION, SESSION, insert, open_run

KEY = RunKey("daily_risk", "scheduled__2025-08-15", 0)
AGAIN = RunKey("daily_risk", "scheduled__2025-08-15", 1)
DATES = RunDates(SESSION, EFFECTIVE_SESSION)
TASK = FailedTask("check_fills", 1, "http://127.0.0.1/log")
URL = "http://127.0.0.1/run"
NO_SERVER = SmtpServer("127.0.0.1", 1)


def failed(
    key: RunKey = KEY, dates: RunDates = DATES, task: FailedTask = TASK, run_type: str = "scheduled"
) -> FailedRun:
    return FailedRun(key, dates, task, ("aggregate_pnl", "send_report"), URL, run_type)


def alerts(dsn: str, servers: list[SmtpServer]) -> AlertContext:
    return AlertContext(dsn, servers, read_settings())


def open_approval(connection: Connection) -> None:
    """Store that people were asked about the limits of the run, until 09:00 New York."""
    deadline = dt.datetime(2025, 8, 18, 13, tzinfo=dt.UTC)
    insert(
        connection,
        "publications",
        run_id=1,
        effective_session=EFFECTIVE_SESSION,
        approval_scope="high",
        has_dual_control=False,
        decision_deadline=deadline,
        is_live=True,
        dag_run_id="r",
    )


def deliver_report(connection: Connection, *, is_point_in_time: bool = False) -> None:
    """Store a run of the session with a delivered report."""
    run = open_run(connection, is_point_in_time=is_point_in_time)
    sent_at = dt.datetime(2025, 8, 18, 11, 20, tzinfo=dt.UTC)
    insert(connection, "report_deliveries", run_id=run.run_id, recipient="a", message_id="<a@b>", sent_at=sent_at)


def write_log(folder: Path, *entries: dict[str, object]) -> None:
    """Write the log of the task's first attempt, as Airflow does."""
    file = folder / f"dag_id={KEY.dag_id}" / f"run_id={KEY.dag_run_id}" / "task_id=check_fills" / "attempt=1.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
