"""The table of features stays equal to what the history gives."""

from __future__ import annotations

import numpy as np

from risk.core.warehouse import Connection
from risk.model.features.build import build_features
from risk.model.features.store import store_features
from risk.model.features.table import FEATURES
from risk.model.panel import read_panel
from tests.sql.daily_rows import effective, insert_pnl, new_run, table, trading_days

COLUMNS = ("account_id", "session_date", "feature_values")


def _two_traders(connection: Connection, count: int) -> None:
    days = trading_days(count)
    insert_pnl(connection, "A", {day: 100 * (-1) ** number * (number + 1) for number, day in enumerate(days)})
    insert_pnl(connection, "B", {day: -50 + 30 * (number % 4) for number, day in enumerate(days) if number % 3})


def test_stored_features_are_the_computed_ones_to_the_last_bit(connection: Connection) -> None:
    # given
    days = trading_days(8)
    _two_traders(connection, 8)

    # when
    store_features(connection, new_run(connection, days[-1]))

    # then
    panel = read_panel(connection, days[-1])
    tensor = build_features(panel, effective(days[-1]))
    stored = table(connection, "features", COLUMNS)
    assert len(stored) == 8 + 7  # B has no session, so no features, on the first day
    for account_id, session_date, values in stored:
        computed = tensor[panel.session_dates.index(session_date), panel.account_ids.index(account_id)]
        read = np.array([np.nan if value is None else value for value in values], dtype=np.float32)
        np.testing.assert_array_equal(read, computed)
        assert len(values) == len(FEATURES)


def test_storing_again_writes_nothing(connection: Connection) -> None:
    days = trading_days(8)
    _two_traders(connection, 8)
    run = new_run(connection, days[-1])
    assert store_features(connection, run) == 15
    assert store_features(connection, run) == 0


def test_a_restated_result_changes_that_session_and_later_ones_only(connection: Connection) -> None:
    # given
    days = trading_days(8)
    _two_traders(connection, 8)
    store_features(connection, new_run(connection, days[-1]))
    before = {(row[0], row[1]): row[2] for row in table(connection, "features", COLUMNS)}

    # when A's sixth session is restated
    insert_pnl(connection, "A", {days[5]: "-9000"})
    written = store_features(connection, new_run(connection, days[-1]))

    # then A's own features and everybody's market features change from there: 2 accounts x 3 sessions
    after = {(row[0], row[1]): row[2] for row in table(connection, "features", COLUMNS)}
    changed = {key for key in after if after[key] != before[key]}
    assert {day for _, day in changed} == set(days[5:])
    assert written == len(changed)


def test_an_older_session_leaves_newer_rows_alone(connection: Connection) -> None:
    days = trading_days(8)
    _two_traders(connection, 8)
    store_features(connection, new_run(connection, days[-1]))
    before = table(connection, "features", COLUMNS)
    assert store_features(connection, new_run(connection, days[3])) == 0
    assert table(connection, "features", COLUMNS) == before


def test_features_of_a_withdrawn_account_are_removed(connection: Connection) -> None:
    # given
    days = trading_days(4)
    insert_pnl(connection, "A", dict.fromkeys(days, "1"))
    insert_pnl(connection, "GONE", {days[3]: "5"})
    store_features(connection, new_run(connection, days[3]))

    # when the only result of the account turns out to be unknown
    insert_pnl(connection, "GONE", {days[3]: "5"}, incomplete_reason="No mark.")
    store_features(connection, new_run(connection, days[3]))

    # then
    assert {row[0] for row in table(connection, "features", COLUMNS)} == {"A"}


def test_an_account_has_features_for_thirty_sessions_from_its_last_one(connection: Connection) -> None:
    days = trading_days(40)
    insert_pnl(connection, "A", dict.fromkeys(days, "1"))
    insert_pnl(connection, "GONE", {days[0]: "5"})
    store_features(connection, new_run(connection, days[-1]))
    rows_of_gone = [row[1] for row in table(connection, "features", COLUMNS) if row[0] == "GONE"]
    assert rows_of_gone == days[:30]


def test_storing_features_of_an_empty_warehouse_writes_nothing(connection: Connection) -> None:
    assert store_features(connection, new_run(connection, trading_days(1)[0])) == 0
