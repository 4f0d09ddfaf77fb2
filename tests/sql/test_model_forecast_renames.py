"""Forecasts follow the person: those issued under a former name are the account's, by the evening they were issued."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection, records
from risk.limits.decide import ActiveAccount, predict, read_inputs
from risk.limits.policy import read_terms
from risk.model.build_features import store_features
from risk.model.panel import read_panel
from risk.model.predict import read_forecasts
from risk.model.walk_forward import BASELINE
from tests.sql.daily_rows import insert_pnl, issue_forecasts, new_run, table, trading_days
from tests.track_record_desks import rename

DAYS = trading_days(32)
MOVED = DAYS[26]
"""From this session on OLD1 is NEW1."""


def _account(connection: Connection, run: Run, name: str) -> ActiveAccount:
    inputs = read_inputs(connection, run, read_terms(connection, run.effective_session, run.as_of))
    [found] = [account for account in inputs.accounts if account.account_id == name]
    return found


def _renamed_desk(connection: Connection) -> Run:
    """Books after the rename are under the new name; up to its eve forecasts were issued under the old one."""
    insert_pnl(connection, "NEW1", dict.fromkeys(DAYS, "100"))
    before = new_run(connection, DAYS[25])
    issue_forecasts(connection, before, "OLD1", {day: f"-{100 + row}.25" for row, day in enumerate(DAYS[:27]) if row})
    return before


def test_forecasts_under_the_former_name_are_the_usual_loss_of_the_new_one(connection: Connection) -> None:
    _renamed_desk(connection)
    rename(connection, MOVED, "OLD1", "NEW1")

    account = _account(connection, new_run(connection, DAYS[30]), "NEW1")

    # Of DAYS[1] to DAYS[26]: the last was issued on the evening before the rename.
    assert list(account.issued_losses_usd) == [Decimal(f"{100 + row}.25") for row in range(1, 27)]


def test_forecasts_of_the_next_holder_of_the_name_stay_his(connection: Connection) -> None:
    # given that after the rename another person trades as OLD1
    _renamed_desk(connection)
    rename(connection, MOVED, "OLD1", "NEW1")
    insert_pnl(connection, "OLD1", dict.fromkeys(DAYS[26:31], "100"))
    issue_forecasts(connection, new_run(connection, DAYS[29]), "OLD1", dict.fromkeys(DAYS[27:32], "-7.50"))

    run = new_run(connection, DAYS[30])

    assert list(_account(connection, run, "OLD1").issued_losses_usd) == [Decimal("7.50")] * 4
    assert _account(connection, run, "OLD1").quantile_05_usd == Decimal("-7.50")
    assert len(_account(connection, run, "NEW1").issued_losses_usd) == 26


def test_forecast_made_before_the_open_counts_before_one_under_the_own_name(connection: Connection) -> None:
    # given a live forecast as OLD1 and another one made later as NEW1, for the same session
    before = _renamed_desk(connection)
    issue_forecasts(connection, before, "NEW1", {DAYS[5]: "-999", DAYS[6]: "-888"})
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update forecasts set is_live = true where account_id = 'OLD1' and effective_session = %s", (DAYS[5],)
        )
    rename(connection, MOVED, "OLD1", "NEW1")

    run, panel = new_run(connection, DAYS[30]), read_panel(connection, DAYS[30])
    issued, is_live = read_forecasts(connection, panel, DAYS[31], run.as_of)

    # Row t was issued after session t.
    assert issued[BASELINE][4:6, 0].tolist() == [-105.25, -888.0]
    assert is_live[BASELINE][4:6, 0].tolist() == [True, False]
    assert np.isfinite(issued[BASELINE][:26, 0]).all()


def test_rename_recorded_later_is_not_known_yet(connection: Connection) -> None:
    before = _renamed_desk(connection)
    rename(connection, MOVED, "OLD1", "NEW1")

    issued, _ = read_forecasts(connection, read_panel(connection, DAYS[25]), DAYS[26], before.as_of)

    assert not np.isfinite(issued[BASELINE]).any()


def test_predicting_after_a_rename_issues_no_second_forecast(connection: Connection) -> None:
    _renamed_desk(connection)
    rename(connection, MOVED, "OLD1", "NEW1")
    run = new_run(connection, DAYS[30])
    store_features(connection, run)

    predict(connection, run)

    stored = table(connection, "forecasts", ("account_id", "effective_session", "expert"))
    own = {day for name, day, expert in stored if (name, expert) == ("NEW1", "calibrated")}
    assert own
    assert min(own) > MOVED


def test_digest_and_page_count_a_renamed_account_once(connection: Connection) -> None:
    # given a forecast under either name for one session, and a loss beyond both
    before = _renamed_desk(connection)
    insert_pnl(connection, "NEW1", {DAYS[5]: "-5000"})
    issue_forecasts(connection, before, "NEW1", {DAYS[5]: "-999"})
    rename(connection, MOVED, "OLD1", "NEW1")

    counts = records(connection, "digest/select_exceedances", {"from_date": DAYS[0], "through_date": DAYS[31]})
    sessions = records(connection, "risk_page/select_trader_sessions", {"account_id": "NEW1"})

    assert counts == [{"expert": "calibrated", "forecast_count": 26, "exceedance_count": 1}]
    shown: dict[dt.date, Decimal] = {row["session_date"]: row["quantile_05_usd"] for row in sessions}
    assert (shown[DAYS[5]], shown[DAYS[26]], shown[DAYS[27]]) == (Decimal(-999), Decimal("-126.25"), None)
