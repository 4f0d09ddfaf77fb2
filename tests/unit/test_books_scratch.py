"""Scratch files lie where the installation wants them, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from risk.books.scratch import binary_scratch


def test_scratch_files_lie_in_the_folder_of_the_settings_and_have_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "var" / "scratch"
    monkeypatch.setenv("RISK_SCRATCH_DIR", str(folder))
    with binary_scratch() as file:
        assert Path(f"/proc/self/fd/{file.fileno()}").readlink().parent == folder
        assert list(folder.iterdir()) == []
