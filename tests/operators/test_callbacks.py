"""What a task notes about its own end."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

from risk.core.errors import InputError
from risk.core.warehouse import Connection
from risk.operators.callbacks import on_task_failure

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
