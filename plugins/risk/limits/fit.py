"""Does the base limit fit the trader: how often his running losses reach it, and which limit they would reach rarely.

A limit acts on the running P&L, not on the close: for a driftless path the lowest point is twice as likely to be beyond
a level as the close (the reflection principle). Use, hits and the band therefore come from each session's largest loss;
only the forecast columns are "at the close". Days are not independent, so the interval of the hits comes from blocks of
days drawn again.

Verdicts: *too large* (the losses, for the limit) if the lower end of that interval is above 5 %; *never reached* if the
largest use stays below 25 % over at least 120 days, none of which ended at a lower limit; else the limit fits. A chance
above 5 % to close beyond the limit is a warning, no verdict. A proposal is made only downward: whoever wants more asks
for it, with a reason.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.core.money import counted, percent, probability, usd
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, rows
from risk.limits.policy import AccountPolicy, DeskTerms
from risk.model.backtests import INTERVAL, resampled_sessions

REVIEWED_SESSIONS = 250
"""Active sessions that are looked at: one year."""

SCALE_RATES = (0.10, 0.20, 0.30, 0.50)
"""An account's scale is the geometric mean of the losses it reaches on so many days: frequent enough to be known."""

POOLING_SESSIONS = 250
"""With so many days an account's own tail counts as much as the shape of all accounts' tails."""

JACKKNIFE_BLOCKS = 10
"""An account's days are left out in so many blocks, one after the other: days are not independent."""

SIZES = {
    3 / 4: "three quarters", 2 / 3: "two thirds", 1 / 2: "half", 2 / 5: "two fifths", 1 / 3: "a third",
    1 / 4: "a quarter", 1 / 5: "a fifth", 1 / 6: "a sixth", 1 / 8: "an eighth", 1 / 10: "a tenth",
}  # fmt: skip
"""How a share of today's size is said."""

FloatVector = NDArray[np.float64]
BoolVector = NDArray[np.bool_]
Rates = tuple[float, float]
"""For the lower end of the band first, which is reached more often."""


@dataclass(frozen=True, slots=True)
class LossRecord:
    """What is known of one account.

    Attributes
    ----------
    account_id
        Its name.
    terms
        What decides about it: the policy, and the base limit that is reviewed.
    largest_losses_usd
        Largest running loss of each active session, oldest first, ``(n,)``, US dollars, positive, 0 = none.
    is_stopped
        Sessions that ended at a limit, ``(n,)``: the loss would have been at least that.
    value_at_risk_usd, expected_shortfall_usd, loss_probability
        Forecast for the effective session, at the close: 95 % value at risk, expected shortfall and probability of a
        loss beyond the base limit; ``None`` = no forecast.
    """

    account_id: str
    terms: AccountPolicy
    largest_losses_usd: FloatVector
    is_stopped: BoolVector
    value_at_risk_usd: Decimal | None = None
    expected_shortfall_usd: Decimal | None = None
    loss_probability: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LimitFit:
    """Whether one account's base limit fits; amounts in US dollars.

    Attributes
    ----------
    account_id, value_at_risk_usd, expected_shortfall_usd, loss_probability
        As in `LossRecord`.
    base_limit_usd
        The limit that is reviewed.
    session_count, stopped_count
        Active sessions, and those of them that ended at a limit.
    median_use_ratio, high_use_ratio, largest_use_ratio
        Median, 95 % quantile and maximum of largest loss / base limit; ``None`` without a session.
    hit_count, hit_low_ratio, hit_high_ratio
        Sessions whose largest loss reached the base limit, and the 95 % interval of their share.
    band_low_usd, band_high_usd, is_band_open
        Limits that would be reached on 5 % and on 1 % of days, rounded outward to two digits; open = at least, because
        sessions were stopped. ``None`` = too few sessions.
    verdict
        ``limited history``, ``too large``, ``never reached`` or ``fits``.
    sentence
        The same for people.
    warning
        A sentence if the forecast is likely to pass the limit, else empty.
    proposed_limit_usd
        A lower base limit; ``None`` = no proposal.
    """

    account_id: str
    base_limit_usd: Decimal
    session_count: int
    stopped_count: int
    median_use_ratio: float | None
    high_use_ratio: float | None
    largest_use_ratio: float | None
    hit_count: int
    hit_low_ratio: float
    hit_high_ratio: float
    value_at_risk_usd: Decimal | None
    expected_shortfall_usd: Decimal | None
    loss_probability: Decimal | None
    band_low_usd: Decimal | None
    band_high_usd: Decimal | None
    is_band_open: bool
    verdict: str
    sentence: str
    warning: str
    proposed_limit_usd: Decimal | None


