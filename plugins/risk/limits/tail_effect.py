"""What cuts do to the tail: how much smaller the worst trader-days were than had all been cut by the same share.

`risk.limits.track_record` answers in dollars, where no policy has been shown to earn anything: for a fair game a stop
costs a little (Kaminski and Lo 2014, "When Do Stop-Loss Rules Stop Losses?"). What a cut can change is the tail. Every
outcome is measured in the trader's own usual loss of that morning, so that two large traders do not decide alone, and
is that of a stop on the fills' path: the same reading of cuts and paths as in the track record.

A measure that falls with every cut proves nothing, so three controls of the same size stand beside the cuts: everybody
cut by the mean cut; each trader by his own mean cut (separates when from whom); each session's cuts given to its
accounts at random. Against the first two, cuts that know nothing have an effect that is not quite 0: where base limits
are near the usual loss, the worst days are of those who were not cut, and the tail is larger; where they are beyond it,
the loss under a stop is a concave function of the limit, so that uneven limits lose less than one of the same mean
(Jensen 1906, "Sur les fonctions convexes et les inegalites entre les valeurs moyennes"). Against the third they have
none: an effect is called shown only where few random assignments did as well.

Effect = ``1 - ES(cuts) / ES(control)``, ES being the mean of the lowest ``floor(n / 20)`` outcomes.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from risk.core.calendar import next_session
from risk.core.money import counted, p_value, percent
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.track_record import LARGEST_P_VALUE, SLIPPAGE_RATIO
from risk.model.backtests import BLOCK_SESSIONS, INTERVAL, resampled_sessions
from risk.model.panel import FloatMatrix, Panel

MINIMUM_SESSIONS = 120
"""Fewer sessions are too few: the interval would hold the truth less often than it says."""

TAIL_DIVISOR = 20
"""The worst one in so many trader-days is the tail."""

CUT_GRID = 1000
"""Mean cuts of resamples are rounded to 0.1 %, so that their outcomes are computed once."""

USUAL_HALF_LIFE = 60
"""Active sessions after which a loss forecast weighs half in the usual one."""

PERMUTATION_COUNT = 200
PERMUTATION_SEED = 7

_EFFECT_COLUMNS = ("equal_ratio", "equal_low_ratio", "equal_high_ratio", "own_ratio", "own_low_ratio", "own_high_ratio")

FloatVector = NDArray[np.float64]
IntVector = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CutDays:
    """Trader-days with a recommendation made before the open; arrays are ``(n_days,)`` but for ``lows_usd``.

    Attributes
    ----------
    sessions, accounts
        Number of the session and of the account.
    base_limits_usd, limits_usd
        Limit before and after the cut, US dollars, positive.
    usual_losses_usd
        The account's usual loss forecast of that morning: the unit, US dollars, positive.
    lows_usd
        Largest losses so far, ascending in each row, ``(n_days, n_lows)``, positive; infinite behind the last, so
        that the last column always is.
    closes_usd
        Total P&L of the session, gains positive.
    """

    sessions: IntVector
    accounts: IntVector
    base_limits_usd: FloatVector
    limits_usd: FloatVector
    usual_losses_usd: FloatVector
    lows_usd: FloatMatrix
    closes_usd: FloatVector

    @property
    def cut_ratios(self) -> FloatVector:
        """The cuts, 0.40 = 40 %."""
        ratios: FloatVector = 1.0 - self.limits_usd / self.base_limits_usd
        return ratios

    def outcomes(self, limits_usd: FloatVector) -> FloatVector:
        """Return the results had these limits been in force, ``(n_days,)``, in usual losses, gains positive.

        As `risk.limits.track_record.outcome_usd`, in floating point.
        """
        places = np.count_nonzero(self.lows_usd < limits_usd[:, None], axis=1)
        reached = self.lows_usd[np.arange(len(places)), places]
        stopped = -reached - float(SLIPPAGE_RATIO) * limits_usd
        results: FloatVector = np.where(np.isfinite(reached), stopped, self.closes_usd) / self.usual_losses_usd
        return results


@dataclass(frozen=True, slots=True)
class Effect:
    """How much smaller the tail was than under a control: 0.05 = 5 % smaller, negative = larger; and its interval."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TailEffect:
    """What the cuts did to the tail.

    Attributes
    ----------
    session_count, day_count
        Sessions and trader-days.
    mean_cut_ratio
        Mean cut of all trader-days.
    shortfall
        Mean loss of the worst 5 % of trader-days under the cuts, in usual losses.
    against_equal, against_own
        Against everybody, and each trader, cut by the mean.
    random_ratio, random_p_value
        Effect against the mean of random assignments, and the share of assignments that did at least as well.
    """

    session_count: int
    day_count: int
    mean_cut_ratio: float
    shortfall: float
    against_equal: Effect
    against_own: Effect
    random_ratio: float
    random_p_value: float


