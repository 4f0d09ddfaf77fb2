"""The file drop: which files lie there and what its manifest says of them."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple

from risk.core.entities import ReportedPnl
from risk.core.errors import FolderError, InputError
from risk.ingest.amounts import fits, number
from risk.ingest.completeness import growing_file
from risk.ingest.file_names import MARKER, PATTERNS, find_unread, printable
from risk.ingest.layout import mapped_sha256
from risk.ingest.mapping import FillsMapping
from risk.ingest.mapping_files import MAPPING_PATTERN, choose_mappings, named_mapping, read_mapping
from risk.ingest.opening import NOT_PLAIN, file_sha256, finding_of
from risk.ingest.parse import Place
from risk.ingest.reasons import say_first
from risk.ingest.reference_data import FILE_SPECS
from risk.ingest.rules import FileFinding, shorten
from risk.ingest.streams import CsvStream
from risk.ingest.words import fold_name

(MANIFEST,) = PATTERNS["manifest"]
SHOWN_UNREAD: Final = 10
"""So many files that are not read are named where there is nothing else."""

LONGEST_NAME: Final = 255
"""Bytes of a file's name that file systems take; Python fails on a longer one."""

MANIFEST_TOTALS: Final = ("gross", "net")
MANIFEST_REQUIRED: Final = ("file", "account_id", "session_date", "published_at")


class Entry(NamedTuple):
    """One line of the manifest: the version of one account-session that a file is, and what it came to there.

    ``stated_count``: rows that it holds as the source says; ``None`` = the source does not.
    """

    file_name: str
    account_id: str
    session_date: dt.date
    published_at: dt.datetime
    line_number: int
    reported: ReportedPnl | None
    stated_count: int | None

    @property
    def text(self) -> str:
        """The entry as source_files keeps it."""
        counted = "" if self.stated_count is None else f" {self.stated_count} rows"
        return f"{self.account_id} {self.session_date} {self.published_at.astimezone(dt.UTC).isoformat()}{counted}"


@dataclass(frozen=True, slots=True)
class DropFolder:
    """A file drop, looked at once.

    Attributes
    ----------
    fills
        Files of executions, by name.
    reference_files
        Reference files by the name of their kind.
    entries
        Manifest entries by file name, account and session; empty without a manifest.
    quarantined
        Files and manifest entries refused already, and a manifest that is being written.
    unread
        Files under whose names nothing is read.
    mappings
        Of files of executions that have not our columns, by file name.
    """

    path: Path
    fills: tuple[Path, ...]
    reference_files: dict[str, tuple[Path, ...]]
    entries: dict[str, dict[Place, Entry]]
    quarantined: list[FileFinding] = field(default_factory=list)
    unread: list[FileFinding] = field(default_factory=list)
    mappings: dict[str, FillsMapping] = field(default_factory=dict)

    @property
    def is_simulated(self) -> bool:
        """Whether the folder says that its desk is simulated."""
        return (self.path / MARKER).is_file()

    def entries_text(self, path: Path) -> str | None:
        """Return what the manifest says of a file, as source_files keeps it; ``None`` without a manifest."""
        return "\n".join(sorted(entry.text for entry in self.entries[path.name].values())) if self.entries else None

    def is_loaded(self, path: Path, loaded: Mapping[str, Any]) -> bool:
        """Tell whether a file and what the manifest says of it are as an earlier load has found and stored them whole.

        An entry for a later session than that of the load, without executions, has left no trace then.

        Parameters
        ----------
        loaded
            What the load has noted of the file: ``content_sha256``, ``manifest_entries``, ``through_session_date``.
        """
        if loaded["manifest_entries"] != self.entries_text(path):
            return False
        if any(session_date > loaded["through_session_date"] for _, session_date in self.entries.get(path.name, ())):
            return False
        return bool(loaded["content_sha256"] == mapped_sha256(file_sha256(path), self.mappings.get(path.name)))


