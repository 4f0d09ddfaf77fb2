"""Operator that writes the report and mails it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

from risk.core.desks import at_desk, desk_of, own_page
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection
from risk.limits.approvals import ApprovalPolicy, approval_run_id
from risk.limits.stand_in import stand_in_policy
from risk.operators.approval import NO_APPROVAL, start_approval
from risk.operators.assets import REPORT, add_event
from risk.operators.base import SMTP_CONNECTION_ID, RunOperator, service_connection
from risk.operators.metrics import send_gauges
from risk.operators.signals import announce_report
from risk.report.mail import SmtpServer, smtp_server_of
from risk.report.page import Links

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReportLink(BaseOperatorLink):
    """Button of the task that opens its report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  (Airflow's signature)
        """Return the address of the report page; empty until the task has written a report.

        Relative to the base element of Airflow's pages, so that it holds below any ``[api] base_url``.
        """
        written = ti_key.xcom_pull(task_ids=ti_key.task_id) or {}
        with at_desk(desk_of(ti_key.dag_id)):
            return f"{own_page()[1:]}/reports/{written['session_date']}" if written else ""


class SendReportOperator(RunOperator):
    """Store the report's facts, write its files and mail it to each recipient.

    Parameters
    ----------
    deliver
        Whether to mail the report: ``True`` or ``False``; empty = in scheduled runs only (templated).
    run_type
        Airflow's type of the run (templated).
    run_url
        Link to the run in the Airflow UI (templated).
    approval
        Which limits require approval after the mail: ``none``, ``high`` or ``all`` (templated).
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
        """Whether this run mails its report."""
        return str(self.deliver) == "True" if self.deliver else self.run_type == "scheduled"

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Report the run."""
        from risk.report.gauges import report_gauges
        from risk.report.send import send_report

        current = read_settings()
        server = smtp_server() if self.is_delivered else None
        links = Links(self.run_url, base_url=current.base_url)
        # Checked where the run was asked for; whatever has become of it since, it takes no approval away.
        scope = self.approval if self.approval in current.approval_scopes else current.approval
        policy = ApprovalPolicy(scope, current.dual_control, stand_in_policy(current))
        approval = None if scope == NO_APPROVAL else policy
        sent = send_report(connection, run, server, links, current, approval)
        if sent.is_delivered and approval is not None:
            start_approval(approval_run_id(run), run.run_id, run.session_date)
        if sent.outcome.is_news:
            announce_report(connection, run, current, asks_approval=approval is not None)
        if sent.is_delivered:
            send_gauges(run, lambda: report_gauges(connection, run))
        # Last: one refused recipient stops neither the others' mails nor the approval.
        sent.outcome.raise_for_faults("send_report")
        return {
            "facts_sha256": sent.facts_sha256,
            "recipient_count": sent.recipient_count,
            "sent_count": sent.sent_count,
            "excerpt_count": sent.excerpts.sent,
            "refused_excerpt_count": sent.excerpts.refused,
        }

    def announce(self, context: Context, run: Run, counts: Mapping[str, Any]) -> None:
        """Update the asset of the report, once every recipient has the mail."""
        if counts["recipient_count"]:
            add_event(context, REPORT, run, counts["facts_sha256"])


def smtp_server() -> SmtpServer:
    """Read the mail server from the Airflow connection ``smtp_default``."""
    return smtp_server_of(service_connection(SMTP_CONNECTION_ID))
