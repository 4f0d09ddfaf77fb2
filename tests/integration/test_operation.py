"""The line on a real scheduler: backfill beside a run, waiting, maintenance, and no secret where people look."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from devstack import processes, runs
from devstack.environment import Desk, DeskKind
from devstack.riskctl import stack_environment
from devstack.stack import Stack, pipeline_dsn, temporary_stack
from devstack.workspace import SECRET_NAMES, Workspace, read_json
from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.errors import RequestError
from risk.core.runs import open_run
from risk.core.settings import Settings, read_settings
from risk.core.warehouse import connect
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules, predict
from risk.model.build_features import store_features
from risk.report.doctor import Installation, examine
from risk.report.doctor_roles import Diagnosis
from risk.report.page import Links
from risk.report.send import send_report
from simulation.writing import simulate

pytestmark = [pytest.mark.stacks, pytest.mark.slow]

WAITING_DAG = """
from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param

from risk.operators import extract_fills


class ImpatientOperator(extract_fills.ExtractFillsOperator):
    waiting_run_types = ("manual",)

    def deadline(self, session_date):
        return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


with DAG(
    dag_id="waiting",
    schedule=None,
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    params={
        "session_date": Param(None, type=["null", "string"]),
        "fills": Param(None, type=["null", "string"]),
        "as_of": None,
        "history": None,
    },
):
    ImpatientOperator(task_id="extract_fills")
