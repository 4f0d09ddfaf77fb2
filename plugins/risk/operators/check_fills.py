"""Check the session's data before anything is computed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection, records
from risk.operators.base import RunOperator, warehouse, warehouse_dsn


class CheckFillsOperator(RunOperator):
    """Run the suite of expectations inside Postgres and store every result.

    A critical finding fails the task and nothing downstream runs; a warning is listed in the report.
    """

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Check the run's session."""
        from risk.checks.run import check_fills

        counts = check_fills(connection, warehouse_dsn(), run)
        return {"passed": counts.passed, "warned": counts.warned}

    def assertions(self) -> Sequence[Mapping[str, Any]]:
        """Return the stored results."""
        with warehouse() as connection:
            return records(connection, "risk_page/select_check_results", {"run_id": int(self.run_id)})
