"""The vendor's API loaded into a real Postgres: whole sessions only, once, and what an empty answer means."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.checks.run import check_fills
from risk.core.errors import ConnectionLostError, InputError, QualityError, RefusalError
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import Load
from risk.ingest.poll import load_or_wait, missing_accounts
from risk.ingest.propreports.client import Endpoint, RateLimiter, Timeouts
from risk.ingest.propreports.load import load_vendor
from tests.vendor_server import (
    PASSWORD,
    USER,
    Fault,
    Reply,
    Vendor,
    account,
    fill,
    instead,
    rewritten,
    serving,
)

WEDNESDAY, THURSDAY, FRIDAY = dt.date(2025, 8, 13), dt.date(2025, 8, 14), dt.date(2025, 8, 15)
SATURDAY_MORNING = dt.datetime(2025, 8, 16, 11, tzinfo=dt.UTC)  # 15 hours after Friday's close
MONDAY_MORNING = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)
HURRY = Timeouts(connect_s=2, read_s=2, answer_s=5, attempts=2, backoff_s=0.01)


@pytest.fixture
def vendor() -> Vendor:
    """Give a vendor with three days of one trader, a second one who pauses, and accounts nobody waits for."""
    return Vendor(
        accounts=[
            account(11, "NET001"),
            account(12, "NET002"),
            account(13, "NET003", first="", last=""),
            account(14, "NET001_OLD", last="01/31/2025"),
            account(15, "<b>odd</b>"),
        ],
        fills={day: [fill(1, day), fill(2, day, side="S")] for day in (WEDNESDAY, THURSDAY, FRIDAY)},
    )


@pytest.fixture
def endpoint(vendor: Vendor) -> Iterator[Endpoint]:
    """Serve that vendor."""
    with serving(vendor) as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the settings of a desk that asks from Wednesday on and has its tasks' folders in a folder of the test."""
    monkeypatch.setenv("RISK_SCRATCH_DIR", str(tmp_path / "scratch"))
    monkeypatch.setenv("RISK_VENDOR_SINCE", str(WEDNESDAY))
    return tmp_path / "scratch"


def load(
    connection: Connection, endpoint: Endpoint, session: dt.date = FRIDAY, now: dt.datetime = MONDAY_MORNING
) -> Load:
    limiter = RateLimiter(limit=1000, span_s=0.0)
    return load_vendor(connection, endpoint, session, Settings(), limiter=limiter, timeouts=HURRY, clock=lambda: now)


def fetch(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def states(connection: Connection) -> dict[str, str]:
    query = "select account_id, state from delivery_states('2025-08-15', clock_timestamp(), 30, '_OLD')"
    return dict(fetch(connection, query))


def fill_counts(connection: Connection) -> dict[dt.date, int]:
    query = "select session_date, sum(loaded_count) from current_deliveries(clock_timestamp()) group by 1 order by 1"
    return {day: int(count) for day, count in fetch(connection, query)}


def asked_days(vendor: Vendor) -> list[str]:
    return [form["endDate"] for form in vendor.asked if form["action"] == "fills"]


class Spoiling:
    """Spoils the answer to every request of one day's executions until it is asked to stop."""

    def __init__(self, vendor: Vendor, day: dt.date, fault: Fault) -> None:
        self.vendor, self.day, self.fault = vendor, day, fault
        vendor.faults = deque([self])

    def __call__(self, form: dict[str, str], reply: Reply) -> Reply:
        self.vendor.faults.append(self)
        is_meant = form["action"] == "fills" and form["endDate"] == str(self.day)
        return self.fault(form, reply) if is_meant else reply


def promises_more(_form: dict[str, str], reply: Reply) -> Reply:
    reply.body = reply.body.replace("Page 1/1", "Page 1/3")
    return reply


def judged(connection: Connection, dsn: str, loaded: Load) -> dict[tuple[str, str], str]:
    """Open a run on a load, check it, and return the findings about the vendor's answers."""
    run = open_run(connection, FRIDAY, loaded.load_id, "manual")
    with contextlib.suppress(QualityError):
        check_fills(connection, dsn, run)
    found = fetch(
        connection,
        "select check_name, severity, message from quality_results"
        f" where run_id = {run.run_id} and not has_passed and check_name like 'vendor_response%'",
    )
    return {(name, severity): message for name, severity, message in found}


def test_load_brings_each_session_since_the_first_day_exactly(
    connection: Connection, vendor: Vendor, endpoint: Endpoint, scratch: Path
) -> None:
    vendor.page_size = 1

    loaded = load(connection, endpoint)

    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2, FRIDAY: 2}
    assert (loaded.fill_count, loaded.rejected_count, loaded.quarantined) == (6, 0, ())
    assert fetch(
        connection, "select distinct fills.side, price, fees_usd, fill_key from fills where session_date = '2025-08-15'"
    ) == [("B", Decimal("10.5"), Decimal("1.25"), "1"), ("S", Decimal("10.5"), Decimal("1.25"), "2")]
    assert fetch(connection, "select session_date, page_count, row_count, finding from vendor_answers order by 1") == [
        (day, 2, 2, None) for day in (WEDNESDAY, THURSDAY, FRIDAY)
    ]
    assert vendor.asked[-1]["action"] == "logout"
    # without it the vendor cuts an answer to its first page and does not say so
    assert all("page" in form for form in vendor.asked if form["action"] not in ("login", "logout"))
    assert list(scratch.iterdir()) == []  # no page is left
    assert fetch(connection, "select count(*) from vendor_pages") == [(0,)]


