"""What-if of 250 mornings of 12 traders: the seconds it takes: ``python -m bench what_if``."""

from __future__ import annotations

import contextlib
import time

import psutil

from bench.receipts import ACCOUNTS, filled_desk, new_database
from risk.core.runs import Run
from risk.core.warehouse import Connection, connect, writing
from risk.limits.track_record import follow_running_pnl
from risk.limits.trials import seal_trial
from risk.limits.what_if import mornings_of_range
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

insert into derived.forecasts (account_id, effective_session, expert, run_id, quantile_05_usd, is_live)
select 'NET' || to_char(number, 'FM000'), runs.effective_session, expert, runs.run_id, -(500 + random() * 500)::numeric,
    true
from risk.runs, generate_series(1, %(accounts)s) as number,
    unnest(array['boosted', 'calibrated', 'filtered', 'garch', 'historical', 'mixture', 'model', 'ridge']) as expert;
"""


def measure(dsn: str) -> None:
    """Print the seconds of a what-if whose books were never restated."""
    with contextlib.closing(connect(new_database(dsn, "what_if"))) as connection:
        run = filled_desk(connection)
        _report(connection, run)
        seconds, passed = _measured(connection)
        print(f"{MORNINGS} mornings x {ACCOUNTS} accounts: {seconds:.1f} s of processor time with the server's, of "
              f"{TARGET_SECONDS:.0f} s; {passed:.1f} s passed")  # fmt: skip


def _report(connection: Connection, run: Run) -> None:
    """Give the desk's sessions a reported run each, with forecasts."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(FINGERPRINTS, {"load_id": run.load_id, "accounts": ACCOUNTS})
        cursor.execute("analyze")
    with writing(connection):
        follow_running_pnl(connection, "infinity")


def _measured(connection: Connection) -> tuple[float, float]:
    """Return the seconds of a trial over the newest mornings: of both processes, and those that passed."""
    document = policy_document(smallest_loss__base_limit="40%")
    with connection.cursor() as cursor:
        cursor.execute("select effective_session from risk.runs order by 1 desc limit %s", (MORNINGS,))
        sessions = [day for (day,) in cursor.fetchall()]
    trial = seal_trial(connection, document, sessions[-1], sessions[0], "bench")
    server = psutil.Process(connection.info.backend_pid)
    started, used = time.perf_counter(), time.process_time() + sum(server.cpu_times()[:2])
    found = run_what_if(connection, trial)
    passed, seconds = time.perf_counter() - started, time.process_time() + sum(server.cpu_times()[:2]) - used
    if len(mornings_of_range(connection, sessions[-1], sessions[0])) != MORNINGS or not any(
        one.changed for one in found.decided
    ):
        raise AssertionError("The trial decides every morning and changes some.")
    return seconds, passed
