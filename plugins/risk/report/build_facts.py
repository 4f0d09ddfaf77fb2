"""Build the facts of a report from the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, TypeVar, get_type_hints

from risk.core.calendar import day_start, session_close
from risk.core.policy import LEVELS
from risk.core.policy_store import PolicyVersion, read_policy
from risk.core.runs import Run, read_roster
from risk.core.warehouse import Connection, records
from risk.ingest.reasons import SHOWN_ROWS, CauseGroup, say_causes
from risk.limits.breaches import read_items
from risk.limits.change_approvals import pending_sentences
from risk.limits.confirmations import platform_sentences, platform_states
from risk.limits.exposure import AccountExposure, largest_exposures
from risk.limits.further_limits import read_further_uses
from risk.limits.in_force import AccountLimits, change_usd, limit_at
from risk.limits.limit_inputs import read_account_limits, unnamed_limits
from risk.limits.policy import read_terms
from risk.limits.policy_requests import pending_policy_sentences
from risk.limits.receipts import BREACH
from risk.report.facts import (
    PNL_CHART_SESSIONS,
    SERVING_NAMES,
    AccountFacts,
    Counts,
    DeskFacts,
    DeskTailFacts,
    ExposureFacts,
    Facts,
    FitFacts,
    GateFacts,
    PolicyFacts,
    RestatementFacts,
    RosterEntry,
    WarningFacts,
)
from risk.report.receipt_facts import LimitUseFacts, ReceiptFacts, by_severity, item_facts, read_receipts, readable

Kind = TypeVar("Kind")

RESTATEMENT_SESSIONS = 20
"""P&L is compared with the reports of this many sessions."""

_STATE_SENTENCES = {
    "not posted": "{accounts}: fills for {session} not posted yet; limits use data through the previous session.",
    "missing": "{accounts}: no fills received for {session} (others received). Contact the source.",
    "feed broken": "{accounts}: no fills received for {session} from any account. Check the feed.",
    "rejected": "{accounts}: every row for {session} was rejected; limits use data through the previous session.",
}

SUMMARIZED_CHECKS = {"accounts_delivered": "missing", "accounts_posted": "not posted", "books_complete": "incomplete"}
"""Checks by account that the report summarizes in one sentence for all accounts in that state."""


def build_facts(connection: Connection, run: Run) -> Facts:
    """Read everything that the report of a run contains.

    Parameters
    ----------
    connection
        Warehouse; only read.
    run
        The run whose recommendations, checks and load are reported.

    Returns
    -------
    Facts
        Equal inputs give equal facts, whatever the locale, the row order or the hash seed.
    """
    session = {"session_date": run.session_date, "as_of": run.as_of}
    adjustments = records(connection, "send_report/select_adjustments", session)
    booked = {row["account_id"]: row["amount_usd"] for row in adjustments}
    policy = read_policy(connection, run.effective_session, run.as_of)
    of_run = {**session, "run_id": run.run_id, "active_within": policy.desk.accounts.active_within_sessions}
    (desk,) = records(connection, "send_report/select_desk", of_run)
    previous_cuts = dict(zip(desk["previous_account_ids"], desk["previous_cut_ratios"], strict=True))
    accounts = _read_accounts(connection, run, policy, previous_cuts, booked)
    compared = {**session, "within_sessions": RESTATEMENT_SESSIONS}
    restated = records(connection, "send_report/select_restatements", compared)
    return Facts(
        session_date=run.session_date,
        effective_session=run.effective_session,
        policy=policy_facts(policy),
        is_simulated=run.is_simulated,
        accounts=accounts,
        # Most important first: the mail shows only a few above the actions.
        warnings=(
            *account_warnings(accounts, run),
            *_limit_warnings(connection, run, accounts),
            *_stored_warnings(connection, run, accounts, desk["drifts"]),
        ),
        roster=tuple(
            RosterEntry(trader.account_id, trader.trading_day_count, trader.latest_session_date, trader.status)
            for trader in read_roster(connection, run)
            if trader.latest_session_date is not None
        ),
        previous_session_date=desk["previous_session_date"],
        restatements=tuple(RestatementFacts(**row) for row in restated),
        **_desk_facts(desk, accounts, booked),
        **_tail_facts(connection, run, policy),
        **_review_facts(connection, run),
        limit_use=_read_limit_use(connection, run, desk["incomplete_account_count"]),
    )


def policy_facts(version: PolicyVersion) -> PolicyFacts:
    """Return what a report says of the policy that decided."""
    bounds = version.desk.levels
    return PolicyFacts(version.label, *(f"{1 / (1 - share):.2f}x" for share in (bounds.moderate, bounds.high)))


def _tail_facts(connection: Connection, run: Run, policy: PolicyVersion) -> dict[str, Any]:
    """Return the facts about the desk's tail by their names; none if it was not computed."""
    rows = records(connection, "send_report/select_desk_tails", {"run_id": run.run_id})
    if not rows:
        return {}
    return {
        "desk_tail": _picked(DeskTailFacts, rows[0]),
        "exposures": _exposures(rows, policy.desk.fit.chance_to_pass),
    }


