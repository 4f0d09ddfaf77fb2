"""What the page of the ledger reads from the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from risk.core.errors import RequestError
from risk.core.warehouse import Connection, records
from risk.web.charts import Chart, Worth, worth_chart
from risk.web.reading import Row


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The page of the ledger: the judgment of one run, and its parts added up in several ways, newest first."""

    result: Row
    chart: Chart | None
    traders: Sequence[Row]
    decisions: Sequence[Row]
    session_count: int
    newest_sessions: Sequence[Row]
    entries: Sequence[Row]


def read_ledger(connection: Connection, session_date: dt.date | None, row_count: int) -> LedgerView | None:
    """Read what past recommendations had been worth with a session; without a date what they are worth now.

    Returns
    -------
    LedgerView or None
        ``None`` = no run has judged them yet.

    Raises
    ------
    RequestError
        If the session has no judgment.
    """
    found = records(connection, "track_record/select_track_record", {"session_date": session_date})
    if not found and session_date is not None:
        raise RequestError(f"No run of session {session_date} has judged past recommendations: run it, or clear it.")
    if not found:
        return None
    known = {"session_date": found[0]["session_date"], "as_of": found[0]["as_of"]}
    benefits = records(connection, "track_record/select_benefits", known)
    sessions = [row for row in benefits if row["effective_session"] is not None]
    return LedgerView(
        found[0],
        worth_chart([_worth(row) for row in sessions]),
        [row for row in benefits if row["account_id"] is not None],
        [row for row in benefits if row["decision"] is not None],
        len(sessions),
        sessions[: -row_count - 1 : -1],
        records(connection, "track_record/select_newest_outcomes", {**known, "row_count": row_count}),
    )


def _worth(row: Row) -> Worth:
    return Worth(row["effective_session"], float(row["prevented_usd"]), float(row["forgone_usd"]))
