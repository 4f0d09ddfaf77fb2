"""Executions of one session as columns, an account and symbol at a time, and exact sums over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[Any]
"""Exact integers: numpy's of 64 bits, or Python's of any size (dtype object)."""

LARGEST_SUM = 2.0**61
"""What 64 bits hold for certain, with a margin for the rounding of estimates, which are made by floating point."""


class Executions(NamedTuple):
    """Some accounts' fills of one session: those of an account and symbol together, in the order of execution.

    Attributes
    ----------
    account_ids, symbols
        Of each account and symbol; accounts together.
    currencies
        As the source tells it; ``None`` = not at all, `risk.books.prices.MIXED_CURRENCIES` = several.
    delivery_ids
        Delivery the account's fills came with; ``None`` without a warehouse.
    starts
        Row of the first fill of each account and symbol, ascending from 0.
    quantities
        Of each fill, signed, buys and covers positive, scaled by 1e8.
    prices, fees
        Of each fill: price, above 0, and costs in US dollars, costs positive; scaled by 1e8.
    seconds
        Of each fill, since 1970; ``paths.UNKNOWN_SECOND`` where the source does not know the time of day.
    sides
        Of each fill, the ASCII code of its letter.
    """

    account_ids: Sequence[str]
    symbols: Sequence[str]
    currencies: Sequence[str | None]
    delivery_ids: Sequence[int | None]
    starts: NDArray[np.int64]
    quantities: Integers
    prices: Integers
    fees: Integers
    seconds: NDArray[np.int64]
    sides: NDArray[np.uint8]

    @property
    def stops(self) -> NDArray[np.int64]:
        """Row after the last fill of each account and symbol."""
        return np.append(self.starts[1:], len(self.prices))


def summable(values: Integers) -> Integers:
    """Return the values as 64 bits hold them where all together fit into these, else as Python's integers."""
    fits = np.abs(values.astype(np.float64)).sum() < LARGEST_SUM
    return values if fits else values.astype(object)


def sums(values: Integers, starts: NDArray[np.int64]) -> list[int]:
    """Add up the fills' values by account and symbol, exactly."""
    totals: list[int] = np.add.reduceat(summable(values), starts).tolist()
    return totals
