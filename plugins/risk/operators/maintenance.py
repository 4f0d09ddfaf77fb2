"""Maintenance: remove old rows of Airflow's own database, and on each machine its old log files."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator, conf
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from risk.core.errors import StackError
from risk.core.settings import IS_WHEEL, RETENTION

if TYPE_CHECKING:
    from airflow.sdk import Context

METADATA_CONNECTION_ID = "airflow_metadata"
SHOWN_CHARACTERS = 2_000
CLEANED_EVERY = dt.timedelta(days=7)

log = logging.getLogger(__name__)


def clean_own_logs(now: dt.datetime | None = None) -> int:
    """Remove this machine's task logs that are older than the retention, at most once a week.

    Each machine that runs tasks or callbacks does it for itself after one of them: no task could reach the others'
    disks. What cannot be removed is logged and fails nothing. Where the wheel is installed nothing is removed: the logs
    of an Airflow somebody else runs are other DAGs' too.

    Parameters
    ----------
    now
        Aware instant; ``None`` = by this machine's clock.

    Returns
    -------
    int
        Number of files removed.
    """
    if IS_WHEEL:
        return 0
    now = now or dt.datetime.now(dt.UTC)
    folder = Path(conf.get("logging", "base_log_folder"))
    stamp = folder / ".cleaned"
    try:
        if stamp.exists() and now.timestamp() - stamp.stat().st_mtime < CLEANED_EVERY.total_seconds():
            return 0
        # First, so that other tasks of this machine pass by meanwhile.
        stamp.touch(mode=0o600)
        count = remove_old_files(folder, now - RETENTION)
    except OSError as error:
        log.warning("Old task logs were not removed: %s", error)
        return 0
    log.info("before=%s removed_file_count=%s", (now - RETENTION).isoformat(), count)
    return count


def remove_old_files(folder: Path, before: dt.datetime) -> int:
    """Remove the files of a folder and its subfolders that were last written before an instant.

    Folders that are empty then go too, but none that somebody has just made to put a file into; links are not followed.
    What cannot be removed is logged, and the rest goes.

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
    removed, emptied = 0, set[Path]()
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        try:
            is_old = path.lstat().st_mtime < before.timestamp()
        except FileNotFoundError:  # another process has removed it
            continue
        if path.is_dir() and not path.is_symlink():
            if is_old or path in emptied:
                with contextlib.suppress(OSError):  # it holds something
                    path.rmdir()
                    emptied.add(path.parent)
        elif is_old:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("An old file was not removed: %s", error)
                continue
            emptied.add(path.parent)
            removed += 1
    return removed


class CleanMetadataOperator(BaseOperator):
    """Run ``airflow db clean`` for everything older than the retention.

    Airflow gives tasks no access to its database: the connection ``airflow_metadata`` does, to this task only. Where it
    is missing, the task is skipped: whoever runs that Airflow removes its rows.
    """

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Clean, and fail with the command's own words if it cannot."""
        before = (dt.datetime.now(dt.UTC) - RETENTION).isoformat()
        try:
            uri = BaseHook.get_connection(METADATA_CONNECTION_ID).get_uri()
        except AirflowNotFoundException:
            raise AirflowSkipException(
                f"There is no connection {METADATA_CONNECTION_ID}: nothing is cleaned."
            ) from None
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
