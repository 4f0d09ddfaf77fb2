"""Largest exposure today: what each account may lose beyond its limit, and its part of the desk's tail.

Levels say how unusual a forecast is for the trader; they say nothing of dollars. Here every account with a forecast is
measured, whatever its level: the expected loss beyond the limit that will be in force, the probability of one, its
share of the desk's expected shortfall (`risk.limits.desk_tail`) and what its cut takes off it. All are "at the close":
a limit acts on the running P&L, which is lower at some time of the day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute
from risk.limits.desk_tail import DeskTail, desk_tail, rounded_shares, scenarios
from risk.model.mixture import ResidualShape, forecast_distribution
from risk.model.panel import FloatMatrix, Panel

DeskPart = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None, Decimal | None]
"""Contribution, share, lower and upper end of the share's interval, relief."""

LISTED_COUNT = 3
"""So many of the largest expected losses beyond the limit are listed, however small."""


@dataclass(frozen=True, slots=True)
class AccountExposure:
    """What one account may lose in the effective session; US dollars, losses positive.

    Attributes
    ----------
    account_id
        Its name.
    limit_usd
        The limit that will be in force.
    loss_probability
        Probability of a close below minus the limit.
    expected_excess_usd
        Expected loss beyond the limit, 0 counted where it is not passed.
    shortfall_usd, share_ratio, share_low_ratio, share_high_ratio
        Mean loss in the worst 5 % of the desk's sessions, its share of the desk's, and the 95 % interval of the share;
        negative = the account earns there. ``None`` with too few sessions, the shares also where there is no loss.
    relief_usd
        What the cut alone takes off the desk's shortfall at base limits; negative = it would cost.
    scenario_count
        Scenarios in which the account has a result.
    """

    account_id: str
    limit_usd: Decimal
    loss_probability: Decimal
    expected_excess_usd: Decimal
    shortfall_usd: Decimal | None
    share_ratio: Decimal | None
    share_low_ratio: Decimal | None
    share_high_ratio: Decimal | None
    relief_usd: Decimal | None
    scenario_count: int


@dataclass(frozen=True, slots=True)
class DeskExposure:
    """The desk's tail as it is stored; see the table ``desk_tails``. Amounts are ``None`` with too few sessions."""

    session_count: int
    account_count: int
    value_at_risk_usd: Decimal | None
    expected_shortfall_usd: Decimal | None
    shortfall_low_usd: Decimal | None
    shortfall_high_usd: Decimal | None
    at_base_usd: Decimal | None
    at_limits_usd: Decimal | None


def measure_exposures(
    panel: Panel, calibrated_usd: FloatMatrix, shape: ResidualShape, recommendations: Sequence[Mapping[str, Any]]
) -> tuple[DeskExposure, list[AccountExposure]]:
    """Measure the accounts that get a limit and have a forecast.

    Parameters
    ----------
    panel
        Daily results.
    calibrated_usd
        Calibrated 5 % quantiles issued, ``(n_sessions, n_accounts)`` of the panel, negative; the last row is for the
        effective session.
    shape
        Of the distribution around the forecasts.
    recommendations
        ``account_id``, ``base_limit_usd`` and ``new_limit_usd`` of each active account.

    Returns
    -------
    tuple
        The desk; the accounts in the order of the recommendations.
    """
    column_of = {account_id: number for number, account_id in enumerate(panel.account_ids)}
    has_forecast = set(np.flatnonzero(np.isfinite(calibrated_usd[-1:]).any(axis=0)).tolist())
    chosen = [one for one in recommendations if column_of[one["account_id"]] in has_forecast]
    columns = [column_of[one["account_id"]] for one in chosen]
    calibrated = calibrated_usd[:, columns]
    results, is_known = scenarios(panel.total_pnl_usd[:, columns], calibrated)
    bases, limits = (np.array([float(one[name]) for one in chosen]) for name in ("base_limit_usd", "new_limit_usd"))
    tail = desk_tail(results, bases, limits)
    counts = np.count_nonzero(is_known, axis=0).tolist()
    beyond = [_beyond(shape, *pair) for pair in zip(calibrated[-1:].ravel().tolist(), limits.tolist(), strict=True)]
    rows = zip(chosen, beyond, _desk_parts(tail, len(chosen)), counts, strict=True)
    exposures = [
        AccountExposure(one["account_id"], one["new_limit_usd"], *past, *part, count) for one, past, part, count in rows
    ]
    return _desk_exposure(tail, len(results), len(chosen)), exposures


def largest_exposures(exposures: Sequence[AccountExposure], chance_to_pass: Decimal) -> list[AccountExposure]:
    """List the largest exposures, largest expected loss beyond the limit first.

    Listed are the three largest of these, whoever has a larger chance to pass his limit than the policy's
    ``chance_to_pass``, and whoever has the largest share of the desk's shortfall.
    """
    ordered = sorted(exposures, key=lambda one: (-one.expected_excess_usd, -one.loss_probability, one.account_id))
    shares = [one.share_ratio for one in exposures if one.share_ratio is not None]
    largest_share = max(shares, default=None)
    return [
        one
        for place, one in enumerate(ordered)
        if place < LISTED_COUNT
        or one.loss_probability > chance_to_pass
        or (largest_share is not None and one.share_ratio == largest_share)
    ]


def store_exposures(connection: Connection, run: Run, desk: DeskExposure, exposures: Sequence[AccountExposure]) -> None:
    """Replace what a run says of the desk's tail; the caller holds the write lock."""
    shares = json.dumps([asdict(one) for one in exposures], default=str)
    execute(connection, "apply_rules/replace_desk_tails", {"run_id": run.run_id, **asdict(desk), "shares": shares})


def _beyond(shape: ResidualShape, quantile_05_usd: float, limit_usd: float) -> tuple[Decimal, Decimal]:
    """Return the probability of a loss beyond the limit and the expected loss beyond it, rounded as they are stored."""
    probability = forecast_distribution(shape, quantile_05_usd, limit_usd).loss_probability
    excess_usd = np.maximum(shape.residuals * quantile_05_usd - limit_usd, 0.0).mean()
    return round(Decimal(probability), 5), _cents(excess_usd)


def _desk_parts(tail: DeskTail | None, account_count: int) -> list[DeskPart]:
    """Return each account's contribution, share with interval, and relief; nothing with too few sessions."""
    if tail is None:
        return [(None, None, None, None, None)] * account_count
    shares = [None] * account_count if tail.shares is None else rounded_shares(tail.shares)
    return [
        (_cents(amount), share, _ratio(low), _ratio(high), _cents(relief))
        for amount, share, (low, high), relief in zip(
            tail.contributions_usd, shares, tail.share_intervals, tail.reliefs_usd, strict=True
        )
    ]


def _desk_exposure(tail: DeskTail | None, session_count: int, account_count: int) -> DeskExposure:
    if tail is None:
        return DeskExposure(session_count, account_count, *(None,) * 6)
    amounts = (tail.value_at_risk_usd, tail.expected_shortfall_usd, *tail.shortfall_interval_usd)
    at_stops = (tail.at_base_usd, tail.at_limits_usd)
    return DeskExposure(session_count, account_count, *map(_cents, (*amounts, *at_stops)))


def _cents(amount_usd: float) -> Decimal:
    # Adding 0 turns -0 into 0.
    return round(Decimal(float(amount_usd)), 2) + 0


def _ratio(value: float) -> Decimal | None:
    return None if np.isnan(value) else round(Decimal(float(value)), 6)
