"""The DAG on a real scheduler, with a real mail server: what a person sees after a run, a clear and a wrong request."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path
from typing import Any

import pytest

from devstack import runs
from devstack.stack import Stack
from devstack.workspace import Workspace
from risk.core.errors import StackError

LAST_TWO = ("2025-08-14", "2025-08-15")


def _finish(stack: Stack, run_id: str) -> None:
    for _ in runs.follow(stack.api, run_id):
        pass
    runs.raise_for_failure(stack.api, run_id)


def _mails(maildir: Path) -> list[email.message.EmailMessage]:
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in maildir.iterdir()]


def _mails_of_kind(maildir: Path, kind: str) -> list[email.message.EmailMessage]:
    """Return the mails whose Message-ID names their kind; other tests of this stack send others."""
    return [mail for mail in _mails(maildir) if str(mail["Message-ID"]).endswith(f"@{kind}>")]


def _text(mail: email.message.EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return " ".join(str(body.get_content()).split()) if body else ""


@pytest.fixture(scope="module")
def trained(airflow_stack: Stack) -> dict[str, Any]:
    """Run the last session of the week before, train the model of the week, and give what the training has left."""
    runs.await_dag(airflow_stack)
    _finish(airflow_stack, runs.trigger(airflow_stack.api, {"session_date": "2025-08-08", "deliver": False}))
    runs.await_dag(airflow_stack, runs.WEEKLY_MODEL)
    run_id = runs.trigger(airflow_stack.api, {"session_date": LAST_TWO[1], "deliver": True}, runs.WEEKLY_MODEL)
    for _ in runs.follow(airflow_stack.api, run_id, runs.WEEKLY_MODEL):
        pass
    runs.raise_for_failure(airflow_stack.api, run_id, runs.WEEKLY_MODEL)
    return runs.result_of(airflow_stack.api, run_id, "train_model", runs.WEEKLY_MODEL)


@pytest.fixture(scope="module")
def two_runs(airflow_stack: Stack, trained: dict[str, Any]) -> dict[str, str]:
    """Trigger two sessions at the same time, the later first, and wait for both."""
    ids = {
        date: runs.trigger(airflow_stack.api, {"session_date": date, "deliver": date == LAST_TWO[1]})
        for date in reversed(LAST_TWO)
    }
    for run_id in ids.values():
        _finish(airflow_stack, run_id)
    return ids


def test_the_model_of_the_week_is_trained_and_mailed(trained: dict[str, Any], maildir: Path) -> None:
    assert trained["reason"] == ""
    assert trained["session_date"] == "2025-08-08"

    [card] = _mails_of_kind(maildir, "risk-model")
    assert card["Subject"].startswith("[SIMULATED]")
    assert f"Model {trained['content_sha256'][:12]} is trained and forecasts from the next session on." in _text(card)


def test_two_sessions_after_it_are_forecast_by_that_model(
    airflow_stack: Stack, two_runs: dict[str, str], stack_workspace: Workspace
) -> None:
    for date, run_id in two_runs.items():
        predicted = runs.result_of(airflow_stack.api, run_id, "predict_limits")
        assert predicted["model_id"] is not None
        assert predicted["explained_count"] > 0
        text = (stack_workspace.var / "reports" / "simulated" / date / "report.txt").read_text(encoding="utf-8")
        assert "Forecast drivers " in text
        assert "The model has no scored forecast that was issued before its session opened." in " ".join(text.split())


def test_two_dates_at_the_same_time_both_end_with_their_report(
    airflow_stack: Stack, two_runs: dict[str, str], stack_workspace: Workspace
) -> None:
    for date, run_id in two_runs.items():
        assert runs.session_of(airflow_stack.api, run_id) == date
        found = {path.name for path in (stack_workspace.var / "reports" / "simulated" / date).iterdir()}
        assert found == {"report.html", "report.txt", "report.eml", "report.json", "limits.csv"}


def test_only_the_run_that_was_asked_to_deliver_has_sent_a_mail(two_runs: dict[str, str], maildir: Path) -> None:
    [report] = _mails_of_kind(maildir, "risk-run")

    assert report["Subject"].startswith("[SIMULATED]")
    assert report["Subject"].endswith("2025-08-18")


def test_clearing_send_report_sends_no_second_mail(
    airflow_stack: Stack, two_runs: dict[str, str], maildir: Path
) -> None:
    run_id = two_runs[LAST_TWO[1]]
    before = sorted(path.name for path in maildir.iterdir())
    body = {"dry_run": False, "dag_run_id": run_id, "task_ids": ["send_report"], "only_failed": False}

    airflow_stack.api.call("POST", f"/dags/{runs.DAILY_RISK}/clearTaskInstances", body)
    _finish(airflow_stack, run_id)

    (sent,) = [task for task in runs.tasks(airflow_stack.api, run_id) if task["task_id"] == "send_report"]
    assert (sent["state"], sent["try_number"]) == ("success", 2)
    assert sorted(path.name for path in maildir.iterdir()) == before


def test_a_date_that_is_a_holiday_fails_at_once_and_says_which_sessions_there_are(airflow_stack: Stack) -> None:
    runs.await_dag(airflow_stack)
    run_id = runs.trigger(airflow_stack.api, {"session_date": "2025-07-04", "deliver": False})

    with pytest.raises(StackError) as caught:
        _finish(airflow_stack, run_id)

    assert "Task extract_fills" in str(caught.value)
    assert "failed at attempt 1" in str(caught.value)
    assert str(caught.value).endswith("2025-07-04 is no session of XNYS: ask for 2025-07-03 or 2025-07-07.")
