"""The Risk page of several desks: each below a path of its own, from its own warehouse, for who may see its DAGs."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg2.extensions import make_dsn

from risk.core.desks import at_desk
from risk.core.warehouse import connect
from risk.operators import plugin
from risk.web import access
from tests.databases import create_database, drop_database
from tests.operators.conftest import connection_uri
from tests.operators.web_client import Member, words
from tests.report_desks import SESSION, open_run, recommend, store_report

TRADERS = {"london": "LON001", "york": "NYC001"}


@pytest.fixture
def desks(server_dsn: str, template_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Store a report of each desk in a database of its own."""
    monkeypatch.setenv("RISK_DESKS", ",".join(TRADERS))
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a secret of this test")
    with contextlib.ExitStack() as made:
        for desk, account_id in TRADERS.items():
            name = f"page_of_{desk}_{os.getpid()}"
            create_database(server_dsn, name, template_database)
            made.callback(drop_database, server_dsn, name)
            dsn = make_dsn(server_dsn, dbname=name)
            monkeypatch.setenv(f"AIRFLOW_CONN_RISK_WAREHOUSE_{desk.upper()}", connection_uri(dsn))
            monkeypatch.setenv(f"RISK_{desk.upper()}_RECIPIENTS", f"{desk}@example.com")
            with contextlib.closing(connect(dsn)) as connection, at_desk(desk):
                run = open_run(connection)
                recommend(connection, run, account_id, "0.60")
                store_report(connection, run)
        yield


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """Give the list of permissions that were asked for."""
    return []


@pytest.fixture
def client(desks: None, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Mount the pages as Airflow does, for a member who may see and decide what is London's."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException

    from risk.web.app import app

    def requires(method: str, entity: Any, dag_id: str) -> Any:
        def check(*_: Any) -> None:
            asked.append((method, dag_id))
            if not dag_id.endswith("_london"):
                raise HTTPException(403)

        return check

    monkeypatch.setattr(access, "requires_access_dag", requires)
    monkeypatch.setattr(access, "_requires_website", lambda *_: None)
    app.dependency_overrides = {get_user: lambda: Member("1", "ann")}
    airflow = FastAPI()
    for page in plugin.desk_pages():
        airflow.mount(page.app["url_prefix"], page.app["app"])
    yield TestClient(airflow, follow_redirects=False)
    app.dependency_overrides = {}


def test_a_page_shows_its_desk_and_links_to_nothing_else(client: TestClient) -> None:
    answer = client.get("/risk/london/")

    assert answer.status_code == 200
    assert "LON001" in words(answer)
    assert "NYC001" not in answer.text
    links = set(re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)) - {"/", "#content"}
    assert links
    assert {link for link in links if not link.startswith(("/risk/london/", "/dags/"))} == set()


def test_whoever_may_not_see_a_desks_dag_sees_none_of_its_pages(
    client: TestClient, asked: list[tuple[str, str]]
) -> None:
    for path in ("", "traders", "traders/NYC001", f"sessions/{SESSION}", "limits", f"reports/{SESSION}"):
        answer = client.get(f"/risk/york/{path}")
        assert answer.status_code == 403
        assert "NYC001" not in answer.text.replace("/traders/NYC001", "")
    assert set(asked) == {("GET", "daily_risk_york")}


def test_deciding_asks_for_the_permission_on_the_desks_own_dag(
    client: TestClient, asked: list[tuple[str, str]]
) -> None:
    client.get("/risk/london/policy")

    assert {("PUT", "publish_limits_london"), ("POST", "policy_trial_london")} & set(asked)
    assert {dag_id.rpartition("_")[2] for _, dag_id in asked} == {"london"}


def test_a_page_of_a_desk_that_is_not_configured_says_where_to_look(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_YORK_RECIPIENTS", "")

    answer = client.get("/risk/york/")

    assert (answer.status_code, answer.text) == (
        503,
        "This desk is not configured: Airflow's description of the DAG daily_risk_york says what to set.\n",
    )
    assert client.get("/risk/london/").status_code == 200


def test_a_form_shown_for_one_desk_is_not_for_another(client: TestClient) -> None:
    from risk.core.errors import RequestError
    from risk.limits.approvals import AirflowUser

    ann = AirflowUser("1", "ann")
    with at_desk("london"):
        token = access.form_token(ann, "approval 1")
        access.check_form_token(token, ann, "approval 1")

    with at_desk("york"), pytest.raises(RequestError, match="was not shown to you"):
        access.check_form_token(token, ann, "approval 1")
