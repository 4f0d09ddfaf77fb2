"""The tasks of the DAG publish_limits: wait until the limits are decided on the Risk page, publish them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException

from risk.core.desks import PUBLICATION_DAG, own_dag, own_page
from risk.core.errors import StackError
from risk.core.runs import read_run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import (
    DECIDED_ON_PAGE,
    Publication,
    open_proposals,
    read_proposals,
    read_publication,
    superseded_by,
)
from risk.limits.publish import publish
from risk.operators.assets import LIMITS, add_event
from risk.operators.base import SMTP_CONNECTION_ID, service_connection, warehouse
from risk.operators.lineage import LineageMixin
from risk.operators.metrics import send_gauges
from risk.operators.outbound import outbound_of
from risk.operators.signals import pass_on
from risk.report.mail import smtp_server_of

if TYPE_CHECKING:
    from airflow.sdk import Context

NO_APPROVAL = "none"
LONGEST_WAIT = dt.timedelta(minutes=5)
"""The wait looks into the warehouse by itself as often as this."""


def start_approval(dag_run_id: str, run_id: int, session_date: dt.date) -> None:
    """Start the DAG publish_limits for a run, once.

    Raises
    ------
    StackError
        If Airflow refuses; the report was sent, nothing is published.
    """
    conf = {"run_id": run_id, "session_date": session_date.isoformat()}
    refusal = _trigger(dag_run_id, conf, note=f"session {session_date}")
    if refusal:
        raise StackError(
            f"The report was sent, but Airflow did not start {own_dag(PUBLICATION_DAG)} ({refusal}): check that the "
            "DAG exists and is not paused, then clear send_report; the email is not sent again."
        )


def _trigger(dag_run_id: str, conf: dict[str, Any], note: str) -> str:
    """Start a run of the DAG; return Airflow's refusal, or nothing where it starts or exists.

    The only use of a private Airflow API in this module. It sends the message that TriggerDagRunOperator sends (that
    operator ends the task without its return value); Airflow's public API needs a login that a task does not have.
    ``tests/dags/test_unstable_apis.py`` fails where an upgrade renames any of it.
    """
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    asked = TriggerDagRun(dag_id=own_dag(PUBLICATION_DAG), run_id=dag_run_id, conf=conf, note=note)
    answer = SUPERVISOR_COMMS.send(asked)
    if isinstance(answer, ErrorResponse) and answer.error.value != "DAGRUN_ALREADY_EXISTS":
        return str(answer.error.value)
    return ""


class AwaitDecisionsOperator(HITLOperator):
    """Wait, without a worker slot, until nobody may answer any more: everything is decided, late or superseded.

    What is decided is read from the warehouse. The required action that Airflow shows meanwhile names no amount, since
    its text cannot change, and its only option makes this task look at the warehouse again.

    Parameters
    ----------
    run_id
        Key of the run whose limits are decided (templated).
    """

    template_fields: Sequence[str] = ("run_id",)

    def __init__(self, *, run_id: str = "{{ params.run_id }}", **kwargs: Any) -> None:
        shown: dict[str, Any] = {"options": [DECIDED_ON_PAGE], "defaults": [DECIDED_ON_PAGE]}
        # Given, since Airflow would take the execution time-out for it and drop that.
        super().__init__(subject="Decide about limits", response_timeout=LONGEST_WAIT, **shown, **kwargs)
        self.run_id = run_id

    def execute(self, context: Context) -> Any:
        """Wait if somebody may still answer."""
        with warehouse() as connection:
            publication = read_publication(connection, run_id=int(self.run_id))
            waiting_count = len(open_proposals(publication, read_proposals(connection, publication)))
            now = rows(connection, "publish_limits/select_clock")[0][0]
            left = publication.decision_deadline - now
            is_superseded = superseded_by(connection, publication) is not None
            is_over = is_superseded or not waiting_count or left <= dt.timedelta(0)
            if not is_over and publication.stand_in is not None:
                until_stand_in = publication.stand_in.starts_at - now
                if until_stand_in > dt.timedelta(0):
                    left = min(left, until_stand_in)
                else:
                    self._remind(connection, publication)
        session = publication.effective_session
        self.log.info("session=%s waiting=%d superseded=%s", session, waiting_count, is_superseded)
        if is_over:
            return None
        self.subject = f"Limits for {session}: decide on the Risk page by {publication.deadline_text}"
        self.body = f"[Approval on the Risk page]({own_page()[1:]}/approvals/{publication.publication_id})"
        self.response_timeout = min(LONGEST_WAIT, left)
        return super().execute(context)

    def _remind(self, connection: Connection, publication: Publication) -> None:
        """Mail the stand-in, once; a mail that fails is tried again at the next look, and keeps nobody waiting."""
        from risk.report.limits_mail import send_reminder

        try:
            server = smtp_server_of(service_connection(SMTP_CONNECTION_ID))
        except AirflowNotFoundException as error:
            self.log.warning("The stand-in was not reminded: %s", error)
            return
        sent_count = send_reminder(connection, server, publication, read_settings())
        self.log.info("session=%s reminders=%d", publication.effective_session, sent_count)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Look again, whoever answered and whatever he chose."""
        if "error" in event:
            self.process_trigger_event_error(event)
        return self.execute(context)


class PublishLimitsOperator(LineageMixin, BaseOperator):
    """Bring the decided limits into force, and write the file for the trading platform.

    Parameters
    ----------
    run_id
        Key of the run whose limits are published (templated).
    """

    template_fields: Sequence[str] = ("run_id",)

    def __init__(self, *, run_id: str = "{{ params.run_id }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Publish, and update the asset of the limits."""
        with warehouse() as connection:
            publication = read_publication(connection, run_id=int(self.run_id))
            published = publish(connection, publication, outbound_of(read_settings().outbound_dir))
            run = read_run(connection, publication.run_id)
        count, file = published.account_count, published.file
        if count and publication.is_live:
            add_event(context, LIMITS, run, published.sha256)
        self.log.info("session=%s limits=%d file=%s", publication.effective_session, count, file)
        return {"account_count": count, "file": file, "sha256": published.sha256}


class SendLimitsOperator(BaseOperator):
    """Mail what is in force now and who decided it.

    Parameters
    ----------
    run_id
        Key of the run whose limits were published (templated).
    """

    template_fields: Sequence[str] = ("run_id",)

    def __init__(self, *, run_id: str = "{{ params.run_id }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Mail."""
        from risk.report.gauges import limits_gauges
        from risk.report.limits_mail import send_limits
        from risk.report.morning_signals import limits_signal

        server, settings = smtp_server_of(service_connection(SMTP_CONNECTION_ID)), read_settings()
        with warehouse() as connection:
            publication = read_publication(connection, run_id=int(self.run_id))
            run = read_run(connection, publication.run_id)
            outcome = send_limits(connection, server, publication, settings)
            gauges = limits_gauges(connection, publication)
        if outcome.is_news:
            pass_on(settings, [limits_signal(publication, int(gauges["limits.in_force"]), settings)])
        if gauges["limits.in_force"]:
            send_gauges(run, lambda: gauges)
        outcome.raise_for_faults("send_limits")
        self.log.info("session=%s mails=%d", publication.effective_session, outcome.sent_count)
        return {"sent_count": outcome.sent_count}
