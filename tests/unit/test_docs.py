"""The documents: every command they show exists, and is run by a test or listed with the reason why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from risk.cli import app
from risk.core.settings import PROJECT_DIR

DOCUMENTS = [
    *(PROJECT_DIR / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(path for path in (PROJECT_DIR / "docs").rglob("*.md") if path.name != "cli.md"),
]
PROGRAMS = ("make ", "./riskctl ", "riskctl ", "python -m ", "docker ", "airflow ", "cp ", "openssl ")

RUN_BY = {
    "make run": "tests/integration/test_operation.py",
    "make up": "tests/integration/test_operation.py",
    "make down": "tests/integration/test_operation.py",
    "make status": "tests/integration/test_operation.py",
    "make trigger": "tests/integration/test_operation.py",
    "make model": "tests/integration/test_daily_run.py",
    "make backfill": "tests/integration/test_operation.py",
    "make backup": "tests/integration/test_backup.py",
    "make restore": "tests/integration/test_backup.py",
    "riskctl --help": "tests/unit/test_cli.py",
    "riskctl pnl": "tests/unit/test_cli.py",
    "riskctl backtest": "tests/unit/test_cli.py",
    "riskctl replay": "tests/integration/test_replay.py",
    "riskctl doctor": "tests/integration/test_operation.py",
    "riskctl watchdog": "tests/integration/test_operation.py",
    "riskctl track-record": "tests/sql/test_limits_track_record.py",
    "riskctl migrate": "tests/sql/test_core_roles.py",
    "python -m tests.golden": "tests/golden/__main__.py",
    "airflow backfill": "tests/integration/test_operation.py",
    "airflow db": "tests/operators/test_clean_metadata.py",
}
"""Command shown in the documents to the file that runs it, or the code behind it."""

NOT_RUN = {
    "make test": "runs the tests, this one included",
    "make test-fast": "runs the tests, this one included",
    "make test-sql": "runs the tests",
    "make test-e2e": "runs the tests",
    "make lint": "CI runs it before the tests",
    "make docs": "CI runs it before the tests",
    "make setup": "CI runs it first",
    "make help": "prints the Makefile's own comments",
    "make bench": "measures for many minutes",
    "make pictures": "needs a running desk with approvals and replaces committed pictures",
    "make requirements": "resolves the newest packages and changes the pins",
    "make clean": "removes the installation that runs the tests",
    "python -m bench": "measures for many minutes",
    "python -m docs.generate": "CI runs it as make docs",
    "docker compose": "no container engine in CI; tests/unit/test_compose.py checks the files as text",
    "airflow rotate-fernet-key": "Airflow's own command, on a compose installation",
    "cp .env.example": "copies the template; tests/unit/test_compose.py reads it",
}
"""Command shown in the documents to the reason why no test runs it."""


def _shown(document: Path) -> Iterator[str]:
    """Find the commands in code spans and code blocks."""
    text = document.read_text(encoding="utf-8")
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    blocks = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    for line in (*spans, *blocks):
        for part in re.split(r"\s+&&\s+|; ", line):
            if part.startswith(PROGRAMS):
                yield part.partition("#")[0].strip()


SHOWN = sorted(
    {(document.relative_to(PROJECT_DIR).as_posix(), command) for document in DOCUMENTS for command in _shown(document)}
)


def _key(command: str) -> str:
    words = command.removeprefix("./").replace("[", " ").split()
    return " ".join(words[:3] if words[:2] == ["python", "-m"] else words[:2])


@pytest.mark.parametrize(("document", "command"), SHOWN)
def test_shown_command_is_run_by_a_test_or_has_a_reason(document: str, command: str) -> None:
    key = _key(command)

    assert key in RUN_BY or key in NOT_RUN, f"{document} shows {command!r}: name its test or the reason here."
    if key in RUN_BY:
        assert (PROJECT_DIR / RUN_BY[key]).is_file()


@pytest.mark.parametrize(("document", "command"), [row for row in SHOWN if row[1].startswith("make ")])
def test_shown_make_target_and_variables_exist(document: str, command: str) -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    words = command.replace("[", " ").replace("]", " ").split()[1:]

    assert {word for word in words if "=" not in word} <= targets, document
    for variable in (word.partition("=")[0] for word in words if "=" in word):
        assert variable in makefile, f"{document}: {variable}"


@pytest.mark.parametrize(("document", "command"), [row for row in SHOWN if "riskctl " in row[1]])
def test_shown_riskctl_command_has_the_shown_options(document: str, command: str) -> None:
    group: Any = typer.main.get_command(app)
    name, *words = shlex.split(command)[1:]
    if name.startswith(("-", "COMMAND")):
        return
    options = {option for parameter in group.commands[name].params for option in parameter.opts}

    assert {word for word in words if word.startswith("--")} <= options, document


def test_every_listed_command_is_still_shown() -> None:
    assert {_key(command) for _, command in SHOWN} >= {*RUN_BY, *NOT_RUN} - {
        "airflow db",
        "make help",
        "make clean",
        "make setup",
    }


def test_links_of_the_documents_outside_the_site_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (PROJECT_DIR / name).read_text(encoding="utf-8")):
            assert (PROJECT_DIR / target).exists(), f"{name}: {target}"


def test_readme_and_contributing_stay_short() -> None:
    assert len((PROJECT_DIR / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
    assert len((PROJECT_DIR / "CONTRIBUTING.md").read_bytes()) <= 6_000