def usual_place(losses: FloatVector) -> int:
    """Return the place of the usual one among some loss forecasts: their lower weighted median.

    Parameters
    ----------
    losses
        Oldest first, at least one, ``(n_losses,)``. Each has half the weight of the one 60 places after it.

    Notes
    -----
    The median is the smallest loss such that those up to it have at least half of the weight. Source: Edgeworth (1888),
    "On a New Method of Reducing Observations Relating to Several Quantities".
    """
    order = np.argsort(losses, kind="stable")
    weights = np.cumsum(0.5 ** ((len(losses) - 1 - order) / USUAL_HALF_LIFE))
    return int(order[np.searchsorted(weights, 0.5 * weights[-1])])


def usual_losses(panel: Panel, calibrated_usd: FloatMatrix, needed_counts: IntVector) -> FloatMatrix:
    """Return the usual loss forecast of each account, as each morning knew it.

    The lower weighted median of those issued for the account's earlier active sessions, since it returned if it was
    away for long (see `Panel.active_counts`). The newest weigh most, so that a trader who changes size permanently
    is compared with the new size after some months. A size that grows slowly is never unusual.

    Parameters
    ----------
    panel
        Daily results.
    calibrated_usd
        ``(n_sessions, n_accounts)``, negative; row t was issued after session t.
    needed_counts
        Forecasts that are needed, ``(n_accounts,)``.

    Returns
    -------
    ndarray
        Same shape, US dollars, positive; row t is known after session t. NaN with fewer forecasts.
    """
    usual = np.full_like(calibrated_usd, np.nan)
    was_used = np.isfinite(panel.total_pnl_usd[1:]) & np.isfinite(calibrated_usd[:-1])
    is_first = panel.active_counts() == 1
    for account in range(calibrated_usd.shape[1]):
        # The forecast in row r is for session r + 1: known to have been used from row r + 1 on.
        rows = np.flatnonzero(was_used[:, account]) + 1
        losses = -calibrated_usd[rows - 1, account]
        first = 0
        for row in np.flatnonzero(is_first[:, account] | np.isin(np.arange(len(usual)), rows)).tolist():
            if is_first[row, account]:
                first = bisect_left(rows, row)
            count = bisect_right(rows, row)
            own = losses[first:count]
            usual[row:, account] = own[usual_place(own)] if len(own) >= max(needed_counts[account], 1) else np.nan
    return usual


def cut_days(rows: Iterable[Mapping[str, Any]], panel: Panel, usual_usd: FloatMatrix) -> CutDays:
    """Lay out the outcomes of past recommendations.

    Parameters
    ----------
    rows
        As ``track_record/select_outcomes`` reads them. Those reported after the open, and those of mornings on which
        the account had no usual loss, are left out.
    panel, usual_usd
        Its sessions and accounts; what `usual_losses` returns for them.
    """
    row_of = {day: number for number, day in enumerate(panel.session_dates)}
    column_of = {account_id: number for number, account_id in enumerate(panel.account_ids)}
    chosen = []
    for row in rows:
        place = (row_of.get(row["effective_session"], 0) - 1, column_of.get(row["account_id"], -1))
        if row["is_live"] and min(place) >= 0 and np.isfinite(usual_usd[place]):
            chosen.append((row, *place, float(usual_usd[place])))
    most = max((len(row["running_lows_usd"]) for row, *_ in chosen), default=0)
    lows = np.full((len(chosen), most + 1), np.inf)
    for number, (row, *_) in enumerate(chosen):
        lows[number, : len(row["running_lows_usd"])] = row["running_lows_usd"]
    bases, limits, closes = (
        np.array([float(row[name]) for row, *_ in chosen]) for name in ("base_limit_usd", "limit_usd", "close_usd")
    )
    _, morning, account, usual = zip(*chosen, strict=True) if chosen else ((), (), (), ())
    numbers = np.array(morning, np.int64), np.array(account, np.int64)
    return CutDays(*numbers, bases, limits, np.array(usual, np.float64), lows, closes)


