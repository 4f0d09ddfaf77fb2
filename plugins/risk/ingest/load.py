"""Loading a source into the warehouse: deliveries, fills, rejects and reference data in one transaction."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from psycopg2 import sql

from risk.core.calendar import is_session
from risk.core.errors import InputError, RequestError
from risk.core.settings import EXCHANGE_ZONE, Settings
from risk.core.warehouse import Connection, execute, records, rows, statement, writing
from risk.ingest.deliveries import FileDeliveries, content_digest, find_deliveries
from risk.ingest.folder import MARKER, DropFolder, Entry, open_folder
from risk.ingest.parse import Parser, Place, execution_table
from risk.ingest.reference_data import FILE_SPECS
from risk.ingest.reference_files import store_manifest_totals, store_reference_files
from risk.ingest.rules import Quarantine, RowRules, find_collisions, row_rules
from risk.ingest.stage import (
    CORRECTION_COLUMNS,
    FILL_COLUMNS,
    LOG_COLUMNS,
    FileLog,
    Spool,
    StagedReject,
    copy_chunks,
    copy_rows,
    execution_chunks,
)
from risk.ingest.streams import file_sha256

DELIVERY_COLUMNS = (
    *("file_name", "account_id", "session_date", "published_at"),
    *("row_count", "loaded_count", "duplicate_count", "content_sha256"),
)

CREATE_STAGED = (
    "extract_fills/create_staged_files",
    "extract_fills/create_staged_deliveries",
    "extract_fills/create_staged_rejects",
)

QUERY_NAME = "select_source_fills"
"""The statement that another Postgres is asked: names the source in the log of loads, and its file."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """What one load of a source brought.

    Attributes
    ----------
    load_id
        Key in ``loads``.
    file_count
        Files read now; files known from an earlier load with the same bytes are skipped.
    delivery_count, fill_count, rejected_count
        What was new.
    quarantined
        Files and manifest entries refused as a whole; everything else is loaded.
    """

    load_id: int
    file_count: int
    delivery_count: int
    fill_count: int
    rejected_count: int
    quarantined: tuple[Quarantine, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """A file of executions that could be parsed.

    Attributes
    ----------
    entries
        What the manifest says of it, of sessions that are due.
    entries_text
        All of that, as ``source_files`` keeps it.
    """

    name: str
    deliveries: FileDeliveries
    executions: Spool
    entries: Mapping[Place, Entry]
    entries_text: str | None


def load_drop(
    connection: Connection,
    folder: Path,
    through_session_date: dt.date,
    settings: Settings,
    *,
    is_history: bool = False,
) -> Load:
    """Load what a file drop says up to a session, and commit.

    Loading the same folder again changes nothing but the log of loads.

    Parameters
    ----------
    through_session_date
        Executions of later sessions wait for a later load.
    is_history
        Import a history: what the manifest says was published counts as recorded then. Closing prices have no such
        time and count from now.

    Raises
    ------
    RequestError
        If a history is to be imported for sessions that were run live; nothing is stored.
    InputError
        If the folder is missing or empty, or real and simulated desks would meet in one warehouse; nothing is stored.
        A bad file does not raise: it is in ``Load.quarantined``.
    """
    if folder.is_dir() and (folder / MARKER).is_file() != settings.is_simulated:
        found, desk = ("a real", "simulated") if settings.is_simulated else ("a simulated", "not simulated")
        raise InputError(
            f"{folder} holds {found} desk, and RISK_DESK is {desk}: use another folder, or another RISK_DESK with its "
            "own warehouse."
        )
    with writing(connection):
        if is_history:
            _reject_backdated_history(connection, through_session_date)
        return _load_folder(connection, folder, str(folder), through_session_date, settings, is_history=is_history)


def load_fetched(
    connection: Connection, folder: Path, source: str, through_session_date: dt.date, settings: Settings
) -> Load:
    """Load a folder that was filled from another source, and commit.

    Parameters
    ----------
    source
        Its name in the log of loads.

    Raises
    ------
    InputError
        As `load_drop`.
    """
    with writing(connection):
        return _load_folder(connection, folder, source, through_session_date, settings, is_history=False)


def load_query(connection: Connection, source: Connection, through_session_date: dt.date, settings: Settings) -> Load:
    """Load what another Postgres says up to a session, and commit.

    The answer of ``select_source_fills.sql`` is written to a temporary CSV file, so that it passes the same checks.

    Raises
    ------
    InputError
        As ``load_drop``.
    """
    with tempfile.TemporaryDirectory(prefix="risk-source-") as name:
        path = Path(name) / f"fills_{QUERY_NAME}.csv"
        with source.cursor() as cursor, path.open("wb") as file:
            binds = {"through_session_date": through_session_date}
            asked = cursor.mogrify(statement("extract_fills/select_source_fills"), binds).decode()
            query = sql.SQL(asked.strip().removesuffix(";"))
            cursor.copy_expert(sql.SQL("copy ({}) to stdout with (format csv, header)").format(query), file)
        return load_fetched(connection, Path(name), QUERY_NAME, through_session_date, settings)


def _reject_backdated_history(connection: Connection, through_session_date: dt.date) -> None:
    """Refuse to rewrite what was known on mornings that were run live."""
    ((first,),) = rows(connection, "runs/select_live_runs")
    if first is not None and through_session_date > first:
        raise RequestError(
            f"HISTORY=1 up to {through_session_date} is refused: session {first} was run live, and what was known "
            "since then is on record. Import the history into its own warehouse, or run without HISTORY=1."
        )


def _load_folder(
    connection: Connection,
    folder: Path,
    source: str,
    through_session_date: dt.date,
    settings: Settings,
    *,
    is_history: bool,
) -> Load:
    """Load a file drop inside the caller's transaction, unless earlier loads are of the other kind."""
    for (is_simulated,) in rows(connection, "extract_fills/select_simulated_loads"):
        if is_simulated != settings.is_simulated:
            kinds = ("simulated", "real") if is_simulated else ("real", "simulated")
            raise InputError(
                f"This warehouse holds a {kinds[0]} desk and {source} is a {kinds[1]} one: they never mix. "
                "Use a separate warehouse for each."
            )
    binds: dict[str, Any] = {
        "source": source,
        "through_session_date": through_session_date,
        "is_simulated": settings.is_simulated,
        "is_history": is_history,
    }
    opened = binds | records(connection, "extract_fills/insert_loads", binds)[0]
    rules = row_rules(settings, opened["recorded_at"].astimezone(EXCHANGE_ZONE).date())
    drop = open_folder(folder, opened["recorded_at"], rules.account_pattern)
    return _FolderLoad(connection, drop, opened, rules, settings.scratch_dir, list(drop.quarantined)).run()


