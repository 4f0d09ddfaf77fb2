"""Receipts: the proof on 10,000 drawn days, and what they cost a run of 12 accounts over 625 sessions."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import statistics
import time
from decimal import Decimal

from psycopg2.extensions import make_dsn

from risk.core.calendar import session_open, sessions_between, store_sessions
from risk.core.runs import Run
from risk.core.schema import migrate
from risk.core.warehouse import Connection, connect, writing
from risk.limits.receipt_rows import store_receipts
from risk.limits.receipts import receipt
from risk.limits.track_record import follow_running_pnl
from tests.receipt_desks import SHIPPED_TERMS, draw_day, judge

DAYS = 10_000
ACCOUNTS, SESSIONS, FILLS = 12, 625, 60
TARGET_SECONDS = 0.1

FILLS_OF_DESK = """
with delivered as (
    insert into risk.deliveries (
        load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
        rejected_count, duplicate_count
    )
    select %(load_id)s, 'fills.csv', 'NET' || to_char(number, 'FM000'), sessions.session_date, '0', now(),
        %(fills)s, %(fills)s, 0, 0
    from risk.sessions, generate_series(1, %(accounts)s) as number
    where sessions.session_date between %(first)s and %(last)s
    order by sessions.session_date
    returning delivery_id, account_id, session_date
)
insert into risk.fills (
    delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, tie_rank, side, quantity, symbol,
    price, currency, fees_usd
)
select delivered.delivery_id, line, delivered.account_id, delivered.session_date,
    sessions.opens_at + line * interval '1 minute', false, line, case line %% 2 when 1 then 'B' else 'S' end, 100,
    'S' || (line / 2 %% 4), round((20 + 2 * random())::numeric, 4), 'USD', 0.35
from delivered
inner join risk.sessions on delivered.session_date = sessions.session_date
cross join generate_series(1, %(fills)s) as line
order by delivered.delivery_id, line;
"""


def measure(dsn: str) -> None:
    """Print the differences and the seconds."""
    _prove()
    with contextlib.closing(connect(new_database(dsn))) as connection:
        run = filled_desk(connection)
        started = time.perf_counter()
        with writing(connection):
            follow_running_pnl(connection, "infinity")
        followed = time.perf_counter()
        made = store_receipts(connection, run)
        stored = time.perf_counter()
        print(f"first import, {made} account-sessions of {FILLS} fills: followed {followed - started:.2f} s, receipts "
              f"{stored - followed:.2f} s")  # fmt: skip
        costs = [_morning(connection, run) for _ in range(5)]
        cost = statistics.median(costs)
        print(f"a morning, {ACCOUNTS} accounts over {SESSIONS} sessions: {cost:.3f} s of {TARGET_SECONDS} s")


def _prove() -> None:
    differences = hits = breaches = 0
    for seed in range(DAYS):
        day = draw_day(random.Random(seed))
        made, judged = receipt(day.path(), day.limits, SHIPPED_TERMS), judge(day)
        same = (made.hit and made.hit.kind, made.hit and made.hit.after_usd, made.breach_reasons)
        differences += same != (judged["kind"], judged.get("after_usd"), judged["reasons"])
        hits += judged["kind"] is not None
        breaches += bool(judged["reasons"])
    print(f"{DAYS} drawn days, {hits} limit hits, {breaches} breaches: {differences} differences from brute force")


def new_database(dsn: str, name: str = "receipts") -> str:
    with contextlib.closing(connect(dsn)) as server:
        server.autocommit = True
        server.cursor().execute(f"create database {name}")
    return make_dsn(dsn, dbname=name)


def filled_desk(connection: Connection) -> Run:
    """Fill a warehouse with fills and the books that they make: every account flat in the evening."""
    migrate(connection, Decimal(5000))
    last = dt.date(2025, 8, 15)
    first = sessions_between(last - dt.timedelta(days=2 * SESSIONS), last)[-SESSIONS]
    with writing(connection), connection.cursor() as cursor:
        store_sessions(connection)
        cursor.execute(
            "insert into risk.loads (source, is_simulated, through_session_date) values ('bench', true, %s) "
            "returning load_id", (last,)
        )  # fmt: skip
        [(load_id,)] = cursor.fetchall()
        binds = {"load_id": load_id, "fills": FILLS, "accounts": ACCOUNTS, "first": first, "last": last}
        cursor.execute(FILLS_OF_DESK, binds)
        cursor.execute(
            "insert into derived.positions (account_id, session_date, symbol, currency, quantity, lots, multiplier, "
            "rate, realized_pnl_usd, unrealized_pnl_usd) select account_id, session_date, symbol, 'USD', 0, '[]', 1, "
            "1, 0, 0 from risk.fills group by account_id, session_date, symbol"
        )
        cursor.execute(
            "insert into derived.daily_pnl (account_id, session_date, fill_count, volume, fees_usd, total_pnl_usd) "
            "select account_id, session_date, count(*), sum(quantity), sum(fees_usd), sum(case side when 'B' then "
            "-price else price end * quantity - fees_usd) from risk.fills group by account_id, session_date"
        )
        # As autovacuum does after a load.
        cursor.execute("select brin_summarize_new_values('risk.fills_session')")
        cursor.execute("analyze risk.fills, risk.deliveries, derived.positions, derived.daily_pnl")
    next_day = last + dt.timedelta(days=3)
    return Run(1, last, next_day, session_open(next_day), 1, load_id, "bench", "x", is_simulated=True)


def _morning(connection: Connection, run: Run) -> float:
    """Let the newest session be new, and measure what it costs."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("delete from derived.running_lows where session_date = %s", (run.session_date,))
    started = time.perf_counter()
    with writing(connection):
        follow_running_pnl(connection, "infinity")
    if store_receipts(connection, run) != ACCOUNTS:
        raise AssertionError("A morning makes the receipts of its session alone.")
    return time.perf_counter() - started
