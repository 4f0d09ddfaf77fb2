"""Drawn account-sessions for the proof of receipts, and a second method that judges them by brute force.

The oracle knows no steps and keeps no state: for every instant it adds up cash and market value of all trades until
then, looks the limit up in the whole list, and asks each definition anew. In fractions, in cents.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from risk.core.calendar import session_close, session_open
from risk.limits.in_force import PUBLISHED, LimitInForce
from risk.limits.receipts import (
    AT_CLOSE,
    AT_FILL,
    AT_LIMIT_CHANGE,
    BEYOND_TOLERANCE,
    BREACH_REASONS,
    BY_GAP,
    NO_TRADING,
    NOT_FLAT,
    TRADED_ON,
    ReceiptTerms,
    SessionPath,
    Step,
)

DAY = dt.date(2025, 8, 4)
SYMBOLS = ("AAA", "BBB", "CCC")
SHIPPED_TERMS = ReceiptTerms(Decimal("0.10"), 10, equal_counts=True, has_fees=True)
Limits = Sequence[tuple[dt.datetime, LimitInForce]]


class Trade(NamedTuple):
    """A fill: signed quantity, price and fee."""

    at: dt.datetime
    symbol: str
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True)
class Day:
    """An account's day: what it carried in (quantity and previous mark), its trades, the closing marks, the limits."""

    carried: Mapping[str, tuple[Decimal, Decimal]]
    trades: Sequence[Trade]
    marks: Mapping[str, Decimal]
    limits: Limits

    def pnl(self, count: int, *, at_marks: bool = False) -> Decimal:
        """Add up cash and market value after some trades; what was carried in is what it was worth."""
        done = self.trades[:count]
        cash = -sum((one.quantity * one.price + one.fee for one in done), Decimal(0))
        total = cash
        for symbol in SYMBOLS:
            quantity, price = self.carried.get(symbol, (Decimal(0), Decimal(0)))
            total -= quantity * price
            own = [one for one in done if one.symbol == symbol]
            held = quantity + sum((one.quantity for one in own), Decimal(0))
            if own:
                price = own[-1].price
            total += held * (self.marks[symbol] if at_marks else price)
        return total

    def held(self, symbol: str, count: int) -> Decimal:
        """Return what is held after some trades."""
        own = (one.quantity for one in self.trades[:count] if one.symbol == symbol)
        return self.carried.get(symbol, (Decimal(0),))[0] + sum(own, Decimal(0))

    def path(self) -> SessionPath:
        """Lay the day out as the product reads it."""
        steps = []
        for number, one in enumerate(self.trades):
            has_traded = any(other.symbol == one.symbol for other in self.trades[:number])
            steps.append(
                Step(
                    one.at, False, one.symbol, one.price, one.quantity, self.held(one.symbol, number),
                    one.symbol in self.carried and not has_traded, one.fee, self.pnl(number + 1) - self.pnl(number),
                )
            )  # fmt: skip
        carried = {symbol: quantity for symbol, (quantity, _) in self.carried.items()}
        return SessionPath(steps, carried, session_close(DAY), self.pnl(len(self.trades), at_marks=True))


def limit(amount: Decimal | int, since: dt.datetime | None = None) -> LimitInForce:
    return LimitInForce(Decimal(amount), PUBLISHED, 1, since)


def draw_day(dice: random.Random) -> Day:
    """Draw a day around a limit of a few hundred dollars; amounts are round, so that equality happens."""
    opening = session_open(DAY)
    carried = {
        symbol: (Decimal(dice.choice((-20, -10, 10, 30))), Decimal(dice.randint(18, 22)))
        for symbol in SYMBOLS
        if dice.random() < 0.3
    }
    trades: list[Trade] = []
    minute = 0
    for _ in range(dice.randint(0, 12)):
        minute += dice.choice((0, 1, 3, 8, 20, 45))
        symbol = dice.choice(SYMBOLS)
        held = carried.get(symbol, (Decimal(0),))[0] + sum(
            (one.quantity for one in trades if one.symbol == symbol), Decimal(0)
        )
        quantity = -held if held and dice.random() < 0.4 else Decimal(dice.choice((-20, -10, 10, 20)))
        price = Decimal(dice.randint(150, 250)) / 10
        fee = Decimal(dice.choice((0, 0, 1))) / 100
        trades.append(Trade(opening + dt.timedelta(minutes=minute), symbol, quantity, price, fee))
    marks = {symbol: Decimal(dice.randint(150, 250)) / 10 for symbol in SYMBOLS}
    limits = [(opening, limit(dice.choice((20, 40, 60, 100, 1000))))]
    at = 0
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        at += dice.randint(1, 120)
        amount = dice.choice([one for one in (0, 10, 30, 50, 80, 200) if one != limits[-1][1].limit_usd])
        instant = opening + dt.timedelta(minutes=at)
        limits.append((instant, limit(amount, instant)))
    return Day(carried, trades, marks, limits)


