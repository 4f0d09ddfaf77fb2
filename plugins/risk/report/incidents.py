"""A run that failed, is late or recovered: what happened, what it means for the session, what to do, where to look."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from risk.core.desks import MODEL_DAG, PUBLICATION_DAG, own_dag
from risk.core.exchange import exchange
from risk.core.warehouse import Connection, execute, records
from risk.report.page import NoticePage
from risk.report.session_state import RunDates, SessionState, consequences, headline

KILLED = "killed"
"""Takes the place of an error's class when the process ended without an error."""

REMEDIES: Final = {
    "InputError": "Fix or replace the file, then clear task extract_fills.",
    "ChangedFileError": "Wait until the file is complete, then clear task extract_fills.",
    "SourceIncompleteError": "Wait for the missing files or ask their source, then clear task extract_fills.",
    "RequestError": "Correct the value named in the message, then clear the task or start a run with other parameters.",
    "FolderError": "Name the right folder (fills, RISK_FILLS_DIR) or fill it, then clear task extract_fills.",
    "QualityError": "Read the failed checks in the log, fix the input, then clear task extract_fills.",
    "CheckError": "Check the database, then clear the task: it may succeed unchanged.",
    "BooksError": "Call the developers: two computations of the same P&L disagree. This step stored nothing.",
    "SchemaError": "Restore the named schema files (git status include/sql/schema), then clear the task.",
    "ReleaseError": "Install the wheel that the message names where the task ran, then clear the task.",
    "ConnectionLostError": "Start the server named in the message or contact its owner, then clear the task.",
    "IncompleteAnswerError": "Contact the vendor about the response named in the message, then clear the task.",
    "RefusalError": "Correct the connection named in the message or contact its owner, then clear the task.",
    "StackError": "Correct what the message names (a folder, a disk, a DAG's switch), then clear the task.",
    "ModelError": "Nothing for today: rule-based limits apply. For a new model run weekly_model.",
    "LeakError": "Call the developers: a forecast of the past changes with the future. Nothing was trained.",
    "FeatureError": "Clear task build_features and those after it.",
    "AirflowTaskTimeout": "Check what the machine and the database were busy with, then clear the task.",
    "OperationalError": "Start the database or free what it lacks (the message says), then clear the task.",
    "InterfaceError": "Start the database (make up, or docker compose up --detach), then clear the task.",
    KILLED: "Check the machine: memory (dmesg), disk, restarts. Then clear the task; every step can be rerun safely.",
}
"""What to do, by the class of the error: every class of ``risk.core.errors`` has one, and so has a killed task."""

OTHER_REMEDY = "Read the log. If it does not say what to do, call the developers; then clear the task."

REQUEST_ERRORS = ("RequestError", "FolderError")
"""Classes of errors in what a run was asked for."""

FIRST_TASKS = ("await_decisions", "extract_fills", "train_model")
"""Tasks that read what a run was asked for."""

