"""# A policy on past mornings

Decides every past morning of a range again under another policy, with what was known then, and stores what changes and
what became of it: exploratory, never evidence. The page *Policy* under `/risk/` seals the trial and starts this DAG;
`riskctl policy what-if` does the same on the command line.

| task | does | if it fails |
|---|---|---|
| try_policy | past mornings under the sealed policy, outcome, verdict; progress in its log | read its log, clear it |

**Parameters.** `trial_number`: the sealed trial.

Nothing that acts depends on this DAG: no limit, no report, no email.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param

from risk.core.release import release_tag

RELEASE = release_tag(__file__)  # first: a wheel of another release may lack what is imported next

from risk.core.desks import TRIAL_DAG, own_dag
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.desks import TASK_DESK, each_desk
from risk.operators.policy_trial import TryPolicyOperator

for _ in each_desk(TRIAL_DAG):
    with DAG(
        dag_id=own_dag(TRIAL_DAG),
        description="Past mornings decided again under another policy",
        doc_md=__doc__,
        schedule=None,
        start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        catchup=False,
        # The morning's own tasks need the slots.
        max_active_runs=1,
        tags=["risk", RELEASE],
        params={
            "trial_number": Param(
                0, type="integer", minimum=1, title="Trial", description="Number of the sealed trial."
            )
        },
        default_args={
            "owner": "risk",
            "retries": 2,
            "retry_delay": dt.timedelta(seconds=20),
            "retry_policy": RETRY_BY_ERROR,
            "execution_timeout": dt.timedelta(minutes=60),
            **TASK_DESK,
        },
    ):
        TryPolicyOperator(task_id="try_policy")
