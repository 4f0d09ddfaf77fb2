"""The warehouse's books: positions and daily_pnl, kept at the newest knowledge of fills and prices."""

from __future__ import annotations

import contextlib
import datetime as dt
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from risk.books import bulk
from risk.books.executions import Executions
from risk.books.positions import trade_symbols
from risk.books.prices import PriceBook, Valuation
from risk.books.session import AccountSession, Holdings, TradeSymbols, close_session
from risk.books.store import (
    clear_books,
    in_batches,
    mark_lost_rows,
    read_fills,
    read_lost_rows,
    read_prices,
    split_text,
)
from risk.core.corporate_actions import CarriedSymbol, find_split
from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, execute, planning, rows, writing

REPORTED: Final[Mapping[str, Any]] = {
    "window_sessions": 20,
    "tolerance_usd": Decimal("0.01"),
    "money": "FMMI$999,999,999,999,990.00",
    "shown_count": 100,
}
"""What the statement about the books' findings binds: a difference is reported each morning for so many sessions, or
until it is settled; how Postgres writes dollars as the mail does; contradicting sides are listed for so many accounts
and symbols, and one more result counts the rest."""

FEW_DELIVERIES_OF_MANY_FILLS: Final[Mapping[str, str | float]] = {
    "work_mem": "64MB",
    "hash_mem_multiplier": 1,
    "enable_mergejoin": "off",
    "jit": "off",
    "parallel_setup_cost": 0,
}
"""How Postgres plans this transaction: it knows nothing about the keys of the deliveries that count, and would sort all
fills for a join with them, or hash all fills: a hash of them is kept too large for it, a sort of them is not."""

MANY_ACCOUNT_SESSIONS: Final = 10_000
"""So many at once are a history: Postgres is made to count them, and sees days that are added by itself."""


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
    delivered
        Accounts and sessions whose fills are others than the books have.
    """

    binds: dict[str, Any]
    prices: PriceBook
    instruments: set[tuple[str, str | None]]
    delivered: list[tuple[str, dt.date]]


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
    binds = {"run_id": run.run_id, "session_date": run.session_date, "as_of": run.as_of}
    with writing(connection), planning(connection, **FEW_DELIVERIES_OF_MANY_FILLS):
        # A run of the past has books of its own, which no other run shares.
        newest = [] if run.is_point_in_time else rows(connection, "aggregate_pnl/select_horizons", binds)
        as_of, through_session_date = newest[0] if newest else (run.as_of, run.session_date)
        written = _update_books(connection, run, as_of, through_session_date)
        if written.account_session_count >= MANY_ACCOUNT_SESSIONS:
            execute(connection, "aggregate_pnl/analyze_books")
        execute(connection, "aggregate_pnl/replace_findings", {**binds, **REPORTED, **_suspect_splits(connection, run)})
    return written


def rebuild_as_of(connection: Connection, session_date: dt.date, as_of: dt.datetime) -> Aggregate:
    """Bring the books that a connection has apart to what was known of sessions up to one at an instant.

    They are not computed a second way: nothing acts on them, and the sums over all fills of an account cost most.
    """
    with writing(connection), planning(connection, **FEW_DELIVERIES_OF_MANY_FILLS):
        scope = _find_scope(connection, session_date, as_of, session_date)
        return Aggregate(0, 0, 0) if scope is None else _write(connection, scope)


def _update_books(connection: Connection, run: Run, as_of: dt.datetime, through_session_date: dt.date) -> Aggregate:
    """Compute again what has changed, and check it; the caller holds the write lock."""
    scope = _find_scope(connection, run.session_date, as_of, through_session_date)
    if scope is None:
        return Aggregate(0, 0, 0)
    if scope.delivered and not run.is_point_in_time:
        account_ids, session_dates = map(list, zip(*scope.delivered, strict=True))
        replaced = {"run_id": run.run_id, "as_of": as_of, "account_ids": account_ids, "session_dates": session_dates}
        execute(connection, "aggregate_pnl/insert_superseded_results", replaced)
    written = _write(connection, scope, beside="aggregate_pnl/create_cash_flows")
    # Sums by sorting: their window wants this order anyway.
    with planning(connection, enable_hashagg="off"):
        differences = rows(connection, "aggregate_pnl/check_accounting_identity", scope.binds)
    for account_id, day, symbol, measure, books_number, fills_number, difference_count in differences:
        raise BooksError(
            f"The books of account {account_id}, session {day}, {symbol} do not balance: {measure} is {books_number} "
            f"by lots and {fills_number} by fills ({difference_count} differences in all). Nothing was stored; call "
            "the developers."
        )
    return written


def _suspect_splits(connection: Connection, run: Run) -> dict[str, list[str]]:
    """Find unstated and misstated splits at the open of a run's session; binds of the findings."""
    of_session = {"session_date": run.session_date, "as_of": run.as_of}
    carried = [CarriedSymbol(*row) for row in rows(connection, "aggregate_pnl/select_carried_symbols", of_session)]
    suspected = [(each, found) for each, found in zip(carried, map(find_split, carried), strict=True) if found]
    return {
        "split_subjects": [f"{each.account_id} {each.symbol}" for each, _ in suspected],
        "split_ratios": [found.ratio for _, found in suspected],
        "split_sentences": [found.sentence for _, found in suspected],
    }


