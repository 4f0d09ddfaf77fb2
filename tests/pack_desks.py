"""The history of a desk for an examiner's pack: what its reports, people and mail server did is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from risk.core.runs import Run, digest_of_tests, read_run
from risk.core.warehouse import Connection, writing
from risk.evidence.pack import Made, examine
from risk.limits.approvals import NO_USER as NOBODY
from risk.limits.approvals import AirflowUser, Proposal, read_proposals, read_publication
from risk.report.digest_tree import FORMAT, report_digest
from risk.report.facts import Facts, FitFacts
from risk.report.receipt_facts import LimitUseFacts
from tests.approval_desks import FAR
from tests.report_desks import account, desk, insert, receipt, recommend, within
from tests.sql.daily_rows import insert_pnl

ACCOUNT, OTHER = "NET001", "NETX02"
BEFORE, THU, FRI, MON, TUE = (dt.date(2025, 8, day) for day in (13, 14, 15, 18, 19))
ANN, BOB = AirflowUser("1", "Ann Smith"), AirflowUser("2", "Bob Jones")
SALT = "ab" * 32
CODE = "0a1b2c3d4e5f"
LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
REASON = "New system since Monday"
PEOPLE = ({"user": "ann", "role": "user", "manager": "SimpleAuthManager"},)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """Return an instant of a day, UTC."""
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC)


def report(connection: Connection, session: dt.date, effective: dt.date, facts: Facts, salt: str | None = SALT) -> Run:
    """Store a run with its recommendations and report, recorded on its morning."""
    load_id = insert(connection, "loads", source="drop", is_simulated=False, through_session_date=session)
    run_id = insert(
        connection, "runs", session_date=session, effective_session=effective, revision=1, as_of=at(effective, 11, 2),
        load_id=load_id, dag_run_id=f"scheduled__{session}", code_version=CODE, tests_sha256=digest_of_tests(),
    )  # fmt: skip
    run = read_run(connection, run_id)
    facts = replace(facts, session_date=session, effective_session=effective)
    stamp = {"recorded_at": at(effective, 11, 5)}
    stored = {"facts": facts.canonical, "facts_sha256": facts.sha256, "salt": salt}
    insert(connection, "reports", run_id=run_id, **stored, **stamp)
    if salt:
        digest = {"format_number": FORMAT, "report_sha256": report_digest(facts, salt)}
        insert(connection, "report_digests", run_id=run_id, **digest, **stamp)
    for one in facts.accounts:
        recommend(connection, run, one.account_id, str(one.cut_ratio))
    return run


def mail(connection: Connection, run: Run, effective: dt.date, *recipients: str) -> None:
    """Let the mail server accept the mail of a report."""
    for number, recipient in enumerate(recipients):
        values = {"message_id": f"<{run.run_id}.{number}@risk-run>", "attempt_count": 1}
        key = {"run_id": run.run_id, "recipient": recipient}
        insert(connection, "report_deliveries", **key, sent_at=at(effective, 11, 6), **values)


def lived(connection: Connection) -> dict[dt.date, Run]:
    """Fill a warehouse with three sessions of two accounts, of which one has no report; return the runs.

    Thursday: an emailed cut. Friday: no report, a failure; a temporary change until noon. Monday: Ann sets a limit, Bob
    approves; the account breaks it, and Ann closes the breach. For Tuesday nobody answers.
    """
    cut = desk([account(ACCOUNT, "0.20"), account(OTHER, "0.40")], fits=(_fit(ACCOUNT), _fit(OTHER)))
    first = report(connection, BEFORE, THU, cut)
    mail(connection, first, THU, "manager@example.com", "chief@example.com")
    insert(
        connection, "audit_log", event="failure", dag_id="daily_risk", dag_run_id="x", task_id="check_fills",
        try_number=1, session_date=THU, error_class="CheckError", message="No fills were delivered.",
    )  # fmt: skip
    _change(connection)
    use = LimitUseFacts((within(ACCOUNT, "0.31"), within(OTHER, "0.77", "0.7")))
    second = report(connection, FRI, MON, replace(cut, limit_use=use))
    _decide(connection, second)
    broken = LimitUseFacts((receipt(ACCOUNT), within(OTHER, "0.10")))
    third = report(connection, MON, TUE, replace(cut, limit_use=broken))
    _let_pass(connection, third)
    closed = {"action": "closed", "reason": "traded on", "sentence": "Spoke to him.", "user_id": "1"}
    insert(
        connection, "limit_breach_entries", account_id=ACCOUNT, session_date=MON, user_name=ANN.user_name,
        recorded_at=at(TUE, 14), **closed,
    )  # fmt: skip
    noted = {"user_id": "1", "user_name": ANN.user_name}
    insert(connection, "notes", account_id=ACCOUNT, session_date=MON, sentence="On the phone.", recorded_at=at(TUE, 15),
           **noted)  # fmt: skip
    insert(connection, "notes", account_id=OTHER, session_date=MON, sentence=f"{OTHER} too.", recorded_at=at(TUE, 15),
           **noted)  # fmt: skip
    insert(connection, "notes", account_id=ACCOUNT, sentence="New to the desk.", recorded_at=at(FRI, 15), **noted)
    for name in (ACCOUNT, OTHER):
        _deliver(connection, third, name, FRI, at(MON, 3))
    return {THU: first, MON: second, TUE: third}


def _fit(name: str) -> FitFacts:
    return FitFacts(name, "too large", f"Losses of {name} are too large.", "", Decimal(4000))


def _change(connection: Connection) -> None:
    for name in (ACCOUNT, OTHER):
        change_id = insert(
            connection, "limit_changes", account_id=name, kind="temporary", limit_usd=Decimal(1500),
            starts_at=at(FRI, 13), ends_at=at(FRI, 16), reason=f"News about a holding of {name}", requested_by="1",
            requester_name=ANN.user_name, needs_second_person=True, recorded_at=at(FRI, 12),
        )  # fmt: skip
        seen = {"action": "approved", "seen_sha256": "0" * 64, "recorded_at": at(FRI, 12, 30)}
        insert(
            connection, "limit_change_decisions", change_id=change_id, user_id="2", user_name=BOB.user_name, **seen
        )  # fmt: skip


def _decide(connection: Connection, run: Run) -> None:
    """Ann sets a limit on Monday's morning, Bob approves it; for the other account he keeps the limit in force."""
    publication_id = _publication(connection, run, FAR)
    for name in (OTHER, ACCOUNT):
        shown = _shown(connection, run, name, at(MON, 12))
        if name == OTHER:
            decision = _decision(publication_id, name, "rejected", "3000", BOB, at(MON, 12, 1), shown.sha256)
            rejected = insert(connection, "limit_decisions", **decision)
            continue
        decision = _decision(publication_id, name, "edited", "4500", ANN, at(MON, 12, 5), shown.sha256)
        insert(connection, "limit_decisions", **decision)
    shown = _shown(connection, run, ACCOUNT, at(MON, 12, 6))
    approval = _decision(publication_id, ACCOUNT, "approved", "4500", BOB, at(MON, 12, 10), shown.sha256)
    approved = insert(connection, "limit_decisions", **approval)
    _publish(connection, publication_id, MON, at(MON, 12, 20), {ACCOUNT: ("4500", approved), OTHER: ("3000", rejected)})


