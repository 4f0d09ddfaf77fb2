"""Imported by Airflow when a component starts: what forks tasks loads once what each of them would load again.

With LocalExecutor that is the scheduler, with CeleryExecutor each worker. A task therefore runs the code with which its
scheduler or worker started (Python, SQL and templates), and a run's code version names that code.
"""

from __future__ import annotations

import contextlib
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
"""Modules that tasks import while they run; they import the operators to read their DAG. Together 0.5 s of a run."""

if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    # 0.4 s more; a scheduler imports the module anyway, for the timetable.
    # A desk whose settings are wrong is said by its DAG.
    with contextlib.suppress(importlib.import_module("risk.core.errors").RequestError):
        for _ in importlib.import_module("risk.operators.desks").each_desk("daily_risk"):
            exchange = importlib.import_module("risk.core.exchange").exchange()
            importlib.import_module("risk.core.calendar").calendar_fingerprint(exchange.code)
    # 1 s of every send_report, and 0.2 s more.
    importlib.import_module("risk.report.charts").new_figure()
    importlib.import_module("risk.report.render").compile_templates()
    operators = importlib.import_module("risk.operators")
    for name in (*(found.name for found in pkgutil.iter_modules(operators.__path__, "risk.operators.")), *STEPS):
        importlib.import_module(name)
    importlib.import_module("risk.core.warehouse").load_statements()
    importlib.import_module("risk.core.runs").code_version()
    # Otherwise each forked task scans all of this for garbage and thereby copies the memory that it shares.
    gc.collect()
    gc.freeze()
