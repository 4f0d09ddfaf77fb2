"""Reads the facts of a run from the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.core.runs import Run
from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX
from risk.core.warehouse import Connection, records, rows
from risk.ingest.roster import read_roster
from risk.report.facts import (
    CURVE_SESSIONS,
    LEVELS,
    AccountFacts,
    Counts,
    DeskFacts,
    Facts,
    GateFacts,
    RestatementFacts,
    RosterEntry,
    WarningFacts,
)

TOLD_WITHIN_SESSIONS = 20
"""Results are compared with what the reports of so many sessions have told."""


def build_facts(connection: Connection, run: Run) -> Facts:
    """Read everything the report of a run says.

    Parameters
    ----------
    connection
        Warehouse; only read.
    run
        The run whose recommendations, verdicts and load are reported.

    Returns
    -------
    Facts
        The same bytes for the same inputs, whatever the locale, the row order or the hash seed.
    """
    previous_session, previous_cuts = _previous(connection, run)
    judged = records(connection, "send_report/select_gate_results", {"run_id": run.run_id})
    booked = _adjustments(connection, run)
    accounts = _accounts(connection, run, previous_cuts, booked)
    session = {"session_date": run.session_date}
    return Facts(
        session_date=run.session_date,
        effective_session=run.effective_session,
        is_simulated=run.is_simulated,
        counts=_counts(accounts),
        desk=_desk(records(connection, "send_report/select_daily_pnl", session)[0], accounts, booked),
        accounts=accounts,
        warnings=(
            # Most telling first, for the mail has room for few above what is to be done.
            *_delivery_warnings(accounts, run),
            *_book_warnings(accounts, run),
            *_load_warnings(connection, run),
            *_check_warnings(connection, run, accounts),
            *(WarningFacts("model", "drift", readable(drift)) for row in judged for drift in row["drifts"]),
        ),
        roster=tuple(_roster(connection, run)),
        previous_session_date=previous_session,
        gate=_gate(judged[0]) if judged else None,
        past_cuts=_past_cuts(connection, run),
        restatements=_restatements(connection, run),
    )


def _roster(connection: Connection, run: Run) -> Iterable[RosterEntry]:
    """List the accounts that have traded; one that is only stated has nothing to report."""
    for trader in read_roster(connection, run):
        if trader.latest_session_date is not None:
            name, days = trader.account_id, trader.trading_day_count
            yield RosterEntry(name, days, trader.latest_session_date, trader.status)


def readable(text: str) -> str:
    """Return a sentence on one line, without control or direction characters that could disguise it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def by_urgency(account: AccountFacts) -> tuple[int, Decimal, Decimal, str]:
    """Sort key of the report: level, then cut, then forecast loss in base limits (none last), then name."""
    forecast = account.forecast_quantile_05_usd
    has_ratio = forecast is not None and account.base_limit_usd > 0
    in_limits = forecast / account.base_limit_usd if has_ratio and forecast is not None else Decimal("Infinity")
    return LEVELS.index(account.level), -account.cut_ratio, in_limits, account.account_id


def _previous(connection: Connection, run: Run) -> tuple[dt.date | None, Mapping[str, Decimal]]:
    """Read the session and the cuts of the report before this one, as known at the run's cut-off."""
    binds = {"session_date": run.session_date, "as_of": run.as_of, "active_within": ACTIVE_WITHIN_SESSIONS}
    found = rows(connection, "send_report/select_previous_cuts", binds)
    return (found[0][0] if found else None), {account_id: cut for _, account_id, cut in found if account_id}


def _restatements(connection: Connection, run: Run) -> tuple[RestatementFacts, ...]:
    """Read what the books tell otherwise than the newest report that told it, as known at the run's cut-off."""
    binds = {"session_date": run.session_date, "as_of": run.as_of, "told_within": TOLD_WITHIN_SESSIONS}
    return tuple(RestatementFacts(**row) for row in records(connection, "send_report/select_restatements", binds))


def _recent_results(connection: Connection, run: Run) -> Mapping[str, tuple[Decimal, ...]]:
    binds = {"run_id": run.run_id, "session_date": run.session_date, "curve_sessions": CURVE_SESSIONS}
    found: dict[str, list[Decimal]] = {}
    for account_id, total_pnl_usd in rows(connection, "send_report/select_recent_results", binds):
        found.setdefault(account_id, []).append(total_pnl_usd)
    return {account_id: tuple(results) for account_id, results in found.items()}


