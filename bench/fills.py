"""Measures one session of a million fills from file to books, beside a bare copy of the same file.

The file has the vendor's 26 columns, about 145 MB, 200 day traders whose lines are mixed: each goes from one round
trip of a few partial fills to the next, long or short, and carries overnight what the end of the session finds open.
The peer is what ``\\copy`` does: the file into an unlogged table of text columns. Importing libraries is not counted.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core import calendar, schema, warehouse
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.ingest.load import load_drop

SESSION = dt.date(2025, 8, 15)
FILL_COUNT = 1_000_000
ACCOUNT_COUNT = 200
COLUMN_COUNT = 26
HEADER = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)


def measure(dsn: str, folder: Path) -> dict[str, Any]:
    """Time the steps in a database of their own on the server of ``dsn``, print and return seconds and ratios.

    Parameters
    ----------
    folder
        Receives the file.
    """
    import great_expectations  # noqa: F401 - imported here so that its seconds are not counted below

    drop = folder / "drop"
    drop.mkdir(exist_ok=True)
    file = write_session(drop / f"fills_{SESSION}.csv")
    name = f"bench_fills_{os.getpid()}"
    administration = psycopg2.connect(dsn)
    administration.autocommit = True
    try:
        with administration.cursor() as cursor:
            cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        result = _measure_steps(make_dsn(dsn, dbname=name), drop, file)
    finally:
        with administration.cursor() as cursor:
            cursor.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        administration.close()
    for step in ("extract", "check", "aggregate", "total"):
        seconds = result[f"{step}_seconds"]
        print(f"{step:9} {seconds:6.2f} s = {seconds / result['copy_seconds']:5.2f} x a bare copy")
    print(f"bare copy {result['copy_seconds']:6.2f} s; peak memory of this process {result['peak_megabytes']} MB")
    return result


def _measure_steps(dsn: str, drop: Path, file: Path) -> dict[str, Any]:
    connection = warehouse.connect(dsn)
    try:
        schema.migrate(connection)
        with warehouse.writing(connection):
            calendar.store_sessions(connection)
        copy_seconds = min(_timed(lambda: _copy_bare(connection, file))[0] for _ in range(2))
        extract_seconds, loaded = _timed(lambda: load_drop(connection, drop, SESSION, Settings()))
        if loaded.fill_count != FILL_COUNT:
            raise SystemExit(f"Loaded {loaded.fill_count:,} of {FILL_COUNT:,} fills: {loaded}")
        run = open_run(connection, SESSION, loaded.load_id, "bench")
        check_seconds, _ = _timed(lambda: check_fills(connection, dsn, run))
        aggregate_seconds, _ = _timed(lambda: aggregate(connection, run))
    finally:
        connection.close()
    return {
        "copy_seconds": copy_seconds,
        "extract_seconds": extract_seconds,
        "check_seconds": check_seconds,
        "aggregate_seconds": aggregate_seconds,
        "total_seconds": extract_seconds + check_seconds + aggregate_seconds,
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _copy_bare(connection: warehouse.Connection, file: Path) -> None:
    columns = [sql.SQL("{} text").format(sql.Identifier(f"column_{number}")) for number in range(COLUMN_COUNT)]
    with connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("create unlogged table public.bare ({})").format(sql.SQL(", ").join(columns)))
        with file.open("rb") as source:
            cursor.copy_expert("copy public.bare from stdin with (format csv, header)", source, 1 << 20)
    with connection, connection.cursor() as cursor:
        cursor.execute("drop table public.bare")


def write_session(file: Path) -> Path:
    """Write one session of a million fills, the same bytes every time."""
    draws = random.Random(1)
    symbols = ["".join(draws.choices("ABCDEFGHIJ", k=4)) for _ in range(500)]
    traders = [_round_trips(draws, symbols) for _ in range(ACCOUNT_COUNT)]
    with file.open("w", encoding="ascii", newline="\n") as target:
        target.write(f"{HEADER}\n")
        for number in range(FILL_COUNT):
            second = 34_200 + number * 23_400 // FILL_COUNT
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            fees = f"{draws.randint(0, 300) / 100:.2f},{draws.randint(-99, 99) / 1000},0.01,0,0.00{number % 10},0.02"
            account = draws.randrange(ACCOUNT_COUNT)
            side, quantity, symbol, price = next(traders[account])
            target.write(
                f"{SESSION:%m/%d/%Y} {clock},NET{account + 1:03d},{side},{quantity},{symbol},{price:.8f},ARCA,A,{fees},"
                "0,0,0,0.01,0.00,"
                f"{4_000_000_000 + number // 3},{4_000_000_000 + number // 3}-{number % 3},USD,,,,"
                f"{9_000_000_000 + number}\n"
            )
    return file


def _round_trips(draws: random.Random, symbols: list[str]) -> Iterator[tuple[str, int, str, float]]:
    """Yield one trader's fills without end: side, quantity, symbol, price; in and out by one to four fills each."""
    while True:
        symbol, price = draws.choice(symbols), draws.randint(1000, 9000) / 100
        entry, leave = draws.choice(("BS", "TC"))
        lots = [draws.randint(1, 900) for _ in range(draws.randint(1, 4))]
        parts = [draws.randint(0, sum(lots)) for _ in range(draws.randint(0, 3))]
        bounds = sorted({0, sum(lots), *parts})
        leaving = [above - below for below, above in itertools.pairwise(bounds)]
        for side, quantities in ((entry, lots), (leave, leaving)):
            for quantity in quantities:
                yield side, quantity, symbol, price + draws.randint(-50, 50) / 100


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2]))
