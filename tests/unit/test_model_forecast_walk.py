"""Forecasts by hand, against a second method, and on desks that are hardly desks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from risk.model.backtests import pinball_loss
from risk.model.mixture import calibrate
from risk.model.panel import ewma_scale, sorted_quantile
from risk.model.walk_forward import BASELINE_EXPERTS, baseline_forecasts
from tests.properties.panels import panel_of


def _desk(seed: int = 3, shape: tuple[int, int] = (80, 4)) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    pnl = generator.standard_t(4, shape) * generator.lognormal(6.0, 1.0, shape[1])
    pnl[generator.random(shape) > 0.85] = np.nan
    return pnl


def _slow_walk(pnl: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Recompute every row from nothing, by boolean masks and numpy's own quantile."""
    scale, volatility = ewma_scale(pnl, 0.97), ewma_scale(pnl, 0.94)
    result = {expert: np.full_like(pnl, np.nan) for expert in ("historical", "filtered")}
    for row in range(len(pnl)):
        seen = np.arange(1, row + 1)
        pools = {}
        for name, known in (("z", scale), ("filtered", volatility)):
            counts = np.array([np.isfinite(pnl[:number]).sum(axis=0) for number in seen]).reshape(-1, pnl.shape[1])
            ratios = pnl[seen] / known[seen - 1]
            pools[name] = ratios[np.isfinite(ratios) & (counts >= 5)]
        for account in range(pnl.shape[1]):
            own = pnl[: row + 1, account]
            own = own[np.isfinite(own)]
            if len(own) < 5 or len(pools["z"]) < 20:
                continue
            s = scale[row, account]
            historical = np.quantile(own, 0.05) if len(own) >= 20 else np.quantile(pools["z"], 0.05) * s
            filtered = np.quantile(pools["filtered"], 0.05) * volatility[row, account]
            result["historical"][row, account] = min(historical, -0.05 * s)
            result["filtered"][row, account] = min(filtered, -0.05 * s)
    return result


def test_experts_agree_with_a_recomputation_from_nothing() -> None:
    # given
    pnl = _desk()

    # when
    forecasts = baseline_forecasts(panel_of(pnl))

    # then
    slow = _slow_walk(pnl)
    assert np.isfinite(slow["filtered"]).sum() > 200
    np.testing.assert_allclose(forecasts.historical, slow["historical"], rtol=1e-12)
    np.testing.assert_allclose(forecasts.filtered, slow["filtered"], rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 20, 21, 39, 40, 41, 100])
def test_the_quantile_is_the_interpolated_one(count: int) -> None:
    ascending = np.sort(np.random.default_rng(count).normal(size=count))
    assert sorted_quantile(ascending) == pytest.approx(np.quantile(ascending, 0.05), rel=1e-12)


def test_the_pinball_loss_weighs_an_exceedance_nineteen_times() -> None:
    # one below the forecast costs 0.95, one above 0.05
    losses = pinball_loss(np.array([[-3.0, -1.0, -2.0]]), np.array([[-2.0, -2.0, -2.0]]))
    np.testing.assert_allclose(losses, [[0.95, 0.05, 0.0]])


def test_the_calibration_follows_exceedances_by_hand() -> None:
    # given forecasts of -100 for two accounts; session 1: one of two exceeded; session 2: none active;
    # session 3: one scored, not exceeded
    filtered = np.full((4, 2), -100.0)
    pnl = np.array([[0.0, 0.0], [-150.0, 50.0], [np.nan, np.nan], [-100.0, np.nan]])

    # when
    calibrated, calibration = calibrate(pnl, filtered, np.full_like(filtered, np.nan))

    # then c = 0.2 (1/2 - 0.05) 2/10 = 0.018; unchanged; 0.018 + 0.2 (0 - 0.05) 1/10 = 0.017
    np.testing.assert_allclose(calibration, [0.0, 0.018, 0.018, 0.017], rtol=1e-12)
    np.testing.assert_allclose(calibrated[:, 0], -100.0 * np.exp(calibration), rtol=1e-12)


def test_a_forecast_is_scored_before_the_calibration_moves() -> None:
    # given ten accounts that all lose 101: an exceedance of -100 after session 0, of -100 e^0.19 = -120.9 none
    pnl = np.full((3, 10), -101.0)
    filtered = np.full((3, 10), -100.0)
    _, calibration = calibrate(pnl, filtered, np.full_like(filtered, np.nan))
    # 0.2 x 0.95 x 1 = 0.19, then 0.19 - 0.2 x 0.05 = 0.18
    np.testing.assert_allclose(calibration, [0.0, 0.19, 0.18], rtol=1e-12)


