"""Results drawn from a known law, so that a forecast can be measured against the truth.

Grain of every matrix: ``(n_sessions, n_accounts)``, as in `risk.model.panel`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import calendar, is_session
from risk.core.errors import RequestError
from risk.model.panel import SCALE_DECAY, FloatMatrix
from simulation.law import Law, law_of, shock_quantile, stream, tail_deviation

LAST_SESSION = dt.date(2025, 8, 15)
"""Newest simulated session unless the caller names one: fixed, so that the same command gives the same bytes."""

VOLATILITY_PERSISTENCE = 0.95
MARKET_PERSISTENCE = 0.97
MARKET_LOADING = 1.0
TILT_AFTER_SCALES = 1.0
TILT_DECAY = 0.6
SCALE_MEDIAN_USD, SCALE_SPREAD, SCALE_BOUNDS_USD = 2000.0, 0.9, (150.0, 40_000.0)
DRIFT_BOUNDS = (-0.02, 0.08)
TRADE_COUNT_MEDIAN, TRADE_COUNT_SPREAD, TRADE_COUNT_POWER = 25.0, 0.6, 0.6


@dataclass(frozen=True, slots=True)
class Truth:
    """Results of a simulated desk, and the true distribution behind them.

    Attributes
    ----------
    session_dates
        Consecutive sessions, ascending.
    account_ids
        Accounts, ascending.
    net_pnl_usd
        Result in whole cents, gains positive; NaN where the account did not trade.
    true_q05_usd
        True 5% quantile given everything before the session, a stop included, US dollars, not rounded; known for
        inactive cells too.
    trade_count
        Round trips; 0 where the account did not trade.
    sigma_usd
        True scale of the session, tilt included.
    tilt
        State of tilt at the session's start, 0 (calm) to 1.
    """

    session_dates: tuple[dt.date, ...]
    account_ids: tuple[str, ...]
    net_pnl_usd: FloatMatrix
    true_q05_usd: FloatMatrix
    trade_count: NDArray[np.int64]
    sigma_usd: FloatMatrix
    tilt: FloatMatrix

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Where an account traded, ``(n_sessions, n_accounts)``."""
        return np.isfinite(self.net_pnl_usd)


@dataclass(frozen=True, slots=True)
class _Traits:
    """Constants of each account; every array ``(n_accounts,)``."""

    scale_usd: NDArray[np.float64]
    drift: NDArray[np.float64]
    activity: NDArray[np.float64]
    trade_count: NDArray[np.float64]
    stop_scales: NDArray[np.float64]


def draw(set_name: str, traders: int, sessions: int, seed: int, *, last_session: dt.date = LAST_SESSION) -> Truth:
    """Draw a desk's results without writing fills.

    Parameters
    ----------
    set_name
        A name of `simulation.law.LAWS`.
    traders, sessions
        How many accounts and how many consecutive sessions, at least one of each.
    seed
        Not negative. The same numbers give the same desk.
    last_session
        The newest session.

    Raises
    ------
    RequestError
        If a number is out of range or the day is not a session.
    """
    return draw_law(law_of(set_name), traders, sessions, seed, last_session=last_session)


def draw_law(law: Law, traders: int, sessions: int, seed: int, *, last_session: dt.date = LAST_SESSION) -> Truth:
    """Draw the results of a desk with any constants; arguments, result and errors as in `draw`."""
    if traders < 1 or seed < 0:
        raise RequestError(f"A desk needs at least 1 trader and a seed of at least 0: got {traders} and {seed}.")
    width = max(3, len(str(traders)))
    account_ids = tuple(f"SIM{number:0{width}d}" for number in range(1, traders + 1))
    session_dates = sessions_through(last_session, sessions)
    is_active = _draw_activity(law, _draw_traits(law, traders, seed).activity, sessions, seed)
    return draw_results(law, account_ids, session_dates, is_active, seed)


def sessions_through(last_session: dt.date, count: int) -> tuple[dt.date, ...]:
    """List the newest sessions up to one, ascending.

    Raises
    ------
    RequestError
        If the day is not a session or the calendar has fewer sessions.
    """
    if not is_session(last_session):
        raise RequestError(f"{last_session} is not a session of the exchange: name a day on which it was open.")
    known = calendar().sessions
    end = int(known.searchsorted(last_session.isoformat(), side="right"))
    if not 1 <= count <= end:
        raise RequestError(f"The calendar has {end} sessions through {last_session}: request 1 to {end}, not {count}.")
    return tuple(stamp.date() for stamp in known[end - count : end])


def draw_results(
    law: Law,
    account_ids: Sequence[str],
    session_dates: Sequence[dt.date],
    is_active: NDArray[np.bool_],
    seed: int,
    *,
    scale_usd: Sequence[float] | None = None,
) -> Truth:
    """Draw results for given accounts and given trading days.

    Parameters
    ----------
    law
        The constants.
    account_ids, session_dates
        Columns and rows, ascending.
    is_active
        Where an account trades, ``(n_sessions, n_accounts)``.
    seed
        Not negative.
    scale_usd
        Each account's scale ``s`` of the law, US dollars, ``(n_accounts,)``; ``None`` = drawn as well.

    Notes
    -----
    `Law` has the formulas. Random bits do not depend on the machine, and everything written is rounded to
    the cent, far above the last bit in which math libraries differ.
    """
    traits = _draw_traits(law, len(account_ids), seed)
    if scale_usd is not None:
        traits = replace(traits, scale_usd=np.array(scale_usd, dtype=np.float64))
    calm_scale = traits.scale_usd * np.exp(_log_volatility(law, is_active.shape, seed))
    shocks = _draw_shocks(law, is_active.shape, seed)
    result, sigma, tilt, stop = _walk(law, traits, calm_scale, shocks, is_active, seed)
    expected = traits.trade_count * (sigma / traits.scale_usd) ** TRADE_COUNT_POWER
    trade_count = 1 + stream(seed, 5).poisson(expected)
    return Truth(
        tuple(session_dates),
        tuple(account_ids),
        np.where(is_active, np.rint(result * 100) / 100, np.nan),
        # A monotone function of the result: its quantile is that function of the quantile.
        np.maximum(sigma * (traits.drift - law.tilt_drift * tilt + shock_quantile(law)), -stop),
        np.where(is_active, trade_count, 0),
        sigma,
        tilt,
    )


