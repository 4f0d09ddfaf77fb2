"""The parts of a pack that say what is known now: restatements, people, gaps, the chain."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.core.calendar import next_session, report_due_at
from risk.core.warehouse import Connection, records
from risk.evidence.archive import Part
from risk.evidence.parts import Known, Row
from risk.evidence.reading import Scope, linked_rows, plain, stream

RESTATED = Part(9, "restated", "What was recorded later", is_final=False)
PEOPLE = Part(11, "people", "Who may do what", is_final=False)
GAPS = Part(12, "gaps", "What is missing", is_final=False)
CHAIN = Part(13, "chain", "The chain", is_final=False)


def restated_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give each session whose P&L the books have otherwise now, and what was recorded after the range was over."""
    for row in stream(connection, "select_books", {"names": list(scope.names), **scope.traded}):
        report = known.judged.get(row["session_date"])
        account = ((report or {}).get("leaf") or {}).get("account")
        now = plain(row["total_pnl_usd"]) if row["incomplete_reason"] is None else None
        if account is not None and not _is_equal(account["total_pnl_usd"], row):
            stated = {"reported_usd": account["total_pnl_usd"], "now_usd": now}
            yield {"restated": {"session": row["session_date"].isoformat(), **stated}}
    late = scope.late | scope.traded
    for table in ("deliveries", "withdrawals", "limit_breach_entries", "notes"):
        yield from linked_rows(connection, table, late)
    yield from linked_rows(connection, "withdrawals", scope.early | scope.traded)
    for report in stream(connection, "select_reports", {**scope.reported, "until": "infinity"}):
        if report["recorded_at"] > scope.until:
            picked = ("session_date", "effective_session", "revision", "recorded_at", "report_sha256")
            yield {"later_report": {name: plain(report[name]) for name in picked}}


def _is_equal(reported: str | None, row: Mapping[str, Any]) -> bool:
    now = row["total_pnl_usd"] if row["incomplete_reason"] is None else None
    return now is None if reported is None else now is not None and Decimal(reported) == now


def people_rows(connection: Connection, people: Sequence[Row], known: Known) -> Iterator[Row]:
    """Give who may decide by Airflow's roles, who may write by the database's, and who has decided."""
    yield from ({"airflow_user": dict(one)} for one in people)
    yield from ({"database_role": dict(one)} for one in records(connection, "examine/select_privileges"))
    acted = {(one["user_id"], one["user_name"]) for one in known.outcomes.values() if one["user_id"]}
    yield from ({"decided_in_range": {"user_id": one, "user_name": name}} for one, name in sorted(acted))


def airflow_people(environment: Mapping[str, str] = os.environ) -> list[dict[str, str]]:
    """Read Airflow's users and roles as its simple auth manager is set; empty where that is not known here."""
    users = environment.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "")
    pairs = (entry.strip().partition(":") for entry in users.split(",") if entry.strip())
    return [{"user": name, "role": role, "manager": "SimpleAuthManager"} for name, _, role in pairs]


def gap_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give sessions without a report, late or unsent reports, missing data, and what a pack never holds."""
    failures: dict[dt.date, list[str]] = {}
    for failure in stream(connection, "select_failures", scope.reported):
        day = failures.setdefault(next_session(failure["session_date"]), [])
        if len(day) < 3:
            day.append(f"{failure['task_id']}: {failure['message']}")
    for session in scope.sessions:
        report = known.reports.get(session)
        for sentence in _session_gaps(session, report, failures.get(session, [])):
            yield {"session": session.isoformat(), "gap": sentence}
        if report is not None and session not in known.mailed:
            yield {"session": session.isoformat(), "gap": "no mail server accepted a mail of the report"}
    for mail in stream(connection, "select_mails", {**scope.reported, "until": scope.until, "is_accepted": False}):
        sentence = f"mail to {mail['recipient']} was not accepted in time: {mail['last_error'] or 'no answer'}"
        yield {"session": mail["effective_session"].isoformat(), "gap": sentence}
    yield from ({"never": sentence} for sentence in NEVER_SHOWN)


KEYS = re.compile(r"[0-9 -]+")
"""A subject of keys alone, which names no account."""

NEVER_SHOWN = (
    "Executions are not listed: the number and hash of each delivery are, and of a breach its first fill.",
    "Nothing of other accounts and no total of the desk is shown; the digests of the reports prove that they exist.",
    "A policy that names recipients or groups is shown by its values for this account; its text is not.",
    "Secrets, passwords and the model's parameters are not shown; of a model there are its card and its hash.",
)


def _session_gaps(session: dt.date, report: Row | None, failures: Collection[str]) -> Iterator[str]:
    why = f" {' '.join(failures)}" if failures else ""
    if report is None:
        yield f"no report: {'failures of the morning run:' + why if failures else 'nothing says why'}"
        return
    if report["recorded_at"] > report_due_at(session):
        yield f"the report was late: recorded {plain(report['recorded_at'])}.{why}"
    if report["is_damaged"]:
        yield "the stored report is not the one whose hash was recorded"
    account = (report["leaf"] or {}).get("account")
    if account is None:
        yield "the report gives the account no limit: it had not traded recently, or was disabled"
    elif account["delivery_state"] not in {"delivered", "no trades"}:
        yield f"data of {report['session_date']}: {account['delivery_state']}"
    elif account["incomplete_reason"]:
        yield f"books of {report['session_date']} were incomplete: {account['incomplete_reason']}"
    if not report["is_provable"]:
        yield "the report is of format 1: the account's facts cannot be proven without the other accounts'"


def chain_rows(connection: Connection, first_sequence: int, others: Collection[str]) -> Iterator[Row]:
    """Give the links from the first one that the pack names; of one whose subject names another account the hash."""
    for link in stream(connection, "select_links", {"first_sequence": first_sequence}):
        shown = {name: plain(value) for name, value in link.items()}
        if not KEYS.fullmatch(link["subject"]) and any(name in link["subject"] for name in others):
            shown = {name: shown[name] for name in ("sequence", "previous_sha256", "link_sha256")}
        yield {"link_row": shown}
