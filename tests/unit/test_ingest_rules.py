"""Rules about one row of executions: columns, numbers, error codes and sentences."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.rules import RowRules, fill_of
from risk.ingest.times import moment_of
from risk.ingest.words import mapped_columns

TODAY = dt.date(2025, 8, 18)
RULES = RowRules(Settings(), TODAY)
ROW = {
    "date_time": "08/15/2025 09:45:00",
    "account": "NET001",
    "side": "B",
    "quantity": "100",
    "symbol": "xyz",
    "price": "12.5",
    "fee_comm": "1.10",
    "fee_ecn": "-0.30",
    "fee_sec": "",
    "status": "",
    "currency": "",
}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("08/15/2025 09:45:00", None),
        ("08/16/2025 00:00:00", None),
        ("13/01/2025 09:45:00", "date_day_first"),
        ("02/30/2025 09:45:00", "date_form"),
        ("08/15/2025 24:00:00", "date_form"),
        ("08/15/2025", "date_no_time"),
        ("08/15/2099 09:45:00", "date_future"),
        ("08/19/2025 09:45:00", "date_future"),
        ("08/15/1999 09:45:00", "date_past"),
        ("03/09/2025 02:30:00", "date_gap"),
        ("11/03/2024 01:30:00", "date_twice"),
        ("11/03/2024 02:30:00", None),
    ],
)
def test_date_is_judged_on_the_new_york_clock(text: str, code: str | None) -> None:
    assert moment_of(text, TODAY).code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"side": "X"}, "side"),
        ({"side": ""}, "side"),
        ({"quantity": "-5"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "NaN"}, "numbers"),
        ({"quantity": "1e18"}, "quantity"),
        ({"quantity": "1000000000000000000"}, "quantity"),
        ({"quantity": "0.123456789"}, "quantity"),
        ({"price": "-0.01"}, "price"),
        ({"price": "Infinity"}, "numbers"),
        ({"price": ""}, "numbers"),
        ({"fee_comm": "free"}, "numbers"),
        ({"fee_comm": "99999999999"}, "fees"),
        ({"account": "=cmd()"}, "account_name"),
        ({"account": "<img onerror>"}, "account_name"),
        ({"account": "'; drop table"}, "account_name"),
        ({"account": "NET\n001"}, "account_name"),
        ({"account": ""}, "account_name"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "<b>"}, "symbol"),
        ({"status": "X"}, "status"),
        ({"currency": "GBp"}, "currency"),
    ],
)
def test_row_gets_its_code_when_one_value_is_wrong(change: dict[str, str], code: str) -> None:
    assert RULES.codes_of(ROW) == []
    assert RULES.codes_of(ROW | change) == [code]


def test_fill_sums_every_fee_exactly_and_belongs_to_the_next_session_on_a_weekend() -> None:
    fill = fill_of(ROW | {"date_time": "08/16/2025 00:00:00"}, 7)

    # 1.10 - 0.30 = 0.80; 2025-08-16 is a Saturday; midnight in New York is 04:00 UTC in summer
    assert fill.fees_usd == Decimal("0.80")
    assert fill.session_date == dt.date(2025, 8, 18)
    assert fill.executed_at == dt.datetime(2025, 8, 16, 4, 0, tzinfo=dt.UTC)
    assert fill.symbol == "XYZ"


HUGE = ("1e1000000000000000000", "1e131072", "1e1000000", "1e-1000000000000000000", "1e-2000000", "9" * 100_000)
"""Numbers whose digits would fill the memory, or exceed what Postgres or Python can hold."""


@pytest.mark.parametrize("text", HUGE)
@pytest.mark.parametrize("column", ["quantity", "price", "fee_comm"])
def test_number_out_of_any_range_is_refused_by_a_sentence_that_names_it(column: str, text: str) -> None:
    record = ROW | {column: text}

    codes = RULES.codes_of(record)
    sentence = RULES.sentence("fills.csv", 2, codes, tuple(record), tuple(record.values()))

    assert codes == ["fees" if column == "fee_comm" else column]
    assert text[:50] in sentence


def test_fees_may_only_fit_together() -> None:
    record = ROW | {"fee_comm": "0.000000005", "fee_ecn": "0.000000005"}

    # 5e-9 has 9 decimals, twice that has 8
    assert RULES.codes_of(record) == []
    assert fill_of(record, 2).fees_usd == Decimal("0.00000001")
    assert RULES.codes_of(record | {"fee_ecn": "1e-400"}) == ["fees"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [("", "live"), (" busted ", "canceled"), ("CORR", "corrected"), ("bu\u017ft", None), ("odd", None)],
)
def test_status_is_known_in_any_ascii_case(status: str, kind: str | None) -> None:
    assert RULES.kind_of(status) == kind


GENERIC = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Exec Bkr,Contra,Liq,Comm,Ecn,SEC,ORF,TAF,NFA,CAT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Status"
)
API_22 = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,TAF,NSCC,Clr,Misc,Order Id,Fill Id,Currency,"
    "ISIN,CUSIP,Status,PropReports Id"
)
API_26 = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,Order Id,"
    "Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)


@pytest.mark.parametrize(("header_line", "width"), [(GENERIC, 24), (API_22, 22), (API_26, 26)])
def test_columns_follow_their_names_when_the_order_changes(header_line: str, width: int) -> None:
    header = header_line.split(",")

    columns = dict(zip(header, mapped_columns(header, "fills.csv"), strict=True))
    reversed_columns = dict(zip(reversed(header), mapped_columns(header[::-1], "fills.csv"), strict=True))

    assert len(set(columns.values())) == width
    assert columns == reversed_columns


@pytest.mark.parametrize(
    ("header_line", "sentence"),
    [
        (f"{API_26},Tariff", "'Tariff'"),
        (API_26.removeprefix("Date/Time,"), "'Date/Time'"),
        (f"{API_26},Ecn", "more than once"),
        (f"{API_26},,Route", "''"),
        ("error", "not a header"),
    ],
    ids=["unknown fee", "required missing", "one fee twice", "nameless inside", "something else"],
)
def test_columns_are_refused_with_the_name_when_the_shape_has_drifted(header_line: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        mapped_columns(header_line.split(","), "fills.csv")


@pytest.mark.parametrize(
    ("date_time", "symbol", "session_date"),
    [
        ("08/14/2025 17:59:59", "/ESU5", dt.date(2025, 8, 14)),
        ("08/14/2025 18:00:00", "/ESU5", dt.date(2025, 8, 15)),
        ("08/14/2025 18:00:00", "ES 09-25", dt.date(2025, 8, 15)),
        ("08/14/2025 18:00:00", "ES", dt.date(2025, 8, 14)),
        ("08/14/2025 18:00:00", "AAPL  250919C00150000", dt.date(2025, 8, 14)),
        ("08/17/2025 18:30:00", "/ESU5", dt.date(2025, 8, 18)),  # Sunday
        ("08/15/2025 18:30:00", "/ESU5", dt.date(2025, 8, 18)),  # Friday
        ("07/04/2025 18:30:00", "/ESU5", dt.date(2025, 7, 7)),  # holiday, then a weekend
        ("06/19/2025 18:30:00", "/ESU5", dt.date(2025, 6, 20)),  # holiday
        ("08/14/2025 00:00:00", "/ESU5", dt.date(2025, 8, 14)),  # time unknown
    ],
)
def test_a_future_belongs_to_the_next_session_from_six_in_the_evening_on(
    date_time: str, symbol: str, session_date: dt.date
) -> None:
    assert fill_of(ROW | {"date_time": date_time, "symbol": symbol}, 2).session_date == session_date
