"""Whether a run mails, asked of the operators as Airflow renders them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.api.datamodels._generated import DagRunType

from risk.operators.send_model_card import SendModelCardOperator
from risk.operators.send_report import SendReportOperator


@pytest.mark.parametrize(
    ("operator_class", "given"), [(SendReportOperator, {"run_id": "1"}), (SendModelCardOperator, {})]
)
@pytest.mark.parametrize(
    ("deliver", "run_type", "is_delivered"),
    [
        (None, DagRunType.SCHEDULED, True),
        (None, DagRunType.BACKFILL, False),
        (None, DagRunType.MANUAL, False),
        (True, DagRunType.MANUAL, True),
        (False, DagRunType.SCHEDULED, False),
    ],
)
def test_scheduled_run_mails_and_others_do_when_told(
    operator_class: Any, given: dict[str, str], deliver: bool | None, run_type: DagRunType, is_delivered: bool
) -> None:
    # given what a task sees of its run: Airflow's own type, which prints as DagRunType.SCHEDULED
    operator = operator_class(task_id="send", **given)
    context = {
        "params": {"deliver": deliver, "approval": "none"},
        "dag_run": SimpleNamespace(run_type=run_type, run_id="r"),
        "dag": SimpleNamespace(dag_id="daily_risk"),
    }

    operator.render_template_fields(context)

    assert operator.is_delivered is is_delivered
