"""Rebuilding the books of some accounts: fills stream out of the warehouse by account, rows stream back by COPY."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from psycopg2 import sql

from risk.database import Connection, execute, statement
from risk.pnl.books import AccountSession, close_sessions
from risk.pnl.conduct import SHARE_DIGITS, Conduct
from risk.pnl.lots import (
    AMOUNT_DIGITS,
    UNIT_DIGITS,
    USD_DIGITS,
    Lot,
    average_open_price,
    decimal_text,
    open_quantity,
    scaled,
)
from risk.pnl.positions import Holding, Position, SymbolFills
from risk.pnl.valuation import Ratio, Valuer

FETCHED_ROWS = 5_000
BUFFERED_CHARACTERS = 4_000_000
"""Rows wait in memory up to this size, then leave by COPY."""

POSITION_COLUMNS = (
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
    "realized_pnl",
    "unrealized_pnl",
    "rate",
    "rate_source",
    "rate_date",
    "realized_pnl_usd",
    "unrealized_pnl_usd",
    "split_ratio",
    "split_quantity",
    "expired_quantity",
    "odd_fills",
)
DAILY_COLUMNS = (
    "account_id",
    "session_date",
    "delivery_id",
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
    "enlarging_fill_count",
    "concentration_ratio",
    "overnight_usd",
)


@dataclass(slots=True)
class Rebuilt:
    """Counts of the rows of daily_pnl written, and of those whose total is unknown."""

    account_session_count: int = 0
    incomplete_count: int = 0


def rebuild(
    connection: Connection, scope: Mapping[str, Any], session_dates: Sequence[dt.date], valuer: Valuer
) -> Rebuilt:
    """Compute the accounts of the scope from their first session on and write their rows; the caller commits.

    Parameters
    ----------
    connection
        Inside a transaction whose rows of the scope are deleted.
    scope
        Binds ``as_of``, ``through_session_date``, ``account_ids`` (ascending) and their ``first_session_dates``.
    session_dates
        Every session that any of them needs, ascending.
    valuer
        Knows these sessions.
    """
    rebuilt = Rebuilt()
    positions = _CopyWriter(connection, "positions", POSITION_COLUMNS)
    daily = _CopyWriter(connection, "daily_pnl", DAILY_COLUMNS)
    openings = _AccountRows(_stream(connection, "select_opening_positions", scope))
    _gather_fills(connection, scope)
    fills = _AccountRows(_stream(connection, "select_symbol_fills", {}))
    for account_id, first in zip(scope["account_ids"], scope["first_session_dates"], strict=True):
        days = (session_date for session_date in session_dates if session_date >= first)
        holdings = {row[1]: _holding(row) for row in openings.take(account_id)}
        groups = (SymbolFills(*row) for row in fills.take(account_id))
        for day in close_sessions(account_id, days, groups, holdings, valuer):
            positions.write(_position_row(day, position) for position in day.positions)
            daily.write([_daily_row(day)])
            rebuilt.account_session_count += 1
            rebuilt.incomplete_count += day.incomplete_reason is not None
    positions.flush()
    daily.flush()
    return rebuilt


def _gather_fills(connection: Connection, scope: Mapping[str, Any]) -> None:
    """Put the scope's fills into a table, by hashing: the planner takes them for a few, and would loop over them."""
    with connection.cursor() as cursor:
        cursor.execute("set local enable_nestloop = off")
        execute(connection, "aggregate_pnl/create_symbol_fills", scope)
        cursor.execute("set local enable_nestloop = on")


