"""The warehouse's books: positions and daily_pnl, kept at the newest knowledge of fills and statements."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from risk.books.batches import ratio_text
from risk.books.export import FillFile
from risk.books.findings import store_book_warnings
from risk.books.prices import STALE_SESSIONS, LastFill, Ratio, Statement, Terms, Valuation, Valuer
from risk.books.rebuild import read_opened, rebuild
from risk.books.reconcile import reconcile
from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, planning, records, rows, writing

WAITING_BATCHES = 16
"""So many parts of the books may wait in memory for Postgres."""


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
    """What is computed again: the statements' binds, and what is known of the sessions that are needed for it."""

    binds: dict[str, Any]
    known: _Known


@dataclass(frozen=True, slots=True)
class _Known:
    """The sessions to compute with the five before them, what was traded in them, and how it is valued.

    Attributes
    ----------
    session_dates
        Ascending.
    instruments
        Symbols and currencies (``None`` = not told) that the fills of these sessions name.
    """

    session_dates: list[dt.date]
    instruments: set[tuple[str, str | None]]
    valuer: Valuer


def aggregate(connection: Connection, run: Run) -> Aggregate:
    """Bring positions and daily_pnl up to date with the fills and marks of sessions up to the run's.

    An account is computed again from the first session on whose delivery, mark, rate, multiplier or split changed, up
    to the newest session in the books; accounts without a change are not written. What is stored is the newest
    knowledge of any run, so that an older session's run never takes anything back. The accounting identity is then
    computed a second way in SQL over everything written, the books are compared with the source's own, and what they
    show that somebody should look at is told.

    Finding what changed, computing and writing happen under one write lock: two runs that each computed
    from the books before the other's write would leave neither's result.

    Raises
    ------
    BooksError
        If lots and fills disagree by a cent or a share; nothing is stored.
    """
    with writing(connection):
        _prepare(connection)
        scope = _find_scope(connection, run)
        written = Aggregate(0, 0, 0) if scope is None else _write(connection, scope)
        reconcile(connection, run)
        store_book_warnings(connection, run)
    return written


def _write(connection: Connection, scope: _Scope) -> Aggregate:
    """Compute what the scope names, in the place of what is stored, and prove it."""
    for table in ("positions", "daily_pnl", "ledger_entries"):
        execute(connection, f"aggregate_pnl/delete_{table}", scope.binds)
    written = _compute(connection, scope)
    check_accounting_identity(connection, scope.binds)
    return written


def _compute(connection: Connection, scope: _Scope) -> Aggregate:
    """Rebuild the books; while Python does, and leaves the connection alone, Postgres has its own work.

    It first sums fills up for the proof, then it stores what has been computed.
    """
    known = scope.known
    opened = read_opened(connection, scope.binds)
    account_session_count = incomplete_count = 0
    with (
        contextlib.closing(FillFile(connection, scope.binds, known.instruments)) as fills,
        ThreadPoolExecutor(max_workers=1) as meanwhile,
        _garbage_left(),
    ):
        waiting = deque([meanwhile.submit(_sum_flows, connection, scope.binds)])
        for batch in rebuild(opened, fills, known.session_dates, known.valuer):
            account_session_count += batch.account_session_count
            incomplete_count += batch.incomplete_count
            waiting.append(meanwhile.submit(batch.store, connection))
            if len(waiting) > WAITING_BATCHES:
                waiting.popleft().result()
        for work in waiting:
            work.result()
    return Aggregate(account_session_count, len(scope.binds["account_ids"]), incomplete_count)


