"""Train the model of the week and store it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from risk.core.calendar import checked_session, next_session
from risk.core.exchange import exchange_zone
from risk.operators.base import refuse_unknown_keys, warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrainModelOperator(BaseOperator):
    """Walk forward over the history, check for leaks, fit and store the model; too little history is no failure.

    Parameters
    ----------
    session_date
        ISO date of a session in the week that the model is for; empty for the week of the run (templated).
    """

    template_fields: Sequence[str] = ("session_date",)

    def __init__(self, *, session_date: str = "{{ params.session_date or '' }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session_date = session_date

    def execute(self, context: Context) -> dict[str, Any]:
        """Train on what was known before the week."""
        from risk.limits.decide import cut_functions
        from risk.limits.policy import read_terms
        from risk.model.train import last_training_session, train

        refuse_unknown_keys(context)
        dag_run = context["dag_run"]
        run_after = dag_run.run_after
        chosen = (
            checked_session(dt.date.fromisoformat(self.session_date), run_after)
            if self.session_date
            else run_after.astimezone(exchange_zone()).date()
        )
        is_automated = dag_run.run_type in ("scheduled", "backfill")
        interval_start = dag_run.data_interval_start if is_automated else None
        through = interval_start.astimezone(dt.UTC).date() if interval_start else last_training_session(chosen)
        with warehouse() as connection:
            cuts = cut_functions(read_terms(connection, next_session(through)))
            trained = train(connection, through, dag_run.run_id, cuts)
        name = (trained.content_sha256 or "none")[:12]
        self.log.info("session=%s model=%s forecasts=%d %s", through, name, trained.forecast_count, trained.reason)
        return {
            "session_date": through.isoformat(),
            "content_sha256": trained.content_sha256,
            "forecast_count": trained.forecast_count,
            "reason": trained.reason,
        }
