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
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from risk.core.entities import Instrument
from risk.core.errors import FolderError, InputError, RequestError
from risk.core.exchange import exchange_zone
from risk.core.settings import Settings
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.ingest.completeness import Patience, count_differences, differing_file, growing_file
from risk.ingest.deliveries import FileDeliveries, find_deliveries
from risk.ingest.file_names import MARKER
from risk.ingest.folder import DropFolder, Entry, open_folder
from risk.ingest.opening import file_sha256, finding_of
from risk.ingest.parse import EXECUTIONS, Parser, Place, execution_table
from risk.ingest.reasons import Notice, say_first, summarize
from risk.ingest.reference_data import FILE_SPECS
from risk.ingest.reference_files import store_manifest_totals, store_reference_files
from risk.ingest.rules import FileFinding, RowRules, find_collisions
from risk.ingest.stage import (
    CORRECTION_COLUMNS,
    FILL_COLUMNS,
    LOG_COLUMNS,
    FileLog,
    StagedReject,
    copy_chunks,
    execution_chunks,
    row_chunks,
)

DELIVERY_COLUMNS = (
    *("file_name", "account_id", "session_date", "published_at", "stated_count"),
    *("row_count", "loaded_count", "lost_count", "duplicate_count", "content_sha256", "note"),
)

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
    waiting
        Files that are not complete yet: they were being written, or have fewer or more rows than their manifest states.
    """

    load_id: int
    file_count: int
    delivery_count: int
    fill_count: int
    rejected_count: int
    quarantined: tuple[FileFinding, ...] = ()
    waiting: tuple[FileFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """A file of executions that could be parsed.

    Attributes
    ----------
    executions
        Their tables, in a temporary file, so that memory does not grow with what is loaded.
    entries
        What the manifest says of it.
    entries_text
        All of that, as ``source_files`` keeps it.
    stated_counts
        Of its deliveries that have fewer or more rows than the manifest states, what it states.
    is_waiting
        Whether these are not loaded now.
    """

    name: str
    deliveries: FileDeliveries
    executions: IO[bytes]
    entries: Mapping[Place, Entry]
    entries_text: str | None
    stated_counts: Mapping[Place, int]
    is_waiting: bool

    @property
    def is_due(self) -> NDArray[np.bool_]:
        """Of each delivery, whether it is loaded now."""
        waiting = self.stated_counts if self.is_waiting else ()
        return np.array([place not in waiting for place in self.deliveries.places], bool)


def load_drop(
    connection: Connection,
    folder: Path,
    through_session_date: dt.date,
    settings: Settings,
    *,
    is_history: bool = False,
    patience: Patience | None = None,
    source: str = "",
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
    patience
        What to wait for; ``None`` = nothing.
    source
        Its name in the log of loads; empty = the folder's.

    Raises
    ------
    RequestError
        If a history is to be imported for sessions that were run live; nothing is stored.
    FolderError
        If the folder is missing, empty or a desk of the other kind; nothing is stored.
    InputError
        If real and simulated desks would meet in one warehouse; nothing is stored.
        A bad file does not raise: it is in ``Load.quarantined``.
    """
    if folder.is_dir() and (folder / MARKER).is_file() != settings.is_simulated:
        found, desk = ("a real", "simulated") if settings.is_simulated else ("a simulated", "not simulated")
        raise FolderError(
            f"{folder} holds {found} desk, and RISK_DESK is {desk}: use another folder, or another RISK_DESK with its "
            "own warehouse."
        )
    with writing(connection):
        if is_history:
            _reject_backdated_history(connection, through_session_date)
        name = source or str(folder)
        opened = _open_load(connection, name, through_session_date, settings, is_history=is_history)
        return _load_folder(connection, folder, opened, settings, patience or Patience())


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
    settings = settings.model_copy(update={"fills_mapping": ""})  # What is fetched has our columns.
    with writing(connection):
        opened = _open_load(connection, source, through_session_date, settings, is_history=False)
        return _load_folder(connection, folder, opened, settings, Patience())


def _reject_backdated_history(connection: Connection, through_session_date: dt.date) -> None:
    """Refuse to rewrite what was known on mornings that were run live."""
    ((first,),) = rows(connection, "runs/select_live_runs")
    if first is not None and through_session_date > first:
        raise RequestError(
            f"HISTORY=1 up to {through_session_date} is refused: session {first} was run live, and what was known "
            "since then is on record. Import the history into its own warehouse, or run without HISTORY=1."
        )


def _open_load(
    connection: Connection, source: str, through_session_date: dt.date, settings: Settings, *, is_history: bool
) -> dict[str, Any]:
    """Open a load inside the caller's transaction, unless earlier loads are of the other kind."""
    binds: dict[str, Any] = {
        "source": source,
        "through_session_date": through_session_date,
        "is_simulated": settings.is_simulated,
        "is_history": is_history,
    }
    opened = binds | records(connection, "extract_fills/insert_loads", binds)[0]
    if opened["is_mixed"]:
        kinds = ("real", "simulated") if settings.is_simulated else ("simulated", "real")
        raise InputError(
            f"This warehouse holds a {kinds[0]} desk and {source} is a {kinds[1]} one: they never mix. "
            "Use a separate warehouse for each."
        )
    return opened


