"""Old log files go, everything else stays."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from risk.operators.maintenance import remove_old_files

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
