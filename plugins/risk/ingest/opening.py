"""Opening a load: which desks never meet in one warehouse, and when a history may still be imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from risk.core.errors import InputError, RequestError
from risk.core.warehouse import Connection, records, rows


def reject_backdated_history(connection: Connection, through_session_date: dt.date) -> None:
    """Refuse to rewrite what was known on mornings that were run as they happened."""
    ((first,),) = rows(connection, "runs/select_live_runs")
    if first is not None and through_session_date > first:
        raise RequestError(
            f"HISTORY=1 up to {through_session_date} is refused: session {first} was run as it happened, and what was "
            "known since then is on record. Import the history into a warehouse of its own, or run without HISTORY=1."
        )


def open_load(
    connection: Connection, source: str, through_session_date: dt.date, kind: Mapping[str, bool]
) -> dict[str, Any]:
    """Open a row in ``loads``, unless earlier loads are of the other kind."""
    for (other,) in rows(connection, "extract_fills/select_simulated_loads"):
        if other != kind["is_simulated"]:
            kinds = ("simulated", "real") if other else ("real", "simulated")
            raise InputError(
                f"This warehouse holds a {kinds[0]} desk and {source} is a {kinds[1]} one: they never mix. "
                "Use a warehouse of its own for each."
            )
    binds = {"source": source, "through_session_date": through_session_date, **kind}
    return binds | records(connection, "extract_fills/insert_loads", binds)[0]
