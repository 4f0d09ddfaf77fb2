"""How long what is not the books is kept: Airflow's own records and log files. The warehouse keeps everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path


def remove_old_files(folder: Path, before: dt.datetime) -> int:
    """Remove the files of a folder and its subfolders that were last written before an instant.

    Folders that are empty then go too; links are not followed.

    Parameters
    ----------
    folder
        Where to look; it stays itself.
    before
        Aware instant.

    Returns
    -------
    int
        Number of files removed.
    """
    removed = 0
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.lstat().st_mtime < before.timestamp():
            path.unlink()
            removed += 1
    return removed
