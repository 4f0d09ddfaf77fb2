"""The arithmetic of a limit: from a forecast to a cut, from a cut to a level and a limit, in exact numbers."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from risk.core.settings import (
    CUT_STEP_RATIO,
    HIGH_CUT_RATIO,
    LIMITED_HISTORY_SESSIONS,
    MAXIMUM_CUT_RATIO,
    MODERATE_CUT_RATIO,
    STALE_AFTER_SESSIONS,
)


def model_cut_ratio(quantile_05_usd: Decimal, median_loss_usd: Decimal) -> Decimal:
    """Cut by how far tomorrow's tail exceeds the account's usual one.

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


def level(cut: Decimal) -> str:
    """Name a cut: high from 40 %, moderate from 20 %, else low."""
    if cut >= HIGH_CUT_RATIO:
        return "high"
    return "moderate" if cut >= MODERATE_CUT_RATIO else "low"


def status(sessions_absent: int, active_session_count: int) -> str:
    """Name how well an account is known: stale before limited history before active."""
    if sessions_absent >= STALE_AFTER_SESSIONS:
        return "stale"
    return "limited history" if active_session_count < LIMITED_HISTORY_SESSIONS else "active"


def new_limit_usd(base_limit_usd: Decimal, cut: Decimal) -> Decimal:
    """Apply a cut to the base limit, exactly; a fraction of a cent is dropped, never given."""
    return (base_limit_usd * (1 - cut)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
