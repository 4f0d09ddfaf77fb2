"""The hour by which the report of a scheduled run shall be out."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from risk.core.settings import EXCHANGE_ZONE
from risk.operators.callbacks import late_report
from risk.report.alert_pages import DEADLINE


class EffectiveMorning(BaseDeadlineReference):
    """08:30 New York of the day on which a scheduled run is due; other runs have no deadline.

    A time counted from the run's own instants would not do: weekends and holidays lie between its interval's
    start and its end, and a run that starts late has no more time than others.
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
        return dt.datetime.combine(due_at.astimezone(EXCHANGE_ZONE).date(), DEADLINE, tzinfo=EXCHANGE_ZONE)


REPORT_DEADLINE = DeadlineAlert(
    reference=EffectiveMorning(),
    interval=dt.timedelta(0),
    callback=SyncCallback(late_report),
    name="report by 08:30 New York",
)
