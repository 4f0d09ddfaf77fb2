"""The mixture with and without the expert from simulated desks, in pairs: the same desks, the same fits.

Part of ``python -m bench forecast``. Gains are against ``historical`` over the results that every forecast has, from
session 60 on. No seed is one of those that the prior was fitted on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.forecast import FIRST_SCORED_ROW, Walked, large_desk, walk
from risk.model.backtests import pinball_loss
from risk.model.experts.prior import PRIOR
from risk.model.panel import FeaturePanel, FloatMatrix
from risk.model.walk_forward import WalkForward, combine
from simulation.law import stream
from simulation.truth import Truth, draw

LARGEST_LOSS_POINTS = 0.3
"""What strong and weak may lose to the sixth expert, and null to ``historical``."""

LARGEST_TILT_RATE = 0.077
TILT_DAY = 0.5
"""A trader who has more than half of a full tilt before a session has a tilt day."""

BREAK_FACTOR, BREAK_ROW, BREAK_SESSIONS = 2.5, 100, 5
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Pair:
    """One desk, forecast with and without the sixth expert."""

    truth: Truth
    history: FeaturePanel
    six: WalkForward
    five: WalkForward


def pair_of(walked: Walked) -> Pair:
    """Mix again without the sixth expert: the others are the same with and without it."""
    six = walked.forecasts
    return Pair(walked.truth, walked.history, six, combine(walked.history, six.experts[:-1], {}, six.first_model_row))


def measure_pairs(seeds: Sequence[int], real_desks: int, break_desks: int) -> dict[str, float]:
    """Print the paired runs and return their figures.

    Parameters
    ----------
    seeds
        Of the desks of 23 traders and 625 sessions of each set.
    real_desks
        Desks of the set *real*, 12 traders and 130 sessions, seeds 1, 2, ...
    break_desks
        Desks of each set whose volatility breaks.
    """
    figures: dict[str, float] = {}
    for set_name in ("strong", "medium", "weak", "null"):
        pairs = [pair_of(large_desk(set_name, seed)) for seed in seeds]
        figures |= {f"{set_name} {name}": value for name, value in _figures(pairs).items()}
        print_pair(set_name, "23 x 625", figures)
    if real_desks:
        _print_real_law(real_desks)
        pairs = [pair_of(walk(draw("real", 12, 130, seed))) for seed in range(1, real_desks + 1)]
        figures |= {f"real {name}": value for name, value in _figures(pairs).items()}
        figures["real low"], figures["real high"] = difference_interval(pairs)
        print_pair("real", f"12 x 130, {real_desks} desks", figures)
        low, high = figures["real low"], figures["real high"]
        print(f"  real: gain with less gain without, 95% over desks: {100 * low:+.2f} to {100 * high:+.2f} points")
    for set_name in ("strong", "medium", "null", "real") if break_desks else ():
        six, five = after_break(set_name, break_desks)
        figures |= {f"{set_name} break six": six, f"{set_name} break five": five}
        print(f"  {set_name}: five sessions after volatility x {BREAK_FACTOR}: {six:.1%} with, {five:.1%} without")
    _print_verdicts(figures)
    return figures


def print_pair(set_name: str, size: str, figures: Mapping[str, float]) -> None:
    """Print gain, exceedances and weight of one set."""
    found = {name: figures[f"{set_name} {name}"] for name in ("six", "five", "exceedance six", "exceedance five")}
    line = f"{set_name:7s} {size}: gain {found['six']:.2%} with the sixth expert, {found['five']:.2%} without; "
    line += f"exceedances {found['exceedance six']:.2%} and {found['exceedance five']:.2%}; "
    line += f"its weight at the end {figures[f'{set_name} weight']:.0%}"
    if f"{set_name} tilt six" in figures:
        tilts = (figures[f"{set_name} tilt six"], figures[f"{set_name} tilt five"])
        line += f"; on tilt days {tilts[0]:.1%} and {tilts[1]:.1%}"
    print(line, flush=True)


def losses(pair: Pair) -> tuple[FloatMatrix, NDArray[np.bool_]]:
    """Return scaled losses with it, without, and of ``historical``, ``(3, n_rows, n_accounts)``, and what is scored."""
    outcome, scale = pair.history.panel.total_pnl_usd[1:], pair.history.scale[:-1]
    forecasts = (pair.six.calibrated, pair.five.calibrated, pair.six.expert("historical"))
    is_scored = np.isfinite(outcome) & np.all([np.isfinite(quantiles[:-1]) for quantiles in forecasts], axis=0)
    is_scored[:FIRST_SCORED_ROW] = False
    found = [np.where(is_scored, pinball_loss(outcome, quantiles[:-1]) / scale, 0.0) for quantiles in forecasts]
    return np.stack(found), is_scored


def _figures(pairs: Sequence[Pair]) -> dict[str, float]:
    """Average over desks: gains, exceedances, exceedances on tilt days, weight of the sixth expert at the end."""
    gains, rates, tilts = [], [], []
    for pair in pairs:
        found, is_scored = losses(pair)
        with_it, without, base = found.sum(axis=(1, 2)).tolist()
        gains.append((1 - with_it / base, 1 - without / base))
        outcome = pair.history.panel.total_pnl_usd[1:]
        exceeded = [outcome < walked.calibrated[:-1] for walked in (pair.six, pair.five)]
        rates.append([one[is_scored].mean() for one in exceeded])
        is_tilt = is_scored & (pair.truth.tilt[1:] > TILT_DAY)
        tilts.append([(one & is_tilt).sum() for one in exceeded] + [is_tilt.sum()])
    weight = float(np.mean([pair.six.weights[-1][pair.six.names.index(PRIOR)] for pair in pairs]))
    (six, five), (rate_six, rate_five) = np.mean(gains, axis=0), np.mean(rates, axis=0)
    tilt_six, tilt_five, tilt_days = np.sum(tilts, axis=0)
    figures = {"six": six, "five": five, "exceedance six": rate_six, "exceedance five": rate_five, "weight": weight}
    if tilt_days:
        figures |= {"tilt six": tilt_six / tilt_days, "tilt five": tilt_five / tilt_days}
    return {name: float(value) for name, value in figures.items()}


def difference_interval(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return the 95 % interval of the gain with less that without, by a bootstrap over whole desks."""
    sums = np.array([losses(pair)[0].sum(axis=(1, 2)) for pair in pairs])
    chosen = stream(5, 1).integers(0, len(sums), (RESAMPLES, len(sums)))
    with_it, without, base = np.moveaxis(sums[chosen].sum(axis=1), 1, 0)
    low, high = np.quantile((without - with_it) / base, (0.025, 0.975)).tolist()
    return low, high