def review_limits(records: Sequence[LossRecord]) -> list[LimitFit]:
    """Review the base limit of every account; the shape of the tail is that of all of them.

    Returns
    -------
    list
        In the order of the records.
    """
    recent = [_recent(record) for record in records]
    bands = {_rates(record) for record in recent}
    multiples = {rates: pooled_multiples(recent, rates) for rates in bands}
    return [_fit(record, fitting_band(record, multiples[_rates(record)])) for record in recent]


def reached_level(losses_usd: FloatVector, is_stopped: BoolVector, rate: float) -> float:
    """Return the loss that is reached on a share of the days.

    Parameters
    ----------
    losses_usd, is_stopped
        Largest loss of each session, ``(n,)``, and where it would have been larger.
    rate
        Share of the days, such as 0.05.

    Returns
    -------
    float
        US dollars, between the neighboring losses; the largest where the days are too few for the rate; NaN where
        stops leave it unknown.

    Notes
    -----
    Share reached = product over losses of ``1 - d / n``, a stopped day leaving the days at risk without having ended.
    Source: Kaplan and Meier (1958), "Nonparametric Estimation from Incomplete Observations", eq. 2b.
    """
    order = np.lexsort((is_stopped, losses_usd))
    ascending, is_end = losses_usd[order], ~is_stopped[order]
    at_risk = np.arange(len(order), 0, -1)
    reached = np.cumprod(1.0 - is_end / at_risk)
    # A loss is reached by itself and by all beyond it: half of its own step, so that a level lies amid its neighbors.
    shares = 0.5 * (np.concatenate(([1.0], reached[:-1])) + reached)[is_end]
    known = ascending[is_end]
    is_known = len(known) > 0 and (rate >= shares[-1] or reached[-1] == 0.0)
    if not is_known:
        return math.nan
    return float(np.interp(-rate, -shares, known))


def pooled_multiples(records: Sequence[LossRecord], rates: Rates) -> Rates:
    """Return the levels reached at two rates in units of each account's scale, all accounts pooled.

    NaN without any account that is known long enough.
    """
    ratios, stopped = [], []
    for record in records:
        scale_usd = _scale_usd(record)
        if scale_usd > 0.0:
            ratios.append(record.largest_losses_usd / scale_usd)
            stopped.append(record.is_stopped)
    if not ratios:
        return math.nan, math.nan
    pooled, is_stopped = np.concatenate(ratios), np.concatenate(stopped)
    return reached_level(pooled, is_stopped, rates[0]), reached_level(pooled, is_stopped, rates[1])


def fitting_band(record: LossRecord, multiples: Rates) -> tuple[float, float]:
    """Return the limits that would be reached on 5 % and on 1 % of days, US dollars, not rounded; NaN = unknown.

    The account's own levels and its scale times the pooled shape are averaged in logarithms, the own ones with weight
    ``n / (n + 250)``: of 50 days only a half lies beyond the 1 % level. Each end is then moved outward by the standard
    error of the logarithm of the scale: the fewer days, the wider the band. The rates are the policy's.
    """
    days, scale_usd = len(record.largest_losses_usd), _scale_usd(record)
    if not scale_usd > 0.0:
        return math.nan, math.nan
    weight = days / (days + POOLING_SESSIONS)
    levels = []
    for rate, multiple in zip(_rates(record), multiples, strict=True):
        own, pooled = reached_level(record.largest_losses_usd, record.is_stopped, rate), scale_usd * multiple
        known = pooled if math.isnan(own) else own if math.isnan(pooled) else own**weight * pooled ** (1.0 - weight)
        levels.append(known)
    widening = math.exp(scale_error(record))
    return levels[0] / widening, levels[1] * widening


def scale_error(record: LossRecord) -> float:
    """Return the standard error of the logarithm of an account's scale.

    Notes
    -----
    ``sqrt((g - 1) / g * sum((log s_i - mean)^2))`` over the scales ``s_i`` without one of ``g`` blocks of days. Source:
    Kunsch (1989), "The Jackknife and the Bootstrap for General Stationary Observations", section 2, blocks that do not
    overlap.
    """
    blocks = np.array_split(np.arange(len(record.largest_losses_usd)), JACKKNIFE_BLOCKS)
    scales_usd = [
        _scale(np.delete(record.largest_losses_usd, block), np.delete(record.is_stopped, block)) for block in blocks
    ]
    known = np.log([scale_usd for scale_usd in scales_usd if scale_usd > 0.0])
    return math.sqrt((len(blocks) - 1) * float(known.var())) if len(known) else 0.0


