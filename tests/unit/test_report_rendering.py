"""The views of a report: subject, HTML and text say what the facts say."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.settings import TEMPLATE_DIR
from risk.report.facts import ExposureFacts, Facts, FitFacts, GateFacts, RestatementFacts, RosterEntry
from risk.report.page import ApprovalRequest, Links, build_page
from risk.report.receipt_facts import LimitUseFacts
from risk.report.render import TEXT_WIDTH, Rendered, render_views
from tests.mail_reading import read_aloud
from tests.report_desks import RUN, SESSION, account, desk, receipt


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISK_BASE_URL", raising=False)


def without_rules(text: str) -> str:
    """Read the text without the lines under its headings."""
    return " ".join(re.sub(r"^-+$", "", text, flags=re.MULTILINE).split())


def rendered(facts: Facts, run: Run = RUN, links: Links | None = None) -> Rendered:
    return render_views("risk_report", build_page(facts, run, links or Links()))


DESK = desk(
    [
        account("NET001", "0.50", base_limit_usd=Decimal("12345.50")),
        account("NET018", "0.40", reasons=("Drawdown: 8.7 scales", "Large loss: -812 USD")),
        account("NET002", "0.30", status="limited history", active_session_count=12, model_cut_ratio=None),
        account("NET005", "0.15", source="model", source_version="model 3", source_reason="proven"),
        account("NET009", "0.00", delivery_state="not posted", net_pnl_usd=None, total_pnl_usd=None),
    ],
    ["Fees of NET001 are 4.2 times the usual"],
)


@pytest.mark.parametrize(
    "fact",
    [
        "Reduce 4 limits before the open: NET001 to $6,172.75, NET018 to $3,000, NET002 to $3,500, NET005 to $4,250.",
        "Limits for Monday, 2025-08-18, based on fills through 2025-08-15.",
        "Summary: 4/5 traders restricted using Model (1) and Rules-based system (4)",
        # 12,345.50 + 4 x 5,000 = 32,345.50; 6,172.75 + 3,000 + 3,500 + 4,250 + 5,000 = 21,922.75.
        "Limits of all active traders: $21,922.75 (base $32,345.50)",
        "Desk on 2025-08-15: 1,604 fills in 5 accounts, net P&L -$2,841.15, -$4,144.35 including open positions",
        "Fees of NET001 are 4.2 times the usual",
        "Firm rule, not a forecast: Drawdown: 8.7 scales; Large loss: -812 USD",
        "Forecast: 95% VaR $2,346",
        "Recommended cut: rules 30%, no model forecast",
        "Recommended cut: rules 50%, model 25%",
        # -812.305 is shown to the cent, half to even: -812.30.
        "2025-08-15: net P&L -$812.30, -$1,033.20 including open positions",
        "LOW RISK: LIMIT CHANGES",
        "Limited history: 12 trading days, latest 2025-08-15",
        "NET005: model-based limits (model 3). proven",
        "NET001, NET002, NET009, NET018: rule-based limits (rules 1). The gate is not passed.",
        "Run 7 (scheduled__2025-08-15), revision 1",
        "Data as of 2025-08-18 07:02:03 New York",
        "Code 0a1b2c3d4e5f",
    ],
)
def test_html_and_text_contain_the_same_facts(fact: str) -> None:
    views = rendered(DESK)

    assert fact in " ".join(views.text.split())
    assert fact in read_aloud(views.html)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (None, "New since the report for 2025-08-14"),
        ("0.40", "Cut unchanged since the report for 2025-08-14"),
        ("0.30", "Cut raised from 30% in the report for 2025-08-14"),
        ("0.60", "Cut lowered from 60% in the report for 2025-08-14"),
    ],
)
def test_row_says_what_changed_since_the_previous_report(before: str | None, said: str) -> None:
    previous = None if before is None else Decimal(before)
    facts = desk([account(previous_cut_ratio=previous)], previous_session_date=dt.date(2025, 8, 14))

    views = rendered(facts)

    assert said in " ".join(views.text.split())
    assert said in read_aloud(views.html)
    assert "the report for" not in rendered(desk([account(previous_cut_ratio=previous)])).text


def test_low_risk_traders_whose_limit_stands_fold_into_one_line() -> None:
    accounts = [account("A", "0.00"), account("B", "0.10", limit_in_force_usd=Decimal(4500)), account("C", "0.00")]

    views = rendered(desk(accounts))

    line = "3 traders: A $5,000, B $4,500 (cut 10%, base $5,000), C $5,000."
    assert line in " ".join(views.text.split())
    assert line in read_aloud(views.html)
    assert "Trader A" not in views.text


def test_mail_contains_explanations_gate_and_restatements_if_the_facts_do() -> None:
    facts = desk(
        [account(explanations=("size of day rises", "2 large losses"))],
        gate=GateFacts("rule-based limits apply", ("Improvement 4%, required 10%.", "31 of 60 sessions.")),
        restatements=(RestatementFacts("NET001", SESSION, Decimal("-812.30"), None, "fees restated"),),
    )

    views = rendered(facts)

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert "the firm rule applies regardless): size of day rises; 2 large losses" in words
        assert "Gate: rule-based limits apply. Improvement 4%, required 10%. 31 of 60 sessions." in words
        assert "NET001, 2025-08-15: -$812.30 restated to unknown (fees restated)" in words
    assert "RESTATEMENTS" not in rendered(desk([account()])).text


def test_mail_does_not_repeat_gate_reasons_that_a_source_gives() -> None:
    reason = "52 sessions with a scored forecast, 60 are needed"
    facts = desk(
        [account(source_reason=f"The model did not pass: {reason}")],
        gate=GateFacts("rule-based limits apply", (reason,)),
    )

    assert rendered(facts).text.replace("\n  ", " ").count(reason) == 1
    assert read_aloud(rendered(facts).html).count(reason) == 1


def test_pnl_is_shown_once_without_open_positions() -> None:
    same = Decimal("-812.30")

    assert "2025-08-15: net P&L -$812.30\n" in rendered(desk([account(net_pnl_usd=same, total_pnl_usd=same)])).text


@pytest.mark.parametrize(
    ("probability", "said"), [("0.0123456", "1.2%"), ("0.0004", "<0.1%"), ("0", "<0.1%"), ("1", "100.0%")]
)
def test_forecast_shows_the_chance_of_a_loss_beyond_the_base_limit(probability: str, said: str) -> None:
    facts = desk([account(expected_shortfall_usd=Decimal("2911.2"), loss_probability=Decimal(probability))])

    line = f"95% VaR $2,346, expected shortfall $2,911; chance of losing more than the base limit {said}"
    assert line in " ".join(rendered(facts).text.split())
    assert line in read_aloud(rendered(facts).html)


def test_one_line_stands_for_the_roster_and_names_who_last_traded_before_the_session() -> None:
    accounts = [account(f"NET{number:03}", "0.00") for number in range(1, 13)]
    entries = {one.account_id: RosterEntry(one.account_id, 68, SESSION, "active") for one in accounts}
    late = {"NET002": dt.date(2025, 8, 14)}
    roster = [replace(entry, latest_session_date=late.get(name, SESSION)) for name, entry in entries.items()]
    others = (RosterEntry("NET001_OLD", 40, SESSION, "legacy"), RosterEntry("NET077", 1, SESSION, "inactive"))

    views = rendered(desk(accounts, roster=(*roster, *others)))

    line = "12 of 12 active traders, data through 2025-08-15; NET002 last traded 08-14"
    assert f"\n{line}\n" in views.text
    assert f"DATA {line} LOW RISK" in read_aloud(views.html)
    for words in (views.text, read_aloud(views.html)):
        assert not [word for word in ("ROSTER", "NET001_OLD", "NET077", "68") if word in words]


def test_line_for_the_roster_counts_stale_traders_and_names_five_of_those_who_are_late() -> None:
    days = [dt.date(2025, 8, 14), dt.date(2025, 8, 1), dt.date(2025, 8, 14), dt.date(2024, 12, 31), SESSION]
    days += [dt.date(2024, 12, number) for number in (3, 4, 5)]
    accounts = [
        account(f"T{number}", "0.00", latest_session_date=day, status="active" if day.month == 8 else "stale")
        for number, day in enumerate(days)
    ]

    # Of eight traders four are stale: three days of 2024 and the last day of that year.
    line = (
        "4 of 8 active traders, data through 2025-08-15; T0, T2 last traded 08-14; T1 last traded 08-01; "
        "T3 last traded 2024-12-31; T7 last traded 2024-12-05; 2 more earlier"
    )
    assert line in " ".join(rendered(desk(accounts)).text.split())


def test_mail_does_not_tell_what_argues_against_a_cut() -> None:
    given = ("a loss of $812: +4%", "0.9x the usual number of fills: -12%", "P&L low: -5%, mostly from simulated desks")
    cut, kept = account("A", explanations=given), account("B", "0.00", limit_in_force_usd=Decimal(4000))

    views = rendered(desk([cut, replace(kept, explanations=given)]))

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        of_the_cut, _, of_the_raise = words.partition("Trader A: ")[2].partition("Trader B: ")
        assert "the firm rule applies regardless): a loss of $812: +4% Recommended cut" in of_the_cut
        assert "; ".join(given) in of_the_raise


@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        (
            desk([account("A"), account("B"), account("C", limit_in_force_usd=Decimal(3000))]),
            "RISK ALERT - 3 High Risk Traders - 2025-08-18: A -$2,000, B -$2,000",
        ),
        (
            desk([account(f"NET{number:03}") for number in range(1, 13)]),
            "RISK ALERT - 12 High Risk Traders - 2025-08-18: NET001 -$2,000, 11 more",
        ),
        (
            desk([account("x" * 40), account("B")]),
            "RISK ALERT - 2 High Risk Traders - 2025-08-18",
        ),
        (
            desk([account("A", limit_in_force_usd=Decimal(3000))]),
            "RISK ALERT - 1 High Risk Trader - 2025-08-18",
        ),
        (desk([account("A", "0.35")]), "Risk report - 1 Limit Changes - 2025-08-18: A -$1,750"),
        (
            desk([account("A", "0.00", limit_in_force_usd=Decimal(4000)), account("B", "0.20")]),
            "Risk report - 2 Limits Change - 2025-08-18: B -$1,000, A +$1,000",
        ),
        (desk([account("A", "0.35", limit_in_force_usd=Decimal(3250))]), "Risk report - No Change - 2025-08-18"),
        (desk([account("A", "0.00")]), "Risk report - No High Risk Traders - 2025-08-18"),
        (desk([]), "Risk report - No Active Traders - 2025-08-18"),
        (
            desk([account("A")], is_simulated=True),
            "[SIMULATED] RISK ALERT - 1 High Risk Trader - 2025-08-18: A -$2,000",
        ),
    ],
)
def test_subject_counts_high_risk_traders_and_names_changes_while_78_characters_allow(
    facts: Facts, subject: str
) -> None:
    assert rendered(facts).subject == subject
    assert len(subject) <= 78


def test_headline_names_the_limits_to_cut() -> None:
    views = rendered(desk([account("NET001"), account("NET002", "0.00")]))

    # 5,000 less 40 % is 3,000.
    first = "Reduce 1 limit before the open: NET001 to $3,000."
    assert views.text.splitlines()[:2] == [first, "IMMEDIATE ACTION REQUIRED"]
    assert read_aloud(views.html).startswith(f"{first} Summary: 1/2 traders restricted")


def test_mail_says_how_many_limits_to_decide_until_when_and_links_there() -> None:
    standing = "NET001: $3,000, decided by ann, stands until you answer; recommended now $2,000."
    request = ApprovalRequest(2, "2025-08-18 09:00 New York", "/risk/approvals/7", (standing,))
    views = rendered(desk([account("NET001")]), links=Links(request=request, base_url="https://risk.test"))

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert "Approval required for 2 limits: decide by 2025-08-18 09:00 New York." in words
        assert standing in words
    assert "Decide: https://risk.test/risk/approvals/7" in views.text
    assert 'href="https://risk.test/risk/approvals/7"' in views.html


def test_mail_without_a_request_asks_for_no_approval() -> None:
    views = rendered(desk([account("NET001")]))

    assert "Approval" not in views.text
    assert "Approval" not in views.html


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("0.00", "No change: 2 traders keep their limits."),
        ("0.40", "No change: 1 cut stands, the other limits stay as they are."),
    ],
)
def test_unchanged_morning_says_so_first_in_a_neutral_header_and_asks_for_nothing(cut: str, said: str) -> None:
    stands = account("NET001", cut, limit_in_force_usd=Decimal(5000) * (1 - Decimal(cut)))

    views = rendered(desk([stands, account("NET002", "0.00")]))

    assert views.text.startswith(f"{said}\n")
    for words in (views.text, read_aloud(views.html)):
        assert "IMMEDIATE ACTION REQUIRED" not in words
        assert "No traders" not in words
        assert "REDUCE LIMIT" not in words
    # The header: red and amber ask for something, this morning asks for nothing.
    assert re.search(r'<td class="pad" bgcolor="(#\w+)"', views.html)[1] == "#3d4b5c"  # type: ignore[index]


def test_cut_that_stands_takes_one_line_below_limits_that_change_and_exposures() -> None:
    facts = desk(
        [
            account("A", "0.50", limit_in_force_usd=Decimal(2500)),
            account("B", "0.40"),
            account("C", "0.20", limit_in_force_usd=Decimal(4000)),
        ],
        fits=(FitFacts("B", "never reached", "never reached: largest use 4%", "", Decimal(900)),),
        contradicted_rules=("losing streak: large losses were rarer after it.",),
        exposures=(ExposureFacts("C", Decimal(4000), *map(Decimal, ("0.293", "1021", "0.59", "0.45", "0.7", "3"))),),
    )

    views = rendered(facts)

    exposure = "C: 29.3% beyond $4,000, weighted loss $1,021, share 59% (45% to 70%)"
    parts = (
        "Trader B: REDUCE LIMIT BY 40%",
        "LARGEST EXPOSURE TODAY",
        exposure,
        "HIGH RISK, UNCHANGED",
        "Trader A: CUT OF 50% STANDS. Limit stays $2,500 (base $5,000). Firm rule: Loss streak: 5 sessions",
        "MODERATE RISK: MONITOR CLOSELY, UNCHANGED",
        "Trader C: CUT OF 20% STANDS. Limit stays $4,000 (base $5,000).",
        "DATA 3 of 3 active traders, data through 2025-08-15",
        "DOES THE LIMIT FIT? Limit never reached: B (proposed $900) (page Limits)",
        "HOW LIMITS WERE SET",
        "Rule contradicted by the desk's own days: losing streak: large losses were rarer after it.",
    )
    for words in (without_rules(views.text), read_aloud(views.html)):
        places = [words.index(part) for part in parts]
        assert places == sorted(places)


def test_mail_names_the_limits_that_do_not_fit_in_one_line() -> None:
    verdicts = ("too large", *["never reached"] * 7, "fits")
    fits = tuple(
        FitFacts(f"NET{number}", verdict, "as the page says", "P above 5%" if verdict == "fits" else "", None)
        for number, verdict in enumerate(verdicts)
    )

    views = rendered(desk([account("NET0", "0.40")], fits=fits))

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert (
            "Losses too large for the limit: NET0; limit never reached: NET1, NET2, NET3, NET4, NET5 and 2 more; "
            "limit likely to be passed: NET8 (page Limits)"
        ) in words
        assert "as the page says" not in words


def test_limit_that_rises_is_in_the_headline_and_names_the_policy_that_restores_it() -> None:
    raised = account("NET001", "0.00", limit_in_force_usd=Decimal(4000))

    views = rendered(desk([raised, account("NET002", "0.00")]))

    assert views.text.startswith("Raise 1 limit: NET001 to $5,000.\n")
    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert "Trader NET001: RAISE LIMIT New limit: $5,000 (was $4,000)" in words
        assert (
            "+$1,000, +20% of base, from the limit in force (emailed, since 2025-08-17 07:02 New York); base $5,000"
            in words
        )
        assert "Restored by policy version 0" in words
        assert "IMMEDIATE ACTION REQUIRED" not in words


def test_high_risk_trader_whose_limit_stands_does_not_call_for_immediate_action() -> None:
    views = rendered(desk([account("A", limit_in_force_usd=Decimal(3000)), account("B", "0.20")]))

    for words in (views.text, read_aloud(views.html)):
        assert "IMMEDIATE ACTION REQUIRED" not in words
        assert "HIGH RISK, UNCHANGED" in words


def test_every_view_says_simulated_when_the_desk_is() -> None:
    views = rendered(desk([account()], is_simulated=True))

    assert views.text.splitlines()[1].startswith("SIMULATED DESK")
    assert "SIMULATED DESK" in read_aloud(views.html)
    assert "SIMULATED" not in rendered(desk([account()])).html


def test_report_can_be_rendered_without_active_traders() -> None:
    views = rendered(desk([]))

    for words in (views.text, read_aloud(views.html)):
        assert "No account has traded recently: no limits to set." in words
        assert "No active traders." in words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"delivery_state": "missing", "net_pnl_usd": None, "total_pnl_usd": None}, "no fills received, P&L unknown"),
        (
            {"delivery_state": "feed broken", "net_pnl_usd": None, "total_pnl_usd": None},
            "no fills received from any account",
        ),
        ({"delivery_state": "rejected", "net_pnl_usd": None, "total_pnl_usd": None}, "every row rejected"),
        ({"delivery_state": "no trades", "net_pnl_usd": None, "total_pnl_usd": None}, "no trades"),
        ({"delivery_state": "no trades", "net_pnl_usd": Decimal(0)}, "no trades, net P&L $0.00, -$1,033.20 including"),
        ({"incomplete_reason": "no mark for XYZ", "total_pnl_usd": None}, "books incomplete: no mark for XYZ"),
        ({"net_pnl_usd": Decimal("0.001")}, "net P&L $0.00,"),
        ({"net_pnl_usd": Decimal("1234.5")}, "net P&L +$1,234.50,"),
    ],
)
def test_pnl_distinguishes_no_trades_from_unknown(changes: dict[str, Any], said: str) -> None:
    views = rendered(desk([account(**changes)]))

    assert f"2025-08-15: {said}" in " ".join(views.text.split())
    assert f"2025-08-15: {said}" in read_aloud(views.html)


def test_html_escapes_every_word_that_comes_from_data() -> None:
    attack = '<img src=x onerror="alert(1)">&amp;'
    facts = desk(
        [
            account(attack, source_version=attack, source_reason=attack, reasons=(attack,)),
            account("B", "0.00", incomplete_reason=attack, status=attack),
        ],
        [attack],
        roster=(RosterEntry(attack, 1, SESSION, attack), RosterEntry(attack, 1, SESSION, "inactive")),
    )

    views = rendered(facts, links=Links(f"https://airflow/{attack}"))

    assert "<img" not in views.html
    assert 'onerror="' not in views.html
    assert attack in read_aloud(views.html)
    assert attack in views.text


def test_templates_turn_escaping_off_nowhere() -> None:
    for path in TEMPLATE_DIR.glob("*.j2"):
        assert not re.search(r"\|\s*safe|autoescape\s+false|Markup", path.read_text(encoding="utf-8")), path.name


def test_text_keeps_its_width_for_many_traders_with_long_names() -> None:
    facts = desk([account(f"Trader of the desk number {number:024d}", "0.40") for number in range(200)])

    views = rendered(facts)

    assert max(map(len, views.text.splitlines())) <= TEXT_WIDTH
    assert "Reduce 200 limits before the open: " in " ".join(views.text.split())
    assert "and 195 more." in " ".join(views.text.split())
    assert views.text.count("REDUCE LIMIT BY 40%") == views.html.count("REDUCE LIMIT BY 40%") == 200


def test_text_keeps_a_word_whole_when_it_is_longer_than_a_line() -> None:
    reason = "x" * 100

    assert reason in rendered(desk([account(reasons=(reason,))])).text


def test_mail_counts_warnings_on_top_and_lists_twenty_below_the_actions() -> None:
    views = rendered(desk([account()], [f"Warning number {number:02d}." for number in range(23)]))

    for words in (views.text, read_aloud(views.html)):
        top, _, rest = words.partition("Trader NET001")
        assert "Data: 23 warnings, first: Warning number 00." in " ".join(top.split())
        assert "Warning number 01." not in top
        assert "Warning number 19." in rest
        assert "Warning number 20." not in words
        assert "3 more warnings in report.json" in words


def test_first_lines_answer_who_changed_who_broke_a_limit_where_the_exposure_is_and_whether_data_is_whole() -> None:
    exposures = (ExposureFacts("NET009", Decimal(5000), *map(Decimal, ("0.334", "3145", "0.43", "0.3", "0.5", "0"))),)
    whole = rendered(desk([account()], exposures=exposures, limit_use=LimitUseFacts((receipt("NET004"),))))
    broken = rendered(desk([account()], ["NET002: no fills received."]))

    for words in (whole.text, read_aloud(whole.html)):
        first = " ".join(words.split()).partition("Limits of all active traders")[0]
        assert "Reduce 1 limit before the open: NET001 to $3,000." in first
        assert "1 breach (NET004)" in first
        assert "Largest exposure: NET009, 33.4% chance of losing more than $5,000." in first
        assert "Data: no warnings." in first
    for words in (broken.text, read_aloud(broken.html)):
        assert "Data: NET002: no fills received." in " ".join(words.split()).partition("Trader NET001")[0]
        assert "Largest exposure" not in words
        # A single warning is not said again below.
        assert (words.count("no fills received"), "DATA WARNINGS" in words) == (1, False)


def test_status_that_a_reason_says_is_not_said_again() -> None:
    limited = {"status": "limited history", "active_session_count": 12}
    plain_status = rendered(desk([account(**limited)]))
    explained = rendered(desk([account(**limited, reasons=("Limited history: 12 active days, 20 required",))]))

    for words in (plain_status.text, read_aloud(plain_status.html)):
        assert "Limited history: 12 trading days" in words
    for words in (explained.text, read_aloud(explained.html)):
        assert words.count("Limited history") == 1


def test_mail_says_that_it_replaces_an_earlier_one_when_the_run_is_a_revision() -> None:
    second = Run(8, RUN.session_date, RUN.effective_session, RUN.as_of, 2, 4, "manual", "0a1b2c3d4e5f", False)

    views = rendered(desk([account()]), run=second)

    for words in (views.text, read_aloud(views.html)):
        assert "Revision 2: replaces earlier emails for this session." in words
    assert "replaces" not in rendered(desk([account()])).text
