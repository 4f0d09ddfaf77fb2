"""The gauges of a morning: instants that know holidays and daylight saving, counts, and no name of a trader."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from risk.core.runs import read_run
from risk.core.warehouse import Connection, writing
from risk.limits.publish import publish
from risk.report.gauges import limits_gauges, report_gauges
from tests.approval_desks import MORNING, opened, reported
from tests.report_desks import insert, open_run
from tests.unit.test_ops import documented_gauges

SENT_AT = dt.datetime(2025, 8, 18, 11, 5, tzinfo=dt.UTC)


def test_gauges_of_a_report_count_traders_and_recipients_and_say_what_is_due_next(connection: Connection) -> None:
    run = reported(connection, 1, NET001="0.60", NET002="0.40", NET003="0.20", NET004="0.00")
    for name, sent_at in (("a", SENT_AT), ("b", SENT_AT + dt.timedelta(minutes=1)), ("c", None)):
        insert(connection, "report_deliveries", run_id=run.run_id, recipient=name, message_id=name, sent_at=sent_at)

    gauges = report_gauges(connection, run)

    assert gauges == {
        "report.sent_timestamp": SENT_AT.timestamp(),
        # 09:30 New York is 13:30 UTC in August
        "report.effective_session_timestamp": dt.datetime(2025, 8, 18, 13, 30, tzinfo=dt.UTC).timestamp(),
        "report.next_due_timestamp": dt.datetime(2025, 8, 19, 12, 30, tzinfo=dt.UTC).timestamp(),
        "report.recipients": 2,
        "report.recipients_without": 1,
        "report.limit_breaches": 0,
        "report.high_risk_traders": 2,
        "report.moderate_risk_traders": 1,
        "report.low_risk_traders": 1,
        "limits.due_timestamp": 0.0,
    }

    publication = opened(connection, run, at=MORNING)
    # five minutes after decisions are closed at 09:00
    due = dt.datetime(2025, 8, 18, 9, 5, tzinfo=ZoneInfo("America/New_York"))
    assert report_gauges(connection, run)["limits.due_timestamp"] == due.timestamp()

    before = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    publish(connection, publication, None)
    in_force = limits_gauges(connection, publication)
    assert in_force["limits.in_force"] == 4
    assert in_force["limits.published_timestamp"] > before.timestamp()
    # and these are the ones that the documentation, the dashboard and the rules speak of
    sent = {f"airflow_risk_{name.replace('.', '_')}" for name in gauges | in_force}
    assert sent == documented_gauges()


@pytest.mark.parametrize(
    ("effective", "due"),
    [
        # Thanksgiving is no session: after Wednesday comes Friday
        ("2025-11-26", dt.datetime(2025, 11, 28, 13, 30, tzinfo=dt.UTC)),
        # daylight saving ends on 2025-11-02: the same time of day is an hour later in UTC
        ("2025-10-31", dt.datetime(2025, 11, 3, 13, 30, tzinfo=dt.UTC)),
        ("2025-10-30", dt.datetime(2025, 10, 31, 12, 30, tzinfo=dt.UTC)),
    ],
)
def test_next_report_is_due_on_the_next_session_by_the_clock_of_new_york(
    connection: Connection, effective: str, due: dt.datetime
) -> None:
    run = open_run(connection)
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update runs set effective_session = %s where run_id = %s", (effective, run.run_id))

    gauges = report_gauges(connection, read_run(connection, run.run_id))

    assert gauges["report.next_due_timestamp"] == due.timestamp()
