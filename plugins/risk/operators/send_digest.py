"""Mail the weekly digest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator

from risk.operators.base import warehouse
from risk.operators.send_report import SMTP_CONNECTION_ID, smtp_server
from risk.report.digest import send_digest

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendDigestOperator(BaseOperator):
    """Gather the last week's mornings and mail them to the report's recipients."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Mail the digest."""
        server = smtp_server(BaseHook.get_connection(SMTP_CONNECTION_ID))
        with warehouse() as connection:
            sent_count = send_digest(connection, server, dt.datetime.now(dt.UTC))
        self.log.info("mails=%d", sent_count)
        return {"sent_count": sent_count}
