"""Great Expectations on the warehouse: every expectation is a query, no execution leaves Postgres."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.checks.checks import COUNTED_QUERY, COUNTS, QUESTIONS, THRESHOLDS, Count, Question, Severity
from risk.core.errors import CheckError
from risk.core.warehouse import Connection, statement

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation

SUBJECT: Final = "subject"
"""Column that says whom or what a row is about; never null."""

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


SESSION_OPTIONS = (
    "-c work_mem=128MB -c jit=off -c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c enable_sort=off"
    " -c enable_nestloop=off"
)
"""Of the connection of Great Expectations: few passes over many executions, by hashing, by several processes.

The planner takes the deliveries of a session for a single one, and would loop or sort for so few executions.
"""


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

    try:
        with _context() as context:
            return _verdicts(context, dsn, _asked(connection, THRESHOLDS | dict(binds)))
    except (SQLAlchemyError, GreatExpectationsError) as error:
        # SQLAlchemy's own sentence repeats the whole statement, pages long; the driver's is what an operator can read.
        cause = getattr(error, "orig", None) or error
        raise CheckError(
            f"The session could not be checked: {cause}. Its data may be fine: try this task again."
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


def _asked(connection: Connection, binds: Mapping[str, Any]) -> str:
    """Put all queries beneath each other, a pair of columns per question and one per count.

    One table costs Great Expectations a third of what eight tables cost it. Binds become literals: its assets are plain
    SQL. Counts are integers, though Postgres sums them to a numeric: for each Decimal Great Expectations looks through
    the sources of the whole call stack, a second of processor time in a process that holds Airflow.
    """
    kinds = {column: "text" for question in QUESTIONS for column in _columns(question)}
    kinds |= dict.fromkeys(_count_columns(), "bigint")
    queries = []
    with connection.cursor() as cursor:
        for name in dict.fromkeys(question.query for question in QUESTIONS):
            query = cursor.mogrify(statement(f"check_fills/{name}"), binds).decode().strip().removesuffix(";")
            given = {column: sql.Identifier("asked", source) for column, source in _given_columns(name)}
            shown = [
                sql.SQL("{}::{} as {}").format(
                    given.get(column, sql.SQL("null")), sql.SQL(kind), sql.Identifier(column)
                )
                for column, kind in kinds.items()
            ]
            listed = sql.SQL(", ").join([sql.Identifier("asked", SUBJECT), *shown])
            queries.append(sql.SQL("select {} from (\n{}\n) as asked").format(listed, sql.SQL(query)))
        return str(sql.SQL("\nunion all\n").join(queries).as_string(cursor))


def _columns(question: Question) -> tuple[str, str]:
    return f"{question.name}_finding", f"{question.name}_observed"


def _count_columns() -> list[str]:
    return ["fill_count", *(check.column for check in COUNTS)]


def _given_columns(query: str) -> Iterator[tuple[str, str]]:
    """Pair the names of what a query answers with its own names for them."""
    for question in QUESTIONS:
        if question.query == query:
            yield from zip(_columns(question), (question.finding, question.observed), strict=True)
    if query == COUNTED_QUERY:
        yield from ((column, column) for column in _count_columns())


def _sqlalchemy_url(dsn: str) -> str:
    """Translate a libpq URI or key-value string into the driver's URL."""
    from sqlalchemy import URL

    parts = parse_dsn(dsn)
    places = {"username": "user", "password": "password", "host": "host", "port": "port", "database": "dbname"}
    given: dict[str, Any] = {name: parts.pop(key) for name, key in places.items() if key in parts}
    if "port" in given:
        given["port"] = int(given["port"])
    query = {**parts, "options": f"{parts.get('options', '')} {SESSION_OPTIONS}".strip()}
    return URL.create("postgresql+psycopg2", query=query, **given).render_as_string(hide_password=False)


def _verdicts(context: EphemeralDataContext, dsn: str, query: str) -> list[Verdict]:
    """Answer every question: Postgres evaluates the queries once, into a temporary table.

    The suite is validated as it stands: storing it in the context first costs more than the queries, and
    ``Batch.validate`` would evaluate them twice.
    """
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    source = context.data_sources.add_postgres(
        "warehouse", connection_string=_sqlalchemy_url(dsn), create_temp_table=True
    )
    definition = source.add_query_asset("session", query=query).add_batch_definition_whole_table("session")
    validator = Validator(definition, result_format=_result_format())
    suite = gx.ExpectationSuite(name="session", expectations=_expectations())
    seen: dict[str, dict[str, Any]] = {}
    for result in validator.validate_expectation_suite(suite).results:
        _refuse_exception(result.exception_info)
        if result.expectation_config is not None:
            seen[result.expectation_config.kwargs["column"]] = result.result
    verdicts = [_count_verdict(check, seen) for check in COUNTS]
    return verdicts + [verdict for question in QUESTIONS for verdict in _answers(question, seen)]


def _expectations() -> list[Expectation]:
    """Expect findings to be null and counts to be 0.

    Subjects are "expected" to be null too, all at once: Great Expectations lists only what fails an expectation, and
    beside each subject stands what was seen.
    """
    from great_expectations.expectations.core.expect_column_max_to_be_between import ExpectColumnMaxToBeBetween
    from great_expectations.expectations.core.expect_column_values_to_be_null import ExpectColumnValuesToBeNull

    return [
        ExpectColumnValuesToBeNull(column=SUBJECT),
        *(ExpectColumnValuesToBeNull(column=_columns(question)[0]) for question in QUESTIONS),
        *(ExpectColumnMaxToBeBetween(column=column, min_value=0, max_value=0) for column in _count_columns()),
    ]


def _result_format() -> dict[str, Any]:
    return {
        "result_format": "COMPLETE",
        "partial_unexpected_count": SHOWN_FINDINGS,
        "unexpected_index_column_names": [SUBJECT, *(_columns(question)[1] for question in QUESTIONS)],
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
    finding, observed = _columns(question)
    count = int(seen[finding]["unexpected_count"] or 0)
    if not count:
        texts = [row[observed] for row in seen[SUBJECT]["unexpected_index_list"] if row[observed] is not None]
        text = texts[0] if len(texts) == 1 else f"{len(texts)} looked at"
        return [Verdict(question.name, "", question.severity, has_passed=True, observed=text, message=question.praise)]
    rows = sorted(seen[finding]["unexpected_index_list"], key=lambda row: str(row[SUBJECT]))[:SHOWN_FINDINGS]
    listed = [(row[SUBJECT], row[observed], row[finding]) for row in rows]
    if count > len(rows):
        rest = count - len(rows)
        listed.append(("(others)", f"{rest} more", f"{rest} more findings of the same kind are not listed."))
    return [
        Verdict(question.name, subject, question.severity, has_passed=False, observed=text, message=message)
        for subject, text, message in listed
    ]


def _refuse_exception(information: Mapping[str, Any]) -> None:
    """Raise where Great Expectations noted an exception instead of raising it."""
    notes = [information, *(note for note in information.values() if isinstance(note, Mapping))]
    for note in notes:
        if note.get("raised_exception"):
            raise CheckError(
                f"The session's checks could not be computed: {note.get('exception_message')}. "
                "The data may be fine: try this task again."
            )