def measure_effect(days: CutDays) -> TailEffect | None:
    """Measure what the cuts did to the tail; ``None`` with fewer than 120 sessions, without a cut or a loss."""
    found, sessions = np.unique(days.sessions, return_inverse=True)
    if len(found) < MINIMUM_SESSIONS or not (days.cut_ratios > 0.0).any():
        return None
    comparison = _Comparison(days, sessions)
    whole = np.ones(len(found))
    estimates = comparison.effects(whole)
    if not np.isfinite(estimates).all():
        return None
    resampled = np.array([comparison.effects(weights) for weights in _session_weights(len(found))])
    left_out = np.array([comparison.effects(whole * kept) for kept in _kept_blocks(len(found))])
    equal, own = (
        Effect(float(estimate), *bca_interval(float(estimate), resampled[:, place], left_out[:, place]))
        for place, estimate in enumerate(estimates)
    )
    actual = days.outcomes(days.limits_usd)
    shortfall = tail_mean(actual, np.ones(len(actual)))
    random = _random_shortfalls(days)
    return TailEffect(
        *(len(found), len(actual), float(days.cut_ratios.mean()), -shortfall, equal, own),
        random_ratio=1.0 - shortfall / float(random.mean()),
        random_p_value=(1 + int(np.count_nonzero(random >= shortfall))) / (1 + len(random)),
    )


def measure_against(days: CutDays, other_limits_usd: FloatVector) -> Effect | None:
    """Measure how much smaller the tail is than under other limits of the same days; ``None`` as in `measure_effect`.

    Parameters
    ----------
    other_limits_usd
        Limits to compare with, ``(n_days,)``, US dollars, positive.
    """
    found, sessions = np.unique(days.sessions, return_inverse=True)
    if len(found) < MINIMUM_SESSIONS:
        return None
    own, other = _sorted(days.outcomes(days.limits_usd)), _sorted(days.outcomes(other_limits_usd))

    def effect(session_weights: FloatVector) -> float:
        weights = session_weights[sessions]
        return _effect(*(_sorted_tail_mean(outcomes, weights[order]) for order, outcomes in (own, other)))

    whole = np.ones(len(found))
    estimate = effect(whole)
    if not math.isfinite(estimate):
        return None
    resampled = np.array([effect(weights) for weights in _session_weights(len(found))])
    left_out = np.array([effect(whole * kept) for kept in _kept_blocks(len(found))])
    return Effect(estimate, *bca_interval(estimate, resampled, left_out))


def tail_mean(outcomes: FloatVector, weights: FloatVector) -> float:
    """Return the mean of the lowest ``floor(n / 20)`` outcomes, each counted as often as its whole weight says."""
    order, ascending = _sorted(outcomes)
    return _sorted_tail_mean(ascending, weights[order])


def bca_interval(estimate: float, resampled: FloatVector, left_out: FloatVector) -> tuple[float, float]:
    """Return the bias-corrected and accelerated 95 % interval of a bootstrap.

    Parameters
    ----------
    estimate
        From the whole record.
    resampled
        From resamples of it, ``(n_resamples,)``.
    left_out
        From the record less a block each, ``(n_blocks,)``.

    Notes
    -----
    Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap", eq. 14.10, 14.14 and 14.15, the jackknife
    over blocks of sessions.
    """
    # Half of the ties count, and both ends stay finite.
    below = np.count_nonzero(resampled < estimate) + 0.5 * np.count_nonzero(resampled == estimate)
    bias = float(ndtri((below + 0.5) / (len(resampled) + 1)))
    deviations = left_out.mean() - left_out
    scale = float((deviations**2).sum()) ** 1.5
    acceleration = float((deviations**3).sum()) / (6.0 * scale) if scale > 0.0 else 0.0
    shifted = bias + ndtri(np.array(INTERVAL))
    levels = ndtr(bias + shifted / (1.0 - acceleration * shifted))
    low, high = np.quantile(resampled, levels)
    return float(low), float(high)


