"""Judging single rows without a database."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.ingest.rows import codes_of, fill_of, moment_code

TODAY = dt.date(2025, 8, 18)
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
        ("13/01/2025 09:45:00", "date_form"),
        ("02/30/2025 09:45:00", "date_form"),
        ("2025-08-15 09:45:00", "date_form"),
        ("08/15/25 09:45:00", "date_form"),
        ("08/15/2025 24:00:00", "date_form"),
        ("08/15/2025", "date_form"),
        ("08/15/2099 09:45:00", "date_future"),
        ("08/19/2025 09:45:00", "date_future"),
        ("08/15/1999 09:45:00", "date_past"),
        ("03/09/2025 02:30:00", "date_gap"),
        ("11/03/2024 01:30:00", "date_twice"),
        ("11/03/2024 02:30:00", None),
    ],
)
def test_date_is_judged_on_the_new_york_clock(text: str, code: str | None) -> None:
    assert moment_code(text, TODAY) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"side": "X"}, "side"),
        ({"side": ""}, "side"),
        ({"quantity": "-5"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "1e18"}, "quantity"),
        ({"quantity": "1000000000000000000"}, "quantity"),
        ({"quantity": "0.123456789"}, "quantity"),
        ({"price": "0"}, "price"),
        ({"price": "Infinity"}, "price"),
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
        ({"currency": "cad"}, "currency"),
    ],
)
def test_row_gets_its_code_when_one_value_is_wrong(change: dict[str, str], code: str) -> None:
    assert codes_of(ROW, TODAY, ()) == []
    assert codes_of(ROW | change, TODAY, ()) == [code]


def test_fill_sums_every_fee_exactly_and_belongs_to_the_next_session_on_a_weekend() -> None:
    fill = fill_of(ROW | {"date_time": "08/16/2025 00:00:00"}, 7)

    # 1.10 - 0.30 = 0.80; 2025-08-16 is a Saturday; midnight in New York is 04:00 UTC in summer
    assert fill.fees_usd == Decimal("0.80")
    assert fill.session_date == dt.date(2025, 8, 18)
    assert fill.executed_at == dt.datetime(2025, 8, 16, 4, 0, tzinfo=dt.UTC)
    assert fill.symbol == "XYZ"
