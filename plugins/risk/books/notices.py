"""Warnings about books that were computed without a warehouse: unknown contracts, unstated and misstated splits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import pandas as pd

from risk.books.executions import UNIT
from risk.books.positions import Position, average_open_price
from risk.books.session import AccountSession
from risk.core.corporate_actions import CarriedSymbol, find_split
from risk.core.entities import Split
from risk.core.multipliers import double_spelling, double_spellings, unknown_contract

SHOWN_WARNINGS: Final = 20
"""So many warnings of a kind are listed."""


def book_warnings(days: Sequence[AccountSession], fills: pd.DataFrame, splits: Iterable[Split]) -> list[str]:
    """List what somebody should look at in the books, sentence by sentence.

    Parameters
    ----------
    days
        Ascending by account and session.
    fills
        The executions they were computed from, see `risk.books.executions.session_executions`.
    splits
        As stated.
    """
    stated = {(split.symbol, split.session_date): split for split in splits}
    contracts, unstated = list(_unknown_contracts(days)), list(_odd_splits(days, fills, stated))
    return [
        *_first(contracts, "contracts without a multiplier"),
        *_first(list(_double_spellings(days)), "contracts in two spellings"),
        *_first(unstated, "suspected splits"),
    ]


def _first(sentences: Sequence[str], subject: str) -> Iterator[str]:
    """Yield the first sentences of a kind; one more counts the others."""
    yield from sentences[:SHOWN_WARNINGS]
    if len(sentences) > SHOWN_WARNINGS:
        yield f"{len(sentences) - SHOWN_WARNINGS} more {subject} are not listed."


def _unknown_contracts(days: Iterable[AccountSession]) -> Iterator[str]:
    first: dict[str, dt.date] = {}
    accounts: dict[str, dict[str, None]] = {}
    for day in days:
        for position in day.positions:
            if position.missing == "multiplier":
                first[position.symbol] = min(first.get(position.symbol, day.session_date), day.session_date)
                accounts.setdefault(position.symbol, {})[day.account_id] = None
    for symbol in sorted(first):
        yield unknown_contract(symbol, list(accounts[symbol]), first[symbol])


def _double_spellings(days: Iterable[AccountSession]) -> Iterator[str]:
    """Name each contract of an account in two spellings once, in the first session that has both."""
    said: set[tuple[str, ...]] = set()
    for day in days:
        for names in double_spellings(position.symbol for position in day.positions):
            if (day.account_id, *names) not in said:
                said.add((day.account_id, *names))
                yield double_spelling(day.account_id, names, day.session_date)


def _odd_splits(
    days: Iterable[AccountSession], fills: pd.DataFrame, stated: Mapping[tuple[str, dt.date], Split]
) -> Iterator[str]:
    """Compare what each account carries into a session with the first price there, and with the split that is stated.

    One with ratio 1 takes a wrong one back.
    """
    decided = {
        (symbol, day)
        for (_, day), split in stated.items()
        if split.new_symbol or split.new_shares == split.old_shares
        for symbol in (split.symbol, split.new_symbol)
    }
    carried = list(_carried(days, decided))
    if not carried:
        return
    traded = fills[fills["symbol"].isin({after.symbol for _, _, after in carried}) & (fills["price"] > 0)]
    traded = traded.sort_values(["instant", "line_number"]).assign(is_buy=traded["side"].isin([ord("B"), ord("C")]))
    first = traded.drop_duplicates(["day", "symbol"]).set_index(["day", "symbol"])["price"].to_dict()
    sums = traded.groupby(["account_id", "day", "symbol", "is_buy"], observed=True)["quantity"].sum().to_dict()
    for day, before, after in carried:
        place = (day.session_date.toordinal(), after.symbol)
        closing = after.valuation.price if after.valuation.source == "marks" else None
        price = first.get(place) or closing
        if price is None:
            continue
        found = CarriedSymbol(
            day.account_id,
            day.session_date,
            after.symbol,
            before.lots.quantity / UNIT,
            (before.valuation.price or average_open_price(before.lots)) / UNIT,
            price / UNIT,
            sums.get((day.account_id, *place, before.lots.quantity < 0), 0) / UNIT,
            _ratio(stated.get((after.symbol, day.session_date))),
        )
        odd = find_split(found)
        if odd:
            yield odd.sentence


def _ratio(split: Split | None) -> float | None:
    return float(split.new_shares / split.old_shares) if split else None


def _carried(
    days: Iterable[AccountSession], decided: Collection[tuple[str | None, dt.date]]
) -> Iterator[tuple[AccountSession, Position, Position]]:
    """Yield the account-sessions that carry a symbol, with its position at the close before and at theirs."""
    for earlier, day in pairwise(days):
        if earlier.account_id == day.account_id:
            positions = {position.symbol: position for position in day.positions}
            for before in earlier.positions:
                after = positions.get(before.symbol)
                if before.lots.quantity and after and (before.symbol, day.session_date) not in decided:
                    yield day, before, after