def _load_folder(
    connection: Connection, folder: Path, opened: Mapping[str, Any], settings: Settings, patience: Patience
) -> Load:
    """Load a file drop inside the caller's transaction."""
    rules = RowRules(settings, opened["recorded_at"].astimezone(exchange_zone()).date())
    drop = open_folder(
        folder, opened["recorded_at"], settings.account_pattern, settings.fills_mapping, patience.growing
    )
    findings = [*drop.quarantined, *drop.unread]
    return _FolderLoad(connection, drop, opened, rules, settings.scratch_folder(), patience, findings).run()


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
    patience
        What is not loaded yet.
    findings, rejects, logs
        Files and rows that are not loaded, and what became of each file, so far.
    """

    connection: Connection
    drop: DropFolder
    opened: Mapping[str, Any]
    rules: RowRules
    scratch_dir: Path | None
    patience: Patience
    findings: list[FileFinding]
    rejects: list[StagedReject] = field(default_factory=list)
    logs: list[FileLog] = field(default_factory=list)

    def run(self) -> Load:
        """Parse, check and store the files."""
        loaded = records(self.connection, "extract_fills/select_loaded_files", {"as_of": self.opened["recorded_at"]})
        known = {row["file_name"]: row for row in loaded}
        listed = [path for path in self.drop.fills if path.name in known]
        kept = {path.name for path in listed if self.drop.is_loaded(path, known[path.name])}
        fresh = self._without_growing(path for path in self.drop.fills if path.name not in kept)
        with contextlib.ExitStack() as spools:
            parsed = self._parse(fresh, spools)
            files, delivery_ids = self._store_deliveries(parsed, {name: known[name]["load_id"] for name in kept})
            fill_count = self._store_executions(files, delivery_ids) if delivery_ids else 0
        for file in files:
            self._note_records(file, delivery_ids)
            notices = file.deliveries.notices.items()
            new = (listed for row, listed in notices if (file.name, file.deliveries.places[row]) in delivery_ids)
            for sentence in summarize(chain.from_iterable(new), "affected"):
                log.warning("%s", sentence)
        self._store_multipliers(files)
        reference_count = self._store_reference({name: row["content_sha256"] for name, row in known.items()})
        rejected_count = self._store_logs()
        return Load(
            self.opened["load_id"],
            len(fresh) + reference_count,
            len(delivery_ids),
            fill_count,
            rejected_count,
            *(
                tuple(sorted({item for item in self.findings if item.state == state}))
                for state in ("quarantined", "waiting")
            ),
        )

    def _without_growing(self, paths: Iterable[Path]) -> list[Path]:
        """Set files aside that are being written, and return the others."""
        listed = list(paths)
        self.findings += [growing_file(path.name) for path in listed if path.name in self.patience.growing]
        return [path for path in listed if path.name not in self.patience.growing]

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
            spool = spools.enter_context(tempfile.TemporaryFile(dir=self.scratch_dir))  # noqa: SIM115 - the stack does
            named = self.drop.entries.get(path.name)
            try:
                with pa.ipc.new_stream(spool, EXECUTIONS) as writer:
                    parsed = parser.parse(path, writer.write_table, self.drop.mappings.get(path.name))
                deliveries = find_deliveries(parsed, self.rules, named, through)
            except InputError as error:
                self.findings.append(finding_of(path, error))
                continue
            files.append(self._file(path, deliveries, spool))
        return files

    def _file(self, path: Path, deliveries: FileDeliveries, spool: IO[bytes]) -> _File:
        """Compare a file with what the manifest states of it."""
        entries = self.drop.entries.get(path.name, {})
        stated = count_differences(deliveries, {place: entry.stated_count for place, entry in entries.items()})
        is_waiting = self.patience.waits_for_rows and bool(stated)
        if is_waiting:
            self.findings.append(differing_file(path.name, deliveries, stated))
        return _File(path.name, deliveries, spool, entries, self.drop.entries_text(path), stated, is_waiting)

    def _store_deliveries(
        self, files: Sequence[_File], kept: Mapping[str, int]
    ) -> tuple[list[_File], dict[tuple[str, Place], int]]:
        """Store the deliveries that say something new; files that contradict each other are quarantined.

        Parameters
        ----------
        kept
            Files skipped as unchanged, with the load that read them.

        Returns
        -------
        files, delivery_ids
            The other files, and the keys of new deliveries by file, account and session.
        """
        execute(self.connection, "extract_fills/create_staged")
        staged = (
            (
                *(file.name, *place),
                file.entries[place].published_at if file.entries else None,
                file.stated_counts.get(place),
                *counts,
            )
            for file in files
            for place, is_due, counts in zip(
                file.deliveries.places, file.is_due, file.deliveries.counts.to_numpy().tolist(), strict=True
            )
            if is_due
        )
        copy_chunks(self.connection, "pg_temp.staged_deliveries", DELIVERY_COLUMNS, row_chunks(staged))
        for repeated in rows(self.connection, "extract_fills/delete_withdrawn_deliveries", self.opened):
            log.warning("%s: account %s, session %s is withdrawn by %s (%s) and not loaded again", *repeated)
        binds = {"kept_names": list(kept), "kept_load_ids": list(kept.values())}
        refused = dict(rows(self.connection, "extract_fills/delete_quarantined_deliveries", binds))
        self.findings += [FileFinding(*item) for item in refused.items()]
        execute(self.connection, "extract_fills/analyze_staged_deliveries")
        execute(self.connection, "extract_fills/update_staged_deliveries", self.opened)
        stored = rows(self.connection, "extract_fills/insert_deliveries", self.opened)
        delivery_ids = {(name, (account_id, day)): delivery_id for name, account_id, day, delivery_id in stored}
        return [file for file in files if file.name not in refused], delivery_ids

    def _store_executions(self, files: Sequence[_File], delivery_ids: Mapping[tuple[str, Place], int]) -> int:
        """Store fills and corrections of new deliveries, and return the number of fills."""
        fills, corrections = list[Iterator[bytes]](), list[Iterator[bytes]]()
        for file in files:
            deliveries = file.deliveries
            keys = np.array([delivery_ids.get((file.name, place), 0) for place in deliveries.places], np.int64)
            file.executions.seek(0)
            tables = (pa.Table.from_batches([batch]) for batch in pa.ipc.open_stream(file.executions))
            fills.append(execution_chunks(deliveries, tables, keys, FILL_COLUMNS))
            corrected = map(execution_table, deliveries.parsed.corrections)
            corrections.append(execution_chunks(deliveries, corrected, keys, CORRECTION_COLUMNS))
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
        counts = file.deliveries.counts[file.is_due]
        is_new = np.array([(file.name, place) in delivery_ids for place in file.deliveries.places], bool)
        new = counts[is_new[file.is_due]]
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

    def _store_multipliers(self, files: Iterable[_File]) -> None:
        """Store the multipliers that executions state; an instruments file of the same load has the last word."""
        stated = [
            (file.name, line_number, *row)
            for file in files
            for line_number, row in file.deliveries.parsed.multipliers.statements(self.opened["through_session_date"])
        ]
        if stated:
            columns = ("file_name", "line_number", *Instrument._fields)
            copy_chunks(self.connection, "pg_temp.staged_instruments", columns, row_chunks(stated))
            rows(self.connection, "extract_fills/insert_instruments", self.opened)

    def _store_reference(self, loaded: Mapping[str, str]) -> int:
        """Store what the manifest and the reference files state, and return how many of these files were read."""
        if self.drop.entries:
            store_manifest_totals(self.connection, self.drop, self.opened)
        file_count = 0
        for spec in FILE_SPECS:
            listed = self.drop.reference_files[spec.name]
            unchanged = [path for path in listed if loaded.get(path.name) == file_sha256(path)]
            settled = self._without_growing(path for path in listed if path not in unchanged)
            paths = sorted([*unchanged, *settled])
            stored = store_reference_files(self.connection, spec, paths, self.opened, loaded, self.rules)
            self.logs += stored.logs
            self.rejects += stored.rejects
            self.findings += stored.findings
            file_count += len(stored.logs) + len(stored.findings)
        return file_count

    def _store_logs(self) -> int:
        """Store what became of each file, of several findings about one the first, and the rejected records.

        Returns
        -------
        rejected_count
            Records that no earlier load has rejected.
        """
        logs = {file.file_name: file for file in self.logs}
        for item in dict.fromkeys(self.findings):
            noted = logs.get(item.file_name)
            if noted is None:
                noted = FileLog(item.file_name, file_sha256(self.drop.path / item.file_name), state=item.state)
                logs[item.file_name] = noted._replace(reason=item.reason)
            elif item.state == "waiting" and not noted.state:
                logs[item.file_name] = noted._replace(reason=item.reason, state=item.state)
        said = [f"{item.state} {item.file_name}: {item.reason}" for item in dict.fromkeys(self.findings)]
        for sentence in say_first(said, "more files are not loaded: the Risk page lists them."):
            log.warning("%s", sentence)
        listed = (file.row(self.opened["load_id"]) for file in logs.values())
        rejected_count = 0
        if self.rejects:
            copy_chunks(self.connection, "pg_temp.staged_rejects", StagedReject._fields, row_chunks(self.rejects))
            rejected_count = execute(self.connection, "extract_fills/insert_fill_rejects", self.opened)
            for sentence in summarize(Notice(one.file_name, one.cause, one.reason) for one in self.rejects):
                log.warning("%s", sentence)
        copy_chunks(self.connection, "risk.source_files", LOG_COLUMNS, row_chunks(listed))
        return rejected_count
