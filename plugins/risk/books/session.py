"""The books of a session: every account's positions and daily P&L, from fills, splits and prices alone.

`riskctl pnl` calls `daily_pnl`; the warehouse's books are made of `close_session`, session by session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import pandas as pd

from risk.books import bulk
from risk.books.behavior import TradingBehavior, trading_behavior
from risk.books.executions import (
    FEES_TO_USD,
    USD_DIGITS,
    Executions,
    fills_frame,
    known_sum,
    scaled,
    session_executions,
    unscaled,
)
from risk.books.positions import (
    Holding,
    Position,
    SymbolTrades,
    close_symbol,
    incomplete_reason,
    split_holdings,
    trade_symbols,
)
from risk.books.prices import LastFill, PriceBook, ScaledInstrument, ScaledMark, SplitRatio
from risk.core.calendar import sessions_between
from risk.core.entities import Adjustment, Fill, Instrument, Mark, Split

Holdings = dict[str, dict[str, Holding]]
"""Positions carried into a session, by account and symbol."""

TradeSymbols = Callable[[Executions, Sequence[Holding | None], dt.date], Iterable[SymbolTrades]]
"""What matches a session's fills of each account and symbol to what is held of it."""


class AccountSession(NamedTuple):
    """One account in one session; amounts in US dollars scaled by 1e32, volume by 1e8, ``None`` = unknown.

    Attributes
    ----------
    delivery_id
        Basis of its fills; ``None`` where it only carries positions, or without a warehouse.
    volume
        Sum of the quantities traded.
    turnover
        Value of all fills.
    gross
        Realized, before fees.
    fees
        Costs positive.
    net
        Gross less fees.
    unrealized, unrealized_delta
        Of the open lots at the close, and less that of the close before.
    total
        Net plus unrealized delta.
    incomplete_reason
        Sentences about everything unknown; ``None`` = nothing.
    """

    account_id: str
    session_date: dt.date
    delivery_id: int | None
    fill_count: int
    volume: int
    turnover: int | None
    gross: int | None
    fees: int
    net: int | None
    unrealized: int | None
    unrealized_delta: int | None
    total: int | None
    incomplete_reason: str | None
    behavior: TradingBehavior
    positions: tuple[Position, ...]


def close_session(
    session_date: dt.date,
    traded: Iterable[Executions],
    holdings: Holdings,
    prices: PriceBook,
    trade: TradeSymbols = trade_symbols,
) -> Iterator[AccountSession]:
    """Yield the accounts that trade in a session or carry a position through it.

    Parameters
    ----------
    traded
        The session's fills in parts; an account is whole in one of them.
    holdings
        At the end those carried out of the session.
    prices
        Of this session and the five before it.
    trade
        Matches fills to what is held: one by one, or all of a session at once (`risk.books.bulk`).
    """
    idle = {account_id for account_id, held in holdings.items() if held}
    for account_id in idle:
        split_holdings(session_date, holdings[account_id], prices)
    for executions in traded:
        keys = list(zip(executions.account_ids, executions.symbols, strict=True))
        befores = [holdings.get(account_id, {}).get(symbol) for account_id, symbol in keys]
        matched = zip(keys, trade(executions, befores, session_date), strict=True)
        for account_id, group in groupby(matched, key=lambda item: item[0][0]):
            idle.discard(account_id)
            held = holdings.setdefault(account_id, {})
            trades = {symbol: symbol_trades for (_, symbol), symbol_trades in group}
            yield _close_account(account_id, session_date, trades, held, prices)
    for account_id in sorted(idle):
        yield _close_account(account_id, session_date, {}, holdings[account_id], prices)


def _close_account(
    account_id: str,
    session_date: dt.date,
    trades: dict[str, SymbolTrades],
    holdings: dict[str, Holding],
    prices: PriceBook,
) -> AccountSession:
    positions = tuple(
        close_symbol(session_date, symbol, trades.get(symbol), holdings, prices)
        for symbol in sorted(trades.keys() | holdings.keys())
    )
    gross = known_sum(position.realized_usd for position in positions)
    fees = sum(symbol.fees for symbol in trades.values()) * FEES_TO_USD
    net = None if gross is None else gross - fees
    unrealized_delta = known_sum(position.unrealized_delta_usd for position in positions)
    return AccountSession(
        account_id,
        session_date,
        next((symbol.delivery_id for symbol in trades.values()), None),
        sum(symbol.fill_count for symbol in trades.values()),
        sum(symbol.path.volume for symbol in trades.values()),
        known_sum(position.turnover for position in positions),
        gross,
        fees,
        net,
        known_sum(position.unrealized_usd for position in positions),
        unrealized_delta,
        known_sum((net, unrealized_delta)),
        incomplete_reason(session_date, positions),
        trading_behavior(positions),
        positions,
    )


