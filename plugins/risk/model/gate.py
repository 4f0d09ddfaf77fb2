"""The gate: a forecast's cuts apply only once it has been proven to beat what serves without it.

The ladder has two steps: filtered historical simulation, which needs no training, against the rules; and the model
against whichever of the two serves. Each step is a bet (`risk.model.wealth`) on the forecasts that were issued before
their sessions opened. The two steps share an error of 5 %: each needs a wealth of 40 (Ville 1939), and waits for 60
sessions with a scored forecast. A changed procedure begins with a wealth of 1 and an error of its own.

Row t of every forecast was issued after session t and is scored with session t + 1.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from risk.core.money import counted
from risk.core.settings import TAIL_PROBABILITY
from risk.model.experts.empirical import FILTER_DECAY, QUANTILE_SESSIONS
from risk.model.panel import FloatMatrix, Panel
from risk.model.wealth import CONTRARY_EVIDENCE, Bettor, LossGains, SessionBet, loss_gains

OLDEST_SESSIONS = 10
"""A model may be used for ten sessions after the newest one it has seen: it is refitted every week."""

FILTERED, MODEL, RULES, HISTORICAL = "filtered", "model", "rules", "historical"
STEPS = (FILTERED, MODEL)
"""Candidates of the ladder, in the order in which each session's bets are placed."""

THRESHOLD = 40.0
"""Wealth that promotes: two steps of the ladder share an error of 5 %."""

TEST_SESSIONS = 60
"""Scored sessions that a promotion waits for."""

ELIGIBLE_SESSIONS = 20
"""Active sessions before an account's forecasts are scored: before them its limits stay with the rules."""

SHRINKAGE_COUNT = 100.0
MINIMUM_POOLED = 100
CUT_BUCKETS = (0.20, 0.40)
"""Cuts by the rules are pooled in these buckets: a part of the test, whatever the policy calls high."""

NAMES = {
    FILTERED: "filtered historical simulation",
    MODEL: "the model",
    RULES: "the rules",
    HISTORICAL: "the account's own history",
}


@cache
def procedures() -> Mapping[str, str]:
    """Hash what each candidate is made of today: a changed way of forecasting is another one.

    The experts are imported here: the pages of Airflow's API server need the names of this module only.
    """
    from risk.model.experts.boosted import COLUMN_SHARE, PARAMETERS, ROUNDS
    from risk.model.experts.prior import read_prior
    from risk.model.experts.ridge import PENALTY
    from risk.model.features import LEARNED_NAMES
    from risk.model.fitted import MIXED_EXPERTS
    from risk.model.mixture import CALIBRATION_STEP, LEARNING_RATE, LOSS_DECAY

    mixing = (LEARNING_RATE, LOSS_DECAY, CALIBRATION_STEP)
    prior = read_prior(LEARNED_NAMES).prior
    parts = {
        FILTERED: (FILTERED, FILTER_DECAY, CALIBRATION_STEP),
        MODEL: (
            *(LEARNED_NAMES, MIXED_EXPERTS, prior.content_sha256 if prior else None),
            *(*mixing, PENALTY, ROUNDS, PARAMETERS, COLUMN_SHARE),
        ),
    }
    return {
        name: hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:12] for name, made in parts.items()
    }


@dataclass(frozen=True, slots=True)
class CutFunctions:
    """The cuts that past sessions would have called for.

    The gate compares the model with the rules, and the leak check covers both down to the cut, but rules and cuts
    belong to `risk.limits`, which builds on this package: callers hand in ``risk.limits.decide.cut_functions``.

    Attributes
    ----------
    by_rules
        (panel, typical daily P&L, first row) to the rules' cut ratios, ``(n_sessions, n_accounts)``.
    by_model
        (panel, calibrated forecasts, first row) to the forecast's cut ratios, ``(n_sessions, n_accounts)``.
    """

    by_rules: Callable[[Panel, FloatMatrix, int], FloatMatrix]
    by_model: Callable[[Panel, FloatMatrix, int], FloatMatrix]


def rules_quantiles(
    pnl: FloatMatrix, historical: FloatMatrix, rules_cut_ratio: FloatMatrix, first_row: int = 0
) -> FloatMatrix:
    """Let the rules forecast: the past quantile of P&L over the historical loss, by how hard they cut.

    Parameters
    ----------
    pnl, historical
        ``(n_sessions, n_accounts)``, US dollars.
    rules_cut_ratio
        The rules' cut after each session, ``(n_sessions, n_accounts)``, 0.40 = 40 %.
    first_row
        Rows before it are left NaN.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``, US dollars; NaN while fewer than 100 results are known.

    Notes
    -----
    Buckets below 20 %, 20-39 %, from 40 %. A bucket's quantile is shrunk toward the pooled one with the weight of 100
    results; with fewer than 20 of its own it is the pooled one.
    """
    buckets = np.digitize(rules_cut_ratio, CUT_BUCKETS)
    pool = [np.empty(0) for _ in range(len(CUT_BUCKETS) + 1)]
    quantiles = np.full_like(pnl, np.nan)
    for number in range(1, len(pnl)):
        ratios = pnl[number] / -historical[number - 1]
        for bucket in range(len(pool)):
            known = np.isfinite(ratios) & (buckets[number - 1] == bucket)
            pool[bucket] = np.append(pool[bucket], ratios[known])
        if number >= first_row and sum(map(len, pool)) >= MINIMUM_POOLED:
            losses = np.array(_shrunken(pool))
            quantiles[number] = -losses[buckets[number]] * -historical[number]
    return quantiles


