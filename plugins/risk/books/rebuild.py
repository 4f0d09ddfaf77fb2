"""Rebuilding the books of some accounts, session by session, from what they carry in and their fills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.books.batches import Batch
from risk.books.books import close_session
from risk.books.export import FillFile
from risk.books.fifo import AMOUNT_DIGITS, USD_DIGITS, open_lots, scaled
from risk.books.positions import Holding
from risk.books.prices import Valuer
from risk.core.warehouse import Connection, rows

Opened = dict[dt.date, dict[str, dict[str, Holding]]]
"""Holdings by the session they are carried into, account and symbol."""


def rebuild(opened: Opened, fills: FillFile, session_dates: Sequence[dt.date], valuer: Valuer) -> Iterator[Batch]:
    """Compute accounts from their first session on, without the warehouse, and yield the books by and by.

    Parameters
    ----------
    opened
        What each account carries into its first session.
    fills
        The accounts' fills from these sessions on.
    session_dates
        Every session that any of them needs, ascending.
    valuer
        Knows these sessions.
    """
    batch = Batch()
    holdings: dict[str, dict[str, Holding]] = {}
    for session_date in session_dates:
        holdings |= opened.get(session_date, {})
        for day in close_session(session_date, fills.session(session_date), holdings, valuer):
            batch.add(day)
            if batch.is_full:
                yield batch
                batch = Batch()
    yield batch


def read_opened(connection: Connection, scope: Mapping[str, Any]) -> Opened:
    """Read what each account of a scope carries into its first session.

    Parameters
    ----------
    scope
        Binds ``account_ids`` and their ``first_session_dates``.
    """
    opened: Opened = {}
    for first, account_id, symbol, *row in rows(connection, "aggregate_pnl/select_opening_positions", scope):
        opened.setdefault(first, {}).setdefault(account_id, {})[symbol] = _holding(*row)
    return opened


def _holding(
    currency: str,
    lots: Sequence[Sequence[str]],
    multiplier: int | None,
    unrealized: Decimal | None,
    unrealized_usd: Decimal | None,
) -> Holding:
    return Holding(
        open_lots(_lot(*lot) for lot in lots),
        currency,
        multiplier,
        None if unrealized is None else scaled(unrealized, AMOUNT_DIGITS),
        None if unrealized_usd is None else scaled(unrealized_usd, USD_DIGITS),
    )


def _lot(opened: str, quantity: str, price: str) -> tuple[int, int, int]:
    return scaled(Decimal(quantity)), scaled(Decimal(price)), dt.date.fromisoformat(opened).toordinal()
