"""Testing by betting: the evidence, valid at any time, that one forecast has lower losses than another.

A bettor starts with a wealth of 1 and stakes part of it, before each session, on the candidate's summed pinball loss
being below the opponent's. Under the hypothesis

    H0: in every session, given the past, the candidate's expected loss is not below the opponent's

his wealth is a nonnegative supermartingale, so that the probability that it ever reaches w is at most ``1 / w``,
however the results of one session depend on each other and however often one looks. H0 does not say that the candidate
was never better for a time: that is what demotion is for.

Sources: Ville (1939), "Etude critique de la notion de collectif", chapter V; Shafer and Vovk (2019), "Game-Theoretic
Foundations for Probability and Finance", chapter 2; Grunwald, de Heide and Koolen (2024), "Safe Testing"; Waudby-Smith
and Ramdas (2024), "Estimating Means of Bounded Random Variables by Betting", section 4; Choe and Ramdas (2024),
"Comparing Sequential Forecasters"; Henzi and Ziegel (2022), "Valid Sequential Inference on Probability Forecast
Performance"; Wang, Wang and Ziegel (2022), "E-backtesting".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import TAIL_PROBABILITY
from risk.model.backtests import pinball_loss
from risk.model.panel import FloatMatrix

LARGEST_RISK = 0.9
"""Share of the wealth that a session can cost at most."""

FIRST_STAKE_SESSIONS = 5
PRIOR_SESSIONS = 10
"""A mean of so many sessions without a gain is joined to those seen: the first stakes are small."""

REMEMBERED_SESSIONS = 60
"""The bets since promotion learn their stakes from so many last sessions: what they look for is a change."""

RELEARNED_SESSIONS = 20
"""After a demotion the stakes learn from so many sessions before it."""

CONTRARY_EVIDENCE = 20.0
"""Wealth against the candidate that demotes it: by chance once in twenty promotions at most."""

LARGEST_LOG_WEALTH = 600.0
"""Wealth beyond e^600 counts as that: it must stay a number, and says no more."""


@dataclass(frozen=True, slots=True)
class LossGains:
    """The candidate's gains by session, ``(n_sessions,)`` each; row t scores the forecasts issued after session t - 1.

    Attributes
    ----------
    gain
        The opponent's summed pinball loss less the candidate's, in own scales.
    largest_loss, largest_gain
        The most that the session could cost and bring, known before it: over everybody with both forecasts, active or
        not.
    account_count
        Those accounts.
    forecast_count, exceedance_count
        Accounts scored, and results below the candidate's forecast among them.
    """

    gain: NDArray[np.float64]
    largest_loss: NDArray[np.float64]
    largest_gain: NDArray[np.float64]
    account_count: NDArray[np.int64]
    forecast_count: NDArray[np.int64]
    exceedance_count: NDArray[np.int64]


def loss_gains(
    pnl: FloatMatrix,
    scale: FloatMatrix,
    candidate: FloatMatrix,
    opponent: FloatMatrix,
    is_eligible: NDArray[np.bool_],
) -> LossGains:
    """Compare two forecasts session by session.

    Parameters
    ----------
    pnl, scale
        Results and own scales, ``(n_sessions, n_accounts)``, US dollars.
    candidate, opponent
        One-step-ahead 5 % quantiles, US dollars: row t was issued after session t.
    is_eligible
        After each session, whose next result is scored.

    Notes
    -----
    With ``d = abs(q_c - q_o) / s`` and pinball losses at level a, one account's gain lies between ``-a d`` and
    ``(1 - a) d`` where the candidate forecasts the larger loss, else between ``-(1 - a) d`` and ``a d``.
    """
    shape = (1, pnl.shape[1])
    issued, other, unit = (np.vstack([np.full(shape, np.nan), values[:-1]]) for values in (candidate, opponent, scale))
    was_eligible = np.vstack([np.zeros(shape, np.bool_), is_eligible[:-1]])
    is_open = was_eligible & np.isfinite(issued) & np.isfinite(other) & (unit > 0.0)
    is_scored = is_open & np.isfinite(pnl)
    with np.errstate(invalid="ignore", divide="ignore"):
        gains = (pinball_loss(pnl, other) - pinball_loss(pnl, issued)) / unit
        distance = np.abs(issued - other) / unit
    is_larger = issued < other
    return LossGains(
        gain=_summed(gains, is_scored),
        largest_loss=_summed(np.where(is_larger, TAIL_PROBABILITY, 1.0 - TAIL_PROBABILITY) * distance, is_open),
        largest_gain=_summed(np.where(is_larger, 1.0 - TAIL_PROBABILITY, TAIL_PROBABILITY) * distance, is_open),
        account_count=np.count_nonzero(is_open, axis=1),
        forecast_count=np.count_nonzero(is_scored, axis=1),
        exceedance_count=np.count_nonzero(is_scored & (pnl < issued), axis=1),
    )


def _summed(values: FloatMatrix, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sum each row's chosen cells one after the other: by pairs, a sum would round by the number of accounts."""
    total = np.zeros(len(values))
    for column in range(values.shape[1]):
        total += np.where(chosen[:, column], values[:, column], 0.0)
    return total


