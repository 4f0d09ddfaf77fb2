"""Limit policy: from a cut to a level and a limit, and from a decided limit to the one in force, in exact numbers."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from risk.core.money import usd_exact
from risk.core.settings import (
    CUT_STEP_RATIO,
    HIGH_CUT_RATIO,
    LIMITED_HISTORY_SESSIONS,
    MAXIMUM_CUT_RATIO,
    MODERATE_CUT_RATIO,
    STALE_AFTER_SESSIONS,
)

RESTORED_RATIO = Decimal("0.50")
"""A rising limit closes this share of the gap between the limit in force and the decided one per session."""

CLOSED_RATIO = Decimal("0.01")
"""A gap smaller than this share of the base limit is closed at once: repeated halving never ends."""

CENT = Decimal("0.01")


def model_cut_ratio(quantile_05_usd: Decimal, median_loss_usd: Decimal) -> Decimal:
    """Cut by how far the forecast tail exceeds the account's usual one.

    Parameters
    ----------
    quantile_05_usd
        Calibrated 5 % quantile for the effective session, US dollars, negative.
    median_loss_usd
        Median of the account's forecast losses so far, US dollars, positive.

    Returns
    -------
    Decimal
        ``clip(1 - m / abs(q), 0, 0.8)`` rounded down to whole 5 %: 20 % means a tail of 1.25 times the usual one,
        40 % of 1.67 times. In fractions, because binary floating point turns 80 % into 75 %.
    """
    exact = 1 - Fraction(median_loss_usd) / Fraction(abs(quantile_05_usd))
    steps = math.floor(exact / Fraction(CUT_STEP_RATIO))
    return min(max(steps * CUT_STEP_RATIO, Decimal("0.00")), MAXIMUM_CUT_RATIO)


def level(cut_ratio: Decimal) -> str:
    """Name the level of a cut: high from 40 %, moderate from 20 %, else low."""
    if cut_ratio >= HIGH_CUT_RATIO:
        return "high"
    return "moderate" if cut_ratio >= MODERATE_CUT_RATIO else "low"


def status(sessions_absent: int, active_session_count: int) -> str:
    """Name how well an account is known: stale before limited history before active."""
    if sessions_absent >= STALE_AFTER_SESSIONS:
        return "stale"
    return "limited history" if active_session_count < LIMITED_HISTORY_SESSIONS else "active"


def new_limit_usd(base_limit_usd: Decimal, cut_ratio: Decimal) -> Decimal:
    """Apply a cut to the base limit, exactly; fractions of a cent are dropped."""
    return (base_limit_usd * (1 - cut_ratio)).quantize(CENT, rounding=ROUND_DOWN)


def lowest_limit_usd(base_limit_usd: Decimal) -> Decimal:
    """Return the lowest limit a person may set: the base limit less the largest cut, US dollars."""
    return new_limit_usd(base_limit_usd, MAXIMUM_CUT_RATIO)


def limit_in_force(
    decided_limit_usd: Decimal, in_force_limit_usd: Decimal | None, base_limit_usd: Decimal, level: str
) -> tuple[Decimal, str]:
    """Move from the limit in force to the decided one: down at once, up in steps while the trader is low risk.

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
        ``high``, ``moderate`` or ``low``: only a low-risk trader's limit rises.

    Returns
    -------
    tuple of Decimal and str
        The limit, US dollars, and why it is not the decided one; empty where it is.
    """
    if in_force_limit_usd is None or decided_limit_usd <= in_force_limit_usd:
        return decided_limit_usd, ""
    if level != "low":
        return (
            in_force_limit_usd,
            f"held until the trader is low risk, then raised toward {usd_exact(decided_limit_usd)}",
        )
    gap_usd = decided_limit_usd - in_force_limit_usd
    if gap_usd <= base_limit_usd * CLOSED_RATIO:
        return decided_limit_usd, ""
    step_usd = (gap_usd * RESTORED_RATIO).quantize(CENT, rounding=ROUND_DOWN)
    return in_force_limit_usd + step_usd, f"raised by half the gap to {usd_exact(decided_limit_usd)}"
