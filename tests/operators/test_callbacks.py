"""What a task notes about its own end."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.log import mask_secret

from risk.core.errors import InputError
from risk.core.warehouse import Connection
from risk.operators.callbacks import on_task_failure
from risk.report.incidents import KEPT_LINES

RUN_AFTER = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)


def context(error: BaseException | str) -> Any:
    task = SimpleNamespace(execution_timeout=dt.timedelta(minutes=20))
    ti = SimpleNamespace(task_id="check_fills", try_number=1, task=task)
    dag_run = SimpleNamespace(clear_number=0, run_type="manual", conf={}, run_after=RUN_AFTER)
    return {
        "ti": ti,
        "dag": SimpleNamespace(dag_id="daily_risk"),
        "run_id": "r",
        "dag_run": dag_run,
        "exception": error,
    }


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (InputError("3 prices are negative."), ("InputError", "3 prices are negative.")),
        (
            AirflowTaskTimeout("Timeout, PID: 17"),
            ("AirflowTaskTimeout", "The task was stopped at its time limit of 0:20:00 (hours:minutes:seconds)."),
        ),
        ("The task's process is gone.", ("killed", "The task's process is gone.")),
    ],
)
def test_failed_attempt_is_noted_in_words_for_a_person(
    error: BaseException | str,
    noted: tuple[str, str],
    connection: Connection,
    warehouse_connection: None,
) -> None:
    on_task_failure(context(error))

    with connection, connection.cursor() as cursor:
        cursor.execute("select error_class, message, session_date from audit_log")
        assert cursor.fetchall() == [(*noted, dt.date(2025, 8, 15))]


@pytest.fixture
def log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file in which Airflow, in another process, writes what the task logs."""
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    file = tmp_path / "dag_id=daily_risk" / "run_id=r" / "task_id=check_fills" / "attempt=1.log"
    file.parent.mkdir(parents=True)
    return file


def write_log(file: Path, *entries: dict[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as log:
        log.writelines(f"{json.dumps(entry)}\n" for entry in entries)


FAILED = {"event": "Task failed with exception", "error_detail": [{"exc_type": "InputError", "exc_value": "negative"}]}


def stored(connection: Connection) -> tuple[str, list[str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select message, log_lines from audit_log")
        ((message, log_lines),) = cursor.fetchall()
    return message, log_lines


def test_end_of_the_log_is_stored_by_the_machine_that_has_it(
    connection: Connection, warehouse_connection: None, log_file: Path
) -> None:
    write_log(log_file, *({"event": f"line {number}"} for number in range(100)), FAILED)

    on_task_failure(context(InputError("negative")))

    _, lines = stored(connection)
    assert len(lines) == KEPT_LINES
    assert lines[-3:] == ["line 99", "Task failed with exception", "InputError: negative"]


def test_the_error_is_awaited_where_airflow_has_not_written_it_yet(
    connection: Connection, warehouse_connection: None, log_file: Path
) -> None:
    write_log(log_file, {"event": "::group::Pre Execute"}, {"event": "::endgroup::"})
    later = threading.Timer(0.3, write_log, (log_file, FAILED))
    later.start()

    on_task_failure(context(InputError("negative")))
    later.join()

    assert stored(connection)[1] == ["Task failed with exception", "InputError: negative"]


def test_no_secret_that_airflow_knows_is_stored(
    connection: Connection, warehouse_connection: None, log_file: Path
) -> None:
    mask_secret("correct horse battery")
    write_log(log_file, {"event": "password=correct horse battery"}, FAILED)

    on_task_failure(context(InputError("cannot log in with correct horse battery")))

    message, lines = stored(connection)
    assert message == "cannot log in with ***"
    assert lines[0] == "password=***"


def test_a_killed_task_stores_no_line(connection: Connection, warehouse_connection: None, log_file: Path) -> None:
    write_log(log_file, {"event": "of the machine on which this callback runs"})

    on_task_failure(context("The task's process is gone."))

    assert stored(connection) == ("The task's process is gone.", [])
