"""# The model of the week

Trains on everything through the last session of the previous week, on the morning of a week's first session, after the
daily run. The stored model forecasts from the next run on; whether it serves is decided every morning by the gate.

| task | does | if it fails |
|---|---|---|
| train_model | walk-forward, leak check, fit, store | an output knows the future: call the developers |
| send_model_card | emails data, record and coverage | retries while the mail server is away |

**Parameters.** `session_date`: a session of the week to train for (empty: this week). `deliver`: whether to send the
email (empty: scheduled trainings only).

With too little history nothing is trained and the task says so. No morning depends on this DAG: if the model is
missing, stale (more than 10 sessions), corrupt or incompatible, rule-based limits apply.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.core.release import release_tag

RELEASE = release_tag(__file__)  # first: a wheel of another release may lack what is imported next

from risk.core.desks import MODEL_DAG, own_dag
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success
from risk.operators.desks import TASK_DESK, each_desk
from risk.operators.send_model_card import SendModelCardOperator
from risk.operators.timetables import WeeklySessionTimetable
from risk.operators.train_model import TrainModelOperator

for settings in each_desk(MODEL_DAG):
    with DAG(
        dag_id=own_dag(MODEL_DAG),
        description="Train the model of the week",
        doc_md=__doc__,
        schedule=WeeklySessionTimetable(is_automatic=settings.schedule == "sessions"),
        start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        catchup=False,
        on_failure_callback=on_run_failure,
        on_success_callback=on_run_success,
        max_active_runs=1,
        tags=["risk", "weekly", RELEASE],
        params={
            "session_date": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Session",
                description="A session of the week to train for. Empty: this week.",
            ),
            "deliver": Param(
                None, type=["null", "boolean"], title="Send the email", description="Empty: scheduled trainings only."
            ),
        },
        default_args={
            "owner": "risk",
            "retries": 2,
            "retry_delay": dt.timedelta(minutes=1),
            "retry_policy": RETRY_BY_ERROR,
            "execution_timeout": dt.timedelta(minutes=30),
            **TASK_CALLBACKS,
            **TASK_DESK,
        },
    ):
        chain(TrainModelOperator(task_id="train_model"), SendModelCardOperator(task_id="send_model_card"))
