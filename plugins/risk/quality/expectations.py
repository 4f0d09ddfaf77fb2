"""Great Expectations on the warehouse: every expectation is a query, no execution leaves Postgres."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.database import Connection, statement
from risk.errors import CheckError
from risk.quality.checks import COLUMN_CHECKS, QUESTIONS, THRESHOLDS, ColumnCheck, Question, Severity

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.datasource.fluent.interfaces import Batch

SHOWN_FINDINGS: Final = 100
"""Findings of one check that are stored one by one; the last verdict counts the rest."""

RESULT_FORMAT: Final = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": SHOWN_FINDINGS,
    "unexpected_index_column_names": ["subject", "observed"],
}


class Verdict(NamedTuple):
    """A check's answer about one subject, as ``quality_results`` keeps it."""

    check_name: str
    subject: str
    severity: Severity
    has_passed: bool
    observed: str
    message: str


def judge(connection: Connection, dsn: str, binds: Mapping[str, Any]) -> list[Verdict]:
    """Run every check for one run.

    Parameters
    ----------
    connection
        Only quotes the binds.
    dsn
        Where Great Expectations connects.
    binds
        ``session_date``, ``as_of`` and ``load_id`` of the run.

    Raises
    ------
    CheckError
        If a check could not be computed; that says nothing about the data.
    """
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from sqlalchemy.exc import SQLAlchemyError

    known = THRESHOLDS | dict(binds)
    try:
        with _context() as context:
            verdicts = _column_verdicts(context, dsn, _quoted(connection, "select_fills", known))
            for question in QUESTIONS:
                query = _quoted(connection, question.query, known | question.binds)
                verdicts += _answers(context, dsn, question, query)
            return verdicts
    except (SQLAlchemyError, GreatExpectationsError) as error:
        raise CheckError(
            f"The session could not be checked: {error}. Its data may be fine: try this task again."
        ) from error


@contextlib.contextmanager
def _context() -> Iterator[EphemeralDataContext]:
    """Open a context that keeps nothing, reports to nobody and writes neither files nor progress bars."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        context = gx.get_context(mode="ephemeral", project_config=config)
        try:
            yield context
        finally:
            for datasource in list(context.data_sources.all().values()):
                datasource.get_execution_engine().close()


def _quoted(connection: Connection, name: str, binds: Mapping[str, Any]) -> str:
    """Put the binds into a statement as literals: an asset of Great Expectations is plain SQL, a select."""
    with connection.cursor() as cursor:
        query = cursor.mogrify(statement(f"check_fills/{name}"), binds).decode().strip().removesuffix(";")
        return str(sql.SQL("select * from (\n{}\n) as asked").format(sql.SQL(query)).as_string(cursor))


def _batch(context: EphemeralDataContext, dsn: str, name: str, query: str, *, is_stored: bool) -> Batch:
    """Give a query as a batch; a stored one is evaluated once into a temporary table."""
    kind = "stored" if is_stored else "read"
    # One source for all queries of a kind: each has connections of its own, and opening one takes as long as a query.
    source = context.data_sources.all().get(kind) or context.data_sources.add_postgres(
        kind, connection_string=_sqlalchemy_url(dsn), create_temp_table=is_stored
    )
    return source.add_query_asset(name, query=query).add_batch_definition_whole_table(name).get_batch()


def _sqlalchemy_url(dsn: str) -> str:
    """Translate a libpq URI or key-value string into the driver's URL."""
    from sqlalchemy import URL

    parts = parse_dsn(dsn)
    places = {"username": "user", "password": "password", "host": "host", "port": "port", "database": "dbname"}
    given: dict[str, Any] = {name: parts.pop(key) for name, key in places.items() if key in parts}
    if "port" in given:
        given["port"] = int(given["port"])
    return URL.create("postgresql+psycopg2", query=parts, **given).render_as_string(hide_password=False)


