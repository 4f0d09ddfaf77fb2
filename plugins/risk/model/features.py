"""The features: scale-free numbers known after a session's close, for the next session.

In order: the table that declares each feature once, the formulas of the account and of the market, and the windows they
are made of. All are ratios to the account's typical daily P&L ``s`` (`risk.model.panel.ewma_scale`) or to its own
past, so that small and large traders are learned from together.

A trader's own features are computed over his active sessions, packed: row k holds each account's k-th active session,
so that a window over his sessions is a window over consecutive rows, whatever sessions he missed. Every number of a
row comes from that row and earlier ones by a fixed order of operations that no other account and no later row can
change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from risk.model.panel import FloatMatrix, Measures

NEGLIGIBLE_WEIGHT = 1e-7

Combine = Callable[[FloatMatrix, FloatMatrix], FloatMatrix]
Named = Iterator[tuple[str, FloatMatrix]]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the features.

    Attributes
    ----------
    name
        Identifier, stable: models are trained on it. Numbers in it are lengths in the trader's own active sessions;
        a window that is not full yet uses the sessions there are.
    sentence
        What it says, for a reader.
    unit
        Unit of the number.
    """

    name: str
    sentence: str
    unit: str


OWN_FEATURES = (
    Feature("last_z", "P&L of the last session", "own scales"),
    Feature("mean_z_3", "mean P&L of the last 3 sessions", "own scales"),
    Feature("mean_z_5", "mean P&L of the last 5 sessions", "own scales"),
    Feature("mean_z_10", "mean P&L of the last 10 sessions", "own scales"),
    Feature("mean_z_20", "mean P&L of the last 20 sessions", "own scales"),
    Feature("scale_ratio_5_20", "scale of 5 sessions against that of 20", "ratio"),
    Feature("scale_ratio_10_60", "scale of 10 sessions against that of 60", "ratio"),
    Feature("win_rate_5", "share of gains in the last 5 sessions", "ratio"),
    Feature("win_rate_20", "share of gains in the last 20 sessions", "ratio"),
    Feature("loss_streak", "losing sessions in a row", "sessions"),
    Feature("sessions_since_peak", "sessions since the peak of P&L", "sessions"),
    Feature("drawdown", "fall of cumulative P&L from its peak", "own scales"),
    Feature("worst_z_5", "worst P&L of the last 5 sessions", "own scales"),
    Feature("worst_z_20", "worst P&L of the last 20 sessions", "own scales"),
    Feature("trades_against_norm", "fills against the 20 sessions before", "ratio"),
    Feature("volume_against_norm", "volume against the 20 sessions before", "ratio"),
    Feature("volatility_ratio_1", "size of P&L, half-life 1 sessions", "own scales"),
    Feature("volatility_ratio_2", "size of P&L, half-life 2 sessions", "own scales"),
    Feature("volatility_ratio_4", "size of P&L, half-life 4 sessions", "own scales"),
    Feature("volatility_ratio_11", "size of P&L, half-life 11 sessions", "own scales"),
    Feature("volatility_ratio_200", "size of P&L, half-life 200 sessions", "own scales"),
    Feature("loss_ratio_1", "size of losses, half-life 1 session", "own scales"),
    Feature("loss_ratio_3", "size of losses, half-life 3 sessions", "own scales"),
    Feature("large_loss_share_1", "share of large losses, half-life 1", "ratio"),
    Feature("large_loss_share_4", "share of large losses, half-life 4", "ratio"),
    Feature("trades_ratio_0_60", "fills of the last session against the norm", "ratio"),
    Feature("trades_ratio_1_60", "fills, half-life 1, against the norm", "ratio"),
    Feature("trades_ratio_3_60", "fills, half-life 3, against the norm", "ratio"),
    Feature("fees_per_turnover", "fees against gross turnover", "ratio"),
    Feature("enlarging_share_0", "share of fills that enlarged a losing position", "ratio"),
    Feature("enlarging_share_3", "the same, half-life 3 sessions", "ratio"),
    Feature("holding_against_norm", "holding time against the 20 sessions before", "ratio"),
)
"""Of the account, see `pnl_features` and `trading_features`; between active sessions the last value stays."""

CALENDAR_FEATURES = (
    Feature("sessions_absent", "sessions since the last active one", "sessions"),
    Feature("weekday", "weekday of the next session", "0 = Monday"),
)
"""Where the account and the next session are in the exchange's calendar."""

