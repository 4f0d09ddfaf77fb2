"""Loading a source into the warehouse: deliveries, fills, rejects and marks in one transaction."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.core.errors import InputError
from risk.core.settings import EXCHANGE_ZONE, settings
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.ingest.kinds import KINDS
from risk.ingest.opening import open_load, reject_backdated_history
from risk.ingest.reasons import Quarantine
from risk.ingest.shapes import SYMBOL_PATTERN
from risk.ingest.sources.folder import MARKER, DropFolder, open_folder
from risk.ingest.staging import stage_file, stage_reasons
from risk.ingest.statements import stage_statements
from risk.ingest.streams import file_sha256
from risk.ingest.totals import store_manifest_totals

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """What one look at a source brought.

    Attributes
    ----------
    load_id
        Key in ``loads``.
    file_count
        Files read now; files known from an earlier load with the same bytes are passed over.
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


def raise_for_quarantine(load: Load) -> None:
    """Raise if a load had to refuse a file; what it did load stays loaded.

    Raises
    ------
    InputError
        Names every refused file with its reason.
    """
    if load.quarantined:
        listed = "\n".join(f"- {item.reason}" for item in load.quarantined)
        raise InputError(
            f"{len(load.quarantined)} of the delivered files cannot be used; all others are loaded. Mend them, then "
            f"clear this task.\n{listed}"
        )


def known_load(connection: Connection, session_date: dt.date) -> Load | None:
    """Return the last look for a session as one that brings nothing new, or nothing where there was none."""
    with connection:
        ((load_id,),) = rows(connection, "extract_fills/select_last_load", {"session_date": session_date})
    return Load(load_id, 0, 0, 0, 0, ()) if load_id else None


def load_drop(
    connection: Connection,
    folder: Path,
    through_session_date: dt.date,
    *,
    is_simulated: bool,
    is_history: bool = False,
) -> Load:
    """Load what a file drop says up to a session, and commit.

    Loading the same folder again changes nothing but the log of loads.

    Parameters
    ----------
    through_session_date
        Executions of later sessions wait for a later load.
    is_simulated
        Whether this installation runs on the simulated desk.
    is_history
        Import a history: what the manifest says was published counts as recorded then. Closing prices have no such
        time and count from now.

    Raises
    ------
    RequestError
        If a history is to be imported for sessions that were run as they happened; nothing is stored.
    InputError
        If the folder is missing or empty, or real and simulated desks would meet in one warehouse; nothing is stored.
        A bad file does not raise: it is in ``Load.quarantined``.
    """
    if folder.is_dir() and (folder / MARKER).is_file() != is_simulated:
        found, desk = ("a simulated", "not simulated") if not is_simulated else ("a real", "simulated")
        raise InputError(
            f"{folder} holds {found} desk, and RISK_DESK is {desk}: use another folder, or another RISK_DESK with its "
            "own warehouse."
        )
    with writing(connection):
        if is_history:
            reject_backdated_history(connection, through_session_date)
        kind = {"is_simulated": is_simulated, "is_history": is_history}
        opened = open_load(connection, str(folder), through_session_date, kind)
        return _load_folder(connection, open_folder(folder, opened["recorded_at"]), opened)


def load_fetched(
    connection: Connection, folder: Path, source: str, through_session_date: dt.date, *, is_simulated: bool
) -> Load:
    """Load a folder that was filled from another source, and commit.

    Parameters
    ----------
    source
        What the log of loads calls it.

    Raises
    ------
    InputError
        As ``load_drop``.
    """
    with writing(connection):
        kind = {"is_simulated": is_simulated, "is_history": False}
        opened = open_load(connection, source, through_session_date, kind)
        return _load_folder(connection, open_folder(folder, opened["recorded_at"]), opened)


