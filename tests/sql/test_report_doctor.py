"""The doctor finds nothing on a healthy installation, and each weakness that is planted into it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from risk import __version__
from risk.core.connections import API_CONNECTION, SMTP_CONNECTION, WAREHOUSE_CONNECTION
from risk.core.roles import Roles
from risk.core.schema import prepare_warehouse
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect
from risk.limits.publish import publish
from risk.report.doctor import Installation, examine
from tests.approval_desks import MORNING, opened, reported
from tests.report_desks import insert

NOW = dt.datetime(2025, 8, 18, 14, 30, tzinfo=dt.UTC)
PAUSED: set[str] = set()
TAGS = [{"name": "risk"}, {"name": f"release {__version__}"}]
PLUGINS = [{"name": "risk", "source": f"morning-risk-run=={__version__}: EntryPoint(name='risk')"}]
BROKEN: list[dict[str, str]] = []
REFUSED: dict[str, int] = {}
"""Status by path."""


class Airflow(BaseHTTPRequestHandler):
    """As much of Airflow's API as the doctor asks."""

    def do_POST(self) -> None:
        self._answer({"access_token": "token"}, 201)

    def do_GET(self) -> None:
        path = self.path.removeprefix("/api/v2")
        healthy = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "dag_processor")}
        answers = {
            "/monitor/health": healthy,
            "/importErrors": {"import_errors": BROKEN},
            "/plugins": {"plugins": PLUGINS},
        }
        content = answers.get(path, {"is_paused": path.rpartition("/")[2] in PAUSED, "tags": TAGS})
        self._answer(content, REFUSED.get(path, 200))

    def _answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Mail(socketserver.BaseRequestHandler):
    """A mail server that greets."""

    def handle(self) -> None:
        self.request.sendall(b"220 ready\r\n")


@dataclass
class Site:
    """An installation, with whoever may plant something into it."""

    owner: Connection
    roles: Roles
    environment: dict[str, str]
    secrets: Path
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def installation(self) -> Installation:
        return Installation(Settings(**self.settings), self.environment, NOW)  # type: ignore[arg-type]

    def problems(self) -> list[str]:
        return [f"{one.subject}: {one.sentence}" for one in examine(self.installation) if not one.is_healthy]

    def run(self, command: str) -> None:
        with self.owner, self.owner.cursor() as cursor:
            cursor.execute(
                command.format(**{name: getattr(self.roles, name) for name in ("pipeline", "page", "reader")})
            )


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Airflow)),
            stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)),
        ]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield servers[0].server_address[1], servers[1].server_address[1]  # type: ignore[return-value]


@pytest.fixture
def site(connection: Connection, warehouse_dsn: str, ports: tuple[int, int], tmp_path: Path) -> Iterator[Site]:
    """Give an installation with three roles, whose report of the morning is mailed and published."""
    roles = Roles(*(f"{name}_{connection.info.backend_pid}" for name in ("pipeline", "page", "reader")))
    with connection, connection.cursor() as cursor:
        cursor.execute(f"alter database {connection.info.dbname} reset all")
        for name in roles.duties:
            cursor.execute(f"create role {name} login password 'word'")
    close_databases(warehouse_dsn)
    prepare_warehouse(connection, roles)
    run = reported(connection, 1, HIGH="0.60")
    message = {"message_id": "<1@desk>", "recipient": "a@desk.example", "sent_at": MORNING}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **message)
    publish(connection, opened(connection, run, at=MORNING), None)
    for folder in ("reports", "vendor", "alarms"):
        (tmp_path / folder).mkdir(mode=0o700)
    (secrets := tmp_path / "secrets.json").touch(mode=0o600)
    place = parse_dsn(warehouse_dsn)
    server = f"{place['host']}:{place['port']}/{place['dbname']}"
    environment = {
        API_CONNECTION: f"http://notes:word@127.0.0.1:{ports[0]}",
        SMTP_CONNECTION: f"smtp://127.0.0.1:{ports[1]}",
        WAREHOUSE_CONNECTION: f"postgres://{roles.pipeline}:word@{server}",
    }
    settings = {
        "approval": "all",
        "private_files": (secrets,),
        "page_dsn": f"postgresql://{quote(roles.page)}:word@{server}",
        "reader_role": roles.reader,
        **{f"{name}_dir": tmp_path / name for name in ("reports", "vendor", "alarms")},
    }
    yield Site(connection, roles, environment, secrets, settings)
    with connection, connection.cursor() as cursor:
        for name in roles.duties:
            cursor.execute(f"drop owned by {name} cascade")
            cursor.execute(f"drop role {name}")


