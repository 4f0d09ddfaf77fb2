"""Time and memory of the features, as ratios to their limits."""

from __future__ import annotations

import datetime as dt
import resource
import time

import numpy as np

from risk.model.build_features import build_features
from risk.model.panel import FloatMatrix, Panel

SESSIONS = 625
SMALL_ACCOUNTS, SMALL_LIMIT_SECONDS = 12, 0.05
LARGE_ACCOUNTS, LARGE_LIMIT_SECONDS = 10_000, 4.0
LIMIT_BYTES = 2e9


def measure() -> dict[str, float]:
    """Measure features of a small and a large desk and print the ratios; below 1 is within the limit."""
    small = min(_seconds(_panel(SMALL_ACCOUNTS)) for _ in range(5))
    middle = _seconds(_panel(LARGE_ACCOUNTS // 4))
    large = _seconds(_panel(LARGE_ACCOUNTS))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    figures = {
        "features_small_time_ratio": small / SMALL_LIMIT_SECONDS,
        "features_large_time_ratio": large / LARGE_LIMIT_SECONDS,
        "features_peak_memory_ratio": peak_bytes / LIMIT_BYTES,
        "features_time_per_account_large_over_quarter": (large / LARGE_ACCOUNTS) / (middle / (LARGE_ACCOUNTS // 4)),
    }
    for name, figure in figures.items():
        print(f"{name:50s} {figure:8.3f}")
    return figures


def _panel(account_count: int) -> Panel:
    generator = np.random.default_rng(1)
    shape = (SESSIONS, account_count)
    is_active = generator.random(shape) < 0.87
    first = dt.date(2024, 1, 1)

    def drawn(values: FloatMatrix) -> FloatMatrix:
        return np.where(is_active, values, np.nan)

    return Panel.of(
        session_dates=tuple(first + dt.timedelta(days=number) for number in range(SESSIONS)),
        account_ids=tuple(f"A{number:05d}" for number in range(account_count)),
        total_pnl_usd=drawn(generator.normal(0.0, 1000.0, shape)),
        fill_count=drawn(generator.poisson(25.0, shape).astype(np.float64) + 1.0),
        turnover_usd=drawn(generator.gamma(2.0, 50_000.0, shape)),
        fees_usd=drawn(generator.gamma(2.0, 10.0, shape)),
        volume=drawn(generator.gamma(2.0, 500.0, shape)),
        early_pnl_usd=drawn(generator.normal(0.0, 300.0, shape)),
        late_pnl_usd=drawn(generator.normal(0.0, 300.0, shape)),
        holding_seconds=drawn(generator.gamma(2.0, 300.0, shape)),
        adds_to_loser_count=drawn(generator.poisson(5.0, shape).astype(np.float64)),
        concentration_ratio=drawn(generator.random(shape)),
        overnight_usd=drawn(generator.gamma(2.0, 1_000.0, shape)),
    )


def _seconds(panel: Panel) -> float:
    # Seconds of the clock: two threads share the work, so that neighbors on the machine are measured with it.
    started = time.perf_counter()
    build_features(panel, panel.session_dates[-1] + dt.timedelta(days=1))
    return time.perf_counter() - started


if __name__ == "__main__":
    measure()
