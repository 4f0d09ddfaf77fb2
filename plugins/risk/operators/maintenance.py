"""Weekly maintenance: remove old log files, and old rows of Airflow's own database."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator, conf

from risk.core.errors import StackError
from risk.core.settings import RETENTION

if TYPE_CHECKING:
    from airflow.sdk import Context

METADATA_CONNECTION_ID = "airflow_metadata"
SHOWN_CHARACTERS = 2_000


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


class CleanMetadataOperator(BaseOperator):
    """Run ``airflow db clean`` for everything older than the retention.

    Airflow gives tasks no access to its database: the connection ``airflow_metadata`` does, to this task only.
    """

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Clean, and fail with the command's own words if it cannot."""
        before = (dt.datetime.now(dt.UTC) - RETENTION).isoformat()
        uri = BaseHook.get_connection(METADATA_CONNECTION_ID).get_uri()
        dsn = f"postgresql+psycopg2://{uri.partition('://')[2]}"
        words = ["db", "clean", "--clean-before-timestamp", before, "--skip-archive", "--yes"]
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words, "--error-on-cleanup-failure"],
            env={**os.environ, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": dsn},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            end = done.stderr[-SHOWN_CHARACTERS:].replace(dsn, "(the metadata database)")
            raise StackError(f"airflow db clean failed; fix the cause, then clear this task. It said: {end}")
        self.log.info("before=%s cleaned", before)
        return {"before": before}
