"""Splits that nobody stated, or stated wrong: recognized by a carried position's price, or by how much of it is closed.

Without its ratio a split of 4:1 is a loss of three quarters, and the sale of the new shares opens a phantom short.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from risk.core.symbols import kind_of

RATIOS: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300, 400, 500)
"""New shares for one old, or old for one new. 3:2 and the like are within what prices do."""

TOLERANCE: Final = 0.05
"""How far the first price may lie from the ratio: stocks move by 2 to 3% overnight, in the days of a split, too."""

WIDE_RATIO: Final = 8
WIDE_TOLERANCE: Final = 0.12
"""From this ratio on prices do not move so by themselves; stocks that need such a reverse split move more."""

QUANTITY_TOLERANCE: Final = 0.25
"""How far where exactly so many times the position was closed: who only turns it around trades near the last price."""

LOWEST_PRICE: Final = 5.0
"""Stocks are not split to less; below, prices halve and double by themselves."""

SURE_REVERSE_RATIO: Final = 4
"""From this ratio on a price rises by a reverse split also below ``LOWEST_PRICE``."""


class CarriedSymbol(NamedTuple):
    """A symbol that an account carries into a session; numbers are not exact.

    Attributes
    ----------
    held
        Signed quantity at the close before.
    last_price
        At that close; where it is not known, what the position had cost a share.
    first_price
        Of the session: of the first execution of the symbol, else its closing price.
    closed
        Quantity traded against the position in the session.
    stated_ratio
        New shares for one old, where a split of the session is stated.
    """

    account_id: str
    session_date: dt.date
    symbol: str
    held: float
    last_price: float
    first_price: float
    closed: float
    stated_ratio: float | None = None


class SplitFinding(NamedTuple):
    """What looks like a split: its ratio, and what is said of it."""

    ratio: str
    sentence: str


def find_split(carried: CarriedSymbol) -> SplitFinding | None:
    """Tell what looks like a split that nobody stated, or does not look like the one that is stated."""
    ratio = suspected_split(carried)
    shown = f"{ratio[0]}:{ratio[1]}" if ratio else "none"
    if carried.stated_ratio is None:
        return SplitFinding(shown, split_sentence(carried, ratio)) if ratio else None
    held, last_price = carried.held * carried.stated_ratio, carried.last_price / carried.stated_ratio
    if suspected_split(carried._replace(held=held, last_price=last_price)) is None:
        return None
    return SplitFinding(shown, _misfit_sentence(carried, shown))


def suspected_split(carried: CarriedSymbol) -> tuple[int, int] | None:
    """Return new and old shares of the split that a position seems to have gone through; ``None`` = none."""
    if kind_of(carried.symbol) != "equity" or min(carried.last_price, carried.first_price) <= 0:
        return None
    fall = carried.last_price / carried.first_price
    if fall < 1:
        ratio = _near(1 / fall)
        is_plain = ratio and (ratio >= SURE_REVERSE_RATIO or carried.last_price >= LOWEST_PRICE)
        return (1, ratio) if ratio and is_plain else None
    times = carried.closed / abs(carried.held)
    if times in RATIOS and abs(fall / times - 1) <= QUANTITY_TOLERANCE:
        return int(times), 1
    ratio = _near(fall)
    return (ratio, 1) if ratio and carried.first_price >= LOWEST_PRICE else None


def _near(factor: float) -> int | None:
    """Return the ratio that a factor of two prices comes near."""
    ratio = min(RATIOS, key=lambda ratio: abs(factor / ratio - 1))
    tolerance = WIDE_TOLERANCE if ratio >= WIDE_RATIO else TOLERANCE
    return ratio if abs(factor / ratio - 1) <= tolerance else None


def split_sentence(carried: CarriedSymbol, ratio: tuple[int, int]) -> str:
    """Say what looks like a split, and which line states it."""
    new_shares, old_shares = ratio
    return (
        f"{carried.account_id}: {carried.symbol} looks like a {new_shares}:{old_shares} split on "
        f"{carried.session_date}: {_seen(carried)}. If it was one, add the line "
        f"{carried.session_date},{carried.symbol},{new_shares}:{old_shares} to a splits*.csv (Date,Symbol,Ratio)."
    )


def _misfit_sentence(carried: CarriedSymbol, shown: str) -> str:
    """Say that prices contradict a stated split."""
    stated = carried.stated_ratio or 1
    return (
        f"{carried.account_id}: the split of {carried.symbol} stated for {carried.session_date} "
        f"({stated:g} new shares for one old) does not fit: {_seen(carried)}, which looks like "
        f"{'no split' if shown == 'none' else f'a {shown} split'}. Correct its line in splits*.csv (new:old)."
    )


def _seen(carried: CarriedSymbol) -> str:
    closed = f", {carried.closed:g} closed" if carried.closed else ""
    return f"{carried.held:g} held at {carried.last_price:g}, first price {carried.first_price:g}{closed}"
