"""# Approval and publication

People decide about the limits that the morning report recommends; then they come into force. `daily_risk` starts this
DAG once the email is sent, if its parameter `approval` is `high` or `all` (`RISK_APPROVAL` sets the default).

| task | does | when it fails |
|---|---|---|
| open_approval | records which limits need approval, and the deadline | warehouse: retried |
| approve_limit | for each trader: waits, deferred, for approve or reject | read its log |
| publish | brings limits into force, writes the trading platform's file | fix what it names, clear the task |

**Approve** publishes the proposed limit; an edit on the Risk page, with a reason, changes the proposal first.
**Reject** keeps the limit in force. Without a decision by 09:00 New York of the effective session the recommended cut
applies, edited or not. For a past session (dry run) the next 09:00 counts, and no file is written.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.operators.approval import ApproveLimitOperator, OpenApprovalOperator, PublishLimitsOperator
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success

with DAG(
    dag_id="publish_limits",
    description="People approve today's limits, then the limits come into force",
    doc_md=__doc__,
    schedule=None,
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    on_failure_callback=on_run_failure,
    on_success_callback=on_run_success,
    tags=["risk", "daily"],
    params={
        "run_id": Param(0, type="integer", minimum=1, title="Run", description="Key of the run to publish."),
        "session_date": Param(
            None, type=["null", "string"], format="date", title="Session", description="Named in alerts."
        ),
        "approval": Param("high", enum=["high", "all"], title="Approval"),
    },
    default_args={
        "owner": "risk",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=20),
        "retry_policy": RETRY_BY_ERROR,
        # Without the note of a success: these tasks do not return counts.
        **{name: call for name, call in TASK_CALLBACKS.items() if name != "on_success_callback"},
    },
):
    opened = OpenApprovalOperator(task_id="open_approval")
    approvals = ApproveLimitOperator.partial(
        task_id="approve_limit", map_index_template="{{ task.request.account_id }}"
    ).expand(request=opened.output)
    # Limits are published even where no approval is required.
    chain(opened, approvals, PublishLimitsOperator(task_id="publish", trigger_rule="none_failed"))
