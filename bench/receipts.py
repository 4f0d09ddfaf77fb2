"""Receipts: the proof on 10,000 drawn days, and what they cost a run of 12 accounts over 625 sessions."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import time
from decimal import Decimal

import psutil
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
MORNINGS = 20
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
    'S' || chr(65 + (line - 1) / 2 %% 4), round((20 + 2 * random())::numeric, 4), 'USD', 0.35
from delivered
inner join risk.sessions on delivered.session_date = sessions.session_date
cross join generate_series(1, %(fills)s) as line
order by delivered.delivery_id, line;
"""


MAILED_REPORTS = """
insert into risk.runs (session_date, effective_session, revision, as_of, load_id, dag_run_id, code_version)
select sessions.session_date, following.session_date, 1, following.opens_at - interval '2 hours', loads.load_id,
    'bench', 'x'
from risk.sessions
cross join risk.loads
inner join risk.sessions as following on following.session_number = sessions.session_number + 1
where sessions.session_date in (select session_date from risk.fills)
order by sessions.session_date;

insert into results.recommendations
select run_id, 'NET' || to_char(number, 'FM000'), 'active', 'high', 0.40, 5000, 3000, 'rules', 'rules-1', 'rules',
    array['5 straight losing days'], 0.40, 0.20, -1500, 60, session_date
from risk.runs cross join generate_series(1, %(accounts)s) as number;

insert into risk.report_deliveries (run_id, recipient, message_id, attempt_count, sent_at)
select run_id, 'desk@example.com', '<' || run_id || '@bench>', 1, as_of + interval '5 minutes' from risk.runs;

analyze risk.runs, results.recommendations, risk.report_deliveries;
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
        _mail_reports(connection)
        _morning(connection, run)
        server = psutil.Process(connection.info.backend_pid)
        started, used = time.perf_counter(), time.process_time() + sum(server.cpu_times()[:2])
        for _ in range(MORNINGS):
            _morning(connection, run)
        passed = (time.perf_counter() - started) / MORNINGS
        cost = (time.process_time() + sum(server.cpu_times()[:2]) - used) / MORNINGS
        print(f"a morning, {ACCOUNTS} accounts over {SESSIONS} sessions: {cost:.3f} s of processor time with the "
              f"server's, of {TARGET_SECONDS} s; {passed:.3f} s passed")  # fmt: skip


def _mail_reports(connection: Connection) -> None:
    """Let every morning have mailed its report, whose limits are in force."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(MAILED_REPORTS, {"accounts": ACCOUNTS})


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


def _morning(connection: Connection, run: Run) -> None:
    """Let the newest session be new, and make its receipts."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("delete from derived.running_lows where session_date = %s", (run.session_date,))
    with writing(connection):
        follow_running_pnl(connection, "infinity")
    if store_receipts(connection, run) != ACCOUNTS:
        raise AssertionError("A morning makes the receipts of its session alone.")
