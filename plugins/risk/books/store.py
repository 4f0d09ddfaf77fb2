"""The rows of the books: what is read from the warehouse to compute them, and how they are written to it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import pandas as pd
from psycopg2 import sql

from risk.books.behavior import SHARE_DIGITS, TradingBehavior
from risk.books.bulk import Delivery
from risk.books.executions import (
    AMOUNT_DIGITS,
    UNIT,
    UNIT_DIGITS,
    USD_DIGITS,
    Executions,
    decimal_text,
    scaled,
    session_executions,
)
from risk.books.fifo import open_lots
from risk.books.positions import Holding, Position, average_open_price
from risk.books.prices import LastFill, PriceBook, ScaledInstrument, ScaledMark, SplitRatio, Valuation
from risk.books.session import AccountSession, Holdings
from risk.core.warehouse import Connection, rows

FILL_COLUMNS: Final = (
    "delivery_id",
    "line_number",
    "instant",
    "is_time_unknown",
    "side",
    "symbol",
    "currency",
    "quantity",
    "price",
    "fees_usd",
)
"""Of ``select_fills.sql``, in its order."""

POSITION_COLUMNS: Final = (
    "account_id",
    "session_date",
    "symbol",
    "currency",
    "quantity",
    "average_open_price",
    "lots",
    "multiplier",
    "mark_price",
    "mark_source",
    "rate",
    "rate_source",
    "rate_date",
    "realized_pnl",
    "unrealized_pnl",
    "realized_pnl_usd",
    "unrealized_pnl_usd",
    "split_ratio",
    "split_quantity",
    "expired_quantity",
    "side_conflicts",
)
DAILY_COLUMNS: Final = (
    "account_id",
    "session_date",
    "input_fingerprint",
    "fill_count",
    "volume",
    "turnover_usd",
    "gross_pnl_usd",
    "fees_usd",
    "net_pnl_usd",
    "unrealized_pnl_usd",
    "unrealized_delta_usd",
    "total_pnl_usd",
    "incomplete_reason",
    "early_pnl_usd",
    "late_pnl_usd",
    "holding_seconds",
    "adds_to_loser_count",
    "concentration_ratio",
    "overnight_usd",
)

BATCH_POSITIONS: Final = 5_000
"""Rows are written by about so many positions at a time."""

COPY_BYTES: Final = 2**20
"""So much of a batch is sent at once: after each time the sender waits for Python, which others use meanwhile."""

NULL: Final = "\\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def read_holdings(connection: Connection, scope: Mapping[str, Any]) -> dict[dt.date, Holdings]:
    """Read what each account of a scope carries into its first session, by that session.

    Parameters
    ----------
    scope
        Binds ``account_ids`` and their ``first_session_dates``.
    """
    opening: dict[dt.date, Holdings] = {}
    for first, account_id, symbol, *row in rows(connection, "aggregate_pnl/select_opening_positions", scope):
        opening.setdefault(first, {}).setdefault(account_id, {})[symbol] = _holding(*row)
    return opening


def _holding(
    currency: str,
    lots: Sequence[tuple[str, str, str]],
    multiplier: int | None,
    unrealized: Decimal | None,
    unrealized_usd: Decimal | None,
) -> Holding:
    return Holding(
        open_lots(
            (scaled(Decimal(quantity)), scaled(Decimal(price)), dt.date.fromisoformat(opened).toordinal())
            for opened, quantity, price in lots
        ),
        currency,
        multiplier,
        None if unrealized is None else scaled(unrealized, AMOUNT_DIGITS),
        None if unrealized_usd is None else scaled(unrealized_usd, USD_DIGITS),
    )


def read_prices(
    connection: Connection, binds: Mapping[str, Any], session_dates: Sequence[dt.date]
) -> tuple[PriceBook, set[tuple[str, str | None]]]:
    """Read what values positions in some sessions.

    Returns
    -------
    PriceBook
        Of these sessions.
    set of (str, str or None)
        Symbols and currencies (``None`` = not stated) that the fills of these sessions name.
    """
    reach = {**binds, "first_session_date": session_dates[0]}
    last_fills = rows(connection, "aggregate_pnl/select_last_fills", reach)
    prices = PriceBook(
        session_dates,
        (LastFill(day, symbol, currency, tuple(last)) for day, symbol, currency, *last in last_fills),
        (ScaledMark(*row) for row in rows(connection, "aggregate_pnl/select_marks", reach)),
        (ScaledInstrument(*row) for row in rows(connection, "aggregate_pnl/select_instruments", reach)),
        (SplitRatio(*row) for row in rows(connection, "aggregate_pnl/select_splits", reach)),
    )
    return prices, {(symbol, currency) for _, symbol, currency, *_ in last_fills}


def read_fills(connection: Connection, as_of: dt.datetime, deliveries: Sequence[Delivery]) -> dict[dt.date, Executions]:
    """Read the fills of some deliveries into each session's executions."""
    binds = {"as_of": as_of, "delivery_ids": [delivery.delivery_id for delivery in deliveries]}
    fills = pd.DataFrame(rows(connection, "aggregate_pnl/select_fills", binds), columns=FILL_COLUMNS)
    owners = {delivery.delivery_id: delivery for delivery in deliveries}
    owner = [owners[delivery_id] for delivery_id in fills["delivery_id"]]
    return session_executions(
        fills.assign(
            account_id=[delivery.account_id for delivery in owner],
            day=[delivery.session_date.toordinal() for delivery in owner],
            delivery_id=[delivery.basis_id for delivery in owner],
        )
    )


