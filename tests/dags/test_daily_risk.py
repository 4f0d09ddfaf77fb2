"""The DAG as Airflow sees it: it parses without heavy libraries and is the promised straight line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction

from risk import __version__
from risk.core import errors
from risk.operators.base import RETRY_BY_ERROR

PROJECT_DIR = Path(__file__).resolve().parents[2]
HEAVY = ("pandas", "numpy", "sklearn", "xgboost", "great_expectations", "matplotlib", "scipy", "exchange_calendars")
LINE = [
    "extract_fills",
    "check_fills",
    "aggregate_pnl",
    "build_features",
    "predict_limits",
    "apply_rules",
    "send_report",
]
EMPTY_DAG = "from airflow.sdk import DAG\nDAG(dag_id='empty')\n"


def _modules_after(code: str, environment: dict[str, str]) -> set[str]:
    probe = f"{code}\nimport json, sys\nprint('MODULES', json.dumps(sorted(sys.modules)))"
    path = f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR / 'dags'}"
    answer = subprocess.run(
        [sys.executable, "-c", probe],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in answer.stdout.splitlines() if line.startswith("MODULES "))
    return set(json.loads(line.removeprefix("MODULES ")))


@pytest.fixture(scope="module")
def daily_risk() -> DAG:
    """Give the DAG as the dag-processor finds it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(PROJECT_DIR / "dags" / "daily_risk.py"))
    assert bag.import_errors == {}
    return bag.dags["daily_risk"]


def test_run_asks_for_no_less_approval_than_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.exceptions import ParamValidationError

    monkeypatch.setenv("RISK_APPROVAL", "high")
    bag = DagBag(dag_folder=str(PROJECT_DIR / "dags" / "daily_risk.py"))

    approval = bag.dags["daily_risk"].params.get_param("approval")
    assert (approval.resolve(), approval.resolve("all")) == ("high", "all")
    with pytest.raises(ParamValidationError):
        approval.resolve("none")


@pytest.fixture(scope="module")
def empty_dag_modules() -> set[str]:
    """List what Airflow loads for a DAG without tasks."""
    return _modules_after(EMPTY_DAG, {})


@pytest.mark.parametrize("schedule", ["off", "sessions"])
def test_parsing_the_dag_loads_no_heavy_library_beyond_an_empty_dag(schedule: str, empty_dag_modules: set[str]) -> None:
    loaded = _modules_after("import daily_risk", {"RISK_SCHEDULE": schedule})

    assert "risk.operators.send_report" in loaded
    assert {name for name in loaded - empty_dag_modules if name.split(".")[0] in HEAVY} == set()


def test_dag_is_a_straight_line_of_seven_tasks(daily_risk: DAG) -> None:
    order, task = [], daily_risk.get_task("extract_fills")
    while True:
        order.append(task.task_id)
        following = task.downstream_list
        if not following:
            break
        (task,) = following

    assert order == LINE
    assert sorted(daily_risk.task_ids) == sorted(LINE)


def test_dag_states_owner_tags_documentation_and_a_time_limit_for_each_task(daily_risk: DAG) -> None:
    assert daily_risk.doc_md
    assert daily_risk.tags == {"risk", "daily", f"release {__version__}"}
    assert all(task.owner == "risk" and task.execution_timeout for task in daily_risk.tasks)


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (errors.ConnectionLostError("x"), RetryAction.RETRY),
        (errors.CheckError("x"), RetryAction.RETRY),
        (errors.InputError("x"), RetryAction.FAIL),
        (errors.QualityError("x"), RetryAction.FAIL),
        (errors.BooksError("x"), RetryAction.FAIL),
        (errors.RequestError("x"), RetryAction.FAIL),
        (ZeroDivisionError(), RetryAction.FAIL),
    ],
)
def test_only_lost_connections_and_impossible_checks_are_tried_again(error: Exception, action: RetryAction) -> None:
    assert RETRY_BY_ERROR.evaluate(error, 1, 3).action is action


def test_a_database_connection_that_breaks_is_tried_again() -> None:
    import psycopg2

    assert RETRY_BY_ERROR.evaluate(psycopg2.OperationalError(), 1, 3).action is RetryAction.RETRY


def test_the_retry_policy_survives_serialization() -> None:
    restored = ExceptionRetryPolicy.deserialize(RETRY_BY_ERROR.serialize())

    assert restored.evaluate(errors.InputError("x"), 1, 3).action is RetryAction.FAIL
    assert restored.evaluate(errors.ConnectionLostError("x"), 1, 3).action is RetryAction.RETRY