def close_databases(warehouse_dsn: str) -> None:
    """Take from everybody the right to connect to the databases of other tests, as an installation does."""
    with contextlib.closing(connect(make_dsn(warehouse_dsn, dbname="postgres"))) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("select datname from pg_database where datallowconn")
            for (name,) in cursor.fetchall():
                cursor.execute(f'revoke connect, temporary on database "{name}" from public')


def sql(plant: str, heal: str) -> tuple[Callable[[Site], None], Callable[[Site], None]]:
    return (lambda site: site.run(plant)), (lambda site: site.run(heal))


def chmod(mode: int) -> Callable[[Site], None]:
    return lambda site: site.secrets.chmod(mode)


def without_page(site: Site) -> None:
    site.settings["page_dsn"] = ""


def put_page_back(site: Site) -> None:
    place = site.environment[WAREHOUSE_CONNECTION].rpartition("@")[2]
    site.settings["page_dsn"] = f"postgresql://{site.roles.page}:word@{place}"


OTHER_RELEASE = "risk.core.errors.ReleaseError: The DAG files need 0.2.0."
PLANTED: dict[str, tuple[Callable[[Site], None], Callable[[Site], None], str]] = {
    "search path of the pipeline": (
        *sql("alter role {pipeline} set search_path = staging", "alter role {pipeline} reset all"),
        r"settings of its own \(search_path=staging\)",
    ),
    "search path of the page": (
        *sql("alter role {page} set search_path = staging", "alter role {page} reset all"),
        r"settings of its own \(search_path=staging\)",
    ),
    "shadow table": (
        *sql("create schema staging; create table staging.fills ()", "drop schema staging cascade"),
        r"staging\.fills has the name of a table",
    ),
    "shadow function": (
        *sql(
            "create schema staging; create function staging.now() returns integer return 1",
            "drop schema staging cascade",
        ),
        r"staging\.now has the name of a function",
    ),
    "pipeline may change decisions": (
        *sql(
            "grant update on risk.limit_decisions to {pipeline}",
            "revoke update on risk.limit_decisions from {pipeline}",
        ),
        r"role of the pipeline may update limit_decisions",
    ),
    "pipeline may close breaches": (
        *sql(
            "grant insert (sentence) on risk.limit_breach_entries to {pipeline}",
            "revoke insert (sentence) on risk.limit_breach_entries from {pipeline}",
        ),
        r"role of the pipeline may insert limit_breach_entries",
    ),
    "pipeline may decide for people": (
        *sql(
            "grant insert (action) on risk.limit_change_decisions to {pipeline}",
            "revoke insert (action) on risk.limit_change_decisions from {pipeline}",
        ),
        r"may record a decision in a person's name",
    ),
    "page may load": (
        *sql("grant insert on risk.fills to {page}", "revoke insert on risk.fills from {page}"),
        r"role of the page may insert fills",
    ),
    "reader may write": (
        *sql("grant delete on risk.runs to {reader}", "revoke delete on risk.runs from {reader}"),
        r"reader_\d+ may delete runs",
    ),
    "everybody may write": (
        *sql("grant insert on risk.reports to public", "revoke insert on risk.reports from public"),
        r"everybody may insert reports",
    ),
    "page may plant triggers": (
        *sql("grant trigger on risk.runs to {page}", "revoke trigger on risk.runs from {page}"),
        r"page_\d+ may trigger runs",
    ),
    "stamp": (
        *sql(
            "grant insert (recorded_at) on risk.deliveries to {pipeline}",
            "revoke insert (recorded_at) on risk.deliveries from {pipeline}",
        ),
        r"may choose when a row of deliveries was recorded",
    ),
    "chain": (
        *sql("grant insert on risk.chain_links to {page}", "revoke insert on risk.chain_links from {page}"),
        r"may insert chain_links",
    ),
    "missing grant": (
        *sql(
            "revoke insert on risk.limit_breach_entries from {page}",
            "grant insert (account_id, session_date, action, reason, sentence, user_id, user_name) "
            "on risk.limit_breach_entries to {page}",
        ),
        r"role of the page may not insert limit_breach_entries",
    ),
    "trigger off": (
        *sql(
            "alter table risk.limit_decisions disable trigger check_page_role",
            "alter table risk.limit_decisions enable trigger check_page_role",
        ),
        r"may record a decision in a person's name.*\n.*trigger check_page_role of limit_decisions is off",
    ),
    "membership": (
        *sql("grant pg_read_all_data to {page}", "revoke pg_read_all_data from {page}"),
        r"page_\d+ is a superuser, may create roles, or is a member",
    ),
    "create in our schema": (
        *sql("grant create on schema risk to {pipeline}", "revoke create on schema risk from {pipeline}"),
        r"pipeline_\d+ may create in the schema risk",
    ),
    "open umask": (chmod(0o644), chmod(0o600), r"secrets.json has mode 644: other users may read it"),
    "paused DAG": (
        lambda _: PAUSED.add("publish_limits"),
        lambda _: PAUSED.discard("publish_limits"),
        r"publish_limits is paused",
    ),
    "DAG files of a later release": (
        lambda _: TAGS.append({"name": TAGS.pop()["name"] + "1"}),
        lambda _: TAGS.append({"name": TAGS.pop()["name"].removesuffix("1")}),
        rf"release: The DAG files need morning-risk-run {__version__}1, but {__version__} is installed here\. Install",
    ),
    "api-server of an earlier release": (
        lambda _: PLUGINS.append({"name": "risk", "source": "morning-risk-run==0.0.9: EntryPoint(name='risk')"}),
        lambda _: PLUGINS.remove(PLUGINS[-1]),
        rf"release: The DAG files need morning-risk-run {__version__}, but 0\.0\.9 is installed in the api-server",
    ),
    "DAG file of another release": (
        lambda _: BROKEN.append({"filename": "daily_risk.py", "stack_trace": f"Traceback\n{OTHER_RELEASE}\n"}),
        lambda _: BROKEN.clear(),
        r"airflow: daily_risk.py cannot be imported: The DAG files need 0\.2\.0\.",
    ),
    "DAG file that Airflow has never read": (
        lambda _: REFUSED.update({"/dags/daily_risk": 404}),
        lambda _: REFUSED.clear(),
        r"airflow: Airflow does not know daily_risk: bring the folder dags/ to it, or fix its import error\.",
    ),
    "broken DAG file": (
        lambda _: BROKEN.append({"filename": "daily_risk.py", "stack_trace": "Traceback\nNameError: chain"}),
        lambda _: BROKEN.clear(),
        r"airflow: daily_risk.py cannot be imported: fix the file\.",
    ),
    "unpublished approval": (
        *sql(
            "create table public.kept as select * from risk.published_limits; delete from risk.published_limits",
            "insert into risk.published_limits select * from public.kept; drop table public.kept",
        ),
        r"Limits for 2025-08-18 are not published",
    ),
    "page without a role": (without_page, put_page_back, r"page: The Risk page works as the pipeline's role"),
}


