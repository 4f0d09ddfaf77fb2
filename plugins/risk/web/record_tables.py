"""The tables of the pages Model and Track record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from risk.core.money import counted, percent, signed_usd, usd
from risk.core.money import p_value as p_text
from risk.web.session_tables import reported_link, session_path, trader_column
from risk.web.tables import (
    COUNT,
    DATE,
    FIGURE,
    LIMIT,
    P_VALUE,
    PERCENT,
    PNL,
    SHARE,
    TEXT,
    WORDS,
    Column,
    Table,
)
from risk.web.views import ModelView, TrackRecordView

Row = Mapping[str, Any]

EXPECTED_INTERVAL = "95% interval"
NO_SESSION = "No finished session yet: each run of daily_risk evaluates the cuts of finished sessions."


def interval_columns(heading: str, low: str, high: str, *, words: Any) -> list[Column]:
    """Return an interval of US dollars: one cell on the page, its ends in the exports."""
    return [
        Column(heading, TEXT, low, words=words, is_exported=False),
        Column(f"{heading}, from", PNL, low, is_shown=False),
        Column(f"{heading}, to", PNL, high, is_shown=False),
    ]


def dollar_interval(low: Any, high: Any) -> str:
    """Write an interval of US dollars."""
    return "too few sessions" if low is None else f"{signed_usd(low)} to {signed_usd(high)}"


def track_record_tables(view: TrackRecordView, *, is_cut_short: bool) -> list[Table]:
    """Return the tables of the page Track record."""
    count = len(view.traders)
    return [
        _controls_table(view.record),
        Table(
            "traders",
            "By trader",
            counted(count, "trader") + ".",
            [
                trader_column(),
                *_benefit_columns("Sessions"),
            ],
            view.traders,
            NO_SESSION,
        ),
        Table(
            "decisions",
            "By decision",
            "What people decided, and the benefit of the cuts as recommended.",
            [
                Column("Decision", TEXT, "decision"),
                Column("Recommendations", COUNT, "entry_count"),
                Column("Cuts", COUNT, "cut_count"),
                Column("Net as recommended", PNL, "net_usd"),
            ],
            view.decisions,
            "None yet.",
            is_sortable=False,
        ),
        Table(
            "sessions",
            "By session",
            "Newest first.",
            [
                Column("Session", DATE, "effective_session", link=reported_link(view.reported, "effective_session")),
                *_benefit_columns("Traders", has_average=False),
            ],
            view.newest_sessions,
            NO_SESSION,
            is_cut_short=is_cut_short,
        ),
        _outcomes_table(view.outcomes, is_cut_short=is_cut_short),
    ]


def _benefit_columns(entries: str, *, has_average: bool = True) -> list[Column]:
    average = [Column("Average cut", PERCENT, "average_cut_ratio")] if has_average else []
    return [
        Column(entries, COUNT, "entry_count"),
        Column("Cuts", COUNT, "cut_count"),
        *average,
        Column("Prevented", PNL, "prevented_usd"),
        Column("Forgone", PNL, "forgone_usd"),
        Column("Net", PNL, "net_usd"),
    ]


def _controls_table(record: Row) -> Table:
    lead = dollar_interval(record["lead_low_usd"], record["lead_high_usd"])
    deviation, p_value = usd(record["random_deviation_usd"]), p_text(record["random_p_value"])
    rows = [
        {
            "cuts": "As recommended",
            **{name: record[name] for name in ("prevented_usd", "forgone_usd", "net_usd")},
            "interval": dollar_interval(record["net_low_usd"], record["net_high_usd"]),
        },
        {
            "cuts": f"Everybody by {percent(record['average_cut_ratio'], 2)}",
            **{name: record[f"uniform_{name}"] for name in ("prevented_usd", "forgone_usd", "net_usd")},
            "interval": f"lead of the recommended cuts: {lead}",
        },
        {
            "cuts": "Same cuts assigned at random",
            "prevented_usd": None,
            "forgone_usd": None,
            "net_usd": record["random_net_usd"],
            "interval": f"standard deviation {deviation}; permutation test p = {p_value}",
        },
    ]
    columns = [
        Column("Cuts", TEXT, "cuts"),
        Column("Losses prevented", PNL, "prevented_usd", missing="-"),
        Column("Gains forgone", PNL, "forgone_usd", missing="-"),
        Column("Net", PNL, "net_usd"),
        Column("95% interval", TEXT, "interval"),
    ]
    counts = (
        f"{counted(record['cut_count'], 'cut')} in {counted(record['entry_count'], 'recommendation')} for "
        f"{counted(record['session_count'], 'session')}"
    )
    caption = f"{counts}. The controls cut as much without choosing whom: only a lead over both is evidence."
    return Table("totals", "Totals and controls", caption, columns, rows, is_sortable=False)


def _outcomes_table(outcomes: Sequence[Row], *, is_cut_short: bool) -> Table:
    columns = [
        Column("Session", DATE, "effective_session", link=lambda row: session_path(row["session_date"])),
        trader_column(),
        Column("Cut", PERCENT, "cut_ratio"),
        Column("Limit", LIMIT, "limit_usd"),
        Column("Decision", TEXT, "decision"),
        Column("Published", LIMIT, "published_limit_usd", missing="-"),
        Column("P&L under base limit", PNL, "base_outcome_usd"),
        Column("P&L under cut limit", PNL, "cut_outcome_usd"),
        Column("Benefit", PNL, "benefit_usd"),
        Column("Recommended", TEXT, lambda row: "before the open" if row["is_live"] else "later (backfill)"),
    ]
    caption = "Newest first. The session's P&L under the base limit, under the recommended limit, and the difference."
    nothing = "No recommendation with a known outcome yet."
    return Table(
        "recommendations", "Past recommendations", caption, columns, outcomes, nothing, is_cut_short=is_cut_short
    )


def model_tables(view: ModelView, *, is_cut_short: bool) -> list[Table]:
    """Return the tables of the page Model: without a model, only the gate's evaluations."""
    card: Row = view.model["card"] if view.model else {}
    of_card = [_scores_table(card), _coverage_table(view), _states_table(card), _inputs_table(card)] if card else []
    return [*of_card, _gate_table(view, is_cut_short=is_cut_short)]


