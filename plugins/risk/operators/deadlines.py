"""The deadlines of the report of a scheduled run, and of the publication of its limits."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from airflow.sdk import conf
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from risk.core.calendar import next_session, report_due_at
from risk.core.desks import at_desk, desk_of
from risk.core.errors import RequestError
from risk.core.exchange import exchange, exchange_zone
from risk.limits.approvals import decision_deadline
from risk.operators.callbacks import on_limits_late, on_report_late
from risk.report.session_state import DECISION_TOLERANCE
from risk.report.watchdog import calls_deadlines


class EffectiveMorning(BaseDeadlineReference):
    """When the report is due on the day on which a scheduled run is due; other runs have no deadline.

    An offset from the run's own timestamps would be wrong: weekends and holidays fall between the start and the end of
    its data interval, and a run that starts late has the same deadline as others.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> dt.datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        query = select(DagRun.run_type, DagRun.data_interval_end).where(
            DagRun.dag_id == dag_id, DagRun.run_id == run_id
        )
        run_type, due_at = session.execute(query).one()
        if run_type != "scheduled" or due_at is None:
            return None
        with at_desk(desk_of(dag_id)):
            return report_due_at(due_at.astimezone(exchange_zone()).date())


class DecisionsClosed(BaseDeadlineReference):
    """When decisions about the limits of a run of publish_limits are closed; none for past sessions.

    Computed as the warehouse does it when approval is asked for, a moment before this run begins. A run without a
    usable session has no deadline: raising here would keep Airflow from creating it.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> dt.datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        query = select(DagRun.conf, DagRun.run_after).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        conf, asked_at = session.execute(query).one()
        try:
            with at_desk(desk_of(dag_id)):
                effective = next_session(dt.date.fromisoformat((conf or {}).get("session_date") or ""))
                is_past = effective < asked_at.astimezone(exchange_zone()).date()
                return None if is_past else decision_deadline(effective, asked_at)
        except (RequestError, TypeError, ValueError):
            return None


def active(alert: DeadlineAlert, schedule: str) -> DeadlineAlert | None:
    """Return a deadline where runs start by themselves and the executor can call; else the watchdog alone alerts.

    Parameters
    ----------
    schedule
        ``RISK_SCHEDULE``.
    """
    return alert if schedule == "sessions" and calls_deadlines(conf.get("core", "executor")) else None


PUBLICATION_DEADLINE = DeadlineAlert(
    reference=DecisionsClosed(),
    interval=DECISION_TOLERANCE,
    callback=SyncCallback(on_limits_late),
    name="limits published soon after decisions are closed",
)


def report_deadline() -> DeadlineAlert:
    """Return the deadline of the report, named by the desk's own clocks."""
    return DeadlineAlert(
        reference=EffectiveMorning(),
        interval=dt.timedelta(0),
        callback=SyncCallback(on_report_late),
        name=f"report by {exchange().report_due_at:%H:%M} {exchange().city}",
    )
