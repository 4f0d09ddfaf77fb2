"""Great Expectations on the warehouse: every expectation is a query, no execution leaves Postgres."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.database import Connection, statement
from risk.errors import CheckError
from risk.quality.checks import COUNTED_QUERY, COUNTS, QUESTIONS, THRESHOLDS, Count, Question, Severity

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

SHOWN_FINDINGS: Final = 100
"""Findings of one check that are stored one by one; the last verdict counts the rest."""


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
    verdicts: list[Verdict] = []
    try:
        with _context() as context:
            for query in dict.fromkeys(question.query for question in QUESTIONS):
                verdicts += _query_verdicts(context, dsn, query, _quoted(connection, query, known))
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


def _sqlalchemy_url(dsn: str) -> str:
    """Translate a libpq URI or key-value string into the driver's URL."""
    from sqlalchemy import URL

    parts = parse_dsn(dsn)
    places = {"username": "user", "password": "password", "host": "host", "port": "port", "database": "dbname"}
    given: dict[str, Any] = {name: parts.pop(key) for name, key in places.items() if key in parts}
    if "port" in given:
        given["port"] = int(given["port"])
    return URL.create("postgresql+psycopg2", query=parts, **given).render_as_string(hide_password=False)


def _query_verdicts(context: EphemeralDataContext, dsn: str, name: str, query: str) -> list[Verdict]:
    """Answer everything one query is asked: Postgres evaluates it once, into a temporary table."""
    import great_expectations as gx

    questions = [question for question in QUESTIONS if question.query == name]
    counts = COUNTS if name == COUNTED_QUERY else ()
    source = context.data_sources.add_postgres(name, connection_string=_sqlalchemy_url(dsn), create_temp_table=True)
    batch = source.add_query_asset(name, query=query).add_batch_definition_whole_table(name)
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=_expectations(questions, counts)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    seen: dict[str, dict[str, Any]] = {}
    for result in definition.run(result_format=_result_format(questions)).results:
        _refuse_exception(name, result.exception_info)
        if result.expectation_config is not None:
            seen[result.expectation_config.kwargs["column"]] = result.result
    verdicts = [_count_verdict(check, seen) for check in counts]
    return verdicts + [verdict for question in questions for verdict in _answers(question, seen)]


def _expectations(questions: Sequence[Question], counts: Sequence[Count]) -> list[Expectation]:
    """Expect findings to be null and counts to be 0.

    What was seen is "expected" to be null too: Great Expectations lists only the values that fail an expectation.
    """
    from great_expectations.expectations.core.expect_column_max_to_be_between import ExpectColumnMaxToBeBetween
    from great_expectations.expectations.core.expect_column_values_to_be_null import ExpectColumnValuesToBeNull

    texts = dict.fromkeys(column for question in questions for column in (question.finding, question.observed))
    numbers = ["fill_count", *(check.column for check in counts)] if counts else []
    return [
        *(ExpectColumnValuesToBeNull(column=column) for column in texts),
        *(ExpectColumnMaxToBeBetween(column=column, min_value=0, max_value=0) for column in numbers),
    ]


def _result_format(questions: Sequence[Question]) -> dict[str, Any]:
    observed = dict.fromkeys(question.observed for question in questions)
    return {
        "result_format": "COMPLETE",
        "partial_unexpected_count": SHOWN_FINDINGS,
        "unexpected_index_column_names": ["subject", *observed],
    }


def _count_verdict(check: Count, seen: Mapping[str, Mapping[str, Any]]) -> Verdict:
    count, fill_count = (int(seen[column]["observed_value"]) for column in (check.column, "fill_count"))
    message = f"{count} of {fill_count} executions {check.meaning}."
    if count:
        message += " Deliver their accounts' session again."
    observed = f"{count} of {fill_count} executions"
    return Verdict(check.name, check.subject, "fail", has_passed=count == 0, observed=observed, message=message)


def _answers(question: Question, seen: Mapping[str, Mapping[str, Any]]) -> list[Verdict]:
    """Turn the findings of one question into verdicts, and count those beyond the listed ones in one more."""
    result = seen[question.finding]
    count = int(result["unexpected_count"] or 0)
    if not count:
        subject_count = int(result["element_count"] or 0)
        values = seen[question.observed].get("partial_unexpected_list")
        observed = str(values[0]) if subject_count == 1 and values else f"{subject_count} looked at"
        passed = Verdict(
            question.name, "", question.severity, has_passed=True, observed=observed, message=question.praise
        )
        return [passed]
    rows = result["unexpected_index_list"][:SHOWN_FINDINGS]
    listed = [(row["subject"], row[question.observed], row[question.finding]) for row in rows]
    if count > len(rows):
        rest = count - len(rows)
        listed.append(("(others)", f"{rest} more", f"{rest} more findings of the same kind are not listed."))
    return [
        Verdict(question.name, subject, question.severity, has_passed=False, observed=observed, message=message)
        for subject, observed, message in listed
    ]


def _refuse_exception(name: str, information: Mapping[str, Any]) -> None:
    """Raise where Great Expectations noted an exception instead of raising it."""
    notes = [information, *(note for note in information.values() if isinstance(note, Mapping))]
    for note in notes:
        if note.get("raised_exception"):
            raise CheckError(
                f"The check {name} could not be computed: {note.get('exception_message')}. "
                "The data may be fine: try this task again."
            )
