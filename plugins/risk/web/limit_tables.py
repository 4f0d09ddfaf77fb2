"""The tables of the page Limits: limits in force, the review of base limits, changes; and the entries of a breach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from risk.core.calendar import local_time
from risk.core.money import counted, percent
from risk.limits.confirmations import Confirmation
from risk.limits.limit_inputs import RegisteredChange
from risk.web.limit_views import LimitsView
from risk.web.session_tables import trader_column
from risk.web.tables import (
    COUNT,
    FORECAST,
    LIMIT,
    NAME,
    PERCENT,
    PROBABILITY,
    TEXT,
    TIME,
    WORDS,
    Column,
    Table,
)

Row = Mapping[str, Any]


def limits_tables(view: LimitsView, find: str) -> list[Table]:
    """Return the tables of the page Limits, with the accounts whose name contains what was searched for."""
    newest = f"Newest first, {counted(view.past_count, 'change')} in all; changes are never edited or deleted."
    begun = "A change acts from its start on, never before its approval, and ends by itself."
    return [
        _in_force_table(view, find),
        _fits_table(view),
        _traders_table(view),
        changes_table(
            "acting", "Approved changes", begun, view.acting, is_cut_short=len(view.acting) < view.acting_count
        ),
        changes_table("past", "Earlier changes", newest, view.past, is_cut_short=len(view.past) < view.past_count),
    ]


def _in_force_table(view: LimitsView, find: str) -> Table:
    def confirmation(account: Any) -> Confirmation:
        return view.platform[account.account_id]

    columns = [
        trader_column(),
        Column("In force", LIMIT, lambda one: one.in_force.limit_usd, tone=lambda _: "strong"),
        Column("Base limit", LIMIT, lambda one: one.base.limit_usd),
        Column("Source", TEXT, lambda one: one.in_force.origin),
        Column("Since", TIME, lambda one: one.in_force.since, missing="always"),
        Column("On the platform", TEXT, lambda one: platform_words(confirmation(one)), is_written_by_page=True),
    ]
    searched = f" whose name contains {find}" if find else ""
    caption = f"{counted(view.accounts.count, 'account')}{searched}; a limit of $0 means no trading."
    if view.hidden_count:
        nothing = "No account with a limit."
    else:
        nothing = "No account's name contains that." if find else "No account is known yet: deliver its fills first."
    return Table("in-force", "Limits in force", caption, columns, view.accounts.rows, nothing)


def platform_words(confirmed: Confirmation) -> str:
    """Say whether the trading platform has a limit in force, and who says so."""
    stated = confirmed.stated
    if stated is None:
        return "unconfirmed"
    by = f"{stated.file_name or stated.user_name}, {local_time(stated.seen_at)}"
    if confirmed.state == "confirmed":
        return f"confirmed by {by}"
    return f"{stated.limit_usd} by {by}" if confirmed.state == "different" else "unconfirmed"


def _fits_table(view: LimitsView) -> Table:
    columns = [
        trader_column(),
        Column("Base limit", LIMIT, "base_limit_usd"),
        Column("Days", COUNT, "session_count"),
        Column("Median use", PERCENT, "median_use_ratio"),
        Column("95% use", PERCENT, "high_use_ratio"),
        Column("Largest use", PERCENT, "largest_use_ratio"),
        Column("Limit hits", COUNT, "hit_count", words=_hits),
        Column("Days stopped at the limit", COUNT, "stopped_count", is_shown=False),
        Column("Share of days, from", PERCENT, "hit_low_ratio", is_shown=False),
        Column("Share of days, to", PERCENT, "hit_high_ratio", is_shown=False),
        Column("95% VaR", FORECAST, "value_at_risk_usd"),
        Column("P(loss > limit)", PROBABILITY, "loss_probability"),
        Column("Verdict", WORDS, _verdict, is_written_by_page=True),
    ]
    through = f" through {view.fits.rows[0]['session_date']}" if view.fits.rows else ""
    caption = (
        f"The last 250 sessions{through}, from the largest running loss of each; 95% VaR and P(loss > limit) are at "
        "the close."
    )
    return Table("fit", "Do the base limits fit?", caption, columns, view.fits.rows)


def _hits(row: Row) -> str:
    least = "at least " if row["stopped_count"] else ""
    share = f" ({percent(row['hit_low_ratio'])} to {percent(row['hit_high_ratio'])})" if row["session_count"] else ""
    return f"{least}{row['hit_count']}{share}"


def _verdict(row: Row) -> str:
    return f"{row['sentence']}; {row['warning']}" if row["warning"] else str(row["sentence"])


def _traders_table(view: LimitsView) -> Table:
    columns = [
        Column("Trader", NAME, "trader_name"),
        Column("Accounts", NAME, lambda row: ", ".join(row["account_ids"]), is_written_by_page=True),
        Column("Base limits", LIMIT, "base_limit_usd"),
        Column("Days", COUNT, "session_count"),
        Column("Largest use", PERCENT, "lows_use_ratio", words=_range_of_use),
        Column("Largest use at the close", PERCENT, "close_use_ratio", is_shown=False),
        Column("Limit hits", COUNT, "lows_hit_count", words=_range_of_hits),
        Column("Limit hits at the close", COUNT, "close_hit_count", is_shown=False),
        Column("Verdict", WORDS, "sentence"),
    ]
    caption = (
        "Base limits added up, against the accounts' losses added up: at the close, and as if every account had been "
        "at its low at once. The largest loss together is in between; a verdict holds where both give it."
    )
    return Table("traders", "Traders with several accounts", caption, columns, view.traders.rows)


def _range_of_use(row: Row) -> str | None:
    low, high = row["close_use_ratio"], row["lows_use_ratio"]
    return None if low is None else f"{percent(low)} to {percent(high)}"


def _range_of_hits(row: Row) -> str:
    return f"{row['close_hit_count']} to {row['lows_hit_count']}"


def changes_table(
    name: str, label: str, caption: str, changes: Sequence[RegisteredChange], *, is_cut_short: bool
) -> Table:
    """Return changes of the register."""
    columns = [
        Column("Change", TEXT, lambda change: str(change.change_id)),
        trader_column(),
        Column("Kind", TEXT, "kind"),
        Column("Limit", LIMIT, "limit_usd"),
        Column("From", TIME, "starts_at"),
        Column("Until", TIME, "ends_at"),
        Column("Requested by", TEXT, "requester_name"),
        Column("Decision", TEXT, change_state),
        Column("Reason", WORDS, "reason"),
    ]
    return Table(name, label, caption, columns, changes, is_sortable=False, is_cut_short=is_cut_short)


def change_state(change: RegisteredChange) -> str:
    """Say what became of a change."""
    if change.action is None or change.decided_at is None:
        return "ended without a decision"
    return f"{change.action} by {change.decider_name}, {local_time(change.decided_at)}"


def entries_table(entries: Sequence[Row]) -> Table:
    """Return what was entered about a breach, in order."""
    columns = [
        Column("Time", TIME, "recorded_at"),
        Column("Entry", TEXT, "action"),
        Column("Reason", TEXT, lambda row: row["reason"] or ""),
        Column("Explanation", WORDS, "sentence"),
        Column("By", TEXT, "user_name"),
    ]
    caption = "In order; entries are never changed or deleted."
    return Table("entries", "Entries", caption, columns, entries, "None yet.", is_sortable=False)


def decisions_table(decisions: Sequence[Row], count: int) -> Table:
    """Return the newest of so many decisions about a report's limits, in order."""
    columns = [
        Column("Time", TIME, "recorded_at"),
        Column("Trader", NAME, "account_id"),
        Column("Decision", TEXT, _decided),
        Column("Limit", LIMIT, "limit_usd"),
        Column("By", TEXT, "user_name"),
        Column("Reason", WORDS, "reason"),
    ]
    is_cut_short = count > len(decisions)
    newest = f" The newest {len(decisions):,} of {count:,}." if is_cut_short else ""
    caption = f"In order; decisions are never changed or deleted.{newest}"
    return Table(
        "decisions", "Decisions", caption, columns, decisions, "None yet.", is_sortable=False, is_cut_short=is_cut_short
    )


def _decided(row: Row) -> str:
    action = "limit set" if row["action"] == "edited" else row["action"].replace("_", " ")
    return f"{action} on an earlier report" if row["is_carried"] else str(action)
