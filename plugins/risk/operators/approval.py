"""The tasks of the DAG publish_limits: request approvals, wait for each decision, publish the limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import BaseOperator

from risk.core.errors import StackError
from risk.core.runs import Run, read_run
from risk.core.settings import read_settings
from risk.limits.approvals import (
    APPROVED,
    NO_USER,
    REJECTED,
    TIMED_OUT,
    AirflowUser,
    ApprovalPolicy,
    approval_request,
    decide,
    open_publication,
    read_publication,
    read_required_approvals,
)
from risk.limits.publish import publish
from risk.operators.base import warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

DAG_ID = "publish_limits"
NO_APPROVAL = "none"


def start_approval(run: Run, approval: str) -> str:
    """Start the DAG publish_limits for a run, once, and return the name of its run.

    Raises
    ------
    StackError
        If Airflow refuses; the report was sent, nothing is published.
    """
    name = f"approval__{run.effective_session}__run_{run.run_id}"
    conf = {"run_id": run.run_id, "approval": approval, "session_date": run.session_date.isoformat()}
    refusal = _trigger(name, conf)
    if refusal:
        raise StackError(
            f"The report was sent, but Airflow did not start {DAG_ID} ({refusal}): check that the DAG exists and is "
            "not paused, then clear send_report; the email is not sent again."
        )
    return name


def _trigger(dag_run_id: str, conf: dict[str, Any]) -> str:
    """Start a run of the DAG; return Airflow's refusal, or nothing where it starts or exists.

    The only use of a private Airflow API in this module. It sends the message that TriggerDagRunOperator sends (that
    operator ends the task without its return value); Airflow's public API needs a login that a task does not have.
    ``tests/dags/test_unstable_apis.py`` fails where an upgrade renames any of it.
    """
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    answer = SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=DAG_ID, run_id=dag_run_id, conf=conf))
    if isinstance(answer, ErrorResponse) and answer.error.value != "DAGRUN_ALREADY_EXISTS":
        return str(answer.error.value)
    return ""


class OpenApprovalOperator(BaseOperator):
    """Open the publication of a run's limits and list the approvals it needs.

    Parameters
    ----------
    run_id
        Key of the run (templated).
    approval
        ``high`` or ``all`` (templated).
    dag_run_id
        Airflow's name of the run that asks (templated).
    """

    template_fields: Sequence[str] = ("run_id", "approval", "dag_run_id")

    def __init__(
        self,
        *,
        run_id: str = "{{ params.run_id }}",
        approval: str = "{{ params.approval }}",
        dag_run_id: str = "{{ dag_run.run_id }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.approval = approval
        self.dag_run_id = dag_run_id

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002  (Airflow's signature)
        """Open the publication, or continue the open one, and return one request per account in plain values."""
        policy = ApprovalPolicy(self.approval, read_settings().dual_control)
        with warehouse() as connection:
            run = read_run(connection, int(self.run_id))
            publication = open_publication(connection, run, policy, self.dag_run_id, dt.datetime.now(dt.UTC))
            proposals = read_required_approvals(connection, publication)
        deadline = publication.decision_deadline.isoformat()
        self.log.info("session=%s requests=%d deadline=%s", publication.effective_session, len(proposals), deadline)
        key = {"publication_id": publication.publication_id, "decision_deadline": deadline}
        return [
            {**key, "account_id": proposal.account_id, **approval_request(publication, proposal)}
            for proposal in proposals
        ]


class ApproveLimitOperator(HITLOperator):
    """Wait, deferred and without a worker slot, until a person approves or rejects one limit, or until the deadline.

    Not Airflow's own ApprovalOperator, whose *Reject* skips the task that publishes all the others' limits.

    Parameters
    ----------
    request
        One of the requests of :class:`OpenApprovalOperator`.
    """

    template_fields: Sequence[str] = ("request",)

    def __init__(self, *, request: Any, **kwargs: Any) -> None:
        options = [ApprovalOperator.APPROVE, ApprovalOperator.REJECT]
        super().__init__(subject="", options=options, defaults=[ApprovalOperator.APPROVE], **kwargs)
        self.request = request

    def execute(self, context: Context) -> Any:
        """Ask, unless the deadline has passed: then the recommended cut applies."""
        self.subject, self.body = self.request["subject"], self.request["body"]
        left = dt.datetime.fromisoformat(self.request["decision_deadline"]) - dt.datetime.now(dt.UTC)
        if left <= dt.timedelta(0):
            return self.store(TIMED_OUT, NO_USER)
        self.response_timeout = left
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Store the decision; one that does not count is asked for again."""
        if "error" in event:
            self.process_trigger_event_error(event)
        responder = event["responded_by_user"]
        if responder is None:
            return self.store(TIMED_OUT, NO_USER)
        user = AirflowUser(str(responder["id"]), str(responder["name"]))
        is_approved = event["chosen_options"] == [ApprovalOperator.APPROVE]
        decision = self.store(APPROVED if is_approved else REJECTED, user)
        if not decision["is_counted"]:
            self.log.warning("Dual control: %s edited this limit, so somebody else has to approve it.", user.user_name)
            return self.execute(context)
        return decision

    def store(self, action: str, user: AirflowUser) -> dict[str, Any]:
        """Store a decision and return it."""
        account_id = self.request["account_id"]
        with warehouse() as connection:
            publication = read_publication(connection, publication_id=self.request["publication_id"])
            is_counted = decide(connection, publication, account_id, action, user)
        self.log.info("session=%s account=%s answer=%s", publication.effective_session, account_id, action)
        return {"account_id": account_id, "answer": action, "is_counted": is_counted}


class PublishLimitsOperator(BaseOperator):
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

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Publish."""
        with warehouse() as connection:
            publication = read_publication(connection, run_id=int(self.run_id))
            published = publish(connection, publication, read_settings().outbound_dir)
        count, file = published.account_count, published.file
        self.log.info("session=%s limits=%d file=%s", publication.effective_session, count, file)
        return {"account_count": count, "file": str(file) if file else ""}
