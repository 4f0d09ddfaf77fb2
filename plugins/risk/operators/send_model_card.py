"""Mail what a training has found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator

from risk.core.settings import read_settings
from risk.operators.base import warehouse
from risk.operators.send_report import SMTP_CONNECTION_ID, smtp_server

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendModelCardOperator(BaseOperator):
    """Mail the card of the model just trained, or why there is none, to the report's recipients.

    Parameters
    ----------
    deliver
        Whether the mail leaves: ``True`` or ``False``; empty means scheduled trainings mail (templated).
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
        """Whether this training's mail leaves the house."""
        return str(self.deliver) == "True" if self.deliver else self.run_type == "scheduled"

    def execute(self, context: Context) -> dict[str, Any]:
        """Mail the card."""
        from risk.model.train import Trained, send_card

        if not self.is_delivered:
            self.log.info("mails=0, as asked")
            return {"sent_count": 0}
        told = context["ti"].xcom_pull(task_ids=self.trained_task)
        day = dt.date.fromisoformat(told["session_date"])
        trained = Trained(told["content_sha256"], day, told["forecast_count"], told["reason"])
        server = smtp_server(BaseHook.get_connection(SMTP_CONNECTION_ID))
        with warehouse() as connection:
            sent_count = send_card(connection, server, trained, dt.datetime.now(dt.UTC), read_settings())
        self.log.info("mails=%d", sent_count)
        return {"sent_count": sent_count}