def after_break(set_name: str, desks: int) -> tuple[float, float]:
    """Multiply every trader's results by 2.5 from session 101 on; share of exceedances in his next five.

    Returns
    -------
    tuple
        With and without the sixth expert.
    """
    counts = np.zeros(3)
    for seed in range(1, desks + 1):
        truth = draw(set_name, 12, BREAK_ROW + 4 * BREAK_SESSIONS, seed)
        results = truth.net_pnl_usd.copy()
        results[BREAK_ROW:] *= BREAK_FACTOR
        pair = pair_of(walk(dataclasses.replace(truth, net_pnl_usd=results)))
        is_scored = losses(pair)[1]
        is_scored[: BREAK_ROW - 1] = False
        is_first = is_scored & (np.cumsum(is_scored, axis=0) <= BREAK_SESSIONS)
        exceeded = [(results[1:] < walked.calibrated[:-1]) & is_first for walked in (pair.six, pair.five)]
        counts += [exceeded[0].sum(), exceeded[1].sum(), is_first.sum()]
    return float(counts[0] / counts[2]), float(counts[1] / counts[2])


def _print_real_law(desks: int) -> None:
    """Print what the set *real* promises: skew, and expected shortfall over the 5 % quantile, in true scales."""
    drawn = [draw("real", 12, 130, seed) for seed in range(1, desks + 1)]
    units = np.concatenate([(truth.net_pnl_usd / truth.sigma_usd)[truth.is_active] for truth in drawn])
    quantile = float(np.quantile(units, 0.05))
    ratio = float(units[units <= quantile].mean()) / quantile
    print(f"real: skew {float(stats.skew(units)):+.2f}, expected shortfall {ratio:.2f} times the 5% quantile")


def _print_verdicts(figures: Mapping[str, float]) -> None:
    checks = {
        **{
            f"{name} loses at most {LARGEST_LOSS_POINTS} points": 100
            * (figures[f"{name} six"] - figures[f"{name} five"])
            >= -LARGEST_LOSS_POINTS
            for name in ("strong", "weak")
        },
        f"null gains at least -{LARGEST_LOSS_POINTS} points": 100 * figures["null six"] >= -LARGEST_LOSS_POINTS,
        "exceedances 4.5-5.5% in every set": all(
            0.045 <= value <= 0.055 for name, value in figures.items() if name.endswith("exceedance six")
        ),
        f"tilt days at most {LARGEST_TILT_RATE:.1%}": all(
            figures[f"{name} tilt six"] <= LARGEST_TILT_RATE for name in ("strong", "medium")
        ),
        "real: the interval of the difference is above 0": figures.get("real low", 1.0) > 0.0,
        "no set is worse after a break": all(
            value <= figures[name.replace("six", "five")]
            for name, value in figures.items()
            if name.endswith("break six")
        ),
    }
    for name, is_met in checks.items():
        print(f"  {name}: {'met' if is_met else 'MISSED'}")
