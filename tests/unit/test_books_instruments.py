"""Books of every instrument: splits, expiry and currencies by worked cases, and what is said of a missing one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.books.positions import Position
from risk.books.session import AccountSession, account_sessions, daily_pnl
from risk.core.calendar import sessions_between
from risk.core.entities import Fill, Instrument, Mark, Split

THU, FRI, MON = sessions_between(dt.date(2025, 8, 14), dt.date(2025, 8, 18))
USD, CAD = 10**32, 10**24
OPTION = "XYZ   250815C00150000"


def fill(
    day: dt.date,
    side: str,
    quantity: str,
    price: str,
    symbol: str = "XYZ",
    *,
    currency: str | None = None,
    minute: int = 0,
) -> Fill:
    at = dt.datetime.combine(day, dt.time(14, minute), dt.UTC)
    return Fill("NET001", day, at, minute + 1, side, Decimal(quantity), symbol, Decimal(price), currency, Decimal(0))


def mark(day: dt.date, price: str, symbol: str = "XYZ", currency: str | None = None) -> Mark:
    return Mark(day, symbol, Decimal(price), currency, None)


def only(day: AccountSession) -> Position:
    [position] = day.positions
    return position


def side_conflicts(day: AccountSession) -> list[int]:
    path = only(day).path
    assert path is not None
    return list(path.side_conflicts)


def test_a_split_of_a_carried_position_earns_nothing_by_itself() -> None:
    fills = [fill(THU, "T", "10", "90"), fill(FRI, "C", "10", "28")]

    thursday, friday, monday = account_sessions(
        fills, [mark(THU, "90"), mark(FRI, "30"), mark(MON, "31")], (), [Split(FRI, "XYZ", Decimal(3), Decimal(1))]
    )

    # Short 10 at 90 become 30 at 30; 10 are covered at 28 for 20. Monday's 20 lose 1 each.
    assert (only(thursday).split, only(friday).split, only(monday).split) == (0, -20 * 10**8, 0)
    assert [day.total for day in (thursday, friday, monday)] == [0, 20 * USD, -20 * USD]
    assert [day.volume for day in (thursday, friday, monday)] == [10 * 10**8, 10 * 10**8, 0]
    assert monday.turnover == 0


def test_what_a_reverse_split_leaves_no_share_of_is_lost() -> None:
    fills = [fill(THU, "B", "0.00000001", "100000000")]

    days = daily_pnl(fills, [mark(THU, "100000000")], (), [Split(FRI, "XYZ", Decimal(1), Decimal(2))])
    after = daily_pnl(
        [*fills, fill(FRI, "B", "1", "5", "ABC")],
        [mark(THU, "100000000")],
        (),
        [Split(FRI, "XYZ", Decimal(1), Decimal(2))],
    )

    assert [day.total_pnl_usd for day in days] == [0]
    assert [day.gross_pnl_usd for day in after] == [0, -1]


def test_an_option_ends_at_nothing_in_its_last_session_and_not_the_one_before() -> None:
    days = account_sessions([fill(THU, "T", "2", "1.50", OPTION)], [mark(MON, "1")])

    # 2 x 1.50 x 100 taken in on Thursday are kept on Friday.
    assert [day.gross for day in days] == [0, 300 * USD]
    assert (only(days[0]).expired, only(days[1]).expired) == (0, 2 * 10**8)
    assert [only(day).valuation.source for day in days] == ["last_fill", "expiry"]


def test_an_option_with_a_mark_in_its_last_session_stays_open_until_a_fill_closes_it() -> None:
    fills = [fill(THU, "B", "1", "2", OPTION), fill(MON, "S", "1", "4", OPTION)]

    days = daily_pnl(fills, [mark(THU, "2", OPTION), mark(FRI, "5", OPTION)])

    assert [day.total_pnl_usd for day in days] == [0, 300, -100]
    assert [day.gross_pnl_usd for day in days] == [0, 0, 200]


def test_an_option_closed_in_its_last_session_has_no_closing_price() -> None:
    _, friday = account_sessions([fill(THU, "B", "1", "2", OPTION), fill(FRI, "S", "1", "4", OPTION)], [])

    assert (friday.gross, only(friday).expired) == (200 * USD, 0)
    assert (only(friday).valuation.price, only(friday).valuation.source) == (None, None)


def test_a_multiplier_that_becomes_known_is_no_change_but_leaves_the_days_unknown() -> None:
    fills = [fill(THU, "B", "1", "100", "/ES"), fill(FRI, "S", "1", "101", "/ES")]

    days = account_sessions(fills, [], [Instrument(FRI, "/ES", Decimal(50), None)])

    # What is realized needs Friday's multiplier alone; Thursday's value, to subtract, is unknown.
    assert [(day.gross, day.total) for day in days] == [(None, None), (50 * USD, None)]
    assert [only(day).missing for day in days] == ["multiplier", "previous"]


def test_a_multiplier_that_changes_leaves_what_was_gained_unknown_and_what_is_held_known() -> None:
    fills = [fill(THU, "B", "2", "100", "/ES"), fill(FRI, "S", "1", "101", "/ES")]

    days = account_sessions(
        fills, [], [Instrument(THU, "/ES", Decimal(50), None), Instrument(FRI, "/ES", Decimal(10), None)]
    )

    # 1 x (101 - 100) x 10 is open on Friday.
    assert [(day.gross, day.unrealized, day.unrealized_delta) for day in days] == [(0, 0, 0), (None, 10 * USD, None)]
    assert only(days[1]).realized is None


def test_a_result_in_another_currency_is_worth_what_the_session_pays_for_it() -> None:
    fills = [fill(THU, "B", "100", "10", "RY.TO"), fill(FRI, "S", "50", "12", "RY.TO", currency="CAD")]
    marks = [
        mark(THU, "0.50", "@CADUSD"),
        mark(FRI, "0.75", "@CADUSD"),
        mark(THU, "11", "RY.TO"),
        mark(FRI, "12", "RY.TO"),
    ]

    days = daily_pnl(fills, marks)

    # Thursday 100 x 1 x 0.50. Friday 50 x 2 x 0.75 realized; open 50 x 2 x 0.75 = 75 less Thursday's 50.
    assert [(day.gross_pnl_usd, day.unrealized_pnl_usd, day.total_pnl_usd) for day in days] == [
        (0, 50, 50),
        (75, 75, 100),
    ]


def test_turnover_is_in_us_dollars_and_counts_the_multiplier() -> None:
    fills = [fill(THU, "B", "1", "100", "/ES"), fill(THU, "S", "10", "5", "RY.TO")]

    [day] = account_sessions(fills, [mark(THU, "0.50", "@CADUSD")], [Instrument(THU, "/ES", Decimal(50), None)])

    # 1 x 100 x 50, and 10 x 5 x 0.50
    assert day.turnover == 5025 * USD


def test_a_pair_earns_in_its_second_currency() -> None:
    fills = [fill(THU, "B", "1000", "150", "@USDJPY"), fill(THU, "S", "1000", "151", "@USDJPY", minute=1)]

    assert [day.gross_pnl_usd for day in daily_pnl(fills, [mark(THU, "0.0066", "@JPYUSD")])] == [Decimal("6.6")]


@pytest.mark.parametrize(("stated", "earned"), [("CAD", 5), ("USD", 5), (None, 5), ("EUR", None)])
def test_a_spot_is_taken_with_either_of_its_currencies_and_no_other(stated: str | None, earned: int | None) -> None:
    fills = [fill(THU, "B", "10", "10", "RY.TO"), fill(THU, "S", "10", "11", "RY.TO", minute=1)]

    # 10 x 1.00 x 0.50
    assert [day.gross_pnl_usd for day in daily_pnl(fills, [mark(THU, "0.5", "@CADUSD", stated)])] == [earned]


def test_an_instrument_says_the_currency_whatever_a_fill_says() -> None:
    stated = [Instrument(THU, "SHOP", None, "CAD"), Instrument(THU, "/ES", Decimal(50), None)]
    fills = [
        fill(THU, "B", "1", "10", "SHOP", currency="USD"),
        fill(THU, "S", "1", "20", "SHOP", minute=1),
        fill(THU, "B", "1", "100", "/ES", minute=2),
        fill(THU, "S", "1", "101", "/ES", minute=3),
    ]

    # 10 at 0.50 and 1 x 50
    assert [day.gross_pnl_usd for day in daily_pnl(fills, [mark(THU, "0.5", "@CADUSD")], stated)] == [55]


def test_what_is_missing_is_said_with_the_currency_it_is_about() -> None:
    fills = [
        fill(THU, "B", "1", "10", "RY.TO"),
        fill(THU, "B", "1", "10", "MIX", currency="CAD", minute=1),
        fill(THU, "S", "1", "10", "MIX", currency="USD", minute=2),
        fill(THU, "B", "1", "10", "/ES", minute=3),
        fill(THU, "B", "1", "10", "OK", minute=4),
    ]

    [thursday] = account_sessions(fills, [])

    assert thursday.incomplete_reason == (
        "More than one currency for MIX by 2025-08-14, and a position has one: state it in an instruments file from "
        "before it was opened on, then clear extract_fills. No single multiplier for /ES on 2025-08-14: state it in an "
        "instruments file and fix marks that state another, then clear extract_fills. No rate in US dollars for the "
        "currency of RY.TO (CAD) on 2025-08-14 or in the 5 sessions before: load the spot as a mark, "
        "such as @CADUSD for CAD, then clear extract_fills."
    )
    assert (thursday.total, thursday.gross, thursday.turnover) == (None, None, None)


def test_fills_that_state_no_currency_trade_in_the_held_one() -> None:
    fills = [fill(THU, "B", "2", "10", currency="CAD"), fill(FRI, "S", "1", "12")]
    marks = [mark(THU, "11"), mark(FRI, "12"), mark(THU, "0.5", "@CADUSD"), mark(FRI, "0.5", "@CADUSD")]

    thursday, friday = account_sessions(fills, marks)

    # Thursday 2 x 1 x 0.50. Friday 1 x 2 x 0.50 realized; open the same, 1 on, nothing added to Thursday's.
    assert [only(day).currency for day in (thursday, friday)] == ["CAD", "CAD"]
    assert [(day.gross, day.total) for day in (thursday, friday)] == [(0, USD), (USD, USD)]
    assert [(only(day).realized, only(day).unrealized) for day in (thursday, friday)] == [
        (0, 2 * CAD),
        (2 * CAD, 2 * CAD),
    ]


def test_a_position_held_in_one_currency_has_none_once_it_trades_in_another() -> None:
    fills = [
        fill(THU, "B", "2", "10", currency="CAD"),
        fill(FRI, "S", "1", "10", currency="USD"),
        fill(MON, "S", "1", "9"),
    ]
    marks = [mark(day, "0.5", "@CADUSD") for day in (THU, FRI, MON)]

    days = account_sessions(fills, marks)

    assert [only(day).currency for day in days] == ["CAD", "XXX", "XXX"]
    assert [day.total for day in days] == [0, None, None]


@pytest.mark.parametrize("stated", [None, "USD"])
def test_a_position_held_in_one_currency_has_none_once_another_is_stated(stated: str | None) -> None:
    fills = [fill(THU, "B", "2", "10", currency=stated), fill(FRI, "S", "1", "10", currency=stated)]

    days = account_sessions(fills, [mark(MON, "10")], [Instrument(FRI, "XYZ", None, "CAD")])

    assert [only(day).currency for day in days] == ["USD", "XXX", "XXX"]
    assert [day.total for day in days] == [0, None, None]


def test_sides_that_contradict_the_position_are_noted_after_the_split() -> None:
    fills = [fill(THU, "T", "1", "10"), fill(FRI, "C", "2", "5"), fill(FRI, "T", "1", "5", minute=1)]

    days = account_sessions(fills, [mark(THU, "10"), mark(FRI, "5")], (), [Split(FRI, "XYZ", Decimal(2), Decimal(1))])

    # Two are covered of the two that one has become.
    assert [side_conflicts(day) for day in days] == [[], []]
    days = account_sessions(fills, [mark(THU, "10"), mark(FRI, "5")])
    assert [side_conflicts(day) for day in days] == [[], [1, 2]]
