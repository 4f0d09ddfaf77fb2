"""Measures over an account's own active sessions.

Active sessions are packed: row k holds each account's k-th active session, so that a window over the trader's own
sessions is a window over consecutive rows, whatever sessions he missed. Every number of a row comes from that row and
earlier ones by a fixed order of operations that no other account and no later row can change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from risk.model.panel import FloatMatrix

NEGLIGIBLE_WEIGHT = 1e-7

Combine = Callable[[FloatMatrix, FloatMatrix], FloatMatrix]


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """Packed active sessions of some accounts; all matrices are ``(n_active, n_accounts)``, NaN past an account's last.

    Attributes
    ----------
    pnl_usd
        Total P&L, gains positive.
    scale_usd
        The account's own scale ``s`` after the session, see `risk.model.panel.ewma_scale`.
    fill_count, volume, turnover_usd, fees_usd, early_pnl_usd and so on
        As in `risk.model.panel.Panel`.
    """

    pnl_usd: FloatMatrix
    scale_usd: FloatMatrix
    fill_count: FloatMatrix
    volume: FloatMatrix
    turnover_usd: FloatMatrix
    fees_usd: FloatMatrix
    early_pnl_usd: FloatMatrix
    late_pnl_usd: FloatMatrix
    holding_seconds: FloatMatrix
    adds_to_loser_count: FloatMatrix
    concentration_ratio: FloatMatrix
    overnight_usd: FloatMatrix

    @property
    def number(self) -> FloatMatrix:
        """Ordinal of each active session, 1 for the first, ``(n_active, 1)``."""
        return np.arange(1.0, len(self.pnl_usd) + 1.0)[:, None]


def trailing(values: FloatMatrix, window: int, combine: Combine, neutral: float) -> FloatMatrix:
    """Combine each row with the ``window - 1`` rows before it; before the first row stands ``neutral``.

    A window is twice its half, so that 60 rows need 8 operations instead of 59. A running sum would need 2, but
    subtracting what leaves the window keeps the rounding of every outlier for ever.
    """
    if window == 1:
        return values
    half = trailing(values, window // 2, combine, neutral)
    doubled = combine(half, delayed(half, window // 2, neutral))
    return combine(doubled, delayed(values, window - 1, neutral)) if window % 2 else doubled


def faded(values: FloatMatrix, half_life: int) -> FloatMatrix:
    """Average each row with all rows before it, a row ``half_life`` earlier counting half as much.

    Spans of 1, 2, 4, ... rows are doubled until what lies further back weighs less than a float32 can tell. Nothing
    lies before the first row, so that the number of rows does not matter.
    """
    weight = 0.5 ** (1.0 / half_life)
    total, span = values, 1
    while span < len(values) and weight**span > NEGLIGIBLE_WEIGHT:
        doubled = total.copy()
        doubled[span:] += weight**span * total[:-span]
        total, span = doubled, 2 * span
    number = np.arange(1.0, len(values) + 1.0)[:, None]
    mean: FloatMatrix = total * ((1.0 - weight) / (1.0 - weight**number))
    return mean


def delayed(values: FloatMatrix, row_count: int, neutral: float) -> FloatMatrix:
    """Move rows down, filling the top with ``neutral``."""
    moved = np.empty_like(values)
    moved[:row_count] = neutral
    moved[row_count:] = values[: max(len(values) - row_count, 0)]
    return moved


def ratio(numerator: FloatMatrix, denominator: FloatMatrix) -> FloatMatrix:
    """Divide; NaN where the denominator is not positive."""
    return numerator / np.where(denominator > 0.0, denominator, np.nan)


def last_z(history: OwnHistory) -> FloatMatrix:
    """Measure the last P&L in own scales; the scale includes that session, which bounds it by 1 / sqrt(0.03)."""
    return ratio(history.pnl_usd, history.scale_usd)


def mean_z(history: OwnHistory, window: int) -> FloatMatrix:
    """Average the P&L of the window, in own scales."""
    total = trailing(history.pnl_usd, window, np.add, 0.0)
    return ratio(total / np.minimum(history.number, window), history.scale_usd)


def scale_ratio(history: OwnHistory, short: int, long: int) -> FloatMatrix:
    """Compare the root mean square P&L of a short window with that of a long one; NaN while both hold the same."""
    squares = history.pnl_usd * history.pnl_usd
    mean_squares = [
        trailing(squares, window, np.add, 0.0) / np.minimum(history.number, window) for window in (short, long)
    ]
    return np.where(history.number > short, np.sqrt(ratio(*mean_squares)), np.nan)


def win_rate(history: OwnHistory, window: int) -> FloatMatrix:
    """Compute the share of sessions with a gain."""
    wins = trailing((history.pnl_usd > 0.0).astype(np.float64), window, np.add, 0.0)
    return wins / np.minimum(history.number, window)


def loss_streak(history: OwnHistory) -> FloatMatrix:
    """Count the losing sessions in a row up to the last."""
    return _sessions_since(history, ~(history.pnl_usd < 0.0))


def sessions_since_peak(history: OwnHistory) -> FloatMatrix:
    """Count the sessions since cumulative P&L last stood at its running peak, which starts at 0."""
    cumulative = np.cumsum(history.pnl_usd, axis=0)
    return _sessions_since(history, cumulative >= _running_peak(cumulative))


def drawdown(history: OwnHistory) -> FloatMatrix:
    """Measure the fall of cumulative P&L from its running peak, in own scales, positive = below the peak."""
    cumulative = np.cumsum(history.pnl_usd, axis=0)
    return ratio(_running_peak(cumulative) - cumulative, history.scale_usd)


def worst_z(history: OwnHistory, window: int) -> FloatMatrix:
    """Find the worst P&L of the window, in own scales."""
    return ratio(trailing(history.pnl_usd, window, np.minimum, np.inf), history.scale_usd)


def trades_against_norm(history: OwnHistory, window: int) -> FloatMatrix:
    """Compare the fills of the last session with the mean of the window before it."""
    return _against_norm(history, history.fill_count, window)


def volume_against_norm(history: OwnHistory, window: int) -> FloatMatrix:
    """Compare the volume of the last session with the mean of the window before it."""
    return _against_norm(history, history.volume, window)


def fees_per_turnover(history: OwnHistory) -> FloatMatrix:
    """Divide the fees of the last session by its gross turnover, costs positive."""
    return ratio(history.fees_usd, history.turnover_usd)


def early_pnl_share(history: OwnHistory) -> FloatMatrix:
    """Compute the share of the first hour in what the last session made and lost, negative = lost."""
    return _pnl_share(history, history.early_pnl_usd)


def late_pnl_share(history: OwnHistory) -> FloatMatrix:
    """Compute the share of the last hour in what the last session made and lost, negative = lost."""
    return _pnl_share(history, history.late_pnl_usd)


def holding_against_norm(history: OwnHistory, window: int) -> FloatMatrix:
    """Compare the holding time of the last session with the mean of the window before it."""
    return _against_norm(history, history.holding_seconds, window)


def enlarging_share(history: OwnHistory, half_life: int) -> FloatMatrix:
    """Compute the share of fills that enlarged a losing position, faded; half-life 0 = the last session's."""
    shares = ratio(history.adds_to_loser_count, history.fill_count)
    return faded(shares, half_life) if half_life else shares


