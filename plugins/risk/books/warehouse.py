"""The warehouse's books: positions and daily_pnl, kept at the newest knowledge of fills and prices."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from risk.books import bulk
from risk.books.executions import Executions
from risk.books.positions import trade_symbols
from risk.books.prices import PriceBook, Valuation
from risk.books.session import AccountSession, Holdings, TradeSymbols, close_session
from risk.books.store import in_batches, ratio_text, read_fills, read_holdings, read_prices
from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, execute, planning, rows, writing

TOLERANCE_USD: Final = Decimal("0.01")
MONEY_FORMAT: Final = "FMMI$999,999,999,999,990.00"
"""As the mail writes dollars, for Postgres."""

WINDOW_SESSIONS: Final = 20
"""A difference is reported each morning for so many sessions, or until it is settled."""

SHOWN_SIDE_CONFLICTS: Final = 100
"""Contradicting sides are listed for so many accounts and symbols; one more result counts the rest."""

FEW_DELIVERIES_OF_MANY_FILLS: Final[Mapping[str, str | float]] = {
    "work_mem": "64MB",
    "hash_mem_multiplier": 1,
    "enable_mergejoin": "off",
    "jit": "off",
    "parallel_setup_cost": 0,
}
"""How Postgres plans this transaction: it knows nothing about the keys of the deliveries that count, and would sort all
fills for a join with them, or hash all fills: a hash of them is kept too large for it, a sort of them is not."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What one call has written.

    Attributes
    ----------
    account_session_count
        Rows of daily_pnl; 0 = the books were up to date.
    recomputed_account_count
        Accounts these rows belong to.
    incomplete_count
        Rows among them whose total is unknown.
    """

    account_session_count: int
    recomputed_account_count: int
    incomplete_count: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is computed again.

    Attributes
    ----------
    binds
        Of the statements: the accounts, each with its first session, and until when and up to which session.
    prices
        Of the sessions to compute and the five before them.
    instruments
        Symbols and currencies (``None`` = not stated) that the fills of these sessions name.
    """

    binds: dict[str, Any]
    prices: PriceBook
    instruments: set[tuple[str, str | None]]


def aggregate(connection: Connection, run: Run) -> Aggregate:
    """Bring positions and daily_pnl up to date with the fills and marks of sessions up to the run's.

    An account is computed again from the first session on whose delivery, mark, rate, multiplier or split changed, up
    to the newest session in the books; accounts without a change are not written. What is stored is the newest
    knowledge of any run, so that an older session's run never takes anything back. Then the accounting identity is
    checked in SQL over everything written, the books are reconciled with the source's own totals, and warnings about
    the books are stored.

    Finding what changed, computing and writing happen under one write lock: two runs that each computed
    from the books before the other's write would leave neither's result.

    Raises
    ------
    BooksError
        If lots and fills disagree by a cent or a share; nothing is stored.
    """
    with writing(connection), planning(connection, **FEW_DELIVERIES_OF_MANY_FILLS):
        scope = _find_scope(connection, run)
        written = Aggregate(0, 0, 0) if scope is None else _write(connection, scope)
        _store_findings(connection, run)
    return written


def _find_scope(connection: Connection, run: Run) -> _Scope | None:
    """Find the accounts to compute again, each with its first session; ``None`` = the books are up to date."""
    of_run = {"session_date": run.session_date, "as_of": run.as_of}
    # A run of the past has books of its own, which no other run shares.
    newest = [] if run.is_point_in_time else rows(connection, "aggregate_pnl/select_horizons", of_run)
    as_of, through_session_date = newest[0] if newest else (run.as_of, run.session_date)
    binds = {"session_date": run.session_date, "as_of": as_of, "through_session_date": through_session_date}
    changed = rows(connection, "aggregate_pnl/select_changed_books", binds)
    traded = sorted({session_date for _, session_date, has_new_fills in changed if has_new_fills})
    _update_last_fills(connection, {**binds, "session_dates": traded})
    starts = [
        (account_id, session_date)
        for account_id, session_date, has_new_fills in changed
        if session_date <= run.session_date or not has_new_fills
    ]
    valued = rows(connection, "aggregate_pnl/select_valued_positions", binds)
    session_dates = [row[1] for row in starts] + [row[0] for row in valued]
    if not session_dates:
        return None
    prices, instruments = read_prices(connection, {**binds, "first_session_date": min(session_dates)})
    starts += _find_holders(connection, valued, prices)
    if not starts:
        return None
    # Of an account's sessions the first one comes last, and stays.
    firsts = dict(sorted(starts, reverse=True))
    account_ids = sorted(firsts)
    listed = {"account_ids": account_ids, "first_session_dates": [firsts[account_id] for account_id in account_ids]}
    return _Scope({**binds, **listed}, prices, instruments)


def _update_last_fills(connection: Connection, binds: Mapping[str, Any]) -> None:
    """Find the last fills of sessions again, whatever account's delivery changed and whoever is computed again."""
    if not binds["session_dates"]:
        return
    # With two the planner is undecided, and would hash a million fills by one process.
    with planning(connection, max_parallel_workers_per_gather=4):
        execute(connection, "aggregate_pnl/create_latest_fills", binds)
    execute(connection, "aggregate_pnl/update_last_fills", binds)


