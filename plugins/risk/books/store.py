"""The rows of the books: what is read from the warehouse to compute them, and how they are written to it."""

from __future__ import annotations

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from operator import methodcaller
from typing import Any, Final, NamedTuple

import pandas as pd
from psycopg2 import sql

from risk.books.behavior import SHARE_DIGITS
from risk.books.bulk import Delivery
from risk.books.executions import (
    AMOUNT_DIGITS,
    UNIT,
    UNIT_DIGITS,
    USD_DIGITS,
    Executions,
    scaled,
    session_executions,
)
from risk.books.fifo import open_lots
from risk.books.positions import Holding, Position, average_open_price
from risk.books.prices import STALE_SESSIONS, LastFill, PriceBook, ScaledInstrument, ScaledMark, SplitRatio, Valuation
from risk.books.session import AccountSession, Holdings
from risk.core.warehouse import Connection, rows

FILL_COLUMNS: Final = (
    "delivery_id",
    "tie_rank",
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


def decimal_text(value: int | None, digits: int) -> str:
    """Write an integer number of ``10**-digits`` as an exact decimal without exponent or trailing zeros."""
    if not value:
        return NULL if value is None else "0"
    # Digits as text: dividing such large integers takes twice as long.
    text = str(abs(value)).rjust(digits + 1, "0")
    point = len(text) - digits
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:point]}.{text[point:]}".rstrip("0").rstrip(".")


_units = lru_cache(maxsize=65_536)(partial(decimal_text, digits=UNIT_DIGITS))
_text = lru_cache(maxsize=65_536)(methodcaller("translate", _ESCAPES))


def clear_books(connection: Connection, scope: Mapping[str, Any]) -> dict[dt.date, Holdings]:
    """Remove what a scope computes again, and read what each account carries into its first session, by that session.

    Parameters
    ----------
    scope
        Binds ``through_session_date``, ``account_ids`` and their ``first_session_dates``.
    """
    opening: dict[dt.date, Holdings] = {}
    for first, account_id, symbol, *row in rows(connection, "aggregate_pnl/clear_books", scope):
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


def read_prices(connection: Connection, scope: Mapping[str, Any]) -> tuple[PriceBook, set[tuple[str, str | None]]]:
    """Read what values positions in some sessions.

    Parameters
    ----------
    scope
        Binds ``as_of``, ``first_session_date`` and ``through_session_date``.

    Returns
    -------
    PriceBook
        Of these sessions and the five before them.
    set of (str, str or None)
        Symbols and currencies (``None`` = not stated) that the fills of these sessions name.
    """
    session_dates: list[dt.date] = []
    fills: list[LastFill] = []
    marks: list[ScaledMark] = []
    instruments: list[ScaledInstrument] = []
    ratios: list[SplitRatio] = []
    found = rows(connection, "aggregate_pnl/select_prices", {**scope, "stale_session_count": STALE_SESSIONS})
    for kind, day, symbol, currency, price, multiplier, instant, tie_rank, *split in found:
        if kind == "session":
            session_dates.append(day)
        elif kind == "fill":
            fills.append(LastFill(day, symbol, currency, (instant, tie_rank, price)))
        elif kind == "mark":
            marks.append(ScaledMark(day, symbol, price, currency, multiplier))
        elif kind == "instrument":
            instruments.append(ScaledInstrument(day, symbol, multiplier, currency))
        else:
            ratios.append(SplitRatio(day, symbol, *split))
    named = {(fill.symbol, fill.currency) for fill in fills}
    return PriceBook(session_dates, fills, marks, instruments, ratios), named


def read_fills(
    connection: Connection, as_of: dt.datetime, deliveries: Sequence[Delivery]
) -> defaultdict[dt.date, tuple[Executions, ...]]:
    """Read the fills of some deliveries, by session: all in one part, or none."""
    binds = {"as_of": as_of, "delivery_ids": [delivery.delivery_id for delivery in deliveries]}
    fills = pd.DataFrame(rows(connection, "aggregate_pnl/select_fills", binds), columns=FILL_COLUMNS)
    owners = {delivery.delivery_id: delivery for delivery in deliveries}
    owner = [owners[delivery_id] for delivery_id in fills["delivery_id"]]
    executions = session_executions(
        fills.assign(
            account_id=[delivery.account_id for delivery in owner],
            day=[delivery.session_date.toordinal() for delivery in owner],
            delivery_id=[delivery.basis_id for delivery in owner],
        )
    )
    return defaultdict(tuple, {session_date: (part,) for session_date, part in executions.items()})


class LostRows(NamedTuple):
    """Rows of an account-session that may be executions and could not be loaded.

    Attributes
    ----------
    basis_id
        What the books note as the basis of the account and session.
    reason
        Sentences about them.
    """

    basis_id: int
    reason: str


