"""An Airflow home of its own for tests that import Airflow, set before its first import, and a client of our app."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.roles import Roles
from risk.core.runs import Run
from risk.core.schema import prepare_warehouse
from risk.core.warehouse import Connection, connect
from tests.databases import create_database, drop_database
from tests.operators.web_client import Member, Runs, served
from tests.report_desks import book, deliver_fills, insert, open_run, recommend, store_report

_home = tempfile.mkdtemp(prefix="risk-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ.setdefault("AIRFLOW_HOME", _home)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")


PAGE = f"page_{os.getpid()}"
"""The page's role in these tests: one for all databases of this process."""


@pytest.fixture(scope="session")
def template_database(server_dsn: str, template_database: str) -> Iterator[str]:
    """Give the page's role its privileges once; every test's own database is a copy."""
    with copied(server_dsn, f"page_template_{os.getpid()}", template_database) as dsn:
        with contextlib.closing(connect(dsn)) as owner:
            with owner, owner.cursor() as cursor:
                cursor.execute(f"create role {PAGE} login password 'word'")
            prepare_warehouse(owner, Roles(owner.info.user, PAGE))
        yield parse_dsn(dsn)["dbname"]
    with contextlib.closing(connect(server_dsn)) as owner, owner, owner.cursor() as cursor:
        cursor.execute(f"drop role {PAGE}")


@pytest.fixture(scope="session")
def desk_template(server_dsn: str, template_database: str) -> Iterator[str]:
    """Store the desk of ``page_desk`` once; the tests that show it get copies."""
    from tests.operators.page_desk import store_desk

    with copied(server_dsn, f"desk_template_{os.getpid()}", template_database) as dsn:
        with pytest.MonkeyPatch.context() as monkeypatch, contextlib.closing(connect(dsn)) as connection:
            monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", connection_uri(dsn))
            store_desk(connection)
        yield parse_dsn(dsn)["dbname"]


@contextlib.contextmanager
def copied(server_dsn: str, name: str, template: str) -> Iterator[str]:
    """Give the connection string of a copy of a database, which is removed at the end."""
    create_database(server_dsn, name, template)
    try:
        yield make_dsn(server_dsn, dbname=name)
    finally:
        drop_database(server_dsn, name)


def connection_uri(dsn: str) -> str:
    """Write the connection string of a database as Airflow reads it."""
    place = {name: quote(str(value), safe="") for name, value in parse_dsn(dsn).items()}
    return f"postgres://{place['user']}:{place['password']}@{place['host']}:{place['port']}/{place['dbname']}"


@pytest.fixture
def warehouse_connection(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a fresh database the one behind the Airflow connection ``risk_warehouse``."""
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", connection_uri(warehouse_dsn))


@pytest.fixture
def page_role(warehouse_connection: None, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page work as a role of its own: what a test of the page does, that role may do."""
    use_page_role(warehouse_dsn, monkeypatch)


def use_page_role(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page work on a database as its own role."""
    place = parse_dsn(dsn)
    with contextlib.closing(connect(dsn)) as owner, owner, owner.cursor() as cursor:
        # Of the privileges, only those on the database itself are not copied with it.
        cursor.execute(f"revoke connect, temporary on database {place['dbname']} from public")
        cursor.execute(f"grant connect on database {place['dbname']} to {PAGE}")
    monkeypatch.setenv("RISK_PAGE_DSN", f"postgresql://{PAGE}:word@{place['host']}:{place['port']}/{place['dbname']}")


@pytest.fixture
def client(page_role: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a client of the app, logged in as ann; Airflow's own part (login, roles) is tested on a whole stack."""
    with client_of_ann(monkeypatch) as made:
        yield made


@contextlib.contextmanager
def client_of_ann(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make a client of the app, logged in as ann."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.testclient import TestClient

    from risk.web.access import DECIDER, READER, TRIGGERER, may_decide, may_trigger
    from risk.web.app import app

    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a secret of this test")
    app.dependency_overrides = {
        READER.dependency: lambda: None,
        DECIDER.dependency: lambda: None,
        TRIGGERER.dependency: lambda: None,
        may_decide: lambda: True,
        may_trigger: lambda: True,
        get_user: lambda: Member("1", "ann"),
    }
    yield TestClient(app, follow_redirects=False)
    app.dependency_overrides = {}


@pytest.fixture(scope="module")
def desk_address(server_dsn: str, desk_template: str) -> Iterator[str]:
    """Serve the app on the desk of ``page_desk`` for all tests of a module, which only read it."""
    from risk.web.app import app
    from risk.web.trial_runs import trial_runs

    name = f"desk_of_{os.getpid()}"
    with copied(server_dsn, name, desk_template) as dsn, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", connection_uri(dsn))
        use_page_role(dsn, monkeypatch)
        with client_of_ann(monkeypatch):
            app.dependency_overrides[trial_runs] = Runs
            with served(app) as url:
                yield url


@pytest.fixture
def run(connection: Connection) -> Run:
    """Report a session with a cut, a limit that stays and a warning; the reason is no formula and no markup."""
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60", reasons=["=1+1 <b>streak</b>"])
    recommend(connection, run, "NET002", "0.00")
    for name in ("NET001", "NET002"):
        book(connection, name, input_fingerprint=deliver_fills(connection, run, name))
    verdict = {"check_name": "fees", "severity": "warn", "observed": "4.2", "has_passed": False}
    insert(connection, "quality_results", run_id=run.run_id, subject="NET001", message="fees look odd", **verdict)
    store_report(connection, run)
    return run


@pytest.fixture
def runs(client: Any) -> Runs:
    from risk.web.app import app
    from risk.web.trial_runs import trial_runs

    found = Runs()
    app.dependency_overrides[trial_runs] = lambda: found
    return found


@pytest.fixture
def address(client: Any) -> Iterator[str]:
    """Serve the app on a port of its own."""
    with served(client.app) as url:
        yield url