def hit_interval(is_hit: BoolVector) -> tuple[float, float]:
    """Return the 95 % interval of the share of hits, ``(n,)``, by blocks of days drawn again.

    Where all days are alike, resamples are too, and the exact interval of independent days is returned (Clopper and
    Pearson 1934, "The Use of Confidence or Fiducial Limits").
    """
    from scipy.stats import binomtest

    if not len(is_hit):
        return 0.0, 1.0
    if is_hit.all() or not is_hit.any():
        exact = binomtest(int(is_hit.sum()), len(is_hit)).proportion_ci(0.95)
        return float(exact.low), float(exact.high)
    low, high = np.quantile(is_hit[resampled_sessions(len(is_hit))].mean(axis=1), INTERVAL)
    return float(low), float(high)


def rounded_outward(low_usd: float, high_usd: float) -> tuple[Decimal, Decimal]:
    """Round a band to two digits, the lower end down and the upper end up: $18,000 to $24,000."""
    low_step, high_step = _second_digit_usd(low_usd), _second_digit_usd(high_usd)
    return low_step * math.floor(low_usd / float(low_step)), high_step * math.ceil(high_usd / float(high_step))


def size_in_words(ratio: float) -> str:
    """Say a share of today's size in words: ``a quarter``; below a twelfth ``less than a tenth``."""
    if ratio < 1 / 12:
        return "less than a tenth"
    return SIZES[min(SIZES, key=lambda size: abs(math.log(ratio / size)))]


def read_loss_records(
    connection: Connection, run: Run, terms: DeskTerms, recommendations: Sequence[Mapping[str, Any]]
) -> list[LossRecord]:
    """Read the largest losses of every account that gets a limit, as a run knows them.

    Parameters
    ----------
    connection
        The warehouse; receipts must be up to date, see `risk.limits.receipt_rows.store_receipts`.
    run
        Whose session is the last one that is known.
    terms
        The policy, and the base limits.
    recommendations
        The run's: ``account_id`` and the forecast columns.
    """
    known: dict[str, list[tuple[Decimal, bool]]] = {}
    binds = {"through_session_date": run.session_date}
    for account_id, *session in rows(connection, "apply_rules/select_reviewed_sessions", binds):
        known.setdefault(account_id, []).append(tuple(session))
    records = []
    for one in recommendations:
        sessions = known.get(one["account_id"], ())
        quantile = one["forecast_quantile_05_usd"]
        forecast = (None if quantile is None else -quantile, one["expected_shortfall_usd"], one["loss_probability"])
        own = terms.of(one["account_id"])
        losses_usd = np.array([loss_usd for loss_usd, _ in sessions], np.float64)
        is_stopped = np.array([stopped for _, stopped in sessions], np.bool_)
        records.append(LossRecord(one["account_id"], own, losses_usd, is_stopped, *forecast))
    return records


def store_fits(connection: Connection, run: Run, fits: Sequence[LimitFit]) -> None:
    """Replace what a run says of how the base limits fit; the caller holds the write lock."""
    new_rows = json.dumps([asdict(fit) for fit in fits], default=str)
    execute(connection, "apply_rules/replace_limit_fits", {"run_id": run.run_id, "fits": new_rows})


def _recent(record: LossRecord) -> LossRecord:
    losses, stopped = record.largest_losses_usd[-REVIEWED_SESSIONS:], record.is_stopped[-REVIEWED_SESSIONS:]
    return replace(record, largest_losses_usd=losses, is_stopped=stopped)


def _rates(record: LossRecord) -> Rates:
    """Return the share of days on which the lower and the upper end of the band would be reached."""
    low, high = sorted(map(float, record.terms.policy.fit.band))
    return high, low


def _is_short(record: LossRecord) -> bool:
    return len(record.largest_losses_usd) < record.terms.policy.accounts.limited_history_sessions


def _scale_usd(record: LossRecord) -> float:
    """Return an account's scale, US dollars; NaN or 0 where it has none or is not known long enough."""
    if _is_short(record):
        return math.nan
    return _scale(record.largest_losses_usd, record.is_stopped)


def _scale(losses_usd: FloatVector, is_stopped: BoolVector) -> float:
    levels = [reached_level(losses_usd, is_stopped, rate) for rate in SCALE_RATES]
    return math.prod(levels) ** (1.0 / len(levels))


