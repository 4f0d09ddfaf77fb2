"""The documents: every command they show exists, and is run by a test or listed with the reason why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from docs.generate import cli_page, riskctl_commands
from risk.cli import app
from risk.core.settings import PROJECT_DIR

DOCUMENTS = [
    *(PROJECT_DIR / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(path for path in (PROJECT_DIR / "docs").rglob("*.md") if path.name != "cli.md"),
]
PROGRAMS = (
    "PYTHONPATH=plugins:. ",
    "make ",
    "./riskctl ",
    "riskctl ",
    "python -m ",
    "docker ",
    "airflow ",
    "cp ",
    "openssl ",
)

FIRST_DAY = "tests/integration/test_commands.py"
RUN_BY = {
    "make wheel": "tests/integration/guest.py",
    "make prior": "tests/unit/test_model_prior.py",
    "make run": FIRST_DAY,
    "make up": FIRST_DAY,
    "make down": FIRST_DAY,
    "make status": FIRST_DAY,
    "make trigger": FIRST_DAY,
    "make model": FIRST_DAY,
    "make backfill": FIRST_DAY,
    "make backup": FIRST_DAY,
    "make restore": FIRST_DAY,
    "riskctl replay": FIRST_DAY,
    "riskctl doctor": FIRST_DAY,
    "riskctl watchdog": "tests/sql/test_report_watchdog.py",
    "riskctl track-record": FIRST_DAY,
    "riskctl --help": FIRST_DAY,
    "riskctl desk": FIRST_DAY,
    "riskctl breaches": FIRST_DAY,
    "riskctl limits": "tests/sql/test_limits_register.py",
    "riskctl policy": "tests/sql/test_limits_policy_rows.py",
    "riskctl pnl": "tests/unit/test_cli.py",
    "riskctl backtest": "tests/unit/test_cli.py",
    "riskctl withdraw": "tests/integration/test_commands.py",
    "riskctl verify": "tests/sql/test_core_verify.py",
    "riskctl examine": "tests/sql/test_evidence_pack.py",
    "riskctl export": "tests/sql/test_report_export.py",
    "riskctl --desk": "tests/integration/test_two_desks.py",
    "riskctl migrate": "tests/sql/test_core_roles.py",
    "riskctl map": "tests/unit/test_ingest_preview.py",
    "python -m tests.golden": "tests/golden/test_golden.py",
    "airflow dags": "tests/integration/test_stock_airflow.py",
    "airflow backfill": "tests/integration/test_operation.py",
}
"""Command shown in the documents to the file of the test that runs it, or the code behind it."""

NOT_RUN = {
    "make test": "runs the tests, this one included",
    "make test-fast": "runs the tests, this one included",
    "make test-sql": "runs the tests",
    "make test-e2e": "runs the tests",
    "make test-thorough": "runs the properties, for many minutes",
    "make test-faults": "runs the tests with faults, for many minutes",
    "make lint": "CI runs it before the tests",
    "make docs": "CI runs it before the tests",
    "make setup": "CI runs it first",
    "make format": "rewrites the sources",
    "make help": "prints the Makefile's own comments",
    "make bench": "measures for many minutes",
    "python -m tests.releases": "freezes the schema of a release; tests/sql/test_core_releases.py reads what it wrote",
    "make pictures": "needs a running desk with approvals and replaces committed pictures",
    "make requirements": "resolves the newest packages and changes the pins",
    "python -m bench": "measures for many minutes",
    "make test-guides": "runs the tests that type the documents' commands",
    "make test-stacks": "runs the tests of whole stacks",
    "make test-workers": "runs the tests on two Celery workers",
    "make test-compose": "runs the tests that start the compose file",
    "make test-stores": "installs packages of its own and runs the tests that need them",
    "docker compose": "tests/compose runs them, in a container engine",
    "docker images": "shows digests of a registry, which CI does not reach",
    "airflow roles": "changes roles of FAB, whose provider needs another python-dateutil than the tests have",
    "openssl rand": "makes a password",
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
    words = command.removeprefix("PYTHONPATH=plugins:. .venv/bin/").removeprefix("./").replace("[", " ").split()
    return " ".join(words[:3] if words[:2] == ["python", "-m"] else words[:2])


@pytest.mark.parametrize(("document", "command"), SHOWN)
def test_shown_command_is_run_by_a_test_or_has_a_reason(document: str, command: str) -> None:
    key = _key(command)

    assert key in RUN_BY or key in NOT_RUN, f"{document} shows {command!r}: name its test or the reason here."
    if key in RUN_BY:
        assert key.split()[-1] in (PROJECT_DIR / RUN_BY[key]).read_text(encoding="utf-8")


@pytest.mark.parametrize(("document", "command"), [row for row in SHOWN if row[1].startswith("make ")])
def test_shown_make_target_and_variables_exist(document: str, command: str) -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    words = command.replace("[", " ").replace("]", " ").split()[1:]

    assert {word for word in words if "=" not in word} <= targets, document
    for variable in (word.partition("=")[0] for word in words if "=" in word):
        assert variable in makefile, f"{document}: {variable}"


@pytest.mark.parametrize(("document", "command"), [row for row in SHOWN if "riskctl " in row[1]])
def test_shown_riskctl_command_has_the_shown_options(document: str, command: str) -> None:
    commands = riskctl_commands(typer.main.get_command(app))
    name, *words = shlex.split(command.partition("riskctl ")[2])
    if name.startswith(("-", "COMMAND")):
        return
    name = name if name in commands else f"{name} {words[0]}"
    options = {option for parameter in commands[name].params for option in parameter.opts}

    assert {word for word in words if word.startswith("--")} <= options, document


def test_page_of_commands_says_what_stands_before_a_command() -> None:
    common, _, _ = "\n".join(cli_page()).partition("\n## ")

    assert re.findall(r"^\| `(--\w+)` \| \w+", common, re.MULTILINE) == ["--desk", "--version"]


def test_every_listed_command_is_still_shown() -> None:
    assert {_key(command) for _, command in SHOWN} == {*RUN_BY, *NOT_RUN}


def test_links_of_the_documents_outside_the_site_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (PROJECT_DIR / name).read_text(encoding="utf-8")):
            assert (PROJECT_DIR / target).exists(), f"{name}: {target}"


def test_readme_and_contributing_stay_short() -> None:
    assert len((PROJECT_DIR / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
    assert len((PROJECT_DIR / "CONTRIBUTING.md").read_bytes()) <= 6_000
