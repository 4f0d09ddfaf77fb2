"""The DAGs of several desks: one each, by its own exchange; a desk that is not configured stops only itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import DAG
from airflow.sdk.definitions.context import AirflowParsingContext
from sqlalchemy.orm import Session

from risk.core.desks import DAGS, at_desk, current_desk
from risk.core.errors import RequestError
from risk.core.exchange import exchange
from risk.core.settings import PROJECT_DIR
from risk.operators import plugin
from risk.operators.base import refuse_shared_warehouse
from risk.operators.callbacks import on_report_late, on_run_failure
from risk.operators.deadlines import EffectiveMorning
from risk.operators.desks import by_desk, enter_desk

TWO = {
    "RISK_DESKS": "london,york",
    "RISK_SCHEDULE": "sessions",
    "RISK_LONDON_CALENDAR": "XLON",
    "RISK_LONDON_RECIPIENTS": "london@example.com",
    "RISK_LONDON_APPROVAL": "high",
    "RISK_YORK_RECIPIENTS": "york@example.com",
}
ALL = {f"{dag}_{desk}" for dag in DAGS for desk in ("london", "york")}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], BundleDagBag]:
    """Give a function that parses the DAG files with some variables set."""

    def parse(variables: Mapping[str, str], file: str = "") -> BundleDagBag:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        folder = PROJECT_DIR / "dags"
        return BundleDagBag(dag_folder=str(folder / file), bundle_path=folder, bundle_name="dags")

    return parse


def test_each_desk_has_dags_of_its_own_on_the_mornings_of_its_exchange(parsed: Callable[..., BundleDagBag]) -> None:
    bag = parsed(TWO)

    assert (bag.import_errors, set(bag.dags)) == ({}, ALL)
    timetables: dict[str, Any] = {dag_id: dag.timetable for dag_id, dag in bag.dags.items()}
    assert timetables["daily_risk_london"].summary == "XLON sessions, 05:30 London"
    assert timetables["daily_risk_york"].summary == "XNYS sessions, 07:00 New York"
    assert str(timetables["weekly_maintenance_london"].timezone) == "Europe/London"
    assert str(timetables["weekly_maintenance_york"].timezone) == "America/New_York"
    approval = {desk: bag.dags[f"daily_risk_{desk}"].params["approval"] for desk in ("london", "york")}
    assert approval == {"london": "high", "york": "none"}
    for desk in ("london", "york"):
        (outlet,) = bag.dags[f"daily_risk_{desk}"].get_task("send_report").outlets
        assert outlet.name == f"risk_{desk}_report"
    cleaning = [dag_id for dag_id, dag in bag.dags.items() if dag.has_task("clean_metadata")]
    assert cleaning == ["weekly_maintenance_london"]


def test_deadlines_are_named_by_each_desks_clocks(parsed: Callable[..., BundleDagBag]) -> None:
    dags = parsed({**TWO, "AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}).dags

    named = {desk: _deadlines(dags[f"daily_risk_{desk}"]) for desk in ("london", "york")}

    assert named == {"london": ["report by 07:00 London"], "york": ["report by 08:30 New York"]}


def _deadlines(dag: DAG) -> list[str | None]:
    alerts = dag.deadline or []
    return [alert.name for alert in (alerts if isinstance(alerts, list) else [alerts])]


def test_deadline_of_a_run_is_by_the_exchange_of_its_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TWO.items():
        monkeypatch.setenv(name, value)
    with Session(sa.create_engine("sqlite://")) as session:
        session.execute(
            sa.text("create table dag_run (dag_id text, run_id text, run_type text, data_interval_end timestamp)")
        )
        found = {}
        for desk in ("london", "york"):
            values = {"dag_id": f"daily_risk_{desk}", "run_id": "r"}
            due_at = "2025-08-18 04:30:00.000000" if desk == "london" else "2025-08-18 11:00:00.000000"
            insert = sa.text("insert into dag_run values (:dag_id, :run_id, 'scheduled', :due_at)")
            session.execute(insert, {**values, "due_at": due_at})
            found[desk] = EffectiveMorning()._evaluate_with(session=session, **values)

    # 07:00 in London and 08:30 in New York, both in summer
    assert found == {
        "london": dt.datetime(2025, 8, 18, 6, tzinfo=dt.UTC),
        "york": dt.datetime(2025, 8, 18, 12, 30, tzinfo=dt.UTC),
    }


def test_a_desk_that_is_not_configured_stops_only_itself(parsed: Callable[..., BundleDagBag]) -> None:
    variables = {**TWO, "RISK_LONDON_RECIPIENTS": ""}

    bag = parsed(variables)

    # An import error would keep Airflow from starting runs of any DAG of the file.
    assert (bag.import_errors, set(bag.dags)) == ({}, ALL)
    assert len(bag.dags["daily_risk_york"].tasks) == 7
    assert bag.dags["weekly_maintenance_york"].has_task("clean_metadata")
    london = bag.dags["daily_risk_london"]
    sentence = (
        "RISK_LONDON_RECIPIENTS is not set. Desks do not share this setting: set it for the desk london, and leave"
    )
    assert (london.description or "").startswith(sentence)
    assert london.schedule is None
    (task,) = london.tasks
    with pytest.raises(RequestError, match=sentence):
        task.execute({})


@pytest.mark.parametrize("names", ["London", "alarm,york"])
def test_names_that_are_no_desks_are_an_import_error(parsed: Callable[..., BundleDagBag], names: str) -> None:
    bag = parsed({**TWO, "RISK_DESKS": names})

    assert bag.dags == {}
    assert len(bag.import_errors) == len(DAGS)
    assert all("RISK_DESKS" in error for error in bag.import_errors.values())


def test_a_tasks_process_builds_the_dag_of_its_desk_only(
    parsed: Callable[..., BundleDagBag], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow itself leaves it set in the process of a task.
    parsing = AirflowParsingContext(dag_id="daily_risk_york", task_id="extract_fills")
    monkeypatch.setattr("risk.operators.desks.get_parsing_context", lambda: parsing)

    assert set(parsed(TWO, "daily_risk.py").dags) == {"daily_risk_york"}


def test_tasks_and_callbacks_work_for_the_desk_of_their_dag(parsed: Callable[..., BundleDagBag]) -> None:
    dags = parsed(TWO).dags
    seen = []

    @by_desk
    def callback(_: Any) -> None:
        seen.append((current_desk(), exchange().code))

    for dag in dags.values():
        assert all(task._pre_execute_hook is enter_desk for task in dag.tasks if task.task_id != "clean_metadata")
    for desk in ("london", "york"):
        with at_desk(desk):
            enter_desk({"dag": dags[f"policy_trial_{desk}"]})
            assert current_desk() == desk
        callback({"dag": dags[f"daily_risk_{desk}"]})
        callback({"dag_run": {"dag_id": f"publish_limits_{desk}"}})
    assert seen == [("london", "XLON")] * 2 + [("york", "XNYS")] * 2
    # Airflow imports a deadline's callback by its name.
    assert (on_report_late.__qualname__, on_run_failure.__module__) == ("on_report_late", "risk.operators.callbacks")


def test_a_desk_does_not_work_in_the_database_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TWO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE_LONDON", "postgres://london:w@db:5432/london")
    with at_desk("london"):
        # New York has no connection yet, then one that is none: that stops New York alone.
        refuse_shared_warehouse()
        for place in ("nonsense", "postgres://york:w@db:5432/york", "postgres://york:w@other:5432/london"):
            monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE_YORK", place)
            refuse_shared_warehouse()
        monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE_YORK", "postgres://york:w@db/london")
        with pytest.raises(RequestError, match="risk_warehouse_london and risk_warehouse_york name the same database"):
            refuse_shared_warehouse()


def test_one_desk_reads_no_connection_to_compare() -> None:
    refuse_shared_warehouse()


def test_each_desk_has_a_page_in_the_navigation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [page.app["url_prefix"] for page in plugin.desk_pages()] == ["/risk"]
    assert [page.view for page in plugin.desk_pages()] == [
        {"name": "Risk", "href": "risk/", "destination": "nav", "url_route": "risk-page"}
    ]
    for name, value in TWO.items():
        monkeypatch.setenv(name, value)

    pages = plugin.desk_pages()

    assert [page.app["url_prefix"] for page in pages] == ["/risk/london", "/risk/york"]
    assert [(page.view["name"], page.view["href"]) for page in pages] == [
        ("Risk london", "risk/london/"),
        ("Risk york", "risk/york/"),
    ]
    assert len({page.app["name"] for page in pages} | {page.view["url_route"] for page in pages}) == 4
    monkeypatch.setenv("RISK_DESKS", "London")
    assert plugin.desk_pages() == []