MARKET_FEATURES = (
    Feature("market_loser_share", "share of losing traders in the session", "ratio"),
    Feature("market_mean_z", "mean P&L of the traders in the session", "own scales"),
    Feature("market_dispersion", "spread of P&L between the traders in the session", "own scales"),
    Feature("market_size_ratio_1", "size of all traders' P&L, half-life 1 sessions", "own scales"),
    Feature("market_size_ratio_4", "size of all traders' P&L, half-life 4 sessions", "own scales"),
    Feature("market_size_ratio_15", "size of all traders' P&L, half-life 15 sessions", "own scales"),
    Feature("market_trades_ratio_1", "fills of all traders against their norms, half-life 1 sessions", "ratio"),
    Feature("market_trades_ratio_5", "fills of all traders against their norms, half-life 5 sessions", "ratio"),
    Feature("market_active_count", "traders active in the session", "traders"),
)
"""See `market_features`: over the sessions with at least one active account."""

SHOWN_FEATURES = (
    Feature("early_pnl_share", "share of the first hour in P&L", "ratio, signed"),
    Feature("late_pnl_share", "share of the last hour in P&L", "ratio, signed"),
    Feature("symbol_concentration", "concentration on few symbols", "ratio"),
    Feature("overnight_exposure", "positions at the close against usual turnover", "ratio"),
)
"""See `trading_features`: for people only, because learning from them has cost loss."""

LEARNED_FEATURES = OWN_FEATURES + CALENDAR_FEATURES + MARKET_FEATURES
FEATURES = LEARNED_FEATURES + SHOWN_FEATURES
LEARNED_NAMES = tuple(feature.name for feature in LEARNED_FEATURES)
OWN_NAMES = tuple(feature.name for feature in OWN_FEATURES)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


@dataclass(frozen=True)
class ActiveSessions(Measures):
    """Packed active sessions of some accounts; all matrices are ``(n_active, n_accounts)``, NaN past an account's last.

    Attributes
    ----------
    scale_usd
        Typical daily P&L after the session.
    """

    scale_usd: FloatMatrix


def pnl_features(sessions: ActiveSessions) -> Named:
    """Measure the account's P&L: level, course, size at several horizons, losses.

    Notes
    -----
    Sizes of P&L at several horizons: the heterogeneous autoregressive model, Corsi (2009), "A Simple Approximate
    Long-Memory Model of Realized Volatility", eq. 8, with exponential weights in place of plain means. Losses apart
    from gains: Barndorff-Nielsen, Kinnebrock and Shephard (2010), "Measuring Downside Risk: Realised Semivariance".
    ``last_z`` is bounded by 1 / sqrt(0.03), because the scale includes its session. The running peak starts at 0.
    """
    pnl, scale = sessions.total_pnl_usd, sessions.scale_usd
    number = np.arange(1.0, len(pnl) + 1.0)[:, None]
    yield "last_z", ratio(pnl, scale)
    for window in (3, 5, 10, 20):
        yield f"mean_z_{window}", ratio(trailing_mean(pnl, window), scale)
    squares = pnl * pnl
    for short, long in ((5, 20), (10, 60)):
        sizes = np.sqrt(ratio(trailing_mean(squares, short), trailing_mean(squares, long)))
        # While both windows hold the same sessions their ratio says nothing.
        yield f"scale_ratio_{short}_{long}", np.where(number > short, sizes, np.nan)
    for window in (5, 20):
        yield f"win_rate_{window}", trailing_mean((pnl > 0.0).astype(np.float64), window)
        yield f"worst_z_{window}", ratio(trailing(pnl, window, np.minimum, np.inf), scale)
    cumulative = np.cumsum(pnl, axis=0)
    peak = np.maximum.accumulate(np.maximum(cumulative, 0.0), axis=0)
    for name, happened in (("loss_streak", ~(pnl < 0.0)), ("sessions_since_peak", cumulative >= peak)):
        # Sessions since it happened: 0 = in this one; all of them where it never has.
        yield name, number - np.maximum.accumulate(np.where(happened, number, 0.0), axis=0)
    yield "drawdown", ratio(peak - cumulative, scale)
    for half_life in (1, 2, 4, 11, 200):
        yield f"volatility_ratio_{half_life}", ratio(np.sqrt(faded(squares, half_life)), scale)
    losses = np.minimum(pnl, 0.0)
    for half_life in (1, 3):
        yield f"loss_ratio_{half_life}", ratio(np.sqrt(faded(losses * losses, half_life)), scale)
    is_large_loss = (pnl < -delayed(scale, 1, np.inf)).astype(np.float64)
    for half_life in (1, 4):
        yield f"large_loss_share_{half_life}", faded(is_large_loss, half_life)