def _scores_table(card: Row) -> Table:
    columns = [
        Column("Forecast", TEXT, "name"),
        Column("Gain", SHARE, "gain_vs_historical"),
        *share_interval(lambda row: row["gain_interval"]),
        Column("Exceedance rate", SHARE, "breach"),
        # A card that is older than the second test has the classical one only.
        Column("Kupiec p", P_VALUE, lambda row: row["kupiec_p"] if "kupiec_independent_p" in row else None),
        Column("Kupiec p, independent", P_VALUE, lambda row: row.get("kupiec_independent_p", row["kupiec_p"])),
        Column("Christoffersen p", P_VALUE, "christoffersen_p"),
    ]
    counts = f"{counted(card['checks']['forecast_count'], 'forecast')}, " if "checks" in card else ""
    caption = (
        f"{counts}one step ahead. Gain: pinball loss relative to historical. Exceedance rate: 5% expected. Kupiec p: "
        "of whole sessions drawn again, because traders have good and bad days together; beside it his own, which "
        "assumes independent traders."
    )
    rows = [{"name": name, **score} for name, score in sorted(card["record"]["models"].items())]
    return Table("backtest", "Backtest", caption, columns, rows, "No past session could be scored.")


def share_interval(ends: Any) -> list[Column]:
    """Return a 95 % interval of shares: one cell on the page, its ends in the exports."""

    def words(row: Row) -> str:
        low, high = (SHARE.missing if end is None else percent(end, 1) for end in ends(row))
        return low if low == high == SHARE.missing else f"{low} to {high}"

    return [
        Column("95% interval", TEXT, lambda row: ends(row)[0], words=words, is_exported=False),
        Column("95% interval, from", SHARE, lambda row: ends(row)[0], is_shown=False),
        Column("95% interval, to", SHARE, lambda row: ends(row)[1], is_shown=False),
    ]


