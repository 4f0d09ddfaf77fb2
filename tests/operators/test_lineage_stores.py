"""What Airflow's OpenLineage provider sends of a run: real tasks, and its own file transport."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from risk.core.settings import PROJECT_DIR
from risk.core.warehouse import Connection
from simulation.writing import simulate
from tests.operators.conftest import connection_uri
from tests.stores import needed

pytestmark = pytest.mark.slow

STEPS = ("extract_fills", "check_fills", "aggregate_pnl", "build_features", "predict_limits", "apply_rules")
TASKS = (*STEPS, "send_report")
Event = dict[str, Any]


@pytest.fixture
def run_daily(warehouse_dsn: str, tmp_path: Path) -> Callable[[str], list[Event]]:
    """Give a way to run the DAG for a session, which returns what was sent."""
    needed("openlineage")
    simulate("medium", 3, 30, 5, tmp_path / "fills", last_session=dt.date(2025, 8, 15))
    (tmp_path / "fills" / "simulated.json").unlink()
    sent = tmp_path / "events.jsonl"
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_DIR / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_DIR / "plugins"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD": "True",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(sent), "append": True}),
        "AIRFLOW_CONN_RISK_WAREHOUSE": connection_uri(warehouse_dsn),
        "PYTHONPATH": os.pathsep.join(["plugins", ".", os.environ.get("PYTHONPATH", "")]),
        "RISK_DESK": "lineage",
        "RISK_FILLS_DIR": str(tmp_path / "fills"),
        "RISK_REPORTS_DIR": str(tmp_path / "reports"),
    }

    def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "airflow", *arguments]
        return subprocess.run(command, env=environment, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)

    assert airflow("db", "migrate").returncode == 0

    def run(session: str) -> list[Event]:
        sent.unlink(missing_ok=True)
        said = airflow("dags", "test", "daily_risk", "--conf", json.dumps({"session_date": session, "deliver": False}))
        assert sent.exists(), said.stderr
        return [json.loads(line) for line in sent.read_text(encoding="utf-8").splitlines()]

    return run


def ended(events: list[Event]) -> dict[str, Event]:
    """Return the last event of each task."""
    return {event["job"]["name"].removeprefix("daily_risk."): event for event in events if "." in event["job"]["name"]}


def datasets(event: Event, side: str) -> dict[str, dict[str, Any]]:
    """Return the facets of inputs or outputs by name."""
    return {one["name"]: {**one.get("facets", {}), **one.get("inputFacets", {})} for one in event[side]}


def test_a_run_tells_its_tables_checks_and_report_and_names_no_trader(
    run_daily: Callable[[str], list[Event]], warehouse_dsn: str, connection: Connection
) -> None:
    events = run_daily("2025-08-15")

    last, place = ended(events), parse_dsn(warehouse_dsn)
    assert {task: event["eventType"] for task, event in last.items()} == dict.fromkeys(
        (*TASKS, "send_report"), "COMPLETE"
    )
    assert {one["namespace"] for one in last["aggregate_pnl"]["inputs"]} == {
        f"postgres://{place['host']}:{place['port']}"
    }
    prefix = place["dbname"]
    assert f"{prefix}.risk.fills" in datasets(last["aggregate_pnl"], "inputs")
    assert f"{prefix}.derived.daily_pnl" in datasets(last["aggregate_pnl"], "outputs")

    (facet,) = datasets(last["check_fills"], "inputs")[f"{prefix}.risk.fills"].values()
    with connection.cursor() as cursor:
        cursor.execute("select check_name, bool_and(has_passed) from results.quality_results group by 1")
        # those of the books come later, with aggregate_pnl
        stored = dict(cursor.fetchall())
        cursor.execute("select facts_sha256 from risk.reports")
        ((digest,),) = cursor.fetchall()
    in_events = {one["name"]: one["success"] for one in facet["assertions"]}
    assert in_events.items() <= stored.items()
    assert len(in_events) > 20
    assert datasets(last["send_report"], "outputs")["report"]["version"]["datasetVersion"] == digest
    assert "SIM0" not in json.dumps(events)


def test_checks_that_fail_a_task_are_told_as_failed(run_daily: Callable[[str], list[Event]]) -> None:
    # the drop ends with 15 August
    last = ended(run_daily("2025-08-18"))

    assert last["check_fills"]["eventType"] == "FAIL"
    (facet,) = [
        facets for facets in datasets(last["check_fills"], "inputs").values() if "dataQualityAssertions" in facets
    ]
    failed = [one for one in facet["dataQualityAssertions"]["assertions"] if not one["success"]]
    assert ("feed_received", "error") in {(one["name"], one["severity"]) for one in failed}
    assert all(int(one["actual"]) > 0 for one in failed)
    assert "aggregate_pnl" not in last


def test_of_several_desks_each_names_its_own_warehouse_in_whatever_thread_is_asked(
    warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed("openlineage")
    from airflow.sdk import DAG

    from risk.operators.build_features import BuildFeaturesOperator

    monkeypatch.setenv("RISK_DESKS", "london,york")
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE_LONDON", connection_uri(warehouse_dsn))
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE_YORK", "postgres://york:word@db.example.com:5432/york")
    asked = {}
    for desk in ("london", "york"):
        with DAG(f"daily_risk_{desk}", schedule=None):
            task = type("FirmsOwn", (BuildFeaturesOperator,), {})(task_id="build_features", run_id="1")
        with ThreadPoolExecutor() as threads:
            asked[desk] = threads.submit(task.get_openlineage_facets_on_complete, None).result()

    assert asked["london"].outputs[0].name == f"{parse_dsn(warehouse_dsn)['dbname']}.derived.features"
    (output,) = asked["york"].outputs
    assert (output.namespace, output.name) == ("postgres://db.example.com:5432", "york.derived.features")
