"""# The model of the week

Learns from everything known up to the last session of the week before, on the morning of the first session of a week,
after the daily run. What it stores forecasts from the next run on; whether it serves is decided every morning by the
gate, from its record, never here.

| task | does | when it fails |
|---|---|---|
| train_model | walks forward over the history, checks for leaks, fits, stores | an output knew the future: developers |
| send_model_card | mails data, record, coverage | mail server away: tried again by itself |

**Parameters.** `session_date`: a session of the week that the model shall serve (empty: this week). `deliver`: whether
the mail leaves (empty: only for scheduled trainings).

With too little history nothing is trained, the task says so, and rules serve. Nothing here is needed for a morning's
limits: without a model, or with one older than ten sessions, rules serve.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.core.settings import read_settings
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success
from risk.operators.send_model_card import SendModelCardOperator
from risk.operators.timetables import WeeklySessionTimetable
from risk.operators.train_model import TrainModelOperator

with DAG(
    dag_id="weekly_model",
    description="Last week's sessions become this week's forecast",
    doc_md=__doc__,
    schedule=WeeklySessionTimetable(is_automatic=read_settings().schedule == "sessions"),
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    on_failure_callback=on_run_failure,
    on_success_callback=on_run_success,
    max_active_runs=1,
    tags=["risk", "weekly"],
    params={
        "session_date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Served session",
            description="A session of the week the model shall serve; empty: this week.",
        ),
        "deliver": Param(
            None, type=["null", "boolean"], title="Send the mail", description="Empty: only scheduled trainings mail."
        ),
    },
    default_args={
        "owner": "risk",
        "retries": 2,
        "retry_delay": dt.timedelta(minutes=1),
        "retry_policy": RETRY_BY_ERROR,
        "execution_timeout": dt.timedelta(minutes=30),
        **TASK_CALLBACKS,
    },
):
    chain(TrainModelOperator(task_id="train_model"), SendModelCardOperator(task_id="send_model_card"))
