"""Rebuilding the books of some accounts, session by session; the rows go back to the warehouse by COPY."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from psycopg2 import sql

from risk.database import Connection, rows
from risk.pnl.books import AccountSession, close_session
from risk.pnl.conduct import SHARE_DIGITS, Conduct
from risk.pnl.export import FillFile
from risk.pnl.lots import (
    AMOUNT_DIGITS,
    UNIT,
    UNIT_DIGITS,
    USD_DIGITS,
    average_open_price,
    decimal_text,
    open_quantity,
    scaled,
)
from risk.pnl.positions import Holding, Position
from risk.pnl.scratch import text_scratch
from risk.pnl.valuation import Ratio, Valuer

Opened = dict[dt.date, dict[str, dict[str, Holding]]]
"""Holdings by the session they are carried into, account and symbol."""

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


class Rows:
    """Rows of one table as CSV in a temporary file: there may be more than fit into memory."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self._command = sql.SQL("copy {} ({}) from stdin with (format csv)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._file = text_scratch()
        self._writer = csv.writer(self._file)

    def write(self, written: Iterable[Sequence[object]]) -> None:
        """Add rows."""
        self._writer.writerows(written)

    def copy(self, connection: Connection) -> None:
        """Send everything to the table by COPY."""
        self._file.seek(0)
        with self._file, connection.cursor() as cursor:
            cursor.copy_expert(self._command, self._file)


@dataclass(slots=True)
class Rebuilt:
    """The books computed.

    Attributes
    ----------
    account_session_count, incomplete_count
        Numbers of rows of daily_pnl, and of those whose total is unknown.
    positions, daily
        The rows.
    """

    account_session_count: int = 0
    incomplete_count: int = 0
    positions: Rows = field(default_factory=lambda: Rows("positions", POSITION_COLUMNS))
    daily: Rows = field(default_factory=lambda: Rows("daily_pnl", DAILY_COLUMNS))


def rebuild(opened: Opened, fills: FillFile, session_dates: Sequence[dt.date], valuer: Valuer) -> Rebuilt:
    """Compute accounts from their first session on, without the warehouse.

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
    rebuilt = Rebuilt()
    holdings: dict[str, dict[str, Holding]] = {}
    for session_date in session_dates:
        holdings |= opened.get(session_date, {})
        for day in close_session(session_date, fills.session(session_date), holdings, valuer):
            rebuilt.positions.write(_position_row(day, position) for position in day.positions)
            rebuilt.daily.write([_daily_row(day)])
            rebuilt.account_session_count += 1
            rebuilt.incomplete_count += day.incomplete_reason is not None
    return rebuilt


def store(connection: Connection, rebuilt: Rebuilt) -> None:
    """Write the rows into the warehouse; the caller has removed what they replace, and commits."""
    rebuilt.positions.copy(connection)
    rebuilt.daily.copy(connection)


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
        tuple(_lot(*lot) for lot in lots),
        currency,
        multiplier,
        None if unrealized is None else scaled(unrealized, AMOUNT_DIGITS),
        None if unrealized_usd is None else scaled(unrealized_usd, USD_DIGITS),
    )


def _lot(opened: str, quantity: str, price: str) -> tuple[int, int, int]:
    return scaled(Decimal(quantity)), scaled(Decimal(price)), dt.date.fromisoformat(opened).toordinal()


def _position_row(day: AccountSession, position: Position) -> tuple[object, ...]:
    lots, valuation = position.lots, position.valuation
    listed = ",".join(
        f'["{_opened(opened)}","{_units(quantity)}","{_units(price)}"]' for quantity, price, opened in lots
    )
    realized, unrealized = _amount(position.realized), _amount(position.unrealized)
    is_usd = valuation.rate == UNIT
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
        realized,
        unrealized,
        _units(valuation.rate),
        valuation.rate_source,
        valuation.rate_date,
        realized if is_usd else _usd(position.realized_usd),
        unrealized if is_usd else _usd(position.unrealized_usd),
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
