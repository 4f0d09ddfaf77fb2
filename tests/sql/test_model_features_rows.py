"""The table of features stays equal to what the history gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from risk.core.errors import FeatureError
from risk.core.warehouse import Connection
from risk.model.build_features import FEATURE_SET_VERSION, build_features, read_features, store_features
from risk.model.features import FEATURE_NAMES
from risk.model.panel import read_panel
from tests.sql.daily_rows import effective, insert_pnl, new_run, table, trading_days

COLUMNS = ("account_id", "session_date", "feature_set_version", *FEATURE_NAMES)


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

    # then each column is the feature of its name
    panel = read_panel(connection, days[-1])
    computed = build_features(panel, effective(days[-1]))
    stored = table(connection, "features", COLUMNS)
    assert len(stored) == 8 + 7  # B has no session, so no features, on the first day
    for account_id, session_date, version, *values in stored:
        expected = computed.loc[(pd.Timestamp(session_date), account_id)].astype(float)
        assert version == FEATURE_SET_VERSION
        np.testing.assert_array_equal(np.array(values, dtype=float), expected[[*FEATURE_NAMES]])


def test_features_read_back_are_those_computed_to_the_last_bit(connection: Connection) -> None:
    # given
    days = trading_days(8)
    _two_traders(connection, 8)
    store_features(connection, new_run(connection, days[-1]))

    # when
    panel = read_panel(connection, days[-1])
    read = read_features(connection, panel, panel.is_active)

    # then
    pd.testing.assert_frame_equal(read, build_features(panel, effective(days[-1])), check_exact=True)


def test_features_of_other_formulas_are_refused_with_a_sentence(connection: Connection) -> None:
    # given features of which one row was computed by other formulas
    days = trading_days(8)
    _two_traders(connection, 8)
    run = new_run(connection, days[-1])
    store_features(connection, run)
    with connection, connection.cursor() as cursor:
        cursor.execute("update features set feature_set_version = 'older' where session_date = %s", (days[-1],))
    panel = read_panel(connection, days[-1])

    # when, then
    with pytest.raises(FeatureError, match=rf"of version older, this code computes {FEATURE_SET_VERSION} .*Clear task"):
        read_features(connection, panel, panel.is_active)

    # and the task that the sentence names computes them again
    assert store_features(connection, run) == 2
    read_features(connection, panel, panel.is_active)


def test_features_that_are_missing_are_named(connection: Connection) -> None:
    days = trading_days(8)
    _two_traders(connection, 8)
    store_features(connection, new_run(connection, days[-2]))
    panel = read_panel(connection, days[-1])
    sentence = rf"No features are stored for A on {days[-1]} \(2 account-sessions in all\). Clear task build_features"
    with pytest.raises(FeatureError, match=sentence):
        read_features(connection, panel, panel.is_active)


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
    before = {(row[0], row[1]): row[2:] for row in table(connection, "features", COLUMNS)}

    # when A's sixth session is restated
    insert_pnl(connection, "A", {days[5]: "-9000"})
    written = store_features(connection, new_run(connection, days[-1]))

    # then A's own features and everybody's market features change from there: 2 accounts x 3 sessions
    after = {(row[0], row[1]): row[2:] for row in table(connection, "features", COLUMNS)}
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