def read_exposures(connection: Connection, run: Run, account_ids: Collection[str]) -> tuple[ExposureFacts, ...]:
    """Read the largest exposures among some accounts, largest expected loss beyond the limit first."""
    policy = read_policy(connection, run.effective_session, run.as_of)
    rows = records(connection, "send_report/select_desk_tails", {"run_id": run.run_id})
    own = [row for row in rows if row["account_id"] in account_ids]
    return _exposures(own, policy.desk.fit.chance_to_pass)


def read_shares(connection: Connection, run_id: int) -> tuple[ExposureFacts, ...]:
    """Read the exposure of every account with a forecast, the largest share of the desk's shortfall first."""
    rows = records(connection, "send_report/select_desk_tails", {"run_id": run_id})
    exposures = [_picked(ExposureFacts, row) for row in rows if row["account_id"] is not None]
    return tuple(sorted(exposures, key=lambda one: (-(one.share_ratio or 0), -one.expected_excess_usd, one.account_id)))


def _exposures(rows: Iterable[Mapping[str, Any]], chance_to_pass: Decimal) -> tuple[ExposureFacts, ...]:
    exposures = [_picked(AccountExposure, row) for row in rows if row["account_id"] is not None]
    return tuple(_picked(ExposureFacts, asdict(one)) for one in largest_exposures(exposures, chance_to_pass))


def _review_facts(connection: Connection, run: Run) -> dict[str, Any]:
    """Return by their names the limits that do not fit and the rules that the desk's history contradicts."""
    of_run = {"run_id": run.run_id}
    contradicted = records(connection, "send_report/select_contradicted_rules", of_run)
    return {
        "fits": tuple(FitFacts(**row) for row in records(connection, "send_report/select_limit_fits", of_run)),
        "contradicted_rules": tuple(readable(row["sentence"]) for row in contradicted),
    }


def _read_limit_use(connection: Connection, run: Run, incomplete_count: int) -> LimitUseFacts:
    """Read the receipts of the session, judged by its policy, and the breaches that are items."""
    terms = read_terms(connection, run.session_date, run.as_of)
    receipts = [one for _, one in read_receipts(connection, terms, session_date=run.session_date)]
    receipts = [_with_platform_state(connection, one, run.session_date) for one in receipts]
    items = read_items(connection, run.as_of, run.session_date)
    desk_pnl_usd = sum((one.final_usd for one in receipts), Decimal(0)) if receipts else None
    further = read_further_uses(connection, terms, run.session_date, desk_pnl_usd, incomplete_count)
    return LimitUseFacts(by_severity(receipts), item_facts(items, run.session_date), tuple(further))


def _with_platform_state(connection: Connection, receipt: ReceiptFacts, session_date: dt.date) -> ReceiptFacts:
    """Add to a breach whether the platform was known to have the limit when it was reached."""
    if receipt.outcome != BREACH:
        return receipt
    states = platform_states(connection, receipt.hit_at or session_close(session_date))
    return replace(receipt, platform_state=states.get(receipt.account_id))


def _picked(kind: type[Kind], row: Mapping[str, Any]) -> Kind:
    """Make a record of those columns of a row that it has."""
    return kind(**{name: row[name] for name in get_type_hints(kind)})


def _read_accounts(
    connection: Connection,
    run: Run,
    policy: PolicyVersion,
    previous_cuts: Mapping[str, Decimal],
    booked: Mapping[str, Decimal],
) -> tuple[AccountFacts, ...]:
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "as_of": run.as_of,
        **policy.desk.accounts.coverage_binds,
        "pnl_sessions": PNL_CHART_SESSIONS,
        "levels": list(LEVELS),
    }
    limits = _read_limits(connection, run)
    accounts = []
    for row in records(connection, "send_report/select_recommendations", binds):
        incomplete = row["incomplete_reason"]
        # Without a delivery the P&L is unknown: carried positions alone would show a net P&L of 0.
        is_known = row["delivery_state"] in {"delivered", "no trades"}
        read = {
            "net_pnl_usd": row["net_pnl_usd"] if is_known else None,
            "total_pnl_usd": row["total_pnl_usd"] if is_known else None,
            "reasons": tuple(map(readable, row["reasons"])),
            "explanations": tuple(map(readable, row["explanations"])),
            "forecast_fan_usd": tuple(row["forecast_fan_usd"]),
            "recent_results_usd": tuple(row["recent_results_usd"]),
            "source_version": readable(row["source_version"]),
            "source_reason": readable(row["source_reason"]),
            "incomplete_reason": None if incomplete is None else readable(incomplete),
            "previous_cut_ratio": previous_cuts.get(row["account_id"]),
            "adjustments_usd": booked.get(row["account_id"]),
            **_limit_facts(limits(row["account_id"]), row, run),
        }
        accounts.append(AccountFacts(**{**row, **read}))
    return tuple(accounts)


def _read_limits(connection: Connection, run: Run) -> Callable[[str], AccountLimits]:
    """Read what each account's limit in force follows from, at ``as_of`` and until the effective session begins."""
    terms = read_terms(connection, run.effective_session, run.as_of)
    found = read_account_limits(
        connection,
        run.as_of,
        terms=terms,
        through_session=run.effective_session,
        first_at=run.as_of,
        last_at=max(run.as_of, day_start(run.effective_session)),
    )
    return lambda account_id: found.get(account_id) or unnamed_limits(terms, account_id)


