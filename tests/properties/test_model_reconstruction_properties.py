"""What must hold for the walk-forward of any desk, however bad its data."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model.artefact import content_sha256, load, to_json
from risk.model.build_features import build_features
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import PRIOR, read_prior
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS, fit_model, training_pairs
from risk.model.gate import GateInputs, Ladder, is_eligible, reasons, rules_quantiles
from risk.model.mixture import forecast_distribution, residual_shape
from risk.model.panel import FeaturePanel, FloatMatrix, Panel, feature_panel
from risk.model.walk_forward import WalkForward, forecast_next, refit_rows, walk_forward
from tests.properties.effort import examples
from tests.properties.panels import corrupted_after, next_weekday, panel_of, panels, weekdays

SHIPPED = read_prior(LEARNED_NAMES).prior


def _history(panel: Panel, effective_session: dt.date) -> FeaturePanel:
    return feature_panel(panel, build_features(panel, effective_session), LEARNED_NAMES)


def _walked(panel: Panel) -> WalkForward:
    return walk_forward(_history(panel, next_weekday(panel)), prior=SHIPPED)


def _is_whole(panel: Panel, forecasts: WalkForward) -> None:
    """Require every expert where one speaks, losses only, weights of sum 1, and everything after it without NaN."""
    is_issued = np.isfinite(forecasts.calibrated)
    for name in MIXED_EXPERTS:
        is_known = np.isfinite(forecasts.expert(name))
        # The prior needs no pool; it is mixed once the others speak.
        np.testing.assert_array_equal(is_known & is_issued if name == PRIOR else is_known, is_issued)
        assert (forecasts.expert(name)[is_issued] < 0.0).all()
    np.testing.assert_allclose(forecasts.weights.sum(axis=1), 1.0)
    assert (np.abs(forecasts.calibration) <= 1.0).all()
    shape = residual_shape(panel.total_pnl_usd, forecasts.calibrated)
    for quantile in forecasts.calibrated[-1][is_issued[-1]]:
        found = forecast_distribution(shape, float(quantile), 5000.0)
        numbers = (*found.quantiles_usd, found.expected_shortfall_usd, found.loss_probability)
        assert np.isfinite(numbers).all()
        assert list(found.quantiles_usd) == sorted(found.quantiles_usd)
        assert 0.0 < found.loss_probability < 1.0


@examples(25)
@given(panel=panels(most_sessions=75), data=st.data())
def test_a_forecast_ignores_whatever_comes_after_it(panel: Panel, data: st.DataObject) -> None:
    # given
    known = data.draw(st.integers(1, len(panel.session_dates)))
    whole = _walked(panel)

    # when later rows are deleted, or corrupted
    deleted = walk_forward(_history(panel.through(known), weekdays(known + 1)[-1]), prior=SHIPPED)
    corrupted = _walked(corrupted_after(panel, known))

    # then every bit stays
    for other in (deleted, corrupted):
        np.testing.assert_array_equal(whole.experts[:, :known], other.experts[:, :known])
        np.testing.assert_array_equal(whole.weights[:known], other.weights[:known])
        np.testing.assert_array_equal(whole.calibrated[:known], other.calibrated[:known])
    _is_whole(panel, whole)


def _desk(rows: int, accounts: int) -> FloatMatrix:
    return np.random.default_rng(7).standard_t(4, (rows, accounts)) * 1000.0


def _with(pnl: FloatMatrix, rows: slice | int, accounts: slice | int, value: float) -> FloatMatrix:
    changed = pnl.copy()
    changed[rows, accounts] = value
    return changed


BAD = {
    "one trader": _desk(260, 1),
    "one session": _desk(1, 5),
    "200 traders": _desk(90, 200),
    "a law that changes every 50 sessions": _desk(260, 6) * 5.0 ** (np.arange(260)[:, None] // 50 % 2),
    "fewer than 60 sessions": _desk(40, 8),
    "all zeros": np.zeros((90, 5)),
    "constant gain": np.full((90, 5), 250.0),
    "constant loss": np.full((90, 5), -250.0),
    "nobody ever active": np.full((90, 3), np.nan),
    "a gap of four months": _with(_desk(170, 5), slice(60, 145), slice(None), np.nan),
    "an outlier of 1e9": _with(_desk(90, 5), 70, 2, -1e9),
    "an outlier on the first day": _with(_desk(90, 5), 0, 0, 1e9),
    "cents": _desk(90, 5) * 1e-5,
    "one account of zeros": _with(_desk(90, 5), slice(None), 1, 0.0),
    "a trader who appears today": _with(_desk(90, 5), slice(0, 89), 4, np.nan),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", list(BAD))
def test_bad_data_gives_forecasts_or_none_but_never_an_error(name: str) -> None:
    # given
    pnl = BAD[name]
    panel = panel_of(pnl)

    # when
    history = _history(panel, next_weekday(panel))
    forecasts = walk_forward(history, prior=SHIPPED)

    # then whoever has 5 sessions, a scale and was here within 30 sessions is forecast, once 20 residuals are pooled
    _is_whole(panel, forecasts)
    residual_count = np.isfinite(forecasts.calibrated[:-1]) & np.isfinite(pnl[1:])
    if residual_count.sum() >= 20:
        np.testing.assert_array_equal(np.isfinite(forecasts.calibrated[-1]), history.has_forecast[-1])
    baseline = rules_quantiles(pnl, forecasts.expert("historical"), np.zeros_like(pnl))
    filtered, historical = forecasts.expert("filtered"), forecasts.expert("historical")
    inputs = GateInputs(pnl, history.scale, is_eligible(panel), forecasts.calibrated, filtered, historical, baseline)
    assert all(reasons(standing) for standing in Ladder(inputs).standings)


@pytest.mark.thorough
def test_a_desk_whose_law_changes_every_50_sessions_is_covered_and_stays_in_the_gate() -> None:
    # given a scale that is five times as large in every other 50 sessions
    pnl = _desk(400, 8) * 5.0 ** (np.arange(400)[:, None] // 50 % 2)
    panel = panel_of(pnl)

    # when
    history = _history(panel, next_weekday(panel))
    forecasts = walk_forward(history, prior=SHIPPED)
    rules = rules_quantiles(pnl, forecasts.expert("historical"), np.zeros_like(pnl))
    experts = (forecasts.expert("filtered"), forecasts.expert("historical"), rules)
    ladder = Ladder(GateInputs(pnl, history.scale, is_eligible(panel), forecasts.calibrated, *experts))

    # then about one session in twenty is below the forecast, over each whole cycle too
    is_scored = np.isfinite(forecasts.calibrated[:-1])
    is_below = (pnl[1:] < forecasts.calibrated[:-1])[is_scored].reshape(-1, 8)
    assert 0.04 < is_below.mean() < 0.065
    assert all(0.03 < cycle.mean() < 0.085 for cycle in (is_below[-100:], is_below[-200:-100], is_below[-300:-200]))
    assert all(np.isfinite(bet.bet.log_wealth) for bets in ladder.placed.values() for bet in bets)
    assert ladder.standing.serving() != "rules"  # what follows the scale has beaten what does not


def test_a_newcomer_is_forecast_from_his_sixth_morning_on() -> None:
    # given a desk of four and one who starts in session 80
    pnl = _with(_desk(90, 5), slice(0, 80), 4, np.nan)

    # when
    forecasts = _walked(panel_of(pnl))

    # then after his fifth session there is a forecast, before that rules serve
    assert np.isfinite(forecasts.calibrated[:, 4]).argmax() == 84


def test_what_was_issued_counts_as_it_was() -> None:
    # given
    panel = panel_of(_desk(75, 5))
    history = _history(panel, next_weekday(panel))
    whole = walk_forward(history, prior=SHIPPED)
    issued = {name: np.where(np.arange(75)[:, None] < 70, whole.expert(name), np.nan) for name in MIXED_EXPERTS}
    for name in ("mixture", "calibrated"):
        issued[name] = np.where(np.arange(75)[:, None] < 70, getattr(whole, name), np.nan)

    # when only the last week is computed
    later = walk_forward(history, issued, first_row=70, prior=SHIPPED)

    # then nothing differs, and a changed forecast of the past stays changed
    np.testing.assert_array_equal(later.calibrated, whole.calibrated)
    np.testing.assert_array_equal(later.weights, whole.weights)
    issued["calibrated"] = issued["calibrated"] * 1.5
    again = walk_forward(history, issued, first_row=70, prior=SHIPPED)
    np.testing.assert_array_equal(again.calibrated[:70], whole.calibrated[:70] * 1.5)


def test_a_morning_with_a_stored_model_gives_the_bits_of_the_walk_forward() -> None:
    # given a walk over 78 sessions, and the model of its last week, stored and read back
    panel = panel_of(_desk(78, 5))
    history = _history(panel, next_weekday(panel))
    whole = walk_forward(history, prior=SHIPPED)
    known = refit_rows(panel.session_dates)[-1] - 1
    text = to_json(fit_model(history, training_pairs(history), known, PooledGarch().fit(panel.total_pnl_usd)))
    model = load(text, content_sha256(text), LEARNED_NAMES)

    # when the forecasts issued before the last session are all there is
    issued = {name: whole.expert(name).copy() for name in MIXED_EXPERTS}
    issued |= {"mixture": whole.mixture.copy(), "calibrated": whole.calibrated.copy()}
    for quantiles in issued.values():
        quantiles[-1] = np.nan
    morning = forecast_next(history, model, issued, SHIPPED)

    # then
    np.testing.assert_array_equal(morning.experts[:, -1], whole.experts[:, -1])
    np.testing.assert_array_equal(morning.calibrated[-1], whole.calibrated[-1])
    assert np.isfinite(morning.calibrated[-1]).any()
