"""Judge the session's data before anybody computes with it."""

from __future__ import annotations

from typing import Any

from risk.database import Connection
from risk.operators.base import RunOperator, warehouse_dsn
from risk.quality import check_fills
from risk.runs import Run


class CheckFillsOperator(RunOperator):
    """Run the expectations inside Postgres and store every verdict.

    A blocking finding fails the task and nothing downstream runs; a warning goes into the mail.
    """

    is_recalled = False

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Check the run's session."""
        verdicts = check_fills(connection, warehouse_dsn(), run)
        return {"passed": verdicts.passed, "warned": verdicts.warned}
