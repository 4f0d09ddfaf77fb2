"""Reading a file drop without a database: the newest version of each account-session."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from risk.core.entities import Fill, Statements
from risk.core.errors import InputError
from risk.core.settings import EXCHANGE_ZONE
from risk.ingest.corrections import Told, kind_of, settle
from risk.ingest.kinds import ACCOUNTS, KINDS, MARKS
from risk.ingest.reasons import Reject, sentence
from risk.ingest.renames import Renames
from risk.ingest.rows import codes_of, day_of, fill_of, moment_code, session_of
from risk.ingest.shapes import staging_columns
from risk.ingest.sources.folder import DropFolder, Entry, open_folder
from risk.ingest.statements import read_statements
from risk.ingest.streams import CsvStream, Record

Key = tuple[str, dt.date]
"""An account and a session."""

Content = tuple[object, ...]
Identity = tuple[str, dt.date, str]
"""An account, a session and an id."""


@dataclass(slots=True)
class _Reading:
    """What one file says."""

    path: Path
    columns: tuple[str, ...]
    twins: Mapping[str, str]
    told: list[Told] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    account_ids: set[str] = field(default_factory=set)

    def reject(self, record: Record, codes: list[str]) -> None:
        """Note a record that cannot become a fill."""
        reason = sentence(self.path.name, record.line_number, codes, self.columns, record.fields, self.twins)
        self.rejects.append(Reject(self.path.name, record.line_number, record.raw_text, reason))


def read_drop(folder: Path, as_of: dt.datetime | None = None) -> tuple[list[Fill], list[Reject]]:
    """Read the executions of a file drop, the newest version of each account-session.

    Parameters
    ----------
    as_of
        With a manifest only versions with ``published_at <= as_of`` count; ``None`` = all.

    Returns
    -------
    fills, rejects
        In the order of files and lines.

    Raises
    ------
    InputError
        If the folder or any file in it cannot be used as a whole, or two files deliver one account-session.
    """
    now = dt.datetime.now(dt.UTC)
    drop = open_folder(folder, now)
    if drop.quarantined:
        raise InputError("\n".join(item.reason for item in drop.quarantined))
    today = now.astimezone(EXCHANGE_ZONE).date()
    newest = None if drop.entries is None else _newest(drop.entries, as_of)
    chosen = [path for path in drop.fills if newest is None or path.name in newest.values()]
    readings = [_read(path, today, {}) for path in chosen]
    twins = _twins(set().union(*(reading.account_ids for reading in readings)))
    if twins:
        readings = [_read(path, today, twins) for path in chosen]
    owners = _owners(readings) if newest is None else _checked_owners(readings, drop.entries or {}, newest)
    stated, rejects = read_statements(ACCOUNTS, drop.statements[ACCOUNTS.name])
    renames = Renames(stated)
    told = (
        _renamed(one, renames)
        for reading in readings
        for one in reading.told
        if owners[one.fill.account_id, one.fill.session_date] == reading.path.name
    )
    return settle(told), [reject for reading in readings for reject in reading.rejects] + rejects


def _renamed(told: Told, renames: Renames) -> Told:
    fill = told.fill
    return told._replace(fill=fill._replace(account_id=renames.current_name(fill.account_id, fill.session_date)))


def read_stated(folder: Path, marks: Path | None = None) -> tuple[Statements, list[Reject]]:
    """Read what the statement files of a file drop say; they have no publication time.

    Parameters
    ----------
    marks
        File of closing prices that stands in for those in the folder.

    Raises
    ------
    InputError
        If the folder or any such file cannot be used as a whole.
    """
    files = open_folder(folder, dt.datetime.now(dt.UTC)).statements
    if marks is not None:
        files = files | {MARKS.name: (marks,)}
    read = {kind.name: read_statements(kind, files[kind.name]) for kind in KINDS if kind.name in Statements._fields}
    rejects = [reject for _, rejected in read.values() for reject in rejected]
    stated = Statements(**{name: rows for name, (rows, _) in read.items()})
    renames = Renames(read_statements(ACCOUNTS, files[ACCOUNTS.name])[0])
    return stated._replace(adjustments=[renames.rebooked(each) for each in stated.adjustments]), rejects


def newest_session(folder: Path) -> dt.date:
    """Return the last session with executions in a file drop.

    Raises
    ------
    InputError
        If the folder does not exist or no file in it holds an execution; names the files that cannot be read.
    """
    drop = open_folder(folder, dt.datetime.now(dt.UTC))
    reasons = [item.reason for item in drop.quarantined]
    today = dt.datetime.now(EXCHANGE_ZONE).date()
    days: set[dt.date] = set()
    for newest_possible, path in _newest_first(drop):
        if days and newest_possible is not None and newest_possible <= max(days):
            break
        try:
            days |= _sessions(path, today)
        except InputError as error:
            reasons.append(str(error))
    if not days:
        listed = "".join(f"\n- {reason}" for reason in reasons)
        raise InputError(f"No file in {folder} holds an execution: there is no session to run for.{listed}")
    return max(days)


def _newest_first(drop: DropFolder) -> list[tuple[dt.date | None, Path]]:
    """List the files, the ones that may hold the newest session first, with that session where a manifest says it."""
    if drop.entries is None:
        return [(None, path) for path in drop.fills]
    listed = [(max(entry.session_date for entry in drop.entries[path.name]), path) for path in drop.fills]
    return sorted(listed, reverse=True)


def _sessions(path: Path, today: dt.date) -> set[dt.date]:
    """List the sessions in one file."""
    with CsvStream(path) as stream:
        place = staging_columns(stream.header, stream.name).index("date_time")
        texts = {record.fields[place][:10] for record in stream.records() if len(record.fields) > place}
    midnights = [f"{text} 00:00:00" for text in texts]
    return {session_of(day_of(text)) for text in midnights if moment_code(text, today) is None}


def _newest(entries: Mapping[str, Iterable[Entry]], as_of: dt.datetime | None) -> dict[Key, str]:
    """Pick the file of the newest version of each account-session.

    Raises
    ------
    InputError
        If two versions were published at the same instant.
    """
    versions: defaultdict[Key, list[Entry]] = defaultdict(list)
    for listed in entries.values():
        for entry in listed:
            if as_of is None or entry.published_at <= as_of:
                versions[entry.account_id, entry.session_date].append(entry)
    newest = {}
    for key, rivals in versions.items():
        last = max(rivals, key=lambda entry: entry.published_at)
        _refuse_clash(key, [entry.file_name for entry in rivals if entry.published_at == last.published_at])
        newest[key] = last.file_name
    return newest


def _refuse_clash(key: Key, names: Collection[str]) -> None:
    if len(names) > 1:
        raise InputError(
            f"{' and '.join(sorted(names))} both deliver account {key[0]} for session {key[1]} and nothing says which "
            "is newer. Remove one, or name both with published_at in manifest.csv."
        )


def _owners(readings: Iterable[_Reading]) -> dict[Key, str]:
    """Name the one file of each account-session, where no manifest does."""
    names: defaultdict[Key, set[str]] = defaultdict(set)
    for reading in readings:
        for one in reading.told:
            names[one.fill.account_id, one.fill.session_date].add(reading.path.name)
    for key, files in names.items():
        _refuse_clash(key, files)
    return {key: min(files) for key, files in names.items()}


def _checked_owners(
    readings: Iterable[_Reading], entries: Mapping[str, Iterable[Entry]], newest: dict[Key, str]
) -> dict[Key, str]:
    """Return the newest versions' files after placing each fill in a session that its file's entries name."""
    for reading in readings:
        named = {(entry.account_id, entry.session_date) for entry in entries[reading.path.name]}
        own = named & {(one.fill.account_id, one.fill.session_date) for one in reading.told}
        reading.told = [one._replace(fill=_placed(reading.path.name, one.fill, named, own)) for one in reading.told]
    return newest


def _placed(file_name: str, fill: Fill, named: Collection[Key], own: Collection[Key]) -> Fill:
    """Move an execution of an earlier day into the session its file delivers.

    The vendor lists the opening execution of an overnight position in the file of the session that closed it, beside
    executions of that session itself.
    """
    if (fill.account_id, fill.session_date) in named:
        return fill
    later = [day for account_id, day in own if account_id == fill.account_id and day > fill.session_date]
    if not later:
        raise InputError(
            f"{file_name} line {fill.line_number} holds an execution of account {fill.account_id} on "
            f"{fill.session_date}, which its entry in manifest.csv does not name. Correct the entry or the file."
        )
    return fill._replace(session_date=min(later))


def _twins(account_ids: Iterable[str]) -> dict[str, str]:
    """Map each account to another one with the same first 20 characters."""
    stems: defaultdict[str, list[str]] = defaultdict(list)
    for account_id in sorted(account_ids):
        stems[account_id[:20]].append(account_id)
    return {
        name: names[-1] if name == names[0] else names[0]
        for names in stems.values()
        if len(names) > 1
        for name in names
    }


def _read(path: Path, today: dt.date, twins: Mapping[str, str]) -> _Reading:
    """Judge every record of a file; fills without ids are kept even where they repeat."""
    judged: list[tuple[Record, Told]] = []
    with CsvStream(path) as stream:
        reading = _Reading(path, staging_columns(stream.header, stream.name), twins)
        for record in stream.records():
            if len(record.fields) != len(reading.columns):
                reading.reject(record, ["ragged"])
                continue
            named = dict(zip(reading.columns, record.fields, strict=True))
            codes = codes_of(named, today, twins)
            if "account_name" not in codes:
                reading.account_ids.add(named["account"].strip(" "))
            if codes:
                reading.reject(record, codes)
            else:
                judged.append((record, _told(named, record.line_number)))
    _settle_repeats(reading, judged)
    return reading


def _told(named: Mapping[str, str], line_number: int) -> Told:
    kind = kind_of(named.get("status", "")) or "live"
    fill = fill_of(dict(named), line_number)
    return Told(kind, named.get("propreports_id") or named.get("fill_id") or "", fill, fill.account_id)


def _settle_repeats(reading: _Reading, judged: list[tuple[Record, Told]]) -> None:
    """Keep one of several equal executions with the same id; reject those that differ under one id.

    Corrections repeat an id on purpose.
    """
    counts = Counter(_identity(told) for _, told in judged if told.key and told.kind == "live")
    contents: defaultdict[Identity, set[Content]] = defaultdict(set)
    for record, told in judged:
        if told.kind == "live" and counts[_identity(told)] > 1:
            contents[_identity(told)].add(_content(reading, record, told.fill))
    seen: set[Identity] = set()
    for record, told in judged:
        if told.kind != "live" or not told.key:
            reading.told.append(told)
        elif len(contents.get(_identity(told), ())) > 1:
            reading.reject(record, ["repeated_id"])
        elif _identity(told) not in seen:
            reading.told.append(told)
            seen.add(_identity(told))
    reading.rejects.sort(key=lambda reject: reject.line_number)


def _identity(told: Told) -> Identity:
    return told.fill.account_id, told.fill.session_date, told.key


def _content(reading: _Reading, record: Record, fill: Fill) -> Content:
    """Return what makes two records with one id the same."""
    named = dict(zip(reading.columns, record.fields, strict=True))
    ids = tuple(named.get(name, "") for name in ("order_id", "propreports_id", "fill_id"))
    return (*fill._replace(line_number=0), *ids)
