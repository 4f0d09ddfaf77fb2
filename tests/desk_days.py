"""Fills of a desk written by hand, as arrays and as rows, for the tests of patterns between traders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from risk.core.entities import Fill
from risk.desk.executions import DeskFills

SESSION = dt.date(2025, 8, 15)
NOON = int(dt.datetime(2025, 8, 15, 16, tzinfo=dt.UTC).timestamp())
ROUTES = ("ARCA", "IEX")
UNIT = 10**8


class Trade(NamedTuple):
    """One fill; ``second`` counts from noon in New York, the sign of ``shares`` is its side."""

    account: str
    symbol: str
    second: int
    shares: int = 100
    cents: int = 1000
    route: str | None = "ARCA"
    session: int = 0


def clock(account: str = "ZZZ", sessions: Sequence[int] = (0,)) -> list[Trade]:
    """Let an account trade one of 60 symbols every 10 seconds from 10:00 to 14:00: an even day."""
    return [
        Trade(account, f"OWN{account}{number % 60}", 10 * number, 100, session=session)
        for session in sessions
        for number in range(-720, 721)
    ]


def desk(trades: Sequence[Trade], volumes: dict[str, float] | None = None, session_count: int = 1) -> DeskFills:
    accounts, symbols = (tuple(sorted({trade[place] for trade in trades})) for place in (0, 1))
    volume = [(volumes or {}).get(symbol, np.nan) for symbol in symbols]
    places = {name: place for place, name in enumerate(accounts)}
    return DeskFills(
        tuple(SESSION + dt.timedelta(days=day) for day in range(session_count)), accounts, symbols, ROUTES,
        session=np.array([trade.session for trade in trades], np.int64),
        account=np.array([places[trade.account] for trade in trades], np.int64),
        symbol=np.array([symbols.index(trade.symbol) for trade in trades], np.int64),
        route=np.array([ROUTES.index(one) if (one := trade.route) else -1 for trade in trades], np.int64),
        second=np.array([NOON + 86_400 * trade.session + trade.second for trade in trades], np.int64),
        sign=np.array([1 if trade.shares > 0 else -1 for trade in trades], np.int64),
        quantity=np.array([abs(trade.shares) * UNIT for trade in trades], np.int64),
        price=np.array([trade.cents * UNIT // 100 for trade in trades], np.int64),
        volumes=np.tile(np.array(volume, np.float64), (session_count, 1)),
    )  # fmt: skip


def execution(
    account: str, side: str, second: int, symbol: str = "XYZ", day: dt.date = SESSION, price: str = "10"
) -> Fill:
    executed_at = dt.datetime.combine(day, dt.time(15), dt.UTC) + dt.timedelta(seconds=second)
    return Fill(
        account, day, executed_at, second + 20_000, side, Decimal(100), symbol, Decimal(price), "USD", Decimal(0)
    )


def crossings(day: dt.date, count: int) -> list[Fill]:
    """Let NET001 buy what NET005 sells, in as many symbols; a third account trades every minute."""
    sides = [("NET001", "B"), ("NET005", "S")]
    return [
        *(execution(name, side, 400 * n, f"S{n}", day) for n in range(count) for name, side in sides),
        *(execution("NET009", "BS"[n % 2], 60 * n, "OWN", day) for n in range(-60, 120)),
    ]
