"""Measures aggregate_pnl on one session of a million fills, beside a bare copy of the same file.

Two desks of 2,000 accounts and 500 symbols, whose sides fit what they hold: *day traders* make 500 fills each in 25
symbols, *scattered* ones in all 500, so that nearly every fill opens a position of its own, which is the worst case.
Then one late fill comes into two years of 12 traders, and ten times as many fills of the day traders show whether
memory grows with them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import resource
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from risk.books.fifo import Lots, match_fills
from risk.books.warehouse import Aggregate, aggregate
from risk.core import calendar, schema, warehouse
from risk.core.runs import Run, open_run

SESSION = dt.date(2025, 8, 15)
FILL_COUNT = 1_000_000
_GENERATE = """
with drawn as (
    select
        number,
        number % 23400 as second,
        'ACCT' || lpad((number % 2000)::text, 4, '0') as account,
        'SYM' || translate(
            lpad(((number % 2000 * 25 + (hash >> 12) % {symbols_each}) % 500)::text, 3, '0'), '0123456789', 'ABCDEFGHIJ'
        ) as symbol,
        case (hash >> 4) % 2 when 0 then -100 else 100 end * (1 + (hash >> 8) % 9) as signed,
        (1000 + (hash >> 16) % 9000) / 100.0 as price
    from (
        select number, abs(hashint8(number)::bigint) as hash from generate_series(0, {count} - 1) as series (number)
    ) as hashed
),
met as (
    select
        drawn.*,
        sum(signed) over (partition by account, symbol order by second, number) - signed as held
    from drawn
)
select
    to_char(timestamp '2025-08-15 09:30:00' + second * interval '1 second', 'MM/DD/YYYY HH24:MI:SS'),
    account,
    case when signed < 0 and held <= 0 then 'T' when signed < 0 then 'S' when held + signed <= 0 then 'C' else 'B' end,
    abs(signed), symbol, price,
    'INET', 'A', 0.35, 0.002, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'ORD' || number, number, 'USD', '', '', '', 'PR' || number
from met
order by number
"""


TRUNCATE = """
truncate risk.loads, risk.deliveries, risk.fills, risk.runs, derived.positions, derived.daily_pnl, derived.last_fills
restart identity cascade
"""

_LOAD_DELIVERIES = """
insert into risk.deliveries (
    load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
    rejected_count, duplicate_count
)
select 1, 'bench.csv', column_2, %(session)s, 'bench', clock_timestamp(), count(*), count(*), 0, 0
from public.staged group by column_2
"""

_LOAD_FILLS = """
insert into risk.fills
select
    d.delivery_id, row_number() over (), d.account_id, d.session_date,
    to_timestamp(s.column_1, 'MM/DD/YYYY HH24:MI:SS'), false,
    (row_number() over (partition by s.column_2, s.column_1 order by s.column_26))::integer - 1,
    s.column_3, s.column_4::numeric, s.column_5, s.column_6::numeric, s.column_22,
    s.column_9::numeric + s.column_10::numeric, s.column_26
from public.staged as s inner join risk.deliveries as d on d.account_id = s.column_2
"""

_LOAD_HISTORY = """
with days as (
    select session_date from risk.sessions where session_date <= %(through)s order by session_date desc limit 500
)
insert into risk.deliveries (
    load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
    rejected_count, duplicate_count
)
select 1, 'bench.csv', 'ACCT' || number, session_date, 'bench', clock_timestamp(), %(fills)s, %(fills)s, 0, 0
from days cross join generate_series(1, %(accounts)s) as accounts (number)
order by session_date, number
"""

_LOAD_HISTORY_FILLS = """
insert into risk.fills
select
    d.delivery_id, number, d.account_id, d.session_date, s.opens_at + number * interval '250 minutes' / %(fills)s,
    false, 0, case when (number + s.session_number) %% 2 = 0 then 'S' else 'B' end, 100,
    'SYM' || chr(65 + number / 4 %% 12),
    20 + abs(hashint8(d.delivery_id * %(fills)s + number)::bigint) %% 400 / 100.0, 'USD', 0.35,
    'PR' || number
