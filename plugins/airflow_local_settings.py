"""Imported by Airflow when a component starts: lets the scheduler load, once, what its tasks would each load again.

The scheduler forks the workers that fork the tasks; what it has loaded is there in each of them at once.
"""

from __future__ import annotations

import gc
import importlib
import sys

SLOW_IMPORTS = ("great_expectations", "exchange_calendars", "xgboost", "scipy.stats")
"""Seconds of processor time each, which check_fills, extract_fills and predict_limits would spend in every run."""

if sys.argv[1:2] == ["scheduler"]:
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    # 0.4 s more; the module is one the scheduler holds anyway, for the timetable.
    importlib.import_module("risk.sessions").calendar_fingerprint()
    # 1 s of every send_report, and 0.2 s more.
    importlib.import_module("risk.report.pictures").new_figure()
    importlib.import_module("risk.letters").compile_templates()
    # Else each forked task searches all of this for garbage again, and by that copies the memory it shares.
    gc.collect()
    gc.freeze()