def _stream(connection: Connection, name: str, binds: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield a statement's rows through a server-side cursor, so that memory does not grow with the session."""
    with connection.cursor(name=name) as cursor:
        cursor.itersize = FETCHED_ROWS
        cursor.execute(statement(f"aggregate_pnl/{name}"), binds)
        yield from cursor


class _AccountRows:
    """Rows ascending by account, handed out account by account."""

    def __init__(self, account_rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = account_rows
        self._next = next(account_rows, None)

    def take(self, account_id: str) -> Iterator[tuple[Any, ...]]:
        while self._next is not None and self._next[0] == account_id:
            yield self._next
            self._next = next(self._rows, None)


class _CopyWriter:
    """Collects rows of one table as CSV and sends them by COPY."""

    def __init__(self, connection: Connection, table: str, columns: Sequence[str]) -> None:
        self._connection = connection
        self._command = sql.SQL("copy {} ({}) from stdin with (format csv)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._renew()

    def _renew(self) -> None:
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer)

    def write(self, copied: Iterable[Sequence[object]]) -> None:
        self._writer.writerows(copied)
        if self._buffer.tell() > BUFFERED_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        self._buffer.seek(0)
        with self._connection.cursor() as cursor:
            cursor.copy_expert(self._command, self._buffer)
        self._renew()


def _holding(row: tuple[Any, ...]) -> Holding:
    _, _, currency, lots, multiplier, unrealized, unrealized_usd = row
    return Holding(
        deque(_lot(*lot) for lot in lots),
        currency,
        multiplier,
        None if unrealized is None else scaled(unrealized, AMOUNT_DIGITS),
        None if unrealized_usd is None else scaled(unrealized_usd, USD_DIGITS),
    )


def _lot(opened: str, quantity: str, price: str) -> Lot:
    return [scaled(Decimal(quantity)), scaled(Decimal(price)), dt.date.fromisoformat(opened).toordinal()]


def _position_row(day: AccountSession, position: Position) -> tuple[object, ...]:
    lots, valuation = position.lots, position.valuation
    listed = ",".join(
        f'["{_opened(opened)}","{_units(quantity)}","{_units(price)}"]' for quantity, price, opened in lots
    )
    return (
        day.account_id,
        day.session_date,
        position.symbol,
        position.currency,
        _units(open_quantity(lots)),
        _units(average_open_price(lots)) if lots else None,
        f"[{listed}]",
        _units(valuation.multiplier),
        _units(valuation.price),
        valuation.source,
        _amount(position.realized),
        _amount(position.unrealized),
        _units(valuation.rate),
        valuation.rate_source,
        valuation.rate_date,
        _usd(position.realized_usd),
        _usd(position.unrealized_usd),
        ratio_text(position.ratio),
        _units(position.split),
        _units(position.expired),
        f"{{{','.join(map(str, position.odd_fills))}}}" if position.odd_fills else None,
    )


def ratio_text(ratio: Ratio | None) -> str | None:
    """Write a split as it is stored."""
    return None if ratio is None else f"{_units(ratio.new_shares)}:{_units(ratio.old_shares)}"


def _daily_row(day: AccountSession) -> tuple[object, ...]:
    return (
        day.account_id,
        day.session_date,
        day.delivery_id,
        day.fill_count,
        _units(day.volume),
        _usd(day.turnover),
        _usd(day.gross),
        _usd(day.fees),
        _usd(day.net),
        _usd(day.unrealized),
        _usd(day.unrealized_delta),
        _usd(day.total),
        day.incomplete_reason,
        *_conduct_columns(day.conduct),
    )


def _conduct_columns(conduct: Conduct) -> tuple[object, ...]:
    return (
        _usd(conduct.early),
        _usd(conduct.late),
        conduct.holding_seconds,
        conduct.enlarging_count,
        None if conduct.concentration is None else decimal_text(conduct.concentration, SHARE_DIGITS),
        _usd(conduct.overnight),
    )


@lru_cache(maxsize=4_096)
def _opened(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


@lru_cache(maxsize=65_536)
def _units(value: int | None) -> str | None:
    return None if value is None else decimal_text(value, UNIT_DIGITS)


def _amount(value: int | None) -> str | None:
    return None if value is None else decimal_text(value, AMOUNT_DIGITS)


def _usd(value: int | None) -> str | None:
    return None if value is None else decimal_text(value, USD_DIGITS)
