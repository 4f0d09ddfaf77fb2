"""Freezes the schema of a release: ``PYTHONPATH=plugins:. .venv/bin/python -m tests.releases`` before it is tagged.

Writes the SHA-256 of the baseline into ``include/sql/schema/releases.json``, which every installation reads, and the
schema as pg_dump sees it into ``tests/sql/releases/<release>.sql``, from which a test migrates.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from devstack.postgres import programs_dir, temporary_cluster
from risk import __version__
from risk.core.schema import BASELINE, RELEASES, content_sha256, migrate, released_baselines, schema_files
from risk.core.settings import PROJECT_DIR, SQL_DIR
from risk.core.warehouse import connect

DUMPS = Path(__file__).parent / "sql" / "releases"
VARYING = ("\\restrict", "\\unrestrict", "-- Dumped ")
"""Starts of lines that name the dump's key and the server's version."""


def dump_schema(dsn: str) -> str:
    """Return the schema of a database as pg_dump writes it, without what differs between two dumps of the same."""
    place = parse_dsn(dsn)
    password = {"PGPASSWORD": place.pop("password")}
    place.pop("options", "")
    command = [programs_dir() / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", make_dsn(**place)]
    done = subprocess.run(command, env={**os.environ, **password}, capture_output=True, text=True, check=True)
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith(VARYING))


def freeze(release: str) -> None:
    """Write what is kept of a release that is not tagged yet."""
    if ".dev" in release:
        sys.exit(f"{release} is in the making: name the release in plugins/risk/__init__.py and dags/risk_release.txt.")
    tags = subprocess.run(["git", "tag", "--list", f"v{release}"], cwd=PROJECT_DIR, capture_output=True, check=True)
    if tags.stdout.strip():
        sys.exit(
            f"v{release} is tagged: its schema stays. Write a migration, or name the next release in risk.__init__."
        )
    known = {**released_baselines(), release: content_sha256(schema_files()[BASELINE])}
    (SQL_DIR / "schema" / RELEASES).write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, temporary_cluster(Path(folder)) as dsn:
        with contextlib.closing(connect(dsn)) as connection:
            migrate(connection)
        DUMPS.mkdir(exist_ok=True)
        (DUMPS / f"{release}.sql").write_text(dump_schema(dsn), encoding="utf-8")


if __name__ == "__main__":
    freeze(__version__)
