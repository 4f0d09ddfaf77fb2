"""Signals on a real Postgres, mail server and web server: after the mail, each once, and never in its way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from risk.core.errors import ConnectionLostError
from risk.core.settings import PROJECT_DIR, read_settings
from risk.core.warehouse import Connection
from risk.limits.approvals import APPROVED
from risk.limits.publish import publish
from risk.report import signals
from risk.report.alerts import AlertContext, mail_failure, mail_lateness, mail_recovery
from risk.report.doctor import check_signals
from risk.report.incidents import Cause, FailedRun, FailedTask, RunKey, store_failure
from risk.report.mail import SmtpServer
from risk.report.morning_signals import limits_signal, report_signals
from risk.report.session_state import RunDates
from risk.report.signals import Signal, announce
from tests.approval_desks import ANN, answer, opened, reported
from tests.report_desks import EFFECTIVE_SESSION, SESSION, insert
from tests.smtp_boxes import Box, closed_port
from tests.webhook_server import Hook, webhook

KEY = RunKey("daily_risk", "scheduled__2025-08-15", 0)
AGAIN = RunKey("daily_risk", "scheduled__2025-08-15", 1)
DATES = RunDates(SESSION, EFFECTIVE_SESSION)
TASK = FailedTask("check_fills", 1, "")
URL = "http://127.0.0.1/run"
CLASSES = "tests.notifier_classes"
WEBHOOK = "risk.operators.webhook.WebhookNotifier"
HOSTILE = (
    """{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}<!channel> "},\n{"a":"b\\ @everyone `x` ${HOME}"""
)
"""What a symbol or the name of a file may hold."""


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_ALARMS_DIR", str(tmp_path / "alarms"))
    monkeypatch.setenv("RISK_ALARM_RECIPIENTS", "operator@example.test")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT_DIR))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


def notify_by(monkeypatch: pytest.MonkeyPatch, *notifiers: dict[str, Any]) -> None:
    monkeypatch.setenv("RISK_NOTIFIERS", json.dumps(notifiers))


def plain(hook: Hook, *kinds: str) -> dict[str, Any]:
    chosen = {"kinds": kinds} if kinds else {}
    return {"notifier": WEBHOOK, "arguments": {"url": hook.url, "headers": {"Authorization": "Bearer word"}}, **chosen}


def alerts(dsn: str, server: SmtpServer) -> AlertContext:
    return AlertContext(dsn, [server], read_settings())


def failed(key: RunKey = KEY) -> FailedRun:
    return FailedRun(key, DATES, TASK, (), URL)


def faults(connection: Connection) -> list[tuple[str, str]]:
    """Return class and message of each notifier's failure that the audit log holds."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select error_class, message from audit_log where event = 'notifier' order by message")
        return list(cursor.fetchall())


def signal(**changes: Any) -> Signal:
    one = Signal("failure", "desk", "2025-08-18", False, "daily_risk", "r", "title", "text", URL)
    return replace(one, **changes)


