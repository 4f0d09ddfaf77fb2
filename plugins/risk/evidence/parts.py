"""The parts of a pack that stay the same: what was known on each morning of the range, and what was decided."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from risk.core.calendar import day_start
from risk.core.policy_document import PolicyDocument, parse_policy
from risk.core.policy_store import read_policies
from risk.core.warehouse import Connection, records
from risk.evidence.archive import Part
from risk.evidence.reading import ONE_DAY, Scope, linked_row, linked_rows, plain, stream
from risk.limits.approvals import ONE_MOMENT, Proposal, read_proposals, read_publication
from risk.limits.in_force import AccountLimits, limits_in_session
from risk.limits.limit_inputs import RegisteredChange, read_account_limits, read_changes, unnamed_limits
from risk.limits.policy import read_terms
from risk.limits.publish import platform_csv
from risk.report.digest_tree import account_leaf, prove_account, report_leaves
from risk.report.facts import reader_of
from risk.report.receipt_facts import ReceiptFacts

LIMITS = Part(1, "limits", "Limits over time", is_final=True)
FACTS = Part(2, "facts", "What was known each morning", is_final=True)
POLICY = Part(3, "policy", "Policy and model of each day", is_final=True)
APPROVALS = Part(4, "approvals", "Approvals, second persons, time-outs", is_final=True)
CHANGES = Part(5, "changes", "Changes of limits and their end", is_final=True)
USE = Part(6, "use", "Use of the limit, breaches, what was done about them", is_final=True)
FIT = Part(7, "fit", "Review of the base limit", is_final=True)
DELIVERY = Part(8, "delivery", "Proof of delivery", is_final=True)
CODE = Part(10, "code", "Code and tests", is_final=True)

Row = Mapping[str, Any]


@dataclass
class Known:
    """What later parts and the page need of earlier ones: a few rows for each session.

    Attributes
    ----------
    reports
        The last report for each effective session, and the account's leaf in it; without its proof.
    judged
        The same by the session whose fills it judges.
    published
        The newest published limit by effective session.
    outcomes
        Decisions by key.
    versions, model_ids
        Policies and models that some morning used.
    mailed
        Effective sessions of which a mail was accepted.
    """

    reports: dict[dt.date, dict[str, Any]] = field(default_factory=dict)
    judged: dict[dt.date, dict[str, Any]] = field(default_factory=dict)
    published: dict[dt.date, dict[str, Any]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)
    model_ids: set[int] = field(default_factory=set)
    mailed: set[dt.date] = field(default_factory=set)


def facts_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give the account's leaf of each report with its proof, then what was delivered for the account."""
    reported = scope.early | scope.reported
    digests = {row["content"]["run_id"]: row for row in linked_rows(connection, "report_digests", reported)}
    for report in stream(connection, "select_reports", reported):
        canonical, salt = report.pop("facts"), report.pop("salt")
        report["is_damaged"] = hashlib.sha256(canonical.encode()).hexdigest() != report.pop("facts_sha256")
        leaf, proof = None, None
        for name in scope.names:
            leaf = report_leaves(canonical).get(account_leaf(name)) if leaf is None else leaf
            proof = prove_account(canonical, salt, name) if salt and proof is None else proof
        shown = {name: plain(value) for name, value in report.items() if value is not None}
        proven = {} if proof is None else {"leaf": leaf, "leaf_salt": proof.salt, "path": proof.path}
        unproven = {"unproven_leaf": leaf} if leaf and proof is None else {}
        yield {**digests.get(shown["run_id"], {}), "report": shown, **proven, **unproven}
        known.reports[report["effective_session"]] = known.judged[report["session_date"]] = {
            **report,
            "leaf": leaf,
            "is_provable": salt is not None,
        }
        known.model_ids.add(report["model_id"] or 0)
        if leaf:
            known.versions.add(int(leaf["policy"]["version"].split()[0]))
    yield from linked_rows(connection, "deliveries", scope.early | scope.reported)