def judge(day: Day, terms: ReceiptTerms = SHIPPED_TERMS) -> dict[str, Any]:
    """Judge a day by brute force: the first crossing, and every reason for a breach."""
    points = _points(day)
    reached = [_reaches(point, terms) for point in points]
    excused = [_is_excused(points, reached, number) for number in range(len(points))]
    forbidden = [point.trade is not None and point.limit == 0 and _enlarges(day, point.trade) for point in points]
    crossings = [number for number in range(len(points)) if reached[number] and not excused[number]]
    hits = [
        number
        for number, point in enumerate(points)
        if (reached[number] and not excused[number]) or forbidden[number] or (point.is_change and reached[number])
    ]
    losses = [Fraction(0), *(-Fraction(point.pnl) for point in points)]
    found: dict[str, Any] = {"largest_loss_usd": max(losses), "reasons": (), "kind": None}
    if not hits:
        return found
    first = hits[0]
    later = [point for point in points[first + 1 :] if point.trade is not None and _enlarges(day, point.trade)]
    reasons = {
        NO_TRADING: any(forbidden),
        TRADED_ON: bool(later) and points[first].limit > 0,
        BEYOND_TOLERANCE: any(
            -Fraction(points[number].pnl) > Fraction(points[number].limit) * (1 + Fraction(terms.tolerance_ratio))
            for number in crossings
        ),
        NOT_FLAT: _is_late(day, [points[number] for number in crossings], terms),
    }
    return found | {
        "kind": _kind(day, points[first], is_forbidden=forbidden[first] and not reached[first]),
        "number": points[first].trade,
        "after_usd": points[first].pnl,
        "enlarging_fill_count": len(later),
        "furthest_usd": min(point.pnl for point in points[first:]),
        "reasons": tuple(reason for reason in BREACH_REASONS if reasons[reason]),
    }


class _Point(NamedTuple):
    """An instant at which something is judged: a limit that begins, a trade (its number), or the close."""

    at: dt.datetime
    is_change: bool
    trade: int | None
    pnl: Decimal
    limit: Decimal


def _points(day: Day) -> list[_Point]:
    close = max([session_close(DAY), *(one.at for one in day.trades)])
    points = []
    for since, _ in day.limits[1:]:
        if since <= close:
            done = sum(one.at < since for one in day.trades)
            points.append(_Point(since, True, None, day.pnl(done), _limit_at(day, since)))
    for number, one in enumerate(day.trades):
        points.append(_Point(one.at, False, number, day.pnl(number + 1), _limit_at(day, one.at)))
    # A limit acts from its instant on: before what happens in the same one.
    points.sort(key=lambda point: (point.at, not point.is_change))
    total = day.pnl(len(day.trades), at_marks=True)
    return [*points, _Point(close, False, None, total, _limit_at(day, close))]


def _limit_at(day: Day, instant: dt.datetime) -> Decimal:
    acting = [one for since, one in day.limits if since <= instant]
    return (acting[-1] if acting else day.limits[0][1]).limit_usd


def _reaches(point: _Point, terms: ReceiptTerms) -> bool:
    if point.limit == 0:
        return False
    return -point.pnl >= point.limit if terms.equal_counts else -point.pnl > point.limit


def _is_excused(points: Sequence[_Point], reached: Sequence[bool], number: int) -> bool:
    """Return whether the present limit took effect beyond the loss, which has been beyond it ever since."""
    starts = [place for place in range(number + 1) if points[place].is_change]
    return bool(starts) and all(reached[starts[-1] : number + 1])


def _enlarges(day: Day, trade: int) -> bool:
    symbol = day.trades[trade].symbol
    before, after = day.held(symbol, trade), day.held(symbol, trade + 1)
    return after != 0 and (before == 0 or (before > 0) != (after > 0) or abs(after) > abs(before))


def _kind(day: Day, point: _Point, *, is_forbidden: bool) -> str:
    if point.is_change:
        return AT_LIMIT_CHANGE
    if point.trade is None:
        return AT_CLOSE
    symbol = day.trades[point.trade].symbol
    is_first = all(one.symbol != symbol for one in day.trades[: point.trade])
    return BY_GAP if symbol in day.carried and is_first and not is_forbidden else AT_FILL


def _is_late(day: Day, crossings: Sequence[_Point], terms: ReceiptTerms) -> bool:
    """Return whether the account was not flat in time after the first trade that crossed a limit."""
    trades = [point for point in crossings if point.trade is not None]
    if not trades or trades[0].trade is None:
        return False
    flat = [
        day.trades[number].at
        for number in range(trades[0].trade, len(day.trades))
        if not any(day.held(symbol, number + 1) for symbol in SYMBOLS)
    ]
    return not flat or (flat[0] - trades[0].at).total_seconds() > 60 * terms.minutes
