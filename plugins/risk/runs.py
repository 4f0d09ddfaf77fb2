"""A run: one answer to what we know about a session, and who may see which rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache

from risk.database import Connection, records, writing
from risk.errors import RequestError
from risk.sessions import next_session
from risk.settings import SQL_DIR, TEMPLATE_DIR


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


@cache
def code_version() -> str:
    """Return the first 12 hex digits of the SHA-256 over our Python, SQL and template files."""
    digest = hashlib.sha256()
    package = SQL_DIR.parents[1] / "plugins" / "risk"
    for folder, pattern in ((package, "*.py"), (SQL_DIR, "*.sql"), (TEMPLATE_DIR, "*.j2")):
        for path in sorted(folder.rglob(pattern)):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def open_run(connection: Connection, session_date: dt.date, load_id: int, dag_run_id: str) -> Run:
    """Open the next revision of a session; ``as_of`` is the database clock after the load was committed."""
    with writing(connection):
        opened = records(
            connection,
            "runs/insert_runs",
            {
                "session_date": session_date,
                "effective_session": next_session(session_date),
                "load_id": load_id,
                "dag_run_id": dag_run_id,
                "code_version": code_version(),
            },
        )
    return read_run(connection, opened[0]["run_id"])


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
