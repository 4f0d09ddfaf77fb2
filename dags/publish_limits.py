"""# Approval and publication

People decide about the limits that the morning report recommends; then they come into force. `daily_risk` starts this
DAG once the email is sent, if its parameter `approval` is `high` or `all` (`RISK_APPROVAL` sets the default).

| task | does | when it fails |
|---|---|---|
| await_decisions | waits, without a worker slot, until all is decided or too late | warehouse: retried |
| publish | brings limits into force, writes the trading platform's file | fix what it names, clear the task |
| send_limits | mails what is in force and who decided it | mail server: retried |

People decide on the page *Approval* of *Risk*; the required action here decides nothing, it only makes the task look
again. **Approve** publishes what the page shows, **Reject** keeps the limit in force, **Set limit** needs a reason.
Without an answer by half an hour before the opening (30 minutes after the email of a late report) cuts apply;
silence never raises a limit but for what the policy gives back after a cut. For a past session (dry run) the next such
counts, and no file is written. On a scheduled desk limits that are not published five minutes after that are an alert,
whatever this DAG waits for; no task runs longer than ten minutes at a time.

**Asset.** Limits that came into force for today update `risk://<desk>/limits`.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.core.release import release_tag

RELEASE = release_tag(__file__)  # first: a wheel of another release may lack what is imported next

from risk.core.desks import PUBLICATION_DAG, own_dag
from risk.operators.approval import AwaitDecisionsOperator, PublishLimitsOperator, SendLimitsOperator
from risk.operators.assets import LIMITS, alias_of
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success
from risk.operators.deadlines import PUBLICATION_DEADLINE, active
from risk.operators.desks import TASK_DESK, each_desk

for settings in each_desk(PUBLICATION_DAG):
    with DAG(
        dag_id=own_dag(PUBLICATION_DAG),
        description="People approve today's limits, then the limits come into force",
        doc_md=__doc__,
        schedule=None,
        start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        catchup=False,
        on_failure_callback=on_run_failure,
        on_success_callback=on_run_success,
        deadline=active(PUBLICATION_DEADLINE, settings.schedule),
        tags=["risk", "daily", RELEASE],
        params={
            "run_id": Param(0, type="integer", minimum=1, title="Run", description="Key of the run to publish."),
            "session_date": Param(
                None, type=["null", "string"], format="date", title="Session", description="Named in alerts."
            ),
        },
        default_args={
            "owner": "risk",
            "retries": 3,
            "retry_delay": dt.timedelta(seconds=20),
            "retry_policy": RETRY_BY_ERROR,
            # Of one look into the warehouse: between two the task waits without a process.
            "execution_timeout": dt.timedelta(minutes=10),
            # Without the note of a success: these tasks do not return counts.
            **{name: call for name, call in TASK_CALLBACKS.items() if name != "on_success_callback"},
            **TASK_DESK,
        },
    ):
        chain(
            AwaitDecisionsOperator(task_id="await_decisions"),
            PublishLimitsOperator(task_id="publish", outlets=[alias_of(settings.desk, LIMITS)]),
            SendLimitsOperator(task_id="send_limits"),
        )