def approval_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give publications, decisions with what the person was shown, and decisions about changes and policies."""
    binds = scope.early | scope.effective
    yield from linked_rows(connection, "publications", binds)
    edits: dict[str, dict[str, Any]] = {}
    for row in linked_rows(connection, "limit_decisions", binds):
        decision = row["content"]
        if decision["action"] == "edited":
            edits[decision["publication_id"]] = decision
        else:
            known.outcomes[decision["decision_id"]] = decision
        yield {**row, **_shown(connection, decision, edits)}
    yield from linked_rows(connection, "limit_change_decisions", scope.early)
    for request in stream(connection, "select_policy_requests", scope.early):
        # Its text may name recipients and groups.
        del request["link_sequence"], request["policy_text"]
        yield {"table": "policy_requests", "request": linked_row("", {"link_sequence": None, **request})["content"]}
    yield from linked_rows(connection, "policy_request_decisions", scope.early)


def _shown(connection: Connection, decision: Row, edits: Mapping[str, Row]) -> dict[str, str]:
    """Build again what a person was shown; nothing unless its hash is the one that the decision carries."""
    if "seen_sha256" not in decision or "carried_from" in decision:
        return {}
    publication = read_publication(connection, publication_id=int(decision["publication_id"]))
    recorded_at = dt.datetime.fromisoformat(decision["recorded_at"])
    proposals = read_proposals(connection, publication, known_at=recorded_at - ONE_MOMENT)
    proposal = next((one for one in proposals if one.account_id == decision["account_id"]), None)
    edit = edits.get(decision["publication_id"])
    found = (_as_edited(proposal, one) for one in (edit, None)) if proposal else ()
    return next(({"shown": text} for text in found if _is_seen(text, decision)), {})


def _is_seen(text: str, decision: Row) -> bool:
    return bool(hashlib.sha256(text.encode()).hexdigest() == decision["seen_sha256"])


def _as_edited(proposal: Proposal, edit: Row | None) -> str:
    decided = dataclasses.replace(
        proposal.decided,
        edit_id=int(edit["decision_id"]) if edit else None,
        edited_limit_usd=Decimal(edit["limit_usd"]) if edit else None,
        editor_id=edit["user_id"] if edit else None,
        edit_reason=edit["reason"] if edit else None,
    )
    return dataclasses.replace(proposal, decided=decided).shown


def limit_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give what was published, what files state, and for each session every limit with where it comes from."""
    for row in linked_rows(connection, "published_limits", scope.early | scope.effective):
        known.published[dt.date.fromisoformat(row["content"]["effective_session"])] = row["content"]
        yield row
    for stated in records(connection, "register/select_file_limits", {"as_of": scope.until}):
        if stated["account_id"] in scope.names:
            yield {"file_limit": {name: plain(value) for name, value in stated.items() if value is not None}}
    for session, limits in _limits_by_session(connection, scope):
        yield {"day": day_of(session, limits, known)}


def _limits_by_session(connection: Connection, scope: Scope) -> Iterator[tuple[dt.date, AccountLimits]]:
    """Read once for each policy what the limits in force follow from; earlier ones are refused no later knowledge."""
    policies = read_policies(connection, scope.last, scope.until)
    found: dict[int, AccountLimits] = {}
    for session in scope.sessions:
        version = next(one.version for one in policies if one.valid_from is None or one.valid_from <= session)
        if version not in found:
            terms = read_terms(connection, session, scope.until)
            read = read_account_limits(
                connection,
                scope.until,
                terms=terms,
                through_session=scope.last,
                first_at=day_start(scope.first) - ONE_MOMENT,
                last_at=scope.until,
                account_ids=scope.names,
            )
            found[version] = read.get(scope.account_id) or unnamed_limits(terms, scope.account_id)
        yield session, found[version]


def day_of(session: dt.date, limits: AccountLimits, known: Known) -> dict[str, Any]:
    """Gather the limits of a session: base, recommended, published, and in force from 00:00 to 24:00 there."""
    report, published = known.reports.get(session), known.published.get(session)
    account = (report["leaf"] or {}).get("account") if report else None
    in_force = limits_in_session(limits, session, day_start(session), day_start(session + ONE_DAY) - ONE_MOMENT)
    decision = known.outcomes.get(published["decision_id"]) if published else None
    picked = ("base_limit_usd", "new_limit_usd", "cut_ratio", "level", "reasons", "source", "source_version")
    return {
        "session": session.isoformat(),
        "recommended": account and {name: account[name] for name in (*picked, "source_reason", "explanations")},
        "published": published,
        "decision": decision,
        "in_force": [
            {
                "from": plain(instant),
                "limit_usd": plain(limit.limit_usd),
                "origin": limit.origin,
                "source": limit.source,
                "source_id": limit.source_id,
                "since": plain(limit.since),
            }
            for instant, limit in in_force
        ],
    }