def test_load_takes_silence_about_an_account_for_an_answer_by_the_instant_of_the_question(
    connection: Connection, endpoint: Endpoint
) -> None:
    load(connection, endpoint, now=SATURDAY_MORNING)
    early = states(connection)
    load(connection, endpoint, now=MONDAY_MORNING)

    # Saturday 11:00 UTC is before Friday's close (20:00 UTC) + 24 h, Monday 11:00 is after it; the account that never
    # traded, the one that stopped in January and the one whose name is not allowed are not spoken of
    assert early == {"NET001": "delivered", "NET002": "not posted"}
    assert states(connection) == {"NET001": "delivered", "NET002": "no trades"}


def test_load_knows_the_vendors_list_of_accounts(connection: Connection, vendor: Vendor, endpoint: Endpoint) -> None:
    load(connection, endpoint)
    vendor.accounts[0] = account(11, "NET001", last="08/18/2025")
    load(connection, endpoint)

    stated = (
        "select account_id, first_traded, last_traded from current_accounts('2025-08-18', clock_timestamp()) order by 1"
    )
    assert fetch(connection, stated) == [
        ("NET001", dt.date(2025, 1, 2), dt.date(2025, 8, 18)),
        ("NET001_OLD", dt.date(2025, 1, 2), dt.date(2025, 1, 31)),
        ("NET002", dt.date(2025, 1, 2), dt.date(2025, 8, 15)),
        ("NET003", None, None),
    ]
    assert fetch(connection, "select count(*) from accounts where account_id = 'NET002'") == [(1,)]


