"""Simulated sessions of fills for ``python -m bench desk``: innocent ones, and ones with planted patterns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.desk.executions import ORDER_GAP_SECONDS, DeskFills, IntVector
from simulation.law import stream
from simulation.market import SYMBOLS, draw_closes, draw_day
from simulation.trips import draw_fills
from simulation.truth import Truth, draw
from simulation.writing import ROUTES

WINDOW_SESSIONS = 5
OPENS, CLOSES = 9.5 * 3600, 16 * 3600
HOT_SYMBOLS, HOT_SHARE = 3, 0.6
NEWS_SECONDS, NEWS_TRIPS = 1800, 6
UNIT = 10**8


@dataclass(frozen=True)
class Day:
    """Fills of one session, times in seconds of the day; the arrays as in `DeskFills`."""

    account: IntVector
    symbol: IntVector
    second: IntVector
    sign: IntVector
    quantity: IntVector
    price: IntVector
    route: IntVector
    volumes: NDArray[np.float64]

    def with_fills(self, rows: Sequence[tuple[int, int, int, int, int, int, int]]) -> Day:
        """Add fills: account, symbol, second, sign, quantity, price, route."""
        names = ("account", "symbol", "second", "sign", "quantity", "price", "route")
        added = zip(names, np.array(rows, np.int64).reshape(-1, len(names)).T, strict=True)
        return replace(self, **{name: np.concatenate((getattr(self, name), values)) for name, values in added})


class Desk:
    """A simulated desk whose sessions are drawn as they are asked for.

    Parameters
    ----------
    kind
        ``null``: traders with symbols of their own; ``hot``: most of their trades are in the same three symbols of the
        day; ``news``: most of them trade one symbol in the same half hour.
    """

    def __init__(self, kind: str, traders: int, sessions: int, seed: int) -> None:
        self.kind, self.seed = kind, seed
        self.truth: Truth = draw("null", traders, sessions, seed)
        self._closes = draw_closes(sessions, seed)
        self.days: list[Day] = [self._draw(row) for row in range(sessions)]

    def _draw(self, row: int) -> Day:
        draws = stream(self.seed, 7, row)
        market = draw_day(self.truth.session_dates[row], self._closes[row], self._closes[row + 1], draws)
        volumes = draws.integers(1_000_000, 60_000_000, len(SYMBOLS)).astype(np.float64)
        fills = draw_fills(self.truth, row, market, draws)
        sign = np.where(fills.is_long == fills.is_entry, 1, -1)
        symbol = fills.symbol
        if self.kind == "hot":
            symbol = self._into_hot_symbols(fills.account, symbol, draws)
        route = fills.order % len(ROUTES)
        day = Day(fills.account, symbol, fills.second, sign, fills.quantity * UNIT, fills.price, route, volumes)
        return self._with_news(day, row, draws) if self.kind == "news" else day

    def _into_hot_symbols(self, account: IntVector, symbol: IntVector, draws: np.random.Generator) -> IntVector:
        """Move the trades of an account in a symbol, together, into one of three symbols."""
        pairs, inverse = np.unique(account * len(SYMBOLS) + symbol, return_inverse=True)
        hot = draws.choice(len(SYMBOLS), HOT_SYMBOLS, replace=False)[draws.integers(0, HOT_SYMBOLS, len(pairs))]
        moved: IntVector = np.where(draws.random(len(pairs)) < HOT_SHARE, hot, pairs % len(SYMBOLS))[inverse]
        return moved

    def _with_news(self, day: Day, row: int, draws: np.random.Generator) -> Day:
        symbol, starts = int(draws.integers(len(SYMBOLS))), int(draws.uniform(OPENS, CLOSES - NEWS_SECONDS))
        rows = []
        for account in np.flatnonzero(self.truth.is_active[row]).tolist():
            for begin in draws.integers(0, NEWS_SECONDS, draws.poisson(NEWS_TRIPS)).tolist():
                sign, held, price = (
                    int(draws.choice((-1, 1))),
                    int(draws.exponential(240)),
                    int(draws.integers(5000, 5100)),
                )
                route = int(draws.integers(len(ROUTES)))
                for second, side in ((starts + begin, sign), (starts + begin + held, -sign)):
                    rows.append((account, symbol, second, side, 100 * UNIT, price * UNIT // 100, route))
        return day.with_fills(rows)

    def window(self, last: int, changed: dict[int, Day] | None = None) -> DeskFills:
        """Put the five sessions through one together; some of them changed."""
        rows = range(max(last - WINDOW_SESSIONS + 1, 0), last + 1)
        days = [(changed or {}).get(row, self.days[row]) for row in rows]
        midnights = [
            int(dt.datetime.combine(self.truth.session_dates[row], dt.time(5), dt.UTC).timestamp()) for row in rows
        ]
        return DeskFills(
            tuple(self.truth.session_dates[row] for row in rows), self.truth.account_ids, SYMBOLS, ROUTES,
            session=np.repeat(np.arange(len(days)), [len(day.second) for day in days]),
            account=np.concatenate([day.account for day in days]),
            symbol=np.concatenate([day.symbol for day in days]),
            route=np.concatenate([day.route for day in days]),
            second=np.concatenate([day.second + start for day, start in zip(days, midnights, strict=True)]),
            sign=np.concatenate([day.sign for day in days]),
            quantity=np.concatenate([day.quantity for day in days]),
            price=np.concatenate([day.price for day in days]),
            volumes=np.stack([day.volumes for day in days]),
        )  # fmt: skip


def active(desk: Desk, rows: Sequence[int]) -> list[int]:
    """List the accounts that trade in all of some sessions."""
    return [int(one) for one in np.flatnonzero(desk.truth.is_active[list(rows)].all(axis=0))]


def moments(draws: np.random.Generator, count: int) -> list[int]:
    """Draw instants of the regular hours, at least ten minutes apart, in seconds of the day."""
    slots = np.sort(draws.choice(int((CLOSES - OPENS) // 900) - 1, count, replace=False))
    return (OPENS + 900 * slots + draws.integers(0, 300, count)).astype(int).tolist()


def plant_ring(day: Day, ring: Sequence[int], count: int, draws: np.random.Generator) -> Day:
    """Let two of a ring trade against each other within 20 seconds, at prices and sizes of their own."""
    rows = []
    for second in moments(draws, count):
        buyer, seller = draws.permutation(ring)[:2].tolist()
        symbol, quantity = int(draws.integers(len(SYMBOLS))), int(draws.integers(1, 20)) * 100 * UNIT
        for account, sign in ((buyer, 1), (seller, -1)):
            rows.append((account, symbol, second + int(draws.integers(0, 20)), sign, quantity, 37 * UNIT, account % 6))
    return day.with_fills(rows)


def plant_self_trades(day: Day, pair: Sequence[int], count: int, draws: np.random.Generator) -> Day:
    """Let two accounts trade against each other to the letter, in the symbol that the market trades least."""
    symbol, rows = int(day.volumes.argmin()), []
    for second in moments(draws, count):
        price, quantity = int(draws.integers(1000, 9000)) * UNIT // 100, int(draws.integers(1, 20)) * 100 * UNIT
        rows += [
            (account, symbol, second, sign, quantity, price, 2) for account, sign in zip(pair, (1, -1), strict=True)
        ]
    return day.with_fills(rows)


def plant_crowd(day: Day, crowd: Sequence[int], count: int, draws: np.random.Generator) -> Day:
    """Let a crowd buy or sell a symbol within 90 seconds of each other."""
    rows = []
    for second in moments(draws, count):
        symbol, sign = int(draws.integers(len(SYMBOLS))), int(draws.choice((-1, 1)))
        seconds = (second + draws.integers(0, 90, len(crowd))).tolist()
        rows += [(one, symbol, at, sign, 300 * UNIT, 41 * UNIT, 1) for one, at in zip(crowd, seconds, strict=True)]
    return day.with_fills(rows)


def plant_copies(day: Day, pair: Sequence[int], count: int, draws: np.random.Generator) -> Day:
    """Let the first of a pair repeat orders of the second about 40 seconds later, at half the size."""
    follower, leader = pair
    own = _first_fills(day, leader)
    rows = []
    for place in draws.choice(own, min(count, len(own)), replace=False).tolist():
        lag = 40 + int(draws.integers(-8, 9))
        what = (day.second[place] + lag, day.sign[place], max(day.quantity[place] // 2, 1), day.price[place], 3)
        rows.append((follower, day.symbol[place], *map(int, what)))
    return day.with_fills(rows)


def _first_fills(day: Day, account: int) -> IntVector:
    """List the fills of an account that begin an order: none of the same symbol and side within a minute before."""
    own = np.flatnonzero(day.account == account)
    by_lane = own[np.lexsort((day.second[own], day.sign[own], day.symbol[own]))]
    is_same = (np.diff(day.symbol[by_lane]) == 0) & (np.diff(day.sign[by_lane]) == 0)
    is_first = np.append(True, ~is_same | (np.diff(day.second[by_lane]) >= ORDER_GAP_SECONDS))
    return by_lane[is_first[: len(by_lane)]]
