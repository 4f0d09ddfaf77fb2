"""How an account traded in a session; every expected number is worked by hand beside it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.books.behavior import TradingBehavior
from risk.books.session import account_sessions
from risk.core.entities import Fill, Mark
from risk.core.exchange import exchange_zone

MON, TUE, HALF_DAY = dt.date(2025, 8, 4), dt.date(2025, 8, 5), dt.date(2025, 7, 3)
USD: int = 10**32


def fill(clock: str, signed_quantity: int, price: str, symbol: str = "XYZ", day: dt.date = MON) -> Fill:
    at = dt.datetime.combine(day, dt.time.fromisoformat(clock), exchange_zone())
    side = "B" if signed_quantity > 0 else "S"
    return Fill("A", day, at, 1, side, Decimal(abs(signed_quantity)), symbol, Decimal(price), "USD", Decimal(0))


def behaviors(*fills: Fill, marks: tuple[Mark, ...] = ()) -> list[TradingBehavior]:
    return [day.behavior for day in account_sessions(fills, marks)]


def test_a_fill_adds_to_a_loser_when_it_adds_below_what_was_paid() -> None:
    [found] = behaviors(
        fill("10:00", 100, "10.00"),
        fill("10:01", 100, "10.00"),  # at cost: no loss
        fill("10:02", 100, "9.50"),  # 200 x 9.50 < 2,000: adds to a loser
        fill("10:03", 100, "9.90"),  # 300 x 9.90 = 2,970 > 2,950: a gain by now
        fill("10:04", -50, "9.00"),  # reduces
        fill("10:05", 1, "9.00"),  # 350 x 9.00 = 3,150 < 3,940 - 450 = 3,490: adds to a loser
    )
    assert found.adds_to_loser_count == 2


def test_a_short_that_is_sold_into_a_rise_adds_to_a_loser() -> None:
    [found] = behaviors(fill("10:00", -100, "10.00"), fill("10:01", -100, "10.01"), fill("10:02", 200, "10.02"))
    assert found.adds_to_loser_count == 1


def test_what_was_lost_before_a_position_was_flat_or_flipped_is_forgotten() -> None:
    [found] = behaviors(
        fill("10:00", 100, "10.00"),
        fill("10:01", -100, "9.00"),  # flat, 100 lost
        fill("10:02", 100, "9.00"),
        fill("10:03", 100, "9.10"),  # the new position gains
        fill("10:04", -300, "9.00"),  # flips to short 100 at 9.00
        fill("10:05", -100, "8.90"),  # gains too
    )
    assert found.adds_to_loser_count == 0


def test_a_carried_position_counts_from_its_opening_price() -> None:
    marks = (Mark(MON, "XYZ", Decimal("8.00"), "USD", None),)
    _, tuesday = behaviors(fill("15:59", 100, "10.00"), fill("10:00", 100, "9.00", day=TUE), marks=marks)
    assert tuesday.adds_to_loser_count == 1


def test_early_and_late_gains_are_those_at_the_last_fill_before_the_hour() -> None:
    [found] = behaviors(
        fill("09:31", 100, "10.00"),
        fill("10:29", -50, "10.40"),  # 10:29: 520 - 1,000 + 50 x 10.40 = +40
        fill("11:00", -50, "10.20"),  # 30 in all
        fill("15:00", 10, "10.00"),
        fill("15:59", -10, "9.30"),  # 7 lost from 15:00 on
    )
    assert (found.early, found.late) == (40 * USD, -7 * USD)


def test_the_last_hour_of_a_half_day_begins_at_noon() -> None:
    [found] = behaviors(
        fill("11:58", 10, "10.00", day=HALF_DAY),
        fill("11:59", -10, "11.00", day=HALF_DAY),
        fill("12:00", 10, "10.00", day=HALF_DAY),
        fill("12:01", -10, "9.00", day=HALF_DAY),
    )
    assert (found.early, found.late) == (0, -10 * USD)


def test_an_early_gain_of_a_carried_position_begins_at_the_last_mark() -> None:
    marks = (Mark(MON, "XYZ", Decimal("12.00"), "USD", None),)
    monday, tuesday = behaviors(fill("15:59", 100, "10.00"), fill("09:30", -100, "12.50", day=TUE), marks=marks)
    # 100 x (12.50 - 12.00), not the 2.00 a share of the day before
    assert tuesday.early == 50 * USD
    assert (monday.overnight, tuesday.overnight) == (1200 * USD, 0)


@pytest.mark.parametrize(("symbol", "later"), [("XYZ", dt.date(2025, 8, 13)), ("/ESU5", TUE)])
def test_an_early_gain_counts_from_the_cost_where_the_last_value_is_unknown(symbol: str, later: dt.date) -> None:
    # No price of XYZ in the five sessions before, and no multiplier of the future until it is sold.
    marks = (Mark(later, "/ESU5", None, "USD", Decimal(1)),)
    fills = (fill("15:59", 100, "10.00", symbol), fill("09:30", -100, "12.50", symbol, later))
    *_, before, last = behaviors(*fills, marks=marks)

    assert (before.overnight, last.early) == (None, 250 * USD)


def test_holding_is_the_time_a_dollar_was_held() -> None:
    [found] = behaviors(
        fill("10:00:00", 100, "10.00"),
        fill("10:00:30", -50, "10.00"),
        fill("10:01:30", -50, "10.00"),
        fill("10:00:00", 300, "10.00", symbol="ABC"),
        fill("10:00:10", -300, "10.00", symbol="ABC"),
    )
    # 500 for 30 s, 500 for 90 s, 3,000 for 10 s: 90,000 dollar seconds for 4,000 dollars = 22.5 s
    assert found.holding_seconds == 22


def test_a_carried_position_is_held_from_the_open_and_until_the_close() -> None:
    monday, tuesday = behaviors(fill("15:00", 10, "10.00"), fill("10:30", -10, "10.00", day=TUE))
    # an hour until 16:00, an hour from 09:30, over half of the turnover of 100 each
    assert (monday.holding_seconds, tuesday.holding_seconds) == (7200, 7200)


def test_concentration_is_the_sum_of_squared_shares_in_turnover() -> None:
    [found] = behaviors(
        fill("10:00", 30, "10.00"), fill("10:01", -30, "10.00"), fill("10:00", 10, "10.00", "ABC"),
        fill("10:01", -10, "10.00", "ABC"),
    )  # fmt: skip
    # 0.75^2 + 0.25^2 = 0.625
    assert found.concentration == 625_000


@pytest.mark.parametrize("clock", ["00:00", "00:00:00"])
def test_without_a_time_of_day_only_what_needs_none_is_known(clock: str) -> None:
    [found] = behaviors(fill(clock, 100, "10.00"), fill("10:01", 100, "9.00"))
    assert found == TradingBehavior(None, None, None, 1, 1_000_000, 200 * 9 * USD)


def test_what_is_kept_overnight_counts_long_and_short_alike() -> None:
    [found] = behaviors(fill("10:00", -30, "10.00"), fill("10:00", 20, "4.00", symbol="ABC"))
    assert found.overnight == (300 + 80) * USD


def test_without_a_multiplier_no_value_is_known() -> None:
    future, others = fill("10:00", 1, "5000", symbol="/ESU5"), (fill("10:00", 9, "10.00"), fill("10:01", -8, "11.00"))
    # of the account, whatever is known of its other symbols
    assert behaviors(future) == behaviors(future, *others) == [TradingBehavior(None, None, None, 0, None, None)]


def test_a_session_in_which_a_position_is_only_carried_has_no_behavior_but_its_exposure() -> None:
    marks = tuple(Mark(day, "XYZ", Decimal("8.00"), "USD", None) for day in (MON, TUE))
    _, tuesday = behaviors(fill("10:00", 100, "10.00"), marks=marks)
    assert tuesday == TradingBehavior(None, None, None, 0, None, 800 * USD)
