"""Conduct: how an account traded in a session, put together from the paths of its positions in exact integers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from risk.books.positions import Position

SHARE_DIGITS = 6


class Conduct(NamedTuple):
    """How one account traded in one session; ``None`` = unknown.

    Attributes
    ----------
    early, late
        P&L of the traded symbols until an hour after the open and from an hour before the close, US dollars scaled by
        1e32, before fees, gains positive.
    holding_seconds
        How long a dollar was held on average: by Little's law its value times the time it was held, over half of the
        turnover. A position carried in counts from the open, one carried out until the close.
    enlarging_count
        Fills that enlarged a losing position.
    concentration
        Sum of the squared shares of the symbols in turnover, scaled by 1e6: 1 = one symbol only.
    overnight
        Value of all positions at the close, long and short alike, US dollars scaled by 1e32.
    """

    early: int | None
    late: int | None
    holding_seconds: int | None
    enlarging_count: int
    concentration: int | None
    overnight: int | None


def measure(positions: Iterable[Position]) -> Conduct:
    """Put together what an account did in its symbols."""
    early = late = held = turnover = squares = overnight = enlarging_count = 0
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
        enlarging_count += path.enlarging_count
        is_valued &= position.turnover is not None
        turnover += position.turnover or 0
        squares += (position.turnover or 0) ** 2
        is_timed &= path.held is not None
        early += (path.early or 0) * usd
        late += (path.late or 0) * usd
        held += (path.held or 0) * usd
    is_timed &= is_valued and turnover > 0
    return Conduct(
        early if is_timed else None,
        late if is_timed else None,
        2 * held // turnover if is_timed else None,
        enlarging_count,
        10**SHARE_DIGITS * squares // turnover**2 if is_valued and turnover else None,
        overnight if is_marked else None,
    )
