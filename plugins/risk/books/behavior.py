"""Trading behavior: how an account traded in a session, from its positions followed fill by fill at the fills' prices.

Exact integers, scaled as in `risk.books.executions`; times are whole seconds since 1970. No lot is picked here: what
a position has cost is what was paid since it was last flat, less what was received.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Final, NamedTuple

from risk.books.executions import UNKNOWN_SECOND, SymbolFills
from risk.core.calendar import is_session, session_close, session_open

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
    early = late = value_seconds = None
    if hours is not None and UNKNOWN_SECOND not in seconds:
        early, late = _early_and_late(fills, positions, amounts, carried, hours)
        value_seconds = _value_seconds(fills, positions, hours)
    return PositionPath(
        sum(map(abs, quantities)),
        sum(map(abs, amounts)),
        sum(amounts),
        _side_conflicts(sides, positions),
        _adds_to_loser_count(fills, positions, carried.cost),
        early,
        late,
        value_seconds,
    )


def _side_conflicts(sides: Sequence[int], positions: Sequence[int]) -> list[int]:
    """Return the numbers of the short sales while long and the covers beyond the short.

    Parameters
    ----------
    positions
        Signed quantity before the first fill and after each.
    """
    met = zip(sides, positions, positions[1:], strict=False)
    return [
        number
        for number, (side, held, left) in enumerate(met, start=1)
        if (side == ord("T") and held > 0) or (side == ord("C") and left > 0)
    ]


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


def _early_and_late(
    fills: SymbolFills, positions: Sequence[int], amounts: Sequence[int], carried: Carried, hours: RegularHours
) -> tuple[int, int]:
    """Return the P&L of the first and of the last hour: value less what was paid, since the last close."""
    first_hour_ends, last_hour_starts = hours.opens + HOUR_SECONDS, hours.closes - HOUR_SECONDS
    early = before_last_hour = gained = 0
    paid = carried.cost + carried.gain
    for price, second, left, amount in zip(fills.prices, fills.seconds, positions[1:], amounts, strict=True):
        paid += amount
        gained = left * price - paid
        if second < first_hour_ends:
            early = gained
        if second < last_hour_starts:
            before_last_hour = gained
    return early, gained - before_last_hour


def _value_seconds(fills: SymbolFills, positions: Sequence[int], hours: RegularHours) -> int:
    """Return the position's value times the seconds it lasted."""
    total = 0
    since = min(hours.opens, fills.seconds[0])
    for held, price, second in zip(positions, fills.prices, fills.seconds, strict=False):
        total += abs(held) * price * (second - since)
        since = second
    return total + abs(positions[-1]) * fills.prices[-1] * max(hours.closes - since, 0)


@lru_cache(maxsize=1_024)
def regular_hours(session_date: dt.date) -> RegularHours | None:
    """Return a session's regular hours; ``None`` for a day that the calendar does not know as a session."""
    if not is_session(session_date):
        return None
    return RegularHours(int(session_open(session_date).timestamp()), int(session_close(session_date).timestamp()))


def trading_behavior(positions: Iterable[Position]) -> TradingBehavior:
    """Put together what an account did in its symbols."""
    early = late = held = turnover = squares = overnight = adds_to_loser_count = 0
    is_timed = is_valued = is_marked = True
    for position in positions:
        valued = position.valuation
        usd = (valued.multiplier or 0) * (valued.rate or 0)
        if position.lots.quantity:
            is_marked &= position.unrealized_usd is not None
            overnight += abs(position.lots.quantity) * (valued.price or 0) * usd
        path = position.path
        if path is None:
            continue
        adds_to_loser_count += path.adds_to_loser_count
        is_valued &= position.turnover is not None
        turnover += position.turnover or 0
        squares += (position.turnover or 0) ** 2
        is_timed &= path.value_seconds is not None
        early += (path.early or 0) * usd
        late += (path.late or 0) * usd
        held += (path.value_seconds or 0) * usd
    is_timed &= is_valued and turnover > 0
    return TradingBehavior(
        early if is_timed else None,
        late if is_timed else None,
        2 * held // turnover if is_timed else None,
        adds_to_loser_count,
        10**SHARE_DIGITS * squares // turnover**2 if is_valued and turnover else None,
        overnight if is_marked else None,
    )
