"""Alerts on a real Postgres and a real mail server: what they say, and that each is sent exactly once."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import pkgutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import risk
from risk.core.errors import ConnectionLostError, RiskError
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, records
from risk.limits.publish import publish
from risk.report.alerts import AlertContext, mail_failure, mail_lateness, mail_recovery
from risk.report.incidents import REMEDIES, Cause, FailedRun, FailedTask, RunKey, store_failure
from risk.report.mail import SmtpServer
from risk.report.session_state import RunDates
from tests.approval_desks import MORNING, after_deadline, opened, reported
from tests.report_desks import EFFECTIVE_SESSION, SESSION, insert, open_run
from tests.smtp_boxes import Box, closed_port, served

KEY = RunKey("daily_risk", "scheduled__2025-08-15", 0)
AGAIN = RunKey("daily_risk", "scheduled__2025-08-15", 1)
DATES = RunDates(SESSION, EFFECTIVE_SESSION)
TASK = FailedTask("check_fills", 1, "http://127.0.0.1/log")
URL = "http://127.0.0.1/run"
NO_SERVER = SmtpServer("127.0.0.1", 1)


def failed(
    key: RunKey = KEY, dates: RunDates = DATES, task: FailedTask = TASK, run_type: str = "scheduled"
) -> FailedRun:
    return FailedRun(key, dates, task, ("aggregate_pnl", "send_report"), URL, run_type)


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
        assert "No limits and no report for 2025-08-18." in view
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


def test_failure_mail_quotes_the_log_of_a_task_on_another_machine(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    lines = [f"line {number}" for number in range(50)]
    store_failure(connection, KEY, TASK, DATES, Cause("QualityError", "3 prices are negative.", lines))

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    for view in (box.text(), box.html()):
        assert "line 37" not in view
        assert "line 38" in view
        assert "line 49" in view


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
    assert "None: the task was killed, or had logged nothing yet" in box.html()


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


def test_failure_mail_says_what_happened_what_it_means_what_to_do_and_where_in_this_order(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    for view in (box.text(), box.html()):
        places = [
            view.index(title) for title in ("WHAT HAPPENED", "WHAT IT MEANS", "WHAT TO DO", "WHERE", "LAST LINES")
        ]
        assert places == sorted(places)


def test_failure_mail_names_the_session_whose_limits_stand(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    deliver_report(connection)
    tuesday = RunDates(EFFECTIVE_SESSION, dt.date(2025, 8, 19))

    mail_failure(alerts(warehouse_dsn, [server]), failed(dates=tuesday), tmp_path)

    assert "Until a report arrives, the limits for 2025-08-18 stay in force." in " ".join(box.text().split())


def test_partly_delivered_report_is_one_true_state(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, box: Box, tmp_path: Path
) -> None:
    deliver_report(connection)
    insert(connection, "report_deliveries", run_id=1, recipient="b", message_id="<b@b>")

    mail_failure(alerts(warehouse_dsn, [server]), failed(), tmp_path)

    text = " ".join(box.text().split())
    assert "Limits for 2025-08-18 reached 1 of 2 recipients." in text
    assert "only the other recipients are without it" in text
    assert "missing" not in text.partition("WHAT TO DO")[0]
    assert "stay in force" not in text


@pytest.mark.parametrize(
    ("dag_id", "is_asked", "sentence"),
    [
        ("publish_limits", False, "Limits for 2025-08-18 are not published: nobody has been asked to approve them."),
        (
            "publish_limits",
            True,
            "Limits for 2025-08-18 are not published; approval was asked for until 09:00 New York. ",
        ),
        ("weekly_model", False, "No new model this week; the limits of every morning are computed without it."),
    ],
)
def test_failure_mail_judges_by_what_its_dag_owes(
    connection: Connection,
    warehouse_dsn: str,
    server: SmtpServer,
    box: Box,
    tmp_path: Path,
    dag_id: str,
    is_asked: bool,
    sentence: str,
) -> None:
    deliver_report(connection)
    if is_asked:
        open_approval(connection)

    mail_failure(alerts(warehouse_dsn, [server]), failed(RunKey(dag_id, "r", 0)), tmp_path)

    text = " ".join(box.text().split())
    assert f"{sentence.strip()} " in text
    assert "Nothing is missing" not in text
    if dag_id == "publish_limits":
        assert "those entered on the trading platform last apply there" in text


def test_every_class_of_error_has_a_remedy() -> None:
    for module in pkgutil.walk_packages(risk.__path__, "risk."):
        if module.name != "risk.__main__":
            importlib.import_module(module.name)

    assert {kind.__name__ for kind in kinds_of(RiskError)} - set(REMEDIES) == set()


def kinds_of(error: type[RiskError]) -> set[type[RiskError]]:
    return {
        kind for direct in error.__subclasses__() for kind in (direct, *kinds_of(direct)) if "risk." in kind.__module__
    }


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


def open_approval(connection: Connection) -> None:
    """Store that people were asked about the limits of the run, until 09:00 New York."""
    deadline = dt.datetime(2025, 8, 18, 13, tzinfo=dt.UTC)
    insert(
        connection,
        "publications",
        run_id=1,
        effective_session=EFFECTIVE_SESSION,
        approval_scope="high",
        has_dual_control=False,
        decision_deadline=deadline,
        is_live=True,
        dag_run_id="r",
    )


def deliver_report(connection: Connection, *, is_point_in_time: bool = False) -> None:
    """Store a run of the session with a delivered report."""
    run = open_run(connection, is_point_in_time=is_point_in_time)
    sent_at = dt.datetime(2025, 8, 18, 11, 20, tzinfo=dt.UTC)
    insert(connection, "report_deliveries", run_id=run.run_id, recipient="a", message_id="<a@b>", sent_at=sent_at)
