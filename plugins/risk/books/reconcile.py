"""Checks of the finished books: the accounting identity, the source's own totals, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from risk.core.errors import BooksError
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, planning, records

TOLERANCE_USD: Final = Decimal("0.01")
MONEY_FORMAT: Final = "FMMI$999,999,999,999,990.00"
"""As the mail writes dollars, for Postgres."""

WINDOW_SESSIONS: Final = 20
"""A difference is reported each morning for so many sessions, or until it is settled."""

SHOWN_SIDE_CONFLICTS: Final = 100
"""Contradicting sides are listed for so many accounts and symbols; one more result counts the rest."""


def check_accounting_identity(connection: Connection, scope: Mapping[str, Any]) -> None:
    """Compute the books a second way in SQL, by the accounting identity, and raise where the two differ.

    Raises
    ------
    BooksError
        If they differ by a cent or a share.
    """
    # Sums by sorting: their window wants this order anyway.
    with planning(connection, enable_hashagg="off"):
        differences = records(connection, "aggregate_pnl/check_accounting_identity", scope)
    for found in differences:
        raise BooksError(
            f"The books of account {found['account_id']}, session {found['session_date']}, {found['symbol']} do not "
            f"balance: {found['measure']} is {found['books_number']} by lots and {found['fills_number']} by fills "
            f"({found['difference_count']} differences in all). Nothing was stored; call the developers."
        )


def reconcile(connection: Connection, run: Run) -> None:
    """Store where gross or net differ from the source's own totals, as quality results; the caller commits."""
    binds = {
        "run_id": run.run_id,
        "check_name": "totals_agree",
        "check_names": ["totals_agree"],
        "session_date": run.session_date,
        "as_of": run.as_of,
        "window_sessions": WINDOW_SESSIONS,
        "tolerance_usd": TOLERANCE_USD,
        "money": MONEY_FORMAT,
    }
    execute(connection, "aggregate_pnl/delete_quality_results", binds)
    execute(connection, "aggregate_pnl/insert_total_differences", binds)


def store_book_warnings(connection: Connection, run: Run) -> None:
    """Store side conflicts, unusable marks and incomplete books of the run's session; the caller commits."""
    inserts = {
        "sides_fit": "aggregate_pnl/insert_side_conflicts",
        "marks_usable": "aggregate_pnl/insert_unusable_marks",
        "books_complete": "aggregate_pnl/insert_incomplete_books",
    }
    binds = {
        "run_id": run.run_id,
        "check_names": list(inserts),
        "session_date": run.session_date,
        "as_of": run.as_of,
        "shown_count": SHOWN_SIDE_CONFLICTS,
    }
    execute(connection, "aggregate_pnl/delete_quality_results", binds)
    for check_name, insert in inserts.items():
        execute(connection, insert, {**binds, "check_name": check_name})
