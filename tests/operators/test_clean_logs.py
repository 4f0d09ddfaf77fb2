"""Old log files and old rows go, everything else stays."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from risk.core.settings import RETENTION
from risk.operators.maintenance import CLEANED_EVERY, CleanMetadataOperator, clean_own_logs, remove_old_files

BEFORE = dt.datetime(2025, 8, 15, tzinfo=dt.UTC)


def touch(path: Path, day: dt.datetime) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (day.timestamp(), day.timestamp()))
    return path


def test_remove_old_files_keeps_what_is_as_old_as_the_bound_and_removes_empty_folders(tmp_path: Path) -> None:
    kept = touch(tmp_path / "dag" / "run" / "kept.log", BEFORE)
    touch(tmp_path / "dag" / "run" / "old.log", BEFORE - dt.timedelta(seconds=1))
    touch(tmp_path / "dag" / "older" / "deep" / "old.log", BEFORE - dt.timedelta(days=400))

    assert remove_old_files(tmp_path, BEFORE) == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    assert not (tmp_path / "dag" / "older").exists()


def test_remove_old_files_does_not_follow_links(tmp_path: Path) -> None:
    outside = touch(tmp_path / "outside" / "precious.txt", BEFORE - dt.timedelta(days=1))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "latest").symlink_to(outside.parent)

    remove_old_files(logs, BEFORE)

    assert outside.exists()


def test_a_folder_that_waits_for_its_first_file_stays(tmp_path: Path) -> None:
    touch(tmp_path / "dag" / "run" / "task" / "old.log", BEFORE - dt.timedelta(days=1))
    (tmp_path / "dag" / "run" / "task of now").mkdir()

    assert remove_old_files(tmp_path, BEFORE) == 1
    assert [path.name for path in (tmp_path / "dag" / "run").iterdir()] == ["task of now"]


def test_each_machine_removes_its_own_logs_once_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime.now(dt.UTC)
    removed = []
    for machine in ("one", "two"):
        monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / machine))
        for _ in range(2):
            touch(tmp_path / machine / "old.log", now - RETENTION - dt.timedelta(days=1))
            touch(tmp_path / machine / "kept.log", now - RETENTION + dt.timedelta(days=30))
            removed.append(clean_own_logs(now))
    removed.append(clean_own_logs(now + CLEANED_EVERY + dt.timedelta(minutes=1)))

    assert removed == [1, 0, 1, 0, 1]
    assert sorted(path.name for path in tmp_path.rglob("*.log")) == ["kept.log", "kept.log", "old.log"]


def test_logs_that_cannot_be_removed_fail_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").write_text("a file")
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))

    assert clean_own_logs() == 0


def test_logs_of_an_airflow_that_somebody_else_runs_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime.now(dt.UTC)
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setattr("risk.operators.maintenance.IS_WHEEL", True)
    foreign = touch(tmp_path / "dag_id=theirs" / "old.log", now - RETENTION - dt.timedelta(days=1))

    assert clean_own_logs(now) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [foreign]


def test_clean_metadata_is_skipped_without_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AIRFLOW_METADATA", raising=False)

    with pytest.raises(AirflowSkipException, match="no connection airflow_metadata"):
        CleanMetadataOperator(task_id="clean_metadata").execute({})