def _load_folder(connection: Connection, drop: DropFolder, opened: dict[str, Any]) -> Load:
    """Stage, check and store a file drop inside the caller's transaction."""
    _prepare(connection)
    known = records(connection, "extract_fills/select_loaded_files", {"as_of": opened["recorded_at"]})
    kept, fresh = _kept_and_fresh(drop, {row["file_name"]: row for row in known})
    staged, refused = _stage(connection, drop, fresh)
    has_manifest = drop.entries is not None
    _check(connection, opened, has_manifest=has_manifest)
    quarantined = [*drop.quarantined, *refused, *_quarantine(connection, kept, has_manifest=has_manifest)]
    delivery_count, fill_count = _store(connection, opened)
    rejected_count = _store_rejects(connection, staged, opened["load_id"])
    execute(connection, "extract_fills/insert_source_files", opened)
    digests = {row["file_name"]: row["content_sha256"] for row in known}
    store_manifest_totals(connection, drop, opened)
    stated = [stage_statements(connection, kind, drop.statements[kind.name], opened, digests) for kind in KINDS]
    quarantined += [item for staged_kind in stated for item in staged_kind.quarantined]
    for item in quarantined:
        _log_quarantine(connection, drop, item, opened["load_id"])
    execute(connection, "extract_fills/drop_staged")
    return Load(
        opened["load_id"],
        len(fresh) + sum(staged_kind.file_count for staged_kind in stated),
        delivery_count,
        fill_count,
        rejected_count + sum(staged_kind.rejected_count for staged_kind in stated),
        tuple(sorted(quarantined)),
    )


def _prepare(connection: Connection) -> None:
    """Create the staging tables; big enough sort memory spares a million fills the disk."""
    with connection.cursor() as cursor:
        cursor.execute("set local search_path = risk, derived, results, staging; set local work_mem = '128MB'")
        cursor.execute("set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0")
        cursor.execute("set local datestyle = 'ISO, MDY'")
    for table in ("files", "entries", "fills", "texts", "rejects", "reasons"):
        execute(connection, f"extract_fills/create_staged_{table}")


def _kept_and_fresh(drop: DropFolder, known: Mapping[str, dict[str, Any]]) -> tuple[dict[str, int], list[Path]]:
    """Split the files into those whose bytes an earlier load has stored whole, and those to read."""
    kept: dict[str, int] = {}
    fresh: list[Path] = []
    for path in drop.fills:
        row = known.get(path.name)
        is_told = row is not None and row["manifest_entries"] == drop.entries_text(path) and not _waits(drop, path, row)
        if row is not None and is_told and row["content_sha256"] == file_sha256(path):
            kept[path.name] = row["load_id"]
        else:
            fresh.append(path)
    return kept, fresh


def _waits(drop: DropFolder, path: Path, row: Mapping[str, Any]) -> bool:
    """Tell whether an entry was for a later session than the load that read the file: empty, it left no trace then."""
    entries = drop.entries[path.name] if drop.entries else ()
    return any(entry.session_date > row["through_session_date"] for entry in entries)


def _stage(connection: Connection, drop: DropFolder, fresh: Iterable[Path]) -> tuple[dict[int, Path], list[Quarantine]]:
    """Copy files into staging and list what the manifest says of them; refuse those that cannot be right."""
    staged: dict[int, Path] = {}
    refused: list[Quarantine] = []
    for file_number, path in enumerate(fresh, start=1):
        try:
            copied = stage_file(connection, path, file_number)
        except InputError as error:
            refused.append(Quarantine(path.name, str(error)))
            continue
        staged[file_number] = path
        file = {
            "file_number": file_number,
            "file_name": path.name,
            "content_sha256": copied.content_sha256,
            "record_count": copied.record_count,
            "manifest_entries": drop.entries_text(path),
        }
        execute(connection, "extract_fills/insert_staged_files", file)
        if drop.entries is not None:
            entries = drop.entries[path.name]
            listed = {
                "file_number": file_number,
                "account_ids": [entry.account_id for entry in entries],
                "session_dates": [entry.session_date for entry in entries],
                "published_ats": [entry.published_at for entry in entries],
            }
            execute(connection, "extract_fills/insert_staged_entries", listed)
    return staged, refused


