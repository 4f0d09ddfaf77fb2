"""What a source's own books say beside the versions in a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from risk.core.entities import ReportedPnl
from risk.core.warehouse import Connection, execute
from risk.ingest.sources.folder import MANIFEST, DropFolder
from risk.ingest.staging import copy_chunks, csv_chunks

COLUMNS = ("file_name", "line_number", *ReportedPnl._fields, "published_at")


def store_manifest_totals(connection: Connection, drop: DropFolder, opened: Mapping[str, Any]) -> None:
    """Store the gross and net P&L that a manifest gives for its versions, where they are new.

    Parameters
    ----------
    connection
        Inside the caller's transaction.
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``, ``is_history``.
    """
    told = [
        (MANIFEST, entry.line_number, *entry.reported, entry.published_at)
        for entries in (drop.entries or {}).values()
        for entry in entries
        if entry.reported and entry.session_date <= opened["through_session_date"]
    ]
    if told:
        execute(connection, "extract_fills/create_staged_totals")
        copy_chunks(connection, "staged_totals", COLUMNS, csv_chunks(told))
        execute(connection, "extract_fills/insert_totals", opened)
