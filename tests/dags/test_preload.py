"""Which of Airflow's processes load the line once for the tasks that they fork."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from risk.core.settings import PROJECT_DIR

LOADED = """
import sys
sys.argv = ["airflow", *sys.argv[1:]]
import airflow_local_settings
print(*sorted({"great_expectations", "exchange_calendars", "risk.limits.decide"} & set(sys.modules)))
"""


def _loaded(words: str) -> list[str]:
    """Import the settings as one of Airflow's commands does, and return which modules are there then."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words.split()],
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR / "plugins"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("words", ["scheduler --skip-serve-logs", "celery worker --concurrency 2"])
def test_what_forks_tasks_loads_the_line_before_them(words: str) -> None:
    assert _loaded(words) == ["exchange_calendars", "great_expectations", "risk.limits.decide"]


@pytest.mark.parametrize("words", ["api-server", "celery flower"])
def test_what_forks_no_task_loads_nothing(words: str) -> None:
    assert _loaded(words) == []
