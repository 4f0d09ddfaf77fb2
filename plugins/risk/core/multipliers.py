"""Multipliers: how many units one share or contract stands for, as stated by files or implied by the symbol's form.

An unknown multiplier is never guessed: two E-mini contracts counted as shares gain $128 instead of $6,400.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final, TypeVar

from risk.core.symbols import Kind, future_of, kind_of

StatedValue = TypeVar("StatedValue")

UNITS: Final[dict[Kind, int]] = {"equity": 1, "pair": 1, "option": 100}
"""What one share or contract stands for by the form of its symbol; of every other kind it must be stated."""


NAMED_ACCOUNTS: Final = 5
"""A sentence about many accounts names so many of them."""


class Multipliers:
    """What files state about multipliers.

    Parameters
    ----------
    statements
        Day from which it holds, symbol and multiplier (``None`` = nothing is said), in any order. Two of one day and
        symbol that differ leave it unknown.
    unit
        What the multipliers are scaled by.
    """

    def __init__(self, statements: Iterable[tuple[dt.date, str, int | None]], unit: int) -> None:
        self._unit = unit
        self._stated: dict[Hashable, dict[dt.date, int | None]] = {}
        for day, symbol, multiplier in sorted(statements, key=itemgetter(0)):
            if multiplier is not None:
                future = future_of(symbol)
                for name in (symbol, future.contract) if future else (symbol,):
                    by_day = self._stated.setdefault(name, {})
                    by_day[day] = multiplier if by_day.get(day, multiplier) == multiplier else None

    def at(self, day: dt.date, symbol: str) -> int | None:
        """Return the newest multiplier stated up to a day, else what the symbol's form implies; ``None`` = unknown.

        For a future the symbol's own statement counts before those about other spellings of the contract, and these
        before those about its root, such as ``/ES``.
        """
        future = future_of(symbol)
        for name in (symbol, future.contract, future.of_root) if future else (symbol,):
            stated = self._stated.get(name)
            if stated and next(iter(stated)) <= day:
                return newest_until(stated, day)
        units = UNITS.get(kind_of(symbol))
        return None if units is None else units * self._unit


def newest_until(stated: Mapping[dt.date, StatedValue], day: dt.date) -> StatedValue | None:
    """Return the newest of some dated values, ascending, that holds on a day."""
    days = list(stated)
    count = bisect_right(days, day)
    return stated[days[count - 1]] if count else None


def double_spellings(symbols: Iterable[str]) -> list[list[str]]:
    """List the futures that some symbols name in more than one spelling, such as ``ESU5`` and ``/ESU25``."""
    by_contract: dict[Hashable, set[str]] = {}
    for symbol in symbols:
        future = future_of(symbol)
        if future and future.month:
            by_contract.setdefault(future.contract, set()).add(symbol)
    return [sorted(names) for names in by_contract.values() if len(names) > 1]


def double_spelling(account_id: str, names: Sequence[str], day: dt.date) -> str:
    """Say that an account has one contract under several names, which are several positions."""
    return (
        f"{account_id}: {' and '.join(names)} are one contract in {len(names)} spellings on {day}, and count as "
        f"{len(names)} positions: what one name bought and the other sold stays open. Deliver one spelling, for "
        "example through symbols.replace of a mapping."
    )


def unknown_contract(symbol: str, account_ids: Sequence[str], day: dt.date) -> str:
    """Say that a contract's multiplier is unknown, and which line states it.

    Parameters
    ----------
    day
        First session with the contract.
    """
    future = future_of(symbol)
    form = "a future" if future else "no equity, option or currency pair by its form"
    stated = f"/{future.root}" if future else symbol
    named = ", ".join(account_ids[:NAMED_ACCOUNTS])
    more = f" and {len(account_ids) - NAMED_ACCOUNTS} more" if len(account_ids) > NAMED_ACCOUNTS else ""
    return (
        f"{named}{more}: {symbol} is {form}, and its multiplier is not stated: nothing of it counts as money, and the "
        f"account's sessions with it are incomplete. Add the line {day},{stated},MULTIPLIER to an instruments*.csv "
        "(Date,Symbol,Multiplier), with the currency units of one point of one contract."
    )
