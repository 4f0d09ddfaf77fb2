"""The schema of the warehouse: who creates it, what it was created from, and who may do what in it.

Its owner may do everything, the pipeline only what a morning run needs. Inputs, loads, runs, reports and the audit log
are append only for the pipeline's role, and so is any table that is not named here: forgetting a new one can only make
a task fail, never make history changeable.
"""

from __future__ import annotations

import contextlib
import graphlib
import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.core.errors import SchemaError
from risk.core.policy_store import insert_default_policy
from risk.core.settings import SQL_DIR
from risk.core.warehouse import Connection, connect, execute, rows, statement, writing

SCHEMAS = ("risk", "derived", "results")
"""Schemas with tables that last."""

BASELINE = "baseline"
"""Name under which a warehouse records the objects of ``include/sql/schema``."""

REPLACED_TABLES = frozenset(
    {
        "cut_outcomes",
        "daily_pnl",
        "desk_tail_shares",
        "desk_tails",
        "excerpt_deliveries",
        "explanations",
        "features",
        "gate_results",
        "last_fills",
        "limit_fits",
        "limit_receipts",
        "positions",
        "publication_deliveries",
        "quality_results",
        "recommendations",
        "report_deliveries",
        "rule_evidence",
        "running_lows",
        "sessions",
        "cut_track_records",
        "tail_effects",
        "trader_fits",
    }
)
"""Caches that are rebuilt, rows a task replaces for its own run, the attempts of a mail, the calendar."""
STAMPED_BY_LOADS = frozenset(
    {"accounts", "adjustments", "deliveries", "instruments", "loads", "marks", "platform_limits", "splits", "totals"}
)
"""Inputs whose rows get the instant of their load, or of a history's manifest; every other row gets the clock's."""
READ_TABLES = frozenset({"chain_links", "restores", "schema_migrations"})
"""What the owner's functions write, and the owner's own records: the pipeline only reads them."""

POSTGRES_WITH_MAINTAIN = 170_000


def migrate(connection: Connection, default_limit_usd: Decimal | None = None) -> Sequence[str]:
    """Create the schema in an empty database, or apply what it lacks, under the write lock.

    Parameters
    ----------
    default_limit_usd
        Default base limit of the policy that a new warehouse starts with, US dollars; ``None`` = the shipped one.

    Returns
    -------
    sequence of str
        Names of the schema files applied now, in order.

    Raises
    ------
    SchemaError
        If the warehouse was created from another schema, or if there is something to apply and this role may not;
        nothing is applied then.
    """
    with writing(connection):
        files = schema_files()
        pending = pending_files(connection)
        if pending and not rows(connection, "migrate/select_state")[0][0]:
            raise SchemaError(
                f"This warehouse lacks the schema files {', '.join(pending)}, and the pipeline's role may not change "
                "the schema: let its owner do it (make down, then make up; or riskctl migrate with RISK_OWNER_DSN)."
            )
        for name in pending:
            for file in files[name]:
                execute(connection, file)
            digest = {"name": name, "content_sha256": content_sha256(files[name])}
            execute(connection, "migrate/insert_schema_migrations", digest)
        if BASELINE in pending:
            insert_default_policy(connection, default_limit_usd)
    return pending


def is_created(connection: Connection) -> bool:
    """Return whether a database has a warehouse's tables."""
    return bool(rows(connection, "migrate/select_state")[0][1])


def pending_files(connection: Connection) -> list[str]:
    """List the schema files a warehouse has not seen, in order.

    Raises
    ------
    SchemaError
        If it was created before the baseline, or a file applied to it has changed or is gone.
    """
    _, is_created, is_outdated = rows(connection, "migrate/select_state")[0]
    files = schema_files()
    if is_outdated:
        raise SchemaError(
            "This warehouse is older than the schema's baseline and cannot be upgraded: keep a backup (make backup), "
            "then create a new one in an empty database (make clean removes the embedded one) and load the files again."
        )
    if not is_created:
        return list(files)
    applied = dict(rows(connection, "migrate/select_schema_migrations"))
    for name, digest in applied.items():
        if name not in files or content_sha256(files[name]) != digest:
            raise SchemaError(
                f"This warehouse was created with another version of the schema ({name} differs), and there is no "
                "upgrade between versions before 0.1.0: use the code that created it, or create a new one in an empty "
                "database (make clean removes the embedded one) and load the files again."
            )
    return [name for name in files if name not in applied]


