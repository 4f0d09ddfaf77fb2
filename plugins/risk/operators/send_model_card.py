"""Operator that mails the model card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from risk.core.settings import read_settings
from risk.operators.base import warehouse
from risk.operators.send_report import smtp_server

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendModelCardOperator(BaseOperator):
    """Mail the card of a training to the report's recipients.

    Parameters
    ----------
    deliver
        Whether to mail the card: ``True`` or ``False``; empty = after scheduled trainings only (templated).
    run_type
        Airflow's type of the run (templated).
    """

    template_fields: Sequence[str] = ("deliver", "run_type")
    trained_task = "train_model"

    def __init__(
        self,
        *,
        deliver: str = "{{ '' if params.deliver is none else params.deliver }}",
        run_type: str = "{{ dag_run.run_type.value }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deliver = deliver
        self.run_type = run_type

    @property
    def is_delivered(self) -> bool:
        """Whether the card of this training is mailed."""
        return str(self.deliver) == "True" if self.deliver else self.run_type == "scheduled"

    def execute(self, context: Context) -> dict[str, Any]:
        """Mail the card."""
        from risk.model.train import TrainingResult
        from risk.report.digest import send_card

        if not self.is_delivered:
            self.log.info("mails=0 deliver=%s run_type=%s", self.deliver, self.run_type)
            return {"sent_count": 0}
        returned = context["ti"].xcom_pull(task_ids=self.trained_task)
        day = dt.date.fromisoformat(returned["session_date"])
        trained = TrainingResult(returned["content_sha256"], day, returned["forecast_count"], returned["reason"])
        with warehouse() as connection:
            sent_count = send_card(connection, smtp_server(), trained, dt.datetime.now(dt.UTC), read_settings())
        self.log.info("mails=%d", sent_count)
        return {"sent_count": sent_count}
