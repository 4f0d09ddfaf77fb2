"""Measures aggregate_pnl on 25 million fills, 100 traders, 500 sessions of 500: nothing new and one late fill.

The same once more of traders of whom a fill was corrected.
"""

from __future__ import annotations

from bench.pnl import measure_late_fill, own_database, processor_time

ACCOUNT_COUNT = 100
FILL_COUNT = 500
LIMITS = {"unchanged_seconds": 0.3, "late_seconds": 1.0}


def measure(dsn: str) -> None:
    """Print seconds, their ratios to the limits, and the peak memory of this process."""
    with own_database(dsn, "bench_history") as own_dsn:
        measured = measure_late_fill(own_dsn, ACCOUNT_COUNT, FILL_COUNT)
    print(
        f"{measured['account_sessions'] * FILL_COUNT:,} fills: first {measured['first_seconds']} s, "
        f"peak of this process {measured['peak_megabytes']} MB; "
        f"{measured['late_account_sessions']} sessions computed again for one late fill"
    )
    for title, times in (("no correction", measured), ("with corrections", measured["corrected"])):
        print(f"{title}: {processor_time(times)}")
        for name, limit in LIMITS.items():
            print(f"{name:20s} {times[name]:8.2f} of {limit} s  limit ratio {times[name] / limit:6.2f}")
