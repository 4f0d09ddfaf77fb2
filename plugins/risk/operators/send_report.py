"""Write the report and mail it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseHook, BaseOperatorLink
from airflow.sdk import Connection as AirflowConnection

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.approval import NO_APPROVAL, start_approval
from risk.operators.base import RunOperator
from risk.report.mail import SmtpServer
from risk.report.page import Links
from risk.report.send import send_report

SMTP_CONNECTION_ID = "smtp_default"
REPORTS_PATH = "/risk/reports"


class ReportLink(BaseOperatorLink):
    """The button beside the task that opens its report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  (Airflow's signature)
        """Return the address of the report's page, once the task has written one."""
        written = ti_key.xcom_pull(task_ids=ti_key.task_id) or {}
        return f"{REPORTS_PATH}/{written['session_date']}" if written else ""


class SendReportOperator(RunOperator):
    """Store the report's facts, write its files and mail it once to each recipient.

    Parameters
    ----------
    deliver
        Whether the mail leaves: ``True`` or ``False``; empty means scheduled runs mail and others do not (templated).
    run_type
        Airflow's type of the run (templated).
    run_url
        Link to the run in the Airflow UI (templated).
    approval
        For whose limits a person is asked once the mail is out: ``none``, ``high`` or ``all`` (templated).
    """

    rebuild_through = "aggregate_pnl"
    operator_extra_links = (ReportLink(),)
    template_fields: Sequence[str] = (*RunOperator.template_fields, "deliver", "run_type", "run_url", "approval")

    def __init__(
        self,
        *,
        deliver: str = "{{ '' if params.deliver is none else params.deliver }}",
        run_type: str = "{{ dag_run.run_type.value }}",
        run_url: str = "/dags/{{ dag.dag_id }}/runs/{{ dag_run.run_id | urlencode }}",
        approval: str = "{{ params.approval }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.approval = approval
        self.deliver = deliver
        self.run_type = run_type
        self.run_url = run_url

    @property
    def is_delivered(self) -> bool:
        """Whether this run's mail leaves the house."""
        return str(self.deliver) == "True" if self.deliver else self.run_type == "scheduled"

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Report the run."""
        server = smtp_server(BaseHook.get_connection(SMTP_CONNECTION_ID)) if self.is_delivered else None
        sent = send_report(connection, run, server, Links(self.run_url, self.approval))
        if sent.recipient_count and self.approval != NO_APPROVAL:
            start_approval(run, self.approval)
        return {
            "facts_sha256": sent.facts_sha256,
            "recipient_count": sent.recipient_count,
            "sent_count": sent.sent_count,
        }


def smtp_server(connection: AirflowConnection) -> SmtpServer:
    """Read host, credentials and encryption from an Airflow connection of type ``smtp``."""
    extra = connection.extra_dejson
    return SmtpServer(
        host=connection.host or "localhost",
        port=connection.port or 25,
        user=connection.login or "",
        password=connection.password or "",
        use_ssl=str(extra.get("disable_ssl", "true")).lower() == "false",
        use_starttls=str(extra.get("disable_tls", "true")).lower() == "false",
    )
