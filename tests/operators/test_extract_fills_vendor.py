"""The vendor as the source of a run: when it is asked, what a morning does without it, and what nobody gets to see."""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from airflow.sdk.exceptions import AirflowRescheduleException
from psycopg2.extensions import parse_dsn

from risk.core.errors import ConnectionLostError, RefusalError
from risk.core.warehouse import Connection
from risk.ingest.propreports.client import Endpoint, RateLimiter, Timeouts
from risk.operators.extract_fills import ExtractFillsOperator
from tests.drops import write_drop
from tests.vendor_server import PASSWORD, USER, Fault, Vendor, account, fill, instead, serving

WEDNESDAY, THURSDAY = dt.date(2025, 8, 13), dt.date(2025, 8, 14)
BEFORE_DEADLINE = dt.datetime(2025, 8, 15, 12, 13, tzinfo=dt.UTC)  # Friday 08:13 New York
DEADLINE = dt.datetime(2025, 8, 15, 12, 15, tzinfo=dt.UTC)


@pytest.fixture
def vendor() -> Vendor:
    """Give a vendor that has posted both traders' Wednesday and the first one's Thursday."""
    wednesday = [fill(number, WEDNESDAY, name) for number in (1, 2) for name in ("NET001", "NET002")]
    fills = {WEDNESDAY: wednesday, THURSDAY: [fill(1, THURSDAY)]}
    return Vendor(accounts=[account(11, "NET001"), account(12, "NET002")], fills=fills)


@pytest.fixture(autouse=True)
def endpoint(vendor: Vendor, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Name vendor and warehouse in the environment, as an installation does."""
    part = parse_dsn(warehouse_dsn)
    uri = f"postgres://{part['user']}:{part['password']}@{part['host']}:{part['port']}/{part['dbname']}"
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", uri)
    monkeypatch.setenv("RISK_SCRATCH_DIR", str(tmp_path / "scratch"))
    monkeypatch.setenv("RISK_VENDOR_SINCE", str(WEDNESDAY))
    monkeypatch.setenv("RISK_VENDOR_REPORT", "none")
    monkeypatch.setattr("risk.ingest.propreports.client.Timeouts", lambda: Timeouts(2, 2, 5, attempts=1))
    monkeypatch.setattr("risk.ingest.propreports.load.RateLimiter", lambda: RateLimiter(1000, 0.0))
    monkeypatch.setattr("risk.ingest.propreports.load._clock", lambda _connection: lambda: dt.datetime.now(dt.UTC))
    with serving(vendor) as endpoint:
        parts = urlsplit(endpoint.url)
        given = {"conn_type": "http", "host": parts.hostname, "port": parts.port, "login": USER, "password": PASSWORD}
        monkeypatch.setenv("AIRFLOW_CONN_RISK_VENDOR", json.dumps(given))
        yield endpoint


def execute(fills: str = "", run_type: str = "scheduled") -> dict[str, Any]:
    dag_run = SimpleNamespace(
        run_type=run_type,
        data_interval_start=dt.datetime(2025, 8, 14, tzinfo=dt.UTC),
        run_after=dt.datetime(2025, 8, 15, 11, tzinfo=dt.UTC),
        run_id=f"{run_type}__1",
        conf=None,
    )
    operator = ExtractFillsOperator(
        task_id="extract_fills", session_date=str(THURSDAY), fills=fills, as_of="", history=""
    )
    return operator.execute({"dag_run": dag_run, "dag": SimpleNamespace(params={})})


def out_of_reach() -> deque[Fault | None]:
    return deque([instead(503)] * 10)


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_asks_the_vendor_gently_until_the_awaited_account_is_posted(
    connection: Connection, vendor: Vendor
) -> None:
    with pytest.raises(AirflowRescheduleException) as caught:
        execute()
    vendor.asked.clear()
    with pytest.raises(AirflowRescheduleException):
        execute()
    asked_again = vendor.actions()
    vendor.fills[THURSDAY].append(fill(2, THURSDAY, "NET002"))

    answer = execute()

    assert caught.value.reschedule_date == DEADLINE
    assert asked_again == ["login", "accounts", "fills", "logout"]
    assert (answer["session_date"], answer["fill_count"]) == ("2025-08-14", 1)  # only NET002's delivery is new


@time_machine.travel(DEADLINE, tick=False)
def test_run_takes_a_named_folder_in_place_of_the_vendor(
    connection: Connection, vendor: Vendor, tmp_path: Path
) -> None:
    (tmp_path / "drop").mkdir()

    answer = execute(str(write_drop(tmp_path / "drop", THURSDAY, {"NET009": 2})), "manual")

    assert (answer["fill_count"], vendor.asked) == (2, [])


@time_machine.travel(BEFORE_DEADLINE, tick=False)
def test_scheduled_run_waits_for_a_vendor_that_is_out_of_reach(connection: Connection, vendor: Vendor) -> None:
    vendor.faults = out_of_reach()

    with pytest.raises(AirflowRescheduleException):
        execute()
    with pytest.raises(ConnectionLostError, match="does not answer action login: HTTP 503"):
        execute(run_type="manual")


def test_scheduled_run_goes_on_at_the_deadline_with_what_the_vendor_said_before(
    connection: Connection, vendor: Vendor
) -> None:
    with time_machine.travel(BEFORE_DEADLINE, tick=False), pytest.raises(AirflowRescheduleException):
        execute()
    vendor.faults = out_of_reach()

    with time_machine.travel(DEADLINE, tick=False):
        answer = execute()

    assert (answer["session_date"], answer["fill_count"]) == ("2025-08-14", 0)


@time_machine.travel(DEADLINE, tick=False)
def test_scheduled_run_fails_at_the_deadline_when_the_vendor_never_answered(
    connection: Connection, vendor: Vendor
) -> None:
    vendor.faults = out_of_reach()

    with pytest.raises(ConnectionLostError):
        execute()


@time_machine.travel(DEADLINE, tick=False)
def test_run_shows_no_secret_in_its_result_its_log_or_its_error(
    connection: Connection, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = [json.dumps(execute())]
    vendor.faults = deque([None, instead(500, "Closed.")])
    with pytest.raises(RefusalError) as caught:
        execute()
    texts.append("".join(traceback.format_exception(caught.value)))
    texts += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]

    assert len(vendor.issued) == 2
    for secret in (PASSWORD, USER, *vendor.issued):
        assert not [text for text in texts if secret in text]
