"""Self-trades by the vendor's published rule, and how many of them chance alone would give.

Two own accounts buy and sell the same quantity of a symbol at the same time and price on the same destination, and the
market traded fewer than five million shares of it that day; a symbol without a known volume is checked, and so is a
fill without a known destination. Source: PropReports, *Wash Trades* (the report's parameters). A firm must review its
own trades for a pattern of them: FINRA rule 5210, supplementary material .02.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.desk.executions import DeskFills, IntVector, distinct
from risk.desk.shift_null import LARGEST_SHIFT_SECONDS, LEAST_SHIFT_SECONDS, SESSIONS_PER_YEAR

LARGEST_VOLUME = 5_000_000
LISTED_TRADES = 100
"""So many of a session are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class SelfTrade:
    """Fills of two accounts against each other; numbers as in `risk.desk.executions.DeskFills`.

    Attributes
    ----------
    session, buyer, seller, symbol, second, quantity, price
        What was traded between whom.
    count
        Pairs of fills that agree.
    is_volume_known
        False = checked because the market's volume is unknown.
    """

    session: int
    buyer: int
    seller: int
    symbol: int
    second: int
    quantity: int
    price: int
    count: int
    is_volume_known: bool


def find_self_trades(fills: DeskFills) -> list[SelfTrade]:
    """List the self-trades of some sessions, by time."""
    checked = np.flatnonzero(_is_checked(fills))
    if not len(checked):
        return []
    group = distinct(*(values[checked] for values in (fills.place, fills.second, fills.price, fills.quantity)))
    sizes = np.bincount(group)
    buys = np.bincount(group, fills.sign[checked] > 0)
    is_mixed = ((buys > 0) & (buys < sizes))[group]
    mixed = checked[is_mixed][np.argsort(group[is_mixed], kind="stable")]
    ends = np.cumsum(np.unique(group[is_mixed], return_counts=True)[1])
    found = [one for part in np.split(mixed, ends) if len(part) for one in _matched(fills, part)]
    return sorted(found, key=lambda one: (one.second, one.symbol, one.buyer, one.seller))


def chance_rates(fills: DeskFills) -> NDArray[np.float64]:
    """Return the self-trades per desk-year that independent traders with such fills would give, by session.

    Notes
    -----
    Shifted by 5 to 60 minutes either way, a fill meets another account's opposite one of the same price, quantity and
    destination, at most an hour from it, in one second of 6,600. Fills that did meet count like the others.
    """
    rates = np.zeros(len(fills.session_dates))
    checked = np.flatnonzero(_is_checked(fills))
    if len(checked):
        group = distinct(*(values[checked] for values in (fills.place, fills.price, fills.quantity)))
        second, is_buy = fills.second[checked], fills.sign[checked] > 0
        near = _opposite_counts(group, second, is_buy)
        near -= _opposite_counts(distinct(group, fills.account[checked]), second, is_buy)
        # Each pair is seen from its buy only.
        np.add.at(rates, fills.session[checked[is_buy]], near[is_buy])
    seconds = 2 * (LARGEST_SHIFT_SECONDS - LEAST_SHIFT_SECONDS)
    return rates / seconds * SESSIONS_PER_YEAR


def _is_checked(fills: DeskFills) -> NDArray[np.bool_]:
    """Tell which fills are of symbols that the rule is about."""
    volume = fills.volumes[fills.session, fills.symbol]
    is_checked: NDArray[np.bool_] = np.isnan(volume) | (volume < LARGEST_VOLUME)
    return is_checked


def _opposite_counts(group: IntVector, second: IntVector, is_buy: NDArray[np.bool_]) -> IntVector:
    """Count the fills of the other side in the same group within an hour of each fill."""
    span = int(second.max() - second.min()) + 4 * LARGEST_SHIFT_SECONDS
    key = (2 * group + is_buy) * span + second - second.min() + 2 * LARGEST_SHIFT_SECONDS
    keys = np.sort(key)
    opposite = key + np.where(is_buy, -span, span)
    counts: IntVector = np.searchsorted(keys, opposite + LARGEST_SHIFT_SECONDS, side="right") - np.searchsorted(
        keys, opposite - LARGEST_SHIFT_SECONDS, side="left"
    )
    return counts


def _matched(fills: DeskFills, group: IntVector) -> Iterator[SelfTrade]:
    """Match buys with sells of other accounts within fills that agree in time, price and quantity: each fill once."""
    buys, sells = (
        Counter(zip(fills.account[part].tolist(), fills.route[part].tolist(), strict=True))
        for part in (group[fills.sign[group] > 0], group[fills.sign[group] < 0])
    )
    first = int(group[0])
    trades: Counter[tuple[int, int]] = Counter()
    for (buyer, buy_route), bought in sorted(buys.items()):
        left = bought
        for (seller, sell_route), sold in sorted(sells.items()):
            is_same = buy_route == sell_route or -1 in (buy_route, sell_route)
            count = min(left, sold) if seller != buyer and is_same else 0
            if count:
                trades[buyer, seller] += count
                sells[seller, sell_route] -= count
                left -= count
    for (buyer, seller), count in trades.items():
        yield SelfTrade(
            int(fills.session[first]), buyer, seller, int(fills.symbol[first]), int(fills.second[first]),
            int(fills.quantity[first]), int(fills.price[first]), count,
            is_volume_known=bool(np.isfinite(fills.volumes[fills.session[first], fills.symbol[first]])),
        )  # fmt: skip
