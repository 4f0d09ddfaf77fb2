"""The temporary file of very many fills is where the installation wants it, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from risk.books.bulk import _temporary_file


def test_the_temporary_file_is_in_the_folder_of_the_settings_and_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "var" / "scratch"
    monkeypatch.setenv("RISK_SCRATCH_DIR", str(folder))
    with _temporary_file() as file:
        assert Path(f"/proc/self/fd/{file.fileno()}").readlink().parent == folder
        assert list(folder.iterdir()) == []
