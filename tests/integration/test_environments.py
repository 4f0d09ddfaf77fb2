"""The report's bytes do not depend on where they are made: time zone, locale, hash seed, threads, order of rows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from risk.core import warehouse
from risk.core.settings import PROJECT_DIR, Settings
from risk.report.build_facts import build_facts
from simulation.writing import simulate
from tests.publications import run_line

HERE = {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
ELSEWHERE = {
    "TZ": "Asia/Kathmandu",
    "PGTZ": "Pacific/Apia",
    "PGDATESTYLE": "SQL, DMY",
    "LC_ALL": "tr_TR.UTF-8",
    "PYTHONHASHSEED": "4711",
    "OMP_NUM_THREADS": "4",
    "OPENBLAS_NUM_THREADS": "4",
}


def reverse_rows(folder: Path) -> None:
    """Write every file's executions anew, the last instant first; those of one instant keep their order."""
    for file in folder.glob("*.csv"):
        header, *lines = file.read_text().splitlines()
        if header.startswith("Date/Time"):
            lines.sort(key=lambda line: line.split(",")[0], reverse=True)
            file.write_text("\n".join([header, *lines]) + "\n")


def report_made(dsn: str, folder: Path, environment: dict[str, str]) -> str:
    """Run the line in a process of its own."""
    given = {**os.environ, "PYTHONPATH": f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR}", **environment}
    command = [sys.executable, "-m", "tests.integration.test_environments", dsn, str(folder)]
    return subprocess.run(command, env=given, cwd=PROJECT_DIR, capture_output=True, text=True, check=True).stdout


@pytest.mark.thorough
def test_report_is_the_same_bytes_whatever_the_environment_and_the_order_of_rows(
    fresh_warehouse: Callable[[], str], tmp_path: Path
) -> None:
    simulate("medium", 3, 30, 5, tmp_path / "desk")

    here = report_made(fresh_warehouse(), tmp_path / "desk", HERE)
    reverse_rows(tmp_path / "desk")
    elsewhere = report_made(fresh_warehouse(), tmp_path / "desk", ELSEWHERE)

    assert '"reasons"' in here
    assert elsewhere == here


if __name__ == "__main__":
    from risk.ingest.read import newest_session

    with contextlib.closing(warehouse.connect(sys.argv[1])) as opened:
        desk = Path(sys.argv[2])
        done = run_line(opened, sys.argv[1], desk, newest_session(desk, Settings()), is_simulated=True)
        sys.stdout.write(build_facts(opened, done).canonical)