@contextlib.contextmanager
def _garbage_left() -> Iterator[None]:
    """Leave garbage uncollected: the books make none that refers to itself, and all else that is loaded is large."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _prepare(connection: Connection) -> None:
    """Tune this transaction for statements about very many fills of few deliveries.

    The planner knows nothing about the keys of the deliveries that count, and would sort all fills for a join with
    them, or hash all fills: a hash of them is kept too large for it, a sort of them is not.
    """
    with connection.cursor() as cursor:
        cursor.execute("set local work_mem = '64MB'; set local hash_mem_multiplier = 1")
        cursor.execute("set local enable_mergejoin = off; set local jit = off")
        cursor.execute("set local parallel_setup_cost = 0")


def _find_scope(connection: Connection, run: Run) -> _Scope | None:
    """Find the accounts to compute again, each with its first session; ``None`` = the books are up to date."""
    asked = {"session_date": run.session_date, "as_of": run.as_of}
    # A run of the past has books of its own, which no other run shares.
    newest = {} if run.is_point_in_time else records(connection, "aggregate_pnl/select_horizons", asked)[0]
    binds = {**asked, "through_session_date": run.session_date, **newest}
    changed = rows(connection, "aggregate_pnl/select_changed_books", binds)
    _keep_last_fills(connection, {**binds, "session_dates": sorted({session_date for _, session_date in changed})})
    starts = [(account_id, session_date) for account_id, session_date in changed if session_date <= run.session_date]
    starts += rows(connection, "aggregate_pnl/select_dropped_positions", binds)
    valued = rows(connection, "aggregate_pnl/select_valued_positions", binds)
    session_dates = [row[1] for row in starts] + [row[0] for row in valued]
    if not session_dates:
        return None
    known = _read_known(connection, {**binds, "first_session_date": min(session_dates)})
    starts += _find_holders(connection, valued, known.valuer)
    if not starts:
        return None
    # Of an account's sessions the first one comes last, and stays.
    firsts = dict(sorted(starts, reverse=True))
    account_ids = sorted(firsts)
    listed = {"account_ids": account_ids, "first_session_dates": [firsts[account_id] for account_id in account_ids]}
    return _Scope({**binds, **listed}, known)


def _keep_last_fills(connection: Connection, binds: Mapping[str, Any]) -> None:
    """Look for the last fills of sessions anew, whatever account's delivery changed and whoever is computed again."""
    if not binds["session_dates"]:
        return
    # With two the planner is undecided, and would hash a million fills by one process.
    with planning(connection, max_parallel_workers_per_gather=4):
        execute(connection, "aggregate_pnl/create_latest_fills", binds)
    for query in ("delete_last_fills", "insert_last_fills"):
        execute(connection, f"aggregate_pnl/{query}", binds)


def _find_holders(
    connection: Connection, valued: Sequence[tuple[Any, ...]], valuer: Valuer
) -> Iterable[tuple[Any, ...]]:
    """Find who holds a symbol that is no longer valued as the books value it, with the first such session."""
    changed = [row[:2] for row in valued if _has_changed(row, valuer)]
    if not changed:
        return []
    session_dates, symbols = zip(*changed, strict=True)
    binds = {"session_dates": list(session_dates), "symbols": list(symbols)}
    return rows(connection, "aggregate_pnl/select_holders", binds)


def _has_changed(row: tuple[Any, ...], valuer: Valuer) -> bool:
    """Tell whether a symbol of a session is no longer converted, split or valued as the books do it."""
    session_date, symbol, currency, is_open, split_ratio, *stored = row
    if valuer.stated_currency(session_date, symbol) not in (None, currency):
        return True
    if ratio_text(valuer.ratio(session_date, symbol)) != split_ratio:
        return True
    now = valuer.value(session_date, symbol, currency)
    if not is_open:
        now = now._replace(price=None, source=None)
    return now != Valuation(*stored)


def _read_known(connection: Connection, binds: Mapping[str, Any]) -> _Known:
    """Read what was traded and stated in the sessions from the scope's first on, and in the five before it."""
    reach = {**binds, "stale_session_count": STALE_SESSIONS}
    session_dates = [row[0] for row in rows(connection, "aggregate_pnl/select_sessions", reach)]
    known = {**binds, "first_session_date": session_dates[0]}
    last_fills = rows(connection, "aggregate_pnl/select_last_fills", known)
    valuer = Valuer(
        session_dates,
        (LastFill(day, symbol, currency, tuple(last)) for day, symbol, currency, *last in last_fills),
        (Statement(*row) for row in rows(connection, "aggregate_pnl/select_marks", known)),
        (Terms(*row) for row in rows(connection, "aggregate_pnl/select_instruments", known)),
        (Ratio(*row) for row in rows(connection, "aggregate_pnl/select_splits", known)),
    )
    return _Known(session_dates, {(symbol, currency) for _, symbol, currency, *_ in last_fills}, valuer)


def _sum_flows(connection: Connection, binds: Mapping[str, Any]) -> None:
    """Sum up the fills a second way, by one process: the other processor has its work."""
    with planning(connection, max_parallel_workers_per_gather=0, enable_sort="off"):
        execute(connection, "aggregate_pnl/create_flows", binds)


def check_accounting_identity(connection: Connection, scope: Mapping[str, Any]) -> None:
    """Recompute the books a second way in SQL and raise where the two differ."""
    # Sums by sorting: their window wants this order anyway.
    with planning(connection, enable_hashagg="off"):
        differences = records(connection, "aggregate_pnl/select_differences", scope)
    for found in differences:
        raise BooksError(
            f"The books of account {found['account_id']}, session {found['session_date']}, {found['symbol']} do not "
            f"balance: {found['measure']} is {found['books_number']} by lots and {found['fills_number']} by fills "
            f"({found['difference_count']} differences in all). Nothing was stored; call the developers."
        )
