"""FIFO, the specification: which open lot a fill closes, what that realizes, and what stays open.

A position is its open lots, oldest first, all long or all short; in the currency the instrument is traded in.

Closing:    intra-day FIFO, then overnight FIFO: the oldest lot opened in the same session, then the oldest of earlier
            ones. What is left of a fill opens a lot: a position may flip through zero. The position decides, not the
            side's letter: a sale from flat is a short.
Realized:   sum over closed lots of closed quantity (long +, short -) * (closing price - opening price) * multiplier.
Unrealized: sum over open lots of quantity (long +, short -) * (mark - opening price) * multiplier.

Source: PropReports (public wiki and FAQ), intra-day FIFO, then overnight FIFO; both amounts are before fees.

All numbers are exact integers: quantities, prices and multipliers scaled by 1e8, quantity * price by 1e16. The
multiplier is applied by `risk.books.positions`. `risk.books.bulk` finds the same for very many fills at once, and
aggregate_pnl/check_accounting_identity.sql checks both by the accounting identity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Lot = list[int]
"""Signed quantity left, price, opened session (its proleptic ordinal); a list because closing shrinks it in place."""

Lots = deque[Lot]


class OpenLots(NamedTuple):
    """Open lots as (signed quantity, price, opened session), oldest first; their signed quantity and cost together."""

    lots: tuple[tuple[int, ...], ...]
    quantity: int
    cost: int


FLAT = OpenLots((), 0, 0)


def match_fills(lots: Lots, quantities: Iterable[int], prices: Iterable[int], session: int) -> int:
    """Apply one session's fills of one symbol to the lots of earlier sessions; they are those at the close afterwards.

    Parameters
    ----------
    quantities, prices
        In the order of execution; quantities signed, buys and covers positive.
    session
        Ordinal of the session, stored in the lots it opens.

    Returns
    -------
    int
        Realized P&L before fees and multiplier, gains positive, scaled by 1e16.
    """
    opened_today: Lots = deque()
    realized = 0
    for quantity, price in zip(quantities, prices, strict=True):
        rest = quantity
        while rest:
            closable = opened_today or lots
            if not closable or (closable[0][0] > 0) == (rest > 0):
                opened_today.append([rest, price, session])
                break
            lot = closable[0]
            held, opening_price, _ = lot
            if abs(rest) < abs(held):
                realized -= rest * (price - opening_price)
                lot[0] = held + rest
                break
            realized += held * (price - opening_price)
            closable.popleft()
            rest += held
    lots.extend(opened_today)
    return realized


def open_lots(lots: Iterable[Sequence[int]]) -> OpenLots:
    """Sum up lots: their quantity, and what they cost together (negative: what was received for a short)."""
    listed = tuple(map(tuple, lots))
    return OpenLots(listed, sum(lot[0] for lot in listed), sum(lot[0] * lot[1] for lot in listed))


def unrealized_amount(lots: OpenLots, mark: int) -> int:
    """Return what the lots gain at a mark, before the multiplier: quantity * mark - cost, scaled by 1e16."""
    return lots.quantity * mark - lots.cost


def split_lots(lots: Lots, new_shares: int, old_shares: int) -> int:
    """Replace old shares by new ones; the cost of the lots stays the same to the last digit.

    The position's quantity is truncated after its eighth decimal place. Where a lot's cost does not divide evenly, a
    part of the lot costs 1e-8 a share more than the rest. Returns what is realized where the last lots come to less
    than 1e-8 new shares, scaled by 1e16; else 0.
    """
    split: Lots = deque()
    held = reached = cost = 0
    for quantity, price, session in lots:
        held += quantity
        cost += quantity * price
        count = split_quantity(held, new_shares, old_shares) - reached
        if count:
            reached += count
            sign = 1 if count > 0 else -1
            low_price, dearer = divmod(abs(cost), abs(count))
            split.append([count - sign * dearer, low_price, session])
            if dearer:
                split.append([sign * dearer, low_price + 1, session])
            cost = 0
    lots.clear()
    lots.extend(split)
    return -cost


def split_quantity(quantity: int, new_shares: int, old_shares: int) -> int:
    """Return the new shares for a quantity of old ones, truncated after the eighth decimal place."""
    whole = abs(quantity) * new_shares // old_shares
    return whole if quantity > 0 else -whole
