"""Batches: parts of the books as rows in the text form of COPY, on their way to the warehouse."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from psycopg2 import sql

from risk.books.books import AccountSession
from risk.books.conduct import SHARE_DIGITS, Conduct
from risk.books.fifo import AMOUNT_DIGITS, UNIT, UNIT_DIGITS, USD_DIGITS, average_open_price, decimal_text
from risk.books.positions import Position
from risk.books.prices import Ratio, Valuation
from risk.core.warehouse import Connection

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
    "adds_to_loser_count",
    "concentration_ratio",
    "overnight_usd",
)


BATCH_POSITIONS = 5_000
"""Rows go back by about so many positions at a time."""

COPY_BYTES = 2**20
"""So much of a batch is sent at once: after each time the sender waits for Python, which others use meanwhile."""

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Rows:
    """Rows of one table in the text form of COPY."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self._command = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._rows: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def write(self, columns: Iterable[str]) -> None:
        """Add a row."""
        self._rows.append("\t".join(columns))

    def copy(self, connection: Connection) -> None:
        """Send everything to the table by COPY."""
        text = io.BytesIO("\n".join(self._rows).encode())
        with connection.cursor() as cursor:
            cursor.copy_expert(self._command, text, COPY_BYTES)


@dataclass(slots=True)
class Batch:
    """A part of the books computed.

    Attributes
    ----------
    account_session_count, incomplete_count
        Numbers of rows of daily_pnl, and of those whose total is unknown.
    """

    account_session_count: int = 0
    incomplete_count: int = 0
    _positions: Rows = field(default_factory=lambda: Rows("positions", POSITION_COLUMNS))
    _daily: Rows = field(default_factory=lambda: Rows("daily_pnl", DAILY_COLUMNS))

    @property
    def is_full(self) -> bool:
        """Whether it holds as many positions as should be stored at a time."""
        return len(self._positions) >= BATCH_POSITIONS

    def add(self, day: AccountSession) -> None:
        """Write an account-session and its positions down."""
        for position in day.positions:
            self._positions.write(_position_row(day, position))
        self._daily.write(_daily_row(day))
        self.account_session_count += 1
        self.incomplete_count += day.incomplete_reason is not None

    def store(self, connection: Connection) -> None:
        """Write the rows into the warehouse; the caller has removed what they replace, and commits."""
        self._positions.copy(connection)
        self._daily.copy(connection)


def _position_row(day: AccountSession, position: Position) -> tuple[str, ...]:
    lots, valuation = position.lots, position.valuation
    listed = ",".join(
        f'["{_day(opened)}","{_units(quantity)}","{_units(price)}"]' for quantity, price, opened in lots.lots
    )
    realized, unrealized = _amount(position.realized), _amount(position.unrealized)
    is_usd = valuation.rate == UNIT
    return (
        _text(day.account_id),
        _day(day.session_date.toordinal()),
        _text(position.symbol),
        _text(position.currency),
        _units(lots.quantity),
        _units(average_open_price(lots)) if lots.quantity else NULL,
        f"[{listed}]",
        *_valuation_columns(valuation),
        realized,
        unrealized,
        realized if is_usd else _usd(position.realized_usd),
        unrealized if is_usd else _usd(position.unrealized_usd),
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
        _day(valuation.rate_date.toordinal()) if valuation.rate_date else NULL,
    )


def ratio_text(ratio: Ratio | None) -> str | None:
    """Write a split as it is stored."""
    return None if ratio is None else f"{_units(ratio.new_shares)}:{_units(ratio.old_shares)}"


def _daily_row(day: AccountSession) -> tuple[str, ...]:
    return (
        _text(day.account_id),
        _day(day.session_date.toordinal()),
        _integer(day.delivery_id),
        _integer(day.fill_count),
        _units(day.volume),
        _usd(day.turnover),
        _usd(day.gross),
        _usd(day.fees),
        _usd(day.net),
        _usd(day.unrealized),
        _usd(day.unrealized_delta),
        _usd(day.total),
        _text(day.incomplete_reason),
        *_conduct_columns(day.conduct),
    )


def _conduct_columns(conduct: Conduct) -> tuple[str, ...]:
    return (
        _usd(conduct.early),
        _usd(conduct.late),
        _integer(conduct.holding_seconds),
        _integer(conduct.enlarging_count),
        _decimal(conduct.concentration, SHARE_DIGITS),
        _usd(conduct.overnight),
    )


@lru_cache(maxsize=65_536)
def _text(value: str | None) -> str:
    return NULL if value is None else value.translate(_ESCAPES)


@lru_cache(maxsize=4_096)
def _day(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


@lru_cache(maxsize=65_536)
def _units(value: int | None) -> str:
    return _decimal(value, UNIT_DIGITS)


def _amount(value: int | None) -> str:
    return _decimal(value, AMOUNT_DIGITS)


def _usd(value: int | None) -> str:
    return _decimal(value, USD_DIGITS)


def _decimal(value: int | None, digits: int) -> str:
    return NULL if value is None else decimal_text(value, digits)


def _integer(value: int | None) -> str:
    return NULL if value is None else str(value)
