"""An installation by Docker Compose lives through what happens to one: a morning, crash, upgrade, restore."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack import runs
from risk.core.settings import PROJECT_DIR, Settings, variable_name
from simulation.writing import simulate
from tests.compose.installation import AWKWARD, Installation, awaited, in_airflows_form

pytestmark = pytest.mark.slow

SESSION = "2025-07-02"
"""The desk's fifteenth session or so: with a history that short every trader's limit is cut."""
INITDB_MOMENTS_S, MIGRATION_MOMENTS_S = (0.0, 0.4, 0.8, 1.6), (0.5, 4.0)
AIRFLOW = ("api-server", "scheduler", "dag-processor", "watchdog")


def test_every_setting_and_secret_reaches_the_containers_as_it_was_written(installation: Installation) -> None:
    installation.write_files()
    installation.values |= {
        "POSTGRES_PASSWORD": AWKWARD.replace("'", ""),
        "RISK_VENDOR_CONNECTION": in_airflows_form(conn_type="https", host="firm.example.com", password=AWKWARD),
        "RISK_ACCOUNT_PATTERN": r"[A-Z]{3}\d+$",
        "RISK_SCHEDULE": "sessions",
    }
    installation.write_env()

    services = json.loads(installation.done("config", "--format", "json"))["services"]

    given = {name: service["environment"] for name, service in services.items()}
    everywhere = set.intersection(*(set(given[name]) for name in AIRFLOW))
    written_by_operators = {"RISK_BACKUP_KEY", "RISK_OWNER_DSN", "RISK_PAGE_DSN", "RISK_READER_ROLE"}
    written_by_operators |= {"RISK_SERVER_DSN", "RISK_PRIVATE_FILES", "RISK_DESKS"}
    assert {variable_name(name) for name in Settings.model_fields} - written_by_operators <= everywhere
    # In this output Compose writes $ as $$, as in its own files.
    found = {name: value.replace("$$", "$") for name, value in given["scheduler"].items() if value is not None}
    assert json.loads(found["AIRFLOW_CONN_RISK_VENDOR"])["password"] == AWKWARD
    assert found["RISK_ACCOUNT_PATTERN"] == r"[A-Z]{3}\d+$"
    assert found["RISK_SCHEDULE"] == "sessions"
    assert given["postgres"]["POSTGRES_PASSWORD"].replace("$$", "$") == AWKWARD.replace("'", "")


def test_a_start_is_refused_with_the_reason_where_the_env_cannot_be_meant(installation: Installation) -> None:
    installation.write_files()
    installation.write_env()
    env = installation.clone / ".env"
    filled = env.read_text()

    for name in [name for name, value in installation.values.items() if re.search("PASSWORD|SECRET|KEY$", name)]:
        env.write_text(re.sub(rf"^{name}=.*$", f"{name}=", filled, flags=re.MULTILINE))
        refused = installation.compose("config", "--quiet")
        assert (refused.returncode != 0, name in refused.stderr) == (True, True)
    env.write_text(filled.replace("/fills'", "/filsl'"))
    refused = installation.compose("run", "--rm", "--no-deps", "migrate", "true")
    assert refused.returncode != 0
    assert "/filsl" in refused.stderr
    assert not (installation.clone.parent / "filsl").exists()
    env.write_text(re.sub("^RISK_PAGE_PASSWORD=.*$", "RISK_PAGE_PASSWORD='a#b'", filled, flags=re.MULTILINE))
    refused = installation.compose("run", "--rm", "--no-deps", "migrate")
    assert refused.returncode != 0
    assert "RISK_PAGE_PASSWORD: these passwords stand in addresses" in refused.stderr + refused.stdout


def test_an_installation_survives_interruption_crash_upgrade_and_loss_of_all_volumes(
    installation: Installation, tmp_path: Path
) -> None:
    simulate("medium", 8, 45, 3, tmp_path / "fills")
    subprocess.run(["chmod", "-R", "a+rX", str(tmp_path / "fills")], check=True)
    before = previous_commit()

    step("first start, of the previous commit" if before else "first start", lambda: first_start(installation, before))
    if before:
        step("upgrade to this commit", lambda: upgrade(installation))
    step("roles of users", lambda: see_who_may_start_a_run(installation))
    step("a morning", lambda: live_a_morning(installation))
    step("doctor and watchdog", lambda: ask_doctor_and_watchdog(installation))
    step("crash of Postgres", lambda: crash_postgres(installation))
    step("backup, loss of all volumes", lambda: back_up_and_lose(installation, tmp_path / "backup.sql"))
    step("first start, interrupted", lambda: interrupt_first_start(installation))
    step("restore", lambda: restore(installation, tmp_path / "backup.sql"))
    step("replay", lambda: replay(installation))
    step("two workers", lambda: run_on_two_workers(installation))


def step(name: str, deed: Callable[[], object]) -> None:
    """Do one part of the story and print how long it took."""
    began = time.monotonic()
    said = deed()
    print(f"{name}: {time.monotonic() - began:.0f} s{f', {said}' if said else ''}", flush=True)


def previous_commit() -> str | None:
    """Name the commit before this one, unless its warehouse is one that this version refuses, as until 0.1.0 it may."""
    schema = ("git", "diff", "--quiet", "HEAD~1", "--", "include/sql/schema")
    known = subprocess.run(schema, cwd=PROJECT_DIR, capture_output=True, check=False)
    if known.returncode:
        print(f"No upgrade from the previous commit: {known.stderr.decode().strip() or 'its schema is another'}.")
    return None if known.returncode else "HEAD~1"


def first_start(installation: Installation, commit: str | None) -> None:
    installation.write_files(commit)
    installation.write_env()
    installation.start()
    installation.add_user("boss", "User")


def upgrade(installation: Installation) -> None:
    """Upgrade as the documents say; the containers run this commit's code on the data of the previous one's."""
    installation.done("down")
    installation.write_files()
    installation.write_env()
    installation.start()
    files = {"plugins/risk/cli.py": "plugins/risk/cli.py", "docker/image/databases.py": "docker/databases.py"}
    running = {name: installation.inside("scheduler", "cat", f"/opt/risk/{place}") for name, place in files.items()}
    assert running == {name: (PROJECT_DIR / name).read_text() for name in files}


def see_who_may_start_a_run(installation: Installation) -> None:
    """A Viewer starts nothing, a User does; nothing was mailed before."""
    installation.add_user("visitor", "Viewer")
    installation.add_user("notes", "User")
    assert installation.subjects() == []
    runs_path, conf = "/dags/daily_risk/dagRuns", {"session_date": SESSION, "deliver": True, "approval": "all"}
    awaited(lambda: installation.api("boss").request("GET", "/dags/daily_risk")[0] == 200, "reading the DAG files")
    body = {"logical_date": None, "conf": conf}
    assert installation.api("visitor").request("POST", runs_path, body)[0] == 403
    assert installation.api("boss").request("POST", runs_path, body)[0] == 200


def live_a_morning(installation: Installation) -> str:
    """The run ends, its mail is kept over a restart of the mail server, its limits are approved and published."""
    api = installation.api("boss")
    (run,) = api.call("GET", "/dags/daily_risk/dagRuns")["dag_runs"]
    list(runs.follow(api, run["dag_run_id"]))
    runs.raise_for_failure(api, run["dag_run_id"])
    (subject,) = installation.subjects()
    assert "8 Limits Change - 2025-07-03" in subject
    installation.done("restart", "mailpit")
    awaited(lambda: installation.subjects() == [subject], "the mail server's start")
    awaited(lambda: "account_id" in installation.page("boss", "/approvals/1")[1], "the question for approval")
    forms = approval_forms(installation, "boss")
    assert {installation.page("visitor", "/approvals/1/decisions", form)[0] for form in forms[:1]} == {403}
    assert {installation.page("boss", "/approvals/1/decisions", form)[0] for form in forms} == {303}
    awaited(lambda: publications(installation) == ["success"], "the publication")
    return f"{len(forms)} limits approved, {subject!r}"


def publications(installation: Installation) -> list[str]:
    """List the states of the runs that bring limits into force."""
    found = installation.api("boss").call("GET", "/dags/publish_limits/dagRuns")["dag_runs"]
    return [run["state"] for run in found]


def approval_forms(installation: Installation, user: str) -> list[dict[str, str]]:
    """Read what the buttons Approve send."""
    sections = installation.page(user, "/approvals/1")[1].split("<section")[1:]
    hidden = [dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', section)) for section in sections]
    return [{**fields, "action": "approved"} for fields in hidden if "account_id" in fields]


def ask_doctor_and_watchdog(installation: Installation) -> None:
    """Both know this deployment: they reach its databases, its mail server and its Airflow."""
    doctor = installation.compose("exec", "-T", "api-server", "riskctl", "doctor", "--json")
    findings = json.loads(doctor.stdout)["findings"]
    unwell = [finding["sentence"] for finding in findings if not finding["is_well"]]
    assert unwell == []
    assert {"airflow", "mail", "privileges", "schema", "warehouse"} <= {finding["subject"] for finding in findings}
    watchdog = installation.compose("exec", "-T", "watchdog", "riskctl", "watchdog", "--json")
    sentences = json.loads(watchdog.stdout)["findings"]
    assert [sentence for sentence in sentences if "No limits and no report" not in sentence] == []


def crash_postgres(installation: Installation) -> None:
    """Postgres starts again by itself, and so does what needs it."""
    installation.kill("postgres")
    awaited(lambda: installation.page("boss", f"/sessions/{SESSION}")[0] == 200, "the recovery of Postgres")


def back_up_and_lose(installation: Installation, file: Path) -> None:
    """Dump as the documents say, then lose everything but the .env."""
    file.write_text(installation.inside("postgres", "pg_dumpall", "-U", "postgres", "--no-role-passwords"))
    installation.done("down", "--volumes")


def interrupt_first_start(installation: Installation) -> str:
    """Kill what initializes the database, and what migrates it, at several moments; the next start repairs it."""
    for moment in INITDB_MOMENTS_S:
        installation.done("up", "--detach", "postgres")
        time.sleep(moment)
        installation.kill("postgres")
        installation.done("stop", "--timeout", "0", "postgres")
    for moment in MIGRATION_MOMENTS_S:
        # Compose waits for the end of the migration: it is killed beside it.
        with subprocess.Popen(
            installation.command("up", "--detach", "migrate"),
            env=installation.engine.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as starting:
            awaited(lambda: installation.container("migrate"), "the start of the migration")
            time.sleep(moment)
            installation.kill("migrate")
            starting.wait(timeout=120)
    installation.start()
    assert installation.subjects() == []
    return f"killed at {INITDB_MOMENTS_S} s of initdb and {MIGRATION_MOMENTS_S} s of the migration"


def restore(installation: Installation, file: Path) -> None:
    """Restore as the documents say: Postgres alone on empty volumes, the dump, then everything."""
    installation.done("down", "--volumes")
    installation.done("up", "--detach", "--wait", "postgres")
    with file.open() as dump:
        loaded = subprocess.run(
            installation.command("exec", "-T", "postgres", "psql", "-U", "postgres", "--quiet", "--file", "-"),
            env=installation.engine.variables,
            stdin=dump,
            capture_output=True,
            text=True,
            check=False,
        )
    refused = [line for line in loaded.stderr.splitlines() if "ERROR" in line]
    assert [line for line in refused if 'role "postgres" already exists' not in line] == []
    installation.start()


def replay(installation: Installation) -> str:
    """The restored warehouse builds the report again, byte for byte; users and decisions are there."""
    assert installation.page("boss", f"/sessions/{SESSION}")[0] == 200
    # of somebody else's page, which names him for what he decided alone
    assert "boss" in installation.page("visitor", "/approvals/1")[1]
    return installation.inside("api-server", "riskctl", "replay", "--session", SESSION).strip()[:200]


def run_on_two_workers(installation: Installation) -> str:
    """The same installation with Redis and two workers: the tasks of the next session run on these."""
    installation.values |= {"AIRFLOW_EXECUTOR": "CeleryExecutor", "COMPOSE_PROFILES": "celery"}
    installation.write_env()
    installation.start()
    workers = installation.done("ps", "--quiet", "worker").split()
    assert len(workers) == 2
    api, body = installation.api("boss"), {"session_date": "2025-07-03", "deliver": False}
    run_id = runs.trigger(api, body)
    list(runs.follow(api, run_id))
    runs.raise_for_failure(api, run_id)
    tasks = api.call("GET", f"/dags/daily_risk/dagRuns/{run_id}/taskInstances")["task_instances"]
    ran_on = {task["hostname"] for task in tasks if task["state"] == "success"}
    assert ran_on <= {worker[:12] for worker in workers}
    assert installation.page("boss", "/sessions/2025-07-03")[0] == 200
    return f"{len(tasks)} tasks on {len(ran_on)} workers"
