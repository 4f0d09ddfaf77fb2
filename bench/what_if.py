"""What-if of 250 mornings of 12 traders: the seconds it takes: ``python -m bench what_if``."""

from __future__ import annotations

import contextlib
import time

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
    """Print the seconds of a what-if whose books were never restated, and what a restatement adds."""
    with contextlib.closing(connect(new_database(dsn, "what_if"))) as connection:
        run = filled_desk(connection)
        _report(connection, run)
        unchanged = _measured(connection, "40%")
        print(f"{MORNINGS} mornings x {ACCOUNTS} accounts: {unchanged:.1f} s of {TARGET_SECONDS:.0f} s")
        with writing(connection), connection.cursor() as cursor:
            # Fills of one session that came ten sessions late.
            cursor.execute(
                "update risk.deliveries set recorded_at = recorded_at + interval '14 days' where session_date = "
                "(select session_date from risk.sessions where session_date < %s order by 1 desc offset 30 limit 1)",
                (run.session_date,),
            )
        restated = _measured(connection, "50%")
        print(f"with ten mornings on books rebuilt as known then: {restated - unchanged:+.1f} s")


def _report(connection: Connection, run: Run) -> None:
    """Give the desk's sessions a reported run each, with forecasts."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(FINGERPRINTS, {"load_id": run.load_id, "accounts": ACCOUNTS})
        cursor.execute("analyze")
    with writing(connection):
        follow_running_pnl(connection, "infinity")


def _measured(connection: Connection, smallest_loss: str) -> float:
    """Return the seconds of a trial over the newest mornings."""
    document = policy_document(smallest_loss__base_limit=smallest_loss)
    with connection.cursor() as cursor:
        cursor.execute("select effective_session from risk.runs order by 1 desc limit %s", (MORNINGS,))
        sessions = [day for (day,) in cursor.fetchall()]
    trial = seal_trial(connection, document, sessions[-1], sessions[0], "bench")
    started = time.perf_counter()
    found = run_what_if(connection, trial)
    seconds = time.perf_counter() - started
    if len(mornings_of_range(connection, sessions[-1], sessions[0])) != MORNINGS or not any(
        one.changed for one in found.decided
    ):
        raise AssertionError("The trial decides every morning and changes some.")
    return seconds