def decide_as_recommended(connection: Connection, run: Run) -> None:
    """Let Bob approve the account's cut an hour after the report, and publish it."""
    publication_id = _publication(connection, run, FAR)
    instant = at(run.effective_session, 12)
    seen = _shown(connection, run, ACCOUNT, instant).sha256
    decision = _decision(publication_id, ACCOUNT, "approved", "4000", BOB, instant, seen)
    approved = insert(connection, "limit_decisions", **decision)
    limits = {ACCOUNT: ("4000", approved)}
    _publish(connection, publication_id, run.effective_session, instant + dt.timedelta(minutes=5), limits)


def _let_pass(connection: Connection, run: Run) -> None:
    """Let nobody answer for Tuesday."""
    publication_id = _publication(connection, run, at(TUE, 13))
    limits = {}
    for name, limit in ((ACCOUNT, "4000"), (OTHER, "3000")):
        decision = _decision(publication_id, name, "timed_out", limit, NOBODY, at(TUE, 13, 1), None)
        limits[name] = (limit, insert(connection, "limit_decisions", **decision))
    _publish(connection, publication_id, TUE, at(TUE, 13, 2), limits)


def _publication(connection: Connection, run: Run, deadline: dt.datetime) -> int:
    stamp = {"decision_deadline": deadline, "recorded_at": at(run.effective_session, 11, 7)}
    key = {"run_id": run.run_id, "effective_session": run.effective_session, "dag_run_id": "x"}
    terms = {"approval_scope": "all", "has_dual_control": True, "is_live": True}
    return int(insert(connection, "publications", **key, **terms, **stamp))


