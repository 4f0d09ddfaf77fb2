"""Whether the review of limits finds what fits, on desks whose truth is known: ``python -m bench fit``.

Each desk is drawn with one law; each day's path is a bridge to its close. The truth of a trader is the loss that his
true path reaches on 2.5 % of days, from 10,000 paths drawn again from the true law of the days he had. Beside it, the
same of any day of his law: quiet and wild spells that his record has not seen are in it, so no record can hold it as
often. And the same of every second trader if a limit that he reaches on 5 % of days stops him: his band then comes from
the tails of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from risk.core.policy_document import default_policy
from risk.limits.fit import LossRecord, fitting_band, pooled_multiples, review_limits
from risk.limits.policy import AccountPolicy
from simulation.law import Law, law_of, shock_quantile, stream, tail_deviation
from simulation.paths import bridged_paths, largest_losses
from simulation.truth import Truth, draw

SETS = ("strong", "medium", "weak", "null")
REDRAWS = 10_000
TRUE_RATE = 0.025
BAND = (0.05, 0.01)
"""The default policy's."""
TOO_LARGE, TOO_SMALL = 20.0, 0.1

BOUNDS = {
    "band holds the truth": 0.90,
    "20x too large flagged": 0.95,
    "10x too small flagged": 0.95,
    "false flags": 0.05,
}
"""What must be reached: at least, of false flags at most."""

SHOWN = ("band holds the truth of any day", "... of who is stopped at 5%", "upper / lower end of the band")

FloatVector = NDArray[np.float64]
FloatMatrix = NDArray[np.float64]


def measure(
    *, seeds: Sequence[int] = range(1, 26), traders: int = 12, sessions: int = 250, sets: Sequence[str] = SETS
) -> dict[str, float]:
    """Measure band, planted limits and false flags on every set, and print them beside what must be reached."""
    figures: dict[str, float] = {}
    for set_name in sets:
        found = np.concatenate([_desk(set_name, seed, traders, sessions) for seed in seeds])
        print(f"{set_name:8s} {len(found)} traders x {sessions} sessions")
        for name, value in zip((*BOUNDS, *SHOWN), np.nanmean(found, axis=0).tolist(), strict=True):
            figures[f"{set_name} {name}"] = value
            print(f"    {name:34s} {value:8.3f}  {_verdict(name, value)}", flush=True)
    return figures


def desk_records(truth: Truth, seed: int, limits_usd: FloatVector) -> list[LossRecord]:
    """Draw the paths of a desk and turn them into what a review knows."""
    records, policy = [], default_policy().desk
    for column, account_id in enumerate(truth.account_ids):
        rows = np.flatnonzero(truth.is_active[:, column])
        paths = bridged_paths(truth.net_pnl_usd[rows, column], truth.sigma_usd[rows, column], stream(seed, 8, column))
        losses = largest_losses(paths)
        terms = AccountPolicy(policy, Decimal(f"{limits_usd[column]:.2f}"))
        records.append(LossRecord(account_id, terms, losses, np.zeros(len(losses), np.bool_)))
    return records


def true_losses(truth: Truth, law: Law, column: int, draws: np.random.Generator) -> FloatVector:
    """Draw the true path of one trader again, 10,000 days: his own days' scale and drift, fresh shocks and paths."""
    rows = draws.choice(np.flatnonzero(truth.is_active[:, column]), REDRAWS)
    shared = draws.standard_normal(REDRAWS)
    own = draws.standard_t(law.tail_degrees, REDRAWS) / tail_deviation(law)
    shocks = law.common_share * shared + np.sqrt(1 - law.common_share**2) * own
    sigma = truth.sigma_usd[rows, column]
    # The true quantile is sigma (drift + quantile of the shock): what is left of it is the drift.
    drift = truth.true_q05_usd[rows, column] - sigma * shock_quantile(law)
    return largest_losses(bridged_paths(drift + sigma * shocks, sigma, draws))


def _desk(set_name: str, seed: int, traders: int, sessions: int) -> FloatVector:
    """Return the columns ``BOUNDS`` and ``SHOWN`` of each trader."""
    truth, law = draw(set_name, traders, sessions, seed), law_of(set_name)
    drawn = [np.sort(true_losses(truth, law, column, stream(seed, 9, column))) for column in range(traders)]
    levels = np.array([np.quantile(losses, 1 - TRUE_RATE) for losses in drawn])
    # The same traders for ten years.
    decade = draw(set_name, traders, 2500, seed)
    any_day = [true_losses(decade, law, column, stream(seed, 10, column)) for column in range(traders)]
    any_level = np.array([np.quantile(losses, 1 - TRUE_RATE) for losses in any_day])
    records = desk_records(truth, seed, levels)
    low, high = _bands(records)
    often = [np.quantile(losses, 1 - BAND[0]) for losses in drawn]
    stopped_low, stopped_high = _bands(
        [_stopped(record, often[column]) if column % 2 else record for column, record in enumerate(records)]
    )
    holds_stopped = ((stopped_low <= levels) & (levels <= stopped_high)).astype(np.float64)
    holds_stopped[::2] = np.nan
    large, small = (_verdicts(desk_records(truth, seed, levels * times)) for times in (TOO_LARGE, TOO_SMALL))
    # A true rate between 1 and 4 %, another for each trader.
    rates = np.linspace(0.01, 0.04, traders)
    fair = np.array([np.quantile(losses, 1 - rate) for losses, rate in zip(drawn, rates, strict=True)])
    false = ~np.isin(_verdicts(desk_records(truth, seed, fair)), ["fits", "limited history"])
    holds, holds_any = ((low <= true) & (true <= high) for true in (levels, any_level))
    flags = (np.array(large) == "never reached", np.array(small) == "too large", false)
    return np.column_stack([holds, *flags, holds_any, holds_stopped, high / low]).astype(np.float64)


def _bands(records: Sequence[LossRecord]) -> FloatMatrix:
    """Return the lower and the upper ends of the bands, ``(2, n_accounts)``."""
    multiples = pooled_multiples(records, BAND)
    return np.array([fitting_band(record, multiples) for record in records]).T


def _stopped(record: LossRecord, limit_usd: float) -> LossRecord:
    """Stop a trader at a limit."""
    is_stopped = record.largest_losses_usd >= limit_usd
    losses_usd = np.minimum(record.largest_losses_usd, limit_usd)
    return replace(record, largest_losses_usd=losses_usd, is_stopped=is_stopped)


def _verdict(name: str, value: float) -> str:
    if name not in BOUNDS:
        return ""
    is_met = value <= BOUNDS[name] if name == "false flags" else value >= BOUNDS[name]
    return f"at {'most' if name == 'false flags' else 'least'} {BOUNDS[name]:.2f}  {'met' if is_met else 'MISSED'}"


def _verdicts(records: list[LossRecord]) -> list[str]:
    return [fit.verdict for fit in review_limits(records)]


if __name__ == "__main__":
    measure()
