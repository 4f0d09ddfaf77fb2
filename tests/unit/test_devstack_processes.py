"""No signal without proof: a process is ours by id, start time and command together."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack import processes
from risk.core.errors import StackError

SLEEP = "import time; time.sleep(60)"
FORKING = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); {SLEEP}"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {SLEEP}"


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[list[processes.Process]]:
    """Collect what a test starts and end it whatever happens."""
    started: list[processes.Process] = []
    yield started
    for process in started:
        for pid in processes.session_members(process):
            os.kill(pid, signal.SIGKILL)
        processes.reap(process.pid)


def launch(tmp_path: Path, code: str, launched: list[processes.Process]) -> processes.Process:
    process = processes.launch(
        [sys.executable, "-c", code], log=tmp_path / "process.log", mark="time.sleep(60)", cwd=tmp_path
    )
    launched.append(process)
    return process


def test_launched_process_is_alive_and_leads_its_own_session(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, SLEEP, launched)

    assert processes.is_alive(process)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


@pytest.mark.parametrize("forged", [{"started": "another boot 1"}, {"mark": "postgres -D /elsewhere"}, {"started": ""}])
def test_process_is_not_ours_when_start_or_command_differ(
    tmp_path: Path, launched: list[processes.Process], forged: dict[str, str]
) -> None:
    process = launch(tmp_path, SLEEP, launched)

    stale = dataclasses.replace(process, **forged)

    assert not processes.is_alive(stale)


def test_stop_spares_a_stranger_that_has_the_recorded_id(tmp_path: Path, launched: list[processes.Process]) -> None:
    stranger = launch(tmp_path, SLEEP, launched)
    stale = dataclasses.replace(stranger, started="an earlier boot 42")

    was_ours = processes.stop(stale, grace_s=0.5)

    assert not was_ours
    assert processes.is_alive(stranger)


def test_stop_ends_the_process_and_what_it_has_forked(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, FORKING, launched)
    assert processes.wait_until(lambda: len(processes.session_members(process)) == 2, 10.0)
    members = processes.session_members(process)

    assert processes.stop(process)

    assert not any(psutil.pid_exists(pid) and processes.start_time(pid) for pid in members)


def test_stop_ends_the_orphans_of_a_killed_process(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, FORKING, launched)
    assert processes.wait_until(lambda: len(processes.session_members(process)) == 2, 10.0)
    (orphan,) = set(processes.session_members(process)) - {process.pid}

    os.kill(process.pid, signal.SIGKILL)
    os.waitpid(process.pid, 0)
    assert processes.start_time(orphan)
    processes.stop(process)

    assert processes.wait_until(lambda: not processes.start_time(orphan), 5.0)


def test_stop_kills_what_ignores_the_polite_signal(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, STUBBORN, launched)
    assert processes.wait_until(lambda: "ready" in (tmp_path / "process.log").read_text(), 10.0)

    processes.stop_all([process], grace_s=0.2)

    assert not processes.is_alive(process)


def test_zombie_is_not_alive(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, SLEEP, launched)

    os.kill(process.pid, signal.SIGKILL)

    assert processes.wait_until(lambda: not processes.is_alive(process), 5.0)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE


def test_recall_gives_what_remember_wrote(tmp_path: Path, launched: list[processes.Process]) -> None:
    process = launch(tmp_path, SLEEP, launched)

    processes.write_record(tmp_path / "record.json", process)

    assert processes.running(tmp_path / "record.json") == process


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_recall_gives_nothing_when_the_record_is_unusable(tmp_path: Path, content: str) -> None:
    record = tmp_path / "record.json"
    record.write_text(content, encoding="utf-8")

    assert processes.read_record(record) is None


def test_launch_names_the_missing_program(tmp_path: Path) -> None:
    with pytest.raises(
        StackError, match=r"/no/such/program cannot be started: No such file or directory. Run make setup"
    ):
        processes.launch(["/no/such/program"], log=tmp_path / "process.log", mark="program", cwd=tmp_path)
