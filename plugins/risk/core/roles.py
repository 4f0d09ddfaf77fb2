"""Who may do what in the warehouse: its owner everything, the pipeline only what a morning run needs.

Inputs, loads, runs, reports and the audit log are append only for the pipeline's role, and so is any table that is
not named here: forgetting a new one can only make a task fail, never make history changeable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.core.warehouse import SCHEMAS, Connection, connect, migrate, rows, writing

REPLACED_TABLES = frozenset(
    {
        "cut_outcomes",
        "daily_pnl",
        "explanations",
        "features",
        "gate_results",
        "last_fills",
        "positions",
        "quality_results",
        "recommendations",
        "report_deliveries",
        "sessions",
        "cut_track_records",
    }
)
"""Caches that are rebuilt, rows a task replaces for its own run, the attempts of a mail, the calendar."""
READ_TABLES = frozenset({"schema_migrations"})
"""The owner's own record: the pipeline only reads it."""

POSTGRES_WITH_MAINTAIN = 170_000


def migrate_as_owner(pipeline_dsn: str, owner_dsn: str) -> Sequence[str]:
    """Connect as the owner, then do what `prepare_warehouse` does.

    Parameters
    ----------
    pipeline_dsn
        Connection of the pipeline's role.
    owner_dsn
        Connection of the warehouse's owner; empty where the pipeline's role owns it.

    Raises
    ------
    ConnectionLostError
        If the warehouse does not answer.
    """
    with contextlib.closing(connect(owner_dsn or pipeline_dsn)) as owner:
        return prepare_warehouse(owner, parse_dsn(pipeline_dsn)["user"])


def prepare_warehouse(owner: Connection, pipeline_role: str) -> Sequence[str]:
    """Bring the schema up to date and give the pipeline's role its privileges.

    Parameters
    ----------
    owner
        Connection of the role that owns the warehouse.
    pipeline_role
        Role of the Airflow connection ``risk_warehouse``; the owner itself where there is only one role, and then
        nothing is granted or taken.

    Returns
    -------
    sequence of str
        Schema files applied now.
    """
    applied = migrate(owner)
    if pipeline_role != owner.info.user:
        grant(owner, pipeline_role)
    return applied


def grant(owner: Connection, pipeline_role: str) -> None:
    """Take every privilege on the tables from a role and give it the ones it needs, in one transaction.

    The role may create schemas, for what a point-in-time run has apart; it may not change those of the owner.
    """
    role = sql.Identifier(pipeline_role)
    database = sql.Identifier(owner.info.dbname)
    with writing(owner), owner.cursor() as cursor:
        cursor.execute(sql.SQL("grant create on database {} to {}").format(database, role))
        cursor.execute(sql.SQL("grant usage on schema risk, derived, results to {}").format(role))
        cursor.execute(sql.SQL("grant usage, create on schema staging to {}").format(role))
        cursor.execute(sql.SQL("grant execute on all functions in schema risk to {}").format(role))
        for schema, table in rows(owner, "migrate/select_tables", {"schemas": list(SCHEMAS)}):
            place = sql.Identifier(schema, table)
            cursor.execute(sql.SQL("revoke all on table {} from {}").format(place, role))
            allowed = sql.SQL(", ").join(map(sql.SQL, privileges(table, owner.info.server_version)))
            cursor.execute(sql.SQL("grant {} on table {} to {}").format(allowed, place, role))


def privileges(table: str, server_version: int) -> list[str]:
    """List what the pipeline may do with a table.

    ``maintain`` is there for ANALYZE after a bulk load; Postgres 16 does not know it and leaves that to autovacuum.
    """
    if table in READ_TABLES:
        return ["select"]
    allowed = ["select", "insert"]
    if table in REPLACED_TABLES:
        allowed += ["update", "delete"]
    if server_version >= POSTGRES_WITH_MAINTAIN:
        allowed.append("maintain")
    return allowed
