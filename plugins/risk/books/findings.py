"""Findings: what the books of a run's session show that somebody should look at, among the run's verdicts."""

from __future__ import annotations

from typing import Final

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute

FINDINGS: Final = {
    "sides_fit": "insert_side_results",
    "marks_usable": "insert_mark_results",
    "books_complete": "insert_completeness_results",
}
"""Name of the check to the statement that stores what it finds."""

SHOWN_FINDINGS: Final = 100
"""Contradicting sides are listed for so many accounts and symbols; one more verdict counts the rest."""


def store_book_warnings(connection: Connection, run: Run) -> None:
    """Store a verdict for everything found, in the place of an earlier attempt's; the caller commits."""
    for check_name, query in FINDINGS.items():
        binds = {
            "run_id": run.run_id,
            "check_name": check_name,
            "session_date": run.session_date,
            "as_of": run.as_of,
            "shown_findings": SHOWN_FINDINGS,
        }
        execute(connection, "aggregate_pnl/delete_quality_results", binds)
        execute(connection, f"aggregate_pnl/{query}", binds)
