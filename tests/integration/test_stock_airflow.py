"""The first report in an Airflow that has our wheel, the DAG files and three connections, as the guide says."""

from __future__ import annotations

import contextlib
import csv
import email
import email.policy
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from devstack import processes, runs
from devstack.postgres import temporary_cluster
from devstack.workspace import free_port
from risk import __version__
from risk.core.settings import PROJECT_DIR
from simulation.writing import simulate
from tests.integration.guest import install, make_wheel
from tests.integration.sites import PASSWORD, PATIENCE_SECONDS, Site, mail_connection, started, stock_settings, uri

pytestmark = [pytest.mark.guides, pytest.mark.slow]

GUIDE = PROJECT_DIR / "docs" / "how-to" / "existing-airflow.md"
SESSION = "2025-08-15"
DAGS = {"daily_risk", "policy_trial", "publish_limits", "weekly_maintenance", "weekly_model"}


def shown(start: str) -> str:
    """Return the block of the guide that begins with some words."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    (block,) = [textwrap.dedent(block) for block in blocks if block.strip().startswith(start)]
    return block


def variables(block: str) -> set[str]:
    """Return the names of the variables that a block sets."""
    return set(re.findall(r"^(?:export )?([A-Z_]+)=", block, re.MULTILINE))


def make_databases(dsn: str, drop: Path) -> None:
    """Make the warehouse's roles by the guide's commands, Airflow's database and a source with a desk's executions."""
    with contextlib.closing(psycopg2.connect(dsn)) as server, server.cursor() as cursor:
        server.autocommit = True
        for command in shown("create role").replace("'...'", f"'{PASSWORD}'").split(";\n"):
            if command.strip():
                cursor.execute(command)
        cursor.execute(f"create role reader login password '{PASSWORD}'")
        for name in ("airflow", "executions"):
            cursor.execute(f"create database {name}")
    with contextlib.closing(psycopg2.connect(make_dsn(dsn, dbname="executions"))) as source, source.cursor() as cursor:
        cursor.execute(
            "create table deals (executed_at timestamptz, account text, side text, quantity numeric, symbol text,"
            " price numeric, fees_usd numeric, execution_id text)"
        )
        for file in sorted(drop.glob("fills_*.csv")):
            with file.open(newline="", encoding="utf-8") as rows:
                for row in csv.DictReader(rows):
                    kept = [row[name] for name in ("Account", "B/S", "Qty", "Symbol", "Price", "Comm", "Fill Id")]
                    cursor.execute(
                        "insert into deals values (to_timestamp(%s, 'MM/DD/YYYY HH24:MI:SS')::timestamp"
                        " at time zone 'America/New_York', %s, %s, %s, %s, %s, %s, %s)",
                        [row["Date/Time"], *kept],
                    )
        cursor.execute(shown("create view").replace("...", "deals"))
        source.commit()


def connections(dsn: str, mail_port: int) -> dict[str, str]:
    """Write the three connections, and who gets the report."""
    return {
        "AIRFLOW_CONN_RISK_WAREHOUSE": uri(dsn, "risk", "warehouse"),
        "AIRFLOW_CONN_SMTP_DEFAULT": mail_connection(mail_port),
        "AIRFLOW_CONN_RISK_SOURCE": uri(dsn, "reader", "executions"),
        "RISK_RECIPIENTS": "manager@example.com",
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Follow steps 1 to 5 of the guide and start Airflow."""
    root = tmp_path_factory.mktemp("site")
    guest = install(make_wheel(root / "build"), root)
    simulate("medium", 3, 30, 5, root / "desk")
    port, mail_port = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        dsn = stack.enter_context(temporary_cluster(tmp_path_factory.mktemp("postgres")))
        make_databases(dsn, root / "desk")
        settings = stock_settings(guest, dsn, port) | connections(dsn, mail_port)
        made = Site(guest, settings, root / "mail" / "new", port)
        made.run("python -m airflow db migrate")
        server = f"{PASSWORD}@127.0.0.1:{parse_dsn(dsn)['port']}"
        made.run(shown("export RISK_OWNER_DSN").replace("...@db.example.com:5432", server))
        stack.enter_context(started(made, mail_port))
        yield made


