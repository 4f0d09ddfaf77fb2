"""What a symbol is by its form; one row for each spelling, what must come out beside it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.core.multipliers import double_spellings
from risk.core.symbols import Kind, future_of, kind_of, option_of, read_symbol

CALL = "AAPL  250919C00150000"

SPELLINGS = (
    "AAPL  250919C00150000",
    "AAPL250919C00150000",
    "AAPL 250919C00150000",
    "aapl250919c00150000",
    "AAPL 09/19/2025 150.00 C",
    "AAPL_091925C150",
    "AAPL_250919C150",
    "AAPL 19SEP25 150 C",
    "AAPL 19Sep2025 150.000 C",
    ".AAPL250919C150",
    "+AAPL250919C150",
    "-AAPL250919C150",
    "+AAPL^F9J150",
    "AAPL--250919C00150000",
    "O:AAPL250919C00150000",
    "OPRA:AAPL250919C150.0",
    "AAPL 250919C150",
    "AAPL 09/19/25 C150",
    "AAPL 9/19/2025 Call $150.00",
    "AAPL $150 CALL 9/19/2025",
    "CALL AAPL 09/19/25 150",
    "AAPL Sep 19 2025 150 Call",
    "AAPL Sep 19, 2025 150.0 Call",
    "AAPL Sep 19 '25 $150.00 Call",
    "AAPL 19 Sep 25 150.0 CALL",
    "AAPL September 19 2025 150 call",
    "AAPL 2025-09-19 150 C",
    "AAPL 20250919 150 C",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_an_option_becomes_its_osi_symbol(text: str) -> None:
    assert read_symbol(text) == CALL
    assert kind_of(CALL) == "option"


@pytest.mark.parametrize(
    ("text", "root", "right", "strike"),
    [
        (".SPXW250919P5912.5", "SPXW", "P", "5912.5"),
        ("+SPXW*F9J5912.5", "SPXW", "P", "5912.5"),
        ("SPX Sep 19 2025 6,000 Put", "SPX", "P", "6000"),
        (".F250919P0.5", "F", "P", "0.5"),
        ("XYZ 09/19/2025 12.125 P", "XYZ", "P", "12.125"),
        ("AAPL1 250919C00150000", "AAPL1", "C", "150"),
        ("2SPY  250919C00600000", "2SPY", "C", "600"),
        ("BRK.B 09/19/2025 400.00 C", "BRKB", "C", "400"),
        ("BRK B 19SEP25 400 C", "BRKB", "C", "400"),
        (".BRK/B250919C400", "BRKB", "C", "400"),
        ("GOOGL250919C99999999", "GOOGL", "C", "99999.999"),
    ],
)
def test_an_option_keeps_root_right_and_strike(text: str, root: str, right: str, strike: str) -> None:
    option = option_of(read_symbol(text) or "")

    assert option is not None
    assert (option.root, option.expiry, option.right) == (root, dt.date(2025, 9, 19), right)
    assert option.strike == Decimal(strike)


@pytest.mark.parametrize(
    "text",
    [
        "AAPL SEP 25 150 C",  # a month, or the 25th of a year that is not said
        "AAPL 091025 150 C",  # October 25, 2009, or September 10, 2025
        "AAPL 19/09/2025 150 C",  # day first
        "AAPL 02/30/2025 150 C",
        "XYZ   250431C00150000",
        "AAPL 09/19/2025 150",  # call or put?
        "AAPL 09/19/2025 150.12345 C",
        "AAPL250919C00000000",
        "AAPL250919C1500000",  # seven digits: dollars or thousandths?
        "ABCDEFG250919C00150000",
        "AAPL  250919X00150000",
        "./ESU25C6400:XCME",
        "/ESU5C6400",
    ],
)
def test_what_could_be_more_than_one_option_or_none_stays_unknown(text: str) -> None:
    symbol = read_symbol(text)

    assert symbol == text
    assert (kind_of(symbol), option_of(symbol)) == ("unknown", None)


@pytest.mark.parametrize(
    ("text", "root", "month", "year_digits"),
    [
        ("/ESU5", "ES", 9, "5"),
        ("/ESU25", "ES", 9, "25"),
        ("ESU5", "ES", 9, "5"),
        ("ESU25", "ES", 9, "25"),
        ("ESU2025", "ES", 9, "2025"),
        ("ES U5", "ES", 9, "5"),
        ("ES 09-25", "ES", 9, "25"),
        ("ES SEP25", "ES", 9, "25"),
        ("ES 19SEP25", "ES", 9, "25"),
        ("ESU5.CME", "ES", 9, "5"),
        ("/ESU25:XCME", "ES", 9, "25"),
        ("@ESU25", "ES", 9, "25"),
        ("F.US.EPU25", "EP", 9, "25"),
        ("ESU5 Index", "ES", 9, "5"),
        ("CLZ14.NYM", "CL", 12, "14"),
        ("/6EZ5", "6E", 12, "5"),
        ("M2KH26", "M2K", 3, "26"),
        ("10YU5", "10Y", 9, "5"),
        ("ES1!", "ES", None, ""),
        ("@ES", "ES", None, ""),
        ("@ES#", "ES", None, ""),
        ("/ES", "ES", None, ""),
        ("ES=F", "ES", None, ""),
        ("ES ##-##", "ES", None, ""),
        ("ES.CME", "ES", None, ""),
    ],
)
def test_a_future_is_known_by_its_form(text: str, root: str, month: int | None, year_digits: str) -> None:
    symbol = read_symbol(text) or ""

    assert kind_of(symbol) == "future"
    assert future_of(symbol) == (root, month, year_digits)


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("ES", "equity"),
        ("GOOGL", "equity"),
        ("BRK/A", "equity"),
        ("BRK.B", "equity"),
        ("BHC-P", "equity"),
        ("ALP-PN", "equity"),
        ("ADK-WT", "equity"),
        ("KMI-WTWI", "equity"),
        ("MIR/WS/B", "equity"),
        ("ADK+", "equity"),
        ("ESA=", "equity"),
        ("BQI^", "equity"),
        ("RY.TO", "equity"),
        ("ABC.DEF", "equity"),
        ("BTC/USD", "equity"),
        ("BTC/EUR", "unknown"),
        ("ETH-BTC", "unknown"),
        ("DOGE/USDT", "unknown"),
        ("ES.FUT", "future"),
        ("ES.XCME", "future"),
        ("@EURUSD", "pair"),
        ("@XAUUSD", "pair"),
        ("@CRUDEX", "unknown"),
        ("EUR.USD", "unknown"),
        ("USD/JPY", "unknown"),
        ("GBP-USD", "unknown"),
        ("EURUSD", "unknown"),
        ("JPY=X", "unknown"),
        ("$SPX", "unknown"),
        ("^GSPC", "unknown"),
        ("ABCDEF", "unknown"),
        ("0700.HK", "unknown"),
        ("ABC1", "unknown"),
        ("US0378331005", "unknown"),
        ("-AAPL", "unknown"),
        ("A B", "unknown"),
    ],
)
def test_the_kind_of_a_symbol_is_that_of_its_form(symbol: str, kind: Kind) -> None:
    assert read_symbol(symbol) == symbol
    assert kind_of(symbol) == kind


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        (" aapl ", "AAPL"),
        ("\u00df", None),
        ("\ufb01x", None),
        ("\u0131", None),
        ("<b>", None),
        ("", None),
        ("A" * 49, None),
    ],
)
def test_a_symbol_is_upper_case_and_ascii(text: str, symbol: str | None) -> None:
    assert read_symbol(text) == symbol


def test_spellings_of_one_contract_belong_together() -> None:
    symbols = ("ESU5", "/ESU25", "ES 09-25", "ESZ5", "/ES", "AAPL", "NQ SEP25", "NQU5.CME")

    assert double_spellings(symbols) == [["/ESU25", "ES 09-25", "ESU5"], ["NQ SEP25", "NQU5.CME"]]
    assert double_spellings(("ESU5", "/ES", "ESZ5")) == []
