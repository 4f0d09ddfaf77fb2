"""Every fact is the same in HTML, text, JSON and limits.csv: the views are read and compared with the JSON."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from risk.report.facts import GateFacts, RestatementFacts
from risk.report.page import Links, build_page
from risk.report.render import limits_csv, render_views
from tests.mail_reading import limits_in, plain, read_aloud
from tests.report_desks import RUN, SESSION, account, desk

FORECAST: dict[str, Any] = {
    "explanations": ("a loss of $812 in the last session (2.0x typical daily P&L): +4%", "few fills"),
    "expected_shortfall_usd": Decimal("2911.20"),
    "loss_probability": Decimal("0.0123"),
    "adjustments_usd": Decimal("-140.00"),
    "recent_results_usd": (Decimal("500.00"), Decimal("-812.30"), Decimal("-100.20")),
}
DESK = desk(
    [
        account("NET001", "0.50", base_limit_usd=Decimal("12345.50"), previous_cut_ratio=Decimal("0.30"), **FORECAST),
        account(
            "NET018",
            "0.40",
            limit_in_force_usd=Decimal(4000),
            reasons=("Drawdown: 8.7 scales", "Large loss: -812 USD"),
            **FORECAST,
        ),
        account(
            "NET002",
            "0.30",
            status="limited history",
            active_session_count=12,
            model_cut_ratio=None,
            latest_session_date=SESSION - dt.timedelta(days=1),
        ),
        account(
            "NET005",
            "0.15",
            source="model",
            source_version="model 3",
            source_reason="It beat the rules.",
        ),
        account("NET006", "0.40", limit_in_force_usd=Decimal(3000)),
        account("NET007", "0.20", limit_in_force_usd=Decimal("3500.50")),
        account("NET009", "0.00", delivery_state="not posted", net_pnl_usd=None, total_pnl_usd=None),
        account("NET010", "0.00", previous_cut_ratio=Decimal("0.40")),
    ],
    ["Fees of NET001 are 4.2 times the usual"],
    previous_session_date=dt.date(2025, 8, 14),
    gate=GateFacts("model-based limits apply", ("It beat the rules in 10 evaluations.",)),
    past_cuts=("No evidence of benefit: $12, which chance explains.", "3 cuts in 40 recommendations prevented $20."),
    restatements=(RestatementFacts("NET001", SESSION, Decimal("-812.30"), Decimal("-815.10"), "fees restated"),),
)

SOURCES = {"rules": "rule-based limits", "model": "model-based limits"}
SHOWN_OTHERWISE = {
    "level": "as heading and color",
    "forecast_fan_usd": "as chart",
    "active_session_count": "where the history is limited",
    "latest_session_date": "where it is before the session",
    "delivery_state": "as a sentence unless 'delivered'",
    "incomplete_reason": "as sentence where the books are incomplete",
    "source": "once for all traders of that source",
    "source_version": "once for all traders of that source",
    "source_reason": "once for all traders of that source",
}
"""Facts of an account that are not in its own row."""


def usd(amount: str) -> str:
    """Write an exact amount as the mail does: no cents where there are none."""
    return f"${Decimal(amount):,.0f}" if Decimal(amount) % 1 == 0 else f"${Decimal(amount):,.2f}"


def signed(amount: str, places: int) -> str:
    value = round(Decimal(amount), places)
    return f"{'-' if value < 0 else '+'}${abs(value):,}"


def percent(ratio: str, places: int = 0) -> str:
    return f"{Decimal(ratio) * 100:.{places}f}%"


def in_new_york(instant: str) -> str:
    """Write an instant of the JSON as the wall clock of New York shows it."""
    return f"{dt.datetime.fromisoformat(instant).astimezone(ZoneInfo('America/New_York')):%Y-%m-%d %H:%M}"


def words_of(facts: dict[str, Any], one: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Say what a restricted trader's row must hold for each fact of the JSON, written here a second time."""
    yield "account_id", []  # its row is found by it
    action = "REDUCE LIMIT BY" if one["limit_change_usd"][0] == "-" else "RAISE LIMIT, CUT NOW"
    yield "cut_ratio", [f"{action} {percent(one['cut_ratio'])}"]
    was, is_base = usd(one["limit_in_force_usd"]), one["limit_source"] == "base"
    yield "base_limit_usd", [] if is_base else [f"base {usd(one['base_limit_usd'])}"]
    yield "limit_in_force_usd", [f"(was {was})"]
    yield "limit_source", [{"base": "base limit", "emailed": "emailed"}[one["limit_source"]]]
    since = one["limit_since"]
    yield "limit_since", [] if since is None else [f"since {in_new_york(since)} New York"]
    sign = "+" if one["limit_change_ratio"][0] != "-" else ""
    yield "limit_change_usd", [f"{signed(one['limit_change_usd'], 0)}{' from the ' if is_base else ', '}"]
    # From the base limit on, the action says it.
    yield "limit_change_ratio", [] if is_base else [f"{sign}{percent(one['limit_change_ratio'])} of base, from the"]
    yield "new_limit_usd", [f"New limit: {usd(one['new_limit_usd'])}"]
    yield "reasons", one["reasons"]
    yield "status", [] if one["status"] == "active" else [one["status"].capitalize()]
    yield "rules_cut_ratio", [f"Recommended cut: rules {percent(one['rules_cut_ratio'])}"]
    model = one["model_cut_ratio"]
    yield "model_cut_ratio", ["no model forecast" if model is None else f"model {percent(model)}"]
    yield "forecast_quantile_05_usd", [f"95% VaR {usd(str(round(-Decimal(one['forecast_quantile_05_usd']))))}"]
    shortfall, chance = one["expected_shortfall_usd"], one["loss_probability"]
    yield (
        "expected_shortfall_usd",
        [] if shortfall is None else [f"expected shortfall {usd(str(round(Decimal(shortfall))))}"],
    )
    yield "loss_probability", [] if chance is None else [percent(chance, 1)]
    yield "net_pnl_usd", [signed(one["net_pnl_usd"], 2)]
    yield "total_pnl_usd", [signed(one["total_pnl_usd"], 2)]
    yield "explanations", one["explanations"]
    sums = sum(map(Decimal, one["recent_results_usd"]), Decimal(0))
    yield "recent_results_usd", [signed(str(sums), 0)] if one["recent_results_usd"] else []
    booked = one["adjustments_usd"]
    yield "adjustments_usd", [] if booked is None else [f"adjustments {signed(booked, 2)} (not in P&L)"]
    before = one["previous_cut_ratio"]
    change = "New since" if before is None else f"from {percent(before)} in"
    yield "previous_cut_ratio", [f"{change} the report for {facts['previous_session_date']}"]