def read_lost_rows(connection: Connection, deliveries: Iterable[Delivery]) -> dict[tuple[dt.date, str], LostRows]:
    """Read what some deliveries lack, by session and account."""
    incomplete = [delivery for delivery in deliveries if delivery.is_incomplete]
    if not incomplete:
        return {}
    binds = {
        "session_dates": [delivery.session_date for delivery in incomplete],
        "account_ids": [delivery.account_id for delivery in incomplete],
        "basis_ids": [delivery.basis_id for delivery in incomplete],
        "delivery_ids": [delivery.delivery_id for delivery in incomplete],
    }
    found = rows(connection, "aggregate_pnl/select_incomplete_deliveries", binds)
    return {(session_date, account_id): LostRows(*lost) for session_date, account_id, *lost in found}


def mark_lost_rows(
    days: Iterable[AccountSession], lost: Mapping[tuple[dt.date, str], LostRows]
) -> Iterator[AccountSession]:
    """Yield account-sessions, those that lack rows without a total: the other amounts are of the rows that came."""
    for day in days:
        found = lost.get((day.session_date, day.account_id))
        if found is not None:
            reason = " ".join(filter(None, (day.incomplete_reason, found.reason)))
            yield day._replace(delivery_id=day.delivery_id or found.basis_id, total=None, incomplete_reason=reason)
        else:
            yield day


@dataclass(slots=True)
class Batch:
    """A part of the books in the text form of COPY.

    Attributes
    ----------
    position_rows, daily_rows
        Of ``positions`` and ``daily_pnl``.
    incomplete_count
        Account-sessions among them whose total is unknown.
    """

    position_rows: list[str] = field(default_factory=list)
    daily_rows: list[str] = field(default_factory=list)
    incomplete_count: int = 0

    def store(self, connection: Connection) -> None:
        """Write the rows into the warehouse; the caller has removed what they replace, and commits."""
        tables = (
            ("positions", POSITION_COLUMNS, self.position_rows),
            ("daily_pnl", DAILY_COLUMNS, self.daily_rows),
        )
        for table, columns, listed in tables:
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier("derived", table), names)
            with connection.cursor() as cursor:
                cursor.copy_expert(command, io.BytesIO("\n".join(listed).encode()), COPY_BYTES)


def in_batches(days: Iterable[AccountSession]) -> Iterator[Batch]:
    """Yield account-sessions with their positions as rows by and by."""
    batch = Batch()
    for day in days:
        batch.position_rows += ["\t".join(_position_row(day, position)) for position in day.positions]
        batch.daily_rows.append("\t".join(_daily_row(day)))
        batch.incomplete_count += day.incomplete_reason is not None
        if len(batch.position_rows) >= BATCH_POSITIONS:
            yield batch
            batch = Batch()
    yield batch


def _position_row(day: AccountSession, position: Position) -> tuple[str, ...]:
    lots = position.lots
    listed = ",".join(
        f'["{_day(opened)}","{_units(quantity)}","{_units(price)}"]' for quantity, price, opened in lots.lots
    )
    realized, unrealized = (decimal_text(amount, AMOUNT_DIGITS) for amount in (position.realized, position.unrealized))
    is_usd = position.valuation.rate == UNIT
    conflicts = position.path.side_conflicts if position.path else ()
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
        realized if is_usd else decimal_text(position.realized_usd, USD_DIGITS),
        unrealized if is_usd else decimal_text(position.unrealized_usd, USD_DIGITS),
        split_text(position.splits) or NULL,
        _units(position.split),
        _units(position.expired),
        f"{{{','.join(map(str, conflicts))}}}" if conflicts else NULL,
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


def split_text(splits: Iterable[SplitRatio]) -> str | None:
    """Write a position's splits as they are stored; ``None`` = there is none."""
    texts = []
    for ratio in splits:
        text = f"{_units(ratio.new_shares)}:{_units(ratio.old_shares)}"
        texts.append(f"{text}, {ratio.symbol} is {ratio.new_symbol}" if ratio.new_symbol else text)
    return "; ".join(texts) or None


def _daily_row(day: AccountSession) -> tuple[str, ...]:
    behavior = day.behavior
    results = (day.turnover, day.gross, day.fees, day.net, day.unrealized, day.unrealized_delta, day.total)
    return (
        _text(day.account_id),
        str(day.session_date),
        decimal_text(day.delivery_id, 0),
        str(day.fill_count),
        _units(day.volume),
        *(decimal_text(result, USD_DIGITS) for result in results),
        _text(day.incomplete_reason) if day.incomplete_reason else NULL,
        decimal_text(behavior.early, USD_DIGITS),
        decimal_text(behavior.late, USD_DIGITS),
        decimal_text(behavior.holding_seconds, 0),
        str(behavior.adds_to_loser_count),
        decimal_text(behavior.concentration, SHARE_DIGITS),
        decimal_text(behavior.overnight, USD_DIGITS),
    )


@lru_cache(maxsize=4_096)
def _day(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()
