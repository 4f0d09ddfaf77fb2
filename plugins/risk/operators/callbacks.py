"""Airflow callbacks: store failed attempts, write task notes, send alerts."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg2
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowTaskTimeout
from airflow.sdk.log import mask_logs

from risk.core.calendar import next_session, run_session
from risk.core.errors import ConnectionLostError, RequestError
from risk.core.exchange import exchange_zone
from risk.core.settings import read_settings
from risk.operators.base import warehouse, warehouse_dsn
from risk.operators.desks import by_desk
from risk.operators.maintenance import clean_own_logs
from risk.operators.notes import note_text, write_note
from risk.operators.send_report import smtp_server
from risk.operators.signals import named_connections
from risk.report.alerts import AlertContext, mail_failure, mail_lateness, mail_recovery
from risk.report.incidents import (
    FIRST_TASKS,
    KILLED,
    Cause,
    FailedRun,
    FailedTask,
    RunKey,
    await_log_tail,
    store_failure,
)
from risk.report.mail import SmtpServer, second_server
from risk.report.page import ui_address
from risk.report.session_state import RunDates

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


@by_desk
def on_task_failure(context: Context) -> None:
    """Store a failed attempt with the end of its log in the audit log, and as the note of the task.

    Runs in the task process, on the machine that has the log; of a killed task elsewhere, which then stores no lines.
    """
    ti = context["ti"]
    cause = _cause(context.get("exception"), ti.task.execution_timeout)
    write_note(ti, f"{cause.error_class}: {cause.message}")
    key, dates = run_key(context), run_dates(context)
    failed = FailedTask(ti.task_id, ti.try_number, "")
    if cause.error_class != KILLED:
        tail = await_log_tail(_log_folder(), key, failed)
        cause = replace(cause, log_lines=tuple(map(_masked, tail.lines)))
    try:
        with warehouse() as connection:
            store_failure(connection, key, failed, dates, cause, _run_type(context))
    except (ConnectionLostError, psycopg2.Error) as error:
        # The warehouse may be the cause, or have no tables yet: the alert then quotes the log.
        log.warning("The failure was not stored in the audit log: %s", error)


@by_desk
def on_task_success(context: Context) -> None:
    """Write the notes of a task (session and counts) and of its run (session); then remove old logs here, if due."""
    ti = context["ti"]
    returned = ti.xcom_pull(task_ids=ti.task_id) or {}
    names_run = ti.task_id in FIRST_TASKS and returned.get("session_date")
    write_note(ti, note_text(returned), f"session {returned['session_date']}" if names_run else "")
    clean_own_logs()


@by_desk
def on_run_failure(context: Context) -> None:
    """Send an alert that a run failed, once per clearing; runs in a child of the dag-processor."""
    key = run_key(context)
    ti = context.get("ti")
    task = FailedTask("", 0, "") if ti is None else FailedTask(ti.task_id, ti.try_number, _task_url(ti))
    not_run = _tasks_not_run(context, key)
    failed = FailedRun(key, run_dates(context), task, not_run, _run_url(key), _run_type(context))
    if mail_failure(alert_context(), failed, _log_folder()):
        log.info("Sent an alert: run %s failed.", key.dag_run_id)


@by_desk
def on_run_success(context: Context) -> None:
    """Send an alert that a run succeeded, if its failure was reported; runs in a child of the dag-processor."""
    key = run_key(context)
    if mail_recovery(alert_context(), key, run_dates(context), _run_url(key)):
        log.info("Sent an alert: run %s recovered.", key.dag_run_id)
    clean_own_logs()


@by_desk
def on_report_late(context: dict[str, Any]) -> None:
    """Send an alert that today's report is not out; runs as the callback of a deadline in an executor process.

    Parameters
    ----------
    context
        ``dag_run`` as the public API shows it.
    """
    dag_run = context["dag_run"]
    if read_settings().is_simulated:
        return
    key = RunKey(dag_run["dag_id"], dag_run["dag_run_id"], 0)
    start = dag_run["data_interval_start"]
    session_date = dt.datetime.fromisoformat(start).astimezone(dt.UTC).date()
    dates = RunDates(session_date, next_session(session_date))
    today = dt.datetime.now(exchange_zone()).date()
    mail_lateness(alert_context(), key, dates, _run_url(key), today=today)


@by_desk
def on_limits_late(context: dict[str, Any]) -> None:
    """Send an alert that today's limits are not published though decisions are closed; a deadline's callback.

    Parameters
    ----------
    context
        ``dag_run`` as the public API shows it.
    """
    dag_run = context["dag_run"]
    if read_settings().is_simulated:
        return
    key = RunKey(dag_run["dag_id"], dag_run["dag_run_id"], 0)
    session_date = dt.date.fromisoformat(dag_run["conf"]["session_date"])
    dates = RunDates(session_date, next_session(session_date))
    mail_lateness(alert_context(), key, dates, _run_url(key), today=dt.datetime.now(exchange_zone()).date())


def run_key(context: Context) -> RunKey:
    """Return the run and its clearing; Airflow passes no run if the task that ended it is no longer in the DAG."""
    dag_run = context.get("dag_run")
    clear_number = 0 if dag_run is None else dag_run.clear_number or 0
    return RunKey(context["dag"].dag_id, context["run_id"], clear_number)


def run_dates(context: Context) -> RunDates:
    """Return the run's sessions as its first task computes them; unknown if that is what failed."""
    dag_run = context.get("dag_run")
    if dag_run is None:
        return RunDates(None, None)
    is_automated = dag_run.run_type in ("scheduled", "backfill")
    requested = str((dag_run.conf or {}).get("session_date") or "")
    try:
        start = dag_run.data_interval_start if is_automated else None
        session_date = run_session(requested, start, dag_run.run_after)
    except RequestError:
        return RunDates(None, None)
    return RunDates(session_date, next_session(session_date))