from risk.deliveries as d
inner join risk.sessions as s on s.session_date = d.session_date
cross join generate_series(1, %(fills)s) as series (number)
where d.session_date = %(session)s
order by series.number * %(accounts)s / 20000, d.account_id, series.number
"""

_LOAD_LATE_DELIVERY = """
with replaced as (
    select * from risk.deliveries where account_id = %(account)s order by session_date limit 1 offset 250
),
added as (
    insert into risk.deliveries (
        load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
        rejected_count, duplicate_count
    )
    select
        1, 'late.csv', account_id, session_date, 'late', clock_timestamp(), %(fills)s + 1, %(fills)s + 1, 0, 0
    from replaced
    returning delivery_id
)
insert into risk.fills
select
    added.delivery_id, series.number, f.account_id, f.session_date, f.executed_at, false, f.tie_rank, f.side,
    f.quantity, f.symbol, f.price, f.currency, f.fees_usd,
    case when series.number > %(fills)s then 'late' else f.fill_key end
from added
cross join replaced
cross join generate_series(1, %(fills)s + 1) as series (number)
inner join risk.fills as f on f.delivery_id = replaced.delivery_id and f.line_number = least(series.number, %(fills)s)
"""

_LOAD_CORRECTION = """
with replaced as (
    select * from risk.deliveries where account_id = %(account)s order by session_date limit 1 offset 100
),
added as (
    insert into risk.deliveries (
        load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
        rejected_count, duplicate_count
    )
    select
        1, 'corrected.csv', account_id, session_date, 'corrected', clock_timestamp(), %(fills)s + 1, %(fills)s + 1, 0, 0
    from replaced
    returning delivery_id
),
added_fills as (
    insert into risk.fills
    select
        added.delivery_id, f.line_number, f.account_id, f.session_date, f.executed_at, false, f.tie_rank, f.side,
        f.quantity, f.symbol, f.price, f.currency, f.fees_usd, f.fill_key
    from added cross join replaced inner join risk.fills as f on f.delivery_id = replaced.delivery_id
)
insert into risk.corrections (
    delivery_id, line_number, account_id, session_date, executed_at, tie_rank, kind, fill_key, side, quantity, symbol,
    price, currency, fees_usd
)
select
    added.delivery_id, %(fills)s + 1, f.account_id, f.session_date, f.executed_at, 0, 'corrected', f.fill_key, f.side,
    f.quantity, f.symbol, f.price + 1, f.currency, f.fees_usd
from added cross join replaced inner join risk.fills as f on f.delivery_id = replaced.delivery_id and f.line_number = 7
"""

LATE = ("ACCT5", "ACCT6", "ACCT7")
"""A fill comes late for each of them; the least of each time counts."""

CORRECTED = ("ACCT8", "ACCT9", "ACCT10")
"""A fill of each of them is corrected, and then one comes late; the least of each time counts."""

LATE_LIMIT_SECONDS = 0.5


def _stage(connection: warehouse.Connection, file: Path, symbols_each: int, fill_count: int) -> tuple[float, float]:
    """Write the file, then time a bare copy of it into an unlogged table of text columns: seconds, megabytes."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} text").format(sql.Identifier(f"column_{number}")) for number in range(1, 27)
    )
    with connection, connection.cursor() as cursor:
        generate = _GENERATE.format(symbols_each=symbols_each, count=fill_count)
        with file.open("w", encoding="utf-8") as target:
            cursor.copy_expert(f"copy ({generate}) to stdout with (format csv)", target)
        cursor.execute("drop table if exists public.staged")
        cursor.execute(sql.SQL("create unlogged table public.staged ({})").format(columns))
    started = time.perf_counter()
    with connection, connection.cursor() as cursor, file.open("rb") as source:
        cursor.copy_expert("copy public.staged from stdin with (format csv)", source)
    return time.perf_counter() - started, file.stat().st_size / 1e6