def open_folder(
    folder: Path,
    known_at: dt.datetime,
    account_pattern: str,
    mapping: str = "",
    growing: Collection[str] = (),
) -> DropFolder:
    """List a file drop and read its manifest.

    Parameters
    ----------
    known_at
        Aware instant of the load; a ``published_at`` after it is refused.
    account_pattern
        Regular expression that a whole account name must match.
    mapping
        Preset or path of the mapping of files that no mapping file of the folder claims; empty = they have our columns.
    growing
        Names of files that are being written: with such a manifest no executions are listed.

    Raises
    ------
    FolderError
        If the folder does not exist or holds neither executions nor a manifest.
    InputError
        If the mapping cannot be read.
    RequestError
        If there is no such mapping.
    """
    if not folder.is_dir():
        raise FolderError(f"The fills folder {folder} does not exist. Name a folder with fills*.csv files.")
    quarantined: list[FileFinding] = []
    listed = _listed(folder)
    fills, mappings = _fills(listed, named_mapping(mapping) if mapping else None, quarantined)
    refused = {item.file_name for item in quarantined}
    unread = find_unread(path for path in listed if path.name not in mappings and path.name not in refused)
    reference = {spec.name: tuple(_files(listed, PATTERNS[spec.name], quarantined)) for spec in FILE_SPECS}
    manifests = [path for path in listed if path.name.lower() == MANIFEST]
    entries: dict[str, dict[Place, Entry]] = {}
    if growing and any(path.name in growing for path in manifests):
        quarantined.append(growing_file(MANIFEST))
        fills = []
    elif manifests:
        entries = _manifest(manifests[-1], known_at, account_pattern, quarantined, mappings)
        fills = _named(fills, entries, quarantined)
    elif not fills and not quarantined:
        raise FolderError(
            f"The fills folder {folder} holds no fills*.csv, no fills*.csv.gz and no {MANIFEST}. "
            "Put the session's executions there, then clear this task."
            + "".join(f"\n- {item.reason}" for item in unread[:SHOWN_UNREAD])
        )
    return DropFolder(folder, tuple(fills), reference, entries, quarantined, unread, mappings)


def reference_files(folder: Path) -> list[Path]:
    """List what lies in a file drop beside its executions, good or not: what a source of executions does not bring.

    Raises
    ------
    InputError
        If the folder cannot be listed.
    """
    return [
        path
        for path in _listed(folder)
        if any(fnmatchcase(path.name.lower(), pattern) for spec in FILE_SPECS for pattern in PATTERNS[spec.name])
        and (path.is_file() or path.is_symlink())
    ]


def named_in_manifest(folder: Path) -> set[str]:
    """Return the names of files in a folder that its manifest gives; none if it cannot be read, which a load says."""
    path = folder / MANIFEST
    if not path.is_file():
        return set()
    try:
        names = {fields["file"] for _, fields in _manifest_rows(path)}
    except InputError:
        return set()
    return {name for name in names if name not in ("", ".", "..") and Path(name).name == name}


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"The fills folder {folder} cannot be listed ({error.strerror}): let the user that runs this read it."
        ) from None


def _fills(
    listed: list[Path], default: FillsMapping | None, quarantined: list[FileFinding]
) -> tuple[list[Path], dict[str, FillsMapping]]:
    """Pick the files of executions, and the mappings of those that have not our columns."""
    beside: list[FillsMapping] = []
    for path in _files(listed, (MAPPING_PATTERN,), quarantined):
        try:
            beside.append(read_mapping(path))
        except InputError as error:
            quarantined.append(finding_of(path, error))
    reserved = (MAPPING_PATTERN, *(pattern for kind, known in PATTERNS.items() if kind != "fills" for pattern in known))
    free = [path for path in listed if not any(fnmatchcase(path.name.lower(), pattern) for pattern in reserved)]
    chosen, contested = choose_mappings((path.name for path in free), beside, default)
    quarantined += [FileFinding(name, reason) for name, reason in contested.items()]
    others = [path for path in listed if path.name not in chosen and path.name not in contested]
    ours = _files(others, PATTERNS["fills"], quarantined)
    mapped = [path for path in free if path.name in chosen]
    quarantined += [
        FileFinding(printable(path.name), f"{printable(path.name)} {NOT_PLAIN}")
        for path in mapped
        if not _is_plain(path)
    ]
    return sorted([*ours, *filter(_is_plain, mapped)]), chosen


