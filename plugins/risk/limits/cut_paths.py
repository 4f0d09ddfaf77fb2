"""Where a day ends under a limit, from the new lows of the account's running net P&L."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import NamedTuple

SLIPPAGE_RATIO = Decimal("0.05")
"""What getting out costs beyond the mark that reached the limit, as a share of the limit."""

EXACT = Context(prec=120)
"""Books have up to 24 decimal places: the usual 28 digits would round them."""


class Path(NamedTuple):
    """What of a session's running net P&L a limit can act on; exact US dollars.

    The running result starts at 0 with carried positions at the previous close's mark, and is marked after each fill at
    the account's own last price of each symbol, fees paid.

    Attributes
    ----------
    running_lows_usd
        Its new lows as losses, positive, ascending: whatever falls between two of them reaches no limit first.
    close_usd
        The session's total P&L, gains positive.
    """

    running_lows_usd: Sequence[Decimal]
    close_usd: Decimal


def outcome_usd(path: Path, limit_usd: Decimal) -> Decimal:
    """Return the day's result had a loss limit been in force, US dollars.

    The day ends at the first mark whose loss reaches the limit, less the slippage; else at the close, which is no mark
    to stop at. Call it within ``decimal.localcontext(EXACT)``.
    """
    place = bisect_left(path.running_lows_usd, limit_usd)
    if place == len(path.running_lows_usd):
        return path.close_usd
    return -path.running_lows_usd[place] - SLIPPAGE_RATIO * limit_usd


def benefit_usd(path: Path, base_limit_usd: Decimal, limit_usd: Decimal) -> Decimal:
    """Return what a limit in place of the base limit was worth: positive = it prevented a loss."""
    return outcome_usd(path, limit_usd) - outcome_usd(path, base_limit_usd)
