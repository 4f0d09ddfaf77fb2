"""A run: one answer to what is known about a session as of an instant, and the accounts it knows.

A point-in-time run has its own copy of the schema ``derived``, named ``run_<run_id>``: the steps of the line compute
and read what was known then, unchanged, beside the live books.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from psycopg2 import sql

from risk.core.calendar import morning, next_session
from risk.core.errors import CheckError, RequestError
from risk.core.policy_store import read_policy
from risk.core.settings import IS_WHEEL, PACKAGE_DIR, PROJECT_DIR, SQL_DIR, TEMPLATE_DIR
from risk.core.warehouse import Connection, execute, records, rows, writing

ABANDONED_AFTER = dt.timedelta(days=7)
"""A point-in-time run whose report is not sent within this time loses its schema when another one starts."""

ALL_SESSIONS: Final = {"first_session": "-infinity", "last_session": "infinity"}
"""Binds of a statement about a range of sessions."""


@dataclass(frozen=True, slots=True)
class Run:
    """A row of the table ``runs``.

    Attributes
    ----------
    run_id
        Key of every row this run writes.
    session_date
        The session whose fills are processed.
    effective_session
        The next session: the one the limits are for.
    as_of
        Cut-off on ``recorded_at``, UTC: the run knows inputs recorded until then.
    revision
        1 for the first run of the session, then 2, 3, ...
    load_id
        The load that preceded the run.
    dag_run_id
        Airflow's name for it.
    code_version
        Content hash of the code that ran.
    is_simulated
        True when the fills come from the simulated desk.
    is_point_in_time
        True when the run was asked what was known at an earlier instant.
    """

    run_id: int
    session_date: dt.date
    effective_session: dt.date
    as_of: dt.datetime
    revision: int
    load_id: int
    dag_run_id: str
    code_version: str
    is_simulated: bool
    is_point_in_time: bool = False

    @property
    def schema(self) -> str:
        """Schema that a point-in-time run has in place of ``derived``, from aggregate_pnl until its report is sent."""
        return f"run_{self.run_id}"

    def is_live(self, today: dt.date) -> bool:
        """Whether anybody waits for it on a day of the exchange: for no past session, simulation or reconstruction."""
        return self.effective_session >= today and not self.is_simulated and not self.is_point_in_time


@cache
def code_version() -> str:
    """Return the first 12 hex digits of the SHA-256 over our Python, SQL and template files."""
    digest = hashlib.sha256()
    for folder, pattern in ((PACKAGE_DIR, "*.py"), (SQL_DIR, "*.sql"), (TEMPLATE_DIR, "*.j2")):
        for path in sorted(folder.rglob(pattern)):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def digest_of_tests() -> str | None:
    """Return the SHA-256 over the tests beside our code; ``None`` where they are not installed."""
    if IS_WHEEL:
        return None
    folder = PROJECT_DIR / "tests"
    digest = hashlib.sha256()
    files = sorted(folder.rglob("*.py"))
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest() if files else None


def resolve_as_of(as_of: str, effective_session: dt.date, now: dt.datetime) -> dt.datetime | None:
    """Turn the parameter ``as_of`` of a run into an instant.

    Parameters
    ----------
    as_of
        ``now`` or empty: everything; ``then``: what was known when its run was due; else an ISO
        timestamp with its offset.
    effective_session
        The session the limits are for.
    now
        The instant of the question, UTC.

    Returns
    -------
    datetime or None
        Cut-off on ``recorded_at``, UTC; ``None`` = everything.

    Raises
    ------
    RequestError
        If it is none of these, names no zone, or lies in the future.
    """
    if as_of in {"", "now"}:
        return None
    try:
        instant = morning(effective_session) if as_of == "then" else dt.datetime.fromisoformat(as_of)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise RequestError(
            f"as_of {as_of!r} is not now, then or an instant with its offset: write it as 2025-08-18T11:00:00+00:00."
        )
    if instant > now:
        raise RequestError(f"as_of {as_of!r} is {instant.isoformat()}, in the future: use now.")
    return instant.astimezone(dt.UTC)


def open_run(
    connection: Connection, session_date: dt.date, load_id: int, dag_run_id: str, as_of: dt.datetime | None = None
) -> Run:
    """Open the next revision of a session.

    Parameters
    ----------
    as_of
        Cut-off of a point-in-time run; ``None`` = the database clock after the load was committed.

    Raises
    ------
    CheckError
        If the database's clock was ahead when something was loaded: a run of now would not know it.
    """
    with writing(connection):
        if as_of is None:
            _refuse_behind_loads(connection)
        opened = records(
            connection,
            "runs/insert_runs",
            {
                "session_date": session_date,
                "effective_session": next_session(session_date),
                "as_of": as_of,
                "load_id": load_id,
                "dag_run_id": dag_run_id,
                "code_version": code_version(),
                "tests_sha256": digest_of_tests(),
            },
        )
    return Run(**opened[0])


def _refuse_behind_loads(connection: Connection) -> None:
    for later in records(connection, "runs/select_later_loads"):
        raise CheckError(
            f"The database's clock shows {later['asked_at']:%Y-%m-%d %H:%M:%S} UTC, and something was loaded at "
            f"{later['recorded_at']:%Y-%m-%d %H:%M:%S} UTC: the clock was ahead then, and a run of now would not know "
            "it. Set the clock by a time server (timedatectl); from that instant on, clear this task."
        )


def read_run(connection: Connection, run_id: int) -> Run:
    """Read a run.

    Raises
    ------
    RequestError
        If this warehouse has no such run.
    """
    found = records(connection, "runs/select_runs", {"run_id": run_id})
    if not found:
        raise RequestError(f"Run {run_id} is not in this warehouse: clear extract_fills to open a run.")
    return Run(**found[0])


def create_tables(connection: Connection, schema: str, sources: tuple[str, ...], as_of: dt.datetime) -> None:
    """Create empty copies of the tables of some schemas, with the forecasts and bets made so far; the caller commits.

    Parameters
    ----------
    connection
        From now on its statements read and write the copies in place of the tables.
    schema
        Where the copies go: a schema of a run, or ``pg_temp``.
    sources
        Schemas whose tables are copied: ``derived``, ``results``.
    as_of
        Cut-off: forecasts and bets that were made earlier are known.
    """
    connection.replaced_schemas = {"private": schema}
    with connection.cursor() as cursor:
        for source, table in rows(connection, "migrate/select_tables", {"schemas": list(sources)}):
            cursor.execute(f"create table private.{table} (like {source}.{table} including all)")
    execute(connection, "runs/insert_forecasts", {"as_of": as_of})
    execute(connection, "runs/insert_gate_bets", {"as_of": as_of})
    if "results" in sources:
        execute(connection, "replay/insert_recommendations")
    connection.replaced_schemas = dict.fromkeys(sources, schema)


def schema_exists(connection: Connection, schema: str) -> bool:
    """Return whether the warehouse has a schema."""
    return schema in {name for name, _ in rows(connection, "runs/select_schemas")}


def drop_schema(connection: Connection, schema: str) -> None:
    """Remove a schema of a point-in-time run with its tables, if it is there; the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def drop_abandoned_schemas(connection: Connection) -> None:
    """Remove the schemas of point-in-time runs that did not come to their report; the caller commits."""
    oldest = dt.datetime.now(dt.UTC) - ABANDONED_AFTER
    for schema, loaded_at in rows(connection, "runs/select_schemas"):
        if loaded_at is None or loaded_at < oldest:
            drop_schema(connection, schema)