def _walk(
    law: Law,
    traits: _Traits,
    calm_scale: FloatMatrix,
    shocks: FloatMatrix,
    is_active: NDArray[np.bool_],
    seed: int,
) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix, FloatMatrix]:
    """Step through the sessions, because a tilt and a stop depend on the results before: results, scales, tilts, stops.

    A stop is a multiple of the trader's typical daily P&L so far, as `risk.model.panel.ewma_scale` measures it; before
    his first session it is his scale without volatility and jumps. Positive, US dollars, infinite without a stop.
    """
    luck = stream(seed, 4).random(is_active.shape)
    result, sigma, tilt, stop = (np.empty_like(shocks) for _ in range(4))
    state = np.zeros(is_active.shape[1])
    typical = traits.scale_usd
    for row, active in enumerate(is_active):
        tilt[row] = state
        sigma[row] = calm_scale[row] * (1 + law.tilt_scale) ** state
        stop[row] = traits.stop_scales * typical
        result[row] = np.maximum(sigma[row] * (traits.drift - law.tilt_drift * state + shocks[row]), -stop[row])
        updated = np.sqrt(SCALE_DECAY * typical**2 + (1 - SCALE_DECAY) * result[row] ** 2)
        typical = np.where(active, updated, typical)
        is_hurt = active & (result[row] < -TILT_AFTER_SCALES * calm_scale[row])
        starts = is_hurt & (luck[row] < law.tilt_probability)
        state = np.where(starts, 1.0, np.where(active, TILT_DECAY * state, state))
    return result, sigma, tilt, stop


def _draw_activity(law: Law, activity: NDArray[np.float64], session_count: int, seed: int) -> NDArray[np.bool_]:
    """Draw who trades when, ``(n_sessions, n_accounts)``.

    Absences in spells are a chain of two states, started in its stationary law: an absence ends before a session with
    chance ``1 / absence_sessions`` and begins so that the trader is active on his share of the sessions.
    """
    luck = stream(seed, 1).random((session_count, len(activity)))
    is_active: NDArray[np.bool_] = luck < activity
    if law.absence_sessions:
        returns = 1 / law.absence_sessions
        leaves = np.minimum(returns * (1 - activity) / activity, 1.0)
        for row in range(1, session_count):
            is_active[row] = np.where(is_active[row - 1], luck[row] >= leaves, luck[row] < returns)
    return is_active


def _draw_traits(law: Law, account_count: int, seed: int) -> _Traits:
    draws = stream(seed, 0)
    # A stream of its own: sets without stops draw what they drew.
    stops = stream(seed, 8)
    has_stop = stops.random(account_count) < law.stop_share
    scale = SCALE_MEDIAN_USD * np.exp(SCALE_SPREAD * draws.standard_normal(account_count))
    return _Traits(
        np.clip(scale, *SCALE_BOUNDS_USD),
        draws.uniform(*DRIFT_BOUNDS, account_count),
        draws.uniform(*law.activity_bounds, account_count),
        draws.lognormal(math.log(TRADE_COUNT_MEDIAN), TRADE_COUNT_SPREAD, account_count),
        np.where(has_stop, stops.uniform(*law.stop_bounds, account_count), np.inf),
    )


def _log_volatility(law: Law, shape: tuple[int, ...], seed: int) -> FloatMatrix:
    """Half of the own and the common log variance, and the jumps so far, ``(n_sessions, n_accounts)``."""
    draws = stream(seed, 2)
    own = _autoregression(VOLATILITY_PERSISTENCE, law.volatility_shock, draws.standard_normal(shape))
    market = _autoregression(MARKET_PERSISTENCE, law.market_shock, draws.standard_normal((shape[0], 1)))
    jumps = stream(seed, 9)
    has_jump = jumps.random(shape) < law.jump_probability
    jumped = np.cumsum(np.where(has_jump, law.jump_deviation * jumps.standard_normal(shape), 0.0), axis=0)
    halves: FloatMatrix = 0.5 * (own + MARKET_LOADING * market) + jumped
    return halves


def _autoregression(persistence: float, shock: float, noise: FloatMatrix) -> FloatMatrix:
    level = shock / math.sqrt(1 - persistence**2) * noise[0]
    levels = np.empty_like(noise)
    levels[0] = level
    for row in range(1, len(noise)):
        level = persistence * level + shock * noise[row]
        levels[row] = level
    return levels


def _draw_shocks(law: Law, shape: tuple[int, ...], seed: int) -> FloatMatrix:
    draws = stream(seed, 3)
    common = draws.standard_normal((shape[0], 1))
    own = draws.standard_t(law.tail_degrees, shape) / tail_deviation(law)
    return law.common_share * common + math.sqrt(1 - law.common_share**2) * own