def _shown(connection: Connection, run: Run, name: str, instant: dt.datetime) -> Proposal:
    publication = read_publication(connection, run_id=run.run_id)
    found = read_proposals(connection, publication, known_at=instant)
    return next(one for one in found if one.account_id == name)


def _decision(
    publication_id: int,
    name: str,
    action: str,
    limit: str,
    user: AirflowUser,
    recorded_at: dt.datetime,
    seen: str | None,
) -> dict[str, Any]:
    return {
        "publication_id": publication_id,
        "account_id": name,
        "action": action,
        "limit_usd": Decimal(limit),
        "reason": REASON if action == "edited" else "",
        "user_id": user.user_id,
        "user_name": user.user_name,
        "seen_sha256": seen,
        "shown_at": recorded_at - dt.timedelta(seconds=40) if seen else None,
        "recorded_at": recorded_at,
    }


def _publish(
    connection: Connection,
    publication_id: int,
    session: dt.date,
    recorded_at: dt.datetime,
    limits: dict[str, tuple[str, int]],
) -> None:
    for name, (limit, decision_id) in limits.items():
        insert(
            connection, "published_limits", publication_id=publication_id, account_id=name, effective_session=session,
            base_limit_usd=Decimal(5000), recommended_limit_usd=Decimal(4000), decided_limit_usd=Decimal(limit),
            limit_usd=Decimal(limit), reason=f"decided about {name}", decision_id=decision_id, recorded_at=recorded_at,
        )  # fmt: skip


def _deliver(connection: Connection, run: Run, name: str, session: dt.date, recorded_at: dt.datetime) -> None:
    insert(
        connection, "deliveries", load_id=run.load_id, file_name="fills.csv", account_id=name, session_date=session,
        content_sha256="5e" * 32, recorded_at=recorded_at, row_count=8, loaded_count=8, rejected_count=0,
        duplicate_count=0,
    )  # fmt: skip


def live_on(connection: Connection) -> None:
    """Record a year of what comes later: another delivery of a session, a reopened breach, new changes and reports."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select max(load_id) from risk.loads")
        load_id = cursor.fetchall()[0][0]
    insert(
        connection, "deliveries", load_id=load_id, file_name="again.csv", account_id=ACCOUNT, session_date=FRI,
        content_sha256="6f" * 32, recorded_at=LATER, row_count=9, loaded_count=9, rejected_count=0, duplicate_count=0,
    )  # fmt: skip
    insert(
        connection, "limit_breach_entries", account_id=ACCOUNT, session_date=MON, action="reopened", recorded_at=LATER,
        sentence="The lawyer asks again.", user_id="1", user_name=ANN.user_name,
    )  # fmt: skip
    insert(
        connection, "notes", account_id=ACCOUNT, session_date=MON, sentence="It was the broker.", corrects=1,
        recorded_at=LATER, user_id="1", user_name=ANN.user_name,
    )  # fmt: skip
    insert(
        connection, "limit_changes", account_id=ACCOUNT, kind="base", limit_usd=Decimal(9000), starts_at=LATER,
        reason="A year later", requested_by="1", requester_name="Ann Smith", needs_second_person=False,
        recorded_at=LATER,
    )  # fmt: skip
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(
            "insert into risk.policies select 1, policy_text, content_sha256, '2026-08-17', 'ann', 'x', null, %s "
            "from risk.policies where version = 0",
            (LATER,),
        )


def make(connection: Connection, out: Path, first: dt.date = THU, last: dt.date = MON) -> Made:
    """Make the pack of the account."""
    return examine(connection, ACCOUNT, first, last, out, PEOPLE)


def book_now(connection: Connection, session: dt.date, total: str) -> None:
    """Let the books have another P&L of a session now."""
    insert_pnl(connection, ACCOUNT, {session: total})
