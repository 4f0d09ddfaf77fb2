"""The hour by which the report of a scheduled run shall be out, as the scheduler works it out."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from risk.operators.deadlines import DecisionsClosed, EffectiveMorning, active, report_deadline

PROJECT_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def session() -> Iterator[Session]:
    """Give a database that knows of runs what the deadline asks."""
    engine = sa.create_engine("sqlite://")
    columns = ("dag_id text", "run_id text", "run_type text", "data_interval_end timestamp")
    with Session(engine) as session:
        session.execute(sa.text(f"create table dag_run ({', '.join(columns)})"))
        yield session


def add_run(session: Session, run_type: str, due_at: dt.datetime) -> dict[str, Any]:
    key = {"dag_id": "daily_risk", "run_id": run_type}
    values = {**key, "run_type": run_type, "due_at": due_at.strftime("%Y-%m-%d %H:%M:%S.000000")}
    session.execute(sa.text("insert into dag_run values (:dag_id, :run_id, :run_type, :due_at)"), values)
    return key


@pytest.mark.parametrize(
    ("due_at", "deadline"),
    [
        # 07:00 New York is 11:00 UTC in summer and 12:00 UTC in winter; 08:30 is an hour and a half later.
        (dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC), dt.datetime(2025, 8, 18, 12, 30, tzinfo=dt.UTC)),
        (dt.datetime(2025, 12, 1, 12, tzinfo=dt.UTC), dt.datetime(2025, 12, 1, 13, 30, tzinfo=dt.UTC)),
    ],
)
def test_deadline_is_half_past_eight_in_new_york_on_the_day_a_run_is_due(
    session: Session, due_at: dt.datetime, deadline: dt.datetime
) -> None:
    key = add_run(session, "scheduled", due_at)

    assert EffectiveMorning()._evaluate_with(session=session, **key) == deadline


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_deadline_does_not_exist_for_runs_nobody_waits_for(session: Session, run_type: str) -> None:
    key = add_run(session, run_type, dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC))

    assert EffectiveMorning()._evaluate_with(session=session, **key) is None


@pytest.mark.parametrize(
    ("conf", "asked_at", "deadline"),
    [
        # Asked for at 07:05 New York: until 09:00. Late, at 09:10: half an hour. The day after: nobody waits.
        ({"session_date": "2025-08-15"}, "2025-08-18 11:05", "2025-08-18 13:00"),
        ({"session_date": "2025-08-15"}, "2025-08-18 13:10", "2025-08-18 13:40"),
        ({"session_date": "2025-08-15"}, "2025-08-19 11:05", None),
        ({"session_date": "15 August"}, "2025-08-18 11:05", None),
        ({"session_date": 7}, "2025-08-18 11:05", None),
        ({}, "2025-08-18 11:05", None),
    ],
)
def test_deadline_of_a_publication_is_the_end_of_the_decision_window(
    session: Session, conf: dict[str, Any], asked_at: str, deadline: str | None
) -> None:
    session.execute(sa.text("drop table dag_run"))
    session.execute(sa.text("create table dag_run (dag_id text, run_id text, conf text, run_after timestamp)"))
    values = {"conf": json.dumps(conf), "run_after": f"{asked_at}:00.000000"}
    session.execute(sa.text("insert into dag_run values ('publish_limits', 'r', :conf, :run_after)"), values)

    found = DecisionsClosed()._evaluate_with(session=session, dag_id="publish_limits", run_id="r")

    assert found == (None if deadline is None else dt.datetime.fromisoformat(f"{deadline}+00:00"))


@pytest.mark.parametrize(("schedule", "is_set"), [("sessions", True), ("off", False)])
@pytest.mark.parametrize(
    ("dag_id", "callback"), [("daily_risk", "on_report_late"), ("publish_limits", "on_limits_late")]
)
def test_dag_has_the_deadline_when_it_is_scheduled_and_airflow_can_store_it(
    schedule: str, is_set: bool, dag_id: str, callback: str
) -> None:
    probe = """
import os
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.decoders import decode_deadline_alert
from airflow.serialization.encoders import encode_deadline_alert
dag = DagBag(dag_folder=os.environ["DAG_FILE"]).dags[os.environ["DAG_ID"]]
alerts = dag.deadline or []
alerts = alerts if isinstance(alerts, list) else [alerts]
print("RESULT", [decode_deadline_alert(encode_deadline_alert(alert)).callback.path for alert in alerts])
"""
    environment = {
        "PYTHONPATH": f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR / 'dags'}",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_DIR / "plugins"),
        "DAG_FILE": str(PROJECT_DIR / "dags" / f"{dag_id}.py"),
        "DAG_ID": dag_id,
        "RISK_SCHEDULE": schedule,
    }
    answer = subprocess.run(
        [sys.executable, "-c", probe],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )

    expected = f"['risk.operators.callbacks.{callback}']" if is_set else "[]"
    assert f"RESULT {expected}" in answer.stdout, answer.stderr[-2000:]


@pytest.mark.parametrize(
    ("executor", "is_active"),
    [
        ("LocalExecutor", True),
        ("CeleryExecutor", True),
        ("airflow.providers.celery.executors.celery_executor.CeleryExecutor", True),
        ("workers:airflow.executors.local_executor.LocalExecutor,KubernetesExecutor", True),
        ("KubernetesExecutor", False),
        ("airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor", False),
        ("firm.executors.TheirOwn", False),
    ],
)
def test_deadline_is_set_only_where_the_executor_runs_its_callback(
    executor: str, is_active: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)

    deadline = report_deadline()
    assert (active(deadline, "sessions") is deadline) is is_active
    assert active(deadline, "off") is None


def test_executors_that_run_callbacks_are_still_those() -> None:
    from airflow.executors.base_executor import BaseExecutor
    from airflow.executors.local_executor import LocalExecutor
    from airflow.providers.celery.executors.celery_executor import CeleryExecutor

    kinds = (LocalExecutor, CeleryExecutor, BaseExecutor)
    assert [kind.supports_callbacks for kind in kinds] == [True, True, False]
