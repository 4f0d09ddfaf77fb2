"""Whether the trading platform has the limit in force: by its own file, or by the person who entered it there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from risk.core.calendar import day_start
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.limits.approvals import AirflowUser
from risk.limits.confirmations import (
    CONFIRMED,
    DIFFERENT,
    UNCONFIRMED,
    enter_platform_limits,
    platform_sentences,
    read_confirmations,
)
from risk.report.build_facts import build_facts
from risk.report.doctor import check_platform_limits
from tests.report_desks import AS_OF, insert, open_run, recommend
from tests.track_record_desks import MON, TUE, report

ANN = AirflowUser("1", "Ann")
FILLS = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
LATER = day_start(TUE) + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def mailed(connection: Connection) -> None:
    """Mail a limit of 3,000 on Monday morning."""
    run = report(connection, MON, "0.40")
    sent = {"message_id": "<1@desk>", "recipient": "a@desk.example", "sent_at": day_start(MON) + dt.timedelta(hours=7)}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **sent)


def state(connection: Connection, limit: int, recorded_at: dt.datetime) -> None:
    insert(
        connection, "platform_limits", account_id="NET001", limit_usd=limit, user_id="1", user_name="Ann",
        recorded_at=recorded_at,
    )  # fmt: skip


def found(connection: Connection, instant: dt.datetime) -> str:
    return {one.account_id: one.state for one in read_confirmations(connection, instant)}.get("NET001", UNCONFIRMED)


@pytest.mark.parametrize(
    ("limit", "hour", "expected"),
    [
        # 5,000 until Monday 07:00, then 3,000: a statement says nothing of a limit that took effect after it.
        (3000, 8, CONFIRMED),
        (5000, 8, DIFFERENT),
        (5000, 6, UNCONFIRMED),
        (3000, 6, UNCONFIRMED),
    ],
)
def test_statement_holds_until_another_limit_takes_effect(
    connection: Connection, limit: int, hour: int, expected: str
) -> None:
    assert found(connection, LATER) == UNCONFIRMED
    state(connection, limit, day_start(MON) + dt.timedelta(hours=hour))

    assert found(connection, LATER) == expected
    assert found(connection, LATER + dt.timedelta(days=31)) == UNCONFIRMED
    # What is known at an instant is what had been recorded by then.
    assert found(connection, day_start(MON) + dt.timedelta(hours=hour - 1)) == UNCONFIRMED


def test_newest_statement_counts_and_mail_and_doctor_name_what_the_platform_does_not_have(
    connection: Connection,
) -> None:
    assert platform_sentences(connection, LATER, ["NET001"]) == []
    assert list(check_platform_limits(connection, LATER)) == []
    state(connection, 5000, day_start(MON) + dt.timedelta(hours=8))

    [sentence] = platform_sentences(connection, LATER, ["NET001"])
    [diagnosis] = check_platform_limits(connection, LATER)

    assert sentence == "The trading platform has other limits: NET001 $5,000 (in force $3,000). Correct them there."
    assert (diagnosis.is_healthy, diagnosis.sentence) == (False, sentence)
    assert platform_sentences(connection, LATER, ["NET002"]) == []
    state(connection, 3000, day_start(MON) + dt.timedelta(hours=9))
    assert platform_sentences(connection, LATER, ["NET001"]) == []


def test_report_warns_of_a_limit_that_is_not_confirmed(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.40")
    state(connection, 5000, day_start(MON) + dt.timedelta(hours=6))

    messages = [warning.message for warning in build_facts(connection, run).warnings if warning.kind == "platform"]

    [message] = messages
    assert message.startswith("Limits not confirmed on the trading platform: NET001 $3,000. Check them there")
    assert run.as_of == AS_OF


def test_file_of_the_platform_confirms_and_is_read_once(connection: Connection, tmp_path: Path) -> None:
    # given: the platform's file of today, with a row that is not readable
    (tmp_path / "fills.csv").write_text(f"{FILLS}\n{MON:%m/%d/%Y} 09:45:00,NET001,B,100,XYZ,10,0,1\n")
    today = dt.datetime.now(exchange_zone()).date()
    lines = ["Date,Account,Limit", f"{today},NET001,3000.00", f"{today},NET002,-1"]
    (tmp_path / "limits_in_force.csv").write_text("\n".join(lines) + "\n")

    for _ in range(2):
        load_drop(connection, tmp_path, MON, Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id, limit_usd, stated_for, file_name from platform_limits")
        assert cursor.fetchall() == [("NET001", Decimal(3000), today, "limits_in_force.csv")]
        cursor.execute("select reason from fill_rejects")
        [[reason]] = cursor.fetchall()
    assert "limit '-1' is no amount in whole cents, at least 0" in reason
    assert found(connection, dt.datetime.now(dt.UTC)) == CONFIRMED


def test_limit_that_is_no_longer_in_force_is_not_confirmed(connection: Connection) -> None:
    enter_platform_limits(connection, {"NET001": "3000.00"}, ANN)
    assert found(connection, dt.datetime.now(dt.UTC)) == CONFIRMED

    for shown in ({"NET001": "5000.00"}, {"NET001": "3000.00", "NOBODY": "1.00"}, {}):
        with pytest.raises(RequestError, match=r"no longer|No limit is ticked"):
            enter_platform_limits(connection, shown, ANN)
