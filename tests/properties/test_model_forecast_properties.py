"""What must hold for the forecasts of any desk."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.model.panel import Panel
from risk.model.walk_forward import BASELINE_EXPERTS, baseline_forecasts
from tests.properties.panels import corrupted_after, panels, permuted, without_late_accounts


@given(panel=panels(), data=st.data())
def test_a_forecast_ignores_whatever_comes_after_it(panel: Panel, data: st.DataObject) -> None:
    known = data.draw(st.integers(1, len(panel.session_dates)))
    whole = baseline_forecasts(panel)
    deleted = baseline_forecasts(without_late_accounts(panel.through(known)))
    kept = np.flatnonzero(panel.is_active[:known].any(axis=0))
    corrupted = baseline_forecasts(corrupted_after(panel, known))
    for expert in BASELINE_EXPERTS:
        np.testing.assert_array_equal(getattr(whole, expert)[:known, kept], getattr(deleted, expert))
        np.testing.assert_array_equal(getattr(whole, expert)[:known], getattr(corrupted, expert)[:known])
    np.testing.assert_array_equal(whole.calibration[:known], deleted.calibration)


@given(panel=panels(), data=st.data())
def test_the_order_of_accounts_changes_no_forecast(panel: Panel, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(panel.account_ids))))
    whole, other = baseline_forecasts(panel), baseline_forecasts(permuted(panel, order))
    for expert in BASELINE_EXPERTS:
        np.testing.assert_array_equal(getattr(other, expert), getattr(whole, expert)[:, order])


@given(panel=panels())
def test_forecasts_are_losses_or_absent(panel: Panel) -> None:
    forecasts = baseline_forecasts(panel)
    served = np.isfinite(forecasts.calibrated)
    for expert in BASELINE_EXPERTS:
        quantiles = getattr(forecasts, expert)
        np.testing.assert_array_equal(np.isfinite(quantiles), served)
        assert (quantiles[served] < 0.0).all()
    assert (np.abs(forecasts.calibration) <= 1.0).all()


@given(panel=panels(), data=st.data())
def test_walking_on_from_what_was_issued_gives_the_same_forecasts(panel: Panel, data: st.DataObject) -> None:
    # given forecasts issued after the first sessions
    known = data.draw(st.integers(1, len(panel.session_dates)))
    whole = baseline_forecasts(panel)
    issued = np.full_like(panel.total_pnl_usd, np.nan)
    issued[:known] = whole.calibrated[:known]

    # when, then
    np.testing.assert_array_equal(baseline_forecasts(panel, issued).calibrated, whole.calibrated)
