"""Several desks in one Airflow: each has its own settings, connections, DAGs and exchange, and takes no other's."""

from __future__ import annotations

import asyncio
import threading

import pytest

from risk.core.connections import SMTP_CONNECTION, WAREHOUSE_CONNECTION, postgres_dsn, read_connection
from risk.core.desks import (
    DAGS,
    DAILY_DAG,
    at_desk,
    current_desk,
    desk_of,
    enter_desk_of,
    own_connection,
    own_dag,
    own_page,
)
from risk.core.errors import RequestError
from risk.core.exchange import exchange
from risk.core.roles import Roles
from risk.core.settings import Settings, desk_names, read_settings, variable_name
from risk.report.doctor_roles import check_page


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set up a desk in London and one in New York."""
    monkeypatch.setenv("RISK_DESKS", "london, new_york")
    monkeypatch.setenv("RISK_LONDON_CALENDAR", "XLON")
    monkeypatch.setenv("RISK_LONDON_RECIPIENTS", "london@example.com")
    monkeypatch.setenv("RISK_NEW_YORK_RECIPIENTS", "york@example.com,risk@example.com")
    return monkeypatch


def test_doctor_names_variables_and_commands_of_the_desk(two: pytest.MonkeyPatch) -> None:
    with at_desk("london"):
        of_several = check_page(Roles("london", "", "")).sentence
    two.delenv("RISK_DESKS")

    assert "its connection in RISK_LONDON_PAGE_DSN for" in of_several
    assert of_several.endswith("then run riskctl --desk london migrate.")
    assert check_page(Roles("risk", "", "")).sentence.endswith(
        "RISK_PAGE_DSN for the API server and riskctl only, then run ./riskctl migrate."
    )


def test_one_desk_has_the_plain_names() -> None:
    assert (current_desk(), own_dag(DAILY_DAG), own_connection("risk_source"), own_page()) == (
        *("", "daily_risk", "risk_source", "/risk"),
    )
    assert desk_of("anything") == ""
    assert read_settings().desk == "desk"


def test_each_desk_of_several_has_names_settings_and_exchange_of_its_own(two: pytest.MonkeyPatch) -> None:
    two.setenv("RISK_SENDER", "run@example.com")
    two.setenv("RISK_APPROVAL", "all")
    two.setenv("RISK_LONDON_APPROVAL", "high")
    two.setenv("RISK_LONDON_DUAL_CONTROL", "1")
    two.setenv("RISK_LONDON_FILLS_DIR", "/drop/london")
    two.setenv("RISK_NEW_YORK_DEFAULT_LIMIT_USD", "7000.00")
    two.setenv("RISK_DESK", "another")

    with at_desk("london"):
        london = read_settings()
        assert (own_dag(DAILY_DAG), own_connection("risk_source"), own_page()) == (
            *("daily_risk_london", "risk_source_london", "/risk/london"),
        )
        assert own_connection("smtp_default") == "smtp_default"
        assert exchange().code == "XLON"
    with at_desk("new_york"):
        york = read_settings()
        assert exchange().code == "XNYS"

    assert (london.desk, london.calendar, london.recipients) == ("london", "XLON", ("london@example.com",))
    assert (london.approval, london.dual_control, london.fills_dir) == ("high", True, "/drop/london")
    assert (york.desk, york.calendar, york.recipients) == ("new_york", "XNYS", ("york@example.com", "risk@example.com"))
    assert (york.approval, york.dual_control, york.fills_dir) == ("all", False, None)
    assert (str(york.default_limit_usd), str(london.default_limit_usd)) == ("7000.00", "5000.00")
    assert london.sender == york.sender == "run@example.com"


def test_connections_are_read_of_the_desk_that_is_meant(two: pytest.MonkeyPatch) -> None:
    environment = {
        "AIRFLOW_CONN_RISK_WAREHOUSE": "postgres://a:w@localhost:5432/nobodys",
        "AIRFLOW_CONN_RISK_WAREHOUSE_LONDON": "postgres://a:w@localhost:5432/london",
        "AIRFLOW_CONN_SMTP_DEFAULT": "smtp://mail.example.com:25",
    }
    with at_desk("london"):
        assert "dbname=london" in postgres_dsn(environment, WAREHOUSE_CONNECTION)
        assert read_connection(environment, SMTP_CONNECTION).host == "mail.example.com"
    with at_desk("new_york"), pytest.raises(RequestError, match=r"^AIRFLOW_CONN_RISK_WAREHOUSE_NEW_YORK is not set"):
        postgres_dsn(environment, WAREHOUSE_CONNECTION)


def test_nothing_is_read_of_no_desk_where_there_are_several(two: pytest.MonkeyPatch) -> None:
    for asked in (read_settings, exchange, lambda: own_dag(DAILY_DAG), lambda: own_connection("risk_warehouse")):
        with pytest.raises(RequestError, match="RISK_DESKS names london, new_york, and none is chosen: say which"):
            asked()
    with pytest.raises(RequestError, match="tokyo is none of them"), at_desk("tokyo"):
        pass


def test_a_desk_is_unknown_where_there_is_one() -> None:
    with pytest.raises(RequestError, match="There is no desk london: RISK_DESKS is not set"), at_desk("london"):
        pass


@pytest.mark.parametrize("setting", ["fills_dir", "outbound_dir", "owner_dsn", "page_dsn", "recipients"])
def test_a_desk_takes_from_all_nothing_that_is_one_desks_own(two: pytest.MonkeyPatch, setting: str) -> None:
    two.delenv(f"RISK_LONDON_{setting.upper()}", raising=False)
    two.setenv(f"RISK_{setting.upper()}", "postgresql://all:w@localhost/all" if "dsn" in setting else "all@example.com")

    with at_desk("london"), pytest.raises(RequestError) as refused:
        read_settings()

    assert str(refused.value) == (
        f"RISK_LONDON_{setting.upper()} is not set. Desks do not share this setting: set it for the desk london, and "
        f"leave RISK_{setting.upper()} unset."
    )


def test_recipients_are_set_for_each_desk(two: pytest.MonkeyPatch) -> None:
    two.delenv("RISK_NEW_YORK_RECIPIENTS")

    with at_desk("new_york"), pytest.raises(RequestError, match="RISK_NEW_YORK_RECIPIENTS is not set"):
        read_settings()
    with at_desk("london"):
        assert read_settings().recipients == ("london@example.com",)


def test_two_desks_do_not_share_a_folder_unnoticed(two: pytest.MonkeyPatch) -> None:
    two.setenv("RISK_LONDON_OUTBOUND_DIR", "/limits")
    two.setenv("RISK_NEW_YORK_OUTBOUND_DIR", "/limits")

    with (
        at_desk("london"),
        pytest.raises(
            RequestError, match="RISK_LONDON_OUTBOUND_DIR and RISK_NEW_YORK_OUTBOUND_DIR have the same value"
        ),
    ):
        read_settings()


def test_an_error_names_the_variable_that_counts(two: pytest.MonkeyPatch) -> None:
    two.setenv("RISK_LONDON_APPROVAL", "some")
    two.setenv("RISK_SCHEDULE", "daily")

    with at_desk("london"), pytest.raises(RequestError) as refused:
        read_settings()

    assert "RISK_LONDON_APPROVAL=some is not allowed" in str(refused.value)
    assert "RISK_SCHEDULE=daily is not allowed" in str(refused.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("London", "RISK_DESKS=London is not allowed"),
        ("new-york", "is not allowed"),
        ("1st", "is not allowed"),
        ("a,b,a", "RISK_DESKS=a,b,a is not allowed"),
        ("x" * 31, "is not allowed"),
        ("alarm", "must not name a desk alarm: RISK_ALARM_RECIPIENTS already is a setting of all desks"),
        ("us,us_alarm", "must not name a desk us_alarm: RISK_US_ALARM_RECIPIENTS already is a setting of the desk us"),
    ],
)
def test_names_that_could_be_mistaken_are_refused(monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
    monkeypatch.setenv("RISK_DESKS", value)

    with pytest.raises(RequestError, match=said):
        desk_names()


def test_a_dag_says_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # given names of which one ends another's, and one that looks like a part of a DAG's name
    desks = ("a", "b_a", "risk_a", "limits")
    monkeypatch.setenv("RISK_DESKS", ",".join(desks))

    for desk in desks:
        for dag in DAGS:
            with at_desk(desk):
                assert desk_of(own_dag(dag)) == desk
    for foreign in ("daily_risk", "daily_risk_b", "etl_a"):
        with pytest.raises(RequestError, match=f"DAG {foreign} is of no desk: RISK_DESKS names a, b_a"):
            desk_of(foreign)


def test_desks_of_threads_and_of_tasks_of_asyncio_do_not_meet(two: pytest.MonkeyPatch) -> None:
    found: dict[str, str] = {}
    both = threading.Barrier(2)

    def work(name: str) -> None:
        enter_desk_of(f"daily_risk_{name}")
        both.wait()
        found[name] = read_settings().desk

    threads = [threading.Thread(target=work, args=(name,)) for name in ("london", "new_york")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def answer(name: str) -> str:
        with at_desk(name):
            await asyncio.sleep(0)
            # As FastAPI calls what is no coroutine.
            return await asyncio.to_thread(current_desk)

    async def answers() -> list[str]:
        return list(await asyncio.gather(answer("london"), answer("new_york")))

    assert found == {"london": "london", "new_york": "new_york"}
    assert asyncio.run(answers()) == ["london", "new_york"]
