"""Operator that mails the weekly digest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from risk.core.settings import read_settings
from risk.operators.base import warehouse
from risk.operators.send_report import smtp_server
from risk.report.digest import send_digest

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendDigestOperator(BaseOperator):
    """Mail the digest of the last seven days to the report's recipients."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Mail the digest."""
        with warehouse() as connection:
            sent_count = send_digest(connection, smtp_server(), dt.datetime.now(dt.UTC), read_settings())
        self.log.info("mails=%d", sent_count)
        return {"sent_count": sent_count}
