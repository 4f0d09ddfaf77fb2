"""The page Desk: what it shows of a stored week, its links, its range, and its empty states."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, expect

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.desk.patterns import CROSSING
from risk.desk.store import store_desk
from risk.report.desk_summary import DeskSummary
from risk.report.facts import ExposureFacts
from risk.web.desk_tables import desk_tables
from risk.web.desk_views import DeskView
from risk.web.parameters import FEW_ROWS
from tests.book_desks import deliver, run_of
from tests.browser import obstacles, watched
from tests.desk_days import crossings
from tests.operators.web_client import figures, words
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend, store_report

CROSSING_ROW = "NET001 NET005 yes S0, S1, S2, S3, S4 2025-08-15 7 "
"""Who met whom comes first, whether it is flagged, and in what."""


MET = {"kind": CROSSING, "is_pair": True, "lag_seconds": None, "observed_count": 3, "first_at": 1, "last_at": 2}
"""Three crossings of a pair."""


def view_of(
    findings: list[dict[str, Any]], self_trades: list[dict[str, Any]], shares: tuple[ExposureFacts, ...] = ()
) -> DeskView:
    summary = DeskSummary(cast("Any", None), 1, None, shares)
    return DeskView(summary, [], [], 0, SESSION, SESSION, [], findings, self_trades, frozenset(), is_last_week=True)


@pytest.fixture
def run(connection: Connection) -> Run:
    """Store a desk of two traders who cross seven times on the session, and its report."""
    first = open_run(connection)
    for name in ("NET001", "NET005"):
        book(connection, name, input_fingerprint=deliver_fills(connection, first, name))
    deliver(connection, crossings(SESSION, 7))
    run = run_of(connection, SESSION)
    for name in ("NET001", "NET005"):
        recommend(connection, run, name, "0.00")
    store_desk(connection, run)
    store_report(connection, run)
    return run


def test_desk_before_the_first_report_says_how_to_get_one(client: Any) -> None:
    answer = client.get("/desk")
    assert answer.status_code == 200
    assert "make" in words(answer)


def test_crossing_of_the_week_is_one_link_from_today(client: Any, run: Run) -> None:
    # given the newest page
    assert 'href="/desk"' in client.get("/").text

    # when
    shown = client.get("/desk")

    # then the pair, its days and the rate stand there
    assert "Patterns to review" in words(shown)
    assert f"/traders/NET001/{SESSION}" in shown.text
    assert f"/traders/NET005/{SESSION}" in shown.text
    assert CROSSING_ROW in words(shown)
    # All seven are of this day: the week says the same.
    assert "NET001 NET005 yes S0, S1, S2, S3, S4 2025-08-11 to 2025-08-15" not in words(shown)
    assert figures(shown)[0]["data"][0]["type"] == "bar"


def test_exports_have_every_digit(client: Any, run: Run) -> None:
    answer = client.get("/desk?format=csv&table=crossing")
    assert answer.status_code == 200
    line = next(line for line in answer.text.splitlines() if line.startswith("NET001,NET005"))
    assert ",7," in line


def test_long_tables_are_cut_and_shown_whole_on_request(client: Any, run: Run) -> None:
    assert "Show all" in words(client.get("/desk?rows=1"))
    assert "Show all" not in words(client.get("/desk"))


def test_ten_rows_stand_first_and_every_flagged_pattern_is_among_them() -> None:
    # given eleven flagged findings and twenty others, and twelve self-trades
    day = {"first_session_date": SESSION, "last_session_date": SESSION}
    findings = [
        {**day, **MET, "account_id": "A", "other_account_ids": [f"B{number}"], "is_flagged": number < 11}
        for number in range(31)
    ]
    view = view_of(findings, [{}] * 12)

    # when
    tables = {table.name: table for table in desk_tables(view, FEW_ROWS)}

    # then
    assert (len(tables["crossing"].rows), tables["crossing"].is_cut_short) == (11, True)
    assert (len(tables["self-trades"].rows), tables["self-trades"].is_cut_short) == (10, True)
    assert (len(tables["copying"].rows), tables["copying"].is_cut_short) == (0, False)


def test_shares_are_columns_only_where_the_desk_has_a_tail() -> None:
    # given a trader without a share and one with
    without = ExposureFacts("A", Decimal(5000), Decimal("0.02"), Decimal(9), None, None, None, None)
    shared = replace(without, share_ratio=Decimal(1), relief_usd=Decimal(40))

    # when
    tables = [
        next(table for table in desk_tables(view_of([], [], (one,)), FEW_ROWS) if table.name == "shares")
        for one in (without, shared)
    ]

    # then
    assert [column.heading for column in tables[0].columns] == ["Trader", "New limit", "Chance of losing more"]
    assert tables[0].caption == (
        "1 trader with a forecast. Shares of the shortfall need 60 days of results, and losses in the worst of them."
    )
    assert [column.heading for column in tables[1].shown_columns] == [
        "Trader", "Share of the shortfall", "95% interval", "New limit", "Chance of losing more", "Cut takes off",
    ]  # fmt: skip
    assert tables[1].caption.startswith("1 trader with a forecast. The shares add up to 100%. What a cut takes off is")


def test_week_that_repeats_a_day_is_left_out() -> None:
    # given a day with three crossings; weeks with these, with one more, of another pair, and these but flagged
    week = {
        **MET, "account_id": "A", "other_account_ids": ["B"], "is_flagged": False,
        "first_session_date": SESSION - dt.timedelta(days=4), "last_session_date": SESSION,
    }  # fmt: skip
    day = {**week, "first_session_date": SESSION}
    others = [{**week, "observed_count": 4}, {**week, "other_account_ids": ["C"]}, {**week, "is_flagged": True}]

    # when
    view = view_of([day, week, *others], [])
    table = next(one for one in desk_tables(view, FEW_ROWS) if one.name == "crossing")

    # then
    assert list(table.rows) == [day, *others]
    assert "1 finding flagged of 4 listed;" in table.caption
    assert "Not listed: 1 finding of several sessions, all of it in one listed for a day." in table.caption
    # A flagged week stands only where its day is not flagged.
    flagged = {**day, "is_flagged": True}
    assert view_of([flagged, others[-1]], []).of_kind(CROSSING) == [flagged]
    assert view_of([flagged, others[-1]], []).flagged_count == 1


def test_range_shows_the_days_asked_for(client: Any, run: Run) -> None:
    day = SESSION.isoformat()
    assert CROSSING_ROW in words(client.get(f"/desk?first={day}&last={day}"))
    before = words(client.get("/desk?first=2025-01-02&last=2025-01-31"))
    assert "None in these sessions" in before
    assert "These sessions have not been scanned" in before


def test_wrong_range_and_unreported_session_say_what_to_do(client: Any, run: Run) -> None:
    backward = client.get("/desk?first=2025-08-15&last=2025-08-14")
    assert "enter the earlier day first" in words(backward)
    assert client.get("/desk/2025-08-14").status_code == 404
    assert client.get("/desk?first=soon").status_code in {400, 422}


def test_permalink_shows_what_the_run_knew(client: Any, run: Run, connection: Connection) -> None:
    # given a later run of the same session that has found nothing
    insert(
        connection, "desk_scans", run_id=open_run(connection, revision=9, session_date=dt.date(2025, 8, 18)).run_id,
        session_date=SESSION, account_count=2, fill_count=2, skipped_fill_count=0, self_trade_count=0,
        self_trades_by_chance=Decimal(0),
    )  # fmt: skip
    day = SESSION.isoformat()
    assert CROSSING_ROW in words(client.get(f"/desk/{day}"))
    assert CROSSING_ROW not in words(client.get(f"/desk?first={day}&last={day}"))


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_usable_in_a_real_browser(
    chromium: Browser, address: str, run: Run, connection: Connection, width: int, scheme: Any
) -> None:
    # given a correlation for the heat map
    insert(
        connection, "desk_correlations", run_id=run.run_id, account_id="NET001", other_account_id="NET005",
        session_count=40, correlation_ratio=Decimal("0.62"), low_ratio=Decimal("0.4"), high_ratio=Decimal("0.8"),
    )  # fmt: skip

    # when
    with watched(chromium, address, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto("/")
        page.get_by_role("link", name="Desk", exact=True).first.click()
        expect(page.locator(".plot .main-svg").first).to_be_visible()

        # then two interactions from the mail the crossings of the last five sessions stand there
        expect(page.locator("#crossing")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert obstacles(page) == []


def test_correlations_of_closed_accounts_are_hidden_unless_asked_for(
    client: Any, run: Run, connection: Connection
) -> None:
    # given: the report gives a limit to NET001 and NET005, and none to NET009_OLD
    for first, second in (("NET001", "NET005"), ("NET001", "NET009_OLD")):
        insert(
            connection, "desk_correlations", run_id=run.run_id, account_id=first, other_account_id=second,
            session_count=40, correlation_ratio=Decimal("0.62"), low_ratio=Decimal("0.4"), high_ratio=Decimal("0.8"),
        )  # fmt: skip

    # when
    shown, whole = client.get("/desk"), client.get("/desk?show=all")

    # then
    assert "1 account without a limit is hidden" in words(shown)
    assert "NET009_OLD" not in shown.text
    assert "hidden (" not in words(whole)
    # In the heat map's head and row, in the table, and its address.
    assert whole.text.count(">NET009_OLD<") == 3
    assert "NET009_OLD" not in client.get("/desk?format=csv&table=correlations").text
