"""Opening-gap stress against sums worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from risk.core.calendar import sessions_between
from risk.desk.gap_stress import (
    FILLS,
    MARKS,
    MOVES,
    SIZES,
    CarriedPosition,
    GapStress,
    SymbolPrice,
    UnderlyingStress,
    past_gaps,
    stress,
)
from risk.limits.in_force import BASE, LimitInForce

DAYS = sessions_between(dt.date(2025, 8, 4), dt.date(2025, 8, 8))
FRI = DAYS[-1]
CALL, PUT = "XYZ   250919C00110000", "XYZ   250919P00090000"
DOWN, UP = Decimal("-0.10"), Decimal("0.10")


def held(symbol: str, quantity: str, mark: str | None, **changes: Any) -> CarriedPosition:
    multiplier = Decimal(100 if len(symbol) == 21 else 1)
    plain = CarriedPosition(
        symbol, "USD", Decimal(quantity), Decimal(1), multiplier, None if mark is None else Decimal(mark), MARKS,
        Decimal(1), Decimal(0),
    )  # fmt: skip
    return plain._replace(**changes)


def closed(day: dt.date, price: str, symbol: str = "XYZ") -> SymbolPrice:
    return SymbolPrice(day, symbol, MARKS, "USD", Decimal(price), None, has_split=False)


def traded(day: dt.date, first: str | None, last: str, symbol: str = "XYZ", **changes: Any) -> SymbolPrice:
    opened = None if first is None else Decimal(first)
    return SymbolPrice(day, symbol, FILLS, None, Decimal(last), opened, has_split=False)._replace(**changes)


def only(positions: list[CarriedPosition], prices: list[SymbolPrice] | None = None) -> UnderlyingStress:
    [found] = stress(positions, prices or [], FRI)
    return found


def test_short_shares_lose_when_the_symbol_opens_higher() -> None:
    found = only([held("XYZ", "-300", "50.00")])

    # 300 x 50.00 = 15,000: 5, 10 and 20 % of it, lost upward.
    assert [found.pnl_usd[move] for move in MOVES] == [3000, 1500, 750, -750, -1500, -3000]
    assert [found.loss_usd(size) for size in SIZES] == [750, 1500, 3000]


def test_long_call_below_its_strike_loses_its_whole_mark_and_no_more() -> None:
    # 5 calls at 110 for 2.40 on 100.00: worth 5 x 100 x 2.40 = 1,200.
    found = only([held(CALL, "5", "2.40")], [closed(FRI, "100.00")])

    # At 80, 90, 95, 105 and 110 they end worthless; at 120 each is worth 10.00: 5 x 100 x (10.00 - 2.40) = 3,800.
    assert [found.pnl_usd[move] for move in MOVES] == [-1200, -1200, -1200, -1200, -1200, 3800]
    assert [found.loss_usd(size) for size in SIZES] == [1200, 1200, 1200]


def test_short_put_loses_its_intrinsic_value_less_its_mark_times_the_multiplier() -> None:
    # 2 puts at 90, sold, marked 1.50, on 100.00: at 80.00 each costs 10.00, so -2 x 100 x (10.00 - 1.50) = -1,700.
    found = only([held(PUT, "-2", "1.50")], [closed(FRI, "100.00")])

    assert found.pnl_usd[Decimal("-0.20")] == -1700
    # At 90.00 and above they are worth nothing: the 300 received stay.
    assert [found.pnl_usd[move] for move in (DOWN, UP)] == [300, 300]
    assert (found.loss_usd(SIZES[1]), found.loss_usd(SIZES[2])) == (0, 1700)


def test_shares_and_options_of_one_underlying_move_together() -> None:
    # A covered call: 100 shares at 100.00 and a call at 110 sold, marked 2.40.
    found = only([held("XYZ", "100", "100.00"), held(CALL, "-1", "2.40")])

    # -20 %: -2,000 + 240. +20 %: +2,000 - 100 x (10.00 - 2.40) = +1,240.
    assert (found.pnl_usd[Decimal("-0.20")], found.pnl_usd[Decimal("0.20")]) == (-1760, 1240)
    assert found.underlying == "XYZ"


def test_share_class_with_a_separator_is_the_underlying_of_its_options() -> None:
    found = only([held("BRK/B", "100", "400.00"), held("BRKB  250919P00380000", "1", "3.00")])

    # -10 %: -4,000 + 100 x (20.00 - 3.00).
    assert found.pnl_usd[DOWN] == -2300


def test_foreign_currency_counts_at_the_sessions_rate_and_a_future_with_its_multiplier() -> None:
    shop = held("SHOP.TO", "200", "150.00", currency="CAD", rate=Decimal("0.73"))
    mini = held("/ESU5", "-2", "6400.00", multiplier=Decimal(50))

    found = {one.underlying: one for one in stress([shop, mini], [], FRI)}

    # 200 x 150.00 x 10 % = 3,000 CAD = 2,190 USD; 2 x 50 x 6,400 x 10 % = 64,000.
    assert found["SHOP.TO"].pnl_usd[DOWN] == -2190
    assert found["/ESU5"].pnl_usd[UP] == -64000
    assert list(found) == ["/ESU5", "SHOP.TO"]


def test_past_gaps_are_first_fills_against_the_close_before() -> None:
    mon, tue, wed, thu, fri = DAYS
    prices = [
        closed(mon, "100.00"),
        traded(mon, "99.00", "100.50"),
        # -4 % against the mark, not against the last fill.
        traded(tue, "96.00", "98.00"),
        # +5 % against Tuesday's last fill, for want of a mark.
        traded(wed, "102.90", "100.00"),
        # A split of Thursday: its prices do not follow from Wednesday's.
        traded(thu, "50.00", "50.00", has_split=True),
        # The first fill came too late to be an opening.
        traded(fri, None, "40.00"),
    ]

    found = past_gaps(prices)

    assert [tuple(gap) for gap in found] == [(tue, Decimal("-0.04"), MARKS), (wed, Decimal("0.05"), FILLS)]


def test_worst_past_gap_is_the_one_that_costs_these_positions_most() -> None:
    mon, tue, wed, *_ = DAYS
    prices = [closed(mon, "100.00"), traded(tue, "96.00", "98.00"), traded(wed, "102.90", "100.00")]

    short, long = only([held("XYZ", "-10", "90.00")], prices), only([held("XYZ", "10", "90.00")], prices)

    # 900 x 5 % and 900 x 4 %.
    assert (short.worst_usd, short.worst and short.worst.session_date) == (Decimal("-45.00"), wed)
    assert (long.worst_usd, long.worst and long.worst.session_date) == (Decimal("-36.00"), tue)
    assert len(short.gaps) == 2


def test_session_without_prices_between_two_makes_no_gap() -> None:
    mon, _, wed, *_ = DAYS

    assert past_gaps([closed(mon, "100.00"), traded(wed, "50.00", "50.00")]) == []
    assert past_gaps([]) == []


def test_prices_in_another_currency_are_not_the_symbols() -> None:
    mon, tue, *_ = DAYS
    prices = [closed(mon, "100.00")._replace(currency="CAD"), traded(tue, "50.00", "50.00")]

    assert only([held("XYZ", "1", "10.00")], prices).gaps == []


@pytest.mark.parametrize(
    ("position", "missing"),
    [
        (held("XYZ", "1", None), "No mark, multiplier or rate for XYZ"),
        (held("/ESU5", "1", "6400", multiplier=None), "No mark, multiplier or rate for /ESU5"),
        (held("SHOP.TO", "1", "9", rate=None), "No mark, multiplier or rate for SHOP.TO"),
        # The underlying's close of Thursday is not that of Friday.
        (held(CALL, "1", "2.40"), "No closing price of XYZ for its options"),
    ],
)
def test_positions_without_a_price_are_named_and_not_zero(position: CarriedPosition, missing: str) -> None:
    found = only([position], [closed(DAYS[3], "100.00")])

    assert found.unknown_reason.startswith(missing)
    assert found.pnl_usd == {}


def test_use_is_the_loss_of_every_underlying_against_the_trader_over_the_limit() -> None:
    positions = [held("AAA", "100", "50.00"), held("BBB", "-100", "30.00"), held("CCC", "1", None)]
    limit = LimitInForce(Decimal(4000), BASE, 0, None)

    found = GapStress(FRI, limit, stress(positions, [], FRI))

    # Alike, the short hedges the long: 20 % of 5,000 - 3,000. Against him both lose: 1,000 + 600.
    assert (found.total_usd(Decimal("-0.20")), found.total_usd(Decimal("0.20"))) == (-400, 400)
    assert (found.loss_usd(SIZES[2]), found.use_ratio(SIZES[2])) == (1600, Decimal("0.4"))
    assert [one.underlying for one in found.unknown] == ["CCC"]


def test_use_of_a_limit_of_zero_is_not_a_number() -> None:
    assert GapStress(FRI, LimitInForce(Decimal(0), BASE, 0, None), []).use_ratio(SIZES[0]) is None


def test_account_without_positions_has_no_stress() -> None:
    assert stress([], [], FRI) == []
