"""Where the mail leads: names, the Risk page, the run; and that it loads nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from risk.report.facts import FitFacts, WarningFacts
from risk.report.page import Links, build_page
from risk.report.receipt_facts import LimitUseFacts
from risk.report.render import name_parts, render_views
from tests.report_desks import RUN, account, desk, receipt
from tests.unit.test_report_rendering import DESK, rendered


def test_names_are_links_to_the_traders_pages_where_the_address_of_the_ui_is_known() -> None:
    facts = desk(
        [account("NET 1"), account("NET002", limit_in_force_usd=Decimal(3000)), account("NET003", "0.00")],
        limit_use=LimitUseFacts((receipt("NET004"),)),
    )

    views, unknown = (rendered(facts, links=Links(base_url=url)) for url in ("https://risk.example.test/", ""))

    address = "https://risk.example.test/risk/traders"
    linked = re.findall(rf'<a href="{address}/([^"]+)"[^>]*>([^<]+)</a>', views.html)
    # In the headline and his row; in the first lines and the breach; where the cut stands; where the limit is kept.
    assert sorted(linked) == [
        ("NET%201", "NET 1"), ("NET%201", "NET 1"), ("NET002", "NET002"), ("NET003", "NET003"),
        *[("NET004", "NET004")] * 3,
    ]  # fmt: skip
    assert [line for line in views.text.splitlines() if address in line] == [
        f"NET 1: {address}/NET%201",
        f"NET004: {address}/NET004",
        f"NET002: {address}/NET002",
    ]
    assert "/risk/traders" not in unknown.html + unknown.text


def test_names_in_a_sentence_are_links_and_other_words_are_not() -> None:
    facts = desk([account("NET001"), account("NET001 B"), account("A"), account("<i>x")])
    said = "A fill of NET001, NET001 B and <i>x: fills_NET001.csv, NET001.csv and XNET001 or NET001-2 are none."

    views = rendered(
        replace(facts, warnings=(WarningFacts("check", "fees", said), *facts.warnings)),
        links=Links(base_url="http://r"),
    )
    parts = name_parts(said, facts)

    assert [part for part, is_name in parts if is_name] == ["NET001", "NET001 B", "<i>x"]
    assert "".join(part for part, _ in parts) == said
    assert name_parts("no name", facts) == [("no name", False)]
    many = name_parts(", ".join(["NET001"] * 30), facts)
    assert sum(is_name for _, is_name in many) == 20
    assert '<a href="http://r/risk/traders/NET001%20B" style="color:inherit;">NET001 B</a> and' in views.html
    assert "<i>x" not in views.html
    assert said in " ".join(views.text.split())


def test_mail_links_to_the_desk_and_the_limits_and_an_excerpt_not_to_the_desk() -> None:
    fits = (FitFacts("NET001", "too large", "losses too large", "", Decimal(3000)),)
    facts, links = desk([account()], fits=fits), Links(base_url="http://risk.example:8080/")
    base = "http://risk.example:8080/risk"

    whole, excerpt = (
        rendered(facts, links=links),
        render_views("risk_report", build_page(facts, RUN, links, group="One")),
    )

    assert f'<a class="link" href="{base}/desk/2025-08-15"' in whole.html
    # At the end, and where limits that do not fit are named.
    assert whole.html.count(f'href="{base}/limits"') == 2
    assert f"Desk: {base}/desk/2025-08-15\nLimits: {base}/limits\n" in whole.text
    for words in (excerpt.html, excerpt.text):
        assert f"{base}/limits" in words
        assert f"{base}/desk" not in words


def test_mail_links_to_the_run_if_the_address_of_the_ui_is_known() -> None:
    path = "/dags/daily_risk/runs/manual"
    without = rendered(desk([account()]), links=Links(path))
    with_address = rendered(desk([account()]), links=Links(path, base_url="http://127.0.0.1:8080/"))

    assert "/dags/daily_risk" not in without.text + without.html
    assert "http://127.0.0.1:8080/dags/daily_risk/runs/manual" in with_address.text
    assert 'href="http://127.0.0.1:8080/dags/daily_risk/runs/manual"' in with_address.html


def test_mail_links_to_the_risk_page_of_its_session() -> None:
    views = rendered(desk([account()]), links=Links(base_url="https://risk.example.test"))

    assert "Risk page: https://risk.example.test/risk/sessions/2025-08-15" in views.text
    assert 'href="https://risk.example.test/risk/sessions/2025-08-15"' in views.html


def test_mail_loads_nothing_from_elsewhere() -> None:
    markup = rendered(DESK).html

    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?http", markup)
    assert "<script" not in markup