def _fit(record: LossRecord, levels: tuple[float, float]) -> LimitFit:
    base_limit_usd = record.terms.base_limit_usd
    uses = record.largest_losses_usd / float(base_limit_usd)
    is_hit = _is_hit(record)
    interval = hit_interval(is_hit)
    band = None if np.isnan(levels).any() else rounded_outward(*levels)
    verdict = _verdict(record, uses, interval[0])
    is_lower = band is not None and band[1] < base_limit_usd
    use_levels = np.quantile(uses, (0.5, 0.95, 1.0)).tolist() if len(uses) else (None, None, None)
    return LimitFit(
        account_id=record.account_id,
        base_limit_usd=base_limit_usd,
        session_count=len(uses),
        stopped_count=int(np.count_nonzero(record.is_stopped)),
        median_use_ratio=use_levels[0],
        high_use_ratio=use_levels[1],
        largest_use_ratio=use_levels[2],
        hit_count=int(np.count_nonzero(is_hit)),
        hit_low_ratio=interval[0],
        hit_high_ratio=interval[1],
        value_at_risk_usd=record.value_at_risk_usd,
        expected_shortfall_usd=record.expected_shortfall_usd,
        loss_probability=record.loss_probability,
        band_low_usd=band and band[0],
        band_high_usd=band and band[1],
        is_band_open=bool(record.is_stopped.any()),
        verdict=verdict,
        sentence=_sentence(record, verdict, interval, levels),
        warning=_warning(record),
        proposed_limit_usd=band[1] if band is not None and verdict == "never reached" and is_lower else None,
    )


def _is_hit(record: LossRecord) -> BoolVector:
    """Return where the largest loss reached the base limit; a policy may say that it must be beyond it."""
    base_limit_usd = float(record.terms.base_limit_usd)
    equal_counts = record.terms.policy.use.hit == "at or beyond"
    is_equal = record.largest_losses_usd == base_limit_usd
    is_hit: BoolVector = (record.largest_losses_usd > base_limit_usd) | (is_equal & equal_counts)
    return is_hit


def _verdict(record: LossRecord, uses: FloatVector, hit_low_ratio: float) -> str:
    fit = record.terms.policy.fit
    if _is_short(record):
        return "limited history"
    if hit_low_ratio > float(fit.too_large_from):
        return "too large"
    is_small = len(uses) >= fit.never_reached_sessions and uses.max() < float(fit.never_reached_below)
    # Who was stopped at a limit cut far below the base limit might have come near the base limit without it.
    return "never reached" if is_small and not record.is_stopped.any() else "fits"


def _sentence(record: LossRecord, verdict: str, interval: tuple[float, float], levels: tuple[float, float]) -> str:
    base_limit_usd = record.terms.base_limit_usd
    uses = record.largest_losses_usd / float(base_limit_usd)
    days = len(uses)
    if verdict == "limited history":
        needed = record.terms.policy.accounts.limited_history_sessions
        return f"limited history: {counted(days, 'day')}, {needed} required"
    if verdict == "fits":
        return "fits"
    band = _band_in_words(record, levels)
    if verdict == "never reached":
        return f"never reached: largest use {percent(float(uses.max()))} in {days} days{band and f'; {band}'}"
    hits = int(np.count_nonzero(_is_hit(record)))
    least = "at least " if record.is_stopped.any() else ""
    said = (
        f"losses too large for the limit: reached on {least}{hits} of {days} days "
        f"({percent(interval[0]).rstrip('%')}-{percent(interval[1])})"
    )
    if not band:
        return said
    size = size_in_words(float(base_limit_usd) / math.sqrt(levels[0] * levels[1]))
    return f"{said}; to keep {usd(base_limit_usd)} size must fall to about {size}. (For information: {band}.)"


def _band_in_words(record: LossRecord, levels: tuple[float, float]) -> str:
    if np.isnan(levels).any():
        return ""
    low, high = map(usd, rounded_outward(*levels))
    least = "at least " if record.is_stopped.any() else ""
    often, rarely = _rates(record)
    return f"{low} to {least}{high} would be reached on {percent(rarely).rstrip('%')} to {percent(often)} of days"


def _warning(record: LossRecord) -> str:
    chance = record.loss_probability
    if chance is None or chance <= record.terms.policy.fit.chance_to_pass:
        return ""
    limit = usd(record.terms.base_limit_usd)
    return f"{probability(chance)} chance of losing more than {limit} in the next session, at the close"


def _second_digit_usd(amount_usd: float) -> Decimal:
    """Return what one step of the second digit is worth, at least a dollar."""
    return Decimal(10) ** max(math.floor(math.log10(amount_usd)) - 1, 0) if amount_usd > 0.0 else Decimal(1)
