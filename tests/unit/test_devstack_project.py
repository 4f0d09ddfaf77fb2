"""The files a fresh machine starts from: Makefile and requirements."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from risk.core.settings import PROJECT_DIR

CONTRACT = [
    *("run", "up", "down", "status", "trigger", "model", "backfill", "backup", "restore"),
    *("test", "test-fast", "test-sql", "test-e2e", "lint", "docs", "bench", "setup", "help", "clean"),
]


def requirement_blocks() -> list[str]:
    text = (PROJECT_DIR / "requirements.txt").read_text(encoding="utf-8")
    return re.split(r"\n(?=[a-z0-9])", text.strip())


def test_help_lists_every_command_of_the_contract() -> None:
    shown = subprocess.run(["make", "help"], cwd=PROJECT_DIR, capture_output=True, text=True, check=True).stdout

    listed = re.findall(r"^  make ([a-z0-9-]+)", shown, re.MULTILINE)

    assert set(CONTRACT) <= set(listed)


@pytest.mark.parametrize("command", ["run", "trigger", "backfill"])
def test_misspelt_variable_is_refused_before_anything_starts(command: str) -> None:
    asked = ["make", "--no-print-directory", "--dry-run", command]

    refused = subprocess.run([*asked, "DAET=2025-08-15"], cwd=PROJECT_DIR, capture_output=True, text=True, check=False)

    assert refused.returncode != 0
    assert refused.stdout == ""
    assert f"DAET is no variable of make {command}: use DATE FILLS" in refused.stderr
    given = ["DATE=2025-08-15", "FILLS=/a b", "FROM=2025-08-15", "RISK_APPROVAL=all"]
    assert subprocess.run([*asked, *given], cwd=PROJECT_DIR, capture_output=True, check=False).returncode == 0


def test_every_requirement_is_pinned_and_hashed() -> None:
    blocks = requirement_blocks()

    unpinned = [block for block in blocks if not re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+", block)]
    unhashed = [block for block in blocks if "--hash=sha256:" not in block]

    assert len(blocks) > 100
    assert unpinned == unhashed == []


def test_no_registry_is_named_anywhere() -> None:
    texts = [
        (PROJECT_DIR / name).read_text(encoding="utf-8")
        for name in ("requirements.in", "requirements.txt", "pyproject.toml", "Makefile")
    ]

    assert not re.search(r"https?://|index-url|find-links", "\n".join(texts))


def test_gpu_libraries_are_not_required() -> None:
    assert not [block for block in requirement_blocks() if block.startswith("nvidia")]


def test_every_choice_is_among_the_pins() -> None:
    chosen = re.findall(r"^([a-z0-9-]+)", (PROJECT_DIR / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    pinned = {re.split(r"==", block, maxsplit=1)[0] for block in requirement_blocks()}

    assert set(chosen) <= pinned


def test_setup_names_the_versions_it_needs_when_python_is_too_old(tmp_path: Path) -> None:
    # given a machine whose every Python says it is too old
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        old = tmp_path / "bin" / name
        old.parent.mkdir(exist_ok=True)
        old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.18"\nexit 1\n', encoding="utf-8")
        old.chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        (tmp_path / name).write_bytes((PROJECT_DIR / name).read_bytes())

    done = subprocess.run(
        ["make", "setup"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "No Python 3.11, 3.12 or 3.13 found (python3 is Python 3.9.18)" in done.stdout
    assert not (tmp_path / ".venv").exists()
