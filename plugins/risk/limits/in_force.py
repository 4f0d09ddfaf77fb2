"""The limit that comes into force: what was decided, less what the restore path holds back."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from risk.core.settings import MAXIMUM_CUT_RATIO

RESTORED_RATIO = Decimal("0.50")
"""Of the gap between the limit in force and the decided one, a rising limit closes so much in one session."""

CLOSED_RATIO = Decimal("0.01")
"""A gap smaller than this share of the base limit is closed at once: halves of halves never end."""

CENT = Decimal("0.01")


def lowest_limit_usd(base_limit_usd: Decimal) -> Decimal:
    """Return the lowest limit a person may set: the base limit less the largest cut, US dollars."""
    return (base_limit_usd * (1 - MAXIMUM_CUT_RATIO)).quantize(CENT, rounding=ROUND_DOWN)


def limit_in_force(
    decided_limit_usd: Decimal, in_force_limit_usd: Decimal | None, base_limit_usd: Decimal, level: str
) -> tuple[Decimal, str]:
    """Move from the limit in force to the decided one: down at once, up in steps while the trader stays low.

    Cuts are always taken from the base limit, so that a limit never compounds downward.

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
        return in_force_limit_usd, f"stays until the trader is of low risk, then rises towards {decided_limit_usd:,.2f}"
    gap = decided_limit_usd - in_force_limit_usd
    if gap <= base_limit_usd * CLOSED_RATIO:
        return decided_limit_usd, ""
    step = (gap * RESTORED_RATIO).quantize(CENT, rounding=ROUND_DOWN)
    return in_force_limit_usd + step, f"restored by half of the gap to {decided_limit_usd:,.2f}"
