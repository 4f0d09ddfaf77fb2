"""Two Celery workers with a real Redis, which share no folder but the drop, and two schedulers, one of which is killed.

`make test-workers` runs it and shows what it prints.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from devstack import mailbox, processes, runs
from devstack.environment import Desk, DeskKind
from devstack.stack import cluster
from devstack.workspace import UI_USER, Workspace, load_login, load_secrets, read_json
from risk.core.calendar import next_session
from risk.core.warehouse import connect
from simulation.writing import simulate
from tests.backfills import LINE, backfill, differing_tables, one_by_one, reference, warehouse_of
from tests.celery_stack import WORKERS, CeleryStack, celery_stack, missing
from tests.faults.line import digests

pytestmark = [pytest.mark.workers, pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

BACKFILLED = ("2025-08-07", "2025-08-08", "2025-08-11", "2025-08-12", "2025-08-13")
"""More than are under way at a time. Sixty sessions are a bench (`python -m bench backfill`)."""
SESSION = "2025-08-14"
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Observed:
    """What one sequence on the two workers left behind.

    Attributes
    ----------
    side_by_side, one_by_one
        Digest of the rows of each table, after a backfill and after the line without Airflow.
    model, line, publication
        Tasks of a training, of a daily run and of its publication: name, worker, attempt.
    tries
        Workers of both attempts of send_report, the first of which met no mail server.
    first_lines
        End of the log of the first of them, as stored.
    mails
        All mails, oldest first.
    """

    side_by_side: dict[str, str]
    one_by_one: dict[str, str]
    model: list[dict[str, Any]]
    line: list[dict[str, Any]]
    publication: list[dict[str, Any]]
    tries: list[dict[str, Any]]
    first_lines: list[str]
    failed_run: str
    mails: list[EmailMessage]


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a desk of 8 traders and 45 sessions: the one folder that both workers see."""
    folder = tmp_path_factory.mktemp("drop")
    simulate("medium", 8, 45, 3, folder)
    return folder


@pytest.fixture(scope="module")
def celery(
    tmp_path_factory: pytest.TempPathFactory, copy_databases: Callable[[Workspace], None], drop: Path
) -> Iterator[CeleryStack]:
    """Start Postgres, mail server, Redis, Airflow and the workers."""
    workspace = Workspace(tmp_path_factory.mktemp("machines"))
    copy_databases(workspace)
    with celery_stack(workspace, Desk(DeskKind.simulated, drop), {}, has_second=True) as started:
        for dag_id in (runs.DAILY_RISK, runs.WEEKLY_MODEL, "publish_limits"):
            runs.await_dag(started.running, dag_id)
        yield started


