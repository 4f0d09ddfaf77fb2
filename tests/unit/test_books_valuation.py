"""Which price values an open position at the close, and what happens where there is none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.books.executions import UNIT
from risk.books.prices import LastFill, PriceBook, ScaledInstrument, ScaledMark, SplitRatio, Valuation
from risk.books.session import DailyPnl, account_sessions, daily_pnl
from risk.core.calendar import sessions_between
from risk.core.entities import Fill, Mark

SESSIONS = sessions_between(dt.date(2025, 8, 4), dt.date(2025, 8, 15))
"""Ten sessions, Monday to the Friday of the next week."""


def buy(session_date: dt.date, quantity: str, price: str, account_id: str = "NET001", hour: int = 14) -> Fill:
    executed_at = dt.datetime.combine(session_date, dt.time(hour), dt.UTC)
    return Fill(
        account_id, session_date, executed_at, 1, "B", Decimal(quantity), "XYZ", Decimal(price), "USD", Decimal(0)
    )


def mark(session_date: dt.date, price: str | None, symbol: str = "XYZ", currency: str = "USD") -> Mark:
    return Mark(session_date, symbol, None if price is None else Decimal(price), currency, None)


def unrealized(days: list[DailyPnl], account_id: str = "NET001") -> list[Decimal | None]:
    return [day.unrealized_pnl_usd for day in days if day.account_id == account_id]


def test_valuation_prefers_the_mark_over_the_last_fill() -> None:
    days = daily_pnl(
        [buy(SESSIONS[0], "10", "1.00"), buy(SESSIONS[0], "10", "2.00", hour=15)], [mark(SESSIONS[0], "3")]
    )

    # 10 x (3 - 1) + 10 x (3 - 2)
    assert unrealized(days) == [30]


def test_valuation_takes_the_last_fill_over_all_accounts_when_there_is_no_mark() -> None:
    fills = [buy(SESSIONS[0], "10", "1.00"), buy(SESSIONS[0], "1", "1.50", account_id="NET002", hour=19)]

    # 10 x (1.50 - 1.00)
    assert unrealized(daily_pnl(fills, [])) == [5]


def test_valuation_takes_the_later_of_two_fills_a_microsecond_apart_whatever_their_lines() -> None:
    first, later = buy(SESSIONS[0], "10", "1.00"), buy(SESSIONS[0], "1", "1.50", account_id="NET002")
    moment = later.executed_at + dt.timedelta(microseconds=1)

    days = daily_pnl([first._replace(tie_rank=2), later._replace(executed_at=moment)], [])

    assert unrealized(days) == [5]


def test_valuation_takes_the_last_fill_when_the_mark_is_blank_or_foreign() -> None:
    fills = [buy(SESSIONS[0], "10", "1.00"), buy(SESSIONS[0], "1", "1.50", account_id="NET002", hour=19)]

    assert unrealized(daily_pnl(fills, [mark(SESSIONS[0], None)])) == [5]
    assert unrealized(daily_pnl(fills, [mark(SESSIONS[0], "9", currency="CAD")])) == [5]


def test_valuation_keeps_the_previous_mark_for_five_sessions_and_not_for_a_sixth() -> None:
    fills = [buy(SESSIONS[0], "10", "1.00")]
    elsewhere = [mark(SESSIONS[8], "7", symbol="ABC")]

    days = daily_pnl(fills, [mark(SESSIONS[0], "1.20"), *elsewhere])

    # 10 x 0.20 on the day and five sessions after it; then unknown, never 0
    assert unrealized(days) == [2, 2, 2, 2, 2, 2, None, None, None]
    assert [day.total_pnl_usd for day in days] == [2, 0, 0, 0, 0, 0, None, None, None]
    books = account_sessions(fills, [mark(SESSIONS[0], "1.20"), *elsewhere])
    assert [position.missing for day in books for position in day.positions] == [None] * 6 + ["mark"] * 3


def test_valuation_leaves_the_next_change_unknown_when_the_close_before_was() -> None:
    fills = [buy(SESSIONS[0], "10", "1.00")]
    marks = [mark(SESSIONS[0], "1.20"), mark(SESSIONS[7], "1.50"), mark(SESSIONS[8], "1.40")]

    days = daily_pnl(fills, marks)

    # Session 6 has no mark. Session 7 has: 10 x 0.50, but no close before to subtract. Session 8: 4 - 5.
    assert unrealized(days)[6:] == [None, 5, 4]
    assert [day.unrealized_delta_usd for day in days][6:] == [None, None, -1]
    assert [day.total_pnl_usd for day in days][6:] == [None, None, -1]
    assert [day.net_pnl_usd for day in days][6:] == [0, 0, 0]


def test_valuation_says_where_a_price_comes_from() -> None:
    statements = [
        ScaledMark(SESSIONS[0], "XYZ", 3 * UNIT, "USD", None),
        ScaledMark(SESSIONS[5], "XYZ", None, "USD", None),
    ]
    prices = PriceBook(SESSIONS, [LastFill(SESSIONS[1], "XYZ", None, (0, 1, 4 * UNIT))], statements)

    valued = [prices.value(session_date, "XYZ", "USD") for session_date in SESSIONS[:8]]

    assert valued == [
        Valuation(UNIT, 3 * UNIT, "marks"),
        Valuation(UNIT, 4 * UNIT, "last_fill"),
        *[Valuation(UNIT, 4 * UNIT, "stale")] * 5,
        Valuation(UNIT, None, None),
    ]


def test_valuation_knows_a_multiplier_only_from_the_session_that_states_it() -> None:
    prices = PriceBook(SESSIONS, [], [ScaledMark(SESSIONS[3], "/ESU5", None, "USD", 50 * UNIT)])

    multipliers = [prices.value(session_date, "/ESU5", "USD").multiplier for session_date in SESSIONS[2:5]]

    assert multipliers == [None, 50 * UNIT, 50 * UNIT]


def test_valuation_converts_another_currency_at_the_spot_and_says_whose() -> None:
    marks = [
        ScaledMark(SESSIONS[0], "SHOP", 90 * UNIT, None, None),
        ScaledMark(SESSIONS[0], "@CADUSD", 72 * UNIT // 100, "USD", None),
        ScaledMark(SESSIONS[2], "SHOP", 91 * UNIT, "CAD", None),
        ScaledMark(SESSIONS[2], "@CADUSD", 73 * UNIT // 100, "EUR", None),
    ]
    prices = PriceBook(SESSIONS, [LastFill(SESSIONS[1], "@CADUSD", None, (5, 1, 74 * UNIT // 100))], marks)

    valued = [prices.value(session_date, "SHOP", "CAD") for session_date in SESSIONS[:3]]

    # A spot stated in a third currency is no rate.
    assert valued == [
        Valuation(UNIT, 90 * UNIT, "marks", 72_000_000, "marks", SESSIONS[0]),
        Valuation(UNIT, 90 * UNIT, "stale", 74_000_000, "last_fill", SESSIONS[1]),
        Valuation(UNIT, 91 * UNIT, "marks", 74_000_000, "stale", SESSIONS[1]),
    ]


def test_valuation_has_no_rate_where_no_spot_is_told_or_currencies_are_mixed() -> None:
    prices = PriceBook(SESSIONS, [], [ScaledMark(SESSIONS[0], "SHOP", 90 * UNIT, None, None)])

    assert prices.value(SESSIONS[0], "SHOP", "CAD") == Valuation(UNIT, 90 * UNIT, "marks", None, None, None)
    assert prices.value(SESSIONS[0], "SHOP", "XXX") == Valuation(None, None, None, None, None, None)


def test_valuation_takes_the_newest_of_equal_statements_by_day_and_refuses_two_multipliers_of_one_day() -> None:
    marks = [
        ScaledMark(SESSIONS[4], "/ESU5", None, None, 40 * UNIT),
        ScaledMark(SESSIONS[6], "/ESU5", None, None, UNIT),
    ]
    terms = [
        ScaledInstrument(SESSIONS[6], "/ESU5", 50 * UNIT, None),
        ScaledInstrument(SESSIONS[7], "/ESU5", None, "GBP"),
        ScaledInstrument(SESSIONS[8], "/ESU5", 60 * UNIT, None),
        ScaledInstrument(dt.date(2020, 1, 1), "/ESU5", 20 * UNIT, "EUR"),
    ]
    prices = PriceBook(SESSIONS, [], marks, terms)

    multipliers = [prices.value(day, "/ESU5", "USD").multiplier for day in SESSIONS[3:9]]

    assert multipliers == [20 * UNIT, 40 * UNIT, 40 * UNIT, None, None, 60 * UNIT]
    assert [prices.currency(day, "/ESU5", "USD") for day in SESSIONS[6:8]] == ["EUR", "GBP"]


@pytest.mark.parametrize(
    ("symbol", "multiplier", "currency"),
    [
        ("XYZ", 1, "USD"),
        ("RY.TO", 1, "CAD"),
        ("@EURCAD", 1, "CAD"),
        ("@CRUDE", None, "USD"),
        ("/ESU5", None, "USD"),
        ("AAPL  250117C00150000", 100, "USD"),
        ("AAPL250117P00150000", 100, "USD"),
        ("AAPL  250117X00150000", None, "USD"),
        ("ESU5", None, "USD"),
        ("ES 09-25", None, "USD"),
        ("ES", 1, "USD"),
        ("EUR.USD", None, "USD"),
        ("US0378331005", None, "USD"),
    ],
)
def test_valuation_takes_from_a_symbol_what_its_form_implies(
    symbol: str, multiplier: int | None, currency: str
) -> None:
    prices = PriceBook(SESSIONS, [], [])

    assert prices.currency(SESSIONS[0], symbol, None) == currency
    assert prices.value(SESSIONS[0], symbol, "USD").multiplier == (multiplier and multiplier * UNIT)


@pytest.mark.parametrize(
    ("stated", "symbol", "multiplier"),
    [
        ("/ES", "/ESU5", 50),
        ("/ES", "ESU2025", 50),
        ("/ES", "ES 09-25", 50),
        ("/ES", "ES1!", 50),
        ("/ESU25", "ESU5.CME", 50),
        ("ESU5", "/ESU25:XCME", 50),
        ("@ES", "/ESZ5", 50),
        ("/ESU5", "/ESZ5", None),
        ("/NQ", "/ESU5", None),
        ("ES", "/ESU5", None),
        ("/ES", "ES", 1),
        ("ABC1", "ABC1", 50),
    ],
)
def test_a_multiplier_stated_for_a_contract_or_its_root_holds_for_every_spelling(
    stated: str, symbol: str, multiplier: int | None
) -> None:
    prices = PriceBook(SESSIONS, [], [], [ScaledInstrument(SESSIONS[0], stated, 50 * UNIT, None)])

    assert prices.value(SESSIONS[0], symbol, "USD").multiplier == (multiplier and multiplier * UNIT)


def test_what_is_stated_of_a_contract_counts_before_what_is_stated_of_its_root() -> None:
    terms = [
        ScaledInstrument(SESSIONS[0], "/ES", 50 * UNIT, None),
        ScaledInstrument(SESSIONS[1], "/ESU25", 5 * UNIT, None),
        ScaledInstrument(SESSIONS[2], "ESU5", 7 * UNIT, None),
        ScaledInstrument(SESSIONS[3], "/ES", 60 * UNIT, None),
    ]
    prices = PriceBook(SESSIONS, [], [], terms)

    assert [prices.value(day, "ESU5", "USD").multiplier for day in SESSIONS[:4]] == [
        50 * UNIT,
        5 * UNIT,
        7 * UNIT,
        7 * UNIT,
    ]
    assert [prices.value(day, "/ESZ5", "USD").multiplier for day in SESSIONS[2:4]] == [50 * UNIT, 60 * UNIT]


def test_valuation_of_an_earlier_session_counts_in_the_shares_of_this_one() -> None:
    marks = [ScaledMark(SESSIONS[0], "XYZ", 90 * UNIT, None, None)]
    ratios = [SplitRatio(SESSIONS[1], "XYZ", 3 * UNIT, UNIT), SplitRatio(SESSIONS[3], "XYZ", UNIT, 2 * UNIT)]
    prices = PriceBook(SESSIONS, [], marks, (), ratios)

    assert [prices.value(day, "XYZ", "USD").price for day in SESSIONS[:4]] == [
        90 * UNIT,
        30 * UNIT,
        30 * UNIT,
        60 * UNIT,
    ]


def test_valuation_ends_an_option_at_nothing_only_in_its_last_session_and_without_a_mark() -> None:
    good_friday = sessions_between(dt.date(2025, 4, 14), dt.date(2025, 4, 22))
    option, marked = "XYZ   250418C00150000", "XYZ   250418P00150000"
    marks = [ScaledMark(good_friday[3], marked, 2 * UNIT, None, None)]
    fills = [LastFill(good_friday[3], option, None, (0, 1, UNIT))]
    prices = PriceBook(good_friday, fills, marks)

    # The exchange is closed on Friday the 18th: Thursday is the last session. A last fill is no mark.
    assert [prices.value(day, option, "USD").source for day in good_friday[2:5]] == [None, "expiry", "stale"]
    assert [prices.value(day, option, "USD").price for day in good_friday[2:4]] == [None, 0]
    assert [prices.value(day, marked, "USD").source for day in good_friday[2:5]] == [None, "marks", "stale"]
    assert prices.value(good_friday[3], "XYZ   250431C00150000", "USD").source is None
