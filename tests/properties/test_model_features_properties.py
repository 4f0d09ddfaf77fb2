"""What must hold for the features of any desk."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.model.features import FEATURES
from risk.model.panel import Panel
from tests.properties.panels import (
    corrupted_after,
    feature_tensor,
    next_weekday,
    panels,
    permuted,
    weekdays,
    without_late_accounts,
)


@given(panel=panels(), data=st.data())
def test_features_of_a_session_ignore_whatever_comes_after_it(panel: Panel, data: st.DataObject) -> None:
    # given
    known = data.draw(st.integers(1, len(panel.session_dates)))
    whole = feature_tensor(panel, next_weekday(panel))

    # when later rows are deleted, or corrupted
    prefix = panel.through(known)
    deleted = feature_tensor(prefix, weekdays(known + 1)[-1])
    corrupted = feature_tensor(corrupted_after(panel, known), next_weekday(panel))

    # then every bit stays
    np.testing.assert_array_equal(whole[:known], deleted)
    np.testing.assert_array_equal(whole[:known], corrupted[:known])


@given(panel=panels(), data=st.data())
def test_features_ignore_accounts_that_come_later(panel: Panel, data: st.DataObject) -> None:
    known = data.draw(st.integers(1, len(panel.session_dates)))
    prefix = panel.through(known)
    earlier = without_late_accounts(prefix)
    kept = [prefix.account_ids.index(account_id) for account_id in earlier.account_ids]
    whole = feature_tensor(prefix, weekdays(known + 1)[-1])
    np.testing.assert_array_equal(whole[:, kept], feature_tensor(earlier, weekdays(known + 1)[-1]))


@given(panel=panels(), data=st.data())
def test_the_order_of_accounts_changes_nothing(panel: Panel, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(panel.account_ids))))
    whole = feature_tensor(panel, next_weekday(panel))
    np.testing.assert_array_equal(feature_tensor(permuted(panel, order), next_weekday(panel)), whole[:, order])


@given(panel=panels(), exponent=st.integers(-8, 8))
def test_features_are_free_of_scale(panel: Panel, exponent: int) -> None:
    # given one trader's dollars and shares multiplied by a power of 2, which rounds nothing
    factor = np.ones(len(panel.account_ids))
    factor[0] = 2.0**exponent
    larger = dataclasses.replace(
        panel,
        total_pnl_usd=panel.total_pnl_usd * factor,
        turnover_usd=panel.turnover_usd * factor,
        fees_usd=panel.fees_usd * factor,
        volume=panel.volume * factor,
        fill_count=panel.fill_count * factor,
        early_pnl_usd=panel.early_pnl_usd * factor,
        late_pnl_usd=panel.late_pnl_usd * factor,
        holding_seconds=panel.holding_seconds * factor,
        adds_to_loser_count=panel.adds_to_loser_count * factor,
        overnight_usd=panel.overnight_usd * factor,
    )

    # when, then
    np.testing.assert_array_equal(
        feature_tensor(larger, next_weekday(panel)), feature_tensor(panel, next_weekday(panel))
    )


@given(panel=panels())
def test_features_are_finite_and_bounded_or_undefined(panel: Panel) -> None:
    # given
    tensor = feature_tensor(panel, next_weekday(panel))
    by_name = {feature.name: tensor[:, :, number] for number, feature in enumerate(FEATURES)}

    # then no infinity; own z is bounded by the share 0.03 of its own square in the scale
    assert not np.isinf(tensor).any()
    assert np.nanmax(np.abs(by_name["last_z"]), initial=0.0) <= 1.0 / np.sqrt(0.03) + 1e-6
    for name in ("win_rate_5", "win_rate_20", "market_loser_share", "enlarging_share_0", "enlarging_share_3"):
        assert np.nanmin(by_name[name], initial=0.0) >= 0.0
        assert np.nanmax(by_name[name], initial=0.0) <= 1.0
    before_first = np.cumsum(panel.is_active, axis=0) == 0
    assert np.isnan(tensor[before_first]).all()
