"""Cancels, busts and corrections, and renamed accounts: which execution counts in the end, and in whose history.

A correction means the execution of its account with its id (``PropReports Id``, else ``Fill Id``): the one of its own
session, else that of the newest session before, since ids may start anew every day. Of several corrections the one
of the latest session counts, and there the last line. Where the row stands, before or after the execution or in another
session's delivery, changes nothing; without its execution a correction waits. What is corrected is what was traded,
not when: the execution keeps its place in time. ``applied_corrections`` applies the same to stored fills.
"""

from __future__ import annotations

import datetime as dt
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import pandas as pd

from risk.core.calendar import FIRST_SESSION
from risk.core.entities import AccountStatement, Adjustment

TRADED: Final = ["side", "quantity", "symbol", "price", "currency", "fees_usd"]
"""What a correction states anew."""

MOST_RENAMES: Final = 10
"""So many renames are followed one after another; more can only be a circle."""

log = logging.getLogger(__name__)


class _Target(NamedTuple):
    """An execution that a correction may mean: its row, session and the name of its account as delivered."""

    row: int
    day: int
    delivered_as: str


def apply_corrections(executions: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """Return the executions that count, as corrected.

    Parameters
    ----------
    executions, corrections
        Good records: ``account_id`` (the name that the account has now), ``delivered_as`` (its name in the record),
        ``day`` (ordinal of the session), ``line_number``, ``fill_key`` and ``TRADED``; corrections also ``kind``.
        The executions are numbered from 0.
    """
    if corrections.empty:
        return executions
    last: dict[int, int] = {}
    targets = _find_targets(executions, corrections)
    corrections = corrections.sort_values(["day", "line_number"], kind="stable").reset_index(drop=True)
    for number, (account_id, key, day, delivered_as) in enumerate(_rows(corrections)):
        row = _pick(targets[account_id, key], day, delivered_as)
        if row is None:
            log.warning("a correction of account %s waits for the execution with the id %s", account_id, key)
        else:
            last[row] = number
    if not last:
        return executions
    applied = corrections.loc[list(last.values())].set_axis(list(last))
    corrected = applied[applied["kind"] == "corrected"]
    replaced = executions.loc[corrected.index].assign(**{name: corrected[name] for name in TRADED})
    return pd.concat([executions.drop(index=applied.index), replaced], ignore_index=True)


def _find_targets(executions: pd.DataFrame, corrections: pd.DataFrame) -> dict[tuple[str, str], list[_Target]]:
    """List the executions with the ids of corrections, by account and id."""
    targets: defaultdict[tuple[str, str], list[_Target]] = defaultdict(list)
    named = executions[executions["fill_key"].isin(corrections["fill_key"]) & (executions["fill_key"] != "")]
    for row, (account_id, key, day, delivered_as) in zip(named.index.tolist(), _rows(named), strict=True):
        targets[account_id, key].append(_Target(row, day, delivered_as))
    return targets


def _rows(records: pd.DataFrame) -> Iterator[tuple[str, str, int, str]]:
    return zip(*(records[name].tolist() for name in ("account_id", "fill_key", "day", "delivered_as")), strict=True)


def _pick(targets: Iterable[_Target], day: int, delivered_as: str) -> int | None:
    """Pick the execution of the newest session, under the correction's own name before another of the account's."""
    before = [target for target in targets if target.day <= day]
    newest = max((target.day for target in before), default=None)
    candidates = sorted((target for target in before if target.day == newest), key=lambda target: target.delivered_as)
    own = [target for target in candidates if target.delivered_as == delivered_as]
    return next((target.row for target in [*own, *candidates]), None)


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
                is_always = statement.valid_from == FIRST_SESSION
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
