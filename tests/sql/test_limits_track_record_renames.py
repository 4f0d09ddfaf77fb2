"""The track record after renames and merges: past recommendations follow the person."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.approvals import (
    APPROVED,
    AirflowUser,
    ApprovalPolicy,
    open_publication,
)
from risk.limits.publish import publish
from tests.approval_desks import after_deadline, answer
from tests.track_record_desks import MON, TUE, deliver, entries, fill, rename, report, update_record


def decided(connection: Connection) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, published_limit_usd, decision from decided_cut_outcomes('infinity', 'infinity')"
        )
        return cursor.fetchall()


def approve(connection: Connection, reported: Run, *account_ids: str) -> None:
    """Publish a run's limits as recommended, approved for some accounts."""
    far = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    publication = open_publication(connection, reported, ApprovalPolicy("all", False), far)
    for account_id in account_ids:
        answer(connection, publication, account_id, APPROVED, AirflowUser("1", "ann"))
    publish(connection, after_deadline(connection, publication), None)


def test_record_of_a_renamed_account_follows_the_person(connection: Connection) -> None:
    # given: the outcome of OLD1 for Monday is known
    reported = report(connection, MON, "0.40", accounts=["OLD1"])
    approve(connection, reported, "OLD1")
    deliver(connection, [fill(MON, 1, "B", "100", "50.00"), fill(MON, 2, "S", "100", "10.00")], "OLD1")
    update_record(connection, MON)
    [before] = entries(connection)

    # when: from Tuesday on the person is NET001
    rename(connection, TUE, "OLD1")
    update_record(connection, MON)

    # then
    [after] = entries(connection)
    assert before["account_id"] == "OLD1"
    assert after == {**before, "account_id": "NET001"}
    assert decided(connection) == [("NET001", Decimal(3000), "followed")]


def test_recommendation_for_the_day_of_a_rename_is_the_persons(connection: Connection) -> None:
    report(connection, MON, "0.40", accounts=["OLD1"])
    rename(connection, MON, "OLD1")
    deliver(connection, [fill(MON, 1, "B", "100", "50.00"), fill(MON, 2, "S", "100", "10.00")])

    update_record(connection, MON)

    assert [found["account_id"] for found in entries(connection)] == ["NET001"]


def test_recommendations_for_merged_accounts_count_in_sum(connection: Connection) -> None:
    reported = report(connection, MON, "0.40", accounts=["NET001", "OLD1"])
    approve(connection, reported, "NET001", "OLD1")
    for account_id in ("NET001", "OLD1"):
        deliver(connection, [fill(MON, 1, "B", "100", "50.00"), fill(MON, 2, "S", "100", "10.00")], account_id)
    update_record(connection, MON)
    assert [found["account_id"] for found in entries(connection)] == ["NET001", "OLD1"]

    rename(connection, TUE, "OLD1")
    update_record(connection, MON)

    # Two limits of 5,000 less 40 %, and two losses of 4,000.
    [found] = entries(connection)
    limits = (found["base_limit_usd"], found["cut_ratio"], found["limit_usd"])
    assert limits == (Decimal(10000), Decimal("0.40"), Decimal(6000))
    assert (found["account_id"], found["close_usd"]) == ("NET001", Decimal(-8000))
    assert decided(connection) == [("NET001", Decimal(6000), "followed")]
