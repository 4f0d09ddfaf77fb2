"""The tables of the pages about the policy: trials, versions, and what a trial would have changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from risk.core.money import counted, percent, usd_exact
from risk.web.charts import chart_tables
from risk.web.policy_views import PolicyPage, TrialView, VersionView
from risk.web.record_tables import dollar_interval
from risk.web.session_tables import trader_column
from risk.web.tables import (
    COUNT,
    DATE,
    LIMIT,
    NAME,
    PERCENT,
    ROUNDED_PNL,
    SHARE,
    TEXT,
    TIME,
    WORDS,
    Column,
    Table,
)

Row = Mapping[str, Any]


def policy_tables(view: PolicyPage) -> list[Table]:
    """Return the tables of the page Policy."""
    return [_trials_table(view), _versions_table(view)]


def _trials_table(view: PolicyPage) -> Table:
    columns = [
        Column(
            "Trial",
            TEXT,
            lambda one: f"Trial {one.trial_number}",
            link=lambda one: f"policy/trials/{one.trial_number}",
            rank=lambda one: one.trial_number,
        ),
        Column("Policy", TEXT, lambda one: one.content_sha256[:12]),
        Column("From", DATE, "first_session"),
        Column("To", DATE, "last_session"),
        Column("By", NAME, "author"),
        Column("Sealed", TIME, "recorded_at"),
        Column("Computed", TIME, "computed_at", missing="not yet"),
        Column("Verdict", WORDS, lambda one: one.verdict["sentence"] if one.verdict else "no verdict yet"),
        Column("As of", TIME, "judged_at"),
    ]
    caption = (
        f"{counted(view.trial_count, 'trial')}, newest first. Results on past mornings are exploratory: whoever tries "
        "many policies on one past finds one that looks better. The verdict counts mornings after a policy was sealed "
        "only."
    )
    is_cut_short = view.trial_count > len(view.trials)
    nothing = "No policy was tried yet: enter one below."
    return Table("trials", "Trials", caption, columns, view.trials, nothing, is_cut_short=is_cut_short)


def _versions_table(view: PolicyPage) -> Table:
    columns = [
        Column(
            "Version",
            TEXT,
            lambda one: one.version.label,
            link=lambda one: f"policy/versions/{one.version.version}",
        ),
        Column("Valid from", DATE, lambda one: one.version.valid_from, missing="installation"),
        Column("By", NAME, lambda one: one.version.author),
        Column("Approved by", NAME, lambda one: one.version.approver),
        Column("Recorded", TIME, lambda one: one.version.recorded_at),
        Column("Reason", WORDS, lambda one: one.version.reason),
        Column("Changes of the version before", WORDS, _changes, is_written_by_page=True),
    ]
    caption = f"{counted(view.version_count, 'version')}, newest first; never changed or deleted."
    is_cut_short = view.version_count > len(view.versions)
    return Table("versions", "Versions", caption, columns, view.versions, is_sortable=False, is_cut_short=is_cut_short)


def _changes(one: VersionView) -> str:
    if one.differences is None:
        return "installed policy"
    return "; ".join(one.differences) or "no value differs"


def trial_tables(view: TrialView, row_count: int) -> list[Table]:
    """Return the tables of a trial's page: none of its outcome before one is computed."""
    charts = chart_tables(view.wealth, view.nets)
    if view.outcome is None:
        return charts
    return [*charts, _outcome_table(view.outcome.facts), _changed_table(view, row_count)]


def _outcome_table(facts: Row) -> Table:
    outcomes = facts["outcomes"]
    rows = [
        {"policy": name, **side["use"], **side["record"], "tail": side["tail"]}
        for name, side in (("In force", outcomes["adopted"]), ("Tried", outcomes["other"]))
    ]
    columns = [
        Column("Policy", TEXT, "policy"),
        Column("Use, median", SHARE, "median_ratio"),
        Column("Use, 95%", SHARE, "high_ratio"),
        Column("Limit hits", COUNT, "hit_count"),
        Column("Breaches", COUNT, "breach_count"),
        _amount("Net of the cuts", "net_usd"),
        Column("95% interval", TEXT, _interval),
        Column("Average cut", SHARE, lambda row: float(row["average_cut_ratio"])),
        _amount("Net of the control", "uniform_net_usd"),
        Column("Worst 5% of trader-days against the control", TEXT, _tail),
    ]
    days = counted(outcomes["adopted"]["use"]["day_count"], "trader-day")
    caption = (
        f"{days}. Use of the limit; a breach is a limit hit, too. The control cuts everybody by the policy's average."
    )
    return Table("outcome", "Outcome under each policy", caption, columns, rows, is_sortable=False)


def _amount(heading: str, name: str) -> Column:
    return Column(heading, ROUNDED_PNL, lambda row: Decimal(str(row[name])))


def _interval(row: Row) -> str:
    return stored_interval(row["net_low_usd"], row["net_high_usd"])


def stored_interval(low: str | None, high: str | None) -> str:
    """Write an interval of US dollars whose ends are stored as text."""
    return dollar_interval(None, None) if low is None or high is None else dollar_interval(Decimal(low), Decimal(high))


def _tail(row: Row) -> str:
    return "no cut, or too few sessions" if row["tail"] is None else smaller(row["tail"]["against_equal"])


def smaller(effect: Row | None) -> str:
    """Say by how much a tail is smaller, with its 95 % interval."""
    if effect is None:
        return "not known"
    size = percent(abs(effect["ratio"]), 1)
    side = "smaller" if effect["ratio"] >= 0 else "larger"
    return f"{size} {side} (95%: {percent(effect['low'], 1)} to {percent(effect['high'], 1)})"


def _changed_table(view: TrialView, row_count: int) -> Table:
    facts: Row = view.outcome.facts if view.outcome else {}
    changes = facts["changes"]

    columns = [
        Column("Session", DATE, lambda row: dt.date.fromisoformat(row["effective_session"])),
        trader_column(),
        *_side("In force", "adopted"),
        *_side("Tried", "what_if"),
    ]
    stored = f"; stored are the first {len(changes):,}" if facts["change_count"] > len(changes) else ""
    caption = (
        f"{counted(facts['change_count'], 'account-morning')} in {facts['changed_mornings']:,} of "
        f"{counted(facts['mornings'], 'morning')}{stored}."
    )
    return Table(
        "changes",
        "Mornings and accounts that change",
        caption,
        columns,
        changes[:row_count],
        "Nothing changes: every level, cut and limit is the same.",
        is_cut_short=len(changes) > row_count,
    )


def _side(heading: str, name: str) -> list[Column]:
    """Return one policy's decision: one cell on the page, its parts in the exports."""

    def part(of: str) -> Any:
        return lambda row: None if row[name] is None else row[name][of]

    def number(of: str) -> Any:
        return lambda row: None if row[name] is None else Decimal(str(row[name][of]))

    return [
        Column(heading, TEXT, lambda row: _terms(row[name]), is_exported=False),
        Column(f"{heading}: level", TEXT, part("level"), is_shown=False),
        Column(f"{heading}: cut", PERCENT, number("cut_ratio"), is_shown=False),
        Column(f"{heading}: limit", LIMIT, number("limit_usd"), is_shown=False),
    ]


def _terms(decision: Row | None) -> str:
    if decision is None:
        return "no limit"
    cut, limit = percent(float(decision["cut_ratio"])), usd_exact(Decimal(str(decision["limit_usd"])))
    return f"{decision['level']}, cut {cut}, {limit}"
