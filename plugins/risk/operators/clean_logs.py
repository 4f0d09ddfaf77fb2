"""Remove old log files of Airflow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, conf

from risk.core.settings import RETENTION

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanLogsOperator(BaseOperator):
    """Remove task logs that are older than the retention; the warehouse is not touched."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Remove the files and return their number."""
        before = dt.datetime.now(dt.UTC) - RETENTION
        count = remove_old_files(Path(conf.get("logging", "base_log_folder")), before)
        self.log.info("before=%s removed_file_count=%s", before.isoformat(), count)
        return {"removed_file_count": count}


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