def words_of_the_desk(facts: dict[str, Any]) -> Iterator[str]:
    """Say what the mail must hold for the facts that belong to no single trader."""
    counts, desk_facts, restated = facts["counts"], facts["desk"], facts["restatements"][0]
    yield from (facts["session_date"], facts["effective_session"])
    yield f"{counts['restricted']}/{len(facts['accounts'])} traders restricted"
    yield f"{desk_facts['fill_count']:,} fills in {desk_facts['traded_account_count']} accounts"
    yield f"{usd(desk_facts['new_limit_usd'])} (base {usd(desk_facts['base_limit_usd'])})"
    yield from (signed(desk_facts[name], 2) for name in ("net_pnl_usd", "total_pnl_usd"))
    yield from (warning["message"] for warning in facts["warnings"])
    yield f"{signed(restated['before_usd'], 2)} restated to {signed(restated['after_usd'], 2)} ({restated['reason']})"
    yield from (facts["gate"]["verdict"], *facts["gate"]["reasons"], *facts["past_cuts"])
    for one in facts["accounts"]:
        yield f"{SOURCES[one['source']]} ({one['source_version']}). "
        yield one["source_reason"]
    # The roster itself is behind the link to the Risk page.
    late = [one for one in facts["roster"] if one["latest_session_date"] < facts["session_date"]]
    known = f"{len(facts['accounts'])} of {len(facts['roster'])} active traders, data through {facts['session_date']}"
    yield "; ".join([known, *(f"{one['account_id']} last traded {one['latest_session_date'][5:]}" for one in late)])


def limits_of(rows: Iterable[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
    """Write the limits of JSON or CSV as a reader of the mail finds them."""
    return {
        (
            row["account_id"],
            percent(row["cut_ratio"]).strip("%"),
            usd(row["new_limit_usd"]).strip("$").replace(",", ""),
            usd(row["base_limit_usd"]).strip("$").replace(",", ""),
        )
        for row in rows
    }


def test_every_fact_is_the_same_in_html_text_json_and_csv() -> None:
    facts = json.loads(DESK.canonical)
    by_csv = list(csv.DictReader(io.StringIO(limits_csv(DESK))))
    views = render_views("risk_report", build_page(DESK, RUN, Links()))

    # 12,345.50 less 50 % is 6,172.75; 5,000 less 15 % is 4,250.
    assert {("NET001", "50", "6172.75", "12345.50"), ("NET005", "15", "4250", "5000")} < limits_of(by_csv)
    assert limits_of(by_csv) == limits_of(facts["accounts"])
    for row, one in zip(by_csv, facts["accounts"], strict=True):
        assert (row["level"], row["source"]) == (one["level"], one["source"])
        assert row["reasons"] == "; ".join(one["reasons"])
        assert row["effective_session"] == facts["effective_session"]
    for said in (read_aloud(views.html), plain(views.text)):
        assert limits_in(said) == limits_of(facts["accounts"])
        assert [word for word in words_of_the_desk(facts) if word not in said] == []
        for one in facts["accounts"]:
            if Decimal(one["limit_change_usd"]):
                row_said = said.partition(f"Trader {one['account_id']}: ")[2].partition("Trader ")[0]
                wanted = dict(words_of(facts, one))
                missing = {name: word for name, words in wanted.items() for word in words if word not in row_said}
                assert missing == {}
                assert set(wanted) | set(SHOWN_OTHERWISE) == set(one)
