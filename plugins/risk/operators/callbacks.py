"""What Airflow calls when a task or a run ends: it notes, mails, and never decides."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg2
from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowTaskTimeout

from risk.core.calendar import next_session, run_session
from risk.core.errors import ConnectionLostError, RequestError
from risk.core.settings import EXCHANGE_ZONE, read_settings
from risk.operators.base import warehouse, warehouse_dsn
from risk.operators.notes import in_words, write_note
from risk.operators.send_report import SMTP_CONNECTION_ID, smtp_server
from risk.report.alert_records import KILLED, Cause, FailedRun, FailedTask, RunDates, RunKey, note_failure
from risk.report.alerts import mail_failure, mail_lateness, mail_recovery
from risk.report.mail import SmtpServer
from risk.report.smtp_servers import second_server

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

FIRST_TASK = "extract_fills"


def store_failure(context: Context) -> None:
    """Note a failed attempt in the audit log and as the task's note; runs in the task's own process."""
    ti = context["ti"]
    cause = _cause(context.get("exception"), ti.task.execution_timeout)
    write_note(ti, f"{cause.error_class}: {cause.message}")
    key, dates = run_key(context), run_dates(context)
    try:
        with warehouse() as connection:
            note_failure(connection, key, FailedTask(ti.task_id, ti.try_number, ""), dates, cause)
    except (ConnectionLostError, psycopg2.Error) as error:
        # The warehouse may be what failed, or have no tables yet: the mail then quotes the log.
        log.warning("The failure is not in the audit log: %s", error)


def store_facts(context: Context) -> None:
    """Write what a task has done as its note: session, knowledge, counts."""
    ti = context["ti"]
    write_note(ti, in_words(ti.xcom_pull(task_ids=ti.task_id) or {}))


def failed_run(context: Context) -> None:
    """Mail that a run has failed, once for each time it is cleared; runs in a child of the dag-processor."""
    key = run_key(context)
    ti = context.get("ti")
    task = FailedTask("", 0, "") if ti is None else FailedTask(ti.task_id, ti.try_number, _task_url(ti))
    failed = FailedRun(key, run_dates(context), task, _tasks_not_run(context, key), _run_url(key))
    folder = Path(conf.get("logging", "base_log_folder"))
    if mail_failure(warehouse_dsn(), failed, folder, mail_servers()):
        log.info("Told that run %s failed.", key.dag_run_id)


def recovered_run(context: Context) -> None:
    """Mail that a run has succeeded, if anybody was told that it had failed."""
    key = run_key(context)
    if mail_recovery(warehouse_dsn(), key, run_dates(context), _run_url(key), mail_servers()):
        log.info("Told that run %s recovered.", key.dag_run_id)


def late_report(context: dict[str, Any]) -> None:
    """Mail that today's report is not out; runs as a deadline's callback in an executor's process.

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
    today = dt.datetime.now(EXCHANGE_ZONE).date()
    mail_lateness(warehouse_dsn(), key, dates, _run_url(key), mail_servers(), today=today)


def run_key(context: Context) -> RunKey:
    """Name the run and its clearing; Airflow gives no run where the task that ended it is gone from the DAG."""
    dag_run = context.get("dag_run")
    clear_number = 0 if dag_run is None else dag_run.clear_number or 0
    return RunKey(context["dag"].dag_id, context["run_id"], clear_number)


def run_dates(context: Context) -> RunDates:
    """Work out the run's sessions as its first task does; unknown where that is what failed."""
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


def mail_servers() -> list[SmtpServer]:
    """List the mail servers in the order in which alarms try them."""
    sources: list[Callable[[], SmtpServer | None]] = [_first_server, second_server]
    servers = []
    for source in sources:
        try:
            servers.append(source())
        except RequestError as error:
            log.warning("%s", error)
    return [server for server in servers if server is not None]


def _first_server() -> SmtpServer:
    return smtp_server(BaseHook.get_connection(SMTP_CONNECTION_ID))


def _cause(error: Any, time_limit: dt.timedelta | None) -> Cause:
    """Name an error; Airflow gives words instead of one where the process was gone."""
    if isinstance(error, AirflowTaskTimeout):
        return Cause(
            type(error).__name__, f"The task was ended at its time limit, {time_limit} (hours:minutes:seconds)."
        )
    if isinstance(error, BaseException):
        return Cause(type(error).__name__, str(error))
    return Cause(KILLED, str(error or "The task's process is gone."))


def _tasks_not_run(context: Context, key: RunKey) -> tuple[str, ...]:
    ti = context.get("ti")
    if ti is None:
        return ()
    try:
        states = ti.get_task_states(dag_id=key.dag_id, run_ids=[key.dag_run_id]).get(key.dag_run_id, {})
    except AirflowRuntimeError as error:
        log.warning("The states of the other tasks are unknown: %s", error)
        return ()
    return tuple(task.task_id for task in ti.task.dag.tasks if states.get(task.task_id) == "upstream_failed")


def _run_url(key: RunKey) -> str:
    base_url = read_settings().base_url.rstrip("/")
    return f"{base_url}/dags/{key.dag_id}/runs/{quote(key.dag_run_id)}" if base_url else ""


def _task_url(ti: Any) -> str:
    base_url = read_settings().base_url.rstrip("/")
    if not base_url:
        return ""
    run_id = quote(ti.run_id)
    return f"{base_url}/dags/{ti.dag_id}/runs/{run_id}/tasks/{ti.task_id}?try_number={ti.try_number}"


TASK_CALLBACKS: dict[str, Any] = {
    "on_failure_callback": store_failure,
    "on_retry_callback": store_failure,
    "on_success_callback": store_facts,
}
"""For the ``default_args`` of a DAG: every attempt that fails is stored, every task says what it did."""
