"""The tables of a morning and of a trader: limits, their use, books, deliveries, checks, recommendations, features."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from risk.core.exchange import exchange
from risk.core.money import count, counted, signed_usd, usd_exact
from risk.limits.receipts import BREACH
from risk.report.facts import AccountFacts, RosterEntry
from risk.report.receipt_facts import ReceiptFacts
from risk.report.render import say
from risk.web.tables import (
    COUNT,
    DATE,
    FORECAST,
    LEVEL,
    LIMIT,
    LOSS,
    NAME,
    PERCENT,
    PNL,
    SHORT_FIGURE,
    TEXT,
    TIME,
    WORDS,
    Column,
    Table,
)
from risk.web.views import FeatureView, MorningView, SessionView

DECISIONS: Final = {
    "approved": "approved",
    "rejected": "rejected",
    "timed_out": "no decision by the deadline",
    "not_required": "no approval required",
}
CHECK_RESULTS: Final = {"failed": ("failed",) * 2, "warning": ("warning", "warnings"), "passed": ("passed",) * 2}
NOBODY = "nobody"
"""Name of the user of a decision that no person made."""


def trader_path(account_id: str) -> str:
    """Return the address of a trader's page below the root."""
    return f"traders/{quote(account_id)}"


def session_path(session_date: dt.date) -> str:
    """Return the address of a session's page below the root."""
    return f"sessions/{session_date}"


def reported_link(reported: frozenset[dt.date], name: str = "session_date") -> Callable[[Any], str | None]:
    """Return the link of a column of sessions: only one with a report has a page."""

    def link(row: Any) -> str | None:
        session_date = _read(row, name)
        return session_path(session_date) if session_date in reported else None

    return link


def trader_column(heading: str = "Trader", *, key: str = "") -> Column:
    """Return the column of the account, linked to its page."""
    return Column(heading, NAME, "account_id", link=lambda row: trader_path(_read(row, "account_id")), key=key)


def decision_words(row: Mapping[str, Any]) -> str | None:
    """Say what was decided about a published limit, and who did; ``None`` = it was not published."""
    if row["action"] is None:
        return None
    by = "" if row["user_name"] == NOBODY else f" by {row['user_name']}"
    return f"{DECISIONS[row['action']]}{by}"


