"""The maintenance DAG: what it does and when."""

from __future__ import annotations

import pytest

from risk.core.settings import PROJECT_DIR


@pytest.mark.parametrize(("schedule", "expression"), [("off", None), ("sessions", "0 6 * * 1")])
def test_maintenance_runs_by_itself_only_where_the_line_does(
    schedule: str, expression: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    monkeypatch.setenv("RISK_SCHEDULE", schedule)
    file = PROJECT_DIR / "dags" / "weekly_maintenance.py"

    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags")

    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    assert getattr(dag.timetable, "expression", None) == expression
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "judge_trials": set(),
        "send_digest": set(),
        "clean_metadata": set(),
    }