@pytest.fixture(scope="module")
def first_report(site: Site) -> email.message.EmailMessage:
    """Follow step 6 of the guide until the mail is there, and give it."""

    def known() -> set[str]:
        return {dag["dag_id"] for dag in site.api.call("GET", "/dags")["dags"]}

    assert processes.wait_until(lambda: known() == DAGS, PATIENCE_SECONDS), site.api.call("GET", "/importErrors")
    site.run(shown("airflow dags").replace("airflow dags", "python -m airflow dags"))
    (run,) = site.api.call("GET", "/dags/daily_risk/dagRuns")["dag_runs"]
    for _ in runs.follow(site.api, run["dag_run_id"]):
        pass
    runs.raise_for_failure(site.api, run["dag_run_id"])
    (mail,) = site.mail.iterdir()
    return email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)


def test_the_guide_names_the_connections_and_settings_that_are_needed(site: Site) -> None:
    assert variables(shown("AIRFLOW_CONN_RISK_WAREHOUSE")) == {
        name for name in site.settings if name.startswith("AIRFLOW_CONN_")
    }
    assert {name for name in site.settings if name.startswith("RISK_")} < variables(shown("RISK_RECIPIENTS"))


def test_the_wheel_is_the_plugin_of_the_api_server(site: Site) -> None:
    (plugin,) = [one for one in site.api.call("GET", "/plugins")["plugins"] if one["name"] == "risk"]

    assert plugin["source"].startswith(f"morning-risk-run=={__version__}: ")


def test_three_connections_give_the_first_report(site: Site, first_report: email.message.EmailMessage) -> None:
    kept = site.guest.root / "airflow" / "risk" / "reports" / "desk" / SESSION

    assert first_report["To"] == "manager@example.com"
    assert first_report["From"].addresses[0].addr_spec == "risk-run@example.com"
    (limits,) = [part for part in first_report.iter_attachments() if part.get_filename() == "limits.csv"]
    assert limits.get_content().splitlines() == (kept / "limits.csv").read_text(encoding="utf-8").splitlines()
    assert {line.split(",")[0] for line in limits.get_content().splitlines()} >= {"SIM001", "SIM002", "SIM003"}


def test_the_page_shows_the_report(site: Site, first_report: email.message.EmailMessage) -> None:
    base = f"http://127.0.0.1:{site.port}"
    token = httpx.post(f"{base}/auth/token", json={"username": "admin", "password": PASSWORD}).json()["access_token"]

    page = httpx.get(f"{base}/risk/sessions/{SESSION}", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    assert page.status_code == 200
    assert "SIM001" in page.text


def test_the_doctor_finds_one_release(site: Site, first_report: email.message.EmailMessage) -> None:
    login = f"http://admin:{PASSWORD}@{urlsplit(site.settings['RISK_BASE_URL']).netloc}"
    for dag_id in DAGS:
        site.api.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    said: dict[str, Any] = json.loads(
        site.run("riskctl doctor --json || true", AIRFLOW_CONN_RISK_AIRFLOW=login).splitlines()[-1]
    )

    found = {one["sentence"]: one["is_well"] for one in said["findings"] if one["subject"] in ("release", "airflow")}
    assert found[f"Code and DAG files are of release {__version__}."]
    assert all(found.values()), found


def test_nothing_of_the_clone_was_read(site: Site, first_report: email.message.EmailMessage) -> None:
    assert site.guest.opened_in_clone == []


def test_dag_files_of_another_release_are_an_import_error_that_the_doctor_shows(
    site: Site, first_report: email.message.EmailMessage
) -> None:
    release = site.guest.dags / "risk_release.txt"
    login = f"http://admin:{PASSWORD}@{urlsplit(site.settings['RISK_BASE_URL']).netloc}"

    release.write_text("9.9.9\n", encoding="utf-8")
    assert processes.wait_until(lambda: site.api.call("GET", "/importErrors")["import_errors"] != [], PATIENCE_SECONDS)
    said = site.run("riskctl doctor || true", AIRFLOW_CONN_RISK_AIRFLOW=login)
    release.write_text(f"{__version__}\n", encoding="utf-8")

    assert processes.wait_until(lambda: site.api.call("GET", "/importErrors")["import_errors"] == [], PATIENCE_SECONDS)
    assert f"The DAG files need morning-risk-run 9.9.9, but {__version__} is installed here. Install the wheel" in said