def policy_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give the policies and models that some morning used, and which one each morning used."""
    group = read_terms(connection, scope.last, scope.until).groups.get(scope.account_id)
    for stored in stream(connection, "select_policies", scope.early):
        if stored["version"] in known.versions:
            document = parse_policy(stored["policy_text"], f"policy version {stored['version']}")
            yield _policy_row(stored, document, group)
    for model in stream(connection, "select_models", {"model_ids": sorted(known.model_ids)}):
        link = model.pop("link_sequence")
        yield {
            "model": {**{name: plain(value) for name, value in model.items()}, "card": model["card"], "in_link": link}
        }
    for session, report in known.reports.items():
        used = {"policy": report["leaf"]["policy"], "gate": report["leaf"]["gate"]} if report["leaf"] else {}
        yield {"morning": {"session": session.isoformat(), "newest_model_id": report["model_id"], **used}}


def _policy_row(stored: dict[str, Any], document: PolicyDocument, group: str | None) -> Row:
    """Show a policy whole where it names no recipient and no group; the values for the account in any case."""
    values = document.of_group(group).model_dump(mode="json", exclude={"recipients", "groups"})
    if not document.desk.recipients and not document.desk.groups:
        return {**linked_row("policies", stored), "values": values}
    in_link = stored.pop("link_sequence")
    del stored["policy_text"]
    shown = {name: plain(value) for name, value in stored.items() if value is not None}
    return {"policy": {**shown, "in_link": in_link}, "values": values}


def change_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:  # noqa: ARG001  (as every part)
    """Give the register of the account: each change as recorded, and when it took effect and ended."""
    yield from linked_rows(connection, "limit_changes", scope.early)
    changes = [one for one in read_changes(connection, scope.until) if one.account_id in scope.names]
    for change in changes:
        yield {"change": _course(change, changes)}


def _course(change: RegisteredChange, changes: list[RegisteredChange]) -> dict[str, Any]:
    begins_at = change.terms.takes_effect_at if change.action == "approved" else None
    later = [one for one in changes if one.replaces == change.change_id and one.action == "approved"]
    replaced_at = min((one.terms.takes_effect_at for one in later), default=None)
    ended_at = min((one for one in (change.ends_at, replaced_at) if one), default=None) if begins_at else None
    shown = {name: plain(getattr(change, name)) for name in RegisteredChange.__dataclass_fields__}
    return {**shown, "state": change.state, "takes_effect_at": plain(begins_at), "ended_at": plain(ended_at)}


def use_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give what the account did with its limit in each session, then what persons entered about breaches and noted."""
    for session in scope.sessions:
        report = known.judged.get(session)
        leaf = (report or {}).get("leaf") or {}
        for receipt in leaf.get("receipts", ()):
            sentence = reader_of(ReceiptFacts)(receipt).sentence
            yield {"session": session.isoformat(), "receipt": receipt, "sentence": sentence}
        yield from ({"session": session.isoformat(), "further": one} for one in leaf.get("further", ()))
        yield from ({"session": session.isoformat(), "item": one} for one in leaf.get("items", ()))
    yield from linked_rows(connection, "limit_breach_entries", scope.early | scope.traded)
    yield from linked_rows(connection, "notes", scope.early | scope.traded)


def fit_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:  # noqa: ARG001  (as every part)
    """Give what each morning's review said of the base limit."""
    for session, report in known.reports.items():
        for one in (report["leaf"] or {}).get("fits", ()):
            yield {"morning_of": session.isoformat(), "fit": one}


def delivery_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:
    """Give accepted mails, the trading platform's files, and which limits the platform is known to have."""
    for mail in stream(connection, "select_mails", {**scope.reported, "until": scope.until, "is_accepted": True}):
        known.mailed.add(mail["effective_session"])
        yield {"mail": {name: plain(value) for name, value in mail.items() if value is not None}}
    for limit in known.published.values():
        publication = read_publication(connection, publication_id=int(limit["publication_id"]))
        if publication.is_live:
            yield {"platform_file": _platform_file(connection, scope, publication.publication_id)}
    yield from linked_rows(connection, "platform_limits", scope.early)


def _platform_file(connection: Connection, scope: Scope, publication_id: int) -> dict[str, Any]:
    """Describe the file that a publication writes for the trading platform: its hash, and the account's line."""
    published = records(connection, "publish_limits/select_published_limits", {"publication_id": publication_id})
    own = [row for row in published if row["account_id"] in scope.names]
    session = published[0]["effective_session"]
    return {
        "file_name": f"limits-{session}-{publication_id}.csv",
        "effective_session": session.isoformat(),
        "sha256": hashlib.sha256(platform_csv(published).encode()).hexdigest(),
        "row_count": len(published),
        "own_lines": platform_csv(own),
    }


def code_rows(connection: Connection, scope: Scope, known: Known) -> Iterator[Row]:  # noqa: ARG001  (as every part)
    """Give which code and tests made each report."""
    for session, report in known.reports.items():
        made = {name: report[name] for name in ("run_id", "revision", "code_version", "tests_sha256")}
        yield {"morning_of": session.isoformat(), **{name: value for name, value in made.items() if value is not None}}


FINAL_PARTS = (
    (FACTS, facts_rows),
    (APPROVALS, approval_rows),
    (LIMITS, limit_rows),
    (POLICY, policy_rows),
    (CHANGES, change_rows),
    (USE, use_rows),
    (FIT, fit_rows),
    (DELIVERY, delivery_rows),
    (CODE, code_rows),
)
"""In the order in which they are written: later ones need what earlier ones have read."""
