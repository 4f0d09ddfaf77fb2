"""The tables and charts of the page Desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from risk.core.money import EXACT, counted, percent, signed_usd, usd
from risk.desk.patterns import COPYING, CROSSING, CROWDING
from risk.limits.desk_tail import MINIMUM_SCENARIOS
from risk.report.facts import ExposureFacts
from risk.web.charts import Chart, bars, layout, line
from risk.web.desk_views import DeskView, is_day
from risk.web.session_tables import reported_link, trader_column, trader_path
from risk.web.tables import (
    COUNT,
    DATE,
    FIGURE,
    LIMIT,
    NAME,
    PNL,
    PRICE,
    PROBABILITY,
    ROUNDED_PNL,
    SHARE,
    SHORT_FIGURE,
    TEXT,
    TIME,
    WORDS,
    Column,
    Table,
)

Row = Mapping[str, Any]

SHOWN_NAMES = 3
HEAT_BOUNDS = (Decimal("0.15"), Decimal("0.3"), Decimal("0.5"))
"""Absolute correlations from which a cell has the next color."""

NO_SHARES: Final = f"Shares of the shortfall need {MINIMUM_SCENARIOS} days of results, and losses in the worst of them."
EMPTY: Final = "None in these sessions."


def desk_tables(view: DeskView, shown_rows: int) -> list[Table]:
    """Return the tables of the page with so many rows each, those of patterns with every flagged one at least."""
    patterns = [
        _pattern_table("crossing", "Crossing", CROSSING, view, [_met("Crossings")]),
        _pattern_table("crowding", "Crowding", CROWDING, view, [_met("Entries")]),
        _pattern_table("copying", "Copying", COPYING, view, [_met("Copies"), *_copy_columns()]),
    ]
    others = [
        _shares_table(view.summary.shares),
        _self_trades_table(view.self_trades, view.reported),
        _scans_table(view.scans, view.reported),
        _correlations_table(view.correlations),
    ]
    return [
        *(_first_rows(table, shown_rows) for table in others),
        *(_first_rows(table, max(shown_rows, sum(row["is_flagged"] for row in table.rows))) for table in patterns),
    ]


def _first_rows(table: Table, shown_rows: int) -> Table:
    rows = list(table.rows)
    return replace(table, rows=rows[:shown_rows], is_cut_short=len(rows) > shown_rows)


def curve_chart(curve: Sequence[Row], reported: frozenset[dt.date]) -> Chart | None:
    """Draw the desk's daily P&L as bars and its sum as a line; its table links the reported sessions."""
    if not curve:
        return None
    days = [row["session_date"] for row in curve]
    daily = [row["total_pnl_usd"] for row in curve]
    total = list(accumulate(daily, EXACT.add))
    worst = min(range(len(daily)), key=lambda place: daily[place])
    incomplete = sum(row["incomplete_count"] for row in curve)
    summary = (
        f"{counted(len(days), 'session')} from {days[0]} to {days[-1]}: {signed_usd(total[-1])} together, "
        f"{signed_usd(daily[-1])} on the last one, worst {signed_usd(daily[worst])} on {days[worst]}."
    )
    if incomplete:
        summary += f" {counted(incomplete, 'account-session')} with incomplete books add nothing."
    columns = (
        Column("Session", DATE, "session_date", link=reported_link(reported)),
        Column("P&L", PNL, "total_pnl_usd"),
        Column("Cumulative P&L", PNL, "cumulative_usd"),
        Column("Incomplete accounts", COUNT, "incomplete_count"),
    )
    rows = [{**row, "cumulative_usd": amount} for row, amount in zip(curve, total, strict=True)]
    return Chart(
        "P&L of the desk",
        summary,
        [bars("P&L", days, daily, "shade"), line("Cumulative P&L", days, total, "curve")],
        layout(),
        Table("curve", "P&L of the desk", "Newest first.", columns, rows[::-1]),
    )


