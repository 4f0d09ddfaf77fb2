"""What report and page say about the use of limits: hits, breaches, and nothing where there is none."""

from __future__ import annotations

import csv
import dataclasses
import io
from decimal import Decimal
from typing import Any

import pytest

from risk.limits.further_limits import FurtherUse
from risk.limits.receipts import NOT_FLAT
from risk.report.facts import parse_facts
from risk.report.page import Links, build_page
from risk.report.receipt_facts import LimitUseFacts, by_severity
from risk.report.render import limits_csv, render_views
from tests.mail_reading import plain, read_aloud
from tests.report_desks import RUN, STOPPED, USE, account, desk, receipt, within


def test_breach_says_limit_loss_first_fill_and_what_followed() -> None:
    assert receipt().sentence == (
        "Breach of $5,000 (emailed), down at least $5,505 (110%) at 09:55; first fill 09:50 XYZ at 15.00, "
        "P&L -$5 to -$5,005; flat after 15 min; 1 later fill opened or enlarged a position; final -$4,506."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Stopped at the limit: $5,000 (base limit), down at least $5,005 (100%) at 09:50; first fill 09:50 XYZ"),
        ({}, "P&L -$5 to -$5,005; flat at once; final -$5,005."),
        ({"hit_kind": "gap"}, "first fill, by gap, 09:50 XYZ at 15.00"),
        (
            {"hit_kind": "close", "hit_at": None, "hit_symbol": None, "largest_loss_at": None},
            "down at least $5,005 (100%) at the close; reached at the close, without a fill; flat",
        ),
        (
            {"hit_kind": "limit change", "limit_count": 2},
            "already beyond the new limit when it took effect at 09:50, limit changed during the session",
        ),
        ({"hit_kind": "close"}, "Hit at the close: $5,000 (base limit), down"),
        ({"hit_kind": "limit change"}, "Hit when a lower limit took effect: $5,000 (base limit), down"),
        ({"hit_at": None}, "first fill at an unknown time XYZ at 15.00"),
        ({"largest_loss_usd": Decimal(6000), "furthest_usd": Decimal(-5500)}, "went to -$5,500"),
        ({"minutes_until_flat": None, "breach_reasons": (NOT_FLAT,)}, "not flat by the last fill"),
        # 10.2 minutes are more than 10.
        ({"minutes_until_flat": Decimal("10.2")}, "flat after 11 min"),
        ({"hit_price": Decimal("206.9046375")}, "XYZ at 206.90, P&L"),
        ({"hit_price": Decimal("0.00755")}, "XYZ at 0.0076, P&L"),
        ({"use_ratio": None}, "down at least $5,005 at 09:50"),
    ],
)
def test_hit_says_how_the_limit_was_reached(changes: dict[str, Any], said: str) -> None:
    assert said in dataclasses.replace(STOPPED, **changes).sentence


def test_use_is_rounded_down() -> None:
    assert within("NET009", "0.999999").use_text == "99%"
    assert receipt(use_ratio=Decimal(1)).use_text == "100%"


def test_receipts_are_sorted_breaches_then_hits_then_the_largest_use() -> None:
    assert [one.account_id for one in USE.receipts] == ["NET001", "NET005", "NET007", "NET009"]


def test_mail_says_who_broke_his_limit_in_html_and_text() -> None:
    facts = desk([account("NET001", "0.40"), account("NET009", "0")], limit_use=USE)

    views = render_views("risk_report", build_page(facts, RUN, Links()))

    for said in (read_aloud(views.html), plain(views.text)):
        assert "Limits on 2025-08-15: 1 breach (NET001), 1 other limit hit (NET005); largest use 110% (NET001)." in said
        assert f"NET001: {receipt().sentence}" in said
        assert f"NET005: {STOPPED.sentence}" in said
        assert "Close to the limit: NET007 74%." in said
        places = [said.index(words) for words in ("Trader NET001:", "BREACHES AND", "2 of 2 active traders")]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (LimitUseFacts(), "Limits on 2025-08-15: use unknown, no account with complete books traded."),
        (
            LimitUseFacts((within("NET009", "0.31"),)),
            "Limits on 2025-08-15: no breach, no limit hit; largest use 31% (NET009).",
        ),
    ],
)
def test_mail_says_so_in_one_neutral_line_where_nobody_reached_a_limit(use: LimitUseFacts, said: str) -> None:
    views = render_views("risk_report", build_page(desk([account("NET009", "0")], limit_use=use), RUN, Links()))

    for words in (read_aloud(views.html), plain(views.text)):
        assert said in words
        assert "BREACHES" not in words


def test_mail_of_many_breaches_lists_twenty() -> None:
    many = LimitUseFacts(by_severity([receipt(f"NET{number:03}") for number in range(23)]))

    text = plain(render_views("risk_report", build_page(desk([], limit_use=many), RUN, Links())).text)

    assert "23 breaches (NET000, NET001, NET002, NET003, NET004 and 18 more)" in text
    assert text.count("Breach of $5,000") == 20
    assert "3 more breaches or hits in report.json" in text


def test_facts_and_csv_hold_the_use_exactly() -> None:
    facts = desk([account("NET001", "0.40"), account("NET002", "0")], limit_use=USE)

    assert parse_facts(facts.canonical) == facts
    broken, unknown = csv.DictReader(io.StringIO(limits_csv(facts)))
    names = ("session_limit_usd", "largest_loss_usd", "use_ratio", "outcome")
    assert [broken[name] for name in names] == ["5000.00", "5505.00", "1.101", "breach"]
    assert [unknown[name] for name in names] == ["", "", "", ""]


def test_mail_names_the_further_limits_that_are_reached_or_close() -> None:
    names = ("limit_usd", "loss_usd", "use_ratio", "zone_ratio", "is_hit", "incomplete_count")

    def use(account_id: str, kind: str, *values: Any) -> FurtherUse:
        return FurtherUse(account_id, kind, **dict(zip(names, values, strict=True)))

    further = (
        use("NET001", "weekly loss", Decimal(10000), Decimal(8120), Decimal("0.812"), Decimal("0.7"), False, 0),
        use("NET002", "weekly loss", Decimal(10000), Decimal(120), Decimal("0.012"), None, False, 0),
        use("NET003", "trailing loss", Decimal(3000), Decimal(3020), Decimal("1.006666"), Decimal("0.9"), True, 1),
    )
    facts = desk([account("NET001", "0")], limit_use=LimitUseFacts(USE.receipts, (), further))
    quiet = desk([account("NET001", "0")], limit_use=LimitUseFacts(USE.receipts, (), further[1:2]))

    assert parse_facts(facts.canonical) == facts
    for view in ("html", "text"):
        said, neutral = (
            read_aloud(getattr(render_views("risk_report", build_page(one, RUN, Links())), view))
            for one in (facts, quiet)
        )
        assert (
            "Further limits (reported only): NET003: trailing loss at least $3,020 of $3,000 (100%), limit "
            "hit, not counting 1 day with incomplete books; NET001: weekly loss at least $8,120 of $10,000 (81%)."
        ) in said
        assert "Further limits" not in neutral