def _fill_warehouse(connection: warehouse.Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(TRUNCATE)
        cursor.execute(
            "insert into risk.loads (source, is_simulated, through_session_date) values ('bench', false, %s)",
            (SESSION,),
        )
        cursor.execute(_LOAD_DELIVERIES, {"session": SESSION})
        cursor.execute(_LOAD_FILLS)
    warehouse.execute(connection, "extract_fills/analyze_loaded")
    connection.commit()


def _match_seconds() -> float:
    """Time the lots alone: a million fills of 50,000 books, without any database."""
    quantities = [(100 if (number * 2654435761) >> 7 & 1 else -100) * 10**8 for number in range(20)]
    prices = [(1000 + number) * 10**6 for number in range(20)]
    started = time.perf_counter()
    for _ in range(FILL_COUNT // 20):
        lots: Lots = deque()
        match_fills(lots, quantities, prices, 1)
    return time.perf_counter() - started


def _measure_desk(dsn: str, symbols_each: int, fill_count: int = FILL_COUNT) -> dict[str, Any]:
    connection = warehouse.connect(dsn)
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy_seconds, megabytes = _stage(connection, Path(folder) / "fills.csv", symbols_each, fill_count)
        _fill_warehouse(connection)
        run = open_run(connection, SESSION, 1, "bench")
        written, seconds = _timed(connection, run)
        _, unchanged_seconds = _timed(connection, run)
        positions = _count(connection)
    finally:
        connection.close()
    return {
        "file_megabytes": round(megabytes),
        "copy_seconds": round(copy_seconds, 2),
        "aggregate_seconds": round(seconds, 2),
        "unchanged_seconds": round(unchanged_seconds, 2),
        "ratio_to_copy": round(seconds / copy_seconds, 2),
        "account_sessions": written.account_session_count,
        "positions": positions,
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _timed(connection: warehouse.Connection, run: Run) -> tuple[Aggregate, float]:
    started = time.perf_counter()
    return aggregate(connection, run), time.perf_counter() - started


def measure_late_fill(dsn: str, account_count: int, fill_count: int) -> dict[str, Any]:
    """Load traders' 500 sessions of so many fills, then one more fill of one trader in the middle of them.

    ``corrected`` is the same of traders of whom a fill is corrected.

    The sessions lie in the warehouse as loads store them: one after the other, about 20,000 lines of a file at a time,
    in these an account's together. What a session leaves open the next one closes.
    """
    connection = warehouse.connect(dsn)
    binds = {"accounts": account_count, "fills": fill_count}
    try:
        last = calendar.sessions_between(SESSION, SESSION)[-1]
        with connection, connection.cursor() as cursor:
            cursor.execute(TRUNCATE)
            cursor.execute(
                "insert into risk.loads (source, is_simulated, through_session_date) values ('bench', false, %s)",
                (last,),
            )
            cursor.execute(_LOAD_HISTORY, {"through": last, **binds})
            cursor.execute("select distinct session_date from risk.deliveries order by session_date")
            for (session,) in cursor.fetchall():
                cursor.execute(_LOAD_HISTORY_FILLS, {"session": session, **binds})
        warehouse.execute(connection, "extract_fills/summarize_fills")
        warehouse.execute(connection, "extract_fills/analyze_loaded")
        connection.commit()
        first, first_seconds = _timed(connection, open_run(connection, last, 1, "bench"))
        late = [_late_fill(connection, {**binds, "account": account}, last) for account in LATE]
        for account in CORRECTED:
            with connection, connection.cursor() as cursor:
                cursor.execute(_LOAD_CORRECTION, {**binds, "account": account})
        aggregate(connection, open_run(connection, last, 1, "bench"))
        corrected = [_late_fill(connection, {**binds, "account": account}, last) for account in CORRECTED]
    finally:
        connection.close()
    return {
        "account_sessions": first.account_session_count,
        "first_seconds": round(first_seconds, 2),
        **_least(late),
        "corrected": _least(corrected),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _late_fill(connection: warehouse.Connection, binds: dict[str, Any], last: dt.date) -> dict[str, Any]:
    """Bring one more fill of a trader, and time the run that finds it and one that finds nothing new."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_LOAD_LATE_DELIVERY, binds)
    warehouse.execute(connection, "extract_fills/analyze_loaded")
    connection.commit()
    run, server = open_run(connection, last, 1, "bench"), psutil.Process(connection.info.backend_pid)
    result: dict[str, Any] = {}
    for name in ("late", "unchanged"):
        used = time.process_time() + sum(server.cpu_times()[:2])
        written, seconds = _timed(connection, run)
        result |= {
            f"{name}_accounts": written.recomputed_account_count,
            f"{name}_account_sessions": written.account_session_count,
            f"{name}_seconds": round(seconds, 2),
            f"{name}_processor_seconds": round(time.process_time() + sum(server.cpu_times()[:2]) - used, 2),
        }
    return result


def _least(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: min(result[name] for result in results) for name in results[0]}


def _count(connection: warehouse.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from derived.positions")
        [(count,)] = cursor.fetchall()
    return int(count)


def _print_measured(measured: dict[str, Any]) -> None:
    print(f"lots alone: {FILL_COUNT:,} fills in {measured['match_fills_seconds']} s")
    for desk in ("day_traders", "ten_times_the_fills", "scattered"):
        result = measured[desk]
        print(
            f"{desk}: aggregate_pnl {result['aggregate_seconds']} s = {result['ratio_to_copy']} x a bare copy "
            f"({result['copy_seconds']} s, {result['file_megabytes']} MB), {result['positions']:,} positions, "
            f"peak {result['peak_megabytes']} MB; unchanged rerun {result['unchanged_seconds']} s"
        )
    late = measured["late_fill"]
    ratio = late["late_seconds"] / LATE_LIMIT_SECONDS
    print(
        f"one late fill into {late['account_sessions']:,} account-sessions: {late['late_seconds']} s = "
        f"{ratio:.2f} of {LATE_LIMIT_SECONDS} s, {late['late_accounts']} account with "
        f"{late['late_account_sessions']} sessions computed again; unchanged rerun {late['unchanged_seconds']} s; "
        f"{processor_time(late)}"
    )


def processor_time(late: dict[str, Any]) -> str:
    return (
        f"processor time with the server's process {late['late_processor_seconds']} and "
        f"{late['unchanged_processor_seconds']} s"
    )


@contextlib.contextmanager
def own_database(dsn: str, name: str) -> Iterator[str]:
    """Give an empty warehouse on the server of ``dsn``; it is dropped afterwards."""
    administration = psycopg2.connect(dsn)
    administration.autocommit = True
    identifier = sql.Identifier(f"{name}_{os.getpid()}")
    with administration.cursor() as cursor:
        cursor.execute(sql.SQL("create database {}").format(identifier))
    try:
        own_dsn = make_dsn(dsn, dbname=identifier.string)
        with contextlib.closing(warehouse.connect(own_dsn)) as connection:
            schema.migrate(connection)
            with warehouse.writing(connection):
                calendar.store_sessions(connection)
        yield own_dsn
    finally:
        with administration.cursor() as cursor:
            cursor.execute(sql.SQL("drop database {} with (force)").format(identifier))
        administration.close()


def measure(dsn: str) -> dict[str, Any]:
    """Time both desks in a database of their own on the server of ``dsn``; seconds, megabytes and ratios."""
    with own_database(dsn, "bench_pnl") as own_dsn:
        measured = {
            "match_fills_seconds": round(_match_seconds(), 2),
            "day_traders": _measure_desk(own_dsn, 25),
            "late_fill": measure_late_fill(own_dsn, 12, 50),
            "ten_times_the_fills": _measure_desk(own_dsn, 25, 10 * FILL_COUNT),
            "scattered": _measure_desk(own_dsn, 500),
        }
    _print_measured(measured)
    return measured
