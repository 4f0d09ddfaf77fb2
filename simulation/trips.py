"""Round trips of one simulated session: fills whose cash, after fees, is the drawn result to the cent.

Every account opens and closes each position within the session, so realized net P&L is total P&L.
Money is counted in whole cents (int64), so that nothing is lost before it is written; times are seconds of the
New York day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.market import DAY_START, SYMBOLS, MarketDay
from simulation.truth import Truth

IntVector = NDArray[np.int64]
FloatVector = NDArray[np.float64]

TYPICAL_MOVE = 0.006
"""Sizes make a typical result a price move of 0.6%, and none more than three times that."""
LARGEST_MOVE = 3 * TYPICAL_MOVE
ROUND_LOTS = np.array([number for number in range(1, 10_001) if 10_000 % number == 0])
"""Lots of an order: divisors of 10,000, so that cents divided by shares end within the 8 decimals of a price."""
PARTIAL_FILLS = 1.9
"""Mean number of further executions of an order."""
ADDING_STEP = 0.0012
"""How far, relative to the price, each fill of a trader who averages down is behind the one before."""


@dataclass(frozen=True, slots=True)
class Fills:
    """Executions of a session in the order of their file; every array ``(n_fills,)``.

    Attributes
    ----------
    second
        Second of the New York day.
    account, symbol
        Positions in the truth's ``account_ids`` and in the market's ``SYMBOLS``.
    is_long, is_entry
        Whether the round trip is long, and whether this fill opens it.
    quantity
        Shares.
    price
        Units of 1e-8 US dollars.
    order, ordinal
        Number of the order in the session, and of the fill in its order.
    is_adding_liquidity
        Whether the fill earns the venue's rebate.
    fees_cents
        By fee, ``(n_fees, n_fills)`` in the order of `FEES`; positive = cost.
    """

    second: IntVector
    account: IntVector
    symbol: IntVector
    is_long: NDArray[np.bool_]
    is_entry: NDArray[np.bool_]
    quantity: IntVector
    price: IntVector
    order: IntVector
    ordinal: IntVector
    is_adding_liquidity: NDArray[np.bool_]
    fees_cents: NDArray[np.int64]


FEES = ("Comm", "Ecn Fee", "SEC", "TAF", "Clr")


@dataclass(frozen=True, slots=True)
class _Trips:
    """Planned round trips, sorted by account, symbol and time without overlap; every array ``(n_trips,)``."""

    account: IntVector
    symbol: IntVector
    starts: IntVector
    ends: IntVector
    net_cents: IntVector
    direction: IntVector
    lots: IntVector
    lot_size: IntVector
    reference_usd: FloatVector
    is_averaging: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Leg:
    """Fills of the opening or the closing orders; arrays ``(n_fills,)``."""

    trip: IntVector
    ordinal: IntVector
    count: IntVector
    quantity: IntVector
    second: IntVector

    @property
    def is_last(self) -> NDArray[np.bool_]:
        is_last: NDArray[np.bool_] = self.ordinal == self.count - 1
        return is_last


def draw_fills(truth: Truth, row: int, day: MarketDay, draws: np.random.Generator) -> Fills:
    """Draw the fills of one session of the truth; at least one account must be active in it."""
    trips = _plan(truth, row, day, draws)
    entry, leaving = _open(trips, draws), _close(trips, draws)
    trip = np.concatenate([entry.trip, leaving.trip])
    quantity = np.concatenate([entry.quantity, leaving.quantity])
    is_entry = np.arange(len(trip)) < len(entry.trip)
    is_adding = draws.random(len(trip)) < 0.4
    fees = _fees_cents(trips, trip, quantity, is_entry, is_adding)
    gross_cents = trips.net_cents + _total(trip, fees.sum(axis=0), len(trips.account))
    entry_cents = _entry_cents(trips, entry, draws)
    price = np.concatenate([entry_cents * 10**6, _exit_prices(trips, entry, entry_cents, leaving, gross_cents)])
    second, ordinal = np.concatenate([entry.second, leaving.second]), np.concatenate([entry.ordinal, leaving.ordinal])
    # A trip that starts in the second another ends comes later in the file, and its entry before its exit.
    by_time = np.lexsort((ordinal, ~is_entry, trip, second))
    trip, is_entry = trip[by_time], is_entry[by_time]
    return Fills(
        second[by_time], trips.account[trip], trips.symbol[trip], trips.direction[trip] > 0, is_entry,
        quantity[by_time], price[by_time], 2 * trip + ~is_entry, ordinal[by_time], is_adding[by_time],
        fees[:, by_time],
    )  # fmt: skip


def _plan(truth: Truth, row: int, day: MarketDay, draws: np.random.Generator) -> _Trips:
    accounts = np.flatnonzero(truth.is_active[row])
    counts = truth.trade_count[row, accounts]
    account = np.repeat(accounts, counts)
    tilt = truth.tilt[row, account]
    symbol, starts, ends = _schedule(account, tilt, day, draws)
    scale_usd = truth.sigma_usd[row, account] / np.sqrt(np.repeat(counts, counts))
    net_cents = _share_out(np.rint(100 * truth.net_pnl_usd[row, accounts]).astype(np.int64), counts, scale_usd, draws)
    reference_usd = day.price_usd(symbol, starts)
    has_risen = day.price_usd(symbol, ends) >= reference_usd
    lots, lot_size = _sizes(net_cents, scale_usd, reference_usd, draws)
    return _Trips(
        account, symbol, starts, ends, net_cents,
        # A winning trip is on the right side of the move, so that exits are near the symbol's path.
        np.where(has_risen == (net_cents >= 0), 1, -1),
        lots, lot_size, reference_usd,
        draws.random(len(account)) < 0.05 + 0.5 * tilt,
    )  # fmt: skip


def _schedule(
    account: IntVector, tilt: FloatVector, day: MarketDay, draws: np.random.Generator
) -> tuple[IntVector, IntVector, IntVector]:
    """Draw symbol, first and last second of each trip: 88 % start in regular hours, 9 % before, 3 % after."""
    size = len(account)
    # Each account has favorite symbols: a geometric choice from its own start in the list.
    symbol = (account * 7 + draws.geometric(0.25, size)) % len(SYMBOLS)
    place, share = draws.random(size), draws.random(size)
    regular = day.opens + (day.closes - day.opens - 1) * (0.5 - 0.5 * np.cos(np.pi * share))
    before = DAY_START + (day.opens - DAY_START) * np.sqrt(share)
    after = day.closes + (day.ends - day.closes) * 0.8 * share
    starts = np.where(place < 0.09, before, np.where(place < 0.12, after, regular)).astype(np.int64)
    # A trader on tilt holds longer, which a feature measures.
    held = (300 * np.exp(0.9 * draws.standard_normal(size) + 0.7 * tilt)).astype(np.int64) + 5
    order = np.lexsort((starts, symbol, account))
    symbol, starts = symbol[order], starts[order]
    is_followed = np.append((account[1:] == account[:-1]) & (symbol[1:] == symbol[:-1]), np.bool_(0))
    following = np.where(is_followed, np.append(starts[1:], 0), day.ends)
    return symbol, starts, np.minimum(starts + held, following)


def _share_out(
    total_cents: IntVector, counts: IntVector, scale_usd: FloatVector, draws: np.random.Generator
) -> IntVector:
    """Divide each account's result among its trips: an equal part and noise that cancels out."""
    owner = np.repeat(np.arange(len(counts)), counts)
    noise = draws.standard_normal(len(owner))
    noise -= (np.bincount(owner, noise) / counts)[owner]
    part = np.rint((total_cents / counts)[owner] + 100 * scale_usd * noise).astype(np.int64)
    part[np.cumsum(counts) - 1] += total_cents - _total(owner, part, len(counts))
    return part


