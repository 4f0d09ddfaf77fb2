"""Drift of the inputs since training, and of the exceedance rate from what is promised.

What is found is a warning in the mail, never a silent retraining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY

BIN_COUNT = 10
LARGEST_STABILITY_INDEX = 0.25
"""Source: Siddiqi (2006), "Credit Risk Scorecards", chapter 9: above 0.25 the population has shifted."""

LARGEST_SHIFTED_SHARE = 0.6
"""Many inputs look shifted where nothing has: results of neighboring sessions resemble each other. Of 50 simulated
desks without drift, 12 traders each, none reached 0.56 with 60 sessions against the 190 or 440 before."""

NAMED_FEATURES = 3

MINIMUM_VALUES = 50
SMALLEST_SHARE = 1e-4

ALTERNATIVES = (0.01, 0.02, 0.03, 0.08, 0.12, 0.20)
"""Exceedance rates the bets are placed on, half of the stake below what is promised and half above."""

ALARM_EVIDENCE = 20.0
"""Evidence of 20 is reached with a probability of 5 % at most, however often one looks."""


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature has moved.

    Attributes
    ----------
    name
        The feature.
    stability_index
        Population stability index, 0 = unchanged; NaN with fewer than 50 values on either side.
    distance, p_value
        Kolmogorov-Smirnov distance and its p-value.
    is_shifted
        Whether the index is above 0.25; the p-value alone says little, with thousands of values all are small.
    """

    name: str
    stability_index: float
    distance: float
    p_value: float
    is_shifted: bool


def feature_drifts(
    names: Sequence[str], reference: NDArray[np.float32], recent: NDArray[np.float32]
) -> list[FeatureDrift]:
    """Compare each feature's recent values with those of the training window.

    Parameters
    ----------
    names
        Features.
    reference, recent
        ``(n_reference, n_features)`` and ``(n_recent, n_features)``; what is not finite is left out.
    """
    return [_drift(name, reference[:, number], recent[:, number]) for number, name in enumerate(names)]


def drift_sentences(drifts: Sequence[FeatureDrift], exceedances: Sequence[int], counts: Sequence[int]) -> list[str]:
    """Say what has drifted, in sentences for the mail; nothing where nothing has.

    Parameters
    ----------
    drifts
        Of the features.
    exceedances, counts
        As in `exceedance_evidence`.
    """
    sentences = []
    shifted = sorted((drift for drift in drifts if drift.is_shifted), key=lambda drift: -drift.stability_index)
    if len(shifted) > LARGEST_SHIFTED_SHARE * len(drifts):
        named = ", ".join(f"{drift.name} ({drift.stability_index:.2f})" for drift in shifted[:NAMED_FEATURES])
        sentences.append(
            f"{len(shifted)} of {len(drifts)} inputs of the model have another distribution than before "
            f"(stability index above {LARGEST_STABILITY_INDEX}), most of all {named}."
        )
    evidence = exceedance_evidence(exceedances, counts)
    if len(evidence) and float(evidence[-1]) >= ALARM_EVIDENCE:
        rate = sum(exceedances) / sum(counts)
        sentences.append(
            f"Results fall below the forecast in {rate:.1%} of cases where {TAIL_PROBABILITY:.0%} are promised; by "
            f"chance, evidence of {float(evidence[-1]):,.0f} to 1 comes once in twenty models at most."
        )
    return sentences


def stability_index(reference: NDArray[np.float64], recent: NDArray[np.float64]) -> float:
    """Compute the population stability index over the tenths of the reference.

    ``sum of (r - e) log(r / e)`` over bins with expected share e and recent share r, each at least 0.0001.
    Source: Yurdakul (2018), "Statistical Properties of Population Stability Index", eq. 1.1.

    Parameters
    ----------
    reference, recent
        Finite values, at least one each.
    """
    edges = np.unique(np.quantile(reference, np.arange(1, BIN_COUNT) / BIN_COUNT))
    expected, found = (
        np.maximum(np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values), SMALLEST_SHARE)
        for values in (reference, recent)
    )
    return float(np.sum((found - expected) * np.log(found / expected)))


def exceedance_evidence(exceedances: Sequence[int], counts: Sequence[int]) -> NDArray[np.float64]:
    """Accumulate evidence, valid at any time, that exceedances come more or less often than promised.

    Parameters
    ----------
    exceedances, counts
        Exceedances and scored forecasts of each session, ``(n_sessions,)``.

    Returns
    -------
    ndarray
        Wealth after each session of a bettor who starts with 1, ``(n_sessions,)``: were the forecasts right, it
        would ever reach 20 with a probability of 5 % at most.

    Notes
    -----
    He backs each alternative rate a with an equal stake, which the session multiplies by the likelihood ratio of a
    to what is promised. Accounts share their days, which would make a fair game of one session look like many; the
    log ratio is therefore divided by the count, as if a session were one observation of its exceedance share. By
    Hölder's inequality the mean of that product stays at most 1, whatever the dependence within the session.
    Source: Ville (1939); Waudby-Smith and Ramdas (2024), "Estimating Means of Bounded Random Variables by Betting",
    section 4; Shafer (2021), "Testing by Betting".
    """
    alternatives = np.array(ALTERNATIVES)
    gain = np.log(alternatives / TAIL_PROBABILITY)
    loss = np.log((1.0 - alternatives) / (1.0 - TAIL_PROBABILITY))
    shares = np.array([found / count if count else np.nan for found, count in zip(exceedances, counts, strict=True)])
    growth = np.where(np.isfinite(shares)[:, None], shares[:, None] * gain + (1.0 - shares[:, None]) * loss, 0.0)
    logs = np.cumsum(growth, axis=0)
    wealth: NDArray[np.float64] = np.mean(np.exp(logs), axis=1)
    return wealth


def _drift(name: str, reference: NDArray[np.float32], recent: NDArray[np.float32]) -> FeatureDrift:
    from scipy.stats import ks_2samp

    before = reference[np.isfinite(reference)].astype(np.float64)
    after = recent[np.isfinite(recent)].astype(np.float64)
    if min(before.size, after.size) < MINIMUM_VALUES:
        return FeatureDrift(name, np.nan, np.nan, np.nan, is_shifted=False)
    index = stability_index(before, after)
    test = ks_2samp(before, after, method="asymp")
    return FeatureDrift(name, index, float(test.statistic), float(test.pvalue), index > LARGEST_STABILITY_INDEX)
