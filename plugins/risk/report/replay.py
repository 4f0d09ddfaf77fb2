"""What was known: the line computed again for an instant of the past, apart from the caches of the newest knowledge.

Tables of the connection's own stand before positions, daily_pnl, last_fills, features and forecasts, so that the steps,
unchanged, fill those from the inputs recorded until the run's ``as_of``. Nothing they compute is shared with another
run.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.runs import Run, code_version, read_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.decide import apply_rules
from risk.model.features.store import store_features
from risk.model.predict import predict_limits
from risk.report.build_facts import build_facts
from risk.report.facts import Facts

CACHES = ("positions", "daily_pnl", "last_fills", "features", "forecasts", "ledger_entries")
PER_RUN = ("quality_results", "recommendations", "gate_results", "explanations", "ledger_results")

STEPS = {"aggregate_pnl": aggregate, "build_features": store_features, "predict_limits": predict_limits}
"""What fills the caches, by task, in the order of the line."""


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
        Identity of what was reported then; ``None`` = nothing was.
    code_versions
        Of the run that reported, where there is one, and of the code that has built it again.
    """

    facts: Facts
    as_of: dt.datetime
    stored_sha256: str | None
    code_versions: tuple[str | None, str]

    @property
    def is_equal(self) -> bool:
        """Whether the bytes are those that were reported."""
        return self.facts.sha256 == self.stored_sha256


def recall(connection: Connection, run: Run, last_task: str | None) -> None:
    """Put tables of this connection's own before the caches and fill them with what a run knows.

    Parameters
    ----------
    connection
        One connection is for one run: its tables hide the caches until it is closed.
    run
        A run that knows the past.
    last_task
        Task up to which the line is computed; ``None`` = the tables stay empty.
    """
    _hide(connection, run, CACHES)
    for task_id, step in STEPS.items():
        if last_task is None:
            return
        step(connection, run)
        if task_id == last_task:
            return


def replay(
    connection: Connection, dsn: str, session_date: dt.date, as_of: dt.datetime | None, settings: Settings
) -> Replay:
    """Build the report of a session again, from what was known.

    Parameters
    ----------
    connection
        Its tables hide those of the warehouse from now on; nothing of the warehouse is written.
    dsn
        The same warehouse, for the connection of Great Expectations.
    session_date
        The session whose fills were processed.
    as_of
        Cut-off on ``recorded_at``; ``None`` = that of the session's last report.
    settings
        The settings of the installation.

    Raises
    ------
    RequestError
        If nothing was reported and no instant is given, or nothing had been loaded until then.
    """
    binds = {"session_date": session_date, "as_of": as_of}
    reported = records(connection, "replay/select_reports", binds)
    if as_of is None and not reported:
        raise RequestError(f"Session {session_date} has no report to replay: name an instant with --as-of, or run it.")
    run, told = None, None
    if reported:
        run, told = read_run(connection, reported[0]["run_id"]), reported[0]["facts_sha256"]
    past = _run_of_the_past(connection, session_date, as_of or reported[0]["as_of"], run)
    _hide(connection, past, CACHES + PER_RUN)
    with writing(connection):
        execute(connection, "replay/insert_recommendations")
    check_fills(connection, dsn, past)
    for step in STEPS.values():
        step(connection, past)
    apply_rules(connection, past, settings.default_limit_usd)
    versions = (run.code_version if run else None, code_version())
    return Replay(build_facts(connection, past), past.as_of, told, versions)


def _run_of_the_past(connection: Connection, session_date: dt.date, as_of: dt.datetime, run: Run | None) -> Run:
    """Stand in for a run of the session at an instant; it is in no table."""
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


def _hide(connection: Connection, run: Run, tables: tuple[str, ...]) -> None:
    with writing(connection):
        for table in tables:
            execute(connection, f"replay/create_{table}")
        execute(connection, "replay/insert_forecasts", {"as_of": run.as_of})
