"""What Airflow tells about a run that needs a mail, and what the warehouse knows beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records
from risk.report.alert_task_logs import LogEnd

KILLED = "killed"
"""Stands where an error's class would: the process ended without saying anything."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """One clearing of one Airflow run: the unit that is told about once.

    Attributes
    ----------
    dag_id, dag_run_id
        Airflow's names.
    clear_number
        How often the run has been cleared, from 0.
    """

    dag_id: str
    dag_run_id: str
    clear_number: int


@dataclass(frozen=True, slots=True)
class RunDates:
    """The sessions of a run; ``None`` where it failed before they were known."""

    session_date: dt.date | None
    effective_session: dt.date | None

    @property
    def words(self) -> str:
        """Both sessions, as a reader meets them."""
        if self.session_date is None or self.effective_session is None:
            return "not known"
        return f"{self.session_date.isoformat()}, limits for {self.effective_session.isoformat()}"


@dataclass(frozen=True, slots=True)
class FailedTask:
    """The task that ended a run.

    Attributes
    ----------
    task_id, try_number
        Which attempt of which task; an empty name where Airflow names none.
    log_url
        Its log in the Airflow UI.
    """

    task_id: str
    try_number: int
    log_url: str


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that has failed.

    Attributes
    ----------
    key, dates, task
        Which run, which sessions, which task ended it.
    not_run
        Tasks that could not run because of it, in no order that matters.
    run_url
        The run in the Airflow UI; empty where its address is not known.
    """

    key: RunKey
    dates: RunDates
    task: FailedTask
    not_run: tuple[str, ...]
    run_url: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a task failed: the class of its error, or ``killed``, and the sentence."""

    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Morning:
    """What exists for the morning of an effective session."""

    has_limits: bool
    has_report: bool
    sent_at: dt.datetime | None
    sent_count: int
    open_count: int

    @property
    def is_delivered(self) -> bool:
        """Whether somebody has the report and nobody waits for it."""
        return self.sent_count > 0 and self.open_count == 0

    @property
    def sent_time(self) -> str:
        """New York time at which the first mail left, or nothing."""
        return "" if self.sent_at is None else f"{self.sent_at.astimezone(EXCHANGE_ZONE):%H:%M}"


def note_failure(connection: Connection, key: RunKey, task: FailedTask, dates: RunDates, cause: Cause) -> None:
    """Add a failed attempt to the audit log; the log is append only."""
    values = {**_attempt(key, task), "session_date": dates.session_date}
    with connection:
        execute(
            connection,
            "alarms/insert_audit_log",
            {**values, "error_class": cause.error_class, "message": cause.message},
        )


def read_cause(connection: Connection | None, key: RunKey, task: FailedTask, log: LogEnd) -> Cause:
    """Find out why a task failed: from the audit log, else from its log file; silence in both means killed.

    Parameters
    ----------
    connection
        Warehouse; ``None`` where it does not answer.
    key, task
        Which attempt.
    log
        End of its log file; empty where it is on another machine.
    """
    noted = [] if connection is None else records(connection, "alarms/select_audit_log", _attempt(key, task))
    if noted:
        return Cause(**noted[0])
    if log.error_class:
        return Cause(log.error_class, log.message)
    return Cause(KILLED, "The task's process ended without an error of its own: it was killed from outside.")


def read_morning(connection: Connection, effective_session: dt.date) -> Morning:
    """Read what exists for the morning of a session."""
    return Morning(**records(connection, "alarms/select_session_states", {"effective_session": effective_session})[0])


def _attempt(key: RunKey, task: FailedTask) -> dict[str, str | int]:
    return {
        "dag_id": key.dag_id,
        "dag_run_id": key.dag_run_id,
        "task_id": task.task_id,
        "try_number": task.try_number,
    }