def _check(connection: Connection, opened: dict[str, Any], *, has_manifest: bool) -> None:
    """Judge every distinct date, account and symbol once, then every record, then every delivery."""
    binds = {
        "today": opened["recorded_at"].astimezone(EXCHANGE_ZONE).date(),
        "account_pattern": settings().account_pattern,
        "symbol_pattern": SYMBOL_PATTERN,
        "through_session_date": opened["through_session_date"],
        "canceled_statuses": list(settings().canceled_statuses),
        "corrected_statuses": list(settings().corrected_statuses),
    }
    execute(connection, "extract_fills/insert_staged_fills")
    for table in ("moments", "names", "symbols"):
        execute(connection, f"extract_fills/create_staged_{table}", binds)
    execute(connection, "extract_fills/analyze_staged")
    execute(connection, "extract_fills/create_checked_fills", binds)
    execute(connection, "extract_fills/analyze_checked_fills")
    if has_manifest:
        execute(connection, "extract_fills/move_checked_fills")
        execute(connection, "extract_fills/delete_checked_fills", binds)
    for step in ("update_checked_fills", "create_checked_exceptions", "update_checked_corrections"):
        execute(connection, f"extract_fills/{step}")
    execute(connection, "extract_fills/create_staged_deliveries", binds)


def _quarantine(connection: Connection, kept: dict[str, int], *, has_manifest: bool) -> list[Quarantine]:
    """Refuse files that contradict each other or the manifest."""
    kept_files = {"kept_names": list(kept), "kept_load_ids": list(kept.values())}
    execute(connection, "extract_fills/update_staged_files", {"has_manifest": has_manifest} | kept_files)
    refused = [
        Quarantine(name, reason) for name, _digest, reason in rows(connection, "extract_fills/select_quarantined_files")
    ]
    execute(connection, "extract_fills/delete_quarantined_deliveries")
    execute(connection, "extract_fills/delete_quarantined_rejects")
    return refused


def _store(connection: Connection, opened: dict[str, Any]) -> tuple[int, int]:
    """Store what is new and return the numbers of deliveries and fills."""
    execute(connection, "extract_fills/update_staged_deliveries", opened)
    delivery_count = execute(connection, "extract_fills/insert_deliveries", opened)
    if not delivery_count:
        return 0, 0
    execute(connection, "extract_fills/number_staged_deliveries", opened)
    execute(connection, "extract_fills/analyze_staged_deliveries")
    fill_count = execute(connection, "extract_fills/insert_fills")
    for step in ("insert_corrections", "summarize_fills", "analyze_loaded"):
        execute(connection, f"extract_fills/{step}")
    return delivery_count, fill_count


def _store_rejects(connection: Connection, staged: dict[int, Path], load_id: int) -> int:
    """Find the raw text of rejected records, one pass over each file that has any, and store them."""
    execute(connection, "extract_fills/insert_staged_rejects")
    twins = dict(rows(connection, "extract_fills/select_collisions"))
    for (file_number,) in rows(connection, "extract_fills/select_rejecting_files"):
        codes = dict(rows(connection, "extract_fills/select_staged_rejects", {"file_number": file_number}))
        stage_reasons(connection, staged[file_number], file_number, codes, twins)
    return execute(connection, "extract_fills/insert_fill_rejects", {"load_id": load_id})


def _log_quarantine(connection: Connection, drop: DropFolder, item: Quarantine, load_id: int) -> None:
    path = drop.path / item.file_name
    readable = path.is_file() and not path.is_symlink()
    binds = {
        "load_id": load_id,
        "file_name": item.file_name,
        "content_sha256": file_sha256(path) if readable else "",
        "reason": item.reason,
    }
    execute(connection, "extract_fills/insert_quarantined_files", binds)
    log.warning("quarantined %s: %s", item.file_name, item.reason)
