"""What we use beyond Airflow's public interface: each name, where, and what to do when an upgrade takes it away."""

from __future__ import annotations

import ast
import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path

import pytest

from risk.core.settings import PROJECT_DIR
from risk.report.watchdog import calls_deadlines

PUBLIC_MODULES = {
    "airflow.sdk",
    "airflow.sdk.exceptions",
    "airflow.plugins_manager",
    "airflow.providers.common.sql.hooks.sql",
    "airflow.providers.openlineage.extractors",
    "airflow.providers.standard.operators.hitl",
    "airflow.timetables.base",
}
"""Named by Airflow's page "Public interface": DAG authoring, exceptions, plugins, providers, timetables."""


@dataclass(frozen=True)
class Use:
    """A name of Airflow's that may change in any release."""

    module: str
    name: str
    used_in: str
    remedy: str


EXECUTORS = (
    "airflow.executors.local_executor.LocalExecutor",
    "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
)
TRIGGER = (
    "See how TriggerDagRunOperator starts a run in this release, and send the same in operators/approval._trigger."
)
DEADLINE = "See how the release's own deadline references read the run, and do the same in operators/deadlines."
ACCESS = "See how the release's own routes ask for roles (airflow/api_fastapi/core_api), and do the same in web/access."
START = (
    "See how the release's own route starts a run (core_api/routes/public/dag_run), and do the same in web/trial_runs."
)
MASK = "Take what masks secrets in task logs (beside mask_secret) from where the release has it."
CONFIG = "Take conf from where the release's public interface names it."

METRICS = "See where the release's task SDK keeps the metrics client, and take gauge from there in operators/metrics."

UNSTABLE = (
    # Recommended by the maintainers (discussion 69096), and not on that page.
    Use("airflow.sdk.observability.stats", "gauge", "operators/metrics.py", METRICS),
    Use("airflow.sdk.execution_time.comms", "TriggerDagRun", "operators/approval.py", TRIGGER),
    Use("airflow.sdk.execution_time.comms", "ErrorResponse", "operators/approval.py", TRIGGER),
    Use("airflow.sdk.execution_time.task_runner", "SUPERVISOR_COMMS", "operators/approval.py", TRIGGER),
    Use("airflow.models", "DagRun", "operators/deadlines.py", DEADLINE),
    Use("airflow.sdk.log", "mask_logs", "operators/callbacks.py", MASK),
    # airflow.sdk has these three, too, but its type stub does not.
    Use("airflow.sdk.definitions.deadline", "BaseDeadlineReference", "operators/deadlines.py", DEADLINE),
    Use("airflow.sdk.definitions.deadline", "DeadlineAlert", "operators/deadlines.py", DEADLINE),
    Use("airflow.sdk.definitions.callback", "SyncCallback", "operators/deadlines.py", DEADLINE),
    Use("airflow.api_fastapi.core_api.security", "GetUserDep", "web/access.py", ACCESS),
    Use("airflow.api_fastapi.core_api.security", "requires_access_dag", "web/access.py", ACCESS),
    Use("airflow.api_fastapi.core_api.security", "requires_access_view", "web/access.py", ACCESS),
    Use("airflow.api_fastapi.auth.managers.models.base_user", "BaseUser", "web/access.py", ACCESS),
    Use("airflow.api_fastapi.auth.managers.models.resource_details", "AccessView", "web/access.py", ACCESS),
    Use("airflow.api_fastapi.auth.managers.models.resource_details", "DagAccessEntity", "web/access.py", ACCESS),
    Use("airflow.configuration", "conf", "web/access.py", CONFIG),
    Use("airflow.configuration", "conf", "web/wake.py", CONFIG),
    Use("airflow.api_fastapi.auth.managers.base_auth_manager", "COOKIE_NAME_JWT_TOKEN", "web/wake.py", ACCESS),
    Use("airflow.api.common.trigger_dag", "trigger_dag", "web/trial_runs.py", START),
    Use("airflow.exceptions", "DagNotFound", "web/trial_runs.py", START),
    Use("airflow.models", "DagRun", "web/trial_runs.py", START),
    Use("airflow.utils.types", "DagRunTriggeredByType", "web/trial_runs.py", START),
)


def imported_names(path: Path) -> set[tuple[str, str]]:
    """Return module and name of each import from Airflow in a file."""
    return {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "airflow"
        for alias in node.names
    }


def test_nothing_else_is_used_beyond_the_public_interface() -> None:
    package = PROJECT_DIR / "plugins" / "risk"
    paths = [*package.rglob("*.py"), *(PROJECT_DIR / "dags").glob("*.py"), *(PROJECT_DIR / "plugins").glob("*.py")]

    used = {
        (module, name, path.relative_to(package).as_posix())
        for path in paths
        for module, name in imported_names(path)
        if module not in PUBLIC_MODULES
    }

    assert used == {(use.module, use.name, use.used_in) for use in UNSTABLE}, (
        "A use beyond Airflow's public interface was added or went away: list it in UNSTABLE with a remedy, "
        "and in docs/decisions/0006-unstable-airflow-apis.md."
    )


@pytest.mark.parametrize("use", UNSTABLE, ids=lambda use: f"{use.used_in}: {use.name}")
def test_unstable_name_is_still_there(use: Use) -> None:
    try:
        module = importlib.import_module(use.module)
    except ImportError:
        module = None

    # SUPERVISOR_COMMS is only declared until a task runs.
    is_there = hasattr(module, use.name) or use.name in getattr(module, "__annotations__", {})
    assert is_there, f"Airflow took {use.module}.{use.name} away, used in {use.used_in}. {use.remedy}"


def test_starting_a_run_still_takes_what_we_send_and_says_that_it_exists() -> None:
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun

    assert {"dag_id", "run_id", "conf", "note"} <= TriggerDagRun.model_fields.keys(), TRIGGER
    assert "error" in ErrorResponse.model_fields, TRIGGER
    assert "DAGRUN_ALREADY_EXISTS" in {kind.value for kind in ErrorType}, TRIGGER


def test_run_still_has_the_columns_that_the_deadline_reads() -> None:
    from airflow.models import DagRun

    columns = set(DagRun.__table__.columns.keys())

    assert {"dag_id", "run_id", "run_type", "data_interval_end"} <= columns, DEADLINE


def test_starting_a_run_from_a_page_still_takes_what_we_send() -> None:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models import DagRun

    taken = inspect.signature(trigger_dag).parameters.keys()

    assert {"dag_id", "run_id", "conf", "triggered_by", "triggering_user_name"} <= taken, START
    assert {"dag_id", "run_id"} <= inspect.signature(DagRun.find).parameters.keys(), START


@pytest.mark.parametrize("name", EXECUTORS)
def test_executor_that_runs_the_callbacks_of_deadlines_still_does(name: str) -> None:
    module, _, executor = name.rpartition(".")

    assert calls_deadlines(name)
    assert getattr(importlib.import_module(module), executor).supports_callbacks, DEADLINE


def test_executor_runs_no_callbacks_of_deadlines_unless_it_says_so() -> None:
    from airflow.executors.base_executor import BaseExecutor

    assert not BaseExecutor.supports_callbacks, DEADLINE
    assert not calls_deadlines("KubernetesExecutor,LocalExecutor")
    assert not calls_deadlines("airflow.executors.base_executor.BaseExecutor")
