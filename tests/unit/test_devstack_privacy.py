"""No other user of this machine reads what a clone keeps: data, mails, reports and logs."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import processes
from devstack.environment import airflow_settings
from devstack.workspace import Workspace


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_closed_to_others_also_those_of_an_earlier_version(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o755)
    workspace = Workspace(tmp_path)

    workspace.prepare()

    assert (mode(workspace.var), mode(workspace.airflow_home)) == (0o700, 0o700)


def test_program_makes_files_and_folders_for_its_user_only(tmp_path: Path) -> None:
    made = "Path('file').write_text('P&L'); Path('folder').mkdir()"
    code = f"import time; from pathlib import Path; {made}; time.sleep(60)"

    process = processes.launch([sys.executable, "-c", code], log=tmp_path / "log", mark="time.sleep", cwd=tmp_path)
    assert processes.wait_until((tmp_path / "folder").exists, 10.0)
    processes.stop(process)

    assert {name: oct(mode(tmp_path / name)) for name in ("file", "folder", "log")} == {
        "file": "0o600",
        "folder": "0o700",
        "log": "0o600",
    }


def test_logs_of_tasks_are_for_their_user_only(tmp_path: Path) -> None:
    found = airflow_settings(Workspace(tmp_path), "http://127.0.0.1:1", 1)

    # Airflow sets these modes itself, whatever the umask is.
    assert found["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS"] == "0o700"
    assert found["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS"] == "0o600"