def symbol_concentration(history: OwnHistory) -> FloatMatrix:
    """Sum the squared shares of the symbols in the turnover of the last session: 1 = one symbol."""
    return history.concentration_ratio


def overnight_exposure(history: OwnHistory, window: int) -> FloatMatrix:
    """Divide the value left open at the last close by the mean turnover of the window."""
    usual = trailing(history.turnover_usd, window, np.add, 0.0) / np.minimum(history.number, window)
    return ratio(history.overnight_usd, usual)


def volatility_ratio(history: OwnHistory, half_life: int) -> FloatMatrix:
    """Root mean square P&L, faded, in own scales: above 1 = more than usual for this half-life."""
    return ratio(np.sqrt(faded(history.pnl_usd * history.pnl_usd, half_life)), history.scale_usd)


def loss_ratio(history: OwnHistory, half_life: int) -> FloatMatrix:
    """Root mean square loss, faded, in own scales; gains count as 0."""
    losses = np.minimum(history.pnl_usd, 0.0)
    return ratio(np.sqrt(faded(losses * losses, half_life)), history.scale_usd)


def large_loss_share(history: OwnHistory, half_life: int) -> FloatMatrix:
    """Share of sessions, faded, that lost more than the own scale before them."""
    before = delayed(history.scale_usd, 1, np.inf)
    return faded((history.pnl_usd < -before).astype(np.float64), half_life)


def trades_ratio(history: OwnHistory, short: int, long: int) -> FloatMatrix:
    """Divide the fills faded by the short half-life by those faded by the long one."""
    return ratio(faded(history.fill_count, short), faded(history.fill_count, long))


def last_trades_ratio(history: OwnHistory, half_life: int) -> FloatMatrix:
    """Divide the fills of the last session by their faded norm, that session included."""
    return ratio(history.fill_count, faded(history.fill_count, half_life))


def _pnl_share(history: OwnHistory, part: FloatMatrix) -> FloatMatrix:
    # Of the absolute parts, so that a gain that a loss has eaten up does not make either share endless.
    rest = history.pnl_usd + history.fees_usd - history.early_pnl_usd - history.late_pnl_usd
    return ratio(part, np.abs(history.early_pnl_usd) + np.abs(rest) + np.abs(history.late_pnl_usd))


def _running_peak(cumulative: FloatMatrix) -> FloatMatrix:
    return np.maximum.accumulate(np.maximum(cumulative, 0.0), axis=0)


def _sessions_since(history: OwnHistory, happened: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatMatrix:
    last_number = np.maximum.accumulate(np.where(happened, history.number, 0.0), axis=0)
    return history.number - last_number


def _against_norm(history: OwnHistory, values: FloatMatrix, window: int) -> FloatMatrix:
    earlier = delayed(trailing(values, window, np.add, 0.0), 1, 0.0)
    return ratio(values, ratio(earlier, np.minimum(history.number - 1.0, window)))
