"""# Weekly maintenance

Monday mornings before the daily run: judges the policies that were tried, emails the digest of the last week and
removes Airflow's own rows older than 180 days if there is a connection `airflow_metadata`, once for several desks; each
machine removes its old log files itself, but not where the wheel is installed. The warehouse keeps all.

| task | does | if it fails |
|---|---|---|
| judge_trials | verdicts on tried policies, from mornings since, for the page Policy | read its log, clear it |
| send_digest | one email: reports, traders, model, track record, data | check mail server and warehouse, clear it |
| clean_metadata | `airflow db clean` | read its log; not urgent, the daily run continues |
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, CronTriggerTimetable

from risk.core.release import release_tag

RELEASE = release_tag(__file__)  # first: a wheel of another release may lack what is imported next

from risk.core.desks import MAINTENANCE_DAG, own_dag
from risk.core.exchange import Exchange, exchange
from risk.operators.desks import TASK_DESK, each_desk
from risk.operators.maintenance import CleanMetadataOperator
from risk.operators.policy_trial import JudgeTrialsOperator
from risk.operators.send_digest import SendDigestOperator

has_cleaning = False
"""One desk removes Airflow's rows: they are everybody's."""


def every_monday(place: Exchange) -> CronTriggerTimetable:
    """Return the mornings of maintenance, by the clocks of an exchange."""
    return CronTriggerTimetable(f"{place.maintenance_at:%-M %-H} * * 1", timezone=place.zone.key)


for settings in each_desk(MAINTENANCE_DAG):
    with DAG(
        dag_id=own_dag(MAINTENANCE_DAG),
        description="Email the weekly digest and remove old metadata",
        doc_md=__doc__,
        schedule=every_monday(exchange()) if settings.schedule == "sessions" else None,
        start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        catchup=False,
        max_active_runs=1,
        tags=["risk", "weekly", RELEASE],
        default_args={"owner": "risk", "retries": 1, "execution_timeout": dt.timedelta(minutes=20), **TASK_DESK},
    ):
        # The three are independent.
        JudgeTrialsOperator(task_id="judge_trials")
        SendDigestOperator(task_id="send_digest")
        if not has_cleaning:
            has_cleaning = True
            CleanMetadataOperator(task_id="clean_metadata")
