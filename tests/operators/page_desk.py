"""A desk that has something of everything the pages show, each kind at an address that is known."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

from risk.core.calendar import next_session
from risk.core.warehouse import Connection
from risk.limits.approvals import APPROVED, EDITED, AirflowUser, ApprovalPolicy, open_publication
from risk.limits.register import RequestedChange, request_change
from risk.limits.trials import seal_trial
from risk.operators.policy_trial import TryPolicyOperator
from risk.report.build_facts import build_facts
from risk.report.facts import RestatementFacts
from tests.approval_desks import answer
from tests.breach_desks import BROKEN, run_session
from tests.operators.test_web_model import CARD, store_model
from tests.policies import policy_document
from tests.report_desks import SESSION, USE, book, deliver_fills, insert, open_run, recommend
from tests.track_record_desks import TUE, deliver, fill, report, update_record

FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
ANN = AirflowUser("1", "ann")


def store_morning(connection: Connection) -> None:
    """Store a morning with a cut, a rise, warnings, a restatement, decisions and a change of a limit."""
    run = open_run(connection)
    for name, cut in (("NET001", "0.60"), ("NET002", "0.20"), ("NET003", "0.00")):
        recommend(connection, run, name, cut)
        book(connection, name, input_fingerprint=deliver_fills(connection, run, name))
        issued = {"run_id": run.run_id, "is_live": True, "expert": "calibrated", "quantile_05_usd": -1000}
        insert(connection, "forecasts", account_id=name, effective_session=SESSION, **issued)
        values = {"last_z": 0.5, "fees_per_turnover": 1e-4}
        insert(connection, "features", account_id=name, session_date=SESSION, feature_set_version="1", **values)
    verdict = {"check_name": "fees", "severity": "warn", "observed": "4.2", "has_passed": False}
    insert(connection, "quality_results", run_id=run.run_id, subject="NET001", message="fees look odd", **verdict)
    restated = RestatementFacts("NET001", SESSION, Decimal("-812.30"), None, "fees restated")
    facts = dataclasses.replace(build_facts(connection, run), restatements=(restated,), limit_use=USE)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)
    publication = open_publication(connection, run, ApprovalPolicy("all", True), FAR)
    answer(connection, publication, "NET001", EDITED, ANN, limit="3000")
    answer(connection, publication, "NET002", APPROVED, ANN)
    change = RequestedChange("NET001", "4000", str(next_session(dt.datetime.now(dt.UTC).date())), "", "calm since")
    request_change(connection, change, ANN, has_dual_control=False)


def store_desk(connection: Connection) -> None:
    """Store a breach of NET001 on 2025-08-04, a track record, a model, a morning of 2025-08-15, and trial 1."""
    deliver(connection, BROKEN)
    run_session(connection)
    report(connection, TUE, "0.40")
    deliver(connection, [fill(TUE, 1, "B", "1000", "10.00"), fill(TUE, 2, "S", "1000", "6.90")])
    update_record(connection, TUE)
    store_model(connection, CARD)
    store_morning(connection)
    unconcerned = policy_document(smallest_loss__base_limit="100%")
    seal_trial(connection, unconcerned, TUE, next_session(SESSION), ANN.user_name)
    TryPolicyOperator(task_id="try_policy", trial_number="1", dag_run_id="trial_1__1").execute({})
