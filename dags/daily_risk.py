"""# The morning risk run

Turns yesterday's fills into today's loss limits and emails them before the opening bell.

| task | does | if it fails |
|---|---|---|
| extract_fills | loads fills, opens the run; waits for them if scheduled | fix the named input, clear it |
| check_fills | data quality checks of the session | read the results in the log, fix the input, clear extract_fills |
| aggregate_pnl | positions and daily P&L, computed two ways | two ways of computing disagree: call the developers |
| build_features | scale-free features of each account | clear it |
| predict_limits | forecasts each account's 95% VaR; the gate decides whether the model may serve | clear it |
| apply_rules | cut and reasons for each active account; track record of past cuts | clear it |
| send_report | report files and one email | retries while the mail server is away |

**Parameters.** `session_date`: the session whose fills are processed (empty: the last one). `deliver`: whether to send
the email (empty: scheduled runs only). `fills`: folder of fills (empty: the configured source). `as_of`: what the run
may know (empty or `now`: everything; `then`: when it was due; or an instant with its offset). `history`:
backdate the import to the manifest's `published_at`. `approval`: whose limits a person approves after the email, in the
DAG publish_limits.

**Missed mornings.** After an outage the newest session runs first, and only it is emailed. Run a backfill for the
sessions between; it sends no email unless `deliver` is set.

**Asset.** A report that was mailed for today updates `risk://<desk>/report`; backfills and past sessions do not.

Clearing a task repeats it for the same run and the same as_of. Clearing `extract_fills` opens a new revision that
includes what has arrived since.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, chain

from risk.core.release import release_tag

RELEASE = release_tag(__file__)  # first: a wheel of another release may lack what is imported next

from risk.core.desks import DAILY_DAG, own_dag
from risk.operators.aggregate_pnl import AggregatePnlOperator
from risk.operators.apply_rules import ApplyRulesOperator
from risk.operators.assets import REPORT, alias_of
from risk.operators.base import RETRY_BY_ERROR
from risk.operators.build_features import BuildFeaturesOperator
from risk.operators.callbacks import TASK_CALLBACKS, on_run_failure, on_run_success
from risk.operators.check_fills import CheckFillsOperator
from risk.operators.deadlines import active, report_deadline
from risk.operators.desks import TASK_DESK, each_desk
from risk.operators.extract_fills import ExtractFillsOperator
from risk.operators.predict_limits import PredictLimitsOperator
from risk.operators.send_report import SendReportOperator
from risk.operators.timetables import SessionTimetable

for settings in each_desk(DAILY_DAG):
    with DAG(
        dag_id=own_dag(DAILY_DAG),
        description="Yesterday's fills become today's loss limits",
        doc_md=__doc__,
        schedule=SessionTimetable(is_automatic=settings.schedule == "sessions"),
        start_date=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        catchup=False,
        on_failure_callback=on_run_failure,
        on_success_callback=on_run_success,
        deadline=active(report_deadline(), settings.schedule),
        max_active_runs=2,
        tags=["risk", "daily", RELEASE],
        params={
            "session_date": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Session",
                description="The session whose fills are processed. Empty: the last finished one; in a backfill, the "
                "session of each run.",
            ),
            "as_of": Param(
                None,
                type=["null", "string"],
                title="As of",
                description="What the run may know. Empty or now: everything; then: when it was due; or an instant "
                "with its offset.",
            ),
            "deliver": Param(
                None, type=["null", "boolean"], title="Send the email", description="Empty: scheduled runs only."
            ),
            "fills": Param(
                None, type=["null", "string"], title="Folder of fills", description="Empty: the configured source."
            ),
            "history": Param(
                None,
                type=["null", "boolean"],
                title="Import a history",
                description="Backdate the import to published_at.",
            ),
            "approval": Param(
                settings.approval,
                enum=list(settings.approval_scopes),
                title="Approval",
                description="Whose limits a person approves: no one's, high-risk traders', all that are cut. At least "
                "what RISK_APPROVAL says.",
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
            **TASK_DESK,
        },
    ):
        chain(
            ExtractFillsOperator(task_id="extract_fills"),
            CheckFillsOperator(task_id="check_fills"),
            AggregatePnlOperator(task_id="aggregate_pnl"),
            BuildFeaturesOperator(task_id="build_features"),
            PredictLimitsOperator(task_id="predict_limits"),
            ApplyRulesOperator(task_id="apply_rules"),
            SendReportOperator(task_id="send_report", outlets=[alias_of(settings.desk, REPORT)]),
        )