def test_load_again_changes_no_delivery_and_asks_for_no_more_than_it_must(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    load(connection, endpoint)
    deliveries = fetch(connection, "select * from deliveries order by 1")
    vendor.asked.clear()

    soon = load(connection, endpoint, now=MONDAY_MORNING + dt.timedelta(minutes=3))
    asked_soon = asked_days(vendor)
    later = load(connection, endpoint, now=MONDAY_MORNING + dt.timedelta(hours=7))

    assert fetch(connection, "select * from deliveries order by 1") == deliveries
    assert (soon.fill_count, later.fill_count) == (0, 0)
    assert asked_soon == ["2025-08-15"]
    assert asked_days(vendor)[1:] == ["2025-08-13", "2025-08-14", "2025-08-15"]


def test_load_replaces_a_session_that_the_vendor_restates(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    load(connection, endpoint, THURSDAY, dt.datetime(2025, 8, 15, 11, tzinfo=dt.UTC))
    vendor.fills[THURSDAY] = [fill(1, THURSDAY), fill(2, THURSDAY, side="S", price="10.51")]

    load(connection, endpoint)

    assert fetch(
        connection,
        "select price from fills join current_deliveries(clock_timestamp()) using (delivery_id)"
        " where fills.session_date = '2025-08-14' order by line_number",
    ) == [(Decimal("10.5"),), (Decimal("10.51"),)]


def test_load_takes_executions_out_of_the_books_that_the_vendor_has_taken_back(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    vendor.fills[FRIDAY].append(fill(3, FRIDAY, account="NET003"))
    load(connection, endpoint, now=SATURDAY_MORNING)
    vendor.fills[FRIDAY].pop()  # the only ones of an account that now counts as never having traded

    load(connection, endpoint)

    assert states(connection)["NET003"] == "no trades"
    assert fill_counts(connection)[FRIDAY] == 2


def test_load_makes_up_for_sessions_that_were_never_asked_for(
    connection: Connection, vendor: Vendor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(connection, endpoint, WEDNESDAY, dt.datetime(2025, 8, 14, 11, tzinfo=dt.UTC))
    monkeypatch.delenv("RISK_VENDOR_SINCE")  # from the first session that was asked for
    vendor.asked.clear()

    load(connection, endpoint, FRIDAY)

    assert asked_days(vendor) == ["2025-08-13", "2025-08-14", "2025-08-15"]


def test_first_load_asks_for_a_year_where_no_day_is_named(
    connection: Connection, vendor: Vendor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RISK_VENDOR_SINCE")
    monkeypatch.setattr("risk.ingest.propreports.load.VENDOR_HISTORY_SESSIONS", 3)

    load(connection, endpoint)

    assert asked_days(vendor) == ["2025-08-13", "2025-08-14", "2025-08-15"]


def test_load_counts_executions_of_a_weekend_with_the_session_after_it(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    vendor.fills[dt.date(2025, 8, 17)] = [fill(1, dt.date(2025, 8, 17))]

    load(connection, endpoint, dt.date(2025, 8, 18), dt.datetime(2025, 8, 19, 11, tzinfo=dt.UTC))

    assert fill_counts(connection)[dt.date(2025, 8, 18)] == 1


def test_load_takes_an_account_that_the_list_does_not_name_yet(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    vendor.fills[FRIDAY].append(fill(3, FRIDAY, account="NET099"))
    vendor.fills[FRIDAY].append(fill(4, FRIDAY, account="<b>odd</b>"))

    loaded = load(connection, endpoint)

    assert states(connection)["NET099"] == "delivered"
    assert loaded.quarantined == ()
    ((reason,),) = fetch(connection, "select reason from fill_rejects")
    assert reason.startswith("fills_vendor_2025-08-15.csv line 5, account '<b>odd</b>': the account name '<b>odd</b>'")


def test_interrupted_load_stores_nothing_and_the_next_one_goes_on_elsewhere(
    connection: Connection, vendor: Vendor, endpoint: Endpoint, scratch: Path
) -> None:
    spoiling = Spoiling(vendor, FRIDAY, instead(503))
    with pytest.raises(ConnectionLostError):
        load(connection, endpoint)
    assert list(scratch.iterdir()) == []  # the next one may be on another machine
    stored = fetch(connection, "select (select count(*) from loads), (select count(*) from vendor_answers)")
    spoiling.fault = lambda _form, reply: reply
    vendor.asked.clear()

    load(connection, endpoint, now=MONDAY_MORNING + dt.timedelta(minutes=1))

    assert stored == [(0, 0)]
    assert asked_days(vendor) == ["2025-08-15"]
    assert "accounts" not in vendor.actions()
    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2, FRIDAY: 2}


def test_load_leaves_an_incomplete_session_out_and_the_verdict_names_it_and_what_it_blocks(
    connection: Connection, warehouse_dsn: str, vendor: Vendor, endpoint: Endpoint
) -> None:
    spoiling = Spoiling(vendor, FRIDAY, promises_more)

    first = load(connection, endpoint)

    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2}
    assert missing_accounts(connection, FRIDAY, first) == ["NET001"]  # a scheduled morning waits for it
    message = judged(connection, warehouse_dsn, first)["vendor_response_complete", "fail"]
    assert message.startswith("The vendor's response for 2025-08-15 is incomplete: page 2 was promised")
    assert "so there are no limits" in message

    spoiling.fault = lambda _form, reply: reply
    second = load(connection, endpoint, now=MONDAY_MORNING + dt.timedelta(minutes=3))

    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2, FRIDAY: 2}
    assert judged(connection, warehouse_dsn, second) == {}


def test_incomplete_restatement_leaves_the_books_as_they_were_and_only_warns(
    connection: Connection, warehouse_dsn: str, vendor: Vendor, endpoint: Endpoint
) -> None:
    load(connection, endpoint, now=SATURDAY_MORNING)
    Spoiling(vendor, THURSDAY, promises_more)

    again = load(connection, endpoint)

    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2, FRIDAY: 2}
    (((name, severity), message),) = judged(connection, warehouse_dsn, again).items()
    assert (name, severity) == ("vendor_response_fresh", "warn")
    assert "The books use the last complete response, of 2025-08-16 07:00 New York" in message


def test_session_whose_file_is_refused_counts_as_never_answered(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    spoiling = Spoiling(vendor, FRIDAY, rewritten("CUSIP", "Tariff"))

    drifted = load(connection, endpoint)

    assert fill_counts(connection) == {WEDNESDAY: 2, THURSDAY: 2}
    with pytest.raises(InputError, match=r"fills_vendor_2025-08-15.csv has the unknown column 'Tariff'"):
        load_or_wait(connection, FRIDAY, lambda: drifted, None)
    assert fetch(connection, "select count(*) from vendor_answers where finding like '%Tariff%'") == [(1,)]

    spoiling.fault = lambda _form, reply: reply
    load(connection, endpoint)
    assert fill_counts(connection)[FRIDAY] == 2


def test_refused_login_stores_nothing_and_keeps_no_secret(
    connection: Connection, vendor: Vendor, endpoint: Endpoint, scratch: Path
) -> None:
    with pytest.raises(RefusalError, match=r"refuses action login: 'Invalid user or password\.'\. Correct the Airflow"):
        load(connection, Endpoint(endpoint.url, USER, "wrong"))
    vendor.faults = deque([None, None, instead(500, "Closed.")])
    with pytest.raises(RefusalError, match="Closed"):
        load(connection, endpoint)

    assert fetch(connection, "select count(*) from loads") == [(0,)]
    assert list(scratch.iterdir()) == []
    pages = fetch(connection, "select vendor, question, content from vendor_pages")
    assert {question for _, question, _ in pages} >= {"accounts"}
    for name, _, content in pages:
        for secret in (PASSWORD, USER, *vendor.issued):
            assert secret not in name
            assert secret.encode() not in bytes(content)


def test_load_brings_closing_prices_from_the_file_drop_beside_the_vendor(
    connection: Connection, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marks.csv").write_text("Date,Symbol,Price\n08/15/2025,XYZ,10.7\n", encoding="utf-8")
    (tmp_path / "fills_other.csv").write_text("not looked at", encoding="utf-8")
    monkeypatch.setenv("RISK_FILLS_DIR", str(tmp_path))

    loaded = load(connection, endpoint)

    assert fetch(connection, "select symbol, price from marks") == [("XYZ", Decimal("10.7"))]
    assert loaded.quarantined == ()


def test_load_stores_what_the_vendors_own_books_say_beside_the_executions(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    summary = [
        "Date,Type,Gross,Comm,Net",
        "08/13/2025,Eq,10.00,1.25,8.75",
        '08/14/2025,Eq,"1,000.00",1.25,998.75',
        "08/15/2025,Eq,(3.00),1.25,(4.25)",
        "Equities,,1007.00,3.75,1003.25",
    ]
    vendor.reports["summaryByDate", "11"] = "\n".join(summary)

    load(connection, endpoint)

    # only the account with executions is asked about, once for all days
    assert [form for form in vendor.asked if form["action"] == "report"] == [
        {
            "action": "report",
            "type": "summaryByDate",
            "accountId": "11",
            "startDate": "2025-08-13",
            "endDate": "2025-08-15",
            "page": "1",
        }
    ]
    assert fetch(
        connection,
        "select session_date, account_id, gross_pnl_usd, net_pnl_usd from current_totals(clock_timestamp()) order by 1",
    ) == [
        (WEDNESDAY, "NET001", Decimal("10.00"), Decimal("8.75")),
        (THURSDAY, "NET001", Decimal("1000.00"), Decimal("998.75")),
        (FRIDAY, "NET001", Decimal("-3.00"), Decimal("-4.25")),
    ]


def test_load_goes_on_without_a_report_that_is_refused_or_cannot_be_read(
    connection: Connection, vendor: Vendor, endpoint: Endpoint
) -> None:
    vendor.fills[FRIDAY].append(fill(3, FRIDAY, account="NET002"))
    vendor.reports["summaryByDate", "12"] = "Date,Type,Profit\n08/15/2025,Eq,1.00"

    load(connection, endpoint)

    assert fill_counts(connection)[FRIDAY] == 3
    assert fetch(connection, "select count(*) from totals") == [(0,)]
