"""Daily P&L from fills and marks alone, without a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from risk.entities import Fill, Mark
from risk.pnl.books import AccountSession, SymbolFills, close_sessions
from risk.pnl.conduct import UNKNOWN_SECOND
from risk.pnl.lots import AMOUNT_DIGITS, scaled, unscaled
from risk.pnl.valuation import BASE_CURRENCY, Statement, Valuer
from risk.sessions import sessions_between
from risk.settings import EXCHANGE_ZONE

_SIGNS = {"B": 1, "C": 1, "S": -1, "T": -1}


class DailyPnl(NamedTuple):
    """One account's P&L of one session by the vendor's method.

    Exact US dollars, gains positive, fees positive = cost. ``None`` = unknown because the books are incomplete
    (no mark, no multiplier, another currency): never a zero.

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


def daily_pnl(fills: Iterable[Fill], marks: Iterable[Mark]) -> list[DailyPnl]:
    """Compute the P&L of every account-session with fills or a carried position, as exact decimals.

    Parameters, order and errors are those of `account_sessions`.
    """
    return [_published(day) for day in account_sessions(fills, marks)]


def account_sessions(fills: Iterable[Fill], marks: Iterable[Mark]) -> list[AccountSession]:
    """Compute the books of every account-session with fills or a carried position.

    A carried position has a row for each session up to the newest one among fills and marks.

    Parameters
    ----------
    fills
        Executions in any order; they are taken by account, session, ``executed_at`` and ``line_number``.
    marks
        Closing prices in any order; a later one for the same session and symbol replaces the earlier one.

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
    valuer = Valuer(session_dates, _last_fills(ordered), statements.values())
    return [
        day
        for account_id, executions in groupby(ordered, key=lambda fill: fill.account_id)
        for day in close_sessions(account_id, session_dates, _by_symbol(executions), {}, valuer)
    ]


def _execution_order(fill: Fill) -> tuple[str, dt.date, dt.datetime, int]:
    return fill.account_id, fill.session_date, fill.executed_at, fill.line_number


def _statement(mark: Mark) -> Statement:
    return Statement(
        mark.session_date,
        mark.symbol,
        None if mark.price is None else scaled(mark.price),
        mark.currency,
        None if mark.multiplier is None else scaled(mark.multiplier),
    )


def _last_fills(fills: Sequence[Fill]) -> dict[tuple[dt.date, str], int]:
    """Return the price of each session's last US dollar fill of a symbol over all accounts, scaled by 1e8."""
    latest: dict[tuple[dt.date, str], Fill] = {}
    for fill in fills:
        if fill.currency in (None, BASE_CURRENCY):
            key = (fill.session_date, fill.symbol)
            latest[key] = max(latest.get(key, fill), fill, key=_instant)
    return {key: scaled(fill.price) for key, fill in latest.items()}


def _instant(fill: Fill) -> tuple[dt.datetime, int, Decimal]:
    return fill.executed_at, fill.line_number, fill.price


def _by_symbol(fills: Iterable[Fill]) -> Iterator[SymbolFills]:
    for session_date, executions in groupby(fills, key=lambda fill: fill.session_date):
        groups: dict[str, list[Fill]] = {}
        for fill in executions:
            groups.setdefault(fill.symbol, []).append(fill)
        for symbol, group in groups.items():
            foreign = [fill.currency for fill in group if fill.currency not in (None, BASE_CURRENCY)]
            yield SymbolFills(
                group[0].account_id,
                session_date,
                symbol,
                max(foreign, default=BASE_CURRENCY),
                [_SIGNS[fill.side] * scaled(fill.quantity) for fill in group],
                [scaled(fill.price) for fill in group],
                [_second(fill.executed_at) for fill in group],
                sum(scaled(fill.fees_usd) for fill in group),
                None,
            )


def _second(executed_at: dt.datetime) -> int:
    is_unknown = executed_at.astimezone(EXCHANGE_ZONE).time() == dt.time()
    return UNKNOWN_SECOND if is_unknown else int(executed_at.timestamp())


def _published(day: AccountSession) -> DailyPnl:
    return DailyPnl(
        day.account_id,
        day.session_date,
        _usd(day.gross),
        unscaled(day.fees, AMOUNT_DIGITS),
        _usd(day.net),
        _usd(day.unrealized),
        _usd(day.unrealized_delta),
        _usd(day.total),
    )


def _usd(amount: int | None) -> Decimal | None:
    return None if amount is None else unscaled(amount, AMOUNT_DIGITS)