def test_doctor_names_each_planted_weakness_and_nothing_else(site: Site) -> None:
    missed = {}
    assert site.problems() == []

    for name, (plant, heal, found) in PLANTED.items():
        plant(site)
        problems = site.problems()
        if not re.search(found, "\n".join(problems)):
            missed[name] = problems
        heal(site)

    assert missed == {}
    assert site.problems() == []


def test_doctor_names_a_database_that_a_role_may_enter(site: Site, warehouse_dsn: str) -> None:
    name = f"foreign_{site.owner.info.backend_pid}"
    with contextlib.closing(connect(make_dsn(warehouse_dsn, dbname="postgres"))) as admin:
        admin.autocommit = True
        admin.cursor().execute(f"create role owner_of_{name}")
        admin.cursor().execute(f"create database {name} owner owner_of_{name}")
        try:
            problems = site.problems()
        finally:
            admin.cursor().execute(f"drop database {name} with (force)")
            admin.cursor().execute(f"drop role owner_of_{name}")

    assert len(problems) == 2
    assert all(f"may connect to {name}: as a superuser, revoke connect" in problem for problem in problems)


def test_doctor_says_where_it_may_not_see_the_wheel_of_the_api_server(site: Site) -> None:
    REFUSED["/plugins"] = 403
    try:
        found = [one.sentence for one in examine(site.installation) if one.subject == "release"]
        problems = site.problems()
    finally:
        REFUSED.clear()

    assert found[0].endswith("its wheel was not compared.")
    assert found[1:] == [f"Code and DAG files are of release {__version__}."]
    assert problems == []


def test_doctor_changes_nothing(site: Site) -> None:
    def state() -> list[tuple[object, ...]]:
        with site.owner, site.owner.cursor() as cursor:
            cursor.execute("select sequence, link_sha256 from risk.chain_links order by sequence desc limit 1")
            return cursor.fetchall()

    before = state()
    site.run("grant insert, update, delete on all tables in schema risk, derived, results to {pipeline}, {page}")
    site.problems()

    assert state() == before != []
