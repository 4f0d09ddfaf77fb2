"""What the mail about a failed run says: the cause, what it means for the limits, and what to do."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from pathlib import Path

import pytest

import risk
from risk.core.errors import RiskError
from risk.core.warehouse import Connection
from risk.report.alerts import mail_failure
from risk.report.incidents import REMEDIES, Cause, FailedTask, RunKey, store_failure
from risk.report.mail import SmtpServer
from risk.report.session_state import RunDates
from tests.alert_desks import DATES, KEY, TASK, URL, alerts, deliver_report, failed, open_approval, write_log
from tests.report_desks import EFFECTIVE_SESSION, insert
from tests.smtp_boxes import Box

pytestmark = pytest.mark.usefixtures("alarm_settings")


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
