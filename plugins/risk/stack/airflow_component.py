"""Run one of Airflow's commands, started faster: ``python -m risk.stack.airflow_component scheduler``.

Airflow builds some millions of lasting objects while it starts; Python's default looks through them after every
700 new ones and again at the end. Looking after every 100,000, and not at the end, saves a third of the
processor time of a start and a stop, here and in every forked task.

The scheduler forks the workers that fork the tasks. What it has imported before is there in each of them at once,
and while it imports, the api-server, which takes longest, still starts.
"""

from __future__ import annotations

import gc
import importlib
import runpy
import sys

PATIENT_THRESHOLDS = (100_000, 50, 100)
SLOW_IMPORTS = ("great_expectations", "exchange_calendars")
"""5.0 and 0.6 s of processor time, which the tasks check_fills and extract_fills would spend in every run."""


def main() -> None:
    """Prepare, then be ``python -m airflow`` with the same arguments."""
    gc.set_threshold(*PATIENT_THRESHOLDS)
    if sys.argv[1:2] == ["scheduler"]:
        for name in SLOW_IMPORTS:
            importlib.import_module(name)
    try:
        runpy.run_module("airflow", run_name="__main__", alter_sys=True)
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
