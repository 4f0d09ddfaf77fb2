"""Two sessions side by side: changed traders first, what changed and why, and what cannot be compared."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from risk.core.warehouse import Connection
from risk.report.facts import PolicyFacts, RestatementFacts
from tests.operators.web_client import words
from tests.report_desks import SESSION, account, desk, insert, open_run

BEFORE = dt.date(2025, 8, 14)
PAGE = f"/sessions/{BEFORE}/compare/{SESSION}"


@pytest.fixture
def two(connection: Connection) -> None:
    """Report two sessions: NET001 is cut deeper, NET002 stays, NET003 goes, NET004 comes, NET005 has a forecast."""
    calm = {"reasons": (), "source": "rules"}
    first = desk(
        [account("NET001", "0.20", **calm), *(account(f"NET00{number}", "0.00", **calm) for number in (2, 3, 5))],
        session_date=BEFORE,
        effective_session=SESSION,
    )
    deeper = account(
        "NET001", "0.60", reasons=("<b>Loss streak</b>",), source="rules", forecast_quantile_05_usd=Decimal(-3000)
    )
    second = desk(
        [
            deeper,
            *(account(f"NET00{number}", "0.00", **calm) for number in (2, 4)),
            account("NET005", "0.00", **calm, forecast_quantile_05_usd=Decimal(-1)),
        ],
        policy=PolicyFacts("1 (aaaaaaaaaaaa)", "1.25x", "1.67x"),
        restatements=(RestatementFacts("NET001", BEFORE, Decimal(-10), Decimal(-20), "fees restated"),),
    )
    # The streak alone raises the logarithm of the forecast loss by 0.2: 22 %.
    for day, facts, streak in ((BEFORE, first, 0.1), (SESSION, second, 0.3)):
        run = open_run(connection, session_date=day)
        insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)
        parts = json.dumps({"loss_streak": streak, "level": 7.0})
        insert(connection, "explanations", run_id=run.run_id, account_id="NET001", log_loss=7 + streak,
               contributions=parts, sentences=[])  # fmt: skip


def rows(answer: Any) -> list[str]:
    found = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", answer.text, re.S)
    return [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in found]


@pytest.mark.usefixtures("two")
def test_changed_traders_come_first_with_what_changed_and_why(client: Any) -> None:
    answer = client.get(PAGE)

    listed = rows(answer)
    assert listed[0].startswith("NET001 ")
    assert listed[-1].startswith("NET002 nothing")
    # 5,000 less 20 % is 4,000, less 60 % is 2,000.
    assert "Limit -$2,000: $4,000 to $2,000. Cut 20% to 60%." in listed[0]
    assert "New reason: &lt;b&gt;Loss streak&lt;/b&gt;." in listed[0]
    assert "+22%" in listed[0]
    assert f"Result of {BEFORE} restated from -$10.00 to -$20.00 (fees restated)." in listed[0]
    assert any(row.startswith("NET003 Only in the first report.") for row in listed)
    assert any(row.startswith("NET004 Only in the second report.") for row in listed)
    assert "Policy version 0 (7514d6f7fff0) to 1 (aaaaaaaaaaaa)." in words(answer)
    # A forecast that moves is no change of what NET005 may lose.
    assert listed[-2].startswith("NET005 95% VaR ")
    assert "5 traders, 3 of them changed in limit, cut, level or status: those first" in words(answer)
    assert "2 forecasts moved." in words(answer)


@pytest.mark.usefixtures("two")
def test_comparison_is_an_export_too_and_the_form_leads_to_it(client: Any) -> None:
    lines = client.get(f"{PAGE}?format=csv").text.splitlines()

    assert f"Limit {BEFORE} (US dollars),Limit {SESSION} (US dollars)" in lines[0]
    assert "4000.00,2000.00" in lines[1]
    moved = client.get(f"/compare?a={BEFORE}&b={SESSION}")
    assert (moved.status_code, moved.headers["location"]) == (303, PAGE)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("address", "code", "sentence"),
    [
        (f"/sessions/{BEFORE}/compare/{BEFORE}", 404, f"Both are session {BEFORE}: name two different ones"),
        (f"/sessions/{BEFORE}/compare/2025-08-13", 404, "Session 2025-08-13 has no report: run it"),
        (f"/sessions/{BEFORE}/compare/2025-08-16", 404, "2025-08-16"),
        (f"/sessions/{BEFORE}/compare/2300-01-04", 404, "lies in the future"),
        (f"/sessions/{BEFORE}/compare/yesterday", 422, "Invalid value: second"),
        ("/compare?a=2025-08-14", 422, "Invalid value: b"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(client: Any, address: str, code: int, sentence: str) -> None:
    answer = client.get(address)

    assert answer.status_code == code
    assert sentence in words(answer)


def test_reason_with_other_numbers_has_changed_and_is_neither_gone_nor_new(client: Any, connection: Connection) -> None:
    # given: a drawdown that grew, a streak that ended, a large loss; the same reason in both is not named
    both, kept = "Forecast loss $900 vs. usual $450 (2.0x)", "Limited history: 12 active days, 20 required"
    old = "Drawdown $8,488 from 20-day peak (8.4x typical daily P&L of $1,012)"
    new = "Drawdown $9,000 from 20-day peak (9.0x typical daily P&L of $1,000), the largest in the last 250 days"
    sides = {
        BEFORE: (both, kept, old, "4 straight losing days"),
        SESSION: (
            both.replace("900", "800"),
            kept,
            "Large loss on 2025-08-15: -$13,665, worse than the 5% quantile",
            new,
        ),
    }
    for day, reasons in sides.items():
        facts = desk([account("NET001", "0.20", reasons=reasons)], session_date=day)
        run = open_run(connection, session_date=day)
        insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)

    # when
    [row] = rows(client.get(PAGE))

    # then
    assert f"Reason changed: {old}; now {new}.".replace("&", "&amp;") in row
    assert "Reason changed: Forecast loss $900 vs. usual $450 (2.0x); now Forecast loss $800" in row
    assert "Policy and gate are unchanged." in words(client.get(PAGE))
    assert "Reason gone: 4 straight losing days. New reason: Large loss on 2025-08-15" in row
    assert (row.count("Reason changed:"), row.count("Reason gone:"), row.count("New reason:")) == (2, 1, 1)
    assert "Limited history: 12 active days, 20 required." not in row