def heat_rows(correlations: Sequence[Row]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Lay the correlations out as a square: each account, and for each account the class of the cell and its number."""
    names = sorted({row[name] for row in correlations for name in ("account_id", "other_account_id")})
    known = {(row["account_id"], row["other_account_id"]): row["correlation_ratio"] for row in correlations}
    return [
        (
            name,
            [("", "") if name == other else _heat(known.get((min(name, other), max(name, other)))) for other in names],
        )
        for name in names
    ]


def _heat(ratio: Decimal | None) -> tuple[str, str]:
    """Return the class of a cell, warm for traders who win and lose together, and its text."""
    if ratio is None:
        return "", "?"
    step = sum(abs(ratio) >= bound for bound in HEAT_BOUNDS)
    return (f"heat {'l' if ratio > 0 else 'g'}{step}" if step else "", f"{ratio:+.2f}")


def _shares_table(shares: Sequence[ExposureFacts]) -> Table:
    known = [one.share_ratio for one in shares if one.share_ratio is not None]
    reliefs = any(one.relief_usd is not None for one in shares)
    caption = f"{counted(len(shares), 'trader')} with a forecast."
    if known:
        caption = f"{caption} The shares add up to {percent(sum(known, Decimal(0)))}."
    elif shares:
        caption = f"{caption} {NO_SHARES}"
    if reliefs:
        caption = f"{caption} What a cut takes off is of the shortfall while all others keep their base limits."
    split = [
        Column("Share of the shortfall", SHARE, "share_ratio", missing="unknown"),
        Column("95% interval", TEXT, "share_low_ratio", words=_interval, is_exported=False),
        Column("Share, from", SHARE, "share_low_ratio", is_shown=False),
        Column("Share, to", SHARE, "share_high_ratio", is_shown=False),
    ]
    columns = [
        trader_column(),
        *(split if known else ()),
        Column("New limit", LIMIT, "limit_usd"),
        Column("Chance of losing more", PROBABILITY, "loss_probability"),
        *([Column("Cut takes off", ROUNDED_PNL, "relief_usd", words=_relief)] if reliefs else ()),
    ]
    return Table("shares", "Shares of the desk's shortfall", caption, columns, shares, "No trader has a forecast.")


def _interval(one: ExposureFacts) -> str:
    if one.share_low_ratio is None or one.share_high_ratio is None:
        return "unknown"
    return f"{percent(one.share_low_ratio)} to {percent(one.share_high_ratio)}"


def _relief(one: ExposureFacts) -> str:
    if one.relief_usd is None:
        return "unknown"
    return usd(one.relief_usd) if one.relief_usd >= 0 else f"adds {usd(-one.relief_usd)}"


def _pattern_table(name: str, label: str, kind: str, view: DeskView, columns: Sequence[Column]) -> Table:
    rows = view.of_kind(kind)
    flagged = sum(row["is_flagged"] for row in rows)
    caption = f"{counted(flagged, 'finding')} flagged of {len(rows)} listed; flagged ones first, then the rarest."
    if repeats := view.repeat_count(kind):
        caption += f" Not listed: {counted(repeats, 'finding')} of several sessions, all of it in one listed for a day."
    return Table(
        name,
        label,
        caption,
        [
            Column("Trader", NAME, "account_id", link=lambda row: _day_path(row, row["account_id"])),
            Column("With", WORDS, _others, link=_other_link),
            Column("Flagged", TEXT, "is_flagged", tone=lambda row: "high" if row["is_flagged"] else None),
            Column("Symbols", WORDS, lambda row: ", ".join(row["symbols"])),
            Column(
                "Session",
                DATE,
                "last_session_date",
                words=_span,
                link=reported_link(view.reported, "last_session_date"),
            ),
            Column("First session", DATE, "first_session_date", is_shown=False),
            *columns,
            Column("By chance", SHORT_FIGURE, "expected_count"),
            Column("Probability", FIGURE, "probability", words=lambda row: _small(row["probability"])),
            Column(
                "False alarms a desk-year",
                FIGURE,
                "false_alarms_per_year",
                words=lambda row: _small(row["false_alarms_per_year"]),
            ),
            Column("First", TIME, "first_at"),
            Column("Last", TIME, "last_at", is_shown=False),
        ],
        rows,
        EMPTY,
    )


def _met(heading: str) -> Column:
    return Column(heading, COUNT, "observed_count")


def _copy_columns() -> list[Column]:
    return [
        Column("Lag, seconds", COUNT, "lag_seconds"),
        Column("Size ratio", SHORT_FIGURE, "size_ratio"),
        Column("Within 5% of it", COUNT, "same_size_count"),
    ]


def _others(row: Row) -> str:
    """Name the other traders, the first three of many."""
    names = row["other_account_ids"][:1] if row["is_pair"] else row["other_account_ids"]
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _other_link(row: Row) -> str | None:
    return _day_path(row, row["other_account_ids"][0]) if row["is_pair"] else None


def _day_path(row: Row, account_id: str) -> str:
    """Return the address of the trader's day, of his page for a week."""
    return f"{trader_path(account_id)}/{row['last_session_date']}" if is_day(row) else trader_path(account_id)


def _span(row: Row) -> str | None:
    first, last = row["first_session_date"], row["last_session_date"]
    return None if first == last else f"{first} to {last}"


def _small(value: Decimal) -> str:
    """Write a number whose size matters and not its digits."""
    return f"{value:.2g}" if value < 1 else f"{value:,.0f}"


def _self_trades_table(rows: Sequence[Row], reported: frozenset[dt.date]) -> Table:
    columns = [
        Column("Buyer", NAME, "buyer_account_id", link=lambda row: _trade_day(row, "buyer_account_id")),
        Column("Seller", NAME, "seller_account_id", link=lambda row: _trade_day(row, "seller_account_id")),
        Column("Session", DATE, "session_date", link=reported_link(reported)),
        Column("Time", TIME, "executed_at"),
        Column("Symbol", TEXT, "symbol"),
        Column("Quantity", COUNT, "quantity", words=lambda row: f"{row['quantity'].normalize():,f}"),
        Column("Price", PRICE, "price"),
        Column("Pairs of fills", COUNT, "fill_count"),
        Column("Market volume known", TEXT, "is_volume_known"),
    ]
    caption = f"{counted(len(rows), 'self-trade')} by the vendor's rule, newest first; a session lists at most 100."
    return Table("self-trades", "Self-trades", caption, columns, rows, EMPTY)


def _trade_day(row: Row, name: str) -> str:
    return f"{trader_path(row[name])}/{row['session_date']}"


def _scans_table(rows: Sequence[Row], reported: frozenset[dt.date]) -> Table:
    columns = [
        Column("Session", DATE, "session_date", link=reported_link(reported)),
        Column("Accounts", COUNT, "account_count"),
        Column("Fills compared", COUNT, "fill_count"),
        Column("Without time or price", COUNT, "skipped_fill_count"),
        Column("Self-trades", COUNT, "self_trade_count"),
        Column(
            "Self-trades by chance a desk-year",
            FIGURE,
            "self_trades_by_chance",
            words=lambda row: _small(row["self_trades_by_chance"]),
        ),
    ]
    empty = "These sessions have not been scanned: run them (make trigger DATE=YYYY-MM-DD)."
    return Table("scans", "Sessions scanned", "Oldest first.", columns, rows, empty)


def _correlations_table(rows: Sequence[Row]) -> Table:
    columns = [
        trader_column(),
        Column("With", NAME, "other_account_id", link=lambda row: trader_path(row["other_account_id"])),
        Column("Rank correlation", SHORT_FIGURE, "correlation_ratio", missing="too few sessions"),
        Column("From", SHORT_FIGURE, "low_ratio"),
        Column("To", SHORT_FIGURE, "high_ratio"),
        Column("Common sessions", COUNT, "session_count"),
    ]
    ordered = sorted(rows, key=lambda row: -abs(row["correlation_ratio"] or 0))
    return Table(
        "correlations", "Correlation of daily results", "Strongest first.", columns, ordered, "Too few sessions."
    )
