"""Two desks in one Airflow, in London and in New York, at the same time; a third one is not configured."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from devstack import processes, runs
from devstack.postgres import temporary_cluster
from devstack.workspace import free_port
from risk.core.desks import DAGS
from tests.drops import HEADER
from tests.integration.guest import install, make_wheel
from tests.integration.sites import PASSWORD, PATIENCE_SECONDS, Site, mail_connection, started, stock_settings, uri

pytestmark = [pytest.mark.guides, pytest.mark.slow]

DESKS = {"london": "LON001", "york": "NYC001"}
"""Each with the account that trades there."""
SESSION = "2025-08-22"
HOLIDAY = "2025-08-25"
"""In London the summer bank holiday, in New York a session."""
EFFECTIVE = {"london": "2025-08-26", "york": HOLIDAY}
RIVALS = {"london": "york", "york": "london"}


def write_rows(folder: Path, day: str, account: str, *, quantity: str = "100") -> None:
    """Deliver a session's rows: bought and sold for 100 x 0.50 = 50.00, less 2 x 1.50."""
    date = dt.date.fromisoformat(day).strftime("%m/%d/%Y")
    rows = [
        f"{date} 10:00:00,{account},B,{quantity},XYZ,10.0,1.25,0.25,,USD,{day}-1",
        f"{date} 10:30:00,{account},S,{quantity},XYZ,10.5,1.25,0.25,,USD,{day}-2",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"fills_{day}.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def make_databases(dsn: str) -> None:
    """Make roles and a database of each desk, and Airflow's database."""
    with contextlib.closing(psycopg2.connect(dsn)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("create database airflow")
        for desk in DESKS:
            for role in (f"{desk}_owner", desk, f"{desk}_page"):
                cursor.execute(f"create role {role} login password '{PASSWORD}'")
            cursor.execute(f"create database {desk} owner {desk}_owner")
            cursor.execute(f"revoke connect, temporary on database {desk} from public")


def settings_of(desk: str, dsn: str, root: Path) -> dict[str, str]:
    """Write what each desk has of its own."""
    name = desk.upper()
    return {
        f"AIRFLOW_CONN_RISK_WAREHOUSE_{name}": uri(dsn, desk, desk),
        f"RISK_{name}_PAGE_DSN": uri(dsn, f"{desk}_page", desk, "postgresql"),
        f"RISK_{name}_RECIPIENTS": f"{desk}@example.com",
        f"RISK_{name}_FILLS_DIR": str(root / desk),
        f"RISK_{name}_OUTBOUND_DIR": str(root / f"limits_{desk}"),
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start an Airflow of three desks."""
    root = tmp_path_factory.mktemp("site")
    guest = install(make_wheel(root / "build"), root)
    port, mail_port = free_port(), free_port()
    with temporary_cluster(tmp_path_factory.mktemp("postgres")) as dsn:
        make_databases(dsn)
        settings = stock_settings(guest, dsn, port) | {
            "AIRFLOW_CONN_SMTP_DEFAULT": mail_connection(mail_port),
            "RISK_DESKS": ",".join([*DESKS, "tokyo"]),
            "RISK_LONDON_CALENDAR": "XLON",
            "RISK_LONDON_APPROVAL": "all",
        }
        for desk, account in DESKS.items():
            write_rows(root / desk, SESSION, account)
            settings |= settings_of(desk, dsn, root)
        made = Site(guest, settings, root / "mail" / "new", port)
        made.run("python -m airflow db migrate")
        for desk in DESKS:
            owner = {f"RISK_{desk.upper()}_OWNER_DSN": uri(dsn, f"{desk}_owner", desk, "postgresql")}
            made.run(f"riskctl --desk {desk} migrate", **owner)
        with started(made, mail_port):
            assert processes.wait_until(lambda: len(dag_ids(made)) == 15, PATIENCE_SECONDS), dag_ids(made)
            for dag_id in dag_ids(made):
                made.api.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})
            yield made


def dag_ids(site: Site) -> set[str]:
    return {dag["dag_id"] for dag in site.api.call("GET", "/dags")["dags"]}


def ended(site: Site, dag_id: str, run_id: str) -> str:
    """Wait for the end of a run, and give its state."""
    for _ in runs.follow(site.api, run_id, dag_id):
        pass
    return str(site.api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])


@pytest.fixture(scope="module")
def mornings(site: Site) -> dict[str, dict[str, Any]]:
    """Run both desks' sessions at the same time, and what London's starts; give the runs of the morning."""
    conf = {"session_date": SESSION, "deliver": True}
    started_runs = {desk: runs.trigger(site.api, conf, f"daily_risk_{desk}") for desk in DESKS}
    assert {desk: ended(site, f"daily_risk_{desk}", run) for desk, run in started_runs.items()} == dict.fromkeys(
        DESKS, "success"
    ), said(site)
    return {desk: site.api.call("GET", f"/dags/daily_risk_{desk}/dagRuns/{run}") for desk, run in started_runs.items()}


def said(site: Site) -> str:
    """Read the ends of the tasks' logs, for whoever reads of a failure."""
    files = sorted((site.guest.root / "airflow" / "logs").rglob("attempt=*.log"))
    return "\n".join(f"{file}\n{file.read_text(encoding='utf-8')[-1500:]}" for file in files[-4:])


def mails_to(site: Site, desk: str) -> list[EmailMessage]:
    """Read the mails that a desk's people got."""
    found = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in site.mail.iterdir()]
    return [mail for mail in found if mail["To"] == f"{desk}@example.com"]


def alerts_of(site: Site, desk: str) -> list[EmailMessage]:
    """Read the mails that reported failed runs to a desk's people."""
    return [mail for mail in mails_to(site, desk) if "FAILED" in mail["Subject"]]


def asked(site: Site, desk: str, query: str) -> list[tuple[Any, ...]]:
    """Ask a desk's warehouse, as its pipeline."""
    place = site.settings[f"AIRFLOW_CONN_RISK_WAREHOUSE_{desk.upper()}"].replace("postgres://", "postgresql://")
    with contextlib.closing(psycopg2.connect(make_dsn(place))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def page(site: Site, path: str, form: dict[str, str] | None = None) -> httpx.Response:
    """Ask for a page, or send a form."""
    base = f"http://127.0.0.1:{site.port}"
    token = httpx.post(f"{base}/auth/token", json={"username": "admin", "password": PASSWORD}).json()["access_token"]
    method, headers = "GET" if form is None else "POST", {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{base}{path}", data=form, headers=headers, timeout=60)


def test_each_desk_has_its_dags_and_one_that_is_not_configured_says_so(site: Site) -> None:
    assert dag_ids(site) == {f"{dag}_{desk}" for dag in DAGS for desk in (*DESKS, "tokyo")}
    assert site.api.call("GET", "/importErrors")["import_errors"] == []
    tokyo = site.api.call("GET", "/dags/daily_risk_tokyo")
    assert tokyo["description"].startswith("RISK_TOKYO_RECIPIENTS is not set. Desks do not share this setting")

    run_id = runs.trigger(site.api, {}, "daily_risk_tokyo")

    assert ended(site, "daily_risk_tokyo", run_id) == "failed"


def test_both_run_at_the_same_time_each_with_its_own_executions(
    site: Site, mornings: dict[str, dict[str, Any]]
) -> None:
    begun, over = ([morning[name] for morning in mornings.values()] for name in ("start_date", "end_date"))
    assert max(begun) < min(over)
    # 10:00 is 09:00 UTC in London and 14:00 UTC in New York
    opened_at = {"london": "2025-08-22 09:00", "york": "2025-08-22 14:00"}
    for desk, account in DESKS.items():
        time = "to_char(min(executed_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')"
        # Other tests run other sessions on these stacks, before or after this one.
        morning = f"where session_date = '{SESSION}'"
        assert asked(site, desk, f"select account_id, {time}, count(*) from risk.fills {morning} group by 1") == [
            (account, opened_at[desk], 2)
        ]
        net = f"select account_id, net_pnl_usd::numeric(9, 2)::text from derived.daily_pnl {morning}"
        assert asked(site, desk, net) == [(account, "47.00")]
        assert asked(site, desk, f"select effective_session::text from risk.runs {morning}") == [(EFFECTIVE[desk],)]


def test_each_desks_people_get_its_report_and_no_other(site: Site, mornings: dict[str, dict[str, Any]]) -> None:
    for desk, account in DESKS.items():
        reports = [mail for mail in mails_to(site, desk) if "isk report" in mail["Subject"]]
        (report,) = reports
        assert report["Subject"].startswith(f"[{desk}] ")
        (limits,) = [part for part in report.iter_attachments() if part.get_filename() == "limits.csv"]
        rows = list(csv.DictReader(limits.get_content().splitlines()))
        assert [(row["account_id"], row["effective_session"]) for row in rows] == [(account, EFFECTIVE[desk])]
        for mail in mails_to(site, desk):
            text = mail.get_body(("plain",))
            assert text is not None
            assert DESKS[RIVALS[desk]] not in text.get_content()
            links = re.findall(r"/(?:risk|dags)/[\w/.-]+", text.get_content())
            assert links
            assert all(f"/risk/{desk}/" in link or f"_{desk}/" in link for link in links), links
    kept = site.guest.root / "airflow" / "risk" / "reports"
    assert sorted(folder.name for folder in kept.iterdir()) == sorted(DESKS)


def test_the_desk_that_asks_for_approval_publishes_by_its_own_dag(
    site: Site, mornings: dict[str, dict[str, Any]]
) -> None:
    listed = {desk: site.api.call("GET", f"/dags/publish_limits_{desk}/dagRuns")["dag_runs"] for desk in DESKS}
    assert listed["york"] == []
    (run,) = listed["london"]
    assert asked(site, "london", "select count(*) from risk.published_limits") == [(0,)]
    shown = page(site, "/risk/london/approvals/1").text
    fields = ("token", "account_id", "seen")
    form = {name: re.findall(f'name="{name}" value="([^"]+)"', shown)[0] for name in fields}
    assert page(site, "/risk/york/approvals/1/decisions", {**form, "action": "approved"}).status_code == 409
    decided = page(site, "/risk/london/approvals/1/decisions", {**form, "action": "approved"})
    assert (decided.status_code, decided.headers["location"]) == (303, "/risk/london/approvals/1")

    # Woken by the page at the run of its own desk's DAG, minutes before it would look again by itself.
    assert ended(site, "publish_limits_london", run["dag_run_id"]) == "success", said(site)

    published = "select account_id, effective_session::text from risk.published_limits"
    assert asked(site, "london", published) == [(DESKS["london"], EFFECTIVE["london"])]
    assert asked(site, "york", published) == []


def test_each_page_shows_its_desk(site: Site, mornings: dict[str, dict[str, Any]]) -> None:
    for desk, account in DESKS.items():
        shown = page(site, f"/risk/{desk}/sessions/{SESSION}")
        assert shown.status_code == 200
        assert account in shown.text
        assert DESKS[RIVALS[desk]] not in shown.text
        links = set(re.findall(r'(?:href|action|src)="(/risk[^"]*)"', shown.text))
        assert links
        assert all(link.startswith(f"/risk/{desk}/") for link in links), links
    views = [view for one in site.api.call("GET", "/plugins")["plugins"] for view in one["external_views"]]
    assert {"risk/london/", "risk/york/"} <= {view["href"] for view in views}
    missing = page(site, f"/risk/sessions/{SESSION}")
    assert "LON001" not in missing.text
    assert "NYC001" not in missing.text


def test_a_holiday_of_one_exchange_is_a_session_of_the_other(site: Site, mornings: dict[str, dict[str, Any]]) -> None:
    for desk, account in DESKS.items():
        write_rows(site.guest.root / desk, HOLIDAY, account)

    states = {}
    for desk in DESKS:
        run_id = runs.trigger(site.api, {"session_date": HOLIDAY, "deliver": False}, f"daily_risk_{desk}")
        states[desk] = ended(site, f"daily_risk_{desk}", run_id)
    (site.guest.root / "london" / f"fills_{HOLIDAY}.csv").unlink()

    assert states == {"london": "failed", "york": "success"}, said(site)
    # A mistake in a request by hand alerts nobody.
    assert alerts_of(site, "london") == []
    assert [day for (day,) in asked(site, "york", "select session_date::text from derived.daily_pnl order by 1")] == [
        *(SESSION, HOLIDAY),
    ]


def test_a_failed_run_is_mailed_to_the_people_of_its_desk_alone(
    site: Site, mornings: dict[str, dict[str, Any]]
) -> None:
    before = len(mails_to(site, "london"))
    write_rows(site.guest.root / "york", "2025-08-26", DESKS["york"], quantity="many")

    run_id = runs.trigger(site.api, {"session_date": "2025-08-26", "deliver": False}, "daily_risk_york")
    assert ended(site, "daily_risk_york", run_id) == "failed"

    assert processes.wait_until(lambda: bool(alerts_of(site, "york")), PATIENCE_SECONDS), said(site)
    (alert,) = alerts_of(site, "york")
    assert alert["Subject"].startswith("[york] RISK RUN FAILED")
    assert f"daily_risk_york/runs/{run_id.partition('+')[0]}"[:40] in alert.get_body(("plain",)).get_content()
    assert len(mails_to(site, "london")) == before
    assert asked(site, "london", "select count(*) from risk.audit_log where dag_id like '%york%'") == [(0,)]
    (site.guest.root / "york" / "fills_2025-08-26.csv").unlink()


def test_the_command_line_works_for_the_desk_that_is_named(site: Site, mornings: dict[str, dict[str, Any]]) -> None:
    traders = {desk: site.run(f"riskctl --desk {desk} traders --json") for desk in DESKS}
    assert {desk: re.findall(r"(?:LON|NYC)\d+", text)[:1] for desk, text in traders.items()} == {
        "london": ["LON001"],
        "york": ["NYC001"],
    }
    unnamed = site.run("riskctl traders 2>&1 || true")
    assert unnamed.startswith("RISK_DESKS names london, york, tokyo, and none is chosen: say which one is meant")
    assert "RISK_TOKYO_RECIPIENTS is not set" in site.run("riskctl --desk tokyo doctor 2>&1 || true")
    assert parse_dsn(site.settings["RISK_LONDON_PAGE_DSN"])["dbname"] == "london"
    login = f"http://admin:{PASSWORD}@127.0.0.1:{site.port}"
    doctors = {
        desk: site.run(f"riskctl --desk {desk} doctor || true", AIRFLOW_CONN_RISK_AIRFLOW=login) for desk in DESKS
    }
    assert "XLON reaches to" in doctors["london"]
    assert "XNYS reaches to" in doctors["york"]
    assert "daily_risk_york extract_fills" not in doctors["london"]