@dataclass(slots=True)
class _FolderLoad:
    """One load of a file drop.

    Attributes
    ----------
    connection
        Inside a transaction.
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``, ``is_history``.
    scratch_dir
        Folder of temporary files.
    quarantined, rejects, logs
        What was refused, and what became of each file, so far.
    """

    connection: Connection
    drop: DropFolder
    opened: Mapping[str, Any]
    rules: RowRules
    scratch_dir: Path | None
    quarantined: list[Quarantine]
    rejects: list[StagedReject] = field(default_factory=list)
    logs: list[FileLog] = field(default_factory=list)

    def run(self) -> Load:
        """Parse, check and store the files."""
        known = records(self.connection, "extract_fills/select_loaded_files", {"as_of": self.opened["recorded_at"]})
        kept, fresh = _kept_and_fresh(self.drop, {row["file_name"]: row for row in known})
        with contextlib.ExitStack() as spools:
            files = self._stage(self._parse(fresh, spools), kept)
            delivery_ids = self._store_deliveries()
            fill_count = self._store_executions(files, delivery_ids) if delivery_ids else 0
        for file in files:
            self._note_records(file, delivery_ids)
        reference_count = self._store_reference({row["file_name"]: row["content_sha256"] for row in known})
        rejected_count = self._store_logs()
        return Load(
            self.opened["load_id"],
            len(fresh) + reference_count,
            len(delivery_ids),
            fill_count,
            rejected_count,
            tuple(sorted(self.quarantined)),
        )

    def _parse(self, paths: Sequence[Path], spools: contextlib.ExitStack) -> list[_File]:
        """Parse the files; if some of their accounts collide with one another or with stored ones, once more."""
        files = self._parse_once(paths, spools)
        stored = rows(self.connection, "extract_fills/select_delivered_accounts")
        named = {name for file in files for name in file.deliveries.parsed.account_ids}
        collisions = find_collisions(named.union(*stored))
        if not named & collisions.keys():
            return files
        self.rules = replace(self.rules, collisions=collisions)
        return self._parse_once([file.deliveries.parsed.path for file in files], spools)

    def _parse_once(self, paths: Iterable[Path], spools: contextlib.ExitStack) -> list[_File]:
        """Parse files; those that cannot be right as a whole are quarantined."""
        parser, files, through = Parser(self.rules), [], self.opened["through_session_date"]
        for path in paths:
            spool = spools.enter_context(Spool(self.scratch_dir))
            named = self.drop.named_places(path)
            try:
                deliveries = find_deliveries(parser.parse(path, spool), self.rules, named, through)
            except InputError as error:
                self.quarantined.append(Quarantine(path.name, str(error)))
                continue
            # Entries of days without trading are left out.
            due = {
                (entry.account_id, entry.session_date): entry
                for entry in (self.drop.entries[path.name] if self.drop.entries else ())
                if entry.session_date <= through and is_session(entry.session_date)
            }
            files.append(_File(path.name, deliveries, spool, due, self.drop.entries_text(path)))
        return files

    def _stage(self, files: Sequence[_File], kept: Mapping[str, int]) -> list[_File]:
        """List the deliveries in the warehouse; files that contradict each other are quarantined."""
        for name in CREATE_STAGED:
            execute(self.connection, name)
        copy_rows(self.connection, "staged_files", ("file_name",), ((file.name,) for file in files))
        staged = chain.from_iterable(map(_delivery_rows, files))
        copy_rows(self.connection, "staged_deliveries", DELIVERY_COLUMNS, staged)
        binds = {"kept_names": list(kept), "kept_load_ids": list(kept.values())}
        execute(self.connection, "extract_fills/update_staged_files", binds)
        refused = dict(rows(self.connection, "extract_fills/select_quarantined_files"))
        self.quarantined += [Quarantine(*item) for item in refused.items()]
        execute(self.connection, "extract_fills/delete_quarantined_deliveries")
        return [file for file in files if file.name not in refused]

    def _store_deliveries(self) -> dict[tuple[str, Place], int]:
        """Store the deliveries that say something new and return their keys by file, account and session."""
        execute(self.connection, "extract_fills/analyze_staged_deliveries")
        execute(self.connection, "extract_fills/update_staged_deliveries", self.opened)
        stored = rows(self.connection, "extract_fills/insert_deliveries", self.opened)
        return {(file_name, (account_id, day)): delivery_id for file_name, account_id, day, delivery_id in stored}

    def _store_executions(self, files: Sequence[_File], delivery_ids: Mapping[tuple[str, Place], int]) -> int:
        """Store fills and corrections of new deliveries, and return the number of fills."""
        fills, corrections = list[Iterator[bytes]](), list[Iterator[bytes]]()
        for file in files:
            deliveries = file.deliveries
            keys = np.array([delivery_ids.get((file.name, place), 0) for place in deliveries.places], np.int64)
            fills.append(execution_chunks(deliveries, file.executions, keys, FILL_COLUMNS))
            tables = map(execution_table, deliveries.parsed.corrections)
            corrections.append(execution_chunks(deliveries, tables, keys, CORRECTION_COLUMNS))
        fill_count = copy_chunks(self.connection, "risk.fills", FILL_COLUMNS, chain.from_iterable(fills))
        copy_chunks(self.connection, "risk.corrections", CORRECTION_COLUMNS, chain.from_iterable(corrections))
        execute(self.connection, "extract_fills/summarize_fills")
        execute(self.connection, "extract_fills/analyze_loaded")
        return fill_count

    def _note_records(self, file: _File, delivery_ids: Mapping[tuple[str, Place], int]) -> None:
        """Note what became of the records of a file; those without account and session count in every load."""
        parsed, rejects = file.deliveries.parsed, file.deliveries.rejects
        for one in rejects:
            delivery_id = delivery_ids.get((file.name, one.place)) if one.place else None
            if one.place is None or delivery_id is not None:
                self.rejects.append(
                    StagedReject(*one.reject, parsed.content_sha256, delivery_id, one.account_id, one.session_date)
                )
        counts = file.deliveries.counts
        is_new = np.array([(file.name, place) in delivery_ids for place in file.deliveries.places], bool)
        new = counts[is_new]
        placed, unplaced = int(counts["row_count"].sum()), sum(one.place is None for one in rejects)
        loaded, duplicates = int(new["loaded_count"].sum()), int(new["duplicate_count"].sum())
        note = None
        if not parsed.record_count and file.entries_text is None:
            note = (
                f"{file.name} has a header and no rows, and no manifest.csv says for which account and session: "
                "it says nothing. Name it in a manifest if it means that nobody traded."
            )
        self.logs.append(
            FileLog(
                file.name,
                parsed.content_sha256,
                file.entries_text,
                note,
                loaded_count=loaded,
                rejected_count=int(new["row_count"].sum()) - loaded - duplicates + unplaced,
                duplicate_count=duplicates,
                unchanged_count=placed - int(new["row_count"].sum()),
                deferred_count=parsed.record_count - placed - unplaced,
            )
        )

    def _store_reference(self, loaded: Mapping[str, str]) -> int:
        """Store what the manifest and the reference files state, and return how many of these files were read."""
        store_manifest_totals(self.connection, self.drop, self.opened)
        file_count = 0
        for spec in FILE_SPECS:
            paths = self.drop.reference_files[spec.name]
            stored = store_reference_files(self.connection, spec, paths, self.opened, loaded, self.rules)
            self.logs += stored.logs
            self.rejects += stored.rejects
            self.quarantined += stored.quarantined
            file_count += len(stored.logs) + len(stored.quarantined)
        return file_count

    def _store_logs(self) -> int:
        """Store what became of each file, of several reasons to quarantine one the first, and the rejected records.

        Returns
        -------
        rejected_count
            Records that no earlier load has rejected.
        """
        logs = {file.file_name: file for file in self.logs}
        for item in self.quarantined:
            log.warning("quarantined %s: %s", item.file_name, item.reason)
            path = self.drop.path / item.file_name
            digest = file_sha256(path) if path.is_file() and not path.is_symlink() else ""
            logs.setdefault(item.file_name, FileLog(item.file_name, digest, reason=item.reason, is_quarantined=True))
        listed = (file.row(self.opened["load_id"]) for file in logs.values())
        rejected_count = 0
        if self.rejects:
            copy_rows(self.connection, "staged_rejects", StagedReject._fields, self.rejects)
            rejected_count = execute(self.connection, "extract_fills/insert_fill_rejects", self.opened)
        copy_rows(self.connection, "risk.source_files", LOG_COLUMNS, listed)
        return rejected_count


