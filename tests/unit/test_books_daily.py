"""Daily P&L by the vendor's method; every expected number is worked by hand beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import pytest

from risk.books.session import DailyPnl, daily_pnl
from risk.core.entities import Fill, Mark
from risk.core.errors import InputError

MON, TUE, WED, THU, FRI = (dt.date(2025, 8, day) for day in (4, 5, 6, 7, 8))
NEXT_MON = dt.date(2025, 8, 11)


def fill(
    session_date: dt.date,
    side: str,
    quantity: str,
    price: str,
    *,
    minute: int = 0,
    symbol: str = "XYZ",
    account_id: str = "NET001",
    fees: str = "0",
    currency: str = "USD",
    tie_rank: int = 1,
) -> Fill:
    executed_at = dt.datetime.combine(session_date, dt.time(14, minute), dt.UTC)
    return Fill(
        account_id,
        session_date,
        executed_at,
        tie_rank,
        side,
        Decimal(quantity),
        symbol,
        Decimal(price),
        currency,
        Decimal(fees),
    )


def mark(
    session_date: dt.date,
    price: str | None,
    *,
    symbol: str = "XYZ",
    currency: str = "USD",
    multiplier: str | None = None,
) -> Mark:
    return Mark(
        session_date,
        symbol,
        None if price is None else Decimal(price),
        currency,
        None if multiplier is None else Decimal(multiplier),
    )


def one(days: Iterable[DailyPnl], session_date: dt.date, account_id: str = "NET001") -> DailyPnl:
    [found] = [day for day in days if (day.account_id, day.session_date) == (account_id, session_date)]
    return found


def dollars(*amounts: str | int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


VENDORS_EXAMPLE = [
    fill(MON, "B", "1", "1.00"),
    fill(TUE, "B", "1", "1.10"),
    fill(TUE, "B", "1", "1.05", minute=1),
    fill(WED, "B", "1", "1.15"),
    fill(WED, "B", "1", "1.20", minute=1),
]


@pytest.mark.parametrize(
    ("session_date", "quantity", "realized"),
    [
        # Wednesday's first lot: 1.30 - 1.15
        (WED, "1", "0.15"),
        # On Thursday nothing was opened the same day, so Monday's lot: 1.30 - 1.00
        (THU, "1", "0.30"),
        # 1.15 and 1.20 of Wednesday, then 1.00 of Monday: 0.15 + 0.10 + 0.30
        (WED, "3", "0.55"),
        # All: 5 x 1.30 - (1.00 + 1.10 + 1.05 + 1.15 + 1.20) = 6.50 - 5.50
        (WED, "5", "1.00"),
    ],
)
def test_daily_pnl_closes_intraday_lots_first_when_both_are_open(
    session_date: dt.date, quantity: str, realized: str
) -> None:
    days = daily_pnl([*VENDORS_EXAMPLE, fill(session_date, "S", quantity, "1.30", minute=2)], [])

    assert one(days, session_date).gross_pnl_usd == Decimal(realized)


def test_daily_pnl_marks_the_carried_position_each_session_when_nothing_trades() -> None:
    closes = ["1.00", "1.25", "1.30", "1.15", "1.20"]
    marks = [mark(day, close) for day, close in zip((MON, TUE, WED, THU, FRI), closes, strict=True)]

    # Sold at Friday's close 1.20 less nothing: realized 20, unrealized 20 -> 0
    days = daily_pnl([fill(MON, "B", "100", "1.00"), fill(NEXT_MON, "S", "100", "1.20")], marks)

    assert [day.session_date for day in days] == [MON, TUE, WED, THU, FRI, NEXT_MON]
    assert [day.unrealized_pnl_usd for day in days] == [Decimal(value) for value in (0, 25, 30, 15, 20, 0)]
    assert [day.unrealized_delta_usd for day in days] == [Decimal(value) for value in (0, 25, 5, -15, 5, -20)]
    assert [day.gross_pnl_usd for day in days] == [Decimal(value) for value in (0, 0, 0, 0, 0, 20)]
    assert sum(day.total_pnl_usd or 0 for day in days) == 20


def test_daily_pnl_counts_shorts_and_covers() -> None:
    # The old system took the cash of B and S only: here it would say 0 for a gain of 100 x (12.00 - 11.25).
    days = daily_pnl([fill(MON, "T", "100", "12.00"), fill(MON, "C", "100", "11.25", minute=1)], [])

    assert one(days, MON).gross_pnl_usd == Decimal("75.00")


def test_daily_pnl_flips_the_position_when_a_sale_exceeds_the_long() -> None:
    fills = [
        fill(MON, "B", "100", "10.00"),
        fill(MON, "S", "150", "11.00", minute=1),
        fill(MON, "C", "30", "10.50", minute=2),
    ]

    days = daily_pnl(fills, [mark(MON, "10.80")])

    # 100 x (11 - 10) = 100, then short 50 at 11; cover 30: 30 x (11 - 10.50) = 15; left 20 short: 20 x (11 - 10.80) = 4
    assert one(days, MON).gross_pnl_usd == Decimal(115)
    assert one(days, MON).unrealized_pnl_usd == Decimal(4)


def test_daily_pnl_flips_the_position_when_a_buy_exceeds_the_overnight_short() -> None:
    fills = [fill(MON, "T", "40", "5.00"), fill(TUE, "B", "100", "4.50")]

    days = daily_pnl(fills, [mark(MON, "5.20"), mark(TUE, "4.60")])

    # Monday: 40 x (5.00 - 5.20) = -8. Tuesday: 40 x (5.00 - 4.50) = 20; 60 long at 4.50: 60 x 0.10 = 6, delta 6 - -8
    assert one(days, MON).total_pnl_usd == Decimal(-8)
    tuesday = one(days, TUE)
    assert (tuesday.gross_pnl_usd, tuesday.unrealized_pnl_usd, tuesday.unrealized_delta_usd) == dollars(20, 6, 14)


def test_daily_pnl_lets_the_position_decide_when_a_side_contradicts_it() -> None:
    # C from flat opens a long, T against it closes: 10 x (3.10 - 3.00)
    days = daily_pnl([fill(MON, "C", "10", "3.00"), fill(MON, "T", "10", "3.10", minute=1)], [])

    assert one(days, MON).gross_pnl_usd == Decimal("1.00")


def test_daily_pnl_keeps_the_rest_of_a_lot_when_closes_are_partial() -> None:
    fills = [
        fill(MON, "B", "100", "10.00"),
        fill(MON, "S", "30", "10.10", minute=1),
        fill(MON, "S", "30", "10.20", minute=2),
        fill(MON, "S", "40", "9.90", minute=3),
    ]

    # 30 x 0.10 + 30 x 0.20 - 40 x 0.10 = 3 + 6 - 4
    assert one(daily_pnl(fills, []), MON).gross_pnl_usd == Decimal(5)


def test_daily_pnl_keeps_both_when_two_partial_fills_are_identical() -> None:
    fills = [
        fill(MON, "B", "100", "10.00"),
        fill(MON, "B", "100", "10.00", tie_rank=2),
        fill(MON, "S", "200", "10.01", minute=1),
    ]

    assert one(daily_pnl(fills, []), MON).gross_pnl_usd == Decimal("2.00")


def test_daily_pnl_takes_lines_in_order_when_the_time_is_one() -> None:
    # Bought twice and sold once in one second: the earlier line's lot is closed, 1.30 - 1.00.
    fills = [
        fill(MON, "S", "1", "1.30", tie_rank=3),
        fill(MON, "B", "1", "1.20", tie_rank=2),
        fill(MON, "B", "1", "1.00", tie_rank=1),
    ]

    assert one(daily_pnl(fills, []), MON).gross_pnl_usd == Decimal("0.30")


def test_daily_pnl_takes_a_fill_first_when_its_time_is_unknown() -> None:
    midnight = dt.datetime(2025, 8, 4, 4, 0, tzinfo=dt.UTC)
    fills = [
        fill(MON, "B", "1", "1.20"),
        fill(MON, "S", "1", "1.30", minute=1),
        fill(MON, "B", "1", "1.00", tie_rank=9)._replace(executed_at=midnight),
    ]

    # 00:00 New York is 04:00 UTC: that lot is the oldest, 1.30 - 1.00
    assert one(daily_pnl(fills, []), MON).gross_pnl_usd == Decimal("0.30")


def test_daily_pnl_subtracts_fees_and_adds_rebates() -> None:
    fills = [fill(MON, "B", "10", "2.00", fees="0.35"), fill(MON, "S", "10", "2.10", minute=1, fees="-0.05")]

    # 10 x 0.10 = 1.00 gross, fees 0.35 - 0.05 = 0.30
    monday = one(daily_pnl(fills, []), MON)
    assert (monday.gross_pnl_usd, monday.fees_usd, monday.net_pnl_usd) == dollars("1", "0.30", "0.70")


def test_daily_pnl_shows_a_session_of_fees_alone_as_a_loss() -> None:
    fills = [fill(MON, "B", "10", "2.00", fees="0.35"), fill(MON, "S", "10", "2.00", minute=1, fees="0.35")]

    monday = one(daily_pnl(fills, []), MON)
    assert (monday.gross_pnl_usd, monday.total_pnl_usd) == dollars(0, "-0.70")


def test_daily_pnl_keeps_accounts_and_symbols_apart() -> None:
    fills = [
        fill(MON, "B", "1", "1.00"),
        fill(MON, "S", "1", "5.00", symbol="ABC"),
        fill(MON, "S", "1", "2.00", account_id="NET002"),
    ]

    days = daily_pnl(fills, [])

    assert [(day.account_id, day.gross_pnl_usd) for day in days] == [("NET001", Decimal(0)), ("NET002", Decimal(0))]


def test_daily_pnl_multiplies_by_a_hundred_when_the_symbol_is_an_option() -> None:
    # (1.75 - 1.50) x 2 contracts x 100, padded and compact
    for symbol in ("AAPL  250117C00150000", "AAPL250117P00150000"):
        fills = [fill(MON, "B", "2", "1.50", symbol=symbol), fill(MON, "S", "2", "1.75", minute=1, symbol=symbol)]
        assert one(daily_pnl(fills, []), MON).gross_pnl_usd == Decimal(50)


def test_daily_pnl_uses_the_multiplier_a_mark_gives() -> None:
    fills = [fill(MON, "B", "1", "5000.25", symbol="/ESU5"), fill(TUE, "S", "1", "5001.00", symbol="/ESU5")]

    days = daily_pnl(fills, [mark(MON, "5000.50", symbol="/ESU5", multiplier="50")])

    # Monday 0.25 x 50; Tuesday realized 0.75 x 50 = 37.50 less Monday's 12.50
    assert one(days, MON).total_pnl_usd == Decimal("12.50")
    assert one(days, TUE).total_pnl_usd == Decimal(25)


@pytest.mark.parametrize("symbol", ["/ESU5", "@CRUDE"])
def test_daily_pnl_is_unknown_when_a_contract_has_no_multiplier(symbol: str) -> None:
    fills = [fill(MON, "B", "1", "5000", symbol=symbol), fill(MON, "S", "1", "5001", minute=1, symbol=symbol, fees="2")]

    monday = one(daily_pnl(fills, []), MON)

    assert (monday.gross_pnl_usd, monday.net_pnl_usd, monday.total_pnl_usd) == (None, None, None)
    assert monday.fees_usd == 2


def test_daily_pnl_is_unknown_when_a_fill_is_not_in_dollars() -> None:
    fills = [
        fill(MON, "B", "1", "5", currency="CAD"),
        fill(TUE, "S", "1", "6", currency="CAD"),
        fill(WED, "B", "1", "4"),
    ]

    days = daily_pnl(fills, [mark(WED, "4.50")])

    assert [day.total_pnl_usd for day in days] == [None, None, Decimal("0.50")]


def test_daily_pnl_carries_the_change_over_when_a_multiplier_differs() -> None:
    fills = [fill(MON, "B", "1", "10", symbol="/X"), fill(WED, "S", "1", "12", symbol="/X")]
    marks = [
        mark(MON, "10", symbol="/X", multiplier="50"),
        mark(TUE, "11", symbol="/X", multiplier="20"),
        mark(WED, "12", symbol="/X"),
    ]

    days = daily_pnl(fills, marks)

    # Monday's value in units of 50 and Tuesday's in units of 20 do not subtract; Wednesday: (12 - 11) x 20
    assert [day.total_pnl_usd for day in days] == [0, None, 20]


def test_daily_pnl_is_empty_without_fills() -> None:
    assert daily_pnl([], [mark(MON, "1")]) == []


def test_daily_pnl_is_the_same_when_fills_arrive_in_another_order() -> None:
    fills = [*VENDORS_EXAMPLE, fill(THU, "T", "7", "1.30"), fill(FRI, "C", "1", "1.25")]

    assert daily_pnl(fills, []) == daily_pnl(reversed(fills), [])


def test_daily_pnl_refuses_a_price_of_nine_decimal_places() -> None:
    with pytest.raises(InputError, match="at most 8 decimal places"):
        daily_pnl([fill(MON, "B", "1", "1.000000001")], [])