def _find_scope(
    connection: Connection, session_date: dt.date, as_of: dt.datetime, through_session_date: dt.date
) -> _Scope | None:
    """Find the accounts to compute again, each with its first session; ``None`` = the books are up to date."""
    binds = {"session_date": session_date, "as_of": as_of, "through_session_date": through_session_date}
    changed = rows(connection, "aggregate_pnl/select_changed_books", binds)
    traded = sorted({changed_date for _, changed_date, has_new_fills in changed if has_new_fills})
    if traded:
        # By hashing. With two workers the planner is undecided, and would hash a million fills by one process.
        with planning(connection, max_parallel_workers_per_gather=4, enable_sort="off"):
            execute(connection, "aggregate_pnl/update_last_fills", {**binds, "session_dates": traded})
    starts = [row[:2] for row in changed if row[1] <= session_date or not row[2]]
    # By hashing: many positions have few valuations.
    with planning(connection, enable_sort="off"):
        valued = rows(connection, "aggregate_pnl/select_valued_positions", binds)
    session_dates = [row[1] for row in starts] + [row[0] for row in valued]
    if not session_dates:
        return None
    prices, instruments = read_prices(connection, {**binds, "first_session_date": min(session_dates)})
    revalued = [row[:2] for row in valued if _has_changed(row, prices)]
    if revalued:
        listed = {"session_dates": [row[0] for row in revalued], "symbols": [row[1] for row in revalued]}
        starts += rows(connection, "aggregate_pnl/select_holders", listed)
    if not starts:
        return None
    # Of an account's sessions the first one comes last, and stays.
    firsts = dict(sorted(starts, reverse=True))
    account_ids = sorted(firsts)
    first_session_dates = [firsts[account_id] for account_id in account_ids]
    listed = {
        "account_ids": account_ids,
        "first_session_dates": first_session_dates,
        "first_session_date": min(first_session_dates),
    }
    source_account_ids = rows(connection, "aggregate_pnl/select_source_accounts", {**binds, **listed})
    listed["source_account_ids"] = [source_account_id for (source_account_id,) in source_account_ids]
    delivered = [(account_id, day) for account_id, day, has_new_fills in changed if has_new_fills]
    return _Scope({**binds, **listed}, prices, instruments, delivered)


def _has_changed(row: tuple[Any, ...], prices: PriceBook) -> bool:
    """Return whether a symbol of a session is no longer converted, split or valued as in the books."""
    session_date, symbol, currency, is_open, split_ratio, *stored = row
    if prices.stated_currency(session_date, symbol) not in (None, currency):
        return True
    if split_text(prices.splits(session_date, symbol)) != split_ratio:
        return True
    now = prices.value(session_date, symbol, currency)
    if not is_open:
        now = now._replace(price=None, source=None)
    return now != Valuation(*stored)


def _write(connection: Connection, scope: _Scope, beside: str = "") -> Aggregate:
    """Compute what the scope names, in the place of what is stored; meanwhile the warehouse may run a statement."""
    opening = clear_books(connection, scope.binds)
    # The planner takes the inputs of all accounts for a few, and would loop over them.
    with planning(connection, enable_nestloop="off"):
        found = rows(connection, "aggregate_pnl/select_deliveries", scope.binds)
    deliveries = [bulk.Delivery(*row) for row in found]
    lost = read_lost_rows(connection, deliveries)
    as_of, trade = scope.binds["as_of"], trade_symbols
    fills_of: Callable[[dt.date], Iterable[Executions]]
    calls: contextlib.AbstractContextManager[Callable[..., Any]] = contextlib.nullcontext(operator.call)
    account_session_count = incomplete_count = 0
    with contextlib.ExitStack() as stack:
        if sum(delivery.fill_count for delivery in deliveries) >= bulk.BULK_FILLS:
            file = bulk.FillFile(connection, as_of, deliveries, scope.instruments, read_settings().scratch_dir)
            fills_of = stack.enter_context(contextlib.closing(file)).session
            trade, calls = bulk.trade_symbols, bulk.second_thread()
        else:
            fills_of = read_fills(connection, as_of, deliveries).__getitem__
        # By one process: of very many fills the other processor computes the books meanwhile.
        stack.enter_context(planning(connection, max_parallel_workers_per_gather=0, enable_sort="off"))
        call = stack.enter_context(calls)
        if beside:
            call(execute, connection, beside, scope.binds)
        for batch in in_batches(mark_lost_rows(_rebuild(scope, opening, fills_of, trade), lost)):
            account_session_count += len(batch.daily_rows)
            incomplete_count += batch.incomplete_count
            call(batch.store, connection)
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