def test_failure_opens_and_recovery_ends_the_same_incident(
    connection: Connection,
    warehouse_dsn: str,
    server: SmtpServer,
    box: Box,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    notify_by(monkeypatch, plain(hook))
    store_failure(connection, KEY, TASK, DATES, Cause("InputError", "fills.csv: 3 rows."))

    # reported twice, as Airflow may
    for _ in range(2):
        mail_failure(alerts(warehouse_dsn, server), failed(), tmp_path)
    for _ in range(2):
        mail_recovery(alerts(warehouse_dsn, server), AGAIN, DATES, URL)

    opened_one, ended = hook.posted
    assert opened_one == {
        "kind": "failure",
        "desk": "desk",
        "session": "2025-08-18",
        "is_simulated": False,
        "dag_id": "daily_risk",
        "title": "RISK RUN FAILED - check_fills - limits for 2025-08-18",
        "text": "No limits and no report for 2025-08-18. InputError: fills.csv: 3 rows. "
        "Fix or replace the file, then clear task extract_fills.",
        "url": URL,
        "severity": "critical",
        "action": "trigger",
        "dedup_key": "desk/2025-08-18/daily_risk/failure",
    }
    assert (ended["kind"], ended["action"], ended["dedup_key"]) == ("recovery", "resolve", opened_one["dedup_key"])
    assert hook.headers[0]["Authorization"] == "Bearer word"
    assert len(box.mails) == 2
    assert faults(connection) == []


def test_late_report_is_ended_by_its_recovery_also_for_who_asked_for_lateness_only(
    connection: Connection, warehouse_dsn: str, server: SmtpServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify_by(monkeypatch, plain(hook, "lateness"))

    mail_lateness(alerts(warehouse_dsn, server), KEY, DATES, URL, today=EFFECTIVE_SESSION)
    mail_recovery(alerts(warehouse_dsn, server), KEY, DATES, URL)

    assert [(one["kind"], one["action"], one["dedup_key"]) for one in hook.posted] == [
        ("lateness", "trigger", "desk/2025-08-18/daily_risk/lateness"),
        ("recovery", "resolve", "desk/2025-08-18/daily_risk/lateness"),
    ]


def test_notifiers_that_raise_hang_leave_or_do_not_exist_keep_nothing_from_anybody(
    connection: Connection,
    warehouse_dsn: str,
    server: SmtpServer,
    box: Box,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(signals, "NOTIFY_SECONDS", 6.0)
    notify_by(
        monkeypatch,
        {"notifier": f"{CLASSES}.Raising"},
        {"notifier": f"{CLASSES}.Hanging", "arguments": {"file": str(tmp_path / "pid")}},
        {"notifier": f"{CLASSES}.Leaving"},
        {"notifier": f"{CLASSES}.NoSuchClass"},
        {"notifier": "no_such_package.Notifier"},
        {"notifier": "pathlib.Path"},
        {"notifier": f"{CLASSES}.Writing", "arguments": {"txet": "x"}},
        plain(hook),
    )

    assert mail_failure(alerts(warehouse_dsn, server), failed(), tmp_path)

    assert box.subjects == ["RISK RUN FAILED - check_fills - limits for 2025-08-18"]
    assert [one["kind"] for one in hook.posted] == ["failure"]
    noted = dict(message.removeprefix("Notifier ").split(" ", 1) for _, message in faults(connection))
    ending = "The email does not depend on it. Correct RISK_NOTIFIERS or its connection."
    assert noted == {
        f"{CLASSES}.Raising": f"failed with OSError. {ending}",
        f"{CLASSES}.Hanging": f"gave no answer within 6 s. {ending}",
        f"{CLASSES}.Leaving": f"failed with SystemExit. {ending}",
        f"{CLASSES}.NoSuchClass": "cannot be imported (module 'tests.notifier_classes' has no attribute "
        f"'NoSuchClass'). {ending}",
        "no_such_package.Notifier": f"cannot be imported (No module named 'no_such_package'). {ending}",
        "pathlib.Path": f"is not an Airflow notifier. {ending}",
        f"{CLASSES}.Writing": "does not take these arguments (Writing.__init__() missing 2 required keyword-only "
        f"arguments: 'file' and 'text'). {ending}",
    }
    # the one that hangs is gone with its process
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_server_that_refuses_is_noted_without_the_address_that_is_the_password(
    connection: Connection, warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.status = 403
    gone = {"notifier": WEBHOOK, "arguments": {"url": f"http://127.0.0.1:{closed_port()}/hooks/secret-token"}}
    redirected = {"notifier": WEBHOOK, "arguments": {"url": "file:///etc/secret-token"}}
    notify_by(monkeypatch, plain(hook), gone, redirected)

    announce(warehouse_dsn, read_settings(), [signal()], {})

    assert [error_class for error_class, _ in faults(connection)] == [
        "RefusalError",
        "ConnectionLostError",
        "RequestError",
    ]
    texts = " ".join(message for _, message in faults(connection))
    assert "The webhook at 127.0.0.1 answers 403" in texts
    assert "secret-token" not in texts
    assert "secret-token" not in repr(read_settings())


def test_notifiers_work_in_a_task_which_may_not_open_airflows_database(
    connection: Connection, warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as Airflow's task runner sets them
    for section in ("CORE", "DATABASE"):
        monkeypatch.setenv(f"AIRFLOW__{section}__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    notify_by(monkeypatch, plain(hook))

    announce(warehouse_dsn, read_settings(), [signal()], {})

    assert len(hook.posted) == 1
    assert faults(connection) == []


def test_process_that_does_not_start_says_so(
    connection: Connection, warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notify_by(monkeypatch, plain(hook))

    announce(warehouse_dsn, read_settings(), [signal()], {})

    [(_, message)] = faults(connection)
    assert "was not asked, since its process ended with exit code" in message


def test_what_the_settings_of_a_firm_print_is_no_answer(
    connection: Connection, warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('settings loaded', end='')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notify_by(monkeypatch, plain(hook), {"notifier": f"{CLASSES}.Raising"})

    announce(warehouse_dsn, read_settings(), [signal()], {})

    assert len(hook.posted) == 1
    assert len(faults(connection)) == 1


def test_facts_are_no_templates_no_json_and_address_nobody(
    warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "written"
    # a template of text, and one that builds JSON and is rendered again, as careless notifiers do
    text = '{{ risk.kind }}: {{ risk.text }} | {"text": "{{ risk.text }}"}'
    writing = {"notifier": f"{CLASSES}.Writing", "arguments": {"file": str(file), "text": text}}
    notify_by(monkeypatch, writing, plain(hook))

    announce(warehouse_dsn, read_settings(), [signal(text=HOSTILE)], {})

    plain_text, _, as_json = file.read_text(encoding="utf-8").partition(" | ")
    shown = plain_text.removeprefix("failure: ")
    assert "49" not in shown
    assert {character for character in "{}<>\"'\\@`" if character in shown} == set()
    assert "&lt;!channel&gt;" in shown
    assert json.loads(as_json) == {"text": shown}
    # JSON escapes by itself
    assert hook.posted[0]["text"] == HOSTILE


def test_signal_goes_out_also_when_no_mail_server_takes_the_mail(
    connection: Connection, warehouse_dsn: str, hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notify_by(monkeypatch, plain(hook))

    with pytest.raises(ConnectionLostError, match="reached nobody"):
        mail_failure(alerts(warehouse_dsn, SmtpServer("127.0.0.1", closed_port())), failed(), tmp_path)

    assert [one["kind"] for one in hook.posted] == ["failure"]


def test_failed_notifier_without_a_warehouse_is_logged_and_the_mail_is_out(
    server: SmtpServer, box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify_by(monkeypatch, {"notifier": f"{CLASSES}.Raising"})
    gone = f"postgresql://risk@127.0.0.1:{closed_port()}/warehouse"

    assert mail_failure(alerts(gone, server), failed(), tmp_path)

    assert len(box.mails) == 1
    assert "not stored in the audit log" in caplog.text


def test_doctor_names_the_notifier_that_cannot_be_used_and_sends_nothing(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(check_signals(read_settings())) == []

    notify_by(monkeypatch, {"notifier": "airflow.providers.slak.Notifier"}, plain(hook))
    [found] = check_signals(read_settings())
    assert not found.is_healthy
    assert found.sentence == (
        "Notifier airflow.providers.slak.Notifier cannot be imported (No module named 'airflow.providers.slak'). "
        "It will not be notified. Correct RISK_NOTIFIERS or its connection."
    )

    notify_by(monkeypatch, plain(hook))
    [found] = check_signals(read_settings())
    assert (found.is_healthy, found.sentence) == (True, "1 notifier can be imported and constructed.")
    assert hook.posted == []


def test_report_names_breaches_and_what_waits_and_limits_in_force_end_the_wait(connection: Connection) -> None:
    run = reported(connection, 1, NET001="0.60", NET002="0.40")
    settings = read_settings().model_copy(update={"base_url": "https://risk.test"})
    size = {"limit_usd": 5000, "largest_loss_usd": 6000, "final_usd": -5500}
    row = {"run_id": run.run_id, "session_date": SESSION, **size}
    for name, why in (("NET001", ["x"]), ("NET002", ["x"]), ("NET003", ["x"]), ("NET003", [])):
        insert(connection, "limit_breaches", account_id=name, is_breach=bool(why), breach_reasons=why, **row)
    publication = opened(connection, run)

    broken, waiting = report_signals(connection, run, settings, asks_approval=True)

    # NET003's was removed by a restatement
    assert broken.title == "2 traders broke a limit on 2025-08-15"
    assert (broken.kind, broken.facts["action"], broken.url) == ("breach", "trigger", "https://risk.test/risk/breaches")
    assert waiting.title == "Approval required for 2 limits for 2025-08-18: decide by 2100-01-01 09:00 New York"
    assert waiting.url == f"https://risk.test/risk/approvals/{publication.publication_id}"
    assert [one.kind for one in report_signals(connection, run, settings, asks_approval=False)] == ["breach"]

    for name in ("NET001", "NET002"):
        answer(connection, publication, name, APPROVED, ANN)
    published = publish(connection, publication, None)
    in_force = limits_signal(publication, published.account_count, settings)
    assert in_force.title == "2 limits in force for 2025-08-18"
    assert (in_force.facts["action"], in_force.facts["dedup_key"]) == ("resolve", waiting.facts["dedup_key"])
    # what is decided waits no longer
    assert [one.kind for one in report_signals(connection, run, settings, asks_approval=True)] == ["breach"]
