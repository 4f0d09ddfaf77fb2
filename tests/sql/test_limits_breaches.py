"""Breaches as items: open from the mail on, closed by a person, removed by a restatement; nothing is deleted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from risk.core.calendar import day_start
from risk.core.errors import RequestError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser
from risk.limits.breaches import (
    CLOSED,
    CLOSING_REASONS,
    OPEN,
    REMOVED,
    REOPENED,
    BreachEntry,
    BreachItem,
    enter,
    read_entries,
    read_item,
    read_items,
    store_breaches,
)
from risk.report.build_facts import build_facts
from risk.report.digest import digest_page
from risk.report.digest_rows import AlertTest
from tests.breach_desks import BROKEN, KEPT, run_session
from tests.report_desks import insert
from tests.sql.daily_rows import new_run
from tests.track_record_desks import MON, TUE, deliver, fill, rename

ANN, BOB = AirflowUser("1", "Ann"), AirflowUser("2", "Bob")


def close(connection: Connection, seen: int | None = None, **changes: Any) -> BreachItem:
    values = {"action": CLOSED, "reason": "traded on", "sentence": "spoke to him", "seen_entry_id": seen, **changes}
    return enter(connection, "NET001", MON, ANN, BreachEntry(**values))


def states(connection: Connection) -> list[tuple[str, dt.date, str]]:
    return [(item.account_id, item.session_date, item.state) for item in read_items(connection)]


def recorded(connection: Connection) -> list[Any]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select is_breach from limit_breaches order by breach_id")
        return [is_breach for (is_breach,) in cursor.fetchall()]


def said(connection: Connection, run: Run) -> list[tuple[str, str]]:
    return [(item.state, item.words) for item in build_facts(connection, run).limit_use.items]


def test_breach_is_open_from_the_mail_of_its_session_until_it_is_closed(connection: Connection) -> None:
    deliver(connection, BROKEN)
    first = run_session(connection)

    assert states(connection) == [("NET001", MON, OPEN)]
    assert read_items(connection, first.as_of) == []
    # Its own report names it with its receipt; the next one as an open item.
    assert said(connection, first) == []
    second = run_session(connection, TUE)
    assert said(connection, second) == [(OPEN, "limit $5,000, down at least $7,000")]

    item = close(connection)

    assert (item.state, item.reason, item.user_name) == (CLOSED, "traded on", "Ann")
    assert item.words == "limit $5,000, down at least $7,000; closed: traded on (spoke to him), Ann"
    assert said(connection, new_run(connection, TUE)) == []
    # A report of the past is built again from what was known.
    assert said(connection, second) == [(OPEN, "limit $5,000, down at least $7,000")]
    # A later report of the same session says that it is closed.
    assert said(connection, new_run(connection, MON)) == [(CLOSED, item.words)]


def test_breach_is_recorded_and_opens_no_item_where_no_report_of_its_session_was_mailed(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection, is_mailed=False)
    deliver(connection, [one._replace(session_date=TUE, executed_at=one.executed_at + TUE_LATER) for one in BROKEN])
    run_session(connection, TUE)

    assert recorded(connection) == [True, True]
    assert states(connection) == [("NET001", TUE, OPEN)]
    with pytest.raises(RequestError, match="NET001 has no breach of 2025-08-04 that an email has named"):
        close(connection)


TUE_LATER = TUE - MON


def test_second_run_and_point_in_time_run_record_nothing_again(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run = run_session(connection)

    run_session(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute("delete from limit_breaches")
        cursor.execute("update runs set is_point_in_time = true where run_id = %s", (run.run_id,))
    past = Run(**{name: getattr(run, name) for name in run.__slots__} | {"is_point_in_time": True})

    assert store_breaches(connection, past) == 0
    assert recorded(connection) == []


def test_later_entry_corrects_and_reopens_and_every_entry_stays(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)

    first = close(connection)
    assert close(connection) == first, "a double click"
    second = close(connection, first.entry_id, reason="data error", sentence="fills were wrong")
    assert second.reason == "data error"
    third = close(connection, second.entry_id, action=REOPENED, reason="", sentence="fills were right")
    assert (third.state, third.reason) == (OPEN, None)

    listed = [(row["action"], row["reason"], row["sentence"]) for row in read_entries(connection, "NET001", MON)]
    assert listed == [
        ("closed", "traded on", "spoke to him"),
        ("closed", "data error", "fills were wrong"),
        ("reopened", None, "fills were right"),
    ]


def test_unusable_entry_stores_nothing(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)
    unusable: list[tuple[dict[str, Any], str]] = [
        ({"reason": "because"}, "'because' is no reason to close a breach: choose limit not set on the platform, "),
        ({"reason": ""}, "'' is no reason"),
        ({"sentence": " \t"}, "A reason is missing: say why in a sentence"),
        ({"sentence": "x" * 501}, "The reason has 501 characters"),
        ({"action": REOPENED}, "The breach of NET001 on 2025-08-04 is open: there is nothing to reopen"),
    ]

    for changes, message in unusable:
        with pytest.raises(RequestError, match=message):
            close(connection, **changes)

    assert read_entries(connection, "NET001", MON) == []


def test_entry_of_somebody_who_has_not_seen_the_newest_one_is_refused(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)
    close(connection)

    with pytest.raises(RequestError, match="Ann has meanwhile closed the breach of NET001 on 2025-08-04: reload"):
        enter(connection, "NET001", MON, BOB, BreachEntry(CLOSED, "other", "agreed", None))


def test_every_reason_of_the_list_can_be_stored(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)

    seen = None
    for reason in CLOSING_REASONS:
        item = close(connection, seen, reason=reason)
        assert item.reason == reason
        seen = item.entry_id


def test_restatement_that_removes_a_closed_breach_says_so_once_and_deletes_nothing(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)
    entry_id = close(connection).entry_id

    deliver(connection, KEPT)
    restating = run_session(connection, TUE)

    size = "limit $5,000, down at least $1,000"
    closed = "it was closed: traded on (spoke to him), Ann"
    assert said(connection, restating) == [(REMOVED, f"no longer a breach since a restatement ({size}); {closed}")]
    assert recorded(connection) == [True, False]
    assert (states(connection), len(read_entries(connection, "NET001", MON))) == ([("NET001", MON, REMOVED)], 1)
    assert said(connection, run_session(connection, TUE)) == []
    with pytest.raises(RequestError, match="is none any more since the books were restated"):
        close(connection, entry_id)

    # Restated back: still closed, and never open by itself.
    deliver(connection, BROKEN)
    run_session(connection, TUE)
    assert (recorded(connection), states(connection)) == ([True, False, True], [("NET001", MON, CLOSED)])


def test_breach_that_a_late_fill_makes_opens_an_item_of_the_mailed_session(connection: Connection) -> None:
    deliver(connection, KEPT)
    run_session(connection)

    deliver(connection, BROKEN)
    late = run_session(connection, TUE)

    assert [state for state, _ in said(connection, late)] == [OPEN]


def test_breach_stays_open_while_the_books_are_incomplete(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)

    deliver(connection, [one._replace(currency="CAD") for one in BROKEN])
    run_session(connection, TUE)

    item = read_item(connection, "NET001", MON)
    assert (item.state, item.is_breach, recorded(connection)) == (OPEN, None, [True])
    assert item.words == "limit $5,000, down at least $7,000; books are incomplete now"


def test_item_follows_a_renamed_account(connection: Connection) -> None:
    deliver(connection, [one._replace(account_id="OLD1") for one in BROKEN], "OLD1")
    run_session(connection)
    enter(connection, "OLD1", MON, ANN, BreachEntry(CLOSED, "other", "agreed", None))

    rename(connection, TUE, "OLD1")
    run_session(connection, TUE)

    assert (states(connection), recorded(connection)) == ([("NET001", MON, CLOSED)], [True])
    assert [row["user_name"] for row in read_entries(connection, "NET001", MON)] == ["Ann"]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "Breach of $5,000"),
        ({"NET001": 5000}, "Breach of $5,000"),
        ({"NET001": 4000}, "The platform had another limit. Breach of $5,000"),
        ({"NET002": 5000}, "Limit not confirmed on the platform. Breach of $5,000"),
    ],
)
def test_breach_under_a_limit_that_the_platform_may_not_have_had_says_so_first(
    connection: Connection, stated: dict[str, int], said: str
) -> None:
    for account_id, limit in stated.items():
        person = {"user_id": "1", "user_name": "Ann", "recorded_at": day_start(MON)}
        insert(connection, "platform_limits", account_id=account_id, limit_usd=limit, **person)
    # What is stated after the breach does not count.
    insert(
        connection, "platform_limits", account_id="NET001", limit_usd=5000, user_id="1", user_name="Ann",
        recorded_at=day_start(TUE),
    )  # fmt: skip
    deliver(connection, BROKEN)

    [breach] = build_facts(connection, run_session(connection)).limit_use.breaches

    assert breach.sentence.startswith(said)


def test_weekly_digest_counts_breaches_hits_and_open_items(connection: Connection) -> None:
    deliver(connection, BROKEN)
    run_session(connection)
    hit = [fill(TUE, 1, "B", "1000", "20.00"), fill(TUE, 9, "S", "1000", "15.00")]
    deliver(connection, hit)
    run_session(connection, TUE)

    def digest() -> str:
        return " ".join(digest_page(connection, TUE, read_settings(), AlertTest(day_start(TUE))).sentences)

    counted = "Limits: 1 breach and 1 other limit hit in 2 trader-days; "
    assert f"{counted}1 open item, the oldest of 2025-08-04 (NET001)." in digest()
    close(connection)
    assert f"{counted}0 open items." in digest()