@dataclass(frozen=True, slots=True)
class SessionBet:
    """The bets on one session and the wealth after it, as stored.

    Attributes
    ----------
    gain, forecast_count, exceedance_count
        As in `LossGains`.
    log_wealth
        Of the bettor who backs the candidate.
    log_contrary
        Of the one who has backed the opponent since the candidate's promotion; 0 before.
    log_high, log_low
        Of those who bet that exceedances are more, and less, frequent than 5 %.
    is_serving
        Whether the candidate serves after the session.
    """

    gain: float
    forecast_count: int
    exceedance_count: int
    log_wealth: float
    log_contrary: float
    log_high: float
    log_low: float
    is_serving: bool

    @property
    def excess_count(self) -> float:
        """Exceedances beyond 5 % of the forecasts."""
        return self.exceedance_count - TAIL_PROBABILITY * self.forecast_count


NOTHING_BET = SessionBet(0.0, 0, 0, 0.0, 0.0, 0.0, 0.0, is_serving=False)


@dataclass(slots=True)
class Bettor:
    """Bets on one candidate, session by session; continues from stored bets.

    Attributes
    ----------
    threshold
        Wealth that promotes.
    session_count
        Scored sessions that promotion waits for.
    bets
        So far, in the order of the sessions.
    """

    threshold: float
    session_count: int
    bets: list[SessionBet] = field(default_factory=list)
    _gains: list[float] = field(default_factory=list)
    _excesses: list[float] = field(default_factory=list)
    _since_promotion: list[float] = field(default_factory=list)

    @classmethod
    def resumed(cls, threshold: float, session_count: int, bets: Sequence[SessionBet]) -> Self:
        """Return a bettor who has placed these bets."""
        bettor = cls(threshold, session_count)
        for bet in bets:
            bettor.remember(bet)
        return bettor

    @property
    def last(self) -> SessionBet:
        """The last bet; before the first, a wealth of 1 and nothing that serves."""
        return self.bets[-1] if self.bets else NOTHING_BET

    def bet(self, gains: LossGains, row: int) -> SessionBet:
        """Bet on a session with a scored forecast, with stakes from earlier sessions only."""
        last, count = self._start(), int(gains.account_count[row])
        gain = float(gains.gain[row])
        hits, forecasts = int(gains.exceedance_count[row]), int(gains.forecast_count[row])
        excess = hits - TAIL_PROBABILITY * forecasts
        losses = [-value for value in self._since_promotion[-REMEMBERED_SESSIONS:]]
        placed = SessionBet(
            gain=gain,
            forecast_count=forecasts,
            exceedance_count=hits,
            log_wealth=_grown(last.log_wealth, self._gains, gain, float(gains.largest_loss[row])),
            log_contrary=_grown(last.log_contrary, losses, -gain, float(gains.largest_gain[row])),
            log_high=_grown(last.log_high, self._excesses, excess, TAIL_PROBABILITY * count),
            log_low=_grown(
                last.log_low, [-value for value in self._excesses], -excess, (1.0 - TAIL_PROBABILITY) * count
            ),
            is_serving=last.is_serving,
        )
        placed = replace(placed, is_serving=self._serves(placed))
        self.remember(placed)
        return placed

    def _start(self) -> SessionBet:
        """Return what the next bet grows from: after a demotion every wealth is 1 again."""
        was_demoted = len(self.bets) > 1 and self.bets[-2].is_serving and not self.last.is_serving
        return NOTHING_BET if was_demoted else self.last

    def _serves(self, placed: SessionBet) -> bool:
        contrary = math.log(CONTRARY_EVIDENCE)
        is_covered = max(placed.log_high, placed.log_low) < contrary
        if placed.is_serving:
            return is_covered and placed.log_contrary < contrary
        has_waited = len(self.bets) + 1 >= self.session_count
        return has_waited and is_covered and placed.log_wealth >= math.log(self.threshold)

    def remember(self, placed: SessionBet) -> None:
        """Take in a bet that has been placed."""
        was_serving = self.last.is_serving
        self._gains.append(placed.gain)
        self._excesses.append(placed.excess_count)
        if was_serving:
            self._since_promotion.append(placed.gain)
        if was_serving and not placed.is_serving:
            self._gains, self._excesses = self._gains[-RELEARNED_SESSIONS:], self._excesses[-RELEARNED_SESSIONS:]
            self._since_promotion = []
        self.bets.append(placed)


def _grown(log_wealth: float, earlier: Sequence[float], gain: float, largest_loss: float) -> float:
    """Let a wealth grow by a bet whose stake follows from earlier gains: ``1 + stake gain``.

    The stake is the growth-optimal one of the gains' first two moments, ``mean / (variance + mean^2)``, at least 0 and
    at most what a session may cost. Source: Waudby-Smith and Ramdas (2024), eq. 24 (approximate GRAPA).
    """
    if len(earlier) < FIRST_STAKE_SESSIONS or largest_loss <= 0.0:
        return log_wealth
    values = np.array(earlier)
    mean = float(values.sum()) / (len(values) + PRIOR_SESSIONS)
    square = float(values.var()) + mean * mean
    stake = min(max(mean / square, 0.0), LARGEST_RISK / largest_loss) if square > 0.0 else 0.0
    return min(log_wealth + math.log1p(stake * gain), LARGEST_LOG_WEALTH)
