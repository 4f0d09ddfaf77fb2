"""The watchdog on real databases and a real mail server: what it finds, and that it is quiet when all is well."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.errors import ConnectionLostError, RequestError
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.doctor import Installation, check_today
from risk.report.incidents import Cause, FailedTask, RunKey, store_failure
from risk.report.mail import SmtpServer, smtp_server_from_uri
from risk.report.session_state import RunDates, todays_problem
from risk.report.watchdog import WatchdogFinding, Watched, notify, read_watched, run_checks
from tests.report_desks import insert, open_run
from tests.smtp_boxes import Box, closed_port, served
from tests.webhook_server import webhook

METADATA = """
create table public.job (job_type text, state text, latest_heartbeat timestamptz);
create table public.dag (dag_id text, is_paused boolean, is_stale boolean, has_import_errors boolean);
create table public.import_error (filename text, stacktrace text);
"""
"""The columns that are asked for; the test with the real scheduler asks the real tables."""


@pytest.fixture
def morning(connection: Connection) -> dt.datetime:
    """Return an instant on the New York date of a session with a delivered report."""
    instant = dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC)
    run = open_run(connection)
    insert(connection, "report_deliveries", run_id=run.run_id, recipient="a", message_id="<a@b>", sent_at=instant)
    with connection, connection.cursor() as cursor:
        cursor.execute(METADATA)
        cursor.execute("insert into dag values ('daily_risk', false, false, false)")
        for job_type in ("SchedulerJob", "DagProcessorJob"):
            cursor.execute("insert into job values (%s, 'running', %s)", (job_type, instant - dt.timedelta(seconds=9)))
    return instant


@pytest.fixture
def watched(warehouse_dsn: str, box: Box) -> Iterator[Watched]:
    """Watch the test's database, which plays both, and a mail server that answers."""
    with served(box) as server:
        yield Watched(warehouse_dsn, warehouse_dsn, server)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_ALARM_RECIPIENTS", "operator@example.test")


def sentences(watched: Watched, instant: dt.datetime) -> list[str]:
    """Run the checks without that of the clocks."""
    return [finding.sentence for finding in run_checks(watched, instant) if "clocks of" not in finding.sentence]


