"""Cancels, busts and corrections: what a status means, and which execution counts in the end.

A correction means the execution of its account with its id (``PropReports Id``, else ``Fill Id``): the one of its own
session, else that of the newest session before, since ids may start anew every day. Of several corrections the one
of the latest session counts, and there the last line. Where the row stands, before or after the execution or in another
session's delivery, changes nothing; without its execution a correction waits. What is corrected is what was traded,
not when: the execution keeps its place in time. ``applied_corrections`` in the warehouse says the same in SQL.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from risk.core.entities import Fill
from risk.core.settings import settings

Identity = tuple[str, str, dt.date]
"""Name of an account as delivered, id and session of an execution."""

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
    delivered_as
        Name of the account in the record; the fill's own is the name that account has now.
    """

    kind: Kind
    key: str
    fill: Fill
    delivered_as: str


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
    live = [one for one in listed if one.kind == "live"]
    known: defaultdict[tuple[str, str], list[Told]] = defaultdict(list)
    for one in live:
        if one.key:
            known[one.fill.account_id, one.key].append(one)
    last: dict[Identity, Told] = {}
    for correction in sorted((one for one in listed if one.kind != "live"), key=_place):
        meant = _meant(correction, known[correction.fill.account_id, correction.key])
        if meant is None:
            names = (correction.delivered_as, correction.key)
            log.warning("a correction of account %s waits for the execution with the id %s", *names)
        else:
            last[_identity(meant)] = correction
    settled = ((one.fill, last.get(_identity(one)) if one.key else None) for one in live)
    return [_corrected(fill, by) for fill, by in settled if by is None or by.kind == "corrected"]


def _meant(correction: Told, known: Iterable[Told]) -> Told | None:
    """Pick the execution of the newest session, under the correction's own name before another of the account's."""
    before = sorted(
        (one for one in known if one.fill.session_date <= correction.fill.session_date),
        key=lambda one: one.delivered_as,
    )
    newest = max((one.fill.session_date for one in before), default=None)
    meant = [one for one in before if one.fill.session_date == newest]
    return next((one for one in meant if one.delivered_as == correction.delivered_as), meant[0] if meant else None)


def _identity(told: Told) -> Identity:
    return told.delivered_as, told.key, told.fill.session_date


def _place(told: Told) -> tuple[dt.date, int]:
    return told.fill.session_date, told.fill.line_number


def _corrected(fill: Fill, correction: Told | None) -> Fill:
    if correction is None:
        return fill
    return correction.fill._replace(
        session_date=fill.session_date, executed_at=fill.executed_at, line_number=fill.line_number
    )