def _coverage_table(view: ModelView) -> Table:
    columns = [
        trader_column(),
        Column("Forecasts", COUNT, "forecast_count"),
        Column("Exceedances", COUNT, "breach_count"),
        Column("Rate", SHARE, "exceedance_rate"),
        Column("p", P_VALUE, "p_value"),
        Column(
            "60-session test",
            TEXT,
            lambda row: "rejected" if row["is_rejected"] else "as expected",
            tone=lambda row: "high" if row["is_rejected"] else "",
        ),
    ]
    caption = "Exact two-sided binomial test of each trader's exceedances; rejected at a false discovery rate of 5%."
    return Table("coverage", "Coverage by trader", caption, columns, view.coverage, "No trader has a scored forecast.")


def _states_table(card: Row) -> Table:
    def rate(row: Row) -> float | None:
        count: int = row["forecast_count"]
        return row["exceedance_count"] / count if count else None

    def ends(row: Row) -> tuple[Any, Any]:
        return (row["low_ratio"], row["high_ratio"]) if row["forecast_count"] else (None, None)

    columns = [
        Column("State", TEXT, "state"),
        Column("Exceeded", COUNT, "exceedance_count", words=_exceeded),
        Column("Forecasts", COUNT, "forecast_count", is_shown=False),
        Column("Rate", SHARE, rate),
        *share_interval(ends),
    ]
    caption = (
        "What was known of a trader before each session. 5% expected; the interval accounts for days that are good or "
        "bad for many traders at once."
    )
    nothing = "No past session could be scored, or this card was made before states were recorded."
    rows = card.get("states", ())
    return Table("states", "Coverage by state", caption, columns, rows, nothing, is_sortable=False)


def _exceeded(row: Row) -> str:
    return f"{row['exceedance_count']:,} of {row['forecast_count']:,}"


def _inputs_table(card: Row) -> Table:
    columns = [
        Column("Input", TEXT, "sentence"),
        Column("Ridge", FIGURE, "ridge"),
        Column("Trees", FIGURE, "trees"),
    ]
    caption = "Mean absolute contribution to the log scale of the ridge, and to the trees."
    return Table("inputs", "Most important inputs", caption, columns, card["inputs"])


GATE_COLUMNS: Final = (
    Column(
        "Model",
        TEXT,
        "model_id",
        link=lambda row: None if row["model_id"] is None else f"model/{row['model_id']}",
        missing="none",
    ),
    Column("60-session test", TEXT, lambda row: "pass" if row["is_pass"] else "miss"),
    Column("Limits from", TEXT, "serving", tone=lambda row: "" if row["serving"] == "rules" else "strong"),
    Column("Improvement", SHARE, "improvement"),
    Column("p", P_VALUE, "p_value"),
    Column("Exceedance rate", SHARE, "exceedance_rate"),
    Column("Kupiec p", P_VALUE, "kupiec_p_value"),
    Column("Christoffersen p", P_VALUE, "christoffersen_p_value"),
    Column("Reasons", WORDS, lambda row: " ".join(row["reasons"])),
)


def _gate_table(view: ModelView, *, is_cut_short: bool) -> Table:
    caption = f"{counted(view.evaluation_count, 'evaluation')}, newest first."
    rows = view.evaluations
    session = Column("Session", DATE, "session_date", link=reported_link(view.reported))
    return Table(
        "evaluations",
        "Gate evaluations",
        caption,
        [session, *GATE_COLUMNS],
        rows,
        "No evaluation yet: every run of daily_risk makes one.",
        is_cut_short=is_cut_short,
    )