def test_the_calibration_is_bounded() -> None:
    pnl = np.full((40, 10), -1e6)
    _, calibration = calibrate(pnl, np.full((40, 10), -1.0), np.full((40, 10), np.nan))
    assert calibration.max() == 1.0


def test_an_issued_forecast_counts_as_it_was_issued() -> None:
    # given -500 was issued after session 0 where -100 would be computed now; -200 is then no exceedance
    filtered = np.full((2, 10), -100.0)
    issued = np.full((2, 10), np.nan)
    issued[0] = -500.0
    calibrated, calibration = calibrate(np.full((2, 10), -200.0), filtered, issued)
    np.testing.assert_allclose(calibration, [0.0, -0.01], rtol=1e-12)
    assert (calibrated[0] == -500.0).all()


def test_an_account_is_forecast_from_its_fifth_session_on() -> None:
    # given three accounts with 30 sessions and one that joins for the last 5
    pnl = _desk(shape=(30, 4))
    pnl[:] = np.where(np.isfinite(pnl), pnl, 1.0)
    pnl[:25, 3] = np.nan
    served = np.isfinite(baseline_forecasts(panel_of(pnl)).calibrated[:, 3])
    assert np.flatnonzero(served).tolist() == [29]


def test_an_account_that_stays_away_is_forecast_for_thirty_sessions() -> None:
    pnl = np.where(np.isfinite(_desk(shape=(80, 3))), _desk(shape=(80, 3)), 1.0)
    pnl[40:, 2] = np.nan
    served = np.flatnonzero(np.isfinite(baseline_forecasts(panel_of(pnl)).calibrated[:, 2]))
    # its last session is row 39: rows 39 to 68 are within thirty sessions
    assert served.max() == 68


@pytest.mark.parametrize(
    "pnl",
    [
        np.empty((0, 0)),
        np.array([[5.0]]),
        np.full((60, 1), np.nan),
        np.zeros((60, 3)),
        np.full((60, 3), 250.0),
        np.full((60, 3), -250.0),
        np.where(np.arange(60)[:, None] == 30, -1e9, np.full((60, 2), 100.0)),
        np.where(np.arange(200)[:, None] % 100 == 0, -7.0, np.nan),
    ],
    ids=["empty", "one session", "never", "zeros", "gains", "losses", "outlier", "gaps of months"],
)
def test_hardly_a_desk_gives_losses_or_nothing(pnl: NDArray[np.float64]) -> None:
    forecasts = baseline_forecasts(panel_of(pnl))
    for expert in BASELINE_EXPERTS:
        quantiles = getattr(forecasts, expert)
        assert quantiles.shape == pnl.shape
        assert not np.isinf(quantiles).any()
        assert (quantiles[np.isfinite(quantiles)] < 0.0).all()


def test_a_trader_who_only_gains_is_still_forecast_a_loss_of_a_twentieth_of_his_scale() -> None:
    # constant gains of 250: s = 250, every quantile is +250, clipped to -12.5
    forecasts = baseline_forecasts(panel_of(np.full((60, 3), 250.0)))
    np.testing.assert_allclose(forecasts.historical[-1], -12.5)
    np.testing.assert_allclose(forecasts.filtered[-1], -12.5)


def test_the_calibrated_forecast_is_exceeded_one_session_in_twenty() -> None:
    # given volatility that doubles half way, which the historical quantile notices late
    generator = np.random.default_rng(8)
    pnl = generator.standard_t(5, (400, 12)) * 1000.0
    pnl[200:] *= 2.0

    # when
    forecasts = baseline_forecasts(panel_of(pnl))

    # then, from the session after the change on: 2,400 outcomes, standard error 0.0045
    outcomes, scale = pnl[200:], ewma_scale(pnl, 0.97)[199:-1]
    share = {expert: float((outcomes < getattr(forecasts, expert)[199:-1]).mean()) for expert in BASELINE_EXPERTS}
    loss = {
        expert: float(pinball_loss(outcomes / scale, getattr(forecasts, expert)[199:-1] / scale).mean())
        for expert in BASELINE_EXPERTS
    }
    assert share["historical"] > 0.07
    assert 0.04 < share["calibrated"] < 0.06
    assert loss["calibrated"] < loss["historical"]