READ_BYTES = 65_536
KEPT_LINES = 50
"""So many lines at the end of a failed task's log are stored in the warehouse; the mail shows fewer."""
SHOWN_LINES = 12
LINE_LENGTH = 300
LOG_SECONDS = 2.0
LOG_INTERVAL_S = 0.05
TASK_FAILED = "Task failed"
"""Start of Airflow's log entry that holds the error of the task; errors of callbacks have other words."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """One clearing of one Airflow run: each is reported once.

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
class FailedTask:
    """The task that ended a run.

    Attributes
    ----------
    task_id, try_number
        Which attempt of which task; an empty name if Airflow names none.
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
        Which run, its sessions, the task that ended it.
    not_run
        Tasks that could not run because of it.
    run_url
        The run in the Airflow UI; empty if the address is unknown.
    run_type
        Airflow's type: ``scheduled``, ``manual``, ``backfill``, ...
    """

    key: RunKey
    dates: RunDates
    task: FailedTask
    not_run: tuple[str, ...]
    run_url: str
    run_type: str = "scheduled"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a task failed: the class of its error, or ``killed``, the message, and how its log ended.

    Attributes
    ----------
    error_class, message
        Of the error; empty or ``killed`` where there is none.
    log_lines
        End of its log, oldest first; empty for a task that was killed.
    """

    error_class: str
    message: str
    log_lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a task log.

    Attributes
    ----------
    lines
        Oldest first.
    error_class, message
        Error of the task; empty if there is none.
    """

    lines: tuple[str, ...] = ()
    error_class: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Context of the templates ``task_failure``.

    Attributes
    ----------
    is_simulated
        Whether the desk is simulated.
    headline
        What the failure means for the session, in one sentence.
    failed, cause
        What failed and why.
    consequences
        Sentences: what exists for the session and what does not.
    remedy
        What to do.
    log_lines
        End of the task log, oldest first.
    """

    is_simulated: bool
    headline: str
    failed: FailedRun
    cause: Cause
    consequences: tuple[str, ...]
    remedy: str
    log_lines: tuple[str, ...]


def is_refused_request(run_type: str, task_id: str, cause: Cause) -> bool:
    """Whether a person asked by hand for what does not exist: answered in Airflow, where it was asked, by no alert."""
    return run_type == "manual" and task_id in FIRST_TASKS and cause.error_class in REQUEST_ERRORS


def store_failure(
    connection: Connection, key: RunKey, task: FailedTask, dates: RunDates, cause: Cause, run_type: str = "scheduled"
) -> None:
    """Add a failed attempt to the audit log, which is append only."""
    values = {
        "event": "refused request" if is_refused_request(run_type, task.task_id, cause) else "failure",
        **_attempt(key, task),
        "session_date": dates.session_date,
        "error_class": cause.error_class,
        "message": cause.message,
        "log_lines": list(cause.log_lines),
    }
    with connection:
        execute(connection, "alarms/insert_audit_log", values)


def read_cause(connection: Connection | None, key: RunKey, task: FailedTask, tail: LogTail) -> Cause:
    """Find out why a task failed: from the audit log, else from its log file; neither one means killed.

    Parameters
    ----------
    connection
        Warehouse; ``None`` if it is unreachable.
    key, task
        Which attempt.
    tail
        End of its log file; empty if the file is on another machine. Quoted where the warehouse has no lines.
    """
    stored = [] if connection is None else records(connection, "alarms/select_audit_log", _attempt(key, task))
    if stored:
        found = Cause(**stored[0])
    elif tail.error_class:
        found = Cause(tail.error_class, tail.message)
    else:
        found = Cause(KILLED, "The task process ended without an error: something outside killed it.")
    return replace(found, log_lines=found.log_lines or tail.lines)


def read_log_tail(folder: Path, key: RunKey, task: FailedTask) -> LogTail:
    """Read the end of one attempt's log from Airflow's ``base_log_folder``; empty if the file is elsewhere."""
    try:
        with _log_file(folder, key, task).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - READ_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return LogTail()
    # The first line may be cut off.
    return log_tail(map(_log_entry, text.splitlines()[1 if size > READ_BYTES else 0 :]))


def await_log_tail(folder: Path, key: RunKey, task: FailedTask) -> LogTail:
    """Read the end of the log of a task that has just failed, in its own process.

    Airflow writes the file in another process of this machine: wait a moment until it holds the error.
    """
    deadline = time.monotonic() + LOG_SECONDS
    while True:
        tail = read_log_tail(folder, key, task)
        if tail.error_class or not _log_file(folder, key, task).exists() or time.monotonic() > deadline:
            return tail
        time.sleep(LOG_INTERVAL_S)


def log_tail(entries: Iterable[Mapping[str, Any]], line_count: int = KEPT_LINES) -> LogTail:
    """Select from the entries of an Airflow task log the last lines worth reading, and the error of the task."""
    lines: list[str] = []
    error_class, message, is_folded = "", "", False
    for entry in entries:
        event = str(entry.get("event", ""))
        # Airflow encloses its own lines before and after those of the task in two such marks.
        is_folded = (is_folded or event.startswith("::group::")) and not event.startswith("::endgroup::")
        if not is_folded and not event.startswith("::"):
            lines.extend(event.splitlines())
        for error in entry.get("error_detail") or []:
            kind, sentence = str(error.get("exc_type", "")), str(error.get("exc_value", ""))
            lines.extend(f"{kind}: {sentence}".splitlines())
            if event.startswith(TASK_FAILED):
                error_class, message = kind, sentence
    shown = [line[:LINE_LENGTH] for line in lines if line.strip()]
    return LogTail(tuple(shown[-line_count:]), error_class, message)


def failure_page(failed: FailedRun, cause: Cause, state: SessionState | None, *, is_simulated: bool) -> FailurePage:
    """Build the page of a failure."""
    sentences = consequences(failed.key.dag_id, failed.dates, state)
    if failed.run_type == "backfill":
        sentences = (
            *sentences,
            "Other runs of this backfill that fail today send no email: Airflow's grid shows them.",
        )
    return FailurePage(
        is_simulated=is_simulated,
        headline=headline(failed.key.dag_id, failed.dates, state),
        failed=failed,
        cause=cause,
        consequences=sentences,
        remedy=REMEDIES.get(cause.error_class, OTHER_REMEDY),
        log_lines=tuple(cause.log_lines[-SHOWN_LINES:]),
    )


def recovery_page(
    key: RunKey, dates: RunDates, state: SessionState | None, run_url: str, *, is_simulated: bool
) -> NoticePage:
    """Build the page of a run that failed and then succeeded."""
    day = "" if dates.effective_session is None else f" for {dates.effective_session.isoformat()}"
    is_out = state is not None and state.is_delivered
    outcome = f"Limits{day} have been emailed." if is_out else f"Limits{day} are computed; this run sends no email."
    if key.dag_id == own_dag(MODEL_DAG):
        outcome = "The model of the week is trained."
    elif key.dag_id == own_dag(PUBLICATION_DAG):
        is_published = state is not None and state.published_at is not None
        outcome = f"Limits{day} are published." if is_published else f"Nothing was published{day} by this run."
    return NoticePage(
        is_simulated=is_simulated,
        tone="good",
        label="RECOVERED",
        title=f"RISK RUN RECOVERED - {key.dag_id}{day}",
        headline=f"The failed run has succeeded. {outcome}",
        sentences=(_where(key, dates),),
        actions=(),
        url=run_url,
    )


def lateness_page(
    key: RunKey, dates: RunDates, state: SessionState | None, run_url: str, *, is_simulated: bool
) -> NoticePage:
    """Build the page of a report that is not out, or limits that are not published, by the deadline."""
    day = "unknown" if dates.effective_session is None else dates.effective_session.isoformat()
    known = exchange()
    due_at, opening = f"{known.report_due_at:%H:%M} {known.city}", f"The market opens at {known.opens_at:%H:%M}."
    title = f"RISK REPORT LATE - no report for {day} by {due_at}"
    due = f"The report for {day} was due at {due_at}. {opening}"
    label, action = "REPORT LATE", "check its current task; the log of a waiting task names what it waits for."
    if key.dag_id == own_dag(PUBLICATION_DAG):
        label, title = "LIMITS LATE", f"RISK LIMITS LATE - limits for {day} are not published"
        due = f"Decisions about the limits for {day} are closed. {opening}"
        action = "unpause the DAG, or clear the task that hangs; what was decided is stored."
    return NoticePage(
        is_simulated=is_simulated,
        tone="bad",
        label=label,
        title=title,
        headline=headline(key.dag_id, dates, state),
        sentences=(due, _where(key, dates)),
        actions=(f"Open the run in Airflow and {action}",),
        url=run_url,
        consequences=consequences(key.dag_id, dates, state),
    )


def _where(key: RunKey, dates: RunDates) -> str:
    session = "unknown" if dates.session_date is None else dates.session_date.isoformat()
    return f"DAG {key.dag_id}, run {key.dag_run_id}, session {session}."


def _log_file(folder: Path, key: RunKey, task: FailedTask) -> Path:
    run_folder = folder / f"dag_id={key.dag_id}" / f"run_id={key.dag_run_id}"
    return run_folder / f"task_id={task.task_id}" / f"attempt={task.try_number}.log"


def _attempt(key: RunKey, task: FailedTask) -> dict[str, str | int]:
    return {
        "dag_id": key.dag_id,
        "dag_run_id": key.dag_run_id,
        "task_id": task.task_id,
        "try_number": task.try_number,
    }


def _log_entry(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except json.JSONDecodeError:
        return {"event": text}
    return entry if isinstance(entry, dict) else {"event": text}
