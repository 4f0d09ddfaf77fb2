"""Alerts on a real Postgres and a real mail server: what they say, and that each is sent exactly once."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.core.errors import ConnectionLostError
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.report.alerts import AlertContext, mail_failure, mail_lateness, mail_recovery
from risk.report.incidents import Cause, FailedRun, FailedTask, RunDates, RunKey, store_failure
from risk.report.mail import SmtpServer
from tests.report_desks import EFFECTIVE_SESSION, SESSION, insert, open_run
from tests.smtp_boxes import Box, closed_port, served

KEY = RunKey("daily_risk", "scheduled__2025-08-15", 0)
AGAIN = RunKey("daily_risk", "scheduled__2025-08-15", 1)
DATES = RunDates(SESSION, EFFECTIVE_SESSION)
TASK = FailedTask("check_fills", 1, "http://127.0.0.1/log")
URL = "http://127.0.0.1/run"
NO_SERVER = SmtpServer("127.0.0.1", 1)


def failed(key: RunKey = KEY, dates: RunDates = DATES) -> FailedRun:
    return FailedRun(key, dates, TASK, ("aggregate_pnl", "send_report"), URL)


def alerts(dsn: str, servers: list[SmtpServer]) -> AlertContext:
    return AlertContext(dsn, servers, read_settings())


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def server(box: Box) -> Iterator[SmtpServer]:
    with served(box) as server:
        yield server


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_ALARMS_DIR", str(tmp_path / "alarms"))
    monkeypatch.setenv("RISK_ALARM_RECIPIENTS", "operator@example.test")


@pytest.fixture
def gone_dsn() -> str:
    return f"postgresql://risk@127.0.0.1:{closed_port()}/warehouse"


def write_log(folder: Path, *entries: dict[str, object]) -> None:
    file = folder / f"dag_id={KEY.dag_id}" / f"run_id={KEY.dag_run_id}" / "task_id=check_fills" / "attempt=1.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def test_failure_mail_names_what_failed_and_what_is_missing(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    store_failure(connection, KEY, TASK, DATES, Cause("QualityError", "3 prices of NET001 are negative."))
    write_log(
        tmp_path,
        {"event": "::group::Pre Execute"},
        {"event": "DAG bundles loaded"},
        {"event": "::endgroup::"},
        {"event": "judging 3 accounts"},
        {"event": "Task failed", "error_detail": [{"exc_type": "QualityError", "exc_value": "negative"}]},
    )

    assert mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    assert box.subjects == ["RISK RUN FAILED - check_fills - limits for 2025-08-18"]
    for view in (box.text(), box.html()):
        assert "No limits for 2025-08-18." in view
        assert "QualityError" in view
        assert "3 prices of NET001 are negative." in view
        assert "Read the failed checks in the log, fix the input, then clear task extract_fills." in " ".join(
            view.split()
        )
        assert "Recommendations, report and email for 2025-08-18 are missing." in view
        assert "Not run: aggregate_pnl, send_report" in view
        assert "judging 3 accounts" in view
        assert "DAG bundles loaded" not in view
        assert "http://127.0.0.1/log" in view
        assert URL in view


def test_failure_mail_says_killed_when_no_error_was_stored(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    write_log(tmp_path, {"event": "judging 3 accounts"})

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    assert "-------------\nkilled\nThe task process ended without an error" in box.text()


def test_failure_mail_of_a_run_without_a_session_says_that_it_is_unknown(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    store_failure(
        connection, KEY, TASK, RunDates(None, None), Cause("RequestError", "2025-07-04 is no session of XNYS.")
    )

    mail_failure(alerts(warehouse_dsn, [server]), failed(dates=RunDates(None, None)), tmp_path)

    assert box.subjects == ["RISK RUN FAILED - check_fills"]
    assert "The session of this run is unknown." in box.text()
    assert "Session   unknown\n" in box.text()
    assert "None: the task had logged nothing yet" in box.html()


def test_failure_mail_quotes_the_newest_error_of_the_attempt_that_ended_the_run(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    store_failure(connection, KEY, FailedTask("check_fills", 2, ""), DATES, Cause("InputError", "of another attempt"))
    store_failure(connection, KEY, TASK, DATES, Cause("InputError", "before it was cleared"))
    store_failure(connection, KEY, TASK, DATES, Cause("InputError", "now"))

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    assert "InputError\nnow\n" in box.text()


def test_failure_mail_escapes_what_a_source_has_written(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    evil = "account <script>alert(1)</script> & {{ 7 * 7 }} is unknown"
    store_failure(connection, KEY, TASK, DATES, Cause("InputError", evil))
    write_log(tmp_path, {"event": evil})

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    assert "<script>" not in box.html()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in box.html()
    assert evil in box.text()


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


def deliver_report(connection: Connection, *, is_point_in_time: bool = False) -> None:
    """Store a run of the session with a delivered report."""
    run = open_run(connection, is_point_in_time=is_point_in_time)
    sent_at = dt.datetime(2025, 8, 18, 11, 20, tzinfo=dt.UTC)
    insert(connection, "report_deliveries", run_id=run.run_id, recipient="a", message_id="<a@b>", sent_at=sent_at)
