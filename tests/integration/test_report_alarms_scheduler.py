"""The real scheduler makes a run fail, be killed and recover; what people get is read from their mailbox."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.policy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from devstack import processes, runs
from devstack.environment import Desk, DeskKind
from devstack.riskctl import stack_environment
from devstack.stack import Stack, cluster, start, stop_everything
from devstack.workspace import Workspace, load_secrets, read_json
from risk.core.release import RELEASE_FILE
from risk.core.settings import PROJECT_DIR
from risk.core.warehouse import WRITE_LOCK, connect
from risk.report.watchdog import check_airflow, read_watched
from simulation.writing import simulate

pytestmark = [pytest.mark.stacks, pytest.mark.slow]

PATIENCE_SECONDS = 180.0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, copy_databases: Callable[[Workspace], None]) -> Workspace:
    """Give a working copy with this one's code, whose tasks are not tried again."""
    root = tmp_path_factory.mktemp("clone")
    (root / "plugins").symlink_to(PROJECT_DIR / "plugins")
    (root / "include").symlink_to(PROJECT_DIR / "include")
    (root / "dags").mkdir()
    (root / "dags" / RELEASE_FILE).symlink_to(PROJECT_DIR / "dags" / RELEASE_FILE)
    source = (PROJECT_DIR / "dags" / "daily_risk.py").read_text(encoding="utf-8")
    assert '"retries": 3' in source
    (root / "dags" / "daily_risk.py").write_text(source.replace('"retries": 3', '"retries": 0'), encoding="utf-8")
    workspace = Workspace(root)
    copy_databases(workspace)
    return workspace


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a simulated desk of 3 traders and 30 sessions, with one file that cannot be read."""
    folder = tmp_path_factory.mktemp("drop") / "fills"
    simulate("medium", 3, 30, 5, folder)
    return folder


@pytest.fixture(scope="module")
def stack(workspace: Workspace, drop: Path) -> Iterator[Stack]:
    """Run Postgres, mail server and Airflow."""
    started = start(workspace, Desk(DeskKind.simulated, drop), is_kept=False)
    runs.await_dag(started)
    yield started
    stop_everything(workspace)


def await_end(stack: Stack, run_id: str) -> str:
    for _ in runs.follow(stack.api, run_id):
        pass
    return str(stack.api.call("GET", f"/dags/daily_risk/dagRuns/{run_id}")["state"])


def await_mails(workspace: Workspace, count: int) -> list[EmailMessage]:
    """Wait for so many alarms and return them, oldest first; the report is none."""

    def alarms() -> list[EmailMessage]:
        if not workspace.mail.is_dir():
            return []
        files = sorted((workspace.mail / "new").iterdir(), key=lambda file: file.stat().st_mtime)
        mails = [BytesParser(EmailMessage, policy=email.policy.default).parsebytes(file.read_bytes()) for file in files]
        return [mail for mail in mails if "RISK RUN" in str(mail["Subject"])]

    is_there = processes.wait_until(lambda: len(alarms()) >= count, PATIENCE_SECONDS)
    assert is_there, [str(mail["Subject"]) for mail in alarms()]
    return alarms()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def clear(stack: Stack, run_id: str) -> None:
    body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False, "reset_dag_runs": True}
    stack.api.call("POST", "/dags/daily_risk/clearTaskInstances", body)


def note_of(stack: Stack, run_id: str, task_id: str) -> str:
    answer = stack.api.call("GET", f"/dags/daily_risk/dagRuns/{run_id}/taskInstances/{task_id}")
    return str(answer["note"])


@contextlib.contextmanager
def held_warehouse(workspace: Workspace) -> Iterator[Callable[[], int]]:
    """Hold the write lock, so that the next task waits inside Postgres; gives a function that finds its process."""
    port = read_json(workspace.var / "ports.json")["postgres"]
    dsn = cluster(workspace, load_secrets(workspace)).dsn(port, DeskKind.simulated.database)
    with contextlib.closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", (WRITE_LOCK,))
        yield lambda: waiting_process(connection)


def waiting_process(connection: Any) -> int:
    """Find the process that waits for the lock, by the port its connection comes from."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "select client_port from pg_stat_activity where wait_event = 'advisory' and application_name = 'risk'"
            )
            ports = {port for (port,) in cursor.fetchall()}
        connection.commit()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if ports & {link.laddr.port for link in process.net_connections("tcp") if link.laddr}:
                    name = process.name()
                    if name != "postgres":
                        return process.pid
        time.sleep(0.2)
    raise AssertionError("No task came to the lock.")


