"""Imported by Airflow when a component starts: lets the scheduler load, once, what its tasks would each load again.

The scheduler forks the workers that fork the tasks; what it has loaded is there in each of them at once. So a task
runs the code its scheduler started with, Python, SQL and templates, and a run's code version names that code.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys

SLOW_IMPORTS = ("great_expectations", "exchange_calendars", "xgboost", "scipy.stats")
"""Seconds of processor time each, which check_fills, extract_fills and predict_limits would spend in every run."""

STEPS = (
    "risk.checks.run",
    "risk.books.warehouse",
    "risk.model.build_features",
    "risk.model.predict",
    "risk.limits.decide",
    "risk.report.replay",
)
"""What tasks import while they run; the operators are what they import to read their DAG. 0.5 s of a run together."""

if sys.argv[1:2] == ["scheduler"]:
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    # 0.4 s more; the module is one the scheduler holds anyway, for the timetable.
    importlib.import_module("risk.core.calendar").calendar_fingerprint()
    # 1 s of every send_report, and 0.2 s more.
    importlib.import_module("risk.report.charts").new_figure()
    importlib.import_module("risk.report.render").compile_templates()
    operators = importlib.import_module("risk.operators")
    for name in (*(found.name for found in pkgutil.iter_modules(operators.__path__, "risk.operators.")), *STEPS):
        importlib.import_module(name)
    importlib.import_module("risk.core.warehouse").load_statements()
    importlib.import_module("risk.core.runs").code_version()
    # Else each forked task searches all of this for garbage again, and by that copies the memory it shares.
    gc.collect()
    gc.freeze()
