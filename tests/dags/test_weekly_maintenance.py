"""The maintenance DAG: what it does and when."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from risk.settings import PROJECT_DIR


@pytest.mark.parametrize(("schedule", "summary"), [("off", "None"), ("sessions", "0 6 * * 6")])
def test_maintenance_runs_by_itself_only_where_the_line_does(schedule: str, summary: str) -> None:
    code = (
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"bag = DagBag(dag_folder={str(PROJECT_DIR / 'dags' / 'weekly_maintenance.py')!r}, include_examples=False)\n"
        "dag = bag.dags['weekly_maintenance']\nprint('SUMMARY', dag.timetable.summary, sorted(dag.task_ids))"
    )
    path = f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR / 'dags'}"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, "RISK_SCHEDULE": schedule},
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"SUMMARY {summary} ['clean_logs', 'clean_metadata']" in answer.stdout