def _is_plain(path: Path) -> bool:
    return path.name.isprintable() and path.is_file() and not path.is_symlink()


def _files(listed: list[Path], patterns: tuple[str, ...], quarantined: list[FileFinding]) -> list[Path]:
    """Pick the files meant by a pattern, however they are written; name those that cannot be taken."""
    meant = [path for path in listed if any(fnmatchcase(path.name.lower(), pattern) for pattern in patterns)]
    problems = {path: _problem(path, patterns) for path in meant}
    quarantined += [
        FileFinding(printable(path.name), f"{printable(path.name)} {problem}")
        for path, problem in problems.items()
        if problem
    ]
    return [path for path, problem in problems.items() if not problem]


def _problem(path: Path, patterns: tuple[str, ...]) -> str | None:
    if not path.name.isprintable():
        return "has characters in its name that cannot be printed: rename it."
    if not any(fnmatchcase(path.name, pattern) for pattern in patterns):
        return f"is not read: a name of the form {patterns[0]} is written in lower case. Rename it."
    if path.is_symlink() or not path.is_file():
        return NOT_PLAIN
    return None


def _named(fills: list[Path], entries: dict[str, dict[Place, Entry]], quarantined: list[FileFinding]) -> list[Path]:
    """Keep the files that the manifest names; name those that only one of the two knows."""
    refused = {item.file_name for item in quarantined}
    if MANIFEST in refused and not entries:
        return []
    quarantined += [
        FileFinding(path.name, f"{path.name} is not named in {MANIFEST}: add its entry or remove the file.")
        for path in fills
        if path.name not in entries and path.name not in refused
    ]
    return [path for path in fills if path.name in entries]


def _manifest(
    path: Path,
    known_at: dt.datetime,
    account_pattern: str,
    quarantined: list[FileFinding],
    mapped: Collection[str],
) -> dict[str, dict[Place, Entry]]:
    entries: dict[str, dict[Place, Entry]] = {}
    refusals: list[FileFinding] = []
    present = {beside.name for beside in _listed(path.parent)}
    try:
        listed = _manifest_rows(path)
    except InputError as error:
        quarantined.append(
            FileFinding(MANIFEST, f"{error} No fills file was read, because their versions are unknown.")
        )
        return {}
    for line_number, fields in listed:
        try:
            entry = _entry(path.parent, fields, line_number, known_at, account_pattern, mapped)
        except InputError as error:
            name = fields["file"] if fields["file"] in present else MANIFEST
            reason = f"{MANIFEST} line {line_number} is refused: {error}. Correct the entry."
            refusals.append(FileFinding(printable(name), reason))
            continue
        named = entries.setdefault(entry.file_name, {})
        if named.setdefault((entry.account_id, entry.session_date), entry) is not entry:
            reason = f"{MANIFEST} line {line_number} names {entry.file_name} again for one account and session."
            refusals.append(FileFinding(MANIFEST, f"{reason} Remove one of the lines."))
    quarantined += _first_refusals(refusals)
    return entries


def _first_refusals(refusals: list[FileFinding]) -> list[FileFinding]:
    """Keep the first refusals about each file that lies in the folder, and about all others, with their number."""
    by_name: dict[str, list[str]] = {}
    for item in refusals:
        by_name.setdefault(item.file_name, []).append(item.reason)
    return [
        FileFinding(name, reason)
        for name, reasons in by_name.items()
        for reason in say_first(reasons, f"more lines of {MANIFEST} are refused.")
    ]


