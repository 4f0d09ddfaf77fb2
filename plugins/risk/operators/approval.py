"""Ask a person about each recommended limit, then publish what was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import BaseOperator
from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun

from risk.core.errors import StackError
from risk.core.runs import Run, read_run
from risk.core.settings import EXCHANGE_ZONE, read_settings
from risk.limits.approvals import (
    APPROVED,
    DEFAULTED,
    NOBODY,
    REJECTED,
    Person,
    Proposal,
    Publication,
    decide,
    read_publication,
)
from risk.limits.publish import Asking, open_publication, publish
from risk.operators.base import warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

DAG_ID = "publish_limits"
NO_APPROVAL = "none"
ALREADY_THERE = "DAGRUN_ALREADY_EXISTS"


def start_approval(run: Run, approval: str) -> str:
    """Start the DAG publish_limits for a run, once, and return the name of its run.

    The request goes the way of TriggerDagRunOperator, which would end this task without its return value.

    Raises
    ------
    StackError
        If Airflow refuses; the report is out, nothing is published.
    """
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    name = f"approval__{run.effective_session}__run_{run.run_id}"
    conf = {"run_id": run.run_id, "approval": approval, "session_date": run.session_date.isoformat()}
    answer = SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=DAG_ID, run_id=name, conf=conf))
    if isinstance(answer, ErrorResponse) and answer.error.value != ALREADY_THERE:
        raise StackError(
            f"The report is out, but Airflow does not start {DAG_ID} ({answer.error.value}): look whether that DAG is "
            "there and not paused, then clear send_report; nobody gets a second mail."
        )
    return name


class OpenApprovalOperator(BaseOperator):
    """Open the publication of a run's limits and list the requests for a person.

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
        """Open the publication, or go on with the one that is open, and return a request for each account."""
        asking = Asking(self.approval, read_settings().dual_control, self.dag_run_id)
        with warehouse() as connection:
            run = read_run(connection, int(self.run_id))
            publication, proposals = open_publication(connection, run, asking, dt.datetime.now(dt.UTC))
        until = publication.decision_deadline.isoformat()
        self.log.info("session=%s requests=%d until=%s", publication.effective_session, len(proposals), until)
        return [request(publication, proposal) for proposal in proposals]


def request(publication: Publication, proposal: Proposal) -> dict[str, Any]:
    """Write a request for a person down: plain values, because they travel between tasks."""
    until = publication.decision_deadline.astimezone(EXCHANGE_ZONE)
    reasons = "; ".join(proposal.reasons) or "none"
    return {
        "publication_id": publication.publication_id,
        "account_id": proposal.account_id,
        "decision_deadline": publication.decision_deadline.isoformat(),
        "subject": (
            f"{proposal.account_id}: limit {proposal.recommended_limit_usd:,.2f} USD instead of "
            f"{proposal.base_limit_usd:,.2f} for {publication.effective_session}"
        ),
        "body": (
            f"Cut of {proposal.cut_ratio:.0%}, level {proposal.level}. Reasons: {reasons}.\n\n"
            f"Approve: the proposed limit is published; an edit on the Risk page changes the proposal. "
            f"Reject: the limit in force stays. Without an answer until {until:%Y-%m-%d %H:%M} New York the "
            f"recommended cut applies.\n\n[Edit on the Risk page](/risk/approvals/{publication.publication_id})"
        ),
    }


class ApproveLimitOperator(HITLOperator):
    """Wait, without a process, until a person approves or rejects one limit, or until the deadline.

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
        """Put the question; after the deadline there is none, and the recommended cut applies."""
        self.subject, self.body = self.request["subject"], self.request["body"]
        left = dt.datetime.fromisoformat(self.request["decision_deadline"]) - dt.datetime.now(dt.UTC)
        if left <= dt.timedelta(0):
            return self.answer(DEFAULTED, Person(*NOBODY))
        self.response_timeout = left
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Store the answer; one that does not count is asked for again."""
        if "error" in event:
            self.process_trigger_event_error(event)
        user = event["responded_by_user"]
        if user is None:
            return self.answer(DEFAULTED, Person(*NOBODY))
        person = Person(str(user["id"]), str(user["name"]))
        is_approved = event["chosen_options"] == [ApprovalOperator.APPROVE]
        answer = self.answer(APPROVED if is_approved else REJECTED, person)
        if not answer["is_counted"]:
            self.log.warning("%s has edited this limit: four eyes are asked for, somebody else has to approve.", user)
            return self.execute(context)
        return answer

    def answer(self, answer: str, person: Person) -> dict[str, Any]:
        """Store an answer and return it."""
        account_id = self.request["account_id"]
        with warehouse() as connection:
            publication = read_publication(connection, publication_id=self.request["publication_id"])
            is_counted = decide(connection, publication, account_id, answer, person)
        self.log.info("session=%s account=%s answer=%s", publication.effective_session, account_id, answer)
        return {"account_id": account_id, "answer": answer, "is_counted": is_counted}


class PublishLimitsOperator(BaseOperator):
    """Bring what was decided into force, and write the file for the trading platform.

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
