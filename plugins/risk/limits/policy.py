"""Applying the policy: from a forecast to a cut and a level, from a cut to a limit, in exact numbers.

The policy itself and its validation are `risk.core.policy` and `risk.core.policy_document`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from risk.core.money import percent, usd_exact
from risk.core.policy import LEVELS, AccountTerms, CutTerms, LevelBounds, Policy
from risk.core.policy_document import PolicyDocument, default_policy
from risk.core.policy_store import Instant, read_policy
from risk.core.warehouse import Connection, rows
from risk.limits.limit_inputs import read_base_limits

CLOSED_RATIO = Decimal("0.01")
"""A gap smaller than this share of the base limit is closed at once: repeated halving never ends."""

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """What decides about one account: the values of its group or the desk, and its base limit in US dollars."""

    policy: Policy
    base_limit_usd: Decimal


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """A policy with what the roster says of the accounts: all that a decision needs beside results and forecasts.

    Attributes
    ----------
    document
        The policy.
    label
        Its version for reports.
    base_limits_usd
        Base limits of files and register by account, US dollars; others have the policy's default.
    groups
        Stated groups by account.
    """

    document: PolicyDocument
    label: str
    base_limits_usd: Mapping[str, Decimal]
    groups: Mapping[str, str]

    def of(self, account_id: str) -> AccountPolicy:
        """Return what decides about an account."""
        policy = self.document.of_group(self.groups.get(account_id))
        return AccountPolicy(policy, self.base_limits_usd.get(account_id, policy.accounts.default_base_limit_usd))

    def default_limit_usd(self, account_id: str) -> Decimal:
        """Return the base limit of an account for which nobody has stated one, US dollars."""
        return self.document.of_group(self.groups.get(account_id)).accounts.default_base_limit_usd


def default_terms() -> DeskTerms:
    """Return the shipped policy for accounts of which nothing is stated."""
    return DeskTerms(default_policy(), "shipped", {}, {})


def read_terms(connection: Connection, effective_session: dt.date, as_of: Instant = "infinity") -> DeskTerms:
    """Read the policy that applies to an effective session and what was stated of accounts, as known at an instant."""
    version = read_policy(connection, effective_session, as_of)
    binds = {"effective_session": effective_session, "as_of": as_of}
    base_limits_usd = read_base_limits(connection, effective_session, as_of)
    groups = dict(rows(connection, "apply_rules/select_groups", binds))
    return DeskTerms(version.document, str(version.version), base_limits_usd, groups)


def model_cut_ratio(quantile_05_usd: Decimal, usual_loss_usd: Decimal, policy: Policy) -> Decimal:
    """Cut so that the forecast tail shrinks to the policy's target.

    Parameters
    ----------
    quantile_05_usd
        Calibrated 5 % quantile for the effective session, US dollars, negative.
    usual_loss_usd
        Median of the account's forecast losses so far, US dollars, positive.
    policy
        Target, step and maximum of the cut.

    Returns
    -------
    Decimal
        ``clip(1 - target * m / abs(q), 0, maximum)`` rounded down to whole steps: with a target of 1, 20 % means a
        tail of 1.25 times the usual one. In fractions, because binary floating point turns 80 % into 75 %.
    """
    exact = 1 - Fraction(policy.model.target) * Fraction(usual_loss_usd) / Fraction(abs(quantile_05_usd))
    return _stepped(exact, policy.cut)


def _stepped(exact: Fraction, terms: CutTerms) -> Decimal:
    steps = math.floor(exact / Fraction(terms.step))
    return min(max(steps * terms.step, Decimal("0.00")), terms.maximum)


def forecast_level(quantile_05_usd: Decimal, usual_loss_usd: Decimal, bounds: LevelBounds) -> str:
    """Name the level of a forecast by the share of its loss that is above the usual one, whatever is cut."""
    unusual = 1 - Fraction(usual_loss_usd) / Fraction(abs(quantile_05_usd))
    if unusual >= Fraction(bounds.high):
        return "high"
    return "moderate" if unusual >= Fraction(bounds.moderate) else "low"


def most_urgent(levels: list[str]) -> str:
    """Return the most urgent of some levels; low where there is none."""
    return min(levels, key=LEVELS.index, default="low")


def status(sessions_absent: int, active_session_count: int, terms: AccountTerms) -> str:
    """Name how well an account is known: stale before limited history before active."""
    if sessions_absent >= terms.stale_after_sessions:
        return "stale"
    return "limited history" if active_session_count < terms.limited_history_sessions else "active"


def new_limit_usd(base_limit_usd: Decimal, cut_ratio: Decimal) -> Decimal:
    """Apply a cut to the base limit, exactly; fractions of a cent are dropped."""
    return (base_limit_usd * (1 - cut_ratio)).quantize(CENT, rounding=ROUND_DOWN)


def limit_in_force(
    decided_limit_usd: Decimal,
    in_force_limit_usd: Decimal | None,
    base_limit_usd: Decimal,
    level: str,
    restore_step: Decimal,
) -> tuple[Decimal, str]:
    """Move from the limit in force to the decided one: down at once, up as the policy says.

    Cuts are always taken from the base limit, so a limit never compounds downward.

    Parameters
    ----------
    decided_limit_usd
        Limit that was decided, US dollars.
    in_force_limit_usd
        Limit published for the newest earlier session; ``None`` = there is none.
    base_limit_usd
        Limit without any cut, US dollars.
    level
        ``high``, ``moderate`` or ``low``: where limits rise in steps, only a low-risk trader's does.
    restore_step
        Share of the gap that one session closes; 1 = at once, at any level.

    Returns
    -------
    tuple of Decimal and str
        The limit, US dollars, and why it is not the decided one; empty where it is.
    """
    if in_force_limit_usd is None or decided_limit_usd <= in_force_limit_usd or restore_step == 1:
        return decided_limit_usd, ""
    if level != "low":
        return (
            in_force_limit_usd,
            f"held until the trader is low risk, then raised toward {usd_exact(decided_limit_usd)}",
        )
    gap_usd = decided_limit_usd - in_force_limit_usd
    if gap_usd <= base_limit_usd * CLOSED_RATIO:
        return decided_limit_usd, ""
    step_usd = (gap_usd * restore_step).quantize(CENT, rounding=ROUND_DOWN)
    return (
        in_force_limit_usd + step_usd,
        f"raised by {percent(restore_step)} of the gap to {usd_exact(decided_limit_usd)}",
    )
