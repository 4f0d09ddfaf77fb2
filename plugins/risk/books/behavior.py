"""Trading behavior: how an account traded in a session, from its positions followed fill by fill at the fills' prices.

Exact integers, scaled as in `risk.books.executions`; times are whole seconds since 1970. No lot is picked here: what
a position has cost is what was paid since it was last flat, less what was received.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Final, NamedTuple

from risk.books.executions import UNKNOWN_SECOND, SymbolFills, known_product, known_sum
from risk.core.calendar import session_seconds

if TYPE_CHECKING:
    from risk.books.positions import Position

SHARE_DIGITS: Final = 6
HOUR_SECONDS: Final = 3600


class RegularHours(NamedTuple):
    """A session's regular hours, in seconds since 1970."""

    opens: int
    closes: int


class Carried(NamedTuple):
    """What a symbol of an account was held with before the session's fills, splits applied.

    Attributes
    ----------
    quantity
        Signed, scaled by 1e8; 0 = not at all.
    cost
        What its lots cost together, negative what was received for a short, scaled by 1e16.
    gain
        What it was worth more than that at the last close, before the multiplier, scaled by 1e16; 0 = unknown.
    """

    quantity: int
    cost: int
    gain: int


NOT_CARRIED: Final = Carried(0, 0, 0)


class PositionPath(NamedTuple):
    """How one account traded one symbol in one session; ``None`` = unknown, for lack of times.

    Attributes
    ----------
    volume
        Sum of the quantities, scaled by 1e8.
    turnover, paid
        Value of all fills, and of buys less sells, before multiplier and rate, scaled by 1e16.
    side_conflicts
        Numbers of the fills, the first is 1, whose side contradicts the position they met: a short sale (``T``) while
        long, a cover (``C``) beyond the short. ``B`` and ``S`` contradict nothing: a source may know no other.
    adds_to_loser_count
        Fills that added to a position which was losing at the fill's price.
    early, late
        P&L until an hour after the open and from an hour before the close, before fees, multiplier and rate, scaled by
        1e16, gains positive; what a carried position made before its first fill of the session counts with that fill.
    value_seconds
        The position's value times the seconds it lasted, before the multiplier, scaled by 1e16; the value is that at
        the price of the fill that ends it, or of the last fill until the close. A position carried in counts from the
        open, one carried out until the close.
    """

    volume: int
    turnover: int
    paid: int
    side_conflicts: Sequence[int]
    adds_to_loser_count: int
    early: int | None
    late: int | None
    value_seconds: int | None


class TradingBehavior(NamedTuple):
    """How one account traded in one session; ``None`` = unknown.

    Attributes
    ----------
    early, late
        P&L of the traded symbols until an hour after the open and from an hour before the close, US dollars scaled by
        1e32, before fees, gains positive.
    holding_seconds
        How long a dollar was held on average: by Little's law its value times the time it was held, over half of the
        turnover. A position carried in counts from the open, one carried out until the close.
        Source: Little (1961), L = lambda W.
    adds_to_loser_count
        Fills that added to a losing position.
    concentration
        Sum of the squared shares of the symbols in turnover, scaled by 1e6: 1 = one symbol only.
        Source: Herfindahl (1950), Hirschman (1945).
    overnight
        Value of all positions at the close, long and short alike, US dollars scaled by 1e32.
    """

    early: int | None
    late: int | None
    holding_seconds: int | None
    adds_to_loser_count: int
    concentration: int | None
    overnight: int | None


def position_path(fills: SymbolFills, carried: Carried, hours: RegularHours | None) -> PositionPath:
    """Follow one position through a session's fills, at least one; without regular hours no times are known."""
    quantities, prices, seconds, sides = fills
    positions = list(accumulate(quantities, initial=carried.quantity))
    amounts = list(map(mul, quantities, prices))
    side_conflicts = [
        number
        for number, (side, held, left) in enumerate(zip(sides, positions, positions[1:], strict=False), start=1)
        if (side == ord("T") and held > 0) or (side == ord("C") and left > 0)
    ]
    times: tuple[int | None, ...] = (None, None, None)
    if hours is not None and UNKNOWN_SECOND not in seconds:
        times = _timed(fills, carried, hours)
    return PositionPath(
        sum(map(abs, quantities)),
        sum(map(abs, amounts)),
        sum(amounts),
        side_conflicts,
        _adds_to_loser_count(fills, positions, carried.cost),
        *times,
    )


def _adds_to_loser_count(fills: SymbolFills, positions: Sequence[int], cost: int) -> int:
    """Count the fills that add to a position whose value at their price is below its cost.

    A position begins anew with the fill that leaves it flat or flips it: what is left has then cost its price.
    """
    count = 0
    for quantity, price, held, left in zip(fills.quantities, fills.prices, positions, positions[1:], strict=False):
        if held * quantity > 0 and held * price < cost:
            count += 1
        begins_anew = left == 0 or held * left < 0
        cost = left * price if begins_anew else cost + quantity * price
    return count


def _timed(fills: SymbolFills, carried: Carried, hours: RegularHours) -> tuple[int, int, int]:
    """Measure the P&L of the first and of the last hour, and the position's value times the seconds it lasted.

    P&L is value less what was paid, since the last close.
    """
    first_hour_ends, last_hour_starts = hours.opens + HOUR_SECONDS, hours.closes - HOUR_SECONDS
    early = before_last_hour = gained = value_seconds = 0
    held, paid = carried.quantity, carried.cost + carried.gain
    since = min(hours.opens, fills.seconds[0])
    for quantity, price, second in zip(fills.quantities, fills.prices, fills.seconds, strict=True):
        value_seconds += abs(held) * price * (second - since)
        since = second
        held += quantity
        paid += quantity * price
        gained = held * price - paid
        if second < first_hour_ends:
            early = gained
        if second < last_hour_starts:
            before_last_hour = gained
    value_seconds += abs(held) * fills.prices[-1] * max(hours.closes - since, 0)
    return early, gained - before_last_hour, value_seconds


def regular_hours(session_date: dt.date) -> RegularHours | None:
    """Return a session's regular hours; ``None`` for a day that the calendar does not know as a session."""
    seconds = session_seconds(session_date)
    return None if seconds is None else RegularHours(*seconds)


def trading_behavior(positions: Sequence[Position]) -> TradingBehavior:
    """Put together what an account did in its symbols."""
    traded = [
        (position.path, known_product(position.valuation.multiplier, position.valuation.rate))
        for position in positions
        if position.path
    ]
    turnovers = [position.turnover for position in positions if position.path]
    turnover = known_sum(turnovers)
    early = late = holding_seconds = concentration = None
    if turnover:
        early = known_sum(known_product(path.early, usd) for path, usd in traded)
        late = known_sum(known_product(path.late, usd) for path, usd in traded)
        held = known_sum(known_product(path.value_seconds, usd) for path, usd in traded)
        holding_seconds = None if held is None else 2 * held // turnover
        concentration = 10**SHARE_DIGITS * sum(each**2 for each in turnovers if each) // turnover**2
    overnight = known_sum(
        known_product(abs(lots.quantity), valued.price, valued.multiplier, valued.rate)
        for lots, valued in ((position.lots, position.valuation) for position in positions)
        if lots.quantity
    )
    added = sum(path.adds_to_loser_count for path, _ in traded)
    return TradingBehavior(early, late, holding_seconds, added, concentration, overnight)
