"""# The morning risk run

Turns yesterday's fills into this morning's loss limits and mails them before the opening bell.

| task | does | when it fails |
|---|---|---|
| extract_fills | loads, opens the run; scheduled: waits until 08:15 | mend the named file or connection, clear it |
| check_fills | judges the session's data | read the verdicts in the log, mend, clear extract_fills |
| aggregate_pnl | positions and daily P&L, checked twice | call the developers: two ways of computing disagree |
| build_features | scale-free description of each account | |
| predict_limits | forecast of the 5 % quantile | |
| apply_rules | what past cuts were worth; a cut with reasons for each active account | |
| send_report | files in var/reports and one mail | mail server away: tried again by itself |

**Parameters.** `session_date`: the session whose fills are processed (empty: the last one). `deliver`: whether the
mail leaves (empty: only for scheduled runs). `fills`: folder of the file drop (empty: the configured source).
`as_of`: what the run knows (empty or `now`: everything; `then`: 07:00 New York of its morning; or an instant with its
offset). `history`: what the folder's manifest says was published counts as recorded then. `approval`: whose limits a
person approves once the mail is out, in the DAG publish_limits.

**Missed mornings.** After an outage the newest session runs first, and only it is mailed; reports of the sessions
between come from a backfill, by their dates, without mail unless `deliver` is set.

Clearing a task repeats it for the same run and the same knowledge; clearing `extract_fills` opens a new revision that
knows what has arrived since.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.core.settings import read_settings
from risk.operators.aggregate_pnl import AggregatePnlOperator
from risk.operators.apply_rules import ApplyRulesOperator
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.build_features import BuildFeaturesOperator
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success
from risk.operators.check_fills import CheckFillsOperator
from risk.operators.deadlines import REPORT_DEADLINE
from risk.operators.extract_fills import ExtractFillsOperator
from risk.operators.predict_limits import PredictLimitsOperator
from risk.operators.send_report import SendReportOperator
from risk.operators.timetables import SessionTimetable

SETTINGS = read_settings()

with DAG(
    dag_id="daily_risk",
    description="Yesterday's fills become today's loss limits",
    doc_md=__doc__,
    schedule=SessionTimetable(is_automatic=SETTINGS.schedule == "sessions"),
    start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    on_failure_callback=on_run_failure,
    on_success_callback=on_run_success,
    deadline=REPORT_DEADLINE if SETTINGS.schedule == "sessions" else None,
    max_active_runs=2,
    tags=["risk", "daily"],
    params={
        "session_date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Session",
            description="Whose fills are processed; no other date counts. Empty: the last finished one, "
            "in a backfill each its own.",
        ),
        "as_of": Param(
            None,
            type=["null", "string"],
            title="Knowledge as of",
            description="Empty or now: everything; then: 07:00 New York of the morning; or an instant with its offset.",
        ),
        "deliver": Param(
            None, type=["null", "boolean"], title="Send the mail", description="Empty: only scheduled runs mail."
        ),
        "fills": Param(
            None, type=["null", "string"], title="Folder of fills", description="Empty: the configured source."
        ),
        "history": Param(
            None, type=["null", "boolean"], title="Import a history", description="Published counts as recorded then."
        ),
        "approval": Param(
            SETTINGS.approval,
            enum=["none", "high", "all"],
            title="Approval",
            description="Whose limits a person approves: nobody's, high-risk traders', all that are cut.",
        ),
    },
    default_args={
        "owner": "risk",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=20),
        "retry_exponential_backoff": 2,
        "max_retry_delay": dt.timedelta(minutes=5),
        "retry_policy": RETRY_BY_ERROR,
        "execution_timeout": dt.timedelta(minutes=20),
        **TASK_CALLBACKS,
    },
):
    chain(
        ExtractFillsOperator(task_id="extract_fills"),
        CheckFillsOperator(task_id="check_fills"),
        AggregatePnlOperator(task_id="aggregate_pnl"),
        BuildFeaturesOperator(task_id="build_features"),
        PredictLimitsOperator(task_id="predict_limits"),
        ApplyRulesOperator(task_id="apply_rules"),
        SendReportOperator(task_id="send_report"),
    )