def _find_holders(
    connection: Connection, valued: Sequence[tuple[Any, ...]], prices: PriceBook
) -> Iterable[tuple[Any, ...]]:
    """Find who holds a symbol that is no longer valued as the books value it, with the first such session."""
    changed = [row[:2] for row in valued if _has_changed(row, prices)]
    if not changed:
        return []
    session_dates, symbols = zip(*changed, strict=True)
    binds = {"session_dates": list(session_dates), "symbols": list(symbols)}
    return rows(connection, "aggregate_pnl/select_holders", binds)


def _has_changed(row: tuple[Any, ...], prices: PriceBook) -> bool:
    """Return whether a symbol of a session is no longer converted, split or valued as in the books."""
    session_date, symbol, currency, is_open, split_ratio, *stored = row
    if prices.stated_currency(session_date, symbol) not in (None, currency):
        return True
    if ratio_text(prices.ratios.get((session_date, symbol))) != split_ratio:
        return True
    now = prices.value(session_date, symbol, currency)
    if not is_open:
        now = now._replace(price=None, source=None)
    return now != Valuation(*stored)


def _write(connection: Connection, scope: _Scope) -> Aggregate:
    """Compute what the scope names, in the place of what is stored, and check it."""
    execute(connection, "aggregate_pnl/delete_books", scope.binds)
    opening = read_holdings(connection, scope.binds)
    account_session_count = incomplete_count = 0
    deliveries = [bulk.Delivery(*row) for row in rows(connection, "aggregate_pnl/select_deliveries", scope.binds)]
    is_bulk = sum(delivery.fill_count for delivery in deliveries) >= bulk.BULK_FILLS
    with _open_fills(connection, scope, deliveries, is_bulk=is_bulk) as (fills_of, call):
        call(_sum_cash_flows, connection, scope.binds)
        days = _rebuild(scope, opening, fills_of, bulk.trade_symbols if is_bulk else trade_symbols)
        for batch in in_batches(days):
            account_session_count += len(batch.daily_rows)
            incomplete_count += batch.incomplete_count
            call(batch.store, connection)
    _check_accounting_identity(connection, scope.binds)
    return Aggregate(account_session_count, len(scope.binds["account_ids"]), incomplete_count)


def _rebuild(
    scope: _Scope,
    opening: Mapping[dt.date, Holdings],
    fills_of: Callable[[dt.date], Iterable[Executions]],
    trade: TradeSymbols,
) -> Iterator[AccountSession]:
    """Compute accounts session by session from what they carry into their first one, without the warehouse."""
    holdings: Holdings = {}
    for session_date in scope.prices.session_dates:
        holdings |= opening.get(session_date, {})
        yield from close_session(session_date, fills_of(session_date), holdings, scope.prices, trade)


@contextlib.contextmanager
def _open_fills(
    connection: Connection, scope: _Scope, deliveries: Sequence[bulk.Delivery], *, is_bulk: bool
) -> Iterator[tuple[Callable[[dt.date], Iterable[Executions]], Callable[..., None]]]:
    """Yield what returns a session's fills, and what makes calls that use the connection.

    Very many fills are read from a file, and the calls are made while Python computes.
    """
    as_of = scope.binds["as_of"]
    if not is_bulk:
        executions = read_fills(connection, as_of, deliveries)
        yield lambda session_date: filter(None, [executions.get(session_date)]), lambda work, *given: work(*given)
        return
    folder = read_settings().scratch_dir
    with (
        contextlib.closing(bulk.FillFile(connection, as_of, deliveries, scope.instruments, folder)) as file,
        bulk.second_thread() as call,
    ):
        yield file.session, call


def _sum_cash_flows(connection: Connection, binds: Mapping[str, Any]) -> None:
    """Sum up the fills for the accounting identity, by one process: the other processor computes the books."""
    with planning(connection, max_parallel_workers_per_gather=0, enable_sort="off"):
        execute(connection, "aggregate_pnl/create_cash_flows", binds)


def _check_accounting_identity(connection: Connection, binds: Mapping[str, Any]) -> None:
    """Compute the books a second way in SQL, by the accounting identity, and raise where the two differ."""
    # Sums by sorting: their window wants this order anyway.
    with planning(connection, enable_hashagg="off"):
        differences = rows(connection, "aggregate_pnl/check_accounting_identity", binds)
    for account_id, session_date, symbol, measure, books_number, fills_number, difference_count in differences:
        raise BooksError(
            f"The books of account {account_id}, session {session_date}, {symbol} do not balance: {measure} is "
            f"{books_number} by lots and {fills_number} by fills ({difference_count} differences in all). Nothing was "
            "stored; call the developers."
        )


def _store_findings(connection: Connection, run: Run) -> None:
    """Store differences from the source's totals, side conflicts, unusable marks and incomplete books as results."""
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "as_of": run.as_of,
        "window_sessions": WINDOW_SESSIONS,
        "tolerance_usd": TOLERANCE_USD,
        "money": MONEY_FORMAT,
        "shown_count": SHOWN_SIDE_CONFLICTS,
    }
    execute(connection, "aggregate_pnl/replace_findings", binds)