class _CopyRows:
    """Rows of one table in the text form of COPY."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self._command = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier("derived", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._rows: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, columns: Iterable[str]) -> None:
        self._rows.append("\t".join(columns))

    def copy(self, connection: Connection) -> None:
        text = io.BytesIO("\n".join(self._rows).encode())
        with connection.cursor() as cursor:
            cursor.copy_expert(self._command, text, COPY_BYTES)


@dataclass(slots=True)
class Batch:
    """A part of the books as rows.

    Attributes
    ----------
    account_session_count, incomplete_count
        Numbers of rows of daily_pnl, and of those whose total is unknown.
    """

    account_session_count: int = 0
    incomplete_count: int = 0
    _positions: _CopyRows = field(default_factory=lambda: _CopyRows("positions", POSITION_COLUMNS))
    _daily: _CopyRows = field(default_factory=lambda: _CopyRows("daily_pnl", DAILY_COLUMNS))

    @property
    def is_full(self) -> bool:
        """Whether it holds as many positions as should be stored at a time."""
        return len(self._positions) >= BATCH_POSITIONS

    def add(self, day: AccountSession) -> None:
        """Write an account-session and its positions down."""
        for position in day.positions:
            self._positions.add(_position_row(day, position))
        self._daily.add(_daily_row(day))
        self.account_session_count += 1
        self.incomplete_count += day.incomplete_reason is not None

    def store(self, connection: Connection) -> None:
        """Write the rows into the warehouse; the caller has removed what they replace, and commits."""
        self._positions.copy(connection)
        self._daily.copy(connection)


def in_batches(days: Iterable[AccountSession]) -> Iterator[Batch]:
    """Yield account-sessions as rows by and by."""
    batch = Batch()
    for day in days:
        batch.add(day)
        if batch.is_full:
            yield batch
            batch = Batch()
    yield batch


def _position_row(day: AccountSession, position: Position) -> tuple[str, ...]:
    lots = position.lots
    listed = ",".join(
        f'["{_day(opened)}","{_units(quantity)}","{_units(price)}"]' for quantity, price, opened in lots.lots
    )
    realized, unrealized = (_number(amount, AMOUNT_DIGITS) for amount in (position.realized, position.unrealized))
    is_usd = position.valuation.rate == UNIT
    return (
        _text(day.account_id),
        str(day.session_date),
        _text(position.symbol),
        _text(position.currency),
        _units(lots.quantity),
        _units(average_open_price(lots)) if lots.quantity else NULL,
        f"[{listed}]",
        *_valuation_columns(position.valuation),
        realized,
        unrealized,
        realized if is_usd else _number(position.realized_usd, USD_DIGITS),
        unrealized if is_usd else _number(position.unrealized_usd, USD_DIGITS),
        _text(ratio_text(position.ratio)),
        _units(position.split),
        _units(position.expired),
        f"{{{','.join(map(str, position.side_conflicts))}}}" if position.side_conflicts else NULL,
    )


@lru_cache(maxsize=65_536)
def _valuation_columns(valuation: Valuation) -> tuple[str, ...]:
    return (
        _units(valuation.multiplier),
        _units(valuation.price),
        valuation.source or NULL,
        _units(valuation.rate),
        valuation.rate_source or NULL,
        NULL if valuation.rate_date is None else str(valuation.rate_date),
    )


def ratio_text(ratio: SplitRatio | None) -> str | None:
    """Write a split as it is stored."""
    return None if ratio is None else f"{_units(ratio.new_shares)}:{_units(ratio.old_shares)}"


def _daily_row(day: AccountSession) -> tuple[str, ...]:
    results = (day.turnover, day.gross, day.fees, day.net, day.unrealized, day.unrealized_delta, day.total)
    return (
        _text(day.account_id),
        str(day.session_date),
        _number(day.delivery_id, 0),
        str(day.fill_count),
        _units(day.volume),
        *(_number(result, USD_DIGITS) for result in results),
        _text(day.incomplete_reason),
        *_behavior_columns(day.behavior),
    )


def _behavior_columns(behavior: TradingBehavior) -> tuple[str, ...]:
    return (
        _number(behavior.early, USD_DIGITS),
        _number(behavior.late, USD_DIGITS),
        _number(behavior.holding_seconds, 0),
        str(behavior.adds_to_loser_count),
        _number(behavior.concentration, SHARE_DIGITS),
        _number(behavior.overnight, USD_DIGITS),
    )


@lru_cache(maxsize=65_536)
def _text(value: str | None) -> str:
    return NULL if value is None else value.translate(_ESCAPES)


@lru_cache(maxsize=4_096)
def _day(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


@lru_cache(maxsize=65_536)
def _units(value: int | None) -> str:
    return _number(value, UNIT_DIGITS)


def _number(value: int | None, digits: int) -> str:
    return NULL if value is None else decimal_text(value, digits)
