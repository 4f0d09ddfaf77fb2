"""Alerts on a real Postgres and a real mail server: each is sent exactly once, and the recovery after it."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from risk.core.errors import ConnectionLostError
from risk.core.warehouse import Connection, records
from risk.limits.publish import publish
from risk.report.alerts import mail_failure, mail_lateness, mail_recovery
from risk.report.incidents import Cause, FailedTask, RunKey, store_failure
from risk.report.mail import SmtpServer
from tests.alert_desks import (
    AGAIN,
    DATES,
    KEY,
    NO_SERVER,
    URL,
    alerts,
    deliver_report,
    failed,
    open_approval,
    write_log,
)
from tests.approval_desks import MORNING, after_deadline, opened, reported
from tests.report_desks import EFFECTIVE_SESSION, insert
from tests.smtp_boxes import Box, closed_port, served

pytestmark = pytest.mark.usefixtures("alarm_settings")


@pytest.fixture
def gone_dsn() -> str:
    return f"postgresql://risk@127.0.0.1:{closed_port()}/warehouse"


@pytest.mark.parametrize(
    ("attempt", "is_mailed"),
    [
        (("manual", "extract_fills", "RequestError"), False),
        (("manual", "extract_fills", "FolderError"), False),
        (("manual", "await_decisions", "RequestError"), False),
        (("operator_triggered", "await_decisions", "RequestError"), True),
        (("manual", "extract_fills", "InputError"), True),
        (("manual", "send_report", "RequestError"), True),
        (("scheduled", "extract_fills", "RequestError"), True),
    ],
)
def test_mistake_in_a_request_by_hand_alerts_nobody_and_is_no_failed_run(
    connection: Connection,
    warehouse_dsn: str,
    server: SmtpServer,
    box: Box,
    tmp_path: Path,
    attempt: tuple[str, str, str],
    is_mailed: bool,
) -> None:
    run_type, task_id, error_class = attempt
    task = FailedTask(task_id, 1, "")
    store_failure(connection, KEY, task, DATES, Cause(error_class, "2025-07-04 is no session."), run_type)

    assert mail_failure(alerts(warehouse_dsn, [server]), failed(task=task, run_type=run_type), tmp_path) is is_mailed

    assert len(box.mails) == is_mailed
    assert bool(records(connection, "watchdog/select_failed_run", {"dag_id": KEY.dag_id})) is is_mailed


def test_failures_of_a_backfill_on_one_day_are_one_mail(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    keys = [RunKey("daily_risk", f"backfill__2025-08-{day}", 0) for day in (11, 12, 13)]
    monday, tuesday = dt.date(2025, 8, 18), dt.date(2025, 8, 19)

    sent = [
        mail_failure(alerts(warehouse_dsn, [server]), failed(key, run_type="backfill"), tmp_path, today=day)
        for key, day in zip([*keys, keys[0]], [monday, monday, monday, tuesday], strict=True)
    ]
    recovered = [mail_recovery(alerts(warehouse_dsn, [server]), key, DATES, URL) for key in keys]

    assert sent == [True, False, False, True]
    assert not any(recovered)
    assert "Other runs of this backfill that fail today send no email" in " ".join(box.text().split())


def test_failure_alert_is_sent_once_per_clearing(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    sent = [mail_failure(alerts(warehouse_dsn, [server]), failed(key), tmp_path) for key in (KEY, KEY, AGAIN, AGAIN)]

    assert sent == [True, False, True, False]
    assert len(box.mails) == 2
    assert len({mail["Message-ID"] for mail in box.mails}) == 2


def test_failure_alert_is_sent_once_when_airflow_reports_it_twice_at_once(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    arguments = (alerts(warehouse_dsn, [server]), failed(), tmp_path)
    threads = [threading.Thread(target=mail_failure, args=arguments) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(box.mails) == 1


def test_failure_alert_without_a_warehouse_is_sent_once_and_not_again_when_it_is_back(
    connection: Connection, warehouse_dsn: str, gone_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    own = {"exc_type": "ConnectionLostError", "exc_value": "refused"}
    later = {"exc_type": "OSError", "exc_value": "of a callback"}
    write_log(
        tmp_path,
        {"event": "Task failed with exception", "error_detail": [own]},
        {"event": "Failed to run task callback", "error_detail": [later]},
    )

    sent = [mail_failure(alerts(dsn, [server]), failed(), tmp_path) for dsn in (gone_dsn, gone_dsn, warehouse_dsn)]

    assert sent == [True, False, False]
    assert "ConnectionLostError\nrefused\n" in box.text()
    assert "Limits for 2025-08-18 are unknown: the warehouse is unreachable." in box.text()


def test_failure_alert_is_sent_when_neither_warehouse_nor_folder_can_log_it(
    gone_dsn: str, server: SmtpServer, box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("RISK_ALARMS_DIR", str(tmp_path / "file" / "alarms"))

    assert mail_failure(alerts(gone_dsn, [server]), failed(), tmp_path)

    assert len(box.mails) == 1


def test_failure_alert_is_sent_when_the_warehouse_has_no_tables_yet(
    server_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    assert mail_failure(alerts(server_dsn, [server]), failed(), tmp_path)

    assert "the warehouse is unreachable" in box.text()


def test_failure_alert_uses_the_second_server_when_the_first_is_down(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    assert mail_failure(alerts(warehouse_dsn, [SmtpServer("127.0.0.1", closed_port()), server]), failed(), tmp_path)

    assert len(box.mails) == 1


def test_failure_alert_is_sent_at_the_next_call_when_no_server_accepted_it(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    with pytest.raises(ConnectionLostError, match=r"The alert 'RISK RUN FAILED.* reached nobody"):
        mail_failure(alerts(warehouse_dsn, [SmtpServer("127.0.0.1", closed_port())]), failed(), tmp_path)

    assert mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)


class RejectingBox(Box):
    """Rejects every recipient and counts the attempts."""

    attempt_count = 0

    async def handle_RCPT(self, *_arguments: object) -> str:  # noqa: N802
        self.attempt_count += 1
        return "550 no such mailbox"


def test_failure_alert_that_nobody_accepts_is_tried_once_a_call(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    rejecting = RejectingBox()

    with served(rejecting) as server, pytest.raises(ConnectionLostError, match="reached nobody"):
        mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    assert rejecting.attempt_count == 1


def test_failure_of_a_rerun_says_that_the_report_is_already_out(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    deliver_report(connection)

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    # 11:20 UTC is 07:20 in New York in August.
    assert "Limits for 2025-08-18 were emailed at 07:20 New York" in " ".join(box.text().split())


def test_recovery_alert_is_sent_once_after_a_failure_alert(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)
    deliver_report(connection)

    sent = [mail_recovery(alerts(warehouse_dsn, [server]), AGAIN, DATES, URL) for _ in range(2)]

    assert sent == [True, False]
    assert box.subjects[1] == "RISK RUN RECOVERED - daily_risk for 2025-08-18"
    assert "Limits for 2025-08-18 have been emailed." in " ".join(box.text().split())


def test_recovery_alert_is_sent_when_the_failure_alert_was_sent_without_a_warehouse(
    connection: Connection, warehouse_dsn: str, gone_dsn: str, server: SmtpServer, tmp_path: Path
) -> None:
    mail_failure(alerts(gone_dsn, [server]), failed(), tmp_path)

    assert mail_recovery(alerts(warehouse_dsn, [server]), AGAIN, DATES, URL)


def test_no_recovery_alert_is_sent_without_a_failure_alert(connection: Connection, warehouse_dsn: str) -> None:
    assert not mail_recovery(alerts(warehouse_dsn, [NO_SERVER]), KEY, DATES, URL)


def test_lateness_alert_is_sent_once_and_followed_by_the_recovery(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box
) -> None:
    sent = [
        mail_lateness(alerts(warehouse_dsn, [server]), KEY, DATES, URL, today=EFFECTIVE_SESSION),
        mail_lateness(alerts(warehouse_dsn, [server]), KEY, DATES, URL, today=EFFECTIVE_SESSION),
        mail_recovery(alerts(warehouse_dsn, [server]), KEY, DATES, URL),
    ]

    assert sent == [True, False, True]
    assert box.subjects[0] == "RISK REPORT LATE - no report for 2025-08-18 by 08:30 New York"


def test_no_lateness_alert_is_sent_when_the_report_is_out(connection: Connection, warehouse_dsn: str) -> None:
    deliver_report(connection)

    assert not mail_lateness(alerts(warehouse_dsn, [NO_SERVER]), KEY, DATES, URL, today=EFFECTIVE_SESSION)


def test_lateness_alert_is_sent_when_only_a_point_in_time_report_is_out(
    connection: Connection, warehouse_dsn: str, server: SmtpServer
) -> None:
    deliver_report(connection, is_point_in_time=True)

    assert mail_lateness(alerts(warehouse_dsn, [server]), KEY, DATES, URL, today=EFFECTIVE_SESSION)


def test_no_lateness_alert_is_sent_for_a_past_session(connection: Connection, warehouse_dsn: str) -> None:
    tomorrow = EFFECTIVE_SESSION + dt.timedelta(days=1)

    assert not mail_lateness(alerts(warehouse_dsn, [NO_SERVER]), KEY, DATES, URL, today=tomorrow)


def test_limits_that_are_not_published_in_time_are_an_alert_once(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box
) -> None:
    deliver_report(connection)
    open_approval(connection)
    key = RunKey("publish_limits", "approval__2025-08-18__run_1", 0)

    sent = [mail_lateness(alerts(warehouse_dsn, [server]), key, DATES, URL, today=EFFECTIVE_SESSION) for _ in range(2)]

    assert sent == [True, False]
    assert box.subjects == ["RISK LIMITS LATE - limits for 2025-08-18 are not published"]
    text = " ".join(box.text().split())
    places = [
        text.index(part)
        for part in (
            "Limits for 2025-08-18 are not published; approval was asked for until 09:00 New York.",
            "WHAT IT MEANS",
            "Until the limits are published, those entered on the trading platform last apply there.",
            "WHAT TO DO",
            "DETAILS",
        )
    ]
    assert places == sorted(places)
    assert (
        "Open the run in Airflow and unpause the DAG, or clear the task that hangs; what was decided is stored." in text
    )


def test_failed_mail_of_limits_in_force_is_no_failed_publication(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    publication = opened(connection, reported(connection, 1, A="0.60"), at=MORNING)
    publish(connection, after_deadline(connection, publication), None)
    insert(connection, "publication_deliveries", publication_id=1, kind="limits", recipient="b", message_id="<b@b>")

    mail_failure(alerts(warehouse_dsn, [server]), failed(RunKey("publish_limits", "r", 0)), tmp_path)

    text = " ".join(box.text().split())
    assert "Limits for 2025-08-18 were published at" in text
    assert "The mail Limits in force has not reached 1 recipient." in text
    assert "in force all the same, and the trading platform's file is written" in text
