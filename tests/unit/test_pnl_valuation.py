"""Which price values an open position at the close, and what happens where there is none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.entities import Fill, Mark
from risk.pnl import DailyPnl, daily_pnl
from risk.pnl.lots import UNIT
from risk.pnl.valuation import Statement, Valuation, Valuer
from risk.sessions import sessions_between

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
        Statement(SESSIONS[0], "XYZ", 3 * UNIT, "USD", None),
        Statement(SESSIONS[5], "XYZ", None, "USD", None),
    ]
    valuer = Valuer(SESSIONS, {(SESSIONS[1], "XYZ"): 4 * UNIT}, statements)

    valued = [valuer.value(session_date, "XYZ", "USD") for session_date in SESSIONS[:8]]

    assert valued == [
        Valuation(UNIT, 3 * UNIT, "marks"),
        Valuation(UNIT, 4 * UNIT, "last_fill"),
        *[Valuation(UNIT, 4 * UNIT, "stale")] * 5,
        Valuation(UNIT, None, None),
    ]


def test_valuation_knows_a_multiplier_only_from_the_session_that_states_it() -> None:
    valuer = Valuer(SESSIONS, {}, [Statement(SESSIONS[3], "/ESU5", None, "USD", 50 * UNIT)])

    multipliers = [valuer.value(session_date, "/ESU5", "USD").multiplier for session_date in SESSIONS[2:5]]

    assert multipliers == [None, 50 * UNIT, 50 * UNIT]


def test_valuation_is_unknown_in_another_currency() -> None:
    valuer = Valuer(SESSIONS, {}, [Statement(SESSIONS[0], "XYZ", 3 * UNIT, "USD", None)])

    assert valuer.value(SESSIONS[0], "XYZ", "CAD") == Valuation(None, None, None)