def _shrunken(pool: Sequence[NDArray[np.float64]]) -> list[float]:
    pooled = -float(np.quantile(np.concatenate(pool), TAIL_PROBABILITY))
    losses = []
    for ratios in pool:
        own = -float(np.quantile(ratios, TAIL_PROBABILITY)) if len(ratios) else pooled
        mean = (len(ratios) * own + SHRINKAGE_COUNT * pooled) / (len(ratios) + SHRINKAGE_COUNT)
        losses.append(mean if len(ratios) >= QUANTILE_SESSIONS else pooled)
    return losses


@dataclass(frozen=True, slots=True)
class GateInputs:
    """What the gate looks at: matrices ``(n_sessions, n_accounts)``, US dollars; row t was known after session t.

    Attributes
    ----------
    pnl, scale
        Results and own scales.
    is_eligible
        Whose forecasts are scored, see `ELIGIBLE_SESSIONS`.
    model, filtered, historical, rules
        5 % quantiles for the next session, negative; NaN = none, or not one that counts.
    """

    pnl: FloatMatrix
    scale: FloatMatrix
    is_eligible: NDArray[np.bool_]
    model: FloatMatrix
    filtered: FloatMatrix
    historical: FloatMatrix
    rules: FloatMatrix

    def gains(self, candidate: str, opponent: str, first_row: int) -> LossGains:
        """Compare two forecasts by name, from a row on."""
        start = max(first_row - 1, 0)
        issued: FloatMatrix = getattr(self, candidate)[start:]
        other: FloatMatrix = getattr(self, opponent)[start:]
        return loss_gains(self.pnl[start:], self.scale[start:], issued, other, self.is_eligible[start:])


def is_eligible(panel: Panel) -> NDArray[np.bool_]:
    """Say whose next forecast is scored after each session, ``(n_sessions, n_accounts)``."""
    return panel.active_counts() >= ELIGIBLE_SESSIONS


@dataclass(frozen=True, slots=True)
class LadderBet:
    """One step's bets on a session, as stored.

    Attributes
    ----------
    candidate, opponent
        ``filtered`` or ``model``, and what served without it.
    procedure
        What the candidate was made of, see `procedures`.
    bet
        The numbers.
    """

    candidate: str
    opponent: str
    procedure: str
    bet: SessionBet


PlacedBets = Mapping[int, Sequence[LadderBet]]
"""Bets by the row of the session they were placed on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the ladder stands after a session.

    Attributes
    ----------
    bets
        Each step's last bet by candidate, of today's procedure; none = no session was scored yet.
    session_counts
        Sessions scored under the procedure, by candidate.
    """

    bets: Mapping[str, LadderBet]
    session_counts: Mapping[str, int]

    def serves(self, candidate: str) -> bool:
        """Return whether a candidate has been promoted, and not demoted since."""
        return candidate in self.bets and self.bets[candidate].bet.is_serving

    def serving(self, *, has_model: bool = True) -> str:
        """Return what serves: ``model``, ``filtered`` or ``rules``."""
        if has_model and self.serves(MODEL):
            return MODEL
        return FILTERED if self.serves(FILTERED) else RULES


