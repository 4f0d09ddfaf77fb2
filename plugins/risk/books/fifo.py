"""Lots: which open lot a fill closes and what that realizes, in exact integers.

Integers keep the money exact and are an order of magnitude faster than decimals: quantities, prices,
multipliers, rates and fees are scaled by 1e8 (the vendor's DECIMAL(18,8)), a quantity times a price by 1e16, an amount
in the instrument's currency (times the multiplier) by 1e24 and in US dollars (times the rate) by 1e32.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from typing import NamedTuple

from risk.core.errors import InputError

UNIT_DIGITS = 8
"""Decimal places of quantity, price, multiplier, rate and fees."""

UNIT: int = 10**UNIT_DIGITS
AMOUNT_DIGITS = 3 * UNIT_DIGITS
USD_DIGITS = 4 * UNIT_DIGITS
FEES_TO_USD: int = 10 ** (USD_DIGITS - UNIT_DIGITS)

Lot = list[int]
"""Signed quantity left, price, opened session (its proleptic ordinal); a list because closing shrinks it in place."""

Lots = deque[Lot]

_EXACT = Context(prec=120)


class OpenLots(NamedTuple):
    """The lots of a symbol that are open, and what they come to.

    Attributes
    ----------
    lots
        Signed quantity, price (both scaled by 1e8) and opened session's ordinal of each, oldest first.
    quantity
        All together, long positive, scaled by 1e8.
    cost
        What they cost together, negative what was got for a short, scaled by 1e16.
    """

    lots: tuple[tuple[int, ...], ...]
    quantity: int
    cost: int


FLAT = OpenLots((), 0, 0)


def scaled(value: Decimal, digits: int = UNIT_DIGITS) -> int:
    """Return a decimal as an integer number of ``10**-digits``.

    Raises
    ------
    InputError
        If the value has more decimal places or is no number.
    """
    moved = value.scaleb(digits, _EXACT)
    if not moved.is_finite() or moved != moved.to_integral_value():
        raise InputError(f"{value} is no number with at most {digits} decimal places: correct it in its file.")
    return int(moved)


def decimal_text(value: int, digits: int) -> str:
    """Write an integer number of ``10**-digits`` as an exact decimal without exponent or trailing zeros."""
    if not value:
        return "0"
    # Digits as text: dividing such large integers takes twice as long.
    text = str(abs(value)).rjust(digits + 1, "0")
    point = len(text) - digits
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:point]}.{text[point:]}".rstrip("0").rstrip(".")


def unscaled(value: int, digits: int) -> Decimal:
    """Return an integer number of ``10**-digits`` as an exact decimal of at least two places."""
    text = decimal_text(value, digits)
    places = len(text.partition(".")[2])
    if places >= 2:
        return Decimal(text)
    return Decimal(f"{text}0" if places else f"{text}.00")


def match_fills(lots: Lots, quantities: Sequence[int], prices: Sequence[int], session: int) -> int:
    """Apply one session's fills of one symbol to its lots: intra-day FIFO, then overnight FIFO.

    A fill against the open position closes the oldest lot opened in the same session first, then the oldest
    lot of earlier sessions; what is left of it opens a lot, so a position may flip inside one fill. The
    position decides, not the letter of the side: a sale from flat is a short.

    Parameters
    ----------
    lots
        Lots of earlier sessions, oldest first; holds the lots at the close afterwards.
    quantities
        Signed, buys and covers positive, in the order of execution; scaled by 1e8.
    prices
        Prices of these fills, scaled by 1e8.
    session
        Ordinal of the session, stored in the lots it opens.

    Returns
    -------
    int
        Realized P&L before fees and multiplier, gains positive, scaled by 1e16.
    """
    opened: Lots = deque()
    realized = 0
    for fill_quantity, price in zip(quantities, prices, strict=True):
        rest = fill_quantity
        while rest:
            closable = opened or lots
            if not closable or (closable[0][0] > 0) == (rest > 0):
                opened.append([rest, price, session])
                break
            lot = closable[0]
            held = lot[0]
            left = held + rest
            if (left > 0) == (held > 0) and left:
                realized -= rest * (price - lot[1])
                lot[0] = left
                break
            realized += held * (price - lot[1])
            closable.popleft()
            rest = left
    lots.extend(opened)
    return realized


def split_lots(lots: Lots, new_shares: int, old_shares: int) -> int:
    """Put new shares in the place of old ones; what the lots cost together stays the same to the last digit.

    Quantities are cut off after their eighth decimal place, over the position as a whole. Where a lot's cost does not
    come out even, a part of it costs 1e-8 a share more than the rest.

    Parameters
    ----------
    lots
        All long or all short; changed in place.
    new_shares, old_shares
        So many new for so many old.

    Returns
    -------
    int
        What is realized where the last lots come to less than 1e-8 new shares, scaled by 1e16; else 0.
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
    """Return how many new shares stand for a quantity, cut off after the eighth decimal place; scaled by 1e8."""
    whole = abs(quantity) * new_shares // old_shares
    return whole if quantity > 0 else -whole


def open_lots(lots: Iterable[Sequence[int]]) -> OpenLots:
    """Sum up lots, all long or all short, oldest first."""
    listed = tuple(map(tuple, lots))
    return OpenLots(listed, sum(lot[0] for lot in listed), sum(lot[0] * lot[1] for lot in listed))


def unrealized_amount(lots: OpenLots, price: int) -> int:
    """Return what the lots gain at a price, before multiplier and rate; scaled by 1e16."""
    return lots.quantity * price - lots.cost


def average_open_price(lots: OpenLots) -> int:
    """Return the quantity-weighted opening price of one or more lots, rounded half up; scaled by 1e8.

    It is shown to people; no P&L is computed from it.
    """
    quantity = abs(lots.quantity)
    return (2 * abs(lots.cost) + quantity) // (2 * quantity)