def _read(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _remarks(account: AccountFacts) -> str:
    states = (account.status, account.delivery_state)
    return ", ".join(state for state in states if state not in {"active", "delivered"})


def _published_columns(published: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    """Return what was published of a report; the page writes limit and decision into one cell."""
    if not published:
        return []

    def row_of(account: AccountFacts) -> Mapping[str, Any] | None:
        return published.get(account.account_id)

    def limit(account: AccountFacts) -> Any:
        return row["limit_usd"] if (row := row_of(account)) else None

    def decided(account: AccountFacts) -> str | None:
        return decision_words(row) if (row := row_of(account)) else None

    def both(account: AccountFacts) -> str | None:
        return f"{usd_exact(limit(account))} ({decided(account)})" if row_of(account) else None

    return [
        Column("Published", LIMIT, limit, words=both, missing="not published"),
        Column("Decision", TEXT, decided, is_shown=False),
    ]


def limits_table(morning: MorningView) -> Table:
    """Return the limits of a report: those that change first, then most urgent first."""
    facts = morning.report.facts

    def change(account: AccountFacts) -> str:
        return signed_usd(account.limit_change_usd) if account.limit_change_usd else "unchanged"

    columns = [
        trader_column(),
        # First what she decides about: a phone shows two or three columns.
        Column("New limit", LIMIT, "next_limit_usd", tone=lambda _: "strong"),
        Column("Change", LIMIT, "limit_change_usd", words=change),
        Column("Level", LEVEL, "level", tone=lambda one: one.level, rank=lambda one: one.cut_ratio),
        Column("Cut", PERCENT, "cut_ratio"),
        Column("In force", LIMIT, "limit_in_force_usd"),
        Column("Base limit", LIMIT, "base_limit_usd"),
        *_published_columns(morning.published),
        Column("95% VaR", FORECAST, "value_at_risk_usd"),
        Column("P&L", PNL, "total_pnl_usd"),
        Column("Reasons", WORDS, lambda one: say("reasons", one) if one.reasons else ""),
        Column("Note", TEXT, _remarks),
    ]
    words = "limits that change first, then most urgent first."
    caption = f"{counted(len(facts.accounts), 'trader')}, {words}"
    return Table("limits", f"Limits for {facts.effective_session}", caption, columns, morning.accounts, NO_TRADER)


NO_TRADER = "No active trader: deliver fills of a session and run it."


def receipt_columns() -> list[Column]:
    """Return what an account did with its limit, for rows that are receipts."""
    return [
        Column("Limit", LIMIT, "limit_usd"),
        Column("Largest loss", LOSS, "largest_loss_usd"),
        Column("At", TEXT, lambda one: one.loss_time if one.largest_loss_usd else ""),
        Column("Use", PERCENT, "use_ratio", words=lambda one: one.use_text),
        Column("From the top", LOSS, "loss_from_top_usd"),
        Column("Final", PNL, "final_usd"),
        Column("Result", TEXT, "result", tone=lambda one: "high" if one.outcome == BREACH else ""),
    ]


def use_table(receipts: Sequence[ReceiptFacts]) -> Table:
    """Return the use of every limit in a session."""
    columns = [trader_column(), *receipt_columns()]
    caption = f"Along the account's own fills, so a loss is at least what is shown; times {exchange().city}."
    return Table("use", "Use of limits", caption, columns, receipts, "No trader with complete books.")


def session_tables(view: SessionView, known: str, row_count: int) -> list[Table]:
    """Return the tables of a session's page, with so many accounts of the roster."""
    facts = view.morning.report.facts
    return [
        limits_table(view.morning),
        use_table(facts.limit_use.receipts),
        _books_table(view),
        _adjustments_table(view, known),
        _totals_table(view, known),
        *_checks_tables(view),
        _roster_table(facts.roster, row_count),
    ]


def session_sentences(view: SessionView) -> dict[str, str | bool]:
    """Say in a sentence each what the folded control totals and checks come to, and whether the totals balance."""
    names = ("row", "loaded", "rejected", "duplicate")
    delivered, loaded, rejected, repeated = (
        count(sum(row[f"{name}_count"] or 0 for row in view.totals)) for name in names
    )
    off_count = sum(not row["is_balanced"] for row in view.totals)
    balance = f"{counted(off_count, 'line does', 'lines do')} not balance" if off_count else "all lines balance"
    results = Counter(map(_check_result, view.check_results))
    said = ", ".join(counted(results[name], *nouns) for name, nouns in CHECK_RESULTS.items() if results[name])
    return {
        "totals": (
            f"{delivered} rows delivered: {loaded} loaded, {rejected} rejected, {repeated} duplicate; {balance}."
            if view.totals
            else "Nothing was delivered."
        ),
        "is_balanced": not off_count,
        "checks": f"{counted(len(view.check_results), 'result')}: {said}." if said else "No check was run.",
    }


def _books_table(view: SessionView) -> Table:
    def reported(row: Mapping[str, Any]) -> Any:
        account = view.reported.get(row["account_id"])
        return None if account is None else account.total_pnl_usd

    def reported_words(row: Mapping[str, Any]) -> str | None:
        return None if row["account_id"] in view.reported else "not reported"

    def sums(row: Mapping[str, Any]) -> bool | str:
        agree: bool | None = row["is_reconciled"]
        return f"incomplete: {row['incomplete_reason']}" if agree is None else agree

    columns = [
        trader_column("Account"),
        Column("Fills", COUNT, "fill_count"),
        Column("Gross", PNL, "gross_pnl_usd"),
        Column("Fees", PNL, "fees_usd"),
        Column("Net", PNL, "net_pnl_usd"),
        Column("Unrealized change", PNL, "unrealized_delta_usd"),
        Column("Total now", PNL, "total_pnl_usd"),
        Column("Total reported", PNL, reported, words=reported_words),
        Column("Sums agree", TEXT, sums, tone=lambda row: "high" if row["is_reconciled"] is False else ""),
        Column("Source's net", PNL, "source_net_pnl_usd"),
        Column("Difference", PNL, "net_difference_usd"),
    ]
    caption = (
        "The books as they are now: gross - fees = net, net + unrealized change = total. Next to them the reported "
        "total and the net P&L of the source's own books."
    )
    return Table("books", "Reconciliation", caption, columns, view.books, "No trades.")


def _adjustments_table(view: SessionView, known: str) -> Table:
    columns = [
        Column("Account", NAME, "account_id"),
        Column("Category", TEXT, "category"),
        Column("Amount", PNL, "amount_usd"),
        Column("Comment", WORDS, "comment"),
    ]
    caption = f"Amounts booked outside trading, as known {known}: credits positive, not part of P&L."
    return Table("adjustments", "Adjustments", caption, columns, view.adjustments, is_sortable=False)


def _totals_table(view: SessionView, known: str) -> Table:
    columns = [
        Column("Account", NAME, "account_id", missing="no account"),
        Column("File", NAME, "file_name"),
        Column("Recorded", TIME, "recorded_at"),
        Column("Rows", COUNT, "row_count", missing="not loaded"),
        Column("Loaded", COUNT, "loaded_count"),
        Column("Rejected", COUNT, "rejected_count"),
        Column("Duplicate", COUNT, "duplicate_count"),
        Column("Balanced", TEXT, "is_balanced", tone=_unbalanced),
    ]
    caption = (
        f"Rows delivered = loaded + rejected + duplicate, as known {known}; rows that belong to no account and files "
        "that were not loaded last."
    )
    return Table("totals", "Control totals", caption, columns, view.totals, "Nothing was delivered.", is_sortable=False)


def _unbalanced(row: Mapping[str, Any]) -> str:
    return "" if row["is_balanced"] else "high"


def _checks_tables(view: SessionView) -> list[Table]:
    """Return what did not pass, if anything, and every result."""
    columns = [
        Column("Check", NAME, "check_name", words=lambda row: row["check_name"].replace("_", " ")),
        Column("Subject", NAME, lambda row: row["subject"] or "session"),
        Column("Result", TEXT, _check_result, tone=_check_tone),
        Column("Observed", TEXT, "observed"),
        Column("Message", WORDS, "message"),
    ]
    rows = view.check_results
    failed = [row for row in rows if not row["has_passed"]]
    every = Table("checks", "Every check", "Failed ones first.", columns, rows, "No check was run.", is_sortable=False)
    shown = Table("failed-checks", "Checks that did not pass", "Failed ones first.", columns, failed, is_sortable=False)
    return [shown, every] if failed else [every]


def _roster_table(roster: Sequence[RosterEntry], row_count: int) -> Table:
    columns = [
        trader_column(),
        Column("Trading days", COUNT, "trading_day_count"),
        Column("Latest", DATE, "latest_session_date"),
        Column("Status", TEXT, "status"),
    ]
    caption = "Every account that has traded, as the report of the session knew it."
    is_cut_short = len(roster) > row_count
    return Table(
        "roster", "Roster", caption, columns, roster[:row_count], "Nobody has traded.", is_cut_short=is_cut_short
    )


def _check_result(row: Mapping[str, Any]) -> str:
    if row["has_passed"]:
        return "passed"
    return "failed" if row["severity"] == "fail" else "warning"


def _check_tone(row: Mapping[str, Any]) -> str:
    return {"passed": "", "failed": "high", "warning": "moderate"}[_check_result(row)]


def recommendations_table(rows: Sequence[Mapping[str, Any]], *, is_cut_short: bool) -> Table:
    """Return a trader's past recommendations, newest first, with the names of the reports where they were others."""

    def published(row: Mapping[str, Any]) -> str | None:
        limit = row["published_limit_usd"]
        return None if limit is None else f"{usd_exact(limit)}, {decision_words(row)}"

    has_former_names = any(row["former_account_id"] for row in rows)
    columns = [
        Column("Session", DATE, "effective_session", link=lambda row: session_path(row["session_date"])),
        *([Column("Reported as", NAME, "former_account_id")] if has_former_names else []),
        Column("Level", LEVEL, "level", tone=lambda row: row["level"]),
        Column("Cut", PERCENT, "cut_ratio"),
        Column("New limit", LIMIT, "new_limit_usd"),
        Column("Published", LIMIT, "published_limit_usd", words=published, missing="not published"),
        Column("Decision", TEXT, decision_words, is_shown=False),
        Column("Benefit", PNL, "benefit_usd"),
        Column("Source", TEXT, lambda row: row["source"].capitalize()),
        Column("Reasons", WORDS, lambda row: "; ".join(row["reasons"])),
    ]
    return Table("recommendations", "Past recommendations", "Newest first.", columns, rows, is_cut_short=is_cut_short)


def feature_tables(features: Sequence[FeatureView]) -> list[Table]:
    """Return a trader's features compared with his past: those outside of it, and all."""
    columns = [
        Column("Feature", TEXT, "sentence"),
        Column("Now", SHORT_FIGURE, "value"),
        Column("Compared with past", TEXT, _verdict, tone=lambda one: "strong" if _is_unusual(one) else ""),
        Column("Low", SHORT_FIGURE, "low"),
        Column("Usual", SHORT_FIGURE, "usual"),
        Column("High", SHORT_FIGURE, "high"),
        Column("Unit", TEXT, "unit"),
    ]
    outside = (
        "Outside the middle 80% of the trader's past: low = 10th percentile, usual = median, high = 90th percentile."
    )
    unusual = [one for one in features if _is_unusual(one)]
    return [
        Table("unusual-features", "Unusual features", outside, columns, unusual),
        Table("features", "All features", "Latest value and the trader's past.", columns, features),
    ]


def _is_unusual(feature: FeatureView) -> bool:
    return feature.verdict in {"high", "low"}


def _verdict(feature: FeatureView) -> str:
    return f"unusually {feature.verdict}" if _is_unusual(feature) else feature.verdict
