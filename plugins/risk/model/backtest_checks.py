"""What the calibrated forecasts promised and what came: coverage by level and account, shortfall, zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.model.backtests import AccountCoverage, acerbi_szekely, basel_zone, conditional_coverage, coverage_by_account
from risk.model.distribution import LEVELS, outlook, shape_of
from risk.model.panel import FloatMatrix
from risk.model.sample import History
from risk.model.walk_forward import Reconstruction


@dataclass(frozen=True, slots=True)
class Checks:
    """Back-tests of the calibrated forecasts; ``None`` = the data cannot say.

    Attributes
    ----------
    forecast_count
        Forecasts with a result.
    levels
        (promised, found) share of results below each quantile of the distribution.
    joint_p
        p-value of coverage and independence of the 5 % quantile together (Christoffersen).
    zone
        ``green``, ``yellow`` or ``red`` by the number of breaches (Basel).
    shortfall_statistic, shortfall_p
        Z2 of the expected shortfall, 0 = right, negative = losses were larger, and its p-value (Acerbi and Szekely).
    accounts
        Each account's own coverage.
    """

    forecast_count: int
    levels: Sequence[tuple[float, float]]
    joint_p: float | None
    zone: str | None
    shortfall_statistic: float | None
    shortfall_p: float | None
    accounts: Sequence[AccountCoverage]

    def sentences(self) -> list[str]:
        """Say it to people; nothing where no forecast has a result."""
        if not self.forecast_count:
            return []
        off = [account.account_id for account in self.accounts if account.is_rejected]
        shortfall = "-" if self.shortfall_statistic is None else f"{self.shortfall_statistic:+.2f}"
        together = f"coverage and independence together p = {_p_text(self.joint_p)}; Basel zone {self.zone}"
        beyond = f"expected shortfall Z2 = {shortfall} (0 = right, negative = larger losses)"
        return [
            f"Calibrated forecast: {together}; {beyond}, p = {_p_text(self.shortfall_p)}.",
            f"Accounts whose breaches are off (exact test, false discovery rate 5 %): {', '.join(off) or 'none'}.",
        ]


def checks_of(history: History, forecasts: Reconstruction) -> Checks:
    """Back-test what was forecast one step ahead, the distribution around it by the residuals known then."""
    outcome, issued = history.panel.total_pnl_usd[1:], forecasts.calibrated[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    breaches = {
        account_id: (outcome < issued)[is_scored[:, number], number]
        for number, account_id in enumerate(history.panel.account_ids)
    }
    count, breach_count = int(is_scored.sum()), int((outcome < issued)[is_scored].sum())
    if count == 0:
        return Checks(0, (), None, None, None, None, ())
    units = _units(history.panel.total_pnl_usd, forecasts.calibrated)
    session, account = np.nonzero(is_scored)
    pnl, loss = outcome[session, account], -issued[session, account]
    found = [float(np.mean(pnl < units[session, number] * loss)) for number in range(len(LEVELS))]
    statistic, shortfall_p = acerbi_szekely(pnl, -loss, units[session, -1] * loss, session)
    return Checks(
        count,
        tuple(zip(LEVELS, found, strict=True)),
        _known(conditional_coverage(list(breaches.values()))[1]),
        basel_zone(breach_count, count),
        _known(statistic),
        _known(shortfall_p),
        tuple(coverage_by_account(breaches)),
    )


def _units(pnl: FloatMatrix, calibrated: FloatMatrix) -> FloatMatrix:
    """Return the fan's quantiles and its shortfall after each session, in forecast losses, ``(n_sessions, n + 1)``."""
    spreads = (outlook(shape_of(pnl[: row + 1], calibrated[: row + 1]), -1.0, 1.0) for row in range(len(pnl)))
    return np.array([(*spread.quantiles_usd, spread.expected_shortfall_usd) for spread in spreads])


def _p_text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