def _limit_facts(limits: AccountLimits, row: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return an account's limit in force and its change, by the names of the facts."""
    now = limit_at(limits, run.as_of, run.effective_session)
    change = change_usd(limits, row["new_limit_usd"], run.effective_session, run.as_of)
    return {
        "limit_in_force_usd": now.limit_usd,
        "limit_source": now.source,
        "limit_since": None if now.since is None else now.since.astimezone(dt.UTC),
        "limit_change_usd": change,
        "limit_change_ratio": round(change / row["base_limit_usd"], 4),
    }


def _desk_facts(
    desk: Mapping[str, Any], accounts: Sequence[AccountFacts], booked: Mapping[str, Decimal]
) -> dict[str, Any]:
    """Return the facts about the desk as a whole by their names: its totals, the gate, the track record."""
    levels = [account.level for account in accounts]
    restricted = sum(account.cut_ratio > 0 for account in accounts)
    gate = GateFacts(f"{SERVING_NAMES[desk['serving'] or 'rules']} apply", tuple(map(readable, desk["gate_reasons"])))
    return {
        "counts": Counts(levels.count("high"), levels.count("moderate"), levels.count("low"), restricted),
        "desk": DeskFacts(
            traded_account_count=desk["traded_account_count"],
            incomplete_account_count=desk["incomplete_account_count"],
            fill_count=desk["fill_count"],
            net_pnl_usd=desk["net_pnl_usd"],
            total_pnl_usd=desk["total_pnl_usd"],
            base_limit_usd=sum((account.base_limit_usd for account in accounts), Decimal(0)),
            new_limit_usd=sum((account.new_limit_usd for account in accounts), Decimal(0)),
            adjustments_usd=sum(booked.values(), Decimal(0)) if booked else None,
        ),
        "gate": None if desk["serving"] is None else gate,
        # Verdict and totals; empty until a cut has an outcome.
        "past_cuts": () if desk["track_record_verdict"] == "nothing" else tuple(desk["track_record_sentences"][:2]),
    }


def account_warnings(accounts: Sequence[AccountFacts], run: Run) -> Iterable[WarningFacts]:
    """Warn of accounts without usable fills, then of those with incomplete books."""
    for state, sentence in _STATE_SENTENCES.items():
        names = sorted(account.account_id for account in accounts if account.delivery_state == state)
        if names:
            message = sentence.format(session=run.session_date, accounts=", ".join(names))
            yield WarningFacts("delivery", state, message)
    for account in sorted(accounts, key=lambda account: account.account_id):
        if account.incomplete_reason is not None:
            name = account.account_id
            message = f"{name}: books incomplete for {run.session_date}: {account.incomplete_reason}"
            yield WarningFacts("books", name, message)


def _limit_warnings(connection: Connection, run: Run, accounts: Sequence[AccountFacts]) -> Iterable[WarningFacts]:
    """Warn of changes and policies that wait for a decision, then of limits that the trading platform may not have."""
    for sentence in pending_sentences(connection, run.as_of) + pending_policy_sentences(connection, run.as_of):
        yield WarningFacts("register", "limits", readable(sentence))
    names = [account.account_id for account in accounts]
    for sentence in platform_sentences(connection, run.as_of, names):
        yield WarningFacts("platform", "limits", readable(sentence))


def _stored_warnings(
    connection: Connection, run: Run, accounts: Sequence[AccountFacts], drifts: Iterable[str]
) -> Iterable[WarningFacts]:
    """Warn of files and rows that were not loaded, then of failed checks, then of the model's drift."""
    summarized = {(account.delivery_state, account.account_id) for account in accounts}
    summarized |= {("incomplete", account.account_id) for account in accounts if account.incomplete_reason is not None}
    binds = {"run_id": run.run_id, "load_id": run.load_id, "session_date": run.session_date, "as_of": run.as_of}
    binds |= {"shown_rows": SHOWN_ROWS}
    found = records(connection, "send_report/select_warnings", binds)
    listed = sorted(found, key=lambda row: (row["rank"], row["check_name"], row["subject"]))
    for row in (row for row in listed if row["kind"] != "check"):
        name, message = readable(row["subject"]), readable(row["message"])
        sentence = message if row["kind"] == "unread" else f"File {name} was not loaded: {message}"
        yield WarningFacts(row["kind"], name, sentence)
    causes = [CauseGroup(**row) for row in records(connection, "send_report/select_reject_causes", binds)]
    for file_name, sentence in say_causes(causes):
        yield WarningFacts("rejects", readable(file_name), readable(sentence))
    for row in (row for row in listed if row["kind"] == "check"):
        if (SUMMARIZED_CHECKS.get(row["check_name"]), row["subject"]) not in summarized:
            yield WarningFacts("check", readable(row["subject"] or row["check_name"]), readable(row["message"]))
    for drift in drifts:
        yield WarningFacts("model", "drift", readable(drift))