def change(connection: Connection, command: str, *values: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(command, values)


def test_watchdog_finds_nothing_when_the_report_is_out_and_all_answer(watched: Watched, morning: dt.datetime) -> None:
    assert sentences(watched, morning) == []


def test_watchdog_is_quiet_on_a_day_without_a_session_when_everything_is_gone() -> None:
    gone = f"postgresql://a@127.0.0.1:{closed_port()}/a"
    watched = Watched(gone, gone, SmtpServer("127.0.0.1", closed_port()))

    for day in ("2025-07-04", "2025-08-16", "2025-12-25"):
        assert run_checks(watched, dt.datetime.fromisoformat(f"{day}T12:45:00+00:00")) == []


def test_watchdog_checks_the_new_york_date(watched: Watched, morning: dt.datetime) -> None:
    # 02:00 UTC on Tuesday is 22:00 on Monday in New York: Monday's report is meant, and it is out.
    found = sentences(watched, dt.datetime(2025, 8, 19, 2, 0, tzinfo=dt.UTC))

    assert not any("no report" in sentence for sentence in found)


def test_watchdog_says_that_the_report_is_missing_and_why(
    watched: Watched, morning: dt.datetime, connection: Connection
) -> None:
    change(connection, "delete from report_deliveries")
    key, task = RunKey("daily_risk", "r", 0), FailedTask("check_fills", 1, "")
    store_failure(connection, key, task, RunDates(None, None), Cause("QualityError", "Prices are negative."))
    change(connection, "update audit_log set recorded_at = %s", morning)

    (sentence,) = sentences(watched, morning)
    assert sentence == (
        "No limits and no report for 2025-08-18. Until a report arrives, base limits apply: no earlier limits were "
        "emailed or published. Task check_fills failed: Prices are negative."
    )


def test_watchdog_counts_recipients_without_the_report(
    watched: Watched, morning: dt.datetime, connection: Connection
) -> None:
    change(connection, "insert into report_deliveries (run_id, recipient, message_id) values (1, 'b', '<b@b>')")

    (sentence,) = sentences(watched, morning)
    assert sentence == (
        "Limits for 2025-08-18 reached 1 of 2 recipients. Whoever has the email has all of the report; only the other "
        "recipients are without it."
    )


ASKED = """
insert into publications
    (run_id, effective_session, approval_scope, has_dual_control, decision_deadline, is_live, dag_run_id)
values (1, '2025-08-18', 'high', false, %s, true, 'r')
"""


# Rows alone: the database's own checks of decisions are not asked.
PUBLISHED = """
set local session_replication_role = replica;

with decided as (
    insert into limit_decisions (publication_id, account_id, action, limit_usd, reason, user_id, user_name)
    values (1, 'NET001', 'timed_out', 3000, '', '', 'nobody')
    returning decision_id
)

insert into published_limits
    (publication_id, account_id, effective_session, base_limit_usd, recommended_limit_usd, decided_limit_usd,
    limit_usd, reason, decision_id)
select 1, 'NET001', '2025-08-18', 5000, 3000, 3000, 3000, 'as recommended', decision_id from decided
"""


@pytest.mark.parametrize(
    ("asked_until", "found"),
    [
        (None, "Limits for 2025-08-18 are not published: nobody has been asked to approve them."),
        ("2025-08-18 09:00 America/New_York", None),
        ("2025-08-18 08:41 America/New_York", None),
        (
            "2025-08-18 08:39 America/New_York",
            "Limits for 2025-08-18 are not published; approval was asked for until 08:39 New York.",
        ),
    ],
)
def test_watchdog_finds_limits_that_are_not_published(
    watched: Watched, morning: dt.datetime, connection: Connection, asked_until: str | None, found: str | None
) -> None:
    # It is 08:45 New York; publication may follow the deadline within 5 minutes.
    if asked_until is not None:
        change(connection, ASKED, asked_until)
    change(connection, "insert into dag values ('publish_limits', false, false, false)")

    asking = dataclasses.replace(watched, asks_approval=True)

    stands = " Until the limits are published, those entered on the trading platform last apply there."
    assert sentences(asking, morning) == ([] if found is None else [found + stands])
    # Whoever was asked all the same, by a run's parameter, is waited for, too.
    assert sentences(watched, morning) == ([] if found is None or asked_until is None else [found + stands])


def test_watchdog_finds_that_the_limits_of_a_later_report_are_not_published(
    watched: Watched, morning: dt.datetime, connection: Connection
) -> None:
    change(connection, ASKED, "2025-08-18 08:30 America/New_York")
    change(connection, PUBLISHED)
    assert sentences(watched, morning) == []
    open_run(connection, revision=2)
    change(connection, ASKED.replace("values (1", "values (2"), "2025-08-18 08:39 America/New_York")

    (found,) = sentences(watched, morning)
    assert found == (
        "Limits for 2025-08-18 are not published; approval was asked for until 08:39 New York. Until they are, the "
        "earlier ones stay in force, here and on the trading platform."
    )


@pytest.mark.parametrize(
    ("changes", "hour", "problem"),
    [
        ([], 12, ""),
        (["delete from report_deliveries"], 12, ""),  # 08:29 New York: not due yet
        (["delete from report_deliveries"], 13, "No limits and no report for 2025-08-18. Until a report arrives, "),
        (["insert into report_deliveries (run_id, recipient, message_id) values (1, 'b', '<b@b>')"], 13, "Limits for "),
        (["asked 09:00"], 13, ""),  # and 09:29: published 5 minutes late at most
        (["asked 09:00", "published"], 13, ""),
        (["asked 08:39"], 13, "Limits for 2025-08-18 are not published; approval was asked for until 08:39 New York."),
        (["asked 08:39", "published"], 13, ""),
    ],
)
def test_watchdog_doctor_and_page_agree_about_what_is_wrong(
    watched: Watched,
    morning: dt.datetime,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    hour: int,
    problem: str,
) -> None:
    monkeypatch.setenv("RISK_SCHEDULE", "sessions")
    instant = morning.replace(hour=hour, minute=29 if hour == 12 else 4)
    for one in changes:
        if one.startswith("asked"):
            change(connection, ASKED, f"2025-08-18 {one.removeprefix('asked ')} America/New_York")
        else:
            change(connection, PUBLISHED if one == "published" else one)

    doctor = list(check_today(connection, Installation(read_settings(), {}, instant)))
    page = todays_problem(connection, instant, read_settings())

    assert page.startswith(problem)
    assert bool(page) is bool(problem)
    assert [one.sentence.startswith(page) for one in doctor] == [True] * bool(problem)
    if hour == 13:  # the watchdog runs when the report is due
        found = [one.sentence for one in run_checks(watched, instant) if "for 2025-08-18" in one.sentence]
        assert found == [page] * bool(problem)


def test_watchdog_finds_the_publication_paused_where_people_approve(
    watched: Watched, morning: dt.datetime, connection: Connection
) -> None:
    change(connection, ASKED, "2025-08-18 13:00+00")
    change(connection, "insert into dag values ('publish_limits', true, false, false)")

    assert sentences(dataclasses.replace(watched, asks_approval=True), morning) == [
        "DAG publish_limits is paused: nothing runs."
    ]
    assert sentences(watched, morning) == []


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("update dag set is_paused = true", "DAG daily_risk is paused: nothing runs."),
        ("delete from dag", "DAG daily_risk does not exist in Airflow."),
        ("update dag set is_stale = true", "The file of DAG daily_risk is missing."),
        ("delete from job where job_type = 'SchedulerJob'", "Airflow's scheduler has never run."),
        (
            "update job set latest_heartbeat = '2025-08-18 12:00:00+00' where job_type = 'SchedulerJob'",
            "Airflow's scheduler has had no heartbeat since 2025-08-18 12:00:00 UTC.",
        ),
        (
            "update job set state = 'failed' where job_type = 'DagProcessorJob'",
            "Airflow's dag-processor has had no heartbeat since 2025-08-18 12:44:51 UTC.",
        ),
        (
            "insert into import_error values ('daily_risk.py', E'Traceback\\nValueError: a typo\\n')",
            "Airflow cannot parse the DAG file daily_risk.py: ValueError: a typo",
        ),
    ],
)
def test_watchdog_finds_what_keeps_airflow_from_running(
    watched: Watched, morning: dt.datetime, connection: Connection, command: str, sentence: str
) -> None:
    change(connection, command)

    assert sentences(watched, morning) == [sentence]


