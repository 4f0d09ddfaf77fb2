"""Panels for properties: small desks with gaps, newcomers, zeros, constants and outliers."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
from hypothesis import strategies as st

from risk.model.build_features import build_features
from risk.model.features import FEATURES
from risk.model.panel import MEASURES, FloatMatrix, FloatTensor, Panel

MONDAY = dt.date(2025, 1, 6)


def weekdays(count: int) -> tuple[dt.date, ...]:
    """List days without weekends: the models count sessions, not days."""
    return tuple(MONDAY + dt.timedelta(days=number + 2 * (number // 5)) for number in range(count))


def next_weekday(panel: Panel) -> dt.date:
    """Return the session after a panel's last one."""
    return weekdays(len(panel.session_dates) + 1)[-1]


def feature_tensor(panel: Panel, effective_session: dt.date) -> FloatTensor:
    """Compute the features of a panel as ``(n_sessions, n_accounts, n_features)``."""
    return build_features(panel, effective_session).to_numpy().reshape(*panel.total_pnl_usd.shape, len(FEATURES))


def panel_of(pnl_usd: FloatMatrix, generator: np.random.Generator | None = None) -> Panel:
    """Give P&L the fills it could have come from; with a generator they vary."""
    drawn = (generator or np.random.default_rng(0)).integers(1, 50, pnl_usd.shape).astype(float)
    fills = np.where(np.isfinite(pnl_usd), drawn if generator else 10.0, np.nan)
    return Panel.of(
        session_dates=weekdays(pnl_usd.shape[0]),
        account_ids=tuple(f"A{number:03d}" for number in range(pnl_usd.shape[1])),
        total_pnl_usd=pnl_usd,
        fill_count=fills,
        turnover_usd=fills * 5000.0,
        fees_usd=fills * 0.5 + 1.0,
        volume=fills * 100.0,
        early_pnl_usd=pnl_usd * 0.25,
        late_pnl_usd=np.sin(fills) * 100.0,
        holding_seconds=fills * 30.0,
        adds_to_loser_count=np.floor(fills / 3.0),
        concentration_ratio=1.0 / fills,
        overnight_usd=fills * 500.0,
    )


@st.composite
def panels(draw: st.DrawFn, *, most_sessions: int = 70) -> Panel:
    """Draw a desk; most of its numbers come from one seed, so that shrinking stays fast."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = (draw(st.integers(1, most_sessions)), draw(st.integers(1, 6)))
    pnl = np.round(generator.standard_t(3, shape) * 1000.0 * generator.lognormal(0.0, 1.5, shape[1]), 2)
    first = generator.integers(0, max(shape[0] // 2, 1), shape[1])
    is_active = (generator.random(shape) < draw(st.sampled_from([0.1, 0.8, 1.0]))) & (
        np.arange(shape[0])[:, None] >= first
    )
    kind = draw(st.sampled_from(["plain", "zero", "constant", "outlier"]))
    if kind == "zero":
        pnl[:, 0] = 0.0
    elif kind == "constant":
        pnl[:, 0] = -250.0
    elif kind == "outlier":
        pnl[generator.integers(0, shape[0]), 0] = -1e9
    return panel_of(np.where(is_active, pnl, np.nan), generator)


def corrupted_after(panel: Panel, session_count: int) -> Panel:
    """Replace everything after the first sessions by other numbers."""
    changed = {}
    for name in MEASURES:
        matrix = getattr(panel, name).copy()
        matrix[session_count:] = 123456.75
        changed[name] = matrix
    return dataclasses.replace(panel, **changed)


def permuted(panel: Panel, order: list[int]) -> Panel:
    """List the accounts in another order."""
    return panel.of_accounts(order)


def without_late_accounts(panel: Panel) -> Panel:
    """Drop accounts that have no active session: what `read_panel` would not know either."""
    kept = np.flatnonzero(panel.is_active.any(axis=0)).tolist()
    return permuted(panel, kept)
