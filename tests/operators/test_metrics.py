"""Gauges leave a process that ends as Airflow's tasks do, without cleaning up."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from dataclasses import replace

import psycopg2
import pytest

from risk.core.exchange import exchange_zone
from risk.core.settings import PROJECT_DIR
from tests.otlp_server import collector
from tests.report_desks import RUN

TASK = """
import os
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from risk.operators.metrics import set_gauges

# as Airflow's task runner does
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
set_gauges("desk", {"report.recipients": 3, "report.sent_timestamp": 1755515100.25})
print("ended")
os._exit(0)
"""
GAUGES = {"airflow.risk.report.recipients": 3.0, "airflow.risk.report.sent_timestamp": 1755515100.25}


def run_task(environment: dict[str, str]) -> str:
    path = {"PYTHONPATH": os.pathsep.join([str(PROJECT_DIR / "plugins"), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", TASK],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_only_a_live_morning_sends_gauges_and_a_lost_warehouse_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from risk.operators import metrics

    sent: list[dict[str, float]] = []
    monkeypatch.setattr(metrics, "set_gauges", lambda desk, gauges: sent.append({desk: len(gauges)}))
    live = replace(RUN, effective_session=dt.datetime.now(exchange_zone()).date() + dt.timedelta(days=1))

    def lost() -> dict[str, float]:
        raise psycopg2.OperationalError("server closed the connection")

    metrics.send_gauges(live, lost)
    for run in (RUN, replace(live, is_simulated=True), replace(live, is_point_in_time=True)):
        metrics.send_gauges(run, lambda: {"report.recipients": 1.0})
    assert sent == []

    metrics.send_gauges(live, lambda: {"report.recipients": 1.0})
    assert sent == [{"desk": 1}]


def test_gauges_reach_a_collector_of_opentelemetry_before_the_process_is_gone() -> None:
    with collector() as found:
        run_task(found.environment)

    assert found.of_desk("desk") == GAUGES


def test_collector_that_never_answers_does_not_hold_the_task() -> None:
    with collector(hangs=True) as found:
        printed = run_task(found.environment)

    assert printed.endswith("ended\n")
    assert found.gauges == {}


def test_without_metrics_nothing_is_sent_and_nothing_fails() -> None:
    assert run_task({}).endswith("ended\n")