def test_watchdog_finds_an_unreachable_warehouse_and_checks_the_others(watched: Watched, morning: dt.datetime) -> None:
    gone = f"postgresql://risk:secret@127.0.0.1:{closed_port()}/warehouse"

    (sentence,) = sentences(Watched(gone, watched.metadata_dsn, watched.server), morning)

    assert sentence.startswith(
        "The state of the report for 2025-08-18 is unknown: no Postgres server responds at 127.0."
    )
    assert "secret" not in sentence


def test_watchdog_finds_an_unreachable_airflow_database(watched: Watched, morning: dt.datetime) -> None:
    gone = f"postgresql://airflow@127.0.0.1:{closed_port()}/airflow"

    (sentence,) = sentences(Watched(watched.warehouse_dsn, gone, watched.server), morning)

    assert sentence.startswith("Airflow's database is unreachable:")


def test_watchdog_finds_an_unreachable_mail_server(watched: Watched, morning: dt.datetime) -> None:
    port = closed_port()

    (sentence,) = sentences(
        Watched(watched.warehouse_dsn, watched.metadata_dsn, SmtpServer("127.0.0.1", port)), morning
    )

    assert sentence.startswith(f"Mail server 127.0.0.1:{port} does not accept mail: ")


@pytest.mark.parametrize(("seconds", "is_found"), [(-40, True), (-5, False), (5, False), (40, True)])
def test_watchdog_finds_clocks_that_disagree_by_more_than_half_a_minute(
    watched: Watched, morning: dt.datetime, seconds: int, is_found: bool
) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)):
        found = [finding.sentence for finding in run_checks(watched, morning)]

    assert any("clocks of the warehouse" in sentence for sentence in found) == is_found


