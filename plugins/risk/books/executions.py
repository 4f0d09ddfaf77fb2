"""Executions as columns of exact integers, and the integers' way from and to decimals.

Integers keep money exact and are ten times faster than decimals: quantities, prices, multipliers, rates and fees are
scaled by 1e8 (the vendor's DECIMAL(18,8)), a quantity times a price by 1e16, an amount in the instrument's currency
(times the multiplier) by 1e24, in US dollars (times the rate) by 1e32.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.core.entities import Fill
from risk.core.errors import InputError
from risk.core.exchange import exchange_zone
from risk.core.money import EXACT
from risk.core.symbols import pair_of

Integers = NDArray[Any]
"""Exact integers: numpy's of 64 bits, or Python's of any size (dtype object)."""

UNIT_DIGITS: Final = 8
"""Decimal places of quantity, price, multiplier, rate and fees."""

UNIT: Final[int] = 10**UNIT_DIGITS
AMOUNT_DIGITS: Final = 3 * UNIT_DIGITS
USD_DIGITS: Final = 4 * UNIT_DIGITS
FEES_TO_USD: Final[int] = 10 ** (USD_DIGITS - UNIT_DIGITS)

MIXED_CURRENCIES: Final = "XXX"
"""ISO 4217 for "no currency": fills of one position in several, which nothing converts."""

UNKNOWN_SECOND: Final = -1
"""Stands for the time of a fill whose time of day the source does not know."""

_SIGNS: Final = {"B": 1, "C": 1, "S": -1, "T": -1}
_BUYS: Final = [ord(side) for side, sign in _SIGNS.items() if sign > 0]
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def scaled(value: Decimal, digits: int = UNIT_DIGITS) -> int:
    """Return a decimal as an integer number of ``10**-digits``.

    Raises
    ------
    InputError
        If the value has more decimal places or is no number.
    """
    moved = value.scaleb(digits, EXACT)
    if not moved.is_finite() or moved != moved.to_integral_value():
        raise InputError(f"{value} is not a number with at most {digits} decimal places: correct it in its file.")
    return int(moved)


def unscaled(value: int, digits: int) -> Decimal:
    """Return an integer number of ``10**-digits`` as an exact decimal of at least two places."""
    number = Decimal(value).scaleb(-digits, EXACT).normalize(EXACT)
    in_cents = number.quantize(Decimal("0.01"), context=EXACT)
    return in_cents if in_cents == number else number


def known_sum(amounts: Iterable[int | None]) -> int | None:
    """Add amounts; a sum with an unknown part is unknown."""
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def known_product(*factors: int | None) -> int | None:
    """Multiply; a product with an unknown factor is unknown."""
    product = 1
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


class SymbolFills(NamedTuple):
    """One account's fills of one symbol in one session, in the order of execution.

    Attributes
    ----------
    quantities, prices, seconds, sides
        As in `Executions`, of Python's integers.
    """

    quantities: list[int]
    prices: list[int]
    seconds: list[int]
    sides: list[int]


class Executions(NamedTuple):
    """Accounts' fills of one session: those of an account and symbol together, in the order of execution.

    Attributes
    ----------
    account_ids, symbols
        Of each account and symbol; accounts together.
    currencies
        As the source states it; ``None`` = not at all, `MIXED_CURRENCIES` = several.
    delivery_ids
        Delivery the account's fills came with; ``None`` without a warehouse.
    starts
        Row of the first fill of each account and symbol, ascending from 0.
    quantities
        Of each fill, signed, buys and covers positive, scaled by 1e8.
    prices, fees
        Of each fill: price (0 of what expires, is assigned or given), and costs in US dollars, costs positive; scaled
        by 1e8.
    seconds
        Of each fill, since 1970; `UNKNOWN_SECOND` where the source does not know the time of day.
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