class Ladder:
    """Walks through the sessions and places each step's bet once.

    Parameters
    ----------
    inputs
        Forecasts that count: in a warehouse those issued before their session opened.
    placed
        Bets of earlier mornings. They count as they were placed; no session before the last of them is bet on again,
        whatever has been restated or added since.
    threshold
        Wealth that promotes.

    Attributes
    ----------
    placed
        All bets, new ones included.
    new_rows
        Sessions that were bet on now.
    standings
        After each session.
    """

    def __init__(self, inputs: GateInputs, placed: PlacedBets | None = None, threshold: float = THRESHOLD) -> None:
        self.inputs, self.threshold = inputs, threshold
        self.placed: dict[int, list[LadderBet]] = {row: list(bets) for row, bets in (placed or {}).items()}
        self.first_row = max(self.placed, default=0) + 1
        self.new_rows: list[int] = []
        self.standings: list[Standing] = []
        self._gains: dict[tuple[str, str], LossGains] = {}
        self._bettors: dict[str, tuple[str, Bettor]] = {}
        self._last: dict[str, LadderBet] = {}
        for row in range(len(inputs.pnl)):
            if row in self.placed:
                for known in self.placed[row]:
                    self._continue(known)
            elif row >= self.first_row:
                self._bet_on(row)
            self.standings.append(self._standing())

    @property
    def standing(self) -> Standing:
        """Where it stands after the last session."""
        return self.standings[-1] if self.standings else Standing({}, {})

    def _standing(self) -> Standing:
        current = {name: bet for name, bet in self._last.items() if bet.procedure == procedures()[name]}
        return Standing(current, {name: len(self._bettors[name][1].bets) for name in current})

    def _continue(self, known: LadderBet) -> None:
        self._bettor(known.candidate, known.procedure).remember(known.bet)
        self._last[known.candidate] = known

    def _bettor(self, candidate: str, procedure: str) -> Bettor:
        """Return who bets on a candidate: a new one where its procedure has changed."""
        found = self._bettors.get(candidate)
        if found is None or found[0] != procedure:
            self._bettors[candidate] = found = (procedure, Bettor(self.threshold, TEST_SESSIONS))
        return found[1]

    def _bet_on(self, row: int) -> None:
        before, bets = self.standing, []
        for candidate in STEPS:
            opponent = self._opponent(candidate, before, row)
            place, gains = self._row(row), self._compared(candidate, opponent)
            if gains.forecast_count[place]:
                bettor = self._bettor(candidate, procedures()[candidate])
                bets.append(LadderBet(candidate, opponent, procedures()[candidate], bettor.bet(gains, place)))
                self._last[candidate] = bets[-1]
        if bets:
            self.placed[row] = bets
            self.new_rows.append(row)

    def _opponent(self, candidate: str, before: Standing, row: int) -> str:
        """Return what serves without the candidate; known before the session."""
        if candidate == MODEL and before.serves(FILTERED):
            return FILTERED
        place = self._row(row)
        if self._compared(candidate, HISTORICAL).account_count[place] > 1:
            return RULES
        # A single account: the rules pool nothing there, so the better of two so far is what has to be beaten.
        if not self._compared(candidate, RULES).account_count[place]:
            return HISTORICAL
        earlier = self.inputs.gains(HISTORICAL, RULES, 0).gain[:row]
        return HISTORICAL if float(earlier.sum()) > 0.0 else RULES

    def _row(self, row: int) -> int:
        return row - max(self.first_row - 1, 0)

    def _compared(self, candidate: str, opponent: str) -> LossGains:
        if (candidate, opponent) not in self._gains:
            self._gains[candidate, opponent] = self.inputs.gains(candidate, opponent, self.first_row)
        return self._gains[candidate, opponent]


def placed_bets(inputs: GateInputs) -> PlacedBets:
    """Bet on every session, had all forecasts been issued live."""
    return Ladder(inputs).placed


def reasons(standing: Standing, *, threshold: float = THRESHOLD) -> tuple[str, ...]:
    """Say of each step why it serves, or what it lacks; the model first."""
    return tuple(step_reason(standing, candidate, threshold=threshold) for candidate in reversed(STEPS))


def step_reason(standing: Standing, candidate: str, *, threshold: float = THRESHOLD) -> str:
    """Say why a step of the ladder serves, or what it lacks."""
    name = NAMES[candidate][0].upper() + NAMES[candidate][1:]
    last = standing.bets.get(candidate)
    if last is None:
        return f"{name} has no scored forecast that was issued before its session opened."
    bet, opponent = last.bet, NAMES[last.opponent]
    if bet.is_serving:
        return (
            f"{name} has beaten {opponent}: the bet on it stands at {wealth(bet.log_wealth)}, {threshold:.0f} was "
            f"required; the bet against it since then stands at {wealth(bet.log_contrary)}, {CONTRARY_EVIDENCE:.0f} "
            "would end it."
        )
    missing = []
    if standing.session_counts[candidate] < TEST_SESSIONS:
        count = counted(standing.session_counts[candidate], "live session")
        missing.append(f"{count} of {TEST_SESSIONS}")
    if bet.log_wealth < math.log(threshold):
        missing.append(f"the bet that it beats {opponent} stands at {wealth(bet.log_wealth)} of {threshold:.0f}")
    for side, log_wealth in (("often", bet.log_high), ("rarely", bet.log_low)):
        if log_wealth >= math.log(CONTRARY_EVIDENCE):
            missing.append(f"results fall below it too {side} (evidence {wealth(log_wealth)} to 1)")
    return f"{name} does not decide yet: {', '.join(missing)}."


def wealth(log_wealth: float) -> str:
    """Write a wealth for people."""
    if log_wealth >= math.log(1e6):
        return "over 1,000,000"
    value = math.exp(log_wealth)
    return f"{value:,.0f}" if value >= 10.0 else f"{value:.2f}"
