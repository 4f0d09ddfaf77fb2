"""Writes the golden files anew: ``PYTHONPATH=plugins .venv/bin/python -m tests.golden --write``.

A golden number changes only in a commit of its own that names number, old, new, reason.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.golden import drawing, drive, frozen


def all_tables(folder: Path) -> Iterator[tuple[str, frozen.Table]]:
    """Compute everything that is frozen; the real executions only where they are."""
    yield from frozen.streams(folder / "streams").items()
    with drive.postgres(folder / "postgres") as server_dsn:
        for plan in drawing.PLANS:
            yield from frozen.drawn(plan, folder, server_dsn).items()
        if frozen.REAL_DIR.is_dir():
            yield from frozen.real(folder, server_dsn).items()
        yield from frozen.simulated(folder, server_dsn).items()


def main() -> None:
    """Write every golden file, or say how."""
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    if sys.version_info[:2] != (3, 11):
        sys.exit("The golden numbers are those of Python 3.11: use it.")
    with tempfile.TemporaryDirectory() as name:
        # Postgres runs as a user of its own where we are root.
        Path(name).chmod(0o755)
        written = set()
        for golden, table in all_tables(Path(name)):
            frozen.write(golden, table)
            written.add(f"{golden}.csv")
    for path in frozen.GOLDEN_DIR.glob("*.csv"):
        if path.name not in written and path.stem != frozen.REAL_DIGESTS:
            path.unlink()


if __name__ == "__main__":
    main()
