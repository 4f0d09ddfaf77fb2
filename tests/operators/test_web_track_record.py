"""The page of the track record: what past cuts were worth, and what it says where nothing is known."""

from __future__ import annotations

import datetime as dt
from typing import Any

from risk.core.warehouse import Connection
from risk.limits.approvals import (
    APPROVED,
    AirflowUser,
    ApprovalPolicy,
    open_publication,
)
from risk.limits.publish import publish
from tests.approval_desks import answer as approve
from tests.operators.web_client import figures, words
from tests.track_record_desks import MON, TUE, deliver, fill, report, update_record

FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def test_page_says_that_there_is_no_track_record_yet(client: Any) -> None:
    assert "No track record yet" in words(client.get("/track-record"))


def test_session_without_a_track_record_is_not_found(client: Any) -> None:
    answer = client.get("/track-record/2025-08-04")

    assert answer.status_code == 404
    assert "Session 2025-08-04 has no track record" in words(answer)


def test_track_record_shows_totals_controls_and_every_recommendation(client: Any, connection: Connection) -> None:
    approved = report(connection, MON, "0.40")
    publication = open_publication(connection, approved, ApprovalPolicy("all", False), FAR)
    approve(connection, publication, "NET001", APPROVED, AirflowUser("1", "ann"))
    publish(connection, publication, None)
    deliver(connection, [fill(MON, 1, "B", "1000", "10.00"), fill(MON, 2, "S", "1000", "6.90")])
    update_record(connection, MON)
    report(connection, TUE, "0.60")
    deliver(connection, [fill(TUE, 1, "B", "1000", "10.00"), fill(TUE, 2, "S", "1000", "4.00")])
    update_record(connection, TUE)

    answer = client.get("/track-record")

    # Monday: -3,100, under 3,000 stopped there and 150 more. Tuesday: -6,000 and 250 more under 5,000; the same mark
    # and 100 more under 2,000: 150 prevented. Nobody else could have been cut.
    shown = words(answer)
    assert "No evidence of benefit yet: 2 sessions" in shown
    assert "As recommended +$150.00 -$150.00 $0.00 too few sessions" in shown
    assert "Everybody by 50.00%" in shown
    assert "2025-08-04 NET001 40% $3,000 followed $3,000 -$3,100.00 -$3,250.00 -$150.00 before the open" in shown
    assert "2025-08-05 NET001 60% $2,000 not published - -$6,250.00 -$6,100.00 +$150.00 before the open" in shown
    assert "NET001 2 2 50% +$150.00 -$150.00 $0.00" in shown
    assert "followed 1 1 -$150.00" in shown
    (drawn,) = figures(answer)
    assert {trace["name"]: trace["y"] for trace in drawn["data"]}["Net"] == [-150.0, 0.0]
    assert "losses prevented +$150, gains forgone -$150, net $0" in shown


def test_track_record_can_be_looked_up_as_a_session_knew_it(client: Any, connection: Connection) -> None:
    for day in (MON, TUE):
        report(connection, day, "0.40")
        deliver(connection, [fill(day, 1, "B", "10", "10.00"), fill(day, 2, "S", "10", "9.00")])
        update_record(connection, day)

    assert "for 1 session." in words(client.get("/track-record/2025-08-04"))
    assert "for 2 sessions." in words(client.get("/track-record/2025-08-05"))
    assert "for 2 sessions." in words(client.get("/track-record"))


def test_track_record_shows_as_many_rows_as_asked_for(client: Any, connection: Connection) -> None:
    for day in (MON, TUE):
        report(connection, day, "0.40")
        deliver(connection, [fill(day, 1, "B", "10", "10.00"), fill(day, 2, "S", "10", "9.00")])
        update_record(connection, day)

    few, everything = words(client.get("/track-record?rows=1")), words(client.get("/track-record"))

    assert ("2025-08-04 NET001" in few, "Show all" in few) == (False, True)
    assert ("2025-08-04 NET001" in everything, "Show all" in everything) == (True, False)


def test_trader_shows_what_a_cut_was_worth(client: Any, connection: Connection) -> None:
    report(connection, MON, "0.40")
    deliver(connection, [fill(MON, 1, "B", "1000", "10.00"), fill(MON, 2, "S", "1000", "6.90")])
    update_record(connection, MON)

    assert "2025-08-04 HIGH 40% $3,000 not published -$150.00" in words(client.get("/traders/NET001"))
