"""Quality: the verdicts on a session's data before anybody computes with it."""

from __future__ import annotations

from dataclasses import dataclass

from risk.checks.suite import Verdict, judge
from risk.core.errors import QualityError
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, writing

__all__ = ["Verdict", "Verdicts", "check_fills"]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How many verdicts a run got.

    Attributes
    ----------
    passed, warned, failed
        Numbers of verdicts; ``failed`` is 0 unless the check raised.
    """

    passed: int
    warned: int
    failed: int


def check_fills(connection: Connection, dsn: str, run: Run) -> Verdicts:
    """Judge what is known about a run's session, store every verdict and commit.

    Parameters
    ----------
    dsn
        The same warehouse, for the connection of Great Expectations.

    Raises
    ------
    QualityError
        If a blocking check found something; all verdicts are stored.
    CheckError
        If a check could not be computed; nothing is stored.
    """
    verdicts = judge(connection, dsn, {"session_date": run.session_date, "as_of": run.as_of, "load_id": run.load_id})
    _store(connection, run, verdicts)
    failed = [verdict for verdict in verdicts if not verdict.has_passed and verdict.severity == "fail"]
    if failed:
        listed = "\n".join(f"- {verdict.check_name}: {verdict.message}" for verdict in failed)
        what = "1 blocking finding" if len(failed) == 1 else f"{len(failed)} blocking findings"
        raise QualityError(
            f"{what} on the fills of session {run.session_date}; no limits are computed from them. Mend the input, "
            f"then clear extract_fills.\n{listed}"
        )
    passed = sum(verdict.has_passed for verdict in verdicts)
    return Verdicts(passed=passed, warned=len(verdicts) - passed, failed=0)


def _store(connection: Connection, run: Run, verdicts: list[Verdict]) -> None:
    """Replace the run's verdicts."""
    names = ("check_names", "subjects", "severities", "has_passeds", "observeds", "messages")
    columns = dict(zip(names, map(list, zip(*verdicts, strict=True)), strict=True))
    with writing(connection):
        execute(connection, "check_fills/delete_quality_results", {"run_id": run.run_id})
        execute(connection, "check_fills/insert_quality_results", {"run_id": run.run_id} | columns)
