"""Reading the vendor's own books: three layouts, one pair of amounts for each session."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.core.entities import ReportedPnl
from risk.core.errors import RequestError
from risk.ingest.propreports.pages import IncompleteAnswerError
from risk.ingest.propreports.reports import (
    Account,
    Report,
    active_since,
    chosen_report,
    read_accounts,
    read_day,
    read_report,
)
from tests.vendor_server import ACCOUNTS_HEADER

THURSDAY, FRIDAY, MONDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15), dt.date(2025, 8, 18)

SUMMARY = """\
Date,Type,Orders,Fills,Qty,Gross,Comm,Ecn Fee,Trade Fees,Net,Adj Fees,Adj Net,Unrealized Δ,Total Δ,Cash,End Balance
08/14/2025,Eq,2,4,400,"1,012.30",1.00,0.30,1.30,"1,011.00",0.00,0.00,0.00,"1,011.00",5.00,5.00
08/15/2025,Eq,2,4,400,(12.30),1.00,0.30,1.30,(13.60),0.00,0.00,0.00,(13.60),5.00,5.00
08/15/2025,Op,1,2,2,2.00,0.50,,0.50,1.50,0.00,0.00,0.00,1.50,5.00,5.00
08/17/2025,Fu,1,2,2,7.00,,,,7.00,0.00,0.00,0.00,7.00,5.00,5.00
Equities,,4,8,800,"1,000.00",2.00,0.60,2.60,997.40,0.00,0.00,0.00,997.40,5.00,5.00
"""

TOTALS = """\
8/14/2025
Symbol,Orders,Fills,Qty,Gross,Comm,Net,Unrealized δ,Total δ,Unrealized
ABC,1,2,200,1000.00,0.80,999.20,0.00,999.20,0.00
XYZ,1,2,200,12.30,0.50,11.80,0.00,11.80,0.00
Equities,2,4,400,1012.30,1.30,1011.00,0.00,1011.00,0.00
Fee: Software & MD,,,,,,-30.00,,-30.00,
Daily Total,2,4,400,1012.30,1.30,981.00,0.00,981.00,0.00
Cash: USD,5.00
8/15/2025
Symbol,Orders,Fills,Qty,Gross,Comm,Net,Unrealized δ,Total δ,Unrealized
XYZ,3,6,402,-10.30,1.80,-12.10,0.00,-12.10,0.00
"""

TRADES = """\
08/14/25
Equities,,,,,,,,,,
Opened,Closed,Held,Symbol,Type,Entry,Exit,Qty,Gross,Comm,Net
09:31:00,09:35:00,0:04:00,ABC,Long,10.00,15.00,200,1000.00,0.80,999.20
10:00:00,10:01:00,0:01:00,XYZ,Short,10.00,9.877,100,12.30,0.50,11.80
Equities,,,,,,,300,1012.30,1.30,1011.00
08/15/25
Opened,Closed,Held,Symbol,Type,Entry,Exit,Qty,Gross,Comm,Net
10:00:00,10:01:00,0:01:00,XYZ,Long,10.00,9.90,103,-10.30,1.80,-12.10
"""


def reported(day: dt.date, gross: str, net: str) -> ReportedPnl:
    return ReportedPnl(session_date=day, account_id="NET001", gross_pnl_usd=Decimal(gross), net_pnl_usd=Decimal(net))


def test_summary_sums_kinds_of_instruments_and_counts_a_sunday_with_the_session_after_it() -> None:
    # 15 August: -12.30 + 2.00 = -10.30 gross, -13.60 + 1.50 = -12.10 net
    assert read_report(Report.summary, "NET001", SUMMARY.splitlines()) == [
        reported(THURSDAY, "1012.30", "1011.00"),
        reported(FRIDAY, "-10.30", "-12.10"),
        reported(MONDAY, "7.00", "7.00"),
    ]


@pytest.mark.parametrize(("report", "text"), [(Report.totals, TOTALS), (Report.trades, TRADES)])
def test_daily_tables_sum_symbols_and_leave_out_sums_and_adjustments(report: Report, text: str) -> None:
    assert read_report(report, "NET001", text.splitlines()) == [
        reported(THURSDAY, "1012.30", "1011.00"),
        reported(FRIDAY, "-10.30", "-12.10"),
    ]


@pytest.mark.parametrize("report", Report)
def test_report_without_a_line_names_no_session(report: Report) -> None:
    assert read_report(report, "NET001", []) == []


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (Report.summary, SUMMARY.replace("Gross", "Profit")),
        (Report.totals, TOTALS.replace("Gross", "Profit")),
        (Report.trades, TRADES.replace("Net", "Result")),
        (Report.summary, SUMMARY.replace("(12.30)", "(12.3O)")),
        (Report.totals, TOTALS.replace(",11.80", ",n/a")),
        (Report.trades, TRADES.replace("1000.00", "NaN")),
    ],
)
def test_report_whose_amounts_or_columns_cannot_be_read_is_refused_as_a_whole(report: Report, text: str) -> None:
    with pytest.raises(IncompleteAnswerError, match=r"has no header with|has no table with|is no number"):
        read_report(report, "NET001", text.splitlines())


def test_setting_names_a_report_we_can_read() -> None:
    assert [chosen_report(name) for name in ("summaryByDate", "totalsByDate", "trades", "none")] == [*Report, None]
    with pytest.raises(RequestError, match="RISK_VENDOR_REPORT=detailed is none of summaryByDate"):
        chosen_report("detailed")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("08/15/2025", FRIDAY),
        ("8/15/25", FRIDAY),
        ("2025-08-15", FRIDAY),
        ("08/15/2025 16:00:00", FRIDAY),
        ("2025-08-15 16:00:00", FRIDAY),
        ("13/15/2025", None),
        ("Equities", None),
        ("", None),
    ],
)
def test_day_is_read_in_the_vendors_forms(text: str, day: dt.date | None) -> None:
    assert read_day(text) == day


def test_list_of_accounts_is_read_by_name_and_a_short_line_is_passed_over() -> None:
    names = ACCOUNTS_HEADER.split(",")
    turned = ",".join(reversed(names))

    assert read_accounts([turned, "0.00,1.00,USD,08/15/2025,01/02/2025,NET001,11", "short"]) == [
        Account("11", "NET001", dt.date(2025, 1, 2), FRIDAY, "USD")
    ]


@pytest.mark.parametrize(
    ("first", "last", "is_answered_for"),
    [
        (None, None, False),  # never traded
        (dt.date(2025, 8, 18), None, False),  # not yet
        (FRIDAY, FRIDAY, True),
        (dt.date(2025, 1, 2), None, True),
        (dt.date(2025, 1, 2), dt.date(2025, 12, 31), True),  # asked later about a past session
        (dt.date(2025, 1, 2), dt.date(2025, 7, 7), True),  # 30 sessions, the last one and Friday counted
        (dt.date(2025, 1, 2), dt.date(2025, 7, 3), False),  # 31
    ],
)
def test_silence_about_an_account_means_something_while_somebody_expects_it(
    first: dt.date | None, last: dt.date | None, is_answered_for: bool
) -> None:
    account = Account("11", "NET001", first, last, "USD")

    assert account.is_answered_for(FRIDAY, active_since(FRIDAY, 30)) is is_answered_for
