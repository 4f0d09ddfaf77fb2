"""Compares, at every instant at which the real source published anything, the replay with what was computed then.

`make test` replays the first, middle and last instant of each kind of publication; here are all. From the final
warehouse, books and report body as of each instant must equal those of a warehouse into which only the versions
published until then were loaded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import time
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from risk.core import calendar, schema, warehouse
from risk.core.settings import PROJECT_DIR, Settings
from risk.ingest.load import load_drop
from tests.publications import assert_replay_equals, publication_times

FOLDER = PROJECT_DIR.parent / "shared" / "data" / "propreports"
LAST_SESSION = dt.date(2025, 12, 31)


def measure(dsn: str, folder: Path) -> None:
    """Replay every instant, print how many were equal and the seconds of one; raise at the first that differs."""
    if not FOLDER.is_dir():
        print(f"skipped: the real executions are not at {FOLDER}")
        return
    imported = _create(dsn, "imported")
    with contextlib.closing(warehouse.connect(imported)) as connection:
        schema.migrate(connection)
        with warehouse.writing(connection):
            calendar.store_sessions(connection)
    _create(dsn, "template", like="imported")
    with contextlib.closing(warehouse.connect(imported)) as connection:
        load_drop(connection, FOLDER, LAST_SESSION, Settings(), is_history=True)
    moments = publication_times(FOLDER)
    started = time.perf_counter()
    for moment in moments:
        fresh = _create(dsn, "fresh", like="template")
        assert_replay_equals(imported, fresh, FOLDER, moment, folder / "drop")
        shutil.rmtree(folder / "drop")
        _drop(dsn, "fresh")
    seconds = (time.perf_counter() - started) / len(moments)
    print(f"{len(moments)} publication times, every replay equal byte for byte; {seconds:.1f} s each, both ways")


def _administer(dsn: str, command: sql.Composable) -> None:
    with contextlib.closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(command)


def _create(dsn: str, name: str, like: str = "template1") -> str:
    command = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(like))
    _administer(dsn, command)
    return make_dsn(dsn, dbname=name)


def _drop(dsn: str, name: str) -> None:
    _administer(dsn, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