class Trader(NamedTuple):
    """One account.

    Attributes
    ----------
    account_id
        Trading account.
    display_name
        Name of the person, where somebody stated one.
    trading_day_count
        Sessions with fills.
    first_session_date, latest_session_date
        The first of them, or what the source says, and the last; ``None`` = it has not traded.
    base_limit_usd
        Stated daily loss limit before any cut, US dollars; ``None`` = the default of the policy.
    status
        ``active``, ``limited history`` or ``stale``; without a limit: ``disabled``, ``legacy``, ``inactive`` or
        ``not traded yet``.
    """

    account_id: str
    display_name: str | None
    trading_day_count: int
    first_session_date: dt.date | None
    latest_session_date: dt.date | None
    base_limit_usd: Decimal | None
    status: str


def read_roster(connection: Connection, run: Run) -> list[Trader]:
    """Read every account that has traded or that was stated, by name, as known to a run."""
    policy = read_policy(connection, run.effective_session, run.as_of).desk
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "effective_session": run.effective_session,
        "as_of": run.as_of,
        "legacy_suffix": policy.accounts.legacy_suffix,
    }
    found = records(connection, "roster/select_roster", binds)
    return sorted((Trader(**row) for row in found), key=lambda trader: trader.account_id)


def newest_run(connection: Connection) -> Run:
    """Return the newest run of the newest session.

    Raises
    ------
    RequestError
        If nothing was run in this warehouse yet.
    """
    for (run_id,) in rows(connection, "runs/select_newest_runs"):
        return read_run(connection, run_id)
    raise RequestError("Nothing was run in this warehouse yet: make run, or make trigger DATE=, reads the accounts.")
