"""How often traders who double their size for good are cut long afterwards, by the usual loss and by a plain median.

Twelve traders without any law but their scale (the set *null*), of whom six double everything from session 120 on.
A cut compares the forecast with the trader's usual one. Counted are the mornings on which the six are cut by 20 % or
more over sessions 60 to 199 after they doubled, beside those of the other six. Run it with
``PYTHONPATH=plugins:. python -m bench usual``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.forecast import walk
from risk.limits.tail_effect import usual_losses
from risk.model.panel import FloatMatrix, Panel
from simulation.truth import draw

TRADERS, DOUBLED = 12, 6
DOUBLED_FROM = 120
COUNTED = slice(DOUBLED_FROM + 60, DOUBLED_FROM + 200)
SESSIONS = DOUBLED_FROM + 200
NEEDED_FORECASTS = 20
SMALLEST_CUT = 0.20

AT_MOST = 0.35


def measure(*, seeds: Sequence[int] = tuple(range(1, 11))) -> dict[str, float]:
    """Measure desks of these seeds and print the shares of mornings with a cut of 20 % or more."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        for name, share in _shares(seed).items():
            found.setdefault(name, []).append(share)
    figures = {name: float(np.mean(values)) for name, values in found.items()}
    for name, value in figures.items():
        print(f"{name:34s} {value:7.1%}   " + " ".join(f"{share:.0%}" for share in found[name]))
    is_met = figures["doubled, usual loss"] <= AT_MOST
    print(f"doubled, usual loss: at most {AT_MOST:.0%}  {'met' if is_met else 'MISSED'}")
    return figures


def median_losses(panel: Panel, calibrated_usd: FloatMatrix) -> FloatMatrix:
    """Return the median of all earlier forecasts, as `usual_losses` does the usual one: what it was until 0.1.0."""
    medians = np.full_like(calibrated_usd, np.nan)
    was_used = np.isfinite(panel.total_pnl_usd[1:]) & np.isfinite(calibrated_usd[:-1])
    for row, account in np.argwhere(was_used).tolist():
        earlier = -calibrated_usd[: row + 1, account][was_used[: row + 1, account]]
        if len(earlier) >= NEEDED_FORECASTS:
            medians[row + 1 :, account] = np.median(earlier)
    return medians


def _shares(seed: int) -> dict[str, float]:
    truth = draw("null", TRADERS, SESSIONS, seed)
    pnl = truth.net_pnl_usd.copy()
    pnl[DOUBLED_FROM:, :DOUBLED] *= 2.0
    walked = walk(dataclasses.replace(truth, net_pnl_usd=pnl))
    panel, calibrated = walked.history.panel, walked.forecasts.calibrated
    compared = {
        "plain median": median_losses(panel, calibrated),
        "usual loss": usual_losses(panel, calibrated, np.full(TRADERS, NEEDED_FORECASTS)),
    }
    shares = {}
    for name, usual in compared.items():
        for who, columns in (("doubled", slice(None, DOUBLED)), ("others", slice(DOUBLED, None))):
            shares[f"{who}, {name}"] = _share(usual[COUNTED, columns], -calibrated[COUNTED, columns])
    return shares


def _share(usual: FloatMatrix, losses: FloatMatrix) -> float:
    """Share of mornings with a forecast whose cut, rounded down to whole 5 %, is 20 % or more."""
    is_known: NDArray[np.bool_] = np.isfinite(usual) & np.isfinite(losses)
    return float(np.mean(1.0 - usual[is_known] / losses[is_known] >= SMALLEST_CUT))