def _delivery_rows(file: _File) -> Iterator[tuple[object, ...]]:
    """Yield the deliveries of a file; what the manifest names and no record mentions is an empty one."""
    counts = file.deliveries.counts[["row_count", "loaded_count", "duplicate_count", "content_sha256"]]
    for place, row in zip(file.deliveries.places, counts.itertuples(index=False, name=None), strict=True):
        entry = file.entries.get(place)
        yield (file.name, *place, entry and entry.published_at, *row)
    for place, entry in file.entries.items():
        if place not in file.deliveries.places:
            yield (file.name, *place, entry.published_at, 0, 0, 0, content_digest(0, 0))


def _kept_and_fresh(drop: DropFolder, loaded: Mapping[str, dict[str, Any]]) -> tuple[dict[str, int], list[Path]]:
    """Split the files into those whose bytes an earlier load has stored whole, and those to read."""
    kept: dict[str, int] = {}
    fresh: list[Path] = []
    for path in drop.fills:
        row = loaded.get(path.name)
        if row is not None and _is_unchanged(drop, path, row):
            kept[path.name] = row["load_id"]
        else:
            fresh.append(path)
    return kept, fresh


def _is_unchanged(drop: DropFolder, path: Path, row: Mapping[str, Any]) -> bool:
    """Tell whether a file and what the manifest says of it are as an earlier load has found and stored them.

    An entry for a later session than that of the load, without executions, has left no trace then.
    """
    entries = drop.entries[path.name] if drop.entries else ()
    if row["manifest_entries"] != drop.entries_text(path):
        return False
    if any(entry.session_date > row["through_session_date"] for entry in entries):
        return False
    return bool(row["content_sha256"] == file_sha256(path))