def _sizes(
    net_cents: IntVector, scale_usd: FloatVector, price_usd: FloatVector, draws: np.random.Generator
) -> tuple[IntVector, IntVector]:
    usual = scale_usd * np.exp(0.4 * draws.standard_normal(len(price_usd))) / TYPICAL_MOVE
    needed = np.abs(net_cents) / 100 / LARGEST_MOVE
    shares = np.maximum(usual, needed) / price_usd
    lot_size = np.where(shares < 20, 1, np.where(shares < 200, 10, 100))
    place = np.searchsorted(ROUND_LOTS, np.ceil(shares / lot_size))
    return ROUND_LOTS[np.minimum(place, len(ROUND_LOTS) - 1)], lot_size


def _open(trips: _Trips, draws: np.random.Generator) -> _Leg:
    """Split opening orders into fills: within seconds, or over the first half of a trip that averages down."""
    count = np.minimum(1 + draws.poisson(PARTIAL_FILLS, len(trips.lots)), trips.lots)
    trip, ordinal = _explode(count)
    lots = _split(trips.lots, count, trip, draws)
    length = trips.ends - trips.starts
    width = np.where(trips.is_averaging, length // 2, np.minimum(20, length // 5))
    second = trips.starts[trip] + _spread(width[trip], ordinal, count[trip], draws)
    return _Leg(trip, ordinal, count[trip], lots * trips.lot_size[trip], second)


def _close(trips: _Trips, draws: np.random.Generator) -> _Leg:
    """Split closing orders into fills; the last one, which settles the cents, has a size that divides 10,000 lots."""
    count = np.minimum(1 + draws.poisson(PARTIAL_FILLS, len(trips.lots)), trips.lots)
    last = ROUND_LOTS[np.searchsorted(ROUND_LOTS, trips.lots // count, side="right") - 1]
    trip, ordinal = _explode(count)
    is_last = ordinal == count[trip] - 1
    lots = np.empty(len(trip), dtype=np.int64)
    lots[is_last] = last
    earlier, _ = _explode(count - 1)
    lots[~is_last] = _split(trips.lots - last, count - 1, earlier, draws)
    width = np.minimum(20, (trips.ends - trips.starts) // 5)
    second = (trips.ends - width)[trip] + _spread(width[trip], ordinal, count[trip], draws)
    return _Leg(trip, ordinal, count[trip], lots * trips.lot_size[trip], second)


def _explode(count: IntVector) -> tuple[IntVector, IntVector]:
    """Return for each fill the position of its order and its number within the order."""
    owner = np.repeat(np.arange(len(count)), count)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)


def _split(lots: IntVector, count: IntVector, owner: IntVector, draws: np.random.Generator) -> IntVector:
    """Split lots into so many parts of at least one lot each."""
    weight = draws.random(len(owner)) + 0.05
    reached = np.cumsum(weight)
    ends = np.cumsum(count)[owner] - 1
    starts = ends - count[owner] + 1
    base = reached[starts] - weight[starts]
    # At an order's last fill the share is a number divided by itself: exactly 1, so the parts sum to the lots.
    share = (reached - base) / (reached[ends] - base)
    cut = np.floor((lots - count)[owner] * share).astype(np.int64)
    before = np.where(np.arange(len(owner)) == starts, 0, np.roll(cut, 1))
    parts: IntVector = 1 + cut - before
    return parts


def _spread(width: IntVector, ordinal: IntVector, count: IntVector, draws: np.random.Generator) -> IntVector:
    """Return seconds from 0 to the width that never fall within an order."""
    return np.floor(width * (ordinal + draws.random(len(ordinal))) / count).astype(np.int64)


def _entry_cents(trips: _Trips, entry: _Leg, draws: np.random.Generator) -> IntVector:
    """Price the opening fills: an order walks up the book, a trader who averages down buys at ever lower prices."""
    reference = np.rint(100 * trips.reference_usd[entry.trip]).astype(np.int64)
    walked = ((draws.random(len(reference)) < 0.3) & (entry.ordinal > 0)).astype(np.int64)
    step = np.maximum(1, np.rint(ADDING_STEP * reference)).astype(np.int64)
    away = np.where(trips.is_averaging[entry.trip], -step * entry.ordinal, walked)
    return reference + trips.direction[entry.trip] * away


def _exit_prices(
    trips: _Trips, entry: _Leg, entry_cents: IntVector, leaving: _Leg, gross_cents: IntVector
) -> IntVector:
    """Price the closing fills in units of 1e-8 dollars: whole cents, and what remains on the last of each trip."""
    size = len(trips.account)
    due = _total(entry.trip, entry.quantity * entry_cents, size) + trips.direction * gross_cents
    cents: IntVector = np.rint(due / (trips.lots * trips.lot_size)).astype(np.int64)[leaving.trip]
    is_last = leaving.is_last
    paid = _total(leaving.trip[~is_last], (leaving.quantity * cents)[~is_last], size)
    price: IntVector = cents * 10**6
    price[is_last] = (due - paid) * 10**6 // leaving.quantity[is_last]
    return price


def _fees_cents(
    trips: _Trips,
    trip: IntVector,
    quantity: IntVector,
    is_entry: NDArray[np.bool_],
    is_adding: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Charge a realistic schedule in whole cents: a rebate for adding liquidity, two fees on sales."""
    is_sale = (trips.direction[trip] > 0) != is_entry
    fees = [
        0.20 * quantity,
        np.where(is_adding, -0.20, 0.30) * quantity,
        np.where(is_sale, 0.00278, 0.0) * quantity * trips.reference_usd[trip],
        np.where(is_sale, np.minimum(0.0166 * quantity, 830.0), 0.0),
        0.01 * quantity,
    ]
    cents: NDArray[np.int64] = np.rint(np.stack(fees)).astype(np.int64)
    return cents


def _total(owner: IntVector, amount: IntVector, size: int) -> IntVector:
    """Sum whole amounts by owner, exactly."""
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, owner, amount)
    return totals