@dataclass(frozen=True)
class Incident:
    """A run that failed, whose next attempt was killed, and that recovered: what people got of it."""

    run_id: str
    session_date: str
    note_of_failure: str
    alarms: list[EmailMessage]


@pytest.fixture(scope="module")
def incident(stack: Stack, workspace: Workspace, drop: Path) -> Incident:
    """Let a file lack a column, kill the next attempt, then let the run succeed."""
    broken = drop / "fills-9999.csv"
    broken.write_text("account_id,time\nNET001,now\n", encoding="utf-8")
    session_date = runs_for(drop)
    run_id = runs.trigger(stack.api, {"session_date": session_date, "deliver": False})
    assert await_end(stack, run_id) == "failed"
    await_mails(workspace, 1)
    note = note_of(stack, run_id, "extract_fills")

    broken.unlink()
    with held_warehouse(workspace) as find:
        clear(stack, run_id)
        psutil.Process(find()).kill()
        assert await_end(stack, run_id) == "failed"
    await_mails(workspace, 2)

    clear(stack, run_id)
    assert await_end(stack, run_id) == "success"
    return Incident(run_id, session_date, note, await_mails(workspace, 3))


def test_alarm_of_a_failed_run_names_dag_session_task_error_log_and_remedy(incident: Incident) -> None:
    text = text_of(incident.alarms[0])

    assert "RISK RUN FAILED - extract_fills" in incident.alarms[0]["Subject"]
    assert f"DAG       daily_risk\nSession   {incident.session_date}" in text
    assert "InputError" in text
    assert "fills-9999.csv" in text
    assert "clear task extract_fills" in " ".join(text.split())
    assert "tasks/extract_fills?try_number=1" in text.replace("\n", "")
    assert "No limits and no report for" in text
    assert "InputError: " in incident.note_of_failure


def test_alarm_of_a_killed_task_says_that_something_outside_killed_it(incident: Incident) -> None:
    text = text_of(incident.alarms[1])

    assert "something outside killed it" in " ".join(text.split())
    assert "Process terminated by signal" in text


def test_one_mail_ends_the_alarm_and_nothing_is_sent_twice(stack: Stack, incident: Incident) -> None:
    assert [str(mail["Subject"]).split(" - ")[0] for mail in incident.alarms] == [
        "[SIMULATED] RISK RUN FAILED",
        "[SIMULATED] RISK RUN FAILED",
        "[SIMULATED] RISK RUN RECOVERED",
    ]
    note = note_of(stack, incident.run_id, "extract_fills")
    assert f"session {incident.session_date}: delivery count" in note


def test_button_of_send_report_opens_its_page_for_those_who_are_logged_in(stack: Stack, incident: Incident) -> None:
    path = f"/risk/reports/{incident.session_date}"

    link = stack.api.call("GET", f"/dags/daily_risk/dagRuns/{incident.run_id}/taskInstances/send_report/links")
    # relative, for an Airflow below a path
    assert link["extra_links"] == {"Report": path.removeprefix("/")}
    assert get(stack, path) == 401
    status, page = stack.api._send("GET", path, None)
    assert status == 200
    assert "SIMULATED DESK" in page


def test_watchdog_asks_airflows_own_tables(stack: Stack, workspace: Workspace) -> None:
    metadata_dsn = read_watched(stack_environment(workspace, {})).metadata_dsn
    healthy = airflow_findings(metadata_dsn, dt.datetime.now(dt.UTC))

    stack.api.call("PATCH", "/dags/daily_risk", {"is_paused": True})
    paused = airflow_findings(metadata_dsn, dt.datetime.now(dt.UTC))
    stack.api.call("PATCH", "/dags/daily_risk", {"is_paused": False})
    later = airflow_findings(metadata_dsn, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5))

    assert healthy == []
    assert paused == ["DAG daily_risk is paused: nothing runs."]
    assert [sentence.partition(" has had no heartbeat since")[0] for sentence in later] == [
        "Airflow's scheduler",
        "Airflow's dag-processor",
    ]


def airflow_findings(metadata_dsn: str, instant: dt.datetime) -> list[str]:
    return [finding.sentence for finding in check_airflow(metadata_dsn, instant, ("daily_risk",))]


def get(stack: Stack, path: str) -> int:
    """Ask for a page as a stranger."""
    return httpx.get(f"{stack.url}{path}", timeout=30, trust_env=False).status_code


def runs_for(drop: Path) -> str:
    return sorted(path.stem[-10:] for path in drop.glob("fills*.csv") if path.stem[-10:-6].isdigit())[-1]
