"""Alarms: mails that say what failed, what is missing now and what to do, once for each clearing of a run."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from risk.core.errors import ConnectionLostError
from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, connect
from risk.report.alert_log import Memory, remembering
from risk.report.alert_pages import DEADLINE, NoticePage, failure_page, lateness_page, recovery_page
from risk.report.alert_records import (
    KILLED,
    Cause,
    FailedRun,
    FailedTask,
    Morning,
    RunDates,
    RunKey,
    note_failure,
    read_cause,
    read_morning,
)
from risk.report.alert_task_logs import read_log
from risk.report.mail import SmtpServer
from risk.report.smtp_servers import second_server, send, smtp_server
from risk.report.templates import render

__all__ = [
    "DEADLINE",
    "KILLED",
    "Cause",
    "FailedRun",
    "FailedTask",
    "Morning",
    "NoticePage",
    "RunDates",
    "RunKey",
    "mail_failure",
    "mail_lateness",
    "mail_recovery",
    "note_failure",
    "read_morning",
    "second_server",
    "send",
    "smtp_server",
]

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
"""An alarm does not wait longer for a warehouse that may be what failed."""


def mail_failure(dsn: str, failed: FailedRun, log_folder: Path, servers: Sequence[SmtpServer]) -> bool:
    """Tell once about a failed run; without a warehouse the mail goes out with what Airflow knows.

    Parameters
    ----------
    dsn
        The warehouse.
    failed
        What Airflow says.
    log_folder
        Airflow's folder of task logs.
    servers
        Mail servers in the order in which they are tried.

    Returns
    -------
    bool
        False where this clearing of the run was told before.

    Raises
    ------
    ConnectionLostError
        If nobody could be told; the next call tries again.
    """
    task = failed.task
    end = read_log(log_folder, failed.key.dag_id, failed.key.dag_run_id, task.task_id, task.try_number)

    def tell(connection: Connection | None) -> bool:
        cause = read_cause(connection, failed.key, task, end)
        page = failure_page(failed, cause, _morning(connection, failed.dates), end)
        with remembering(connection, failed.key) as memory:
            return _send_once(memory, "failure", "task_failure", page, servers)

    return _with_warehouse(dsn, tell)


def mail_recovery(dsn: str, key: RunKey, dates: RunDates, run_url: str, servers: Sequence[SmtpServer]) -> bool:
    """Tell once that a run has succeeded, if anybody was told that it failed or was late."""

    def tell(connection: Connection | None) -> bool:
        page = recovery_page(key, dates, _morning(connection, dates), run_url)
        with remembering(connection, key) as memory:
            return memory.has_alarmed() and _send_once(memory, "recovery", "notice", page, servers)

    return _with_warehouse(dsn, tell)


def mail_lateness(
    dsn: str, key: RunKey, dates: RunDates, run_url: str, servers: Sequence[SmtpServer], *, today: dt.date
) -> bool:
    """Tell once that today's report is not out; says nothing about a session whose morning is not today's.

    Parameters
    ----------
    dsn, key, dates, run_url, servers
        Warehouse, run, its sessions, its link, mail servers in order.
    today
        New York date now: after an outage older runs catch up, and nobody waits for their reports.
    """
    if dates.effective_session != today:
        return False

    def tell(connection: Connection | None) -> bool:
        morning = _morning(connection, dates)
        if morning is not None and morning.is_delivered:
            return False
        page = lateness_page(key, dates, morning, run_url)
        with remembering(connection, key) as memory:
            return _send_once(memory, "lateness", "notice", page, servers)

    return _with_warehouse(dsn, tell)


def _with_warehouse(dsn: str, tell: Callable[[Connection | None], bool]) -> bool:
    """Tell with the warehouse's knowledge; without it where it does not answer, breaks off or has no tables yet."""
    try:
        with contextlib.closing(connect(make_dsn(dsn, connect_timeout=CONNECT_SECONDS))) as connection:
            return tell(connection)
    except (ConnectionLostError, psycopg2.Error) as error:
        log.warning("The alarm goes without the warehouse: %s", error)
    return tell(None)


def _morning(connection: Connection | None, dates: RunDates) -> Morning | None:
    if connection is None or dates.effective_session is None:
        return None
    with connection:
        return read_morning(connection, dates.effective_session)


def _send_once(memory: Memory, kind: str, template: str, page: Any, servers: Sequence[SmtpServer]) -> bool:
    if memory.has_sent(kind):
        return False
    rendered = render(template, page)
    key = f"{kind} {memory.key.dag_id} {memory.key.dag_run_id} {memory.key.clear_number}"
    send(rendered, servers, key=key, date=dt.datetime.now(EXCHANGE_ZONE))
    memory.note(kind, rendered.subject)
    return True
