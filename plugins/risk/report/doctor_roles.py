"""The part of the doctor that looks at roles: it tries what they must not do, and looks for what could help them to.

Nothing it tries is carried out: the server judges the statement, and the transaction is rolled back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.desks import own_command, own_variable
from risk.core.errors import ConnectionLostError
from risk.core.roles import SCHEMAS, Duty, Roles, privileges
from risk.core.warehouse import Connection, connect, execute, records, rows

LOCK_TIMEOUT = "5s"

ATTEMPTS = {
    "doctor/try_person_decision": (Duty.page, "record a decision in a person's name"),
    "doctor/try_silent_decision": (Duty.pipeline, "record a decision that no person made"),
    "doctor/try_person_statement": (Duty.page, "confirm a limit of the platform in a person's name"),
    "doctor/try_person_request": (Duty.page, "request a limit change in the name of a person logged in"),
    "doctor/try_backdated_load": (None, "choose when a load was recorded"),
}
"""Statements that only a role with the duty may run, ``None`` = none but the owner, and what one does by it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One answer of the doctor.

    Attributes
    ----------
    subject
        What was checked.
    is_healthy
        False makes the exit code 1.
    sentence
        What was found and, where it is not healthy, what to do.
    """

    subject: str
    is_healthy: bool
    sentence: str


def check_roles(connection: Connection, dsn: str, page_dsn: str, reader_role: str) -> Iterator[Diagnosis]:
    """Check what the pipeline, the page and the reader may do, and what could change the meaning of their statements.

    Parameters
    ----------
    connection, dsn
        The pipeline's.
    page_dsn, reader_role
        As the settings name them.
    """
    page = parse_dsn(page_dsn)["user"] if page_dsn else ""
    roles = Roles(connection.info.user, page, reader_role)
    yield check_page(roles)
    yield check_attempts(connection, "pipeline", roles)
    yield check_databases(connection, "pipeline", dsn)
    if roles.has_page:
        try:
            with contextlib.closing(connect(page_dsn)) as page_connection:
                yield check_attempts(page_connection, "page", roles)
                yield check_databases(page_connection, "page", page_dsn)
        except ConnectionLostError as error:
            yield Diagnosis("privileges", is_healthy=False, sentence=f"As the Risk page: {error}")
    yield check_weaknesses(connection, roles)


def check_page(roles: Roles) -> Diagnosis:
    """Check that the Risk page has a role of its own."""
    if roles.has_page:
        return Diagnosis("page", is_healthy=True, sentence=f"The Risk page works as its own role {roles.page}.")
    sentence = (
        f"The Risk page works as the pipeline's role {roles.pipeline}, so a task could decide in a person's name: "
        f"create a role for it, name its connection in {own_variable('page_dsn')} for the API server and riskctl only, "
        f"then run {own_command('migrate')}."
    )
    return Diagnosis("page", is_healthy=False, sentence=sentence)


def check_attempts(connection: Connection, who: str, roles: Roles) -> Diagnosis:
    """Try, as a role, to insert into, change and empty every table, and to record what is not its to record."""
    if rows(connection, "migrate/select_state")[0][0]:
        owner = own_variable("owner_dsn")
        remedy = f"let another role own it, name that one in {owner}, then run {own_command('migrate')}"
        sentence = f"The role of the {who} owns the warehouse and may change everything in it: {remedy}."
        return Diagnosis("privileges", is_healthy=False, sentence=sentence)
    duties = roles.duties[connection.info.user]
    try:
        execute(connection, "doctor/set_lock_timeout", {"timeout": LOCK_TIMEOUT})
        found = [*_table_findings(connection, duties), *_row_findings(connection, duties)]
    finally:
        connection.rollback()
    if found:
        sentence = f"The role of the {who} {'; '.join(sorted(found))}. {_remedy()}"
        return Diagnosis("privileges", is_healthy=False, sentence=sentence)
    tried = "tried on every table and refused where it must be"
    return Diagnosis("privileges", is_healthy=True, sentence=f"What the role of the {who} may write was {tried}.")


def _remedy() -> str:
    return f"Find out who did it, remove it, then run {own_command('migrate')} as the owner."


def _table_findings(connection: Connection, duties: frozenset[Duty]) -> Iterator[str]:
    for table in records(connection, "doctor/select_probed_tables", {"schemas": list(SCHEMAS)}):
        place = sql.Identifier(table["schema_name"], table["table_name"])
        columns = {action: sql.Identifier(table[f"{action}_column"]) for action in ("insert", "update")}
        names = {"place": place, **columns}
        statements = {
            "insert": "explain insert into {place} ({insert}) select {insert} from {place}",
            "update": "explain update {place} set {update} = {update}",
            "delete": "explain delete from {place}",
        }
        allowed = privileges(duties, table["table_name"], connection.info.server_version)
        if table["may_truncate"]:
            yield f"may truncate {table['table_name']}"
        for action, text in statements.items():
            is_possible = _is_possible(connection, sql.SQL(text).format(**names))
            if is_possible != (action in allowed):
                yield f"{'may' if is_possible else 'may not'} {action} {table['table_name']}"
        if table["has_stamp"]:
            stamped = sql.SQL("explain insert into {place} (recorded_at) select recorded_at from {place}")
            if _is_possible(connection, stamped.format(**names)):
                yield f"may choose when a row of {table['table_name']} was recorded"


def _row_findings(connection: Connection, duties: frozenset[Duty]) -> Iterator[str]:
    for name, (duty, deed) in ATTEMPTS.items():
        if duty not in duties and _is_possible(connection, name):
            yield f"may {deed}"


def _is_possible(connection: Connection, attempt: str | sql.Composable) -> bool:
    """Return whether the server lets the role do something; it is undone at once."""
    with connection.cursor() as cursor:
        cursor.execute("savepoint attempt")
        try:
            if isinstance(attempt, str):
                execute(connection, attempt)
            else:
                cursor.execute(attempt)
        except psycopg2.errors.InsufficientPrivilege:
            return False
        except psycopg2.IntegrityError:
            return True  # The role may; only the row was impossible.
        finally:
            cursor.execute("rollback to savepoint attempt")
    return True


def check_databases(connection: Connection, who: str, dsn: str) -> Diagnosis:
    """Try to connect to every database of the server that does not belong to the warehouse's owner."""
    others = [name for (name,) in rows(connection, "doctor/select_foreign_databases")]
    connection.rollback()
    entered = [name for name in others if _may_connect(make_dsn(dsn, dbname=name))]
    if entered:
        remedy = f"revoke connect on database {entered[0]} from public, {connection.info.user}"
        sentence = f"The role of the {who} may connect to {', '.join(entered)}: as a superuser, {remedy}."
        return Diagnosis("databases", is_healthy=False, sentence=sentence)
    sentence = f"The role of the {who} is refused by every other database of the server ({len(others)} tried)."
    return Diagnosis("databases", is_healthy=True, sentence=sentence)


def _may_connect(dsn: str) -> bool:
    try:
        psycopg2.connect(dsn, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def check_weaknesses(connection: Connection, roles: Roles) -> Diagnosis:
    """Check that no setting, name, grant or membership lets a role change what statements mean or who may write."""
    binds = {
        "schemas": list(SCHEMAS),
        "pipeline": roles.pipeline,
        "page": roles.page,
        "reader": roles.reader,
    }
    found = [finding for (finding,) in rows(connection, "doctor/select_weaknesses", binds)]
    if found:
        return Diagnosis("roles", is_healthy=False, sentence=f"In the warehouse {'; '.join(found)}. {_remedy()}")
    sentence = "Nothing in the warehouse shadows its tables or functions, and nobody else may write into it."
    return Diagnosis("roles", is_healthy=True, sentence=sentence)