def test_watchdog_mails_by_the_second_server_first(watched: Watched, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    second = Box()
    with served(second) as server:
        monkeypatch.setenv("RISK_ALARM_SMTP_URI", f"smtp://127.0.0.1:{server.port}")
        notify(
            watched,
            [WatchdogFinding("The DAG is <paused>.", "Switch it on.")],
            dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC),
            read_settings(),
        )

    assert box.mails == []
    assert second.subjects == ["RISK WATCHDOG - 2025-08-18 - The DAG is <paused>."]
    assert "&lt;paused&gt;" in second.html()
    assert "- Switch it on." in second.text()


def test_watchdog_says_that_the_report_is_out_unless_in_doubt(
    watched: Watched, box: Box, morning: dt.datetime, connection: Connection
) -> None:
    change(connection, "update dag set is_paused = true")
    notify(watched, run_checks(watched, morning), morning, read_settings())
    change(connection, "delete from report_deliveries")
    notify(watched, run_checks(watched, morning), morning, read_settings())

    is_out = "The report for 2025-08-18 is out."
    assert [is_out in box.text(0), is_out in box.text(1)] == [True, False]
    # and which limits stand comes before what to do
    stand = "Until a report arrives, the limits of the last report stay in force."
    assert stand in " ".join(box.text(1).partition("WHAT TO DO")[0].split())


def test_watchdog_mails_by_the_first_server_when_the_second_is_down(
    watched: Watched, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_ALARM_SMTP_URI", f"smtp://127.0.0.1:{closed_port()}")

    notify(
        watched,
        [WatchdogFinding("Paused.", "Switch it on.")],
        dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC),
        read_settings(),
    )

    assert len(box.mails) == 1


@pytest.mark.parametrize("has_mail", [True, False])
def test_watchdog_posts_to_the_plain_webhook_whether_or_not_the_mail_goes_out(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, has_mail: bool
) -> None:
    path = "risk.operators.webhook.WebhookNotifier"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if not has_mail:
        watched = dataclasses.replace(watched, server=SmtpServer("127.0.0.1", closed_port()))
    with webhook() as hook, webhook(500) as broken, webhook() as other:
        listed = [
            {"notifier": path, "arguments": {"url": broken.url}},
            {"notifier": path, "arguments": {"address": hook.url}},
            {"notifier": "no_airflow_here.Notifier", "arguments": {"url": other.url}},
            {"notifier": path, "arguments": {"url": other.url}, "kinds": ["failure"]},
            {"notifier": path, "arguments": {"url": hook.url}},
        ]
        monkeypatch.setenv("RISK_NOTIFIERS", json.dumps(listed))
        found = [WatchdogFinding("Paused.", "Switch it on."), WatchdogFinding("Stale.", "Restore it.")]
        instant = dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC)
        if has_mail:
            faults = " ".join(notify(watched, found, instant, read_settings()))
        else:
            with pytest.raises(ConnectionLostError, match="reached nobody") as caught:
                notify(watched, found, instant, read_settings())
            faults = str(caught.value)

    [posted] = hook.posted
    assert (posted["kind"], posted["text"], posted["action"]) == ("watchdog", "Paused. Stale.", "trigger")
    assert posted["dedup_key"] == "desk/2025-08-18/watchdog"
    assert other.posted == []
    assert "The webhook at 127.0.0.1 answers 500." in faults
    assert "unexpected keyword argument 'address'" in faults
    assert "secret-token" not in faults


