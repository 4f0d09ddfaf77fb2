"""Build the facts of a report from the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.core.money import counted
from risk.core.runs import Run
from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX
from risk.core.warehouse import Connection, records, rows
from risk.ingest.roster import read_roster
from risk.report.facts import (
    LEVELS,
    PNL_CHART_SESSIONS,
    AccountFacts,
    Counts,
    DeskFacts,
    Facts,
    GateFacts,
    RestatementFacts,
    RosterEntry,
    WarningFacts,
)

RESTATEMENT_SESSIONS = 20
"""P&L is compared with the reports of this many sessions."""

NOTHING_FOUND = {"is_serving": None, "drifts": (), "track_record_verdict": None, "track_record_sentences": ()}
"""A run without gate result and track record."""


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
    previous_session, previous_cuts = _previous(connection, run)
    found = (*records(connection, "send_report/select_gate_and_track_record", {"run_id": run.run_id}), NOTHING_FOUND)[0]
    session = {"session_date": run.session_date, "as_of": run.as_of}
    booked = dict(rows(connection, "send_report/select_adjustments", session))
    accounts = _accounts(connection, run, previous_cuts, booked)
    return Facts(
        session_date=run.session_date,
        effective_session=run.effective_session,
        is_simulated=run.is_simulated,
        counts=_counts(accounts),
        desk=_desk(records(connection, "send_report/select_daily_pnl", session)[0], accounts, booked),
        accounts=accounts,
        warnings=(
            # Most important first: the mail shows only a few above the actions.
            *_delivery_warnings(accounts, run),
            *_book_warnings(accounts, run),
            *_load_warnings(connection, run),
            *_check_warnings(connection, run, accounts),
            *(WarningFacts("model", "drift", readable(drift)) for drift in found["drifts"]),
        ),
        roster=_roster(connection, run),
        previous_session_date=previous_session,
        gate=_gate(found),
        # Verdict and totals; empty until a cut has an outcome.
        past_cuts=() if found["track_record_verdict"] == "nothing" else tuple(found["track_record_sentences"][:2]),
        restatements=_restatements(connection, run),
    )


def _roster(connection: Connection, run: Run) -> tuple[RosterEntry, ...]:
    """Read the accounts that have traded."""
    return tuple(
        RosterEntry(trader.account_id, trader.trading_day_count, trader.latest_session_date, trader.status)
        for trader in read_roster(connection, run)
        if trader.latest_session_date is not None
    )


def readable(text: str) -> str:
    """Return a sentence on one line, without control and text-direction characters."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def by_urgency(account: AccountFacts) -> tuple[int, Decimal, Decimal, str]:
    """Sort key of the report: level, then cut, then forecast loss in base limits (none last), then name."""
    forecast = account.forecast_quantile_05_usd
    has_ratio = forecast is not None and account.base_limit_usd > 0
    in_limits = forecast / account.base_limit_usd if has_ratio and forecast is not None else Decimal("Infinity")
    return LEVELS.index(account.level), -account.cut_ratio, in_limits, account.account_id


def _previous(connection: Connection, run: Run) -> tuple[dt.date | None, Mapping[str, Decimal]]:
    """Read the session and the cuts of the previous report, as of the run's cut-off."""
    binds = {"session_date": run.session_date, "as_of": run.as_of, "active_within": ACTIVE_WITHIN_SESSIONS}
    found = rows(connection, "send_report/select_previous_cuts", binds)
    return (found[0][0] if found else None), {account_id: cut for _, account_id, cut in found if account_id}


def _restatements(connection: Connection, run: Run) -> tuple[RestatementFacts, ...]:
    """Read the P&L that differs from the latest report of it, as of the run's cut-off."""
    binds = {"session_date": run.session_date, "as_of": run.as_of, "within_sessions": RESTATEMENT_SESSIONS}
    return tuple(RestatementFacts(**row) for row in records(connection, "send_report/select_restatements", binds))


def _accounts(
    connection: Connection, run: Run, previous_cuts: Mapping[str, Decimal], booked: Mapping[str, Decimal]
) -> tuple[AccountFacts, ...]:
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "as_of": run.as_of,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
        "pnl_sessions": PNL_CHART_SESSIONS,
    }
    found = [
        _account(
            {
                **row,
                "previous_cut_ratio": previous_cuts.get(row["account_id"]),
                "adjustments_usd": booked.get(row["account_id"]),
            }
        )
        for row in records(connection, "send_report/select_recommendations", binds)
    ]
    return tuple(sorted(found, key=by_urgency))


