"""Measure everything and print ratios: ``python -m bench [NAME]``; each measurement in a process of its own."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

MEASUREMENTS = (
    "features",
    "fills",
    "pnl",
    "history",
    "replay",
    "operation",
    "backfill",
    "forecast",
    "page",
    "vendor",
    "walk",
    "receipts",
    "fit",
    "tail",
    "desk",
    "trials",
    "what_if",
    "examine",
)


def measure(name: str) -> None:
    """Run one measurement; it gets a throw-away Postgres or folder if it takes a ``dsn`` or a ``folder``."""
    from devstack.postgres import temporary_cluster

    function = importlib.import_module(f"bench.{name}").measure
    wanted = inspect.signature(function).parameters
    print(f"--- {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="risk-bench-") as place:
        given = {"folder": Path(place)} if "folder" in wanted else {}
        if "dsn" not in wanted:
            function(**given)
            return
        with temporary_cluster(Path(place) / "postgres") as dsn:
            function(dsn=dsn, **given)


def main() -> None:
    """Measure what the command line names, or everything in turn."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    for name in MEASUREMENTS:
        subprocess.run([sys.executable, "-m", "bench", name], check=True)


if __name__ == "__main__":
    main()