def trading_features(sessions: ActiveSessions) -> Named:
    """Measure how the account traded: fills, volume, fees, holding time, adding to losers, and what only people see.

    Notes
    -----
    Adding to losing positions after losses: Coval and Shumway (2005), "Do Behavioral Biases Affect Prices?"; holding
    losers longer: Odean (1998), "Are Investors Reluctant to Realize Their Losses?".
    The shares of the first and last hour are of the absolute parts, so that a gain that a loss has canceled does not
    make either share endless; negative = lost. Concentration: Hirschman (1964), "The Paternity of an Index".
    """
    fills, turnover, fees = sessions.fill_count, sessions.turnover_usd, sessions.fees_usd
    for name, values in (("trades", fills), ("volume", sessions.volume), ("holding", sessions.holding_seconds)):
        yield f"{name}_against_norm", ratio(values, delayed(trailing_mean(values, 20), 1, np.nan))
    norm = faded(fills, 60)
    yield "trades_ratio_0_60", ratio(fills, norm)
    for half_life in (1, 3):
        yield f"trades_ratio_{half_life}_60", ratio(faded(fills, half_life), norm)
    yield "fees_per_turnover", ratio(fees, turnover)
    shares = ratio(sessions.adds_to_loser_count, fills)
    yield "enlarging_share_0", shares
    yield "enlarging_share_3", faded(shares, 3)
    early, late = sessions.early_pnl_usd, sessions.late_pnl_usd
    whole = np.abs(early) + np.abs(sessions.total_pnl_usd + fees - early - late) + np.abs(late)
    yield "early_pnl_share", ratio(early, whole)
    yield "late_pnl_share", ratio(late, whole)
    yield "symbol_concentration", sessions.concentration_ratio
    yield "overnight_exposure", ratio(sessions.overnight_usd, trailing_mean(turnover, 20))


def market_features(z: FloatMatrix, trade_logs: FloatMatrix) -> Named:
    """Measure the session of all accounts together, ``(n_sessions,)`` each.

    Parameters
    ----------
    z
        P&L in own scales, ``(n_sessions, n_accounts)``, ascending in each row, so that no order of accounts matters;
        NaN behind the last active account, of which each row has at least one.
    trade_logs
        Logarithm of fills against each account's own norm, sorted like z.

    Notes
    -----
    Rows are added up one account after the other (`np.nancumsum`): numpy's pairwise sum groups by the width of the
    matrix, accounts yet to come included.
    """
    active_count = np.count_nonzero(np.isfinite(z), axis=1)
    z_sums, size_sums, log_sums = (np.nancumsum(values, axis=1)[:, -1] for values in (z, np.abs(z), trade_logs))
    mean = z_sums / active_count
    deviations = z - mean[:, None]
    yield "market_loser_share", np.sum(z < 0.0, axis=1, dtype=np.float64) / active_count
    yield "market_mean_z", mean
    yield "market_dispersion", np.sqrt(np.nancumsum(deviations * deviations, axis=1)[:, -1] / active_count)
    sizes = size_sums / active_count
    for half_life in (1, 4, 15):
        yield f"market_size_ratio_{half_life}", faded(sizes[:, None], half_life)[:, 0]
    mean_logs = ratio(log_sums, np.count_nonzero(np.isfinite(trade_logs), axis=1))
    for half_life in (1, 5):
        yield f"market_trades_ratio_{half_life}", np.exp(faded(mean_logs[:, None], half_life)[:, 0])
    yield "market_active_count", active_count.astype(np.float64)


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


def trailing_mean(values: FloatMatrix, window: int) -> FloatMatrix:
    """Average each row with the ``window - 1`` rows before it, as far as there are any."""
    number = np.arange(1.0, len(values) + 1.0)[:, None]
    mean: FloatMatrix = trailing(values, window, np.add, 0.0) / np.minimum(number, window)
    return mean


def faded(values: FloatMatrix, half_life: int) -> FloatMatrix:
    """Average each row with all rows before it, a row ``half_life`` earlier counting half as much.

    Spans of 1, 2, 4, ... rows are doubled until what is further back weighs less than a float32 can hold. Nothing is
    before the first row, so that the number of rows does not matter.
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