def _accounts(
    connection: Connection, run: Run, previous_cuts: Mapping[str, Decimal], booked: Mapping[str, Decimal]
) -> tuple[AccountFacts, ...]:
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "as_of": run.as_of,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    recent = _recent_results(connection, run)
    found = [
        _account(
            {
                **row,
                "previous_cut_ratio": previous_cuts.get(row["account_id"]),
                "recent_results_usd": recent.get(row["account_id"], ()),
                "adjustments_usd": booked.get(row["account_id"]),
            }
        )
        for row in records(connection, "send_report/select_recommendations", binds)
    ]
    return tuple(sorted(found, key=by_urgency))


def _adjustments(connection: Connection, run: Run) -> Mapping[str, Decimal]:
    """Read what was booked in the session beside trading, by account."""
    cut_off = {"session_date": run.session_date, "as_of": run.as_of}
    return dict(rows(connection, "send_report/select_adjustments", cut_off))


def _account(row: dict[str, Any]) -> AccountFacts:
    incomplete = row["incomplete_reason"]
    # What was not delivered is not a result: carried books of such a session say net 0, which nobody knows yet.
    is_known = row["delivery_state"] in {"delivered", "no trades"}
    return AccountFacts(
        **{
            **row,
            "net_pnl_usd": row["net_pnl_usd"] if is_known else None,
            "total_pnl_usd": row["total_pnl_usd"] if is_known else None,
            "reasons": tuple(readable(reason) for reason in row["reasons"]),
            "explanations": tuple(readable(sentence) for sentence in row["explanations"]),
            "forecast_fan_usd": tuple(row["forecast_fan_usd"]),
            "source_version": readable(row["source_version"]),
            "source_reason": readable(row["source_reason"]),
            "incomplete_reason": None if incomplete is None else readable(incomplete),
        }
    )


def _gate(row: Mapping[str, Any]) -> GateFacts:
    verdict = "the model serves" if row["is_serving"] else "rules serve"
    return GateFacts(verdict, tuple(readable(reason) for reason in row["reasons"]))


def _past_cuts(connection: Connection, run: Run) -> tuple[str, ...]:
    """Return the ledger's verdict and totals; nothing before the first cut has met a result."""
    found = records(connection, "send_report/select_ledger_results", {"run_id": run.run_id})
    return tuple(found[0]["sentences"][:2]) if found and found[0]["verdict"] != "nothing" else ()


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
    for row in sorted(records(connection, "send_report/select_source_files", binds), key=lambda row: row["file_name"]):
        name = readable(row["file_name"])
        yield WarningFacts("file", name, f"File {name} was not used at all: {readable(row['reason'])}")
    for row in sorted(records(connection, "send_report/select_fill_rejects", binds), key=lambda row: row["file_name"]):
        name, count = readable(row["file_name"]), row["rejected_count"]
        what = "1 row was rejected:" if count == 1 else f"{count:,} rows were rejected; the first:"
        yield WarningFacts("rejects", name, f"File {name}: {what} {readable(row['first_reason'])}")


_STATE_SENTENCES = {
    "not posted": "Fills of {session} are not posted yet for {accounts}: these limits rest on earlier sessions.",
    "missing": "No delivery for {session} from {accounts}, while other accounts arrived: ask for it.",
    "feed broken": "No account delivered anything for {session}: the feed is broken. Without it: {accounts}.",
    "rejected": "Every row delivered for {session} was rejected for {accounts}: these limits rest on earlier sessions.",
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
            message = f"Books of {name} are incomplete for {run.session_date}: {account.incomplete_reason}"
            yield WarningFacts("books", name, message)


RETOLD_CHECKS = {"accounts_delivered": "missing", "accounts_posted": "not posted", "books_complete": "incomplete"}
"""Checks with a verdict for each account whose state the report tells in one sentence for all such accounts."""


def _check_warnings(connection: Connection, run: Run, accounts: Sequence[AccountFacts]) -> Iterable[WarningFacts]:
    told = {(account.delivery_state, account.account_id) for account in accounts}
    told |= {("incomplete", account.account_id) for account in accounts if account.incomplete_reason is not None}
    verdicts = records(connection, "send_report/select_quality_results", {"run_id": run.run_id})
    for row in sorted(verdicts, key=lambda row: (row["severity"], row["check_name"], row["subject"])):
        if (RETOLD_CHECKS.get(row["check_name"]), row["subject"]) not in told:
            yield WarningFacts("check", readable(row["subject"] or row["check_name"]), readable(row["message"]))
