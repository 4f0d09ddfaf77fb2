"""What the calendar says of a trader: colors, words, sums and streaks, worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.limits.receipts import BREACH, HIT
from risk.web.calendar_views import CalendarCell, CalendarRow

DAY = dt.date(2025, 8, 15)


def cell(pnl: str | None, typical_days: float | None = 1.0, **changes: object) -> CalendarCell:
    total = None if pnl is None else Decimal(pnl)
    plain = CalendarCell("NET001", DAY, 5, total, None if pnl is None else typical_days, "within", None)
    return plain._replace(**changes)


def row(*results: str | None) -> CalendarRow:
    return CalendarRow("NET001", [cell(result) for result in results])


@pytest.mark.parametrize(
    ("typical_days", "style", "text"),
    [
        # A quarter, one and two typical days are the bounds; below a quarter there is no color.
        (0.24, "", "+0.2"),
        (0.25, "g1", "+0.2"),
        (-0.99, "l1", "-1.0"),
        (-1.0, "l2", "-1.0"),
        (1.99, "g2", "+2.0"),
        (-2.0, "l3", "-2.0"),
        (5.7, "g3", "+5.7"),
        (-0.001, "", "+0.0"),
    ],
)
def test_color_follows_typical_days_and_the_number_says_the_same(typical_days: float, style: str, text: str) -> None:
    found = cell("1", typical_days)

    assert (found.style, found.text) == (style, text)


@pytest.mark.parametrize(("pnl", "text"), [("3", "+"), ("-3", "-"), ("0", "0"), (None, "?")])
def test_result_without_typical_days_has_its_sign_and_no_color(pnl: str | None, text: str) -> None:
    found = cell(pnl, None)

    assert (found.style, found.text) == ("", text)


def test_words_say_result_limit_and_cut() -> None:
    found = cell("-1033.20", -2.14, outcome=BREACH, cut_ratio=Decimal("0.40"))

    assert found.words == "-$1,033.20; -2.1 typical days; breach of the limit; limit cut by 40%"
    assert (found.limit_mark, found.has_cut) == ("B", True)
    assert cell("5", None, fill_count=0).words == "+$5.00; no fills, a position was carried"
    assert cell(None).words == "P&L unknown: books are incomplete"
    assert (cell("1", outcome=HIT).limit_mark, cell("1", cut_ratio=Decimal("0.00")).has_cut) == ("H", False)


def test_name_with_blanks_and_slashes_leads_to_the_traders_day() -> None:
    assert cell("1", account_id="DESK A/B 1").path == "traders/DESK%20A/B%201/2025-08-15"


def test_streak_counts_the_newest_days_of_one_sign() -> None:
    assert row("-1", "-2", None, "-3", "4", "-5").streak == "3 losing days"
    assert row("1", "-2").streak == "1 winning day"
    # A day of exactly 0 is neither.
    assert row("0", "-2").streak == ""
    assert row().streak == ""
    # A day on which a position was only carried is no day of trading.
    carried = cell("-9", fill_count=0)
    assert CalendarRow("NET001", [carried, cell("1"), carried, cell("2")]).streak == "2 winning days"


def test_sums_and_counts_are_of_known_results() -> None:
    cells = [
        cell("-1.10", outcome=BREACH),
        cell("-2.20", cut_ratio=Decimal("0.2")),
        None,
        cell(None),
        cell("5.00", fill_count=0),
        cell("4.00"),
        cell("-1.00"),
    ]

    found = CalendarRow("NET001", cells)

    # -1.10 - 2.20 + 5.00 + 4.00 - 1.00.
    assert found.total_usd == Decimal("4.70")
    assert (found.win_count, found.loss_count, found.unknown_count) == (1, 3, 1)
    assert (found.longest_losing_streak, found.breach_count, found.cut_count) == (2, 1, 1)
