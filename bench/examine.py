"""The examiner's pack of one account over 250 sessions of 23 traders, then with a million deliveries in its range."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from psycopg2.extensions import make_dsn

from bench.receipts import new_database
from risk.core.calendar import next_session, sessions_between, store_sessions
from risk.core.schema import migrate
from risk.core.warehouse import Connection, connect, writing
from risk.evidence import verify_pack
from risk.report.receipt_facts import LimitUseFacts
from tests.pack_desks import ACCOUNT, at, decide_as_recommended, mail, report
from tests.report_desks import account, desk, within

ACCOUNTS, SESSIONS, DELIVERIES = 23, 250, 1_000_000
TARGET_SECONDS, TARGET_MB = 60, 500
LAST = dt.date(2025, 8, 15)

MILLION = """
alter table risk.deliveries disable trigger link_rows;
insert into risk.deliveries (
    load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count, loaded_count, rejected_count,
    duplicate_count
)
select 1, 'fills.csv', %(account)s, %(session)s, repeat('5e', 32), %(recorded_at)s, 8, 8, 0, 0
from generate_series(1, %(count)s);
alter table risk.deliveries enable trigger link_rows;
"""


def measure(dsn: str, folder: Path) -> None:
    """Print seconds and memory of a process that makes the pack, and of the verifier."""
    place = make_dsn(new_database(dsn, "examine"), options="-c search_path=risk,derived,results,pg_catalog")
    with contextlib.closing(connect(place)) as connection:
        migrate(connection)
        with writing(connection):
            store_sessions(connection)
        sessions = sessions_between(LAST - dt.timedelta(days=2 * SESSIONS), LAST)[-SESSIONS - 1 :]
        for session in sessions:
            _live(connection, session)
        _print(
            place, folder / "pack.zip", sessions, f"{SESSIONS} sessions of {ACCOUNTS} traders", f" of {TARGET_SECONDS}"
        )
        with connection, connection.cursor() as cursor:
            binds = {
                "account": ACCOUNT,
                "session": sessions[-1],
                "recorded_at": at(sessions[-1], 23),
                "count": DELIVERIES,
            }
            cursor.execute(MILLION, binds)
    # Planted behind the chain, so that the verifier has a fault to name in each.
    _print(place, folder / "million.zip", sessions, f"and {DELIVERIES:,} unlinked deliveries", is_whole=False)


def _live(connection: Connection, session: dt.date) -> None:
    """Report a session, mail it, and decide about its cuts."""
    names = [ACCOUNT, *(f"NETX{number:02}" for number in range(2, ACCOUNTS + 1))]
    made = desk([account(name, "0.20", recent_results_usd=account().recent_results_usd) for name in names])
    facts = replace(made, limit_use=LimitUseFacts(tuple(within(name, "0.31") for name in names)))
    run = report(connection, session, next_session(session), facts)
    mail(connection, run, next_session(session), "manager@example.com")
    decide_as_recommended(connection, run)


def _print(dsn: str, out: Path, sessions: list[dt.date], what: str, target: str = "", *, is_whole: bool = True) -> None:
    command = [sys.executable, "-m", "bench.examine", dsn, str(sessions[1]), str(sessions[-1]), str(out)]
    made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    started = time.perf_counter()
    said = subprocess.run([sys.executable, verify_pack.__file__, str(out)], check=False, capture_output=True, text=True)
    checked = time.perf_counter() - started
    if (said.returncode == 0) is not is_whole:
        raise RuntimeError(f"The verifier of {out.name} says otherwise: {said.stdout[:500]}{said.stderr[:500]}")
    print(
        f"pack, {what}: {made['seconds']:.1f}{target} s, peak {made['peak_mb']:.0f} of {TARGET_MB} MB, "
        f"{made['rows']:,} rows, {out.stat().st_size / 1e6:.1f} MB; verify.py {checked:.1f} s"
    )


def make_one(dsn: str, first: str, last: str, out: str) -> None:
    """Make a pack in this process, and print what it took."""
    from risk.evidence.pack import examine

    started = time.perf_counter()
    with contextlib.closing(connect(dsn)) as connection:
        made = examine(connection, ACCOUNT, dt.date.fromisoformat(first), dt.date.fromisoformat(last), Path(out))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - started, "peak_mb": peak_mb, "rows": made.row_count}))


if __name__ == "__main__":
    make_one(*sys.argv[1:])
