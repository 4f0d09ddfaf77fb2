"""Remove old rows of Airflow's own database."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator

from risk.core.errors import StackError
from risk.core.settings import RETENTION

if TYPE_CHECKING:
    from airflow.sdk import Context

METADATA_CONNECTION_ID = "airflow_metadata"
SHOWN_CHARACTERS = 2_000


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
