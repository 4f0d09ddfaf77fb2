"""Judge the session's data before anybody computes with it."""

from __future__ import annotations

from typing import Any

from risk.checks.run import check_fills
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.operators.base import RunOperator, warehouse_dsn


class CheckFillsOperator(RunOperator):
    """Run the expectations inside Postgres and store every verdict.

    A blocking finding fails the task and nothing downstream runs; a warning goes into the mail.
    """

    rebuilds_as_of = False

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Check the run's session."""
        verdicts = check_fills(connection, warehouse_dsn(), run)
        return {"passed": verdicts.passed, "warned": verdicts.warned}
