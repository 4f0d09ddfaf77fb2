"""The temporary file of a load."""

from __future__ import annotations

from pathlib import Path

from risk.ingest.stage import Spool


def test_spool_creates_the_folder_of_temporary_files_and_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "scratch"

    with Spool(folder):
        assert folder.is_dir()

    assert list(folder.iterdir()) == []
