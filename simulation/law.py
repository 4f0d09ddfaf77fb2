"""The laws of the simulated sets, their random streams and the exact quantile of their shocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from risk.core.errors import RequestError
from risk.core.settings import TAIL_PROBABILITY


@dataclass(frozen=True, slots=True)
class Law:
    """Constants of one set of parameters.

    Attributes
    ----------
    common_share
        rho: loading of every trader's shock on the session's common shock.
    tail_degrees
        nu: degrees of freedom of the individual shock.
    volatility_shock
        om_v: innovation of a trader's own log variance.
    market_shock
        om_m: innovation of the common log variance.
    tilt_scale
        tau: a trader on full tilt has 1 + tau times the scale.
    tilt_drift
        delta: and delta scales less drift.
    tilt_probability
        p_tilt: chance that a large loss starts a tilt.
    jump_probability, jump_deviation
        Chance that a trader's log scale jumps permanently before a session, and the standard deviation of the jump.
    stop_share, stop_bounds
        Share of the traders who stop for the day at a loss of so many typical daily P&Ls, drawn once for each trader
        between the bounds.
    activity_bounds, absence_sessions
        A trader is active on a share of the sessions drawn between the bounds; his absences last so many sessions on
        average, 0 = each session is drawn on its own.

    Notes
    -----
    ``X = sigma (mu - delta K + Z)`` with ``Z = rho f + sqrt(1 - rho^2) e``, f standard normal and shared by the
    session, e Student's t with nu degrees of freedom scaled to variance 1;
    ``log sigma = log s + (v + b m) / 2 + K log(1 + tau)``; v and m are AR(1), started in their stationary law.
    K becomes 1 with probability p_tilt after a loss beyond k scales without tilt, else it decays by the factor
    kdec with each active session. The constants k, kdec and b are in `simulation.truth`: TILT_AFTER_SCALES, TILT_DECAY
    and MARKET_LOADING. With a stop the result is ``max(X, -stop)``; jumps add to ``log sigma``.
    """

    common_share: float
    tail_degrees: float
    volatility_shock: float
    market_shock: float
    tilt_scale: float
    tilt_drift: float
    tilt_probability: float
    jump_probability: float = 0.0
    jump_deviation: float = 0.0
    stop_share: float = 0.0
    stop_bounds: tuple[float, float] = (0.0, 0.0)
    activity_bounds: tuple[float, float] = (0.75, 0.98)
    absence_sessions: float = 0.0


LAWS = {
    "strong": Law(0.3, 4, 0.35, 0.18, 0.8, 0.35, 0.7),
    "medium": Law(0.3, 4, 0.25, 0.12, 0.5, 0.25, 0.7),
    "weak": Law(0.2, 5, 0.18, 0.08, 0.25, 0.15, 0.7),
    "null": Law(0.3, 4, 0.0, 0.0, 0.0, 0.0, 0.0),
    "real": Law(
        *(0.2, 10, 0.2, 0.1, 0.0, 0.0, 0.0),
        jump_probability=0.01,
        jump_deviation=0.5,
        stop_share=0.5,
        stop_bounds=(1.0, 2.5),
        activity_bounds=(0.3, 1.0),
        absence_sessions=4.0,
    ),
}
"""By name. The set *real* has what panels of real traders show: half of the traders stop out, scales jump, absences
come in spells; P&L over its true scale has a skew of about +0.15 and an expected shortfall of about 1.3 times the 5%
quantile. Its constants were fixed before the prior was fitted."""


def law_of(set_name: str) -> Law:
    """Return the constants of a set.

    Raises
    ------
    RequestError
        If there is no such set; names the sets there are.
    """
    if set_name not in LAWS:
        raise RequestError(f"There is no parameter set {set_name!r}: choose one of {', '.join(LAWS)}.")
    return LAWS[set_name]


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """Return the generator of one purpose: more draws for one purpose never change those of another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *purpose])))


def tail_deviation(law: Law) -> float:
    """Return the standard deviation of Student's t, which scales the individual shock to variance 1."""
    return math.sqrt(law.tail_degrees / (law.tail_degrees - 2))


@cache
def shock_quantile(law: Law, probability: float = TAIL_PROBABILITY) -> float:
    """Return the quantile of the shock Z, exact to 1e-9.

    Notes
    -----
    Given the common shock f, Z is a shifted and scaled Student's t, so
    ``P(Z <= z) = integral of phi(f) T_nu(sqrt(nu / (nu - 2)) (z - rho f) / sqrt(1 - rho^2)) df``: Gauss-Hermite
    quadrature with 200 nodes, inverted by bisection, since a distribution function only rises.
    Source: Golub and Welsch (1969), Calculation of Gauss quadrature rules.
    """
    from scipy.special import stdtr

    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    stretch = tail_deviation(law) / math.sqrt(1 - law.common_share**2)
    low, high = -64.0, 64.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        below = weights @ stdtr(law.tail_degrees, stretch * (middle - law.common_share * nodes))
        low, high = (middle, high) if below < probability else (low, middle)
    return (low + high) / 2