def alert_context() -> AlertContext:
    """Return the warehouse, the settings, and the mail servers in the order in which alerts try them."""
    current = read_settings()
    sources: list[Callable[[], SmtpServer | None]] = [smtp_server, lambda: second_server(current.alarm_smtp_uri)]
    servers = []
    for source in sources:
        try:
            servers.append(source())
        except RequestError as error:
            log.warning("%s", error)
    known = [server for server in servers if server is not None]
    return AlertContext(warehouse_dsn(), known, current, partial(named_connections, current))


def _cause(error: Any, time_limit: dt.timedelta | None) -> Cause:
    """Return class and message of an error; Airflow passes text instead if the process was gone."""
    if isinstance(error, AirflowTaskTimeout):
        message = f"The task was stopped at its time limit of {time_limit} (hours:minutes:seconds)."
        return Cause(type(error).__name__, message)
    if isinstance(error, BaseException):
        return Cause(type(error).__name__, _masked(str(error)))
    return Cause(KILLED, _masked(str(error or "The task's process is gone.")))


def _masked(text: str) -> str:
    """Take out of a text what Airflow takes out of its logs: the passwords of connections that it has read."""
    return str(mask_logs(None, "", {"event": text})["event"])


def _log_folder() -> Path:
    return Path(conf.get("logging", "base_log_folder"))


def _tasks_not_run(context: Context, key: RunKey) -> tuple[str, ...]:
    ti = context.get("ti")
    if ti is None:
        return ()
    try:
        states = ti.get_task_states(dag_id=key.dag_id, run_ids=[key.dag_run_id]).get(key.dag_run_id, {})
    except AirflowRuntimeError as error:
        log.warning("Task states are unknown: %s", error)
        return ()
    return tuple(task.task_id for task in ti.task.dag.tasks if states.get(task.task_id) == "upstream_failed")


def _run_type(context: Context) -> str:
    dag_run = context.get("dag_run")
    # An enumeration in a task, text elsewhere.
    return "scheduled" if dag_run is None else str(getattr(dag_run.run_type, "value", dag_run.run_type))


def _run_url(key: RunKey) -> str:
    return ui_address(read_settings().base_url, f"/dags/{key.dag_id}/runs/{quote(key.dag_run_id)}")


def _task_url(ti: Any) -> str:
    path = f"/dags/{ti.dag_id}/runs/{quote(ti.run_id)}/tasks/{ti.task_id}?try_number={ti.try_number}"
    return ui_address(read_settings().base_url, path)


TASK_CALLBACKS: dict[str, Any] = {
    "on_failure_callback": on_task_failure,
    "on_retry_callback": on_task_failure,
    "on_success_callback": on_task_success,
}
"""For the ``default_args`` of a DAG: every failed attempt is stored, every task notes what it did."""