def store_tail_effect(connection: Connection, run: Run, panel: Panel, usual_usd: FloatMatrix) -> None:
    """Measure the cuts whose outcomes a run knows, and store what they did to the tail.

    Parameters
    ----------
    connection
        The warehouse; outcomes must be up to date, see `risk.limits.track_record.store_track_record`.
    panel, usual_usd
        Daily results, and what `usual_losses` returns for the forecasts issued so far: the unit.
    """
    binds = {"through_session_date": run.session_date, "as_of": run.as_of}
    rows = records(connection, "track_record/select_outcomes", binds)
    days = cut_days(rows, panel, usual_usd)
    effect, session_count = measure_effect(days), len(np.unique(days.sessions))
    columns: dict[str, Any] = dict.fromkeys(("mean_cut_ratio", *_EFFECT_COLUMNS, "random_ratio", "random_p_value"))
    if effect is not None:
        main, own = effect.against_equal, effect.against_own
        ratios = (effect.mean_cut_ratio, main.ratio, main.low, main.high, own.ratio, own.low, own.high)
        columns = dict(zip(columns, (*ratios, effect.random_ratio, effect.random_p_value), strict=True))
    columns |= {"session_count": session_count, "day_count": len(days.closes_usd)}
    columns["sentences"] = effect_sentences(effect, session_count, run.session_date)
    with writing(connection):
        execute(connection, "apply_rules/upsert_tail_effects", {"run_id": run.run_id, **columns})