def _account(row: dict[str, Any]) -> AccountFacts:
    incomplete = row["incomplete_reason"]
    # Without a delivery the P&L is unknown: carried positions alone would show a net P&L of 0.
    is_known = row["delivery_state"] in {"delivered", "no trades"}
    return AccountFacts(
        **{
            **row,
            "net_pnl_usd": row["net_pnl_usd"] if is_known else None,
            "total_pnl_usd": row["total_pnl_usd"] if is_known else None,
            "reasons": tuple(readable(reason) for reason in row["reasons"]),
            "explanations": tuple(readable(sentence) for sentence in row["explanations"]),
            "forecast_fan_usd": tuple(row["forecast_fan_usd"]),
            "recent_results_usd": tuple(row["recent_results_usd"]),
            "source_version": readable(row["source_version"]),
            "source_reason": readable(row["source_reason"]),
            "incomplete_reason": None if incomplete is None else readable(incomplete),
        }
    )


def _gate(found: Mapping[str, Any]) -> GateFacts | None:
    if found["is_serving"] is None:
        return None
    verdict = "model-based limits apply" if found["is_serving"] else "rule-based limits apply"
    return GateFacts(verdict, tuple(readable(reason) for reason in found["gate_reasons"]))


def _counts(accounts: Sequence[AccountFacts]) -> Counts:
    levels = [account.level for account in accounts]
    restricted = sum(account.cut_ratio > 0 for account in accounts)
    return Counts(levels.count("high"), levels.count("moderate"), levels.count("low"), restricted)


def _desk(totals: dict[str, Any], accounts: Sequence[AccountFacts], booked: Mapping[str, Decimal]) -> DeskFacts:
    return DeskFacts(
        **totals,
        base_limit_usd=sum((account.base_limit_usd for account in accounts), Decimal(0)),
        new_limit_usd=sum((account.new_limit_usd for account in accounts), Decimal(0)),
        adjustments_usd=sum(booked.values(), Decimal(0)) if booked else None,
    )


def _load_warnings(connection: Connection, run: Run) -> Iterable[WarningFacts]:
    binds = {"load_id": run.load_id, "session_date": run.session_date, "as_of": run.as_of}
    problems = records(connection, "send_report/select_load_problems", binds)
    for row in sorted(problems, key=lambda row: (row["kind"], row["file_name"])):
        name, reason, rejected_count = readable(row["file_name"]), readable(row["reason"]), row["rejected_count"]
        if rejected_count is None:
            message = f"File {name} was not loaded: {reason}"
        else:
            first = "" if rejected_count == 1 else "first: "
            message = f"File {name}: {counted(rejected_count, 'row')} rejected; {first}{reason}"
        yield WarningFacts(row["kind"], name, message)


_STATE_SENTENCES = {
    "not posted": "{accounts}: fills for {session} not posted yet; limits use data through the previous session.",
    "missing": "{accounts}: no fills received for {session} (others received). Contact the source.",
    "feed broken": "{accounts}: no fills received for {session} from any account. Check the feed.",
    "rejected": "{accounts}: every row for {session} was rejected; limits use data through the previous session.",
}


def _delivery_warnings(accounts: Sequence[AccountFacts], run: Run) -> Iterable[WarningFacts]:
    for state, sentence in _STATE_SENTENCES.items():
        names = sorted(account.account_id for account in accounts if account.delivery_state == state)
        if names:
            message = sentence.format(session=run.session_date, accounts=", ".join(names))
            yield WarningFacts("delivery", state, message)


def _book_warnings(accounts: Sequence[AccountFacts], run: Run) -> Iterable[WarningFacts]:
    for account in sorted(accounts, key=lambda account: account.account_id):
        if account.incomplete_reason is not None:
            name = account.account_id
            message = f"{name}: books incomplete for {run.session_date}: {account.incomplete_reason}"
            yield WarningFacts("books", name, message)


SUMMARIZED_CHECKS = {"accounts_delivered": "missing", "accounts_posted": "not posted", "books_complete": "incomplete"}
"""Checks by account that the report summarizes in one sentence for all accounts in that state."""


def _check_warnings(connection: Connection, run: Run, accounts: Sequence[AccountFacts]) -> Iterable[WarningFacts]:
    summarized = {(account.delivery_state, account.account_id) for account in accounts}
    summarized |= {("incomplete", account.account_id) for account in accounts if account.incomplete_reason is not None}
    failed_checks = records(connection, "send_report/select_quality_results", {"run_id": run.run_id})
    for row in sorted(failed_checks, key=lambda row: (row["severity"], row["check_name"], row["subject"])):
        if (SUMMARIZED_CHECKS.get(row["check_name"]), row["subject"]) not in summarized:
            yield WarningFacts("check", readable(row["subject"] or row["check_name"]), readable(row["message"]))
