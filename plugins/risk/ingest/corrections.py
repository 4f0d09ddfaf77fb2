"""Cancels, busts and corrections, and renamed accounts: which execution counts in the end, and in whose history.

A correction means the execution of its account with its id (``PropReports Id``, else ``Fill Id``) and, where both state
it, its order id: the one of its own session, else that of the newest session before, since ids may start anew every
day. Where several have the id, it is the one of the correction's symbol; if that leaves several, the correction waits.
Of several corrections the one of the latest session counts, there the latest one, at one instant the last line. Where
the row stands, before or after the execution or in another session's delivery, changes nothing; without its execution a
correction waits. What is corrected is what was traded, not when: the execution keeps its place in time.
``correction_targets`` and ``applied_corrections`` say the same of stored fills.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import pandas as pd

from risk.core.calendar import first_session
from risk.core.entities import AccountStatement, Adjustment
from risk.ingest.reasons import Notice

TRADED: Final = ["side", "quantity", "symbol", "price", "currency", "fees_usd"]
"""What a correction states anew."""

MOST_RENAMES: Final = 10
"""So many renames are followed one after another; more can only be a circle."""


class _Target(NamedTuple):
    """An execution that a correction may mean: its session, account as delivered, order id, symbol and row."""

    day: int
    delivered_as: str
    order_id: str
    symbol: str
    row: int = -1


def apply_corrections(executions: pd.DataFrame, corrections: pd.DataFrame) -> tuple[pd.DataFrame, list[Notice]]:
    """Return the executions that count, as corrected, and what is said of corrections that wait.

    Parameters
    ----------
    executions, corrections
        Good records: ``account_id`` (the name that the account has now), ``delivered_as`` (its name in the record),
        ``day`` (ordinal of the session), ``instant``, ``tie_rank``, ``line_number``, ``fill_key``, ``order_id`` and
        ``TRADED``; corrections also ``kind`` and ``file_name``. The executions are numbered from 0.
    """
    if corrections.empty:
        return executions, []
    targets = _find_targets(executions, corrections)
    order = ["day", "instant", "tie_rank", "line_number"]
    corrections = corrections.sort_values(order, kind="stable").reset_index(drop=True)
    last: dict[int, int] = {}
    notices: list[Notice] = []
    for number, (account_id, key, meant) in enumerate(_rows(corrections)):
        found = _pick(targets[account_id, key], meant)
        if len(found) == 1:
            last[found[0].row] = number
        else:
            notices.append(_waiting(corrections.iloc[number], is_ambiguous=bool(found)))
    if not last:
        return executions, notices
    applied = corrections.loc[list(last.values())].set_axis(list(last))
    corrected = applied[applied["kind"] == "corrected"]
    replaced = executions.loc[corrected.index].assign(**{name: corrected[name] for name in TRADED})
    return pd.concat([executions.drop(index=applied.index), replaced], ignore_index=True), notices


def _find_targets(executions: pd.DataFrame, corrections: pd.DataFrame) -> defaultdict[tuple[str, str], list[_Target]]:
    """List the executions with the ids of corrections, by account and id."""
    targets: defaultdict[tuple[str, str], list[_Target]] = defaultdict(list)
    named = executions[executions["fill_key"].isin(corrections["fill_key"]) & (executions["fill_key"] != "")]
    for row, (account_id, key, found) in zip(named.index.tolist(), _rows(named), strict=True):
        targets[account_id, key].append(found._replace(row=row))
    return targets


def _rows(records: pd.DataFrame) -> Iterator[tuple[str, str, _Target]]:
    names = ("account_id", "fill_key", "day", "delivered_as", "order_id", "symbol")
    for account_id, key, *meant in zip(*(records[name].tolist() for name in names), strict=True):
        yield account_id, key, _Target(*meant)


def _pick(targets: Iterable[_Target], stated: _Target) -> list[_Target]:
    """Pick the execution of the newest session, under the correction's own name before another of the account's.

    Returns
    -------
    list
        One execution; none where it has not come, several where nothing tells which of them is meant.
    """

    def nearness(target: _Target) -> tuple[int, bool, str, bool]:
        is_other_order = not stated.order_id or target.order_id != stated.order_id
        return (-target.day, target.delivered_as != stated.delivered_as, target.delivered_as, is_other_order)

    def may_be_meant(target: _Target) -> bool:
        return target.day <= stated.day and (not stated.order_id or target.order_id in ("", stated.order_id))

    meant = list(filter(may_be_meant, targets))
    nearest = min(map(nearness, meant), default=None)
    candidates = [target for target in meant if nearness(target) == nearest]
    of_symbol = [target for target in candidates if target.symbol == stated.symbol]
    return of_symbol if len(of_symbol) == 1 else candidates


def _waiting(correction: pd.Series, *, is_ambiguous: bool) -> Notice:
    """Say that a correction waits, in the words of the check ``corrections_applied``."""
    file_name, day = correction["file_name"], dt.date.fromordinal(correction["day"])
    order = f" of order {correction['order_id']}" if correction["order_id"] else ""
    why = (
        "and several fills may be meant. Deliver the row with the Order Id of the fill."
        if is_ambiguous
        else "and no such fill was received. The correction applies once it is."
    )
    return Notice(
        file_name,
        "ambiguous correction" if is_ambiguous else "waiting correction",
        f"{correction['account_id']}: {file_name} line {correction['line_number']} marks fill id "
        f"{correction['fill_key']}{order} of {day} as {correction['kind']}, {why}",
    )


class Renames:
    """The names of accounts as they are now. ``renamed_accounts`` says the same of stored statements.

    Parameters
    ----------
    statements
        In the order they were made: of two about one former account and day the later one counts.
    """

    def __init__(self, statements: Iterable[AccountStatement]) -> None:
        stated: dict[str, dict[dt.date, str]] = {}
        for statement in statements:
            if statement.former_account_id is not None:
                # A statement without a day is dated to the first session: then every session is meant.
                is_always = statement.valid_from == first_session()
                ends_before = dt.date.max if is_always else statement.valid_from
                stated.setdefault(statement.former_account_id, {})[ends_before] = statement.account_id
        self._stated = {former: sorted(names.items()) for former, names in stated.items()}

    def current_name(self, account_id: str, session_date: dt.date) -> str:
        """Return the account whose history a session of an account is."""
        for _ in range(MOST_RENAMES):
            names = self._stated.get(account_id, [])
            place = bisect_right(names, session_date, key=lambda stated: stated[0])
            if place == len(names):
                break
            account_id = names[place][1]
        return account_id

    def rebooked(self, stated: Adjustment) -> Adjustment:
        """Return an adjustment with the accounts it is booked to now."""
        offset = stated.offset_account_id
        return stated._replace(
            account_id=self.current_name(stated.account_id, stated.session_date),
            offset_account_id=offset and self.current_name(offset, stated.session_date),
        )