def fills_frame(fills: Iterable[Fill]) -> pd.DataFrame:
    """Lay out executions as the columns that `session_executions` takes.

    Raises
    ------
    InputError
        If a number has more than 8 decimal places.
    """
    columns: dict[str, list[Any]] = {name: [] for name in Fill._fields}
    for fill in fills:
        for name, value in zip(Fill._fields, fill, strict=True):
            columns[name].append(value)
    moments, zone = columns["executed_at"], exchange_zone()
    numbers = {name: [scaled(value) for value in columns[name]] for name in ("quantity", "price", "fees_usd")}
    return pd.DataFrame(
        {
            "account_id": columns["account_id"],
            "symbol": columns["symbol"],
            "currency": [currency or "" for currency in columns["currency"]],
            "day": [day.toordinal() for day in columns["session_date"]],
            "instant": [(moment - _EPOCH) // _MICROSECOND for moment in moments],
            "is_time_unknown": [moment.astimezone(zone).time() == dt.time() for moment in moments],
            "tie_rank": columns["tie_rank"],
            "side": [ord(side) for side in columns["side"]],
            **{name: np.array(values, dtype=object) for name, values in numbers.items()},
        }
    )


def session_executions(fills: pd.DataFrame) -> dict[dt.date, Executions]:
    """Sort fills into each session's executions.

    Parameters
    ----------
    fills
        One row a fill, in any order; of one instant and rank in two deliveries the earlier one's first.
        ``account_id``, ``symbol``, ``currency`` ("" = not stated): texts or categories.
        ``day``: proleptic ordinal of the session. ``instant``: microseconds since 1970, UTC. ``tie_rank``:
        place among the account's fills of the instant.
        ``is_time_unknown``: whether the time of day is. ``side``: ASCII code of ``B``, ``S``, ``T`` or ``C``.
        ``quantity`` (positive), ``price``, ``fees_usd`` (costs positive): scaled by 1e8, int64, or Python's integers.
        ``delivery_id``: optional.
    """
    if fills.empty:
        return {}
    accounts, symbols = (fills[name].astype("category").array for name in ("account_id", "symbol"))
    days = fills["day"].to_numpy(dtype=np.int64)
    group = (days - days.min()) * len(accounts.categories) + accounts.codes
    group = group * len(symbols.categories) + symbols.codes
    order = np.lexsort((fills["tie_rank"].to_numpy(), fills["instant"].to_numpy(), group))
    starts = np.append(0, np.flatnonzero(np.diff(group[order])) + 1)
    heads = order[starts]
    is_buy = np.isin(fills["side"].to_numpy(), _BUYS)
    quantities = fills["quantity"].to_numpy()
    seconds = np.where(fills["is_time_unknown"], UNKNOWN_SECOND, fills["instant"].to_numpy() // 1_000_000)
    all_of_them = Executions(
        accounts[heads].tolist(),
        symbols[heads].tolist(),
        _stated_currencies(_quote_currencies(symbols, fills["currency"]), order, starts),
        fills["delivery_id"].to_numpy()[heads].tolist() if "delivery_id" in fills else [None] * len(heads),
        starts,
        np.where(is_buy, quantities, -quantities)[order],
        fills["price"].to_numpy()[order],
        fills["fees_usd"].to_numpy()[order],
        seconds[order],
        fills["side"].to_numpy(dtype=np.uint8)[order],
    )
    return dict(_by_session(all_of_them, days[heads]))


def _quote_currencies(symbols: pd.Categorical, currencies: pd.Series) -> pd.Categorical:
    """Return the currencies as stated, of a currency pair its second one also where its first is."""
    listed: pd.Categorical = currencies.astype("category").array
    for code, symbol in enumerate(symbols.categories):
        pair = pair_of(symbol)
        if pair and pair[0] in listed.categories:
            is_first = (symbols.codes == code) & np.asarray(listed == pair[0])
            listed = listed.copy() if pair[1] in listed.categories else listed.add_categories([pair[1]])
            listed[is_first] = pair[1]
    return listed


def _stated_currencies(listed: pd.Categorical, order: NDArray[np.int64], starts: NDArray[np.int64]) -> list[str | None]:
    """Return in which currency each account and symbol was traded: none is stated, one, or several."""
    codes, names = listed.codes.astype(np.int64), listed.categories.tolist()
    is_stated = np.asarray(listed != "")
    highest = np.maximum.reduceat(np.where(is_stated, codes, -1)[order], starts)
    lowest = np.minimum.reduceat(np.where(is_stated, codes, len(names))[order], starts)
    return [
        (names[high] if high >= 0 else None) if high <= low else MIXED_CURRENCIES
        for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
    ]


def _by_session(executions: Executions, days: NDArray[np.int64]) -> Iterator[tuple[dt.date, Executions]]:
    """Cut executions, ascending by session, into those of each one.

    Parameters
    ----------
    days
        Of each account and symbol, the session's ordinal.
    """
    first_groups = np.append(0, np.flatnonzero(np.diff(days)) + 1).tolist()
    first_rows = [*executions.starts[first_groups].tolist(), len(executions.prices)]
    bounds = zip(first_groups, [*first_groups[1:], len(days)], first_rows, first_rows[1:], strict=False)
    for first, last, start, stop in bounds:
        groups, fills = slice(first, last), slice(start, stop)
        yield (
            dt.date.fromordinal(int(days[first])),
            Executions(
                executions.account_ids[groups],
                executions.symbols[groups],
                executions.currencies[groups],
                executions.delivery_ids[groups],
                executions.starts[groups] - start,
                executions.quantities[fills],
                executions.prices[fills],
                executions.fees[fills],
                executions.seconds[fills],
                executions.sides[fills],
            ),
        )