def schema_files() -> dict[str, list[str]]:
    """Return the statement files of the schema by the name they are recorded under, in the order to apply them.

    The baseline is every object in a file of its own, each after those it names; ``migrations/`` follow one by one.
    """
    folder = SQL_DIR / "schema"
    objects = {path.stem: path for part in ("tables", "functions") for path in (folder / part).glob("*.sql")}
    named = re.compile(rf"\b(?:{'|'.join(SCHEMAS)})\.({'|'.join(objects)})\b")
    needs = {name: set(named.findall(path.read_text(encoding="utf-8"))) - {name} for name, path in objects.items()}
    ordered = graphlib.TopologicalSorter(needs).static_order()
    baseline = ["schema/schemas", *(f"schema/{objects[name].parent.name}/{name}" for name in ordered)]
    migrations = sorted(path.stem for path in (folder / "migrations").glob("*.sql"))
    return {BASELINE: baseline, **{name: [f"schema/migrations/{name}"] for name in migrations}}


def content_sha256(files: Sequence[str]) -> str:
    """Return the SHA-256 of statement files, independent of the order in which they are applied."""
    return hashlib.sha256("".join(statement(name) for name in sorted(files)).encode()).hexdigest()


def migrate_as_owner(pipeline_dsn: str, owner_dsn: str, default_limit_usd: Decimal | None = None) -> Sequence[str]:
    """Connect as the owner, then do what `prepare_warehouse` does.

    Parameters
    ----------
    pipeline_dsn
        Connection of the pipeline's role.
    owner_dsn
        Connection of the warehouse's owner; empty where the pipeline's role owns it.
    default_limit_usd
        As in `migrate`.

    Raises
    ------
    ConnectionLostError
        If the warehouse does not answer.
    """
    with contextlib.closing(connect(owner_dsn or pipeline_dsn)) as owner:
        applied = prepare_warehouse(owner, parse_dsn(pipeline_dsn)["user"], default_limit_usd)
    with contextlib.closing(connect(pipeline_dsn)) as pipeline:
        forget_settings(pipeline)
    return applied


def forget_settings(pipeline: Connection) -> None:
    """Take from the pipeline's role the settings that somebody has stored for it."""
    database = sql.Identifier(pipeline.info.dbname)
    with pipeline, pipeline.cursor() as cursor:
        cursor.execute("alter role current_user reset all")
        cursor.execute(sql.SQL("alter role current_user in database {} reset all").format(database))


def prepare_warehouse(owner: Connection, pipeline_role: str, default_limit_usd: Decimal | None = None) -> Sequence[str]:
    """Bring the schema up to date and give the pipeline's role its privileges.

    Parameters
    ----------
    owner
        Connection of the role that owns the warehouse.
    pipeline_role
        Role of the Airflow connection ``risk_warehouse``; the owner itself where there is only one role, and then
        nothing is granted or taken.
    default_limit_usd
        As in `migrate`.

    Returns
    -------
    sequence of str
        Schema files applied now.
    """
    applied = migrate(owner, default_limit_usd)
    if pipeline_role != owner.info.user:
        grant(owner, pipeline_role)
    return applied


def functions() -> list[str]:
    """List the functions of the schema: what else a warehouse has is not for the pipeline to call."""
    return sorted(path.stem for path in (SQL_DIR / "schema" / "functions").glob("*.sql"))


def grant(owner: Connection, pipeline_role: str) -> None:
    """Take every privilege on the tables from a role and give it the ones it needs, in one transaction.

    The role may create schemas, for what a point-in-time run has apart; it may not change those of the owner.
    """
    role = sql.Identifier(pipeline_role)
    database = sql.Identifier(owner.info.dbname)
    with writing(owner), owner.cursor() as cursor:
        cursor.execute(sql.SQL("revoke connect, temporary on database {} from public").format(database))
        cursor.execute(sql.SQL("grant connect, create, temporary on database {} to {}").format(database, role))
        cursor.execute(sql.SQL("grant usage on schema risk, derived, results to {}").format(role))
        stamped = {row[1]: row[2] for row in rows(owner, "migrate/select_stamped_columns", {"schemas": list(SCHEMAS)})}
        cursor.execute(sql.SQL("revoke execute on all functions in schema risk from public, {}").format(role))
        for name in functions():
            function = sql.Identifier("risk", name)
            cursor.execute(sql.SQL("grant execute on function {} to {}").format(function, role))
        for schema, table in rows(owner, "migrate/select_tables", {"schemas": list(SCHEMAS)}):
            place = sql.Identifier(schema, table)
            cursor.execute(sql.SQL("revoke all on table {} from {}").format(place, role))
            columns = () if table in STAMPED_BY_LOADS else stamped.get(table, ())
            allowed = sql.SQL(", ").join(
                _privilege(action, columns) for action in privileges(table, owner.info.server_version)
            )
            cursor.execute(sql.SQL("grant {} on table {} to {}").format(allowed, place, role))


def _privilege(action: str, columns: Sequence[str]) -> sql.Composable:
    """Return a privilege; to insert rows that the clock stamps, on their other columns only."""
    if action != "insert" or not columns:
        return sql.SQL(action)
    return sql.SQL("insert ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))


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
