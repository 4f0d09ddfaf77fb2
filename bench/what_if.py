"""What-if of 250 mornings of 12 traders, as reported and restated: its seconds: ``python -m bench what_if``."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Sequence

import psutil

from bench.receipts import ACCOUNTS, filled_desk, new_database
from risk.books.warehouse import rebuild_as_of
from risk.core.calendar import previous_session
from risk.core.runs import Run
from risk.core.warehouse import Connection, connect, writing
from risk.limits.track_record import follow_running_pnl
from risk.limits.trials import seal_trial
from risk.limits.what_if_report import run_what_if
from tests.policies import policy_document

MORNINGS = 250
TARGET_SECONDS = 60.0

FINGERPRINTS = """
update risk.deliveries set recorded_at = sessions.closes_at + interval '2 hours'
from risk.sessions where deliveries.session_date = sessions.session_date;

update derived.daily_pnl set input_fingerprint = deliveries.delivery_id
from risk.deliveries
where daily_pnl.account_id = deliveries.account_id and daily_pnl.session_date = deliveries.session_date;

insert into risk.runs (session_date, effective_session, revision, as_of, load_id, dag_run_id, code_version)
select sessions.session_date, following.session_date, 1, sessions.closes_at + interval '8 hours', %(load_id)s, 'bench',
    'x'
from risk.sessions
inner join risk.sessions as following on following.session_number = sessions.session_number + 1
where sessions.session_date in (select session_date from risk.fills)
order by sessions.session_date;

insert into risk.reports (run_id, facts, facts_sha256, recorded_at)
select run_id, '{}', '0', as_of + interval '5 minutes' from risk.runs;

insert into risk.model_versions (
    content_sha256, artefact, first_session_date, last_session_date, pair_count, card, dag_run_id
)
select '0', '', min(session_date), max(session_date), 1, '{}', 'bench' from risk.runs;

insert into results.gate_results (
    run_id, model_id, serving, is_pass, session_count, forecast_count, reasons, drifts
)
select run_id, model_id, 'rules', false, 60, 60, '{}', '{}' from risk.runs, risk.model_versions;

insert into derived.forecasts (account_id, effective_session, expert, run_id, quantile_05_usd, is_live)
select 'NET' || to_char(number, 'FM000'), runs.effective_session, expert, runs.run_id, -(500 + random() * 500)::numeric,
    true
from risk.runs, generate_series(1, %(accounts)s) as number,
    unnest(array['boosted', 'calibrated', 'filtered', 'garch', 'historical', 'mixture', 'model', 'ridge']) as expert;
"""

RESTATED = """
with corrected as (
    insert into risk.deliveries (
        load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count,
        rejected_count, duplicate_count
    )
    select load_id, file_name, account_id, session_date, '1', recorded_at + interval '12 hours', row_count,
        loaded_count, rejected_count, duplicate_count
    from risk.deliveries
    where account_id = 'NET001' and session_date >= %(first)s
    union all
    select load_id, file_name, account_id, session_date, '1', %(last_at)s, row_count, loaded_count, rejected_count,
        duplicate_count
    from risk.deliveries
    where account_id = 'NET002' and session_date = %(first)s
    returning delivery_id, account_id, session_date
)
insert into risk.fills (
    delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, tie_rank, side, quantity, symbol,
    price, currency, fees_usd
)
select corrected.delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, tie_rank, side,
    quantity, symbol, price + 0.01, currency, fees_usd
from risk.fills
inner join corrected using (account_id, session_date)
order by corrected.delivery_id, line_number;
"""
"""Every delivery of one account from a session on is corrected after its morning, one of another after the last."""


def measure(dsn: str) -> None:
    """Print the seconds of a what-if whose books were never restated, and of one whose books all were."""
    with contextlib.closing(connect(new_database(dsn, "what_if"))) as connection:
        run = filled_desk(connection)
        sessions = _report(connection, run)
        _print_seconds(connection, sessions, restated_count=0)
        _restate(connection, run, sessions)
        _print_seconds(connection, sessions, restated_count=MORNINGS)


def _report(connection: Connection, run: Run) -> list[dt.date]:
    """Give the desk's sessions a reported run each, with forecasts; return the newest sessions with limits."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(FINGERPRINTS, {"load_id": run.load_id, "accounts": ACCOUNTS})
        cursor.execute("analyze")
        cursor.execute("select effective_session from risk.runs order by 1 desc limit %s", (MORNINGS,))
        sessions = sorted(day for (day,) in cursor.fetchall())
    with writing(connection):
        follow_running_pnl(connection, "infinity")
    return sessions


def _restate(connection: Connection, run: Run, sessions: Sequence[dt.date]) -> None:
    """Correct deliveries behind the mornings, and bring the books up to date."""
    binds = {"first": previous_session(sessions[0]), "last_at": run.as_of}
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(RESTATED, binds)
        cursor.execute("analyze")
    if not rebuild_as_of(connection, run.session_date, run.as_of).account_session_count:
        raise AssertionError("Corrections change the books.")
    with writing(connection):
        follow_running_pnl(connection, "infinity")


def _print_seconds(connection: Connection, sessions: Sequence[dt.date], *, restated_count: int) -> None:
    """Print the seconds of a trial over the mornings: of both processes, and those that passed."""
    document = policy_document(smallest_loss__base_limit="40%")
    trial = seal_trial(connection, document, sessions[0], sessions[-1], "bench")
    server = psutil.Process(connection.info.backend_pid)
    started, used = time.perf_counter(), time.process_time() + sum(server.cpu_times()[:2])
    found = run_what_if(connection, trial)
    passed, seconds = time.perf_counter() - started, time.process_time() + sum(server.cpu_times()[:2]) - used
    restated = [one.morning.is_restated for one in found.decided]
    if (len(restated), sum(restated)) != (MORNINGS, restated_count) or not any(one.changed for one in found.decided):
        raise AssertionError("The trial decides every morning and changes some.")
    print(f"{MORNINGS} mornings x {ACCOUNTS} accounts, {restated_count} of them restated: {seconds:.1f} s of processor "
          f"time with the server's, of {TARGET_SECONDS:.0f} s; {passed:.1f} s passed")  # fmt: skip