def _column_verdicts(context: EphemeralDataContext, dsn: str, query: str) -> list[Verdict]:
    """Judge the columns of the executions: all in one pass, numbers only where something is wrong."""
    import great_expectations as gx

    batch = _batch(context, dsn, "fills", query, is_stored=False)
    built = [
        getattr(gx.expectations, check.expectation)(column=check.column, **check.arguments) for check in COLUMN_CHECKS
    ]
    suite = gx.ExpectationSuite(name="fills", expectations=built)
    results = batch.validate(suite, result_format="BOOLEAN_ONLY").results
    passed = {}
    for result in results:
        _refuse_exception("fills", result.exception_info)
        if result.expectation_config is not None:
            config = result.expectation_config
            passed[config.type, config.kwargs["column"]] = bool(result.success)
    return [
        _column_verdict(batch, check, expectation, has_passed=passed[expectation.expectation_type, check.column])
        for check, expectation in zip(COLUMN_CHECKS, built, strict=True)
    ]


def _column_verdict(batch: Batch, check: ColumnCheck, expectation: Any, *, has_passed: bool) -> Verdict:
    if has_passed:
        message = f"Every execution has a {check.column} that is as it must be."
        return Verdict(
            check.name, check.column, check.severity, has_passed=True, observed="0 executions", message=message
        )
    found = batch.validate(expectation, result_format="SUMMARY").result
    count, total = found["unexpected_count"], found["element_count"]
    examples = ", ".join(repr(value)[:40] for value in found["partial_unexpected_list"][:3])
    message = (
        f"{count} of {total} executions have a {check.column} that {check.wanted} (such as {examples}). "
        "Deliver their accounts' session again."
    )
    return Verdict(
        check.name, check.column, check.severity, has_passed=False, observed=f"{count} executions", message=message
    )


def _answers(context: EphemeralDataContext, dsn: str, question: Question, query: str) -> list[Verdict]:
    """Ask a question: expect the finding of every subject to be null."""
    from great_expectations.expectations.core.expect_column_values_to_be_null import ExpectColumnValuesToBeNull

    batch = _batch(context, dsn, question.name, query, is_stored=True)
    result = batch.validate(ExpectColumnValuesToBeNull(column="finding"), result_format=RESULT_FORMAT)
    _refuse_exception(question.name, result.exception_info)
    count = int(result.result["unexpected_count"] or 0)
    if not count:
        observed = _observed(batch, int(result.result["element_count"] or 0))
        return [
            Verdict(question.name, "", question.severity, has_passed=True, observed=observed, message=question.praise)
        ]
    found = result.result["unexpected_index_list"][:SHOWN_FINDINGS]
    verdicts = [
        Verdict(
            question.name,
            row["subject"],
            question.severity,
            has_passed=False,
            observed=row["observed"],
            message=row["finding"],
        )
        for row in found
    ]
    if count > len(found):
        rest = count - len(found)
        message = f"{rest} more findings of the same kind are not listed. Read them with {question.query}.sql."
        verdicts.append(
            Verdict(
                question.name, "(others)", question.severity, has_passed=False, observed=f"{rest} more", message=message
            )
        )
    return verdicts


def _observed(batch: Batch, subject_count: int) -> str:
    """Say what was seen where nothing is wrong: the number itself, or of how many subjects.

    Values that fail an expectation are the only ones Great Expectations lists, so the number is expected to be null.
    """
    from great_expectations.expectations.core.expect_column_values_to_be_null import ExpectColumnValuesToBeNull

    if subject_count != 1:
        return f"{subject_count} looked at"
    seen = batch.validate(ExpectColumnValuesToBeNull(column="observed"))
    return str(seen.result["partial_unexpected_list"][0])


def _refuse_exception(name: str, information: Mapping[str, Any]) -> None:
    """Raise where Great Expectations noted an exception instead of raising it."""
    notes = [information, *(note for note in information.values() if isinstance(note, Mapping))]
    for note in notes:
        if note.get("raised_exception"):
            raise CheckError(
                f"The check {name} could not be computed: {note.get('exception_message')}. "
                "The data may be fine: try this task again."
            )
