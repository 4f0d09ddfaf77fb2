"""The verdict "better": a bet, morning by morning, that a policy picks the right accounts to cut.

A policy that cuts more shrinks the tail whatever it knows. So what counts is who is cut: how much smaller a policy
makes the tail than the same cuts would, had they met the morning's other accounts.

The hypothesis to be refuted: given all that was known in the morning, and who trades, the session's results in usual
losses are exchangeable between the accounts, so that no choice of whom to cut is better than another. Let ``D_i(q)`` be
the tail loss of account q's result under account i's cut by the other policy, less that by the adopted one, both taken
from q's base limit. Accounts are revealed one after the other, those first whose cuts differ most. Under the hypothesis
an account's result is drawn from those not revealed yet, all alike: ``s_i = mean_q D_i(q) - D_i(i)`` has expectation 0
and is at least ``mean_q D_i(q) - max_q D_i(q)``, known before. A bettor with stake l multiplies the wealth by
``1 + min(l, 0.95 / (max - mean)) s_i``; the wealth is the mean over bettors of fixed stakes.

Wealth starts at 1 and is a nonnegative martingale under the hypothesis: the chance that it ever reaches w is at most
``1 / w``. Trials may be chosen after seeing any results: variant k needs wealth ``20 k (k + 1)``, and the sum of
``1 / (20 k (k + 1))`` over all k is 5 %.

Sources: Ville (1939), "Etude critique de la notion de collectif", chapter V; Waudby-Smith and Ramdas (2024),
"Estimating Means of Bounded Random Variables by Betting", section 4; the same (2020), "Confidence Sequences for
Sampling Without Replacement", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.limits.track_record import SLIPPAGE_RATIO
from risk.model.panel import FloatMatrix

TAIL_FROM = 0.5
"""Losses beyond so many usual losses are the tail."""

TAIL_SPAN = 3.0
"""What lies further beyond counts as this: one disaster must not decide alone."""

STAKES = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0)
"""What the bettors stake, by usual loss of the score."""

LARGEST_RISK = 0.95
"""Share of the wealth that one account can cost at most."""

FIRST_THRESHOLD = 20.0
SMALLEST_SPREAD = 1e-9

FloatVector = NDArray[np.float64]
FloatTensor = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PastSession:
    """What became of the accounts with known results in a session.

    Attributes
    ----------
    lows_usd
        Largest losses so far, ascending in each row, ``(n_accounts, n_lows)``; infinite behind the last, so that the
        last column always is.
    closes_usd
        Total P&L, ``(n_accounts,)``, gains positive.
    usual_losses_usd
        The unit of each account, positive.
    """

    lows_usd: FloatMatrix
    closes_usd: FloatVector
    usual_losses_usd: FloatVector

    def tail_losses(self, bases_usd: FloatVector, cut_ratios: FloatVector) -> FloatMatrix:
        """Return every account's tail loss under its base limit and every cut, ``(n_cuts, n_accounts)``.

        In usual losses, 0 to 3. A stop is that of `risk.limits.track_record.outcome_usd`, in floating point.
        """
        limits = np.outer(bases_usd, 1.0 - cut_ratios)
        places = np.count_nonzero(self.lows_usd[:, None, :] < limits[:, :, None], axis=2)
        reached = np.take_along_axis(self.lows_usd, places, axis=1)
        losses = np.where(np.isfinite(reached), reached + float(SLIPPAGE_RATIO) * limits, -self.closes_usd[:, None])
        tail: FloatMatrix = np.clip(losses / self.usual_losses_usd[:, None] - TAIL_FROM, 0.0, TAIL_SPAN)
        return tail.T


def log_growth(differences: FloatTensor, gaps: FloatMatrix, is_known: NDArray[np.bool_]) -> FloatMatrix:
    """Return how each bettor's wealth grows in each session.

    Parameters
    ----------
    differences
        ``D_i(q)`` in usual losses, ``(n_sessions, n_accounts, n_accounts)``.
    gaps
        How far apart the two cuts of each account are, ``(n_sessions, n_accounts)``: the order of revealing.
    is_known
        Which accounts have a result, ``(n_sessions, n_accounts)``; the others are left out.

    Returns
    -------
    ndarray
        Logarithms of the factors, ``(n_sessions, n_stakes)``.
    """
    order = np.argsort(np.where(is_known, -gaps, np.inf), axis=1, kind="stable")
    by_row = np.take_along_axis(differences, order[:, :, None], axis=1)
    ordered = np.take_along_axis(by_row, order[:, None, :], axis=2)
    counts = is_known.sum(axis=1)
    stakes = np.array(STAKES)
    growth = np.zeros((len(differences), len(stakes)))
    for place in range(differences.shape[1] - 1):
        is_left = np.arange(place, differences.shape[1]) < counts[:, None]
        left = ordered[:, place, place:]
        means = np.where(is_left, left, 0.0).sum(axis=1) / np.maximum(is_left.sum(axis=1), 1)
        spreads = np.where(is_left, left, -np.inf).max(axis=1) - means
        is_bet = spreads > SMALLEST_SPREAD
        caps = LARGEST_RISK / np.where(is_bet, spreads, 1.0)
        scores = np.where(is_bet, means - left[:, 0], 0.0)
        growth += np.log1p(np.minimum(stakes, caps[:, None]) * scores[:, None])
    return growth


def wealth_path(growth: FloatMatrix) -> FloatVector:
    """Return the wealth after each session, ``(n_sessions,)``: the mean of the bettors'."""
    path: FloatVector = np.exp(np.cumsum(growth, axis=0)).mean(axis=1)
    return path


def needed_wealth(variant_number: int) -> float:
    """Return the wealth that a variant needs: 40 for the first, then 120, 240, ..."""
    return FIRST_THRESHOLD * variant_number * (variant_number + 1)