"""

COMPARED = {
    "risk.deliveries": "account_id, session_date, content_sha256, row_count, loaded_count",
    "derived.positions": "account_id, session_date, symbol, quantity, lots, realized_pnl_usd, unrealized_pnl_usd",
    "derived.daily_pnl": "account_id, session_date, fill_count, gross_pnl_usd, fees_usd, total_pnl_usd",
    "derived.features": "account_id, session_date, to_jsonb(features) as feature_row",
}


@dataclass(frozen=True)
class Morning:
    """A running stack whose warehouse has seen a backfill beside a triggered run.

    ``dates`` are the last four sessions of the desk: two backfilled, one triggered meanwhile, one not yet loaded.
    """

    workspace: Workspace
    stack: Stack
    desk: Path
    dates: list[str]
    run_id: str
    states: list[str]

    def dsn(self) -> str:
        port = int(read_json(self.workspace.var / "ports.json")["postgres"])
        return pipeline_dsn(self.workspace, port, DeskKind.simulated)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory, copy_databases: Callable[[Workspace], None]) -> Iterator[Morning]:
    """Run a stack of its own on a small simulated desk."""
    desk = tmp_path_factory.mktemp("desk") / "desk"
    simulate("medium", 4, 30, 3, desk)
    dates = sorted(path.stem[-10:] for path in desk.glob("fills*.csv"))[-4:]
    place = tmp_path_factory.mktemp("clone")
    copy_databases(Workspace(place))
    with temporary_stack(place, Desk(DeskKind.simulated, desk), {"waiting.py": WAITING_DAG}) as (workspace, stack):
        runs.await_dag(stack)
        runs.create_backfill(stack.api, dates[0], dates[1], {"deliver": False})
        run_id = runs.trigger(stack.api, {"session_date": dates[2], "deliver": True})
        states = [run.state for run in runs.follow_backfill(stack.api, dates[0], dates[1])]
        for _ in runs.follow(stack.api, run_id):
            pass
        runs.raise_for_failure(stack.api, run_id)
        yield Morning(workspace, stack, desk, dates, run_id, states)


def fetch(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def computed(dsn: str, last: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: fetch(dsn, f"select {columns} from {table} where session_date <= '{last}' order by 1, 2, 3")
        for table, columns in COMPARED.items()
    }


def run_one_by_one(dsn: str, desk: Path, dates: list[str]) -> None:
    """Run the steps without Airflow, one session after the other."""
    for date in map(dt.date.fromisoformat, dates):
        with contextlib.closing(connect(dsn)) as connection:
            load = load_drop(connection, desk, date, Settings(desk="simulated"))
            run = open_run(connection, date, load.load_id, f"test__{date}")
            check_fills(connection, dsn, run)
            for step in (aggregate, store_features, predict):
                step(connection, run)
            apply_rules(connection, run)
            send_report(connection, run, None, Links(), read_settings())


def test_backfill_beside_a_triggered_run_leaves_the_same_rows_as_one_after_the_other(
    morning: Morning, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path))
    monkeypatch.setenv("RISK_DESK", "simulated")
    run_one_by_one(warehouse_dsn, morning.desk, morning.dates[:3])

    expected, found = computed(warehouse_dsn, morning.dates[2]), computed(morning.dsn(), morning.dates[2])

    assert morning.states == ["success"] * 2
    assert all(expected.values())
    assert found == expected


def test_only_the_run_that_was_told_to_deliver_has_mailed(morning: Morning) -> None:
    mailed = fetch(
        morning.dsn(),
        "select distinct session_date::text from risk.report_deliveries join risk.runs using (run_id) order by 1",
    )
    reported = fetch(
        morning.dsn(), "select distinct session_date::text from risk.reports join risk.runs using (run_id) order by 1"
    )

    assert mailed == [(morning.dates[2],)]
    assert [date for (date,) in reported] == morning.dates[:3]


def test_backfill_of_a_range_without_sessions_is_refused_with_a_sentence(morning: Morning) -> None:
    with pytest.raises(RequestError, match=r"refuses the backfill from 2025-07-04 to 2025-07-06: No runs"):
        runs.create_backfill(morning.stack.api, "2025-07-04", "2025-07-06", {})


def test_task_waits_without_a_process_and_opens_no_run(morning: Morning, tmp_path: Path) -> None:
    # given a drop in which nobody has delivered the last session yet
    api, last = morning.stack.api, morning.dates[3]
    early = tmp_path / "early"
    shutil.copytree(morning.desk, early, ignore=shutil.ignore_patterns(f"*{last}*"))
    runs.await_dag(morning.stack, "waiting")

    # when
    run_id = runs.trigger(api, {"session_date": last, "fills": str(early)}, "waiting")
    seen: list[str] = []

    def has_waited() -> bool:
        (task,) = runs.tasks(api, run_id, "waiting")
        seen.append(str(task["state"]))
        return "up_for_reschedule" in seen or task["state"] in runs.TASK_ENDED

    assert processes.wait_until(has_waited, 60.0)
    api.call("PATCH", f"/dags/waiting/dagRuns/{run_id}", {"state": "failed"})

    # then
    assert "up_for_reschedule" in seen
    assert fetch(morning.dsn(), f"select count(*) from risk.runs where session_date = '{last}'") == [(0,)]


def test_maintenance_cleans_metadata(morning: Morning) -> None:
    runs.await_dag(morning.stack, "weekly_maintenance")

    run_id = runs.trigger(morning.stack.api, {}, "weekly_maintenance")
    for _ in runs.follow(morning.stack.api, run_id, "weekly_maintenance"):
        pass

    runs.raise_for_failure(morning.stack.api, run_id, "weekly_maintenance")
    assert {str(task["state"]) for task in runs.tasks(morning.stack.api, run_id, "weekly_maintenance")} == {"success"}


def test_tasks_remove_old_logs_of_their_machine(morning: Morning) -> None:
    logs = morning.workspace.airflow_home / "logs"
    old = logs / "dag_id=gone" / "old.log"
    old.parent.mkdir()
    old.touch()
    os.utime(old, (0, 0))
    # The last sweep was a week ago.
    (logs / ".cleaned").unlink()

    run_id = runs.trigger(morning.stack.api, {"session_date": morning.dates[2], "deliver": False})
    for _ in runs.follow(morning.stack.api, run_id):
        pass

    runs.raise_for_failure(morning.stack.api, run_id)
    assert processes.wait_until(lambda: not old.parent.exists(), 60.0)


def test_no_secret_is_in_logs_xcom_or_rendered_templates(morning: Morning) -> None:
    # given everything people or Airflow's readers may see of the run
    api, path = morning.stack.api, f"/dags/daily_risk/dagRuns/{morning.run_id}/taskInstances"
    instances = api.call("GET", path)["task_instances"]
    rendered = json.dumps(instances)
    xcoms = "".join(
        json.dumps(api.call("GET", f"{path}/{task['task_id']}/xcomEntries/return_value")) for task in instances
    )
    folders = (morning.workspace.airflow_home / "logs", morning.workspace.logs)
    logs = {file: file.read_text(errors="replace") for folder in folders for file in folder.rglob("*.log")}

    # when
    secrets = {**read_json(morning.workspace.secrets), **read_json(morning.workspace.login)}
    texts = {"rendered": rendered, "xcom": xcoms, **{str(file): text for file, text in logs.items()}}
    leaks = [
        (name, place)
        for name, secret in secrets.items()
        for place, text in texts.items()
        if secret in text or quote(secret, safe="") in text
    ]

    # then nothing leaks, and what was searched is the run's own
    assert leaks == []
    assert secrets.keys() >= set(SECRET_NAMES)
    assert "extract_fills" in rendered
    assert "facts_sha256" in xcoms
    assert any(f"session={morning.dates[2]}" in text for text in logs.values())


def test_tasks_work_as_a_role_that_cannot_change_inputs(morning: Morning) -> None:
    (user,) = fetch(morning.dsn(), "select current_user, has_table_privilege('risk.fills', 'update, delete, truncate')")

    assert user == ("risk", False)


def test_owner_of_the_warehouse_is_unknown_to_the_tasks(morning: Morning) -> None:
    record = processes.read_record(morning.workspace.records / "scheduler.json")
    assert record
    environment = Path(f"/proc/{record.pid}/environ").read_text(encoding="utf-8")

    assert "AIRFLOW_CONN_RISK_WAREHOUSE" in environment
    assert str(read_json(morning.workspace.secrets)["owner"]) not in environment
    assert quote(str(read_json(morning.workspace.secrets)["page"]), safe="") not in environment


def test_tasks_do_not_know_the_role_of_the_risk_page(morning: Morning) -> None:
    # The API server, which renames itself, shows no environment; that it decides as this role is in test_approval.
    for name in ("scheduler", "dag-processor"):
        record = processes.read_record(morning.workspace.records / f"{name}.json")
        assert record
        environment = Path(f"/proc/{record.pid}/environ").read_text(encoding="utf-8")
        assert "AIRFLOW_CONN_RISK_WAREHOUSE=postgres://risk:" in environment
        assert "://risk_page:" not in environment


def unhealthy(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Diagnosis]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = examine(Installation(read_settings(), environment, dt.datetime.now(dt.UTC)))
    return [diagnosis for diagnosis in found if not diagnosis.is_healthy]


def test_doctor_finds_no_problem_and_names_a_paused_dag(morning: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = stack_environment(morning.workspace, {})

    assert unhealthy(environment, monkeypatch) == []
    morning.stack.api.call("PATCH", "/dags/daily_risk", {"is_paused": True})
    found = unhealthy(environment, monkeypatch)
    morning.stack.api.call("PATCH", "/dags/daily_risk", {"is_paused": False})

    assert [diagnosis.sentence for diagnosis in found] == [
        "daily_risk is paused, so no run starts: unpause it in the UI."
    ]


def test_doctor_names_a_file_with_passwords_that_others_can_read(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning.workspace.secrets.chmod(0o644)
    found = unhealthy(stack_environment(morning.workspace, {}), monkeypatch)
    morning.workspace.secrets.chmod(0o600)

    assert [diagnosis.subject for diagnosis in found] == ["privacy"]
    assert f"chmod 600 {morning.workspace.secrets}" in found[0].sentence


def test_doctor_names_what_is_missing_where_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "AIRFLOW_CONN_RISK_WAREHOUSE": "postgres://risk:word@127.0.0.1:1/warehouse",
        "AIRFLOW_CONN_SMTP_DEFAULT": "smtp://127.0.0.1:1",
    }

    assert {diagnosis.subject for diagnosis in unhealthy(given, monkeypatch)} == {"airflow", "mail", "warehouse"}
