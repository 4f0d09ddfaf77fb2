"""What was known: the line computed again as of an instant of the past, apart from the live books.

A point-in-time run computes its books in a schema of its own, once: each step fills what the next ones read, and the
schema is dropped when the report is sent. A replay does the same within one connection, in temporary tables.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.runs import (
    Run,
    code_version,
    create_tables,
    drop_abandoned_schemas,
    drop_schema,
    read_run,
    schema_exists,
)
from risk.core.warehouse import Connection, records, rows, writing
from risk.desk.store import store_desk
from risk.limits.decide import apply_rules, predict
from risk.model.build_features import store_features
from risk.report.build_facts import build_facts
from risk.report.digest_tree import report_digest
from risk.report.facts import Facts

STEPS: Mapping[str, Callable[[Connection, Run], object]] = {
    "aggregate_pnl": aggregate,
    "build_features": store_features,
    "predict_limits": predict,
}
"""Steps that fill the schema, by task, in the order of the line."""
READERS = frozenset({*STEPS, "apply_rules", "send_report"})
"""Tasks that read or write the schema; check_fills reads inputs only."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A report built again.

    Attributes
    ----------
    facts
        Its facts.
    as_of
        Cut-off on ``recorded_at``, UTC.
    stored_sha256
        SHA-256 of the facts that were reported then; ``None`` = nothing was.
    stored_digest, salt
        Digest of that report and its secret; ``None`` = nothing was reported, and no secret: a report of format 1.
    code_versions
        Of the run that reported, where there is one, and of the code that has built it again.
    changed_accounts
        Accounts whose stored recommendation is no longer what was reported.
    """

    facts: Facts
    as_of: dt.datetime
    stored_sha256: str | None
    stored_digest: str | None
    salt: str | None
    code_versions: tuple[str | None, str]
    changed_accounts: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the bytes are those that were reported, and the recommendations are still stored like that."""
        is_same = (self.facts.sha256, self.digest) == (self.stored_sha256, self.stored_digest)
        return is_same and not self.changed_accounts

    @property
    def digest(self) -> str:
        """Digest of what was built, with the salt of what was reported."""
        return report_digest(self.facts, self.salt)

    @property
    def sentence(self) -> str:
        """What came out, for people."""
        said = f"{self.digest}  as of {self.as_of.isoformat()}"
        if self.is_equal:
            return f"{said}: equal to the report."
        if self.stored_sha256 is None:
            return f"{said}: nothing was reported then."
        said = f"{said}: reported as {self.stored_digest}"
        reported, present = self.code_versions
        if reported not in {None, present}:
            said += f" by the code {reported}; this is {present}"
        if self.changed_accounts:
            said += f"; recommendations changed since they were reported: {', '.join(self.changed_accounts)}"
        return f"{said}."


@contextlib.contextmanager
def point_in_time(connection: Connection, run: Run, task_id: str) -> Iterator[None]:
    """Let a step of a point-in-time run read and write the schema of the run.

    The first step creates it, whatever an earlier attempt left; the last one drops it. Where it is missing in between,
    as after a task of a reported run was cleared, the steps before are repeated.

    Parameters
    ----------
    connection
        Its statements read and write the schema in place of ``derived`` from now on.
    run
        A point-in-time run.
    task_id
        Task of the step.
    """
    if task_id == next(iter(STEPS)):
        with writing(connection):
            drop_abandoned_schemas(connection)
            _create_schema(connection, run, run.schema)
    elif task_id in READERS and not schema_exists(connection, run.schema):
        _rebuild(connection, run, task_id)
    connection.replaced_schemas = {"derived": run.schema}
    yield
    if task_id == "send_report":
        with writing(connection):
            drop_schema(connection, run.schema)


def _create_schema(connection: Connection, run: Run, schema: str) -> None:
    drop_schema(connection, schema)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    create_tables(connection, schema, ("derived",), run.as_of)


def _rebuild(connection: Connection, run: Run, task_id: str) -> None:
    """Repeat the steps before a task under another name, so that an unfinished attempt never counts as complete."""
    unfinished = f"{run.schema}_unfinished"
    with writing(connection):
        _create_schema(connection, run, unfinished)
    for earlier, step in STEPS.items():
        if earlier == task_id:
            break
        step(connection, run)
    with writing(connection), connection.cursor() as cursor:
        names = (sql.Identifier(unfinished), sql.Identifier(run.schema))
        cursor.execute(sql.SQL("alter schema {} rename to {}").format(*names))


def replay(connection: Connection, dsn: str, session_date: dt.date, as_of: dt.datetime | None) -> Replay:
    """Build the report of a session again, from what was known.

    Parameters
    ----------
    connection
        Its statements write temporary tables from now on, nothing of the warehouse.
    dsn
        The same warehouse, for the connection of Great Expectations.
    session_date
        The session whose fills were processed.
    as_of
        Cut-off on ``recorded_at``; ``None`` = that of the session's last report.

    Raises
    ------
    RequestError
        If nothing was reported and no instant is given, or nothing had been loaded until then.
    """
    binds = {"session_date": session_date, "as_of": as_of}
    reported = records(connection, "replay/select_reports", binds)
    if as_of is None and not reported:
        raise RequestError(f"Session {session_date} has no report to replay: name an instant with --as-of, or run it.")
    stored: dict[str, Any] = reported[0] if reported else dict.fromkeys(("facts_sha256", "report_sha256", "salt"))
    run = read_run(connection, stored["run_id"]) if reported else None
    past = unstored_run(connection, session_date, as_of or reported[0]["as_of"], run)
    # Before the connection reads its copies in place of the tables.
    key = {"run_id": run.run_id if run else None}
    changed = tuple(name for (name,) in rows(connection, "replay/select_changed_recommendations", key))
    with writing(connection):
        create_tables(connection, "pg_temp", ("derived", "results"), past.as_of)
    check_fills(connection, dsn, past)
    for step in STEPS.values():
        step(connection, past)
    apply_rules(connection, past)
    store_desk(connection, past)
    versions = (run.code_version if run else None, code_version())
    return Replay(
        facts=build_facts(connection, past),
        as_of=past.as_of,
        stored_sha256=stored["facts_sha256"],
        stored_digest=stored["report_sha256"],
        salt=stored["salt"],
        code_versions=versions,
        changed_accounts=changed,
    )


def unstored_run(connection: Connection, session_date: dt.date, as_of: dt.datetime, run: Run | None = None) -> Run:
    """Make a run of the session as of an instant that is in no table.

    Parameters
    ----------
    run
        One that may have been of this instant; its load is taken then.

    Raises
    ------
    RequestError
        If nothing had been loaded until then.
    """
    if run is not None and run.as_of == as_of:
        load_id, is_simulated = run.load_id, run.is_simulated
    else:
        loads = records(connection, "replay/select_loads", {"as_of": as_of})
        if not loads:
            raise RequestError(f"Nothing had been loaded until {as_of.isoformat()}: name a later instant.")
        load_id, is_simulated = loads[0]["load_id"], loads[0]["is_simulated"]
    return Run(
        run_id=0,
        session_date=session_date,
        effective_session=next_session(session_date),
        as_of=as_of,
        revision=0,
        load_id=load_id,
        dag_run_id="replay",
        code_version=code_version(),
        is_simulated=is_simulated,
        is_point_in_time=True,
    )
