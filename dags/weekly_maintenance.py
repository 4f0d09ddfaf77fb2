"""# Weekly maintenance

Monday mornings before the daily run: judges the policies that were tried, emails the digest of the last week and
removes Airflow's own rows older than 180 days if there is a connection `airflow_metadata`; each machine removes its old
log files itself, but not where the wheel is installed. The warehouse keeps all.

| task | does | if it fails |
|---|---|---|
| judge_trials | verdicts on tried policies, from mornings since, for the page Policy | read its log, clear it |
| send_digest | one email: reports, traders, model, track record, data | check mail server and warehouse, clear it |
| clean_metadata | `airflow db clean` | read its log; not urgent, the daily run continues |
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, CronTriggerTimetable

from risk.core.exchange import exchange, exchange_zone
from risk.core.release import release_tag
from risk.core.settings import read_settings
from risk.operators.maintenance import CleanMetadataOperator
from risk.operators.policy_trial import JudgeTrialsOperator
from risk.operators.send_digest import SendDigestOperator

STARTS_AT = exchange().maintenance_at
IS_SCHEDULED = read_settings().schedule == "sessions"

with DAG(
    dag_id="weekly_maintenance",
    description="Email the weekly digest and remove old metadata",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(f"{STARTS_AT:%-M %-H} * * 1", timezone=exchange_zone().key) if IS_SCHEDULED else None,
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    tags=["risk", "weekly", release_tag(__file__)],
    default_args={"owner": "risk", "retries": 1, "execution_timeout": dt.timedelta(minutes=20)},
):
    # The three are independent.
    JudgeTrialsOperator(task_id="judge_trials")
    SendDigestOperator(task_id="send_digest")
    CleanMetadataOperator(task_id="clean_metadata")
