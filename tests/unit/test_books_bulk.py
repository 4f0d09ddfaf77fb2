"""The temporary file of very many fills is where the installation wants it, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from risk.books.bulk import _temporary_file


def test_the_temporary_file_is_in_its_folder_and_has_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "scratch"
    with _temporary_file(folder) as file:
        assert Path(f"/proc/self/fd/{file.fileno()}").readlink().parent == folder
        assert list(folder.iterdir()) == []
