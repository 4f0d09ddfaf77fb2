"""# Weekly maintenance

Looks back and cleans up, on Monday mornings before the line runs: mails what the last week's mornings were worth, and
removes runs, logs and log files older than 180 days from Airflow's own database and disk. The warehouse keeps
everything: nothing of the books is ever deleted here.

| task | does | when it fails |
|---|---|---|
| send_digest | one mail: reports, traders, model, ledger, data, database | mail server or warehouse: clear it |
| clean_metadata | `airflow db clean` | read its log; nothing urgent, the daily line goes on |
| clean_logs | removes old task logs | the disk or its permissions: mend, clear the task |
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, CronTriggerTimetable, chain

from risk.core.settings import read_settings
from risk.operators.clean_logs import CleanLogsOperator
from risk.operators.clean_metadata import CleanMetadataOperator
from risk.operators.send_digest import SendDigestOperator

IS_SCHEDULED = read_settings().schedule == "sessions"

with DAG(
    dag_id="weekly_maintenance",
    description="Airflow's own records and logs do not grow for ever",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="America/New_York") if IS_SCHEDULED else None,
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    tags=["risk", "weekly"],
    default_args={"owner": "risk", "retries": 1, "execution_timeout": dt.timedelta(minutes=20)},
):
    # Cleaning does not wait for mail: the two have nothing to do with each other.
    SendDigestOperator(task_id="send_digest")
    chain(CleanMetadataOperator(task_id="clean_metadata"), CleanLogsOperator(task_id="clean_logs"))
