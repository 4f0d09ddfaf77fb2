"""The table of forecasts: the first one counts for ever, and the order of runs does not matter."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.decide import predict
from risk.model.build_features import store_features
from risk.model.panel import SCALE_DECAY, ewma_scale, has_forecast, read_panel
from risk.model.predict import Prediction
from risk.model.walk_forward import BASELINE_EXPERTS, baseline_forecasts
from tests.sql.daily_rows import insert_pnl, new_run, table, trading_days

COLUMNS = ("account_id", "effective_session", "expert", "quantile_05_usd", "is_live")


def _predict(connection: Connection, run: Run) -> Prediction:
    store_features(connection, run)
    return predict(connection, run)


def _desk(connection: Connection, count: int) -> list[dt.date]:
    days = trading_days(count)
    generator = np.random.default_rng(4)
    for name in ("A", "B", "C"):
        insert_pnl(connection, name, {day: round(float(generator.standard_t(4)) * 500.0, 2) for day in days})
    return days


def test_forecasts_of_past_sessions_are_filled_in_and_equal_the_walk(connection: Connection) -> None:
    # given
    days = _desk(connection, 30)

    # when
    written = _predict(connection, new_run(connection, days[-1])).forecast_count

    # then
    panel = read_panel(connection, days[-1])
    forecasts = baseline_forecasts(panel)
    stored = {(row[0], row[1], row[2]): row[3] for row in table(connection, "forecasts", COLUMNS)}
    counts = Counter(expert for _, _, expert in stored)
    simple = {name: int(np.isfinite(getattr(forecasts, name)).sum()) for name in BASELINE_EXPERTS}
    # the expert from simulated desks needs neither a model nor a pool: it begins with the fifth session
    from_simulated_desks = int(has_forecast(panel, ewma_scale(panel.total_pnl_usd, SCALE_DECAY)).sum())
    assert counts == {**simple, "prior": from_simulated_desks}
    assert written == len(stored)
    # the row issued after the next to last session is for the last one, and the text is the exact double
    assert float(stored["B", days[-1], "calibrated"]) == forecasts.calibrated[-2, 1]
    assert str(stored["B", days[-1], "calibrated"]) == str(Decimal(repr(float(forecasts.calibrated[-2, 1]))))


def test_two_sessions_leave_the_same_forecasts_in_either_order(connection: Connection) -> None:
    # given
    days = _desk(connection, 32)
    earlier, later = new_run(connection, days[25]), new_run(connection, days[-1])

    # when the later session runs first
    _predict(connection, later)
    assert _predict(connection, earlier).forecast_count == 0
    late_first = table(connection, "forecasts", COLUMNS)
    with connection, connection.cursor() as cursor:
        cursor.execute("truncate forecasts")
    _predict(connection, earlier)
    _predict(connection, later)

    # then
    assert table(connection, "forecasts", COLUMNS) == late_first
    assert len(late_first) > 100


def test_the_first_forecast_stays_when_results_are_restated(connection: Connection) -> None:
    # given
    days = _desk(connection, 30)
    _predict(connection, new_run(connection, days[-1]))
    before = table(connection, "forecasts", COLUMNS)

    # when
    insert_pnl(connection, "A", {days[20]: "-100000"})
    written = _predict(connection, new_run(connection, days[-1])).forecast_count

    # then
    assert written == 0
    assert table(connection, "forecasts", COLUMNS) == before


def test_the_calibration_follows_the_stored_forecasts(connection: Connection) -> None:
    # given forecasts that promised next to nothing were issued for the last session, and everybody lost
    days = _desk(connection, 30)
    insert_pnl(connection, "A", {days[-1]: "-300"})
    insert_pnl(connection, "B", {days[-1]: "-300"})
    insert_pnl(connection, "C", {days[-1]: "-300"})
    _predict(connection, new_run(connection, days[-2]))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update forecasts set quantile_05_usd = -1 where expert = 'calibrated' and effective_session = %s",
            (days[-1],),
        )

    # when
    _predict(connection, new_run(connection, days[-1]))

    # then c moves by 0.2 (1 - 0.05) 3 / 10 = 0.057 from where the earlier sessions left it
    stored = {(row[1], row[2]): float(str(row[3])) for row in table(connection, "forecasts", COLUMNS) if row[0] == "A"}
    coming = max(day for day, _ in stored)
    moved = np.log(stored[coming, "calibrated"] / stored[coming, "filtered"])
    earlier = baseline_forecasts(read_panel(connection, days[-2])).calibration[-1]
    np.testing.assert_allclose(moved - earlier, 0.057, rtol=1e-9)


def test_a_forecast_is_live_when_the_run_knew_no_more_than_the_session_before(connection: Connection) -> None:
    # given a run whose knowledge ends at 07:00 New York before the open
    days = _desk(connection, 30)
    run = new_run(connection, days[-1])
    early = dt.datetime.combine(run.effective_session, dt.time(12, 0), dt.UTC)
    live = Run(run.run_id, run.session_date, run.effective_session, early, 1, run.load_id, "t", "c", is_simulated=False)

    # when
    _predict(connection, live)

    # then only the forecasts for the coming session were made before it opened
    marked = {row[1] for row in table(connection, "forecasts", COLUMNS) if row[4]}
    assert marked == {run.effective_session}


def test_forecasting_an_empty_warehouse_writes_nothing(connection: Connection) -> None:
    assert _predict(connection, new_run(connection, trading_days(1)[0])).forecast_count == 0
