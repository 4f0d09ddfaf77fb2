"""A file drop in an object store or on a file server: copied whole into a folder, from which it is loaded as any other.

A file that is replaced, removed or still written while it is copied is never loaded half: it is copied again, or waits.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from risk.ingest.completeness import POLL_INTERVAL, SHORT_INTERVAL
from risk.ingest.file_names import printable
from risk.ingest.folder import LONGEST_NAME, named_in_manifest

VERSION_KEYS: Final = ("generation", "ETag", "etag", "mtime", "LastModified", "last_modified", "updated")
"""Where file systems of fsspec say which version of a file is there; the first one that is given counts."""

TIME_KEYS: Final = ("mtime", "LastModified", "last_modified", "updated")
"""Where they say when it was written."""

TRIES: Final = 3
"""So often a file is copied that is another one each time; then it waits."""

log = logging.getLogger(__name__)


class Version(NamedTuple):
    """What stays the same while a stored file does: its size in bytes, and what the store calls its version."""

    size: int | None
    version: str


def copy_drop(
    fs: Any,
    folder: str,
    target: Path,
    *,
    may_wait: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> frozenset[str]:
    """Copy a file drop into an empty folder, and name the files that may not be complete.

    The rule is that of a folder of this machine (`find_growing`). Files that the manifest names are asked for even if
    the store does not list them yet. What is no plain file there is none in the copy either.

    Parameters
    ----------
    fs
        File system of fsspec.
    folder
        Path in it.
    may_wait
        Whether the run polls again.
    sleep
        Replaced in tests.

    Returns
    -------
    frozenset
        Names of files that wait; their copies may be of any content.
    """
    drop = _Copy(fs, folder.rstrip("/"), target)
    for name, found in drop.listed().items():
        drop.take(name, found)
    for name in sorted(named_in_manifest(target) - drop.seen):
        drop.take_unlisted(name)
    if drop.lately and not may_wait:
        sleep(SHORT_INTERVAL.total_seconds())
        changing = {name for name, version in drop.lately.items() if drop.version(name) != version}
        return frozenset(drop.unsettled | changing)
    return frozenset(drop.unsettled | drop.lately.keys())


class _Copy:
    """One copy of a file drop.

    Attributes
    ----------
    seen
        Names that were taken.
    unsettled
        Of these, files that were another one at each try.
    lately
        Versions of files that changed within the time between two polls, by name.
    """

    def __init__(self, fs: Any, folder: str, target: Path) -> None:
        self.fs, self.folder, self.target = fs, folder, target
        self.seen: set[str] = set()
        self.unsettled: set[str] = set()
        self.lately: dict[str, Version] = {}

    def listed(self) -> dict[str, Mapping[str, Any]]:
        """List what lies in the folder, as the store has it now."""
        self.fs.invalidate_cache()
        found = {item["name"].rstrip("/"): item for item in self.fs.ls(self.folder or "/", detail=True)}
        # A store may list the folder as an object of its own.
        return {
            path.rpartition("/")[2]: item for path, item in found.items() if path.strip("/") != self.folder.strip("/")
        }

    def take(self, name: str, found: Mapping[str, Any]) -> None:
        """Copy one entry of the listing."""
        if name in ("", ".", "..") or len(os.fsencode(name)) > LONGEST_NAME:
            log.warning("%s is not read: no file can have that name here. Rename it.", printable(name))
            return
        self.seen.add(name)
        if found["type"] == "directory":
            (self.target / name).mkdir()
        elif found["type"] == "file":
            self._copy(name, found)
        else:
            (self.target / name).symlink_to(os.devnull)

    def take_unlisted(self, name: str) -> None:
        """Copy a file that the store does not list, if it has it."""
        found = self._info(name)
        if found is not None and found["type"] == "file":
            self.take(name, found)

    def version(self, name: str) -> Version | None:
        """Return the version of a file that is there now; ``None`` = there is none."""
        found = self._info(name)
        return None if found is None else _version(found)

    def _copy(self, name: str, found: Mapping[str, Any]) -> None:
        copy = self.target / name
        now: Mapping[str, Any] | None = found
        for _ in range(TRIES):
            if now is None:
                break
            before = _version(now)
            try:
                self.fs.get_file(f"{self.folder}/{name}", str(copy))
            except FileNotFoundError:
                break
            now = self._info(name)
            if now is not None and _version(now) == before and before.size in (None, copy.stat().st_size):
                if _changed_lately(now):
                    self.lately[name] = before
                return
        self.unsettled.add(name)
        copy.touch()

    def _info(self, name: str) -> Mapping[str, Any] | None:
        self.fs.invalidate_cache()
        try:
            found: Mapping[str, Any] = self.fs.info(f"{self.folder}/{name}")
        except FileNotFoundError:
            return None
        return found


def _version(found: Mapping[str, Any]) -> Version:
    return Version(found.get("size"), str(next((found[key] for key in VERSION_KEYS if found.get(key)), "")))


def _changed_lately(found: Mapping[str, Any]) -> bool:
    """Tell whether a file changed within the time between two polls; one without a time may have.

    A server's clock may be ahead, but not by years: a time far in the future says nothing.
    """
    given = next((found[key] for key in TIME_KEYS if found.get(key)), None)
    if isinstance(given, str):
        given = dt.datetime.fromisoformat(given)
    if isinstance(given, dt.datetime):
        given = given.replace(tzinfo=given.tzinfo or dt.UTC).timestamp()
    return given is None or abs(time.time() - given) < POLL_INTERVAL.total_seconds()