def is_quarter_end(session_date: dt.date) -> bool:
    """Say whether a session is the last of its quarter: the only ones after which an effect is called shown."""
    following = next_session(session_date)
    return (following.year, (following.month - 1) // 3) != (session_date.year, (session_date.month - 1) // 3)


def effect_sentences(effect: TailEffect | None, session_count: int, session_date: dt.date) -> list[str]:
    """Say what the cuts did to the tail, and how the controls compare.

    Parameters
    ----------
    effect
        As measured; ``None`` = too few.
    session_count
        Sessions with recommendations made before the open.
    session_date
        Session after which it is said.
    """
    if effect is None:
        known = f"{counted(session_count, 'session')} with cuts before the open, {MINIMUM_SESSIONS} required"
        return [f"Too few to say what cuts do to the tail: {known}."]
    main, own = effect.against_equal, effect.against_own
    is_shown = main.low > 0.0 and effect.random_p_value < LARGEST_P_VALUE and is_quarter_end(session_date)
    word = "shown" if is_shown else "so far"
    against_equal = (
        "Cuts have not been shown to earn or save money on average. The worst 5% of trader-days, measured in each "
        f"trader's typical day, were {_smaller(main.ratio)} than had everybody been cut by the same share, "
        f"{percent(effect.mean_cut_ratio, 1)} (95%: {percent(main.low, 1)} to {percent(main.high, 1)}; {word})."
    )
    others = (
        f"Against each trader's own mean cut: {_smaller(own.ratio)} ({percent(own.low, 1)} to {percent(own.high, 1)}). "
        f"Against the same cuts assigned at random: {_smaller(effect.random_ratio)} "
        f"(permutation test p = {p_value(effect.random_p_value)})."
    )
    return [against_equal, others]


class _Comparison:
    """The effects of one record under any weights of its sessions."""

    def __init__(self, days: CutDays, sessions: IntVector) -> None:
        self.days, self.sessions = days, sessions
        self.at_cut: dict[int, FloatVector] = {}
        self.sorted_at_cut: dict[int, tuple[IntVector, FloatVector]] = {}
        self.actual = _sorted(days.outcomes(days.limits_usd))
        counts = np.bincount(days.accounts)
        self.days_of = np.split(np.argsort(days.accounts, kind="stable"), np.cumsum(counts)[:-1])

    def effects(self, session_weights: FloatVector) -> FloatVector:
        """Return the effect against the equal cut and against each trader's own mean cut."""
        weights = session_weights[self.sessions]
        order, outcomes = self.actual
        shortfall = _sorted_tail_mean(outcomes, weights[order])
        cut_sums = np.bincount(self.days.accounts, weights * self.days.cut_ratios, len(self.days_of))
        counts = np.bincount(self.days.accounts, weights, len(self.days_of))
        order, outcomes = self._sorted_outcomes_at(round(CUT_GRID * float(cut_sums.sum() / counts.sum())))
        equal = _sorted_tail_mean(outcomes, weights[order])
        own = tail_mean(self._own_outcomes(cut_sums / np.maximum(counts, 1.0)), weights)
        return np.array([_effect(shortfall, equal), _effect(shortfall, own)])

    def _outcomes_at(self, step: int) -> FloatVector:
        if step not in self.at_cut:
            self.at_cut[step] = self.days.outcomes(self.days.base_limits_usd * (1.0 - step / CUT_GRID))
        return self.at_cut[step]

    def _sorted_outcomes_at(self, step: int) -> tuple[IntVector, FloatVector]:
        if step not in self.sorted_at_cut:
            self.sorted_at_cut[step] = _sorted(self._outcomes_at(step))
        return self.sorted_at_cut[step]

    def _own_outcomes(self, mean_cuts: FloatVector) -> FloatVector:
        outcomes = np.empty(len(self.sessions))
        for own_days, step in zip(self.days_of, np.rint(CUT_GRID * mean_cuts).astype(int).tolist(), strict=True):
            outcomes[own_days] = self._outcomes_at(step)[own_days]
        return outcomes


def _sorted(outcomes: FloatVector) -> tuple[IntVector, FloatVector]:
    order = np.argsort(outcomes, kind="stable")
    return order, outcomes[order]


def _sorted_tail_mean(outcomes: FloatVector, weights: FloatVector) -> float:
    count = math.floor(float(weights.sum()) / TAIL_DIVISOR)
    if count == 0:
        return math.nan
    before = np.cumsum(weights) - weights
    in_tail = np.clip(count - before, 0.0, weights)
    return float(np.dot(in_tail, outcomes)) / int(count)


def _effect(shortfall: float, control: float) -> float:
    return 1.0 - shortfall / control if control < 0.0 else math.nan


def _session_weights(session_count: int) -> Iterable[FloatVector]:
    """Give how often each session is in each resample."""
    for chosen in resampled_sessions(session_count):
        yield np.bincount(chosen, minlength=session_count).astype(np.float64)


def _kept_blocks(session_count: int) -> Iterable[NDArray[np.bool_]]:
    """Give the record less each block of 5 sessions in turn."""
    blocks = np.arange(session_count) // BLOCK_SESSIONS
    for block in range(int(blocks[-1]) + 1):
        yield blocks != block


def _random_shortfalls(days: CutDays) -> FloatVector:
    """Return the tail mean of random assignments of each session's cuts to its accounts, ``(200,)``."""
    draws = np.random.default_rng(PERMUTATION_SEED)
    by_session = np.argsort(days.sessions, kind="stable")
    weights, means = np.ones(len(by_session)), np.empty(PERMUTATION_COUNT)
    for number in range(PERMUTATION_COUNT):
        shuffled = np.lexsort((draws.random(len(by_session)), days.sessions))
        ratios = np.empty(len(by_session))
        ratios[by_session] = days.cut_ratios[shuffled]
        means[number] = tail_mean(days.outcomes(days.base_limits_usd * (1.0 - ratios)), weights)
    return means


def _smaller(ratio: float) -> str:
    return f"{percent(abs(ratio), 1)} {'smaller' if ratio >= 0.0 else 'larger'}"