class DailyPnl(NamedTuple):
    """One account's P&L of one session by the vendor's method.

    Exact US dollars, gains positive, fees positive = cost. ``None`` = unknown because the books are incomplete
    (no mark, no multiplier, no rate): never a zero.

    Attributes
    ----------
    account_id
        Trading account.
    session_date
        Session, a date of the exchange.
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
    fills: Iterable[Fill] | pd.DataFrame,
    marks: Iterable[Mark],
    instruments: Iterable[Instrument] = (),
    splits: Iterable[Split] = (),
) -> list[DailyPnl]:
    """Compute the P&L of every account-session with fills or a carried position, as exact decimals.

    Parameters, order and errors are those of `account_sessions`.
    """
    return [exact_pnl(day) for day in account_sessions(fills, marks, instruments, splits)]


def exact_pnl(day: AccountSession) -> DailyPnl:
    """Return the P&L of an account-session as exact decimals."""
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


def account_sessions(
    fills: Iterable[Fill] | pd.DataFrame,
    marks: Iterable[Mark],
    instruments: Iterable[Instrument] = (),
    splits: Iterable[Split] = (),
) -> list[AccountSession]:
    """Compute the books of every account-session with fills or a carried position, ascending by account and session.

    A carried position has a row for each session up to the newest one among fills and marks.

    Parameters
    ----------
    fills
        Executions in any order, or the frame that `session_executions` takes; they are taken by account, session,
        instant and tie rank.
    marks, instruments, splits
        In any order; a later one about the same day and symbol replaces the earlier one.

    Raises
    ------
    InputError
        If a number has more than 8 decimal places.
    """
    frame = fills if isinstance(fills, pd.DataFrame) else fills_frame(fills)
    traded = session_executions(frame)
    if not traded:
        return []
    listed_marks = list(marks)
    days = traded.keys() | {mark.session_date for mark in listed_marks}
    # A date that the calendar does not know still has its fills: it is never dropped.
    session_dates = sorted(days | set(sessions_between(min(days), max(days))))
    prices = _price_book(session_dates, frame, listed_marks, instruments, splits)
    holdings: Holdings = {}
    trade = bulk.trade_symbols if len(frame) >= bulk.BULK_FILLS else trade_symbols
    books: list[AccountSession] = []
    for session_date in session_dates:
        parts = [traded[session_date]] if session_date in traded else []
        books += close_session(session_date, parts, holdings, prices, trade)
    return sorted(books, key=itemgetter(0, 1))


def _price_book(
    session_dates: Sequence[dt.date],
    fills: pd.DataFrame,
    marks: Iterable[Mark],
    instruments: Iterable[Instrument],
    splits: Iterable[Split],
) -> PriceBook:
    """Scale what files state; a later line about the same day and symbol replaces the earlier one."""
    scaled_marks = {
        (day, symbol): ScaledMark(day, symbol, _scaled(price), currency, _scaled(multiplier))
        for day, symbol, price, currency, multiplier, _ in marks
    }
    scaled_instruments = {
        (day, symbol): ScaledInstrument(day, symbol, _scaled(multiplier), currency)
        for day, symbol, multiplier, currency in instruments
    }
    ratios = {
        (day, symbol): SplitRatio(day, symbol, scaled(new_shares), scaled(old_shares), new_symbol)
        for day, symbol, new_shares, old_shares, new_symbol in splits
    }
    named = (scaled_marks.values(), scaled_instruments.values(), ratios.values())
    return PriceBook(session_dates, _last_fills(fills), *named)


def _scaled(value: Decimal | None) -> int | None:
    return None if value is None else scaled(value)


def _last_fills(fills: pd.DataFrame) -> Iterator[LastFill]:
    """Yield the last fill of each symbol in each session, in each currency as stated; one at 0 is no price."""
    ordered = fills[fills["price"] > 0].sort_values(["instant", "tie_rank", "price"])
    last = ordered.drop_duplicates(["day", "symbol", "currency"], keep="last")
    columns = (last[name].tolist() for name in ("day", "symbol", "currency", "instant", "tie_rank", "price"))
    for day, symbol, currency, *instant_rank_price in zip(*columns, strict=True):
        yield LastFill(dt.date.fromordinal(day), symbol, currency or None, tuple(instant_rank_price))


def booked_adjustments(adjustments: Iterable[Adjustment]) -> dict[tuple[str, dt.date], Decimal]:
    """Add up what is booked beside trading, by account and session; the opposite goes to offset accounts.

    Adjustments are a ledger of their own and part of no P&L; zeros are dropped.

    Returns
    -------
    dict
        US dollars, positive = credit.
    """
    booked: dict[tuple[str, dt.date], Decimal] = {}
    for each in adjustments:
        if not each.amount_usd:
            continue
        credited = (each.account_id, each.session_date)
        booked[credited] = booked.get(credited, Decimal(0)) + each.amount_usd
        if each.offset_account_id is not None:
            debited = (each.offset_account_id, each.session_date)
            booked[debited] = booked.get(debited, Decimal(0)) - each.amount_usd
    return booked
