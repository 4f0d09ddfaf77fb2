"""Small file drops made by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from risk.core.entities import Fill
from risk.core.settings import Settings
from risk.ingest.read import fills_of, read_drop
from risk.ingest.rules import Reject

HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,SEC,Status,Currency,Fill Id"


def write_drop(folder: Path, session_date: dt.date, fill_counts: Mapping[str, int]) -> Path:
    """Write one file of a session with buys and sells in turn, so many for each account, and return the folder."""
    lines = [
        f"{session_date:%m/%d/%Y} 10:{number:02}:00,{account},{'BS'[number % 2]},100,XYZ,10.5,1.25,0.25,,USD,{number}"
        for account, count in fill_counts.items()
        for number in range(count)
    ]
    (folder / f"fills_{session_date}.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


def read_fills(folder: Path, as_of: dt.datetime | None = None) -> tuple[list[Fill], list[Reject]]:
    """Read the executions of a file drop as fills, without a warehouse."""
    drop = read_drop(folder, Settings(), as_of)
    return list(fills_of(drop.executions)), drop.rejects