@pytest.fixture(scope="module")
def observed(celery: CeleryStack, drop: Path, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Backfill, train, run a morning without and with a mail server, decide, publish, and let a run fail."""
    with reference(celery.workspace) as reference_dsn:
        backfill(celery, BACKFILLED)
        side_by_side = digests(warehouse_of(celery.workspace))
        in_turn = one_by_one(reference_dsn, drop, tmp_path_factory.mktemp("reference"), BACKFILLED)
    model = train(celery)
    celery.broker.stop()
    celery.broker.start()
    line, tries, first_lines = morning(celery)
    publication = publish(celery)
    failed_run = fail(celery, drop)
    found = Observed(
        side_by_side, in_turn, model, line, publication, tries, first_lines, failed_run, mails(celery.workspace)
    )
    tell(found)
    return found


def tell(found: Observed) -> None:
    """Print what ran where; `make test-workers` shows it."""
    differing = differing_tables(found.side_by_side, found.one_by_one)
    print(f"\nbackfill of {len(BACKFILLED)} sessions, four at a time: {len(differing)} tables differ from one by one")
    parts = {"training": found.model, "line": found.line, "publication": found.publication}
    for name, tasks in parts.items():
        print(f"{name}: {', '.join(f'{task} on {worker}' for task, worker in places(tasks))}")
    print(f"attempts of send_report: {', '.join(str(one['hostname']) for one in found.tries)}")
    print(f"mails: {', '.join(str(mail['Subject']) for mail in found.mails)}", flush=True)


def finished(celery: CeleryStack, run_id: str, dag_id: str = runs.DAILY_RISK) -> list[dict[str, Any]]:
    """Wait for a run, which must succeed, and return its tasks in the order they started."""
    for _ in runs.follow(celery.running.api, run_id, dag_id):
        pass
    runs.raise_for_failure(celery.running.api, run_id, dag_id)
    return runs.tasks(celery.running.api, run_id, dag_id)


def train(celery: CeleryStack) -> list[dict[str, Any]]:
    """Train the model of the week and mail its card."""
    conf = {"session_date": SESSION, "deliver": True}
    run_id = runs.trigger(celery.running.api, conf, runs.WEEKLY_MODEL)
    return finished(celery, run_id, runs.WEEKLY_MODEL)


def morning(celery: CeleryStack) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Run a session whose report meets no mail server at first; it comes back before the next attempt."""
    api, workspace = celery.running.api, celery.workspace
    down = processes.read_record(workspace.records / "mailbox.json")
    assert down is not None
    processes.stop(down)
    run_id = runs.trigger(api, {"session_date": SESSION, "deliver": True, "approval": "all"})
    path = f"/dags/{runs.DAILY_RISK}/dagRuns/{run_id}/taskInstances/send_report"
    waits = processes.wait_until(lambda: api.call("GET", path)["state"] == "up_for_retry", PATIENCE_SECONDS)
    assert waits, api.call("GET", path)
    send_to(celery, run_id, "two")
    kill_first_scheduler(workspace)
    mailbox.start(workspace)
    tasks = finished(celery, run_id)
    tries = api.call("GET", f"{path}/tries")["task_instances"]
    with contextlib.closing(connect(warehouse_of(celery.workspace))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select log_lines from risk.audit_log where task_id = 'send_report' and dag_run_id = %s", (run_id,)
        )
        ((first_lines,),) = cursor.fetchall()
    return tasks, sorted(tries, key=lambda one: one["try_number"]), first_lines


def metadata(workspace: Workspace) -> psycopg2.extensions.connection:
    """Connect to Airflow's database."""
    port = read_json(workspace.var / "ports.json")["postgres"]
    return psycopg2.connect(cluster(workspace, load_secrets(workspace)).dsn(port, "airflow"))


def kill_first_scheduler(workspace: Workspace) -> None:
    """Kill one of the two schedulers in the middle of a run, once both have said that they are there."""
    with contextlib.closing(metadata(workspace)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from job where job_type = 'SchedulerJob' and latest_heartbeat > now() - interval '1 min'"
        )
        assert cursor.fetchall() == [(2,)]
    first = processes.read_record(workspace.records / "scheduler.json")
    assert first is not None
    processes.stop(first, stop_signal=signal.SIGKILL)


def send_to(celery: CeleryStack, run_id: str, worker: str) -> None:
    """Give the next attempt of send_report to a worker, in Airflow's own table: a policy is not asked again."""
    with contextlib.closing(metadata(celery.workspace)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "update task_instance set queue = %s where task_id = 'send_report' and run_id = %s", (worker, run_id)
        )
        assert cursor.rowcount == 1


def publish(celery: CeleryStack) -> list[dict[str, Any]]:
    """Approve all cuts on the Risk page and wait until they are published and mailed."""
    api, url = celery.running.api, celery.running.url
    login = {"username": UI_USER, "password": load_login(celery.workspace)}
    token = httpx.post(f"{url}/auth/token", json=login, timeout=60, trust_env=False).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    page = httpx.get(f"{url}/risk/approvals/1", headers=headers, timeout=60, trust_env=False).text
    form = dict(
        re.findall(
            r'name="(token|seen)" value="([^"]+)"', page.partition("/approvals/1/cuts")[2].partition("</form>")[0]
        )
    )
    answer = httpx.post(f"{url}/risk/approvals/1/cuts", data=form, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 303, answer.text
    (started,) = api.call("GET", "/dags/publish_limits/dagRuns")["dag_runs"]
    return finished(celery, started["dag_run_id"], "publish_limits")


def fail(celery: CeleryStack, drop: Path) -> str:
    """Let a run fail for a file without the columns, and wait for the alert."""
    broken = drop / "fills-9999.csv"
    broken.write_text("account_id,time\nNET001,now\n", encoding="utf-8")
    run_id = runs.trigger(celery.running.api, {"session_date": SESSION, "deliver": False})
    for _ in runs.follow(celery.running.api, run_id):
        pass
    broken.unlink()
    is_mailed = processes.wait_until(lambda: bool(alerts(mails(celery.workspace))), PATIENCE_SECONDS)
    assert is_mailed
    return run_id


def mails(workspace: Workspace) -> list[EmailMessage]:
    files = sorted((workspace.mail / "new").iterdir(), key=lambda file: file.stat().st_mtime)
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def alerts(found: list[EmailMessage]) -> list[EmailMessage]:
    return [mail for mail in found if "RISK RUN FAILED" in str(mail["Subject"])]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def places(tasks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(task["task_id"], task["hostname"]) for task in tasks]


def test_each_task_of_the_line_is_on_the_other_worker(observed: Observed) -> None:
    assert [name for name, _ in places(observed.line)] == list(LINE)
    assert [worker for _, worker in places(observed.line)[:6]] == ["one", "two", "one", "two", "one", "two"]


def test_report_is_mailed_by_the_other_worker_when_the_first_met_no_mail_server(
    celery: CeleryStack, observed: Observed
) -> None:
    effective = next_session(dt.date.fromisoformat(SESSION)).isoformat()

    assert {one["hostname"] for one in observed.tries} == set(WORKERS)
    assert [one["try_number"] for one in observed.tries] == [1, 2]
    assert "ConnectionLostError" in observed.first_lines[-1]
    reports = [mail for mail in observed.mails if str(mail["Message-ID"]).endswith("@risk-run>")]
    assert [str(mail["Subject"])[-10:] for mail in reports] == [effective]


def test_page_and_pictures_of_the_report_are_shown_where_no_worker_has_written(
    celery: CeleryStack, observed: Observed
) -> None:
    status, page = celery.running.api._send("GET", f"/risk/reports/{SESSION}", None)

    assert status == 200
    assert "data:image/png;base64," in page
    assert not list((celery.workspace.var).rglob("report.html"))
    assert all(list((home / "reports").rglob("report.html")) for home in celery.homes.values())


def test_model_of_the_week_is_trained_by_one_worker_and_mailed_by_the_other(observed: Observed) -> None:
    assert places(observed.model) == [("train_model", "one"), ("send_model_card", "two")] or places(observed.model) == [
        ("train_model", "two"),
        ("send_model_card", "one"),
    ]
    (card,) = [mail for mail in observed.mails if str(mail["Message-ID"]).endswith("@risk-model>")]
    assert "is trained and forecasts from the next session on." in " ".join(text_of(card).split())


def test_limits_decided_on_the_page_are_published_by_one_worker_and_mailed_by_the_other(observed: Observed) -> None:
    workers = dict(places(observed.publication))

    assert {workers["publish"], workers["send_limits"]} == set(WORKERS)
    assert [mail["Subject"] for mail in observed.mails if "Limits in force" in str(mail["Subject"])] != []


def test_alert_quotes_a_log_that_only_a_worker_has(celery: CeleryStack, observed: Observed) -> None:
    (alert,) = alerts(observed.mails)
    _, _, quoted = text_of(alert).partition("LAST LINES OF THE LOG")

    assert "InputError" in quoted
    assert "fills-9999.csv" in quoted
    logs = {name: list((home / "airflow" / "logs").rglob("*.log")) for name, home in celery.homes.items()}
    holders = {name for name, files in logs.items() if any(observed.failed_run in str(file) for file in files)}
    assert len(holders) == 1
    assert not any(observed.failed_run in str(file) for file in celery.workspace.airflow_home.rglob("task_id=*"))


def test_backfill_four_at_a_time_leaves_the_rows_of_one_by_one(observed: Observed) -> None:
    assert differing_tables(observed.side_by_side, observed.one_by_one) == set()
