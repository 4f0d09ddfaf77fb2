"""What is not complete yet: files that are being written, and deliveries with other rows than their manifest states."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from risk.ingest.deliveries import FileDeliveries
from risk.ingest.file_names import PATTERNS
from risk.ingest.opening import identity
from risk.ingest.parse import Place
from risk.ingest.rules import FileFinding

POLL_INTERVAL: Final = dt.timedelta(minutes=3)
"""Time between two polls of a source."""

SHORT_INTERVAL: Final = dt.timedelta(seconds=2)
"""Time between two polls of a folder by a run that does not wait."""


SHOWN_PLACES: Final = 10
"""So many incomplete account-sessions are listed in a sentence."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What a load leaves to a later one.

    Attributes
    ----------
    growing
        Names of files that are being written.
    waits_for_rows
        Whether a delivery with fewer or more rows than the manifest states is left; otherwise it is loaded, and its
        account-session is incomplete.
    """

    growing: frozenset[str] = frozenset()
    waits_for_rows: bool = False


def find_growing(folder: Path, *, may_wait: bool) -> frozenset[str]:
    """Name the files of a folder that are being written, or may be.

    Parameters
    ----------
    may_wait
        Whether the run polls again. Then a file counts until its last change is as old as the time between two polls,
        which is as if two of them had found the same size and time; nothing has to be remembered in between. Otherwise
        files that changed so lately are compared once more, a moment later.
    """
    before = _changed_lately(folder)
    if may_wait or not before:
        return frozenset(before)
    time.sleep(SHORT_INTERVAL.total_seconds())
    after = _changed_lately(folder)
    return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _changed_lately(folder: Path) -> dict[str, tuple[int, ...]]:
    """List the identities of the files that changed within the time between two polls, by name.

    A file server's clock may be ahead, but not by years: a time far in the future says nothing.
    """
    now, found = time.time(), {}
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            stat = path.lstat()
        except FileNotFoundError:
            continue
        if abs(now - stat.st_mtime) < POLL_INTERVAL.total_seconds():
            found[path.name] = identity(stat)
    return found


def growing_file(name: str) -> FileFinding:
    """Say that a file waits because it is being written."""
    lost = "no fills file is read without it" if name in PATTERNS["manifest"] else "nothing of it is loaded"
    reason = f"{name} may not be complete: it changed while the folder was polled. Until it stays as it is, {lost}."
    return FileFinding(name, reason, "waiting")


def count_differences(deliveries: FileDeliveries, stated: Mapping[Place, int | None]) -> dict[Place, int]:
    """Find deliveries of a file that have fewer or more rows than its manifest states.

    Rows that repeat an id may be counted there or not. Rows that belong to no account may be those of the only one that
    the file is about.

    Returns
    -------
    dict
        Rows stated, by account and session.
    """
    unplaced = sum(one.place is None for one in deliveries.rejects) if len(stated) == 1 else 0
    counted = deliveries.counts[["row_count", "duplicate_count"]].to_numpy().tolist()
    differing = {}
    for place, (row_count, duplicate_count) in zip(deliveries.places, counted, strict=True):
        count = stated.get(place)
        if count is not None and not row_count - duplicate_count <= count <= row_count + unplaced:
            differing[place] = count
    return differing


def find_incomplete(deliveries: FileDeliveries, differing: Mapping[Place, int]) -> dict[Place, str]:
    """Find the account-sessions of a file that lack rows which may be executions, and say why.

    Parameters
    ----------
    differing
        Of `count_differences`.
    """
    found: dict[Place, str] = {}
    counted = deliveries.counts[["row_count", "lost_count"]].to_numpy().tolist()
    for place, (row_count, lost_count) in zip(deliveries.places, counted, strict=True):
        reasons = [f"{lost_count} of {row_count} rows rejected"] if lost_count else []
        if place in differing:
            reasons.append(f"{row_count} rows, and manifest.csv states {differing[place]}")
        if reasons:
            found[place] = "; ".join(reasons)
    return found


def say_incomplete(incomplete: Mapping[Place, str]) -> list[str]:
    """Name in one sentence the account-sessions that lack rows; none if there is none."""
    if not incomplete:
        return []
    shown = [f"{account_id} {day} ({why})" for (account_id, day), why in islice(incomplete.items(), SHOWN_PLACES)]
    others = f" and {len(incomplete) - len(shown)} more" if len(incomplete) > len(shown) else ""
    return [f"Incomplete, with the P&L of the other rows only: {', '.join(shown)}{others}."]


def differing_file(name: str, deliveries: FileDeliveries, differing: Mapping[Place, int]) -> FileFinding:
    """Say that deliveries of a file wait because they have fewer or more rows than their manifest states."""
    (account_id, session_date), stated_count = next(iter(differing.items()))
    row_count = deliveries.counts["row_count"].iloc[deliveries.places.index((account_id, session_date))]
    others = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    reason = (
        f"{name} has {row_count} rows of account {account_id} for session {session_date}{others}, and manifest.csv "
        f"states {stated_count}. Until it is complete, they are not loaded; or correct the manifest."
    )
    return FileFinding(name, reason, "waiting")
