"""Runs the checks of a session and stores their results."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import great_expectations as gx
import psycopg2
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.exceptions.exceptions import GreatExpectationsError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from risk.checks.contracts import contract_findings
from risk.checks.suite import CHECKS, FINDINGS_STATEMENTS, THRESHOLDS, session_suite
from risk.core.errors import CheckError, QualityError
from risk.core.policy_store import read_policy
from risk.core.runs import Run
from risk.core.warehouse import Connection, connect, execute, rows, writing

SHOWN_FINDINGS: Final = 100
"""Findings of one check that are stored one by one; a last row counts the rest."""

FINDINGS_COLUMNS: Final = ("check_names", "subjects", "observeds", "findings")
"""Binds for the columns of ``FINDINGS_STATEMENTS``: arrays of equal length."""

SYMBOL_CHECK: Final = "price_near_median"
"""The check with one row for each symbol of the session."""

STORED_SEVERITY: Final = {"critical": "fail", "warning": "warn"}
"""Words of ``quality_results`` for the severities of Great Expectations."""


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How many results a run's checks gave.

    Attributes
    ----------
    passed
        Checks without a finding.
    warned
        Findings that are listed in the report.
    """

    passed: int
    warned: int


def check_fills(connection: Connection, dsn: str, run: Run) -> CheckCounts:
    """Check what is known about a run's session, store every result and commit.

    Parameters
    ----------
    dsn
        The same warehouse, for the connection of Great Expectations.

    Raises
    ------
    QualityError
        If a critical check has a finding; all results are stored.
    CheckError
        If a check could not be computed, which says nothing about the data; nothing is stored.
    """
    binds = THRESHOLDS | {"session_date": run.session_date, "as_of": run.as_of, "load_id": run.load_id}
    try:
        with connection:
            binds |= read_policy(connection, run.effective_session, run.as_of).desk.accounts.coverage_binds
            found = [row for name in FINDINGS_STATEMENTS for row in rows(connection, name, binds)]
            symbols = [subject for check_name, subject, *_ in found if check_name == SYMBOL_CHECK]
            found += contract_findings(connection, run, symbols)
        observed = dict(zip(FINDINGS_COLUMNS, map(list, zip(*found, strict=True)), strict=True))
        has_passed = _validate(dsn, observed)
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        raise
    except (psycopg2.Error, SQLAlchemyError, GreatExpectationsError) as error:
        # SQLAlchemy repeats the whole statement in its message; the driver's sentence is enough.
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        raise CheckError(
            f"The checks of {run.session_date} could not be computed: {cause}. Retry this task."
        ) from error
    results = _store(connection, run, observed, has_passed)
    findings = [(severity, f"- {name}: {message}") for name, severity, is_ok, message in results if not is_ok]
    critical = [line for severity, line in findings if severity == "fail"]
    if critical:
        raise QualityError(
            f"{len(critical)} critical finding(s) on the fills of session {run.session_date}; no limits are computed "
            "from them. Fix the input, then clear task extract_fills.\n" + "\n".join(critical)
        )
    return CheckCounts(passed=len(results) - len(findings), warned=len(findings))


def _validate(dsn: str, observed: Mapping[str, Sequence[Any]]) -> dict[str, bool]:
    """Let Great Expectations validate the table of findings; return by check whether it passed.

    The table is temporary, on a connection that Great Expectations borrows: it gets no address and no password.
    """
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    with contextlib.closing(connect(dsn)) as connection:
        with connection:
            execute(connection, "check_fills/create_session_findings", observed)
            (temporary_schema,) = rows(connection, "check_fills/select_temporary_schema")[0]
        source = context.data_sources.add_postgres(  # type: ignore[call-arg]  # its stub lacks kwargs
            "warehouse",
            connection_string="postgresql+psycopg2://borrowed@connection/warehouse",
            kwargs={"creator": lambda: connection, "poolclass": StaticPool},
            create_temp_table=False,
        )
        table = source.add_table_asset("findings", table_name="session_findings", schema_name=temporary_schema)
        session = table.add_batch_definition_whole_table("session")
        suite = context.suites.add(session_suite())
        definition = gx.ValidationDefinition(name="session", data=session, suite=suite)
        validated = context.validation_definitions.add(definition).run(result_format="BASIC")
    return {_check_name(result): bool(result.success) for result in validated.results}


def _check_name(result: ExpectationValidationResult) -> str:
    """Return the check that a result is about, after looking for an exception: a broken check looks like a finding."""
    meta = (result.expectation_config and result.expectation_config.meta) or {}
    information = result.exception_info or {}
    for noted in (information, *(value for value in information.values() if isinstance(value, dict))):
        if noted.get("raised_exception"):
            raise GreatExpectationsError(f"{meta.get('check')}: {noted.get('exception_message')}")
    return str(meta["check"])


def _store(
    connection: Connection, run: Run, observed: Mapping[str, Sequence[Any]], has_passed: Mapping[str, bool]
) -> list[tuple[Any, ...]]:
    """Replace the run's results and return each one's check, severity, whether it passed, and message."""
    judged = {
        "names": [check.name for check in CHECKS],
        "severities": [STORED_SEVERITY[check.severity] for check in CHECKS],
        "has_passeds": [has_passed[check.name] for check in CHECKS],
        "ok_messages": [check.ok_message for check in CHECKS],
    }
    binds = {"run_id": run.run_id, "shown_findings": SHOWN_FINDINGS, **observed, **judged}
    with writing(connection):
        return rows(connection, "check_fills/replace_quality_results", binds)
