"""Cancels, busts and corrections: what a status means, and which execution counts in the end.

A correction means the execution of its account with its id (``PropReports Id``, else ``Fill Id``): the one of its own
session, else that of the newest session before, since ids may start anew every day. Of several corrections the one
of the latest session counts, and there the last line. Where the row stands, before or after the execution or in another
session's delivery, changes nothing; without its execution a correction waits. What is corrected is what was traded,
not when: the execution keeps its place in time. ``settled_corrections`` in the warehouse says the same in SQL.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from risk.entities import Fill
from risk.settings import settings

Kind = Literal["live", "canceled", "corrected"]

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """One good record.

    Attributes
    ----------
    kind
        ``live`` for an execution.
    key
        Id of the execution the record is or means; empty where it has none.
    fill
        What the record says was traded.
    """

    kind: Kind
    key: str
    fill: Fill


def kind_of(status: str) -> Kind | None:
    """Return what a status means; ``None`` if nobody knows it."""
    spelling = status.strip(" ")
    if not spelling:
        return "live"
    # Folded as Postgres folds it in collation C: only ASCII letters have two cases.
    folded = spelling.upper() if spelling.isascii() else spelling
    if folded in settings().canceled_statuses:
        return "canceled"
    return "corrected" if folded in settings().corrected_statuses else None


def settle(told: Iterable[Told]) -> list[Fill]:
    """Return the executions that count, in the order given."""
    listed = list(told)
    sessions: defaultdict[tuple[str, str], list[dt.date]] = defaultdict(list)
    for _, key, fill in (one for one in listed if one.kind == "live" and one.key):
        sessions[fill.account_id, key].append(fill.session_date)
    last: dict[tuple[str, str, dt.date], Told] = {}
    for correction in sorted((one for one in listed if one.kind != "live"), key=_place):
        account_id, key = correction.fill.account_id, correction.key
        before = [day for day in sessions[account_id, key] if day <= correction.fill.session_date]
        if before:
            last[account_id, key, max(before)] = correction
        else:
            log.warning("a correction of account %s waits for the execution with the id %s", account_id, key)
    settled = ((one, last.get((one.fill.account_id, one.key, one.fill.session_date))) for one in _live(listed))
    return [_corrected(one.fill, by) for one, by in settled if by is None or by.kind == "corrected"]


def _live(told: Iterable[Told]) -> Iterable[Told]:
    return (one for one in told if one.kind == "live")


def _place(told: Told) -> tuple[dt.date, int]:
    return told.fill.session_date, told.fill.line_number


def _corrected(fill: Fill, correction: Told | None) -> Fill:
    if correction is None:
        return fill
    return correction.fill._replace(
        session_date=fill.session_date, executed_at=fill.executed_at, line_number=fill.line_number
    )