def _manifest_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    problem = _problem(path, PATTERNS["manifest"])
    if problem:
        raise InputError(f"{path.name} {problem}")
    with CsvStream(path) as stream:
        header = [fold_name(name) for name in stream.header]
        missing = [name for name in MANIFEST_REQUIRED if name not in header]
        if missing:
            raise InputError(f"{MANIFEST} lacks the column {', '.join(missing)}.")
        rows = []
        for record in stream.records():
            if not any(text.strip(" ") for text in record.fields):
                continue
            if len(record.fields) != len(stream.header):
                raise InputError(
                    f"{MANIFEST} line {record.line_number} has {len(record.fields)} fields, its header "
                    f"{len(stream.header)}."
                )
            texts = (text.strip(" ") for text in record.fields)
            rows.append((record.line_number, dict(zip(header, texts, strict=True))))
        return rows


def _entry(
    folder: Path,
    fields: dict[str, str],
    line_number: int,
    known_at: dt.datetime,
    account_pattern: str,
    mapped: Collection[str],
) -> Entry:
    name = fields["file"]
    path = folder / name
    if not name or Path(name).name != name or name in (".", ".."):
        raise InputError(f"the file {shorten(name)} lies outside the folder")
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise InputError(f"the file {shorten(name)} is missing")
    if path.is_symlink():
        raise InputError(f"the file {shorten(name)} is a link")
    if not path.is_file():
        raise InputError(f"the file {shorten(name)} is missing")
    if name not in mapped and not re.fullmatch(r"fills.*\.csv(\.gz)?", name):
        raise InputError(f"the file {shorten(name)} is no fills*.csv or fills*.csv.gz")
    if not re.fullmatch(account_pattern, fields["account_id"]):
        raise InputError(f"the account name {shorten(fields['account_id'])} is not allowed")
    account_id, session_date = fields["account_id"], _date(fields["session_date"])
    reported, stated_count = _reported(account_id, session_date, fields), _stated_count(fields.get("fills", ""))
    published_at = _instant(fields["published_at"], known_at)
    return Entry(name, account_id, session_date, published_at, line_number, reported, stated_count)


def _reported(account_id: str, session_date: dt.date, fields: dict[str, str]) -> ReportedPnl | None:
    """Read the optional two columns with which a manifest says what the version comes to in the source's own books."""
    texts = [fields.get(name, "") for name in MANIFEST_TOTALS]
    if not any(texts) or not fields.keys() >= set(MANIFEST_TOTALS):
        return None
    if not all(texts):
        raise InputError(f"one of {' and '.join(MANIFEST_TOTALS)} is blank: give both or neither")
    amounts = [amount for amount in map(number, texts) if amount is not None and fits(amount)]
    if len(amounts) < len(texts):
        raise InputError(f"{' and '.join(MANIFEST_TOTALS)} {shorten(', '.join(texts))} are no amounts in US dollars")
    return ReportedPnl(session_date, account_id, *amounts)


def _stated_count(text: str) -> int | None:
    """Read the optional column with which a manifest says how many rows the version has."""
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,12}", text):
        raise InputError(f"fills {shorten(text)} is no number of rows")
    return int(text)


def _date(text: str) -> dt.date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise InputError(f"session_date {shorten(text)} is not YYYY-MM-DD")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"session_date {shorten(text)} is no date") from None


def _instant(text: str, known_at: dt.datetime) -> dt.datetime:
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"published_at {shorten(text)} is no ISO 8601 time") from None
    if instant.tzinfo is None:
        raise InputError(f"published_at {shorten(text)} has no offset from UTC")
    if instant > known_at:
        raise InputError(f"published_at {shorten(text)} lies in the future")
    return instant
