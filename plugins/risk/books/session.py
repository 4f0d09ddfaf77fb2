"""Daily P&L from fills and statements alone, without a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import numpy as np

from risk.books.books import AccountSession, close_session
from risk.books.executions import Executions
from risk.books.fifo import USD_DIGITS, scaled, unscaled
from risk.books.paths import UNKNOWN_SECOND
from risk.books.positions import Holding
from risk.books.prices import MIXED_CURRENCIES, LastFill, Ratio, Statement, Terms, Valuer
from risk.core.calendar import sessions_between
from risk.core.entities import Fill, Instrument, Mark, Split
from risk.core.settings import EXCHANGE_ZONE

_SIGNS = {"B": 1, "C": 1, "S": -1, "T": -1}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class DailyPnl(NamedTuple):
    """One account's P&L of one session by the vendor's method.

    Exact US dollars, gains positive, fees positive = cost. ``None`` = unknown because the books are incomplete
    (no mark, no multiplier, no rate): never a zero.

    Attributes
    ----------
    account_id
        Trading account.
    session_date
        Session, a New York date.
    gross_pnl_usd
        Realized by closing lots, before fees.
    fees_usd
        Fees of the session's fills.
    net_pnl_usd
        Gross less fees.
    unrealized_pnl_usd
        Open lots against the closing mark.
    unrealized_delta_usd
        Unrealized less that of the session before.
    total_pnl_usd
        Net plus unrealized delta.
    """

    account_id: str
    session_date: dt.date
    gross_pnl_usd: Decimal | None
    fees_usd: Decimal
    net_pnl_usd: Decimal | None
    unrealized_pnl_usd: Decimal | None
    unrealized_delta_usd: Decimal | None
    total_pnl_usd: Decimal | None


def daily_pnl(
    fills: Iterable[Fill], marks: Iterable[Mark], instruments: Iterable[Instrument] = (), splits: Iterable[Split] = ()
) -> list[DailyPnl]:
    """Compute the P&L of every account-session with fills or a carried position, as exact decimals.

    Parameters, order and errors are those of `account_sessions`.
    """
    return [_published(day) for day in account_sessions(fills, marks, instruments, splits)]


def account_sessions(
    fills: Iterable[Fill], marks: Iterable[Mark], instruments: Iterable[Instrument] = (), splits: Iterable[Split] = ()
) -> list[AccountSession]:
    """Compute the books of every account-session with fills or a carried position.

    A carried position has a row for each session up to the newest one among fills and marks.

    Parameters
    ----------
    fills
        Executions in any order; they are taken by account, session, ``executed_at`` and ``line_number``.
    marks, instruments, splits
        Statements in any order; a later one about the same day and symbol replaces the earlier one.

    Returns
    -------
    list of AccountSession
        Ascending by account and session.

    Raises
    ------
    InputError
        If a number has more than 8 decimal places.
    """
    ordered = sorted(fills, key=_execution_order)
    statements = {(mark.session_date, mark.symbol): _statement(mark) for mark in marks}
    days = {fill.session_date for fill in ordered} | {session_date for session_date, _ in statements}
    if not ordered:
        return []
    # A date that the calendar does not know still has its fills: it is never dropped.
    session_dates = sorted(days.union(sessions_between(min(days), max(days))))
    terms = {(told.valid_from, told.symbol): _terms(told) for told in instruments}
    ratios = {(split.session_date, split.symbol): _ratio(split) for split in splits}
    valuer = Valuer(session_dates, map(_last_fill, ordered), statements.values(), terms.values(), ratios.values())
    by_session = {day: list(fills) for day, fills in groupby(ordered, key=lambda fill: fill.session_date)}
    holdings: dict[str, dict[str, Holding]] = {}
    books = [
        day
        for session_date in session_dates
        for day in close_session(session_date, _executions(by_session.get(session_date, ())), holdings, valuer)
    ]
    return sorted(books, key=lambda day: (day.account_id, day.session_date))


def _execution_order(fill: Fill) -> tuple[dt.date, str, str, dt.datetime, int]:
    return fill.session_date, fill.account_id, fill.symbol, fill.executed_at, fill.line_number


def _statement(mark: Mark) -> Statement:
    return Statement(mark.session_date, mark.symbol, _scaled(mark.price), mark.currency, _scaled(mark.multiplier))


def _terms(told: Instrument) -> Terms:
    return Terms(told.valid_from, told.symbol, _scaled(told.multiplier), told.currency)


def _ratio(split: Split) -> Ratio:
    return Ratio(split.session_date, split.symbol, scaled(split.new_shares), scaled(split.old_shares))


def _last_fill(fill: Fill) -> LastFill:
    """Return a fill as a candidate for its session's last one of the symbol."""
    microseconds = (fill.executed_at - _EPOCH) // dt.timedelta(microseconds=1)
    return LastFill(fill.session_date, fill.symbol, fill.currency, (microseconds, fill.line_number, scaled(fill.price)))


def _scaled(value: Decimal | None) -> int | None:
    return None if value is None else scaled(value)


def _executions(fills: Sequence[Fill]) -> Iterator[Executions]:
    """Yield the fills of a session, if there are any, as columns."""
    groups = [list(group) for _, group in groupby(fills, key=lambda fill: (fill.account_id, fill.symbol))]
    if groups:
        yield Executions(
            [group[0].account_id for group in groups],
            [group[0].symbol for group in groups],
            [_told_currency(group) for group in groups],
            [None] * len(groups),
            np.cumsum([0, *(len(group) for group in groups[:-1])]),
            np.array([_SIGNS[fill.side] * scaled(fill.quantity) for fill in fills], dtype=object),
            np.array([scaled(fill.price) for fill in fills], dtype=object),
            np.array([scaled(fill.fees_usd) for fill in fills], dtype=object),
            np.array([_second(fill.executed_at) for fill in fills]),
            np.frombuffer("".join(fill.side for fill in fills).encode(), dtype=np.uint8),
        )


def _second(executed_at: dt.datetime) -> int:
    is_unknown = executed_at.astimezone(EXCHANGE_ZONE).time() == dt.time()
    return UNKNOWN_SECOND if is_unknown else int(executed_at.timestamp())


def _told_currency(group: Iterable[Fill]) -> str | None:
    told = {fill.currency for fill in group if fill.currency is not None}
    if len(told) > 1:
        return MIXED_CURRENCIES
    return told.pop() if told else None


def _published(day: AccountSession) -> DailyPnl:
    return DailyPnl(
        day.account_id,
        day.session_date,
        _usd(day.gross),
        unscaled(day.fees, USD_DIGITS),
        _usd(day.net),
        _usd(day.unrealized),
        _usd(day.unrealized_delta),
        _usd(day.total),
    )


def _usd(amount: int | None) -> Decimal | None:
    return None if amount is None else unscaled(amount, USD_DIGITS)
