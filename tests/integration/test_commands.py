"""What the documents show, typed in a copy of the project: every command in the order of a first day."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.core.settings import PROJECT_DIR

pytestmark = [pytest.mark.guides, pytest.mark.slow]

BACKUP = "var/backups/first-day.tar"
FIRST_DAY = {
    "make run": "Limits for 2025-08-18",
    "make up": "http://127.0.0.1:",
    "make status": "http://127.0.0.1:",
    "make trigger DATE=2025-08-14": "Limits for 2025-08-15",
    "make model": "send_model_card  success",
    "make backfill FROM=2025-08-12 TO=2025-08-13": "2025-08-13",
    "./riskctl --help": "track-record",
    "./riskctl doctor": "ok",
    "./riskctl desk": "Limits of all active traders: ",
    "./riskctl traders": "NET001",
    "./riskctl use": "2025-08-15  ",
    "./riskctl breaches --json true": "[",
    "./riskctl track-record": "evidence",
    "./riskctl withdraw --account NET001 --session 2025-08-14 --reason test": "withdrawn",
    "./riskctl replay --session 2025-08-15": "equal to the report",
    "./riskctl migrate": "",
    f"make backup FILE={BACKUP}": "first-day.tar",
    "make down": "",
    f"make restore FILE={BACKUP}": "",
    "make run FILLS=blotters MAPPING=das DATE=2025-08-15": "+$125.00",
}
"""Command to a piece of what it prints."""

BLOTTER = """Time,Symb,Side,Price,Qty,Route,Broker,Account,Type,Cloid
09:45:00,XYZ,B,10,100,ARCA,,DAS01,Limit,1
09:46:00,XYZ,S,11.25,100,ARCA,,DAS01,Limit,2
"""


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.CompletedProcess[str]]]:
    """Type the commands in order in a copy of the project that shares the installed packages."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("dags", "plugins", "include", "devstack", "simulation", "ops"):
        shutil.copytree(PROJECT_DIR / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "riskctl", "requirements.txt", "pyproject.toml"):
        shutil.copy2(PROJECT_DIR / name, copy / name)
    (copy / ".venv").symlink_to((PROJECT_DIR / ".venv").resolve())
    (copy / "blotters").mkdir()
    (copy / "blotters" / "das_2025-08-15.csv").write_text(BLOTTER)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RISK_", "AIRFLOW"))}
    results = {}
    try:
        for command in FIRST_DAY:
            results[command] = _type(command, copy, environment)
        yield results
    finally:
        _type("make down", copy, environment)


def _type(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.split(), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.parametrize(("command", "expected"), FIRST_DAY.items())
def test_command_does_what_the_documents_say(
    typed: dict[str, subprocess.CompletedProcess[str]], command: str, expected: str
) -> None:
    done = typed[command]

    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert expected in done.stdout
