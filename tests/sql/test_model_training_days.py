"""Which sessions a training checks, and what it says without books."""

from __future__ import annotations

import datetime as dt

from risk.core import warehouse
from risk.core.settings import read_settings
from risk.model import train as training
from risk.model.train import TrainingResult, train
from risk.report.digest import card_page
from tests.policies import CUT_FUNCTIONS
from tests.sql.test_model_prediction_rows import DAYS, LAST


def test_the_card_without_a_model_says_why(connection: warehouse.Connection) -> None:
    page = card_page(connection, TrainingResult(None, LAST, 0, "There is too little."), read_settings())
    assert (page.headline, page.sentences) == ("No model was trained.", ("There is too little.",))


def test_a_training_checks_first_sessions_of_a_week_and_a_late_one_in_mid_week() -> None:
    # 112 sessions to Friday 2025-06-13: 66 and 99 are Wednesday 2025-04-09 and Wednesday 2025-05-28, whose weeks begin
    # on Monday and Tuesday
    days = [dt.date(2025, 4, 7), dt.date(2025, 5, 27), dt.date(2025, 6, 12)]
    assert [DAYS[row] for row in training.sampled_rows(DAYS)] == days


def test_training_on_no_books_says_so(connection: warehouse.Connection) -> None:
    assert (
        train(connection, LAST, "test", CUT_FUNCTIONS).reason
        == "There are no books yet: nothing was trained, rule-based limits apply."
    )