def test_watchdog_raises_when_no_server_accepts_the_alert(warehouse_dsn: str) -> None:
    watched = Watched(warehouse_dsn, warehouse_dsn, SmtpServer("127.0.0.1", closed_port()))

    with pytest.raises(ConnectionLostError, match=r"The alert 'RISK WATCHDOG.* reached nobody"):
        notify(
            watched,
            [WatchdogFinding("Paused.", "Switch it on.")],
            dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC),
            read_settings(),
        )


def test_watchdog_reads_the_variables_of_airflows_processes() -> None:
    mail = {
        "conn_type": "smtp",
        "host": "mx",
        "port": 587,
        "login": "u",
        "password": "p",
        "extra": {"disable_tls": False},
    }

    watched = read_watched(
        {
            "AIRFLOW_CONN_RISK_WAREHOUSE": "postgres://risk:a%2Fb@db:5433/warehouse",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://airflow:x@db/airflow",
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail),
        }
    )

    warehouse = parse_dsn(watched.warehouse_dsn)
    assert (warehouse["host"], warehouse["port"], warehouse["password"]) == ("db", "5433", "a/b")
    assert parse_dsn(watched.metadata_dsn)["dbname"] == "airflow"
    assert watched.server == SmtpServer("mx", 587, "u", "p", use_starttls=True)


def test_watchdog_names_the_variable_that_is_missing() -> None:
    with pytest.raises(RequestError, match="AIRFLOW_CONN_RISK_WAREHOUSE is not set"):
        read_watched({})


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("smtp://mx", SmtpServer("mx", 25)),
        ("smtp://u%40a:p%2F@mx:587?starttls=1", SmtpServer("mx", 587, "u@a", "p/", use_starttls=True)),
        ("smtps://u:p@mx", SmtpServer("mx", 465, "u", "p", use_ssl=True)),
    ],
)
def test_second_mail_server_is_read_from_its_uri(uri: str, server: SmtpServer) -> None:
    assert smtp_server_from_uri(uri, "X") == server


@pytest.mark.parametrize("uri", ["mx:25", "http://user:hunter2@mx", "smtp://", "smtp://mx:port", "smtp://[::1"])
def test_second_mail_server_of_another_form_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(RequestError, match="RISK_ALARM_SMTP_URI is not a mail server") as caught:
        smtp_server_from_uri(uri, "RISK_ALARM_SMTP_URI")

    assert "hunter2" not in str(caught.value)


SATURDAY = dt.datetime(2025, 8, 16, 12, 45, tzinfo=dt.UTC)
MONDAY = dt.datetime(2025, 8, 18, 12, 45, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("instant", "has_mail_server", "exit_code"), [(SATURDAY, False, 0), (MONDAY, True, 1), (MONDAY, False, 3)]
)
def test_watchdog_command_exits_by_findings_and_delivery(
    box: Box, monkeypatch: pytest.MonkeyPatch, instant: dt.datetime, has_mail_server: bool, exit_code: int
) -> None:
    gone = f"127.0.0.1:{closed_port()}"
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", f"postgres://risk@{gone}/warehouse")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"postgresql+psycopg2://airflow@{gone}/airflow")
    with served(box) as server, time_machine.travel(instant):
        mail = f"127.0.0.1:{server.port}" if has_mail_server else gone
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", f"smtp://{mail}")
        result = CliRunner().invoke(app, ["watchdog"])

    assert result.exit_code == exit_code
    assert len(box.mails) == (exit_code == 1)
    assert ("The state of the report for 2025-08-18 is unknown" in result.output) == (instant is MONDAY)
    assert ("reached nobody" in result.output) == (exit_code == 3)
