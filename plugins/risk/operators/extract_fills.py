"""Load what the source knows, then open the run."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRescheduleException

from risk.core.calendar import next_session, run_session, store_sessions, wait_deadline
from risk.core.desks import own_connection
from risk.core.runs import open_run, resolve_as_of
from risk.core.schema import migrate
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, writing
from risk.operators.base import log_counts, refuse_shared_warehouse, refuse_unknown_keys, service_connection, warehouse
from risk.operators.lineage import LineageMixin

if TYPE_CHECKING:
    from airflow.sdk import Context

    from risk.core.connections import ServiceConnection
    from risk.core.settings import Settings
    from risk.ingest.load import Load

SOURCE_CONNECTION_ID = "risk_source"
VENDOR_CONNECTION_ID = "risk_vendor"
TURN_PATIENCE_SECONDS = 20
"""How long a backfill's run keeps its worker slot while an earlier session's one is under way."""
TURN_POLL_INTERVAL = dt.timedelta(seconds=10)
"""After that, how long it gives the slot to others."""


class ExtractFillsOperator(LineageMixin, BaseOperator):
    """Copy new deliveries of the source into the warehouse and open a run for the session.

    A file that is wrong as a whole is quarantined and fails the task after all others are loaded.
    A scheduled run waits until 75 minutes before the opening for accounts that traded recently and have no executions
    yet, for files that are being written or have other rows than the manifest states, and for an unreachable source;
    then it continues with what is known, and the checks name what is missing. The task is rescheduled between polls
    and uses no worker slot. Clearing this task opens a new revision of the session.
    A run of a backfill begins once the earlier sessions' runs are over, whose mornings its limits, breaches and report
    look at: four at a time give the same rows as one by one.

    Parameters
    ----------
    session_date
        ISO date of the session; empty for the one the run's interval or the clock names, which is refused if the newest
        fills are far from it (templated).
    fills
        Folder of the file drop, or its address in an object store or on a file server, such as
        ``s3://connection@bucket/drop``; empty for the vendor's API where the connection ``risk_vendor`` exists, else
        ``RISK_FILLS_DIR``, else the query of the connection ``risk_source`` (templated).
    as_of
        What the run shall know: ``now`` or empty, ``then`` (when the run of the effective session was due), or an ISO
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

    def execute(self, context: Context) -> dict[str, Any]:
        """Load the source up to the session, then open the run."""
        from risk.ingest.poll import SourceIncompleteError, load_or_wait, refuse_far_session

        refuse_unknown_keys(context)
        refuse_shared_warehouse()
        dag_run = context["dag_run"]
        is_automated = dag_run.run_type in ("scheduled", "backfill")
        interval_start = dag_run.data_interval_start if is_automated else None
        session_date = run_session(self.session_date, interval_start, dag_run.run_after)
        as_of = resolve_as_of(self.as_of, next_session(session_date), dt.datetime.now(dt.UTC))
        deadline = self.deadline(session_date) if dag_run.run_type in self.waiting_run_types else None
        if dag_run.run_type == "backfill":
            self.await_turn(context)
        with warehouse() as connection:
            migrate(connection, read_settings().default_limit_usd)
            with writing(connection):
                store_sessions(connection)
            try:
                load = load_or_wait(
                    connection, session_date, lambda: self.load(connection, session_date, deadline), deadline
                )
            except SourceIncompleteError as incomplete:
                self.log.info("session=%s polls again at %s: %s", session_date, incomplete.poll_at, incomplete)
                raise AirflowRescheduleException(incomplete.poll_at) from None  # type: ignore[no-untyped-call]
            if not (self.session_date or is_automated):
                refuse_far_session(connection, session_date)
            run = open_run(connection, session_date, load.load_id, dag_run.run_id, as_of)
        names = ("file_count", "delivery_count", "fill_count", "rejected_count")
        done = log_counts(self.log, run, {name: getattr(load, name) for name in names})
        return {"effective_session": run.effective_session.isoformat(), **done}

    def await_turn(self, context: Context) -> None:
        """Wait until no backfill's run of an earlier session is under way.

        Raises
        ------
        AirflowRescheduleException
            If one still is after `TURN_PATIENCE_SECONDS`: the slot may be the one that it needs.
        """
        until = time.monotonic() + TURN_PATIENCE_SECONDS
        while (earlier := context["ti"].get_previous_dagrun(state="running")) and earlier.run_type == "backfill":
            if time.monotonic() > until:
                self.log.info("waits for the run of an earlier session, %s", earlier.run_id)
                poll_at = dt.datetime.now(dt.UTC) + TURN_POLL_INTERVAL
                raise AirflowRescheduleException(poll_at)  # type: ignore[no-untyped-call]
            time.sleep(1)

    def deadline(self, session_date: dt.date) -> dt.datetime:
        """Return the instant from which a run no longer waits."""
        return wait_deadline(session_date)

    def load(self, connection: Connection, session_date: dt.date, deadline: dt.datetime | None) -> Load:
        """Load from the one source this run has."""
        from risk.ingest.completeness import Patience
        from risk.ingest.load import load_drop
        from risk.operators.drop_folder import opened_drop
        from risk.operators.source_query import load_source

        settings = read_settings()
        vendor = None
        if not self.fills:
            with contextlib.suppress(AirflowNotFoundException):
                vendor = service_connection(own_connection(VENDOR_CONNECTION_ID))
        if vendor:
            return self._load_vendor(connection, vendor, session_date, settings)
        place = self.fills or settings.fills_dir
        if place:
            may_wait = deadline is not None and dt.datetime.now(dt.UTC) < deadline
            with opened_drop(place, settings, may_wait=may_wait) as drop:
                return load_drop(
                    connection,
                    drop.folder,
                    session_date,
                    settings,
                    is_history=self.history == "True",
                    patience=Patience(drop.growing, waits_for_rows=may_wait),
                    source=drop.address,
                )
        return load_source(connection, own_connection(SOURCE_CONNECTION_ID), session_date, settings)

    def _load_vendor(
        self, connection: Connection, vendor: ServiceConnection, session_date: dt.date, settings: Settings
    ) -> Load:
        """Load from the vendor's API, with reference files of the file drop where there is one."""
        from risk.ingest.propreports.client import endpoint_of
        from risk.ingest.propreports.load import load_vendor
        from risk.operators.drop_folder import is_address, opened_drop

        endpoint = endpoint_of(asdict(vendor))
        if settings.fills_dir is None or not is_address(settings.fills_dir):
            return load_vendor(connection, endpoint, session_date, settings)
        with opened_drop(settings.fills_dir, settings, may_wait=False) as drop:
            beside = settings.model_copy(update={"fills_dir": str(drop.folder)})
            return load_vendor(connection, endpoint, session_date, beside)
