"""When the card of a model leaves the house."""

from __future__ import annotations

import pytest

from risk.operators.send_model_card import SendModelCardOperator


@pytest.mark.parametrize(
    ("deliver", "run_type", "is_delivered"),
    [
        ("", "scheduled", True),
        ("", "manual", False),
        ("", "backfill", False),
        ("True", "manual", True),
        ("False", "scheduled", False),
    ],
)
def test_the_card_is_mailed_by_scheduled_trainings_and_when_asked(
    deliver: str, run_type: str, *, is_delivered: bool
) -> None:
    operator = SendModelCardOperator(task_id="send_model_card", deliver=deliver, run_type=run_type)

    assert operator.is_delivered is is_delivered


def test_a_card_that_stays_in_the_house_asks_no_mail_server() -> None:
    operator = SendModelCardOperator(task_id="send_model_card", deliver="False", run_type="manual")

    assert operator.execute({}) == {"sent_count": 0}
