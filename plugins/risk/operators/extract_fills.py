"""Load what the source knows, then open the run."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowRescheduleException

from risk.database import Connection, connect, migrate, writing
from risk.fills import Load, awaited_accounts, load_drop, load_query, raise_for_quarantine
from risk.operators.base import warehouse
from risk.runs import known_until, open_run
from risk.sessions import next_session, run_session, store_sessions, wait_deadline
from risk.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context

SOURCE_CONNECTION_ID = "risk_source"
WAIT_STEP = dt.timedelta(minutes=3)
"""Between two looks at the source; the task holds no process meanwhile."""


class ExtractFillsOperator(BaseOperator):
    """Copy new deliveries of the source into the warehouse and open a run for the session.

    A file that is wrong as a whole is quarantined and fails the task after all others are loaded.
    A scheduled run waits, rescheduled, for accounts that traded recently and have no executions yet, until 08:15 New
    York; then it goes on, and the verdicts name them. Clearing this task opens a new revision of the session.

    Parameters
    ----------
    session_date
        ISO date of the session; empty for the one the run's interval or the clock names (templated).
    fills
        Folder of the file drop; empty for ``RISK_FILLS_DIR``, and where that is unset too the query of the
        Postgres connection ``risk_source`` (templated).
    as_of
        What the run shall know: ``now`` or empty, ``then`` (07:00 New York of the effective session), or an ISO
        timestamp with its offset (templated).
    history
        ``True`` = import the folder as a history: what its manifest says was published counts as recorded then
        (templated).
    """

    template_fields: Sequence[str] = ("session_date", "fills", "as_of", "history")
    waiting_run_types: Sequence[str] = ("scheduled",)

    def __init__(
        self,
        *,
        session_date: str = "{{ params.session_date or '' }}",
        fills: str = "{{ params.fills or '' }}",
        as_of: str = "{{ params.as_of or '' }}",
        history: str = "{{ params.history or '' }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.session_date = session_date
        self.fills = fills
        self.as_of = as_of
        self.history = history

    @property
    def folder(self) -> Path | None:
        """Folder of the file drop, or ``None`` where fills come from the connection ``risk_source``."""
        return Path(self.fills) if self.fills else settings().fills_dir

    def execute(self, context: Context) -> dict[str, Any]:
        """Load the source up to the session, then open the run."""
        dag_run = context["dag_run"]
        is_automated = dag_run.run_type in ("scheduled", "backfill")
        interval_start = dag_run.data_interval_start if is_automated else None
        session_date = run_session(self.session_date, interval_start, dag_run.run_after)
        as_of = known_until(self.as_of, next_session(session_date), dt.datetime.now(dt.UTC))
        with warehouse() as connection:
            migrate(connection)
            with writing(connection):
                store_sessions(connection)
            load = self.load(connection, session_date)
            raise_for_quarantine(load)
            if dag_run.run_type in self.waiting_run_types:
                self.wait_for_accounts(connection, session_date, load)
            run = open_run(connection, session_date, load.load_id, dag_run.run_id, as_of)
        counts = {
            "file_count": load.file_count,
            "delivery_count": load.delivery_count,
            "fill_count": load.fill_count,
            "rejected_count": load.rejected_count,
        }
        facts = ", ".join(f"{name}={value}" for name, value in counts.items())
        self.log.info("session=%s as_of=%s %s", run.session_date, run.as_of.isoformat(), facts)
        return {
            "run_id": run.run_id,
            "session_date": run.session_date.isoformat(),
            "effective_session": run.effective_session.isoformat(),
            **counts,
        }

    def wait_for_accounts(self, connection: Connection, session_date: dt.date, load: Load) -> None:
        """Give the slot back and come again while expected accounts are missing and the morning is young."""
        awaited = awaited_accounts(connection, session_date, load)
        now, deadline = dt.datetime.now(dt.UTC), self.deadline(session_date)
        names = ", ".join(awaited)
        if awaited and now < deadline:
            again_at = min(now + WAIT_STEP, deadline)
            self.log.info("session=%s waits until %s for %s", session_date, deadline.isoformat(), names)
            raise AirflowRescheduleException(again_at)  # type: ignore[no-untyped-call]
        if awaited:
            self.log.warning("session=%s goes on without %s", session_date, names)

    def deadline(self, session_date: dt.date) -> dt.datetime:
        """Return the instant from which a run no longer waits."""
        return wait_deadline(session_date)

    def load(self, connection: Connection, session_date: dt.date) -> Load:
        """Load from the file drop or from the query of the connection ``risk_source``."""
        is_simulated = settings().is_simulated
        if self.folder:
            is_history = self.history == "True"
            return load_drop(connection, self.folder, session_date, is_simulated=is_simulated, is_history=is_history)
        source_dsn = BaseHook.get_connection(SOURCE_CONNECTION_ID).get_uri()
        with contextlib.closing(connect(source_dsn)) as source:
            return load_query(connection, source, session_date, is_simulated=is_simulated)
