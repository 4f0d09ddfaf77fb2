"""The roles of a warehouse and what each may do: owner, pipeline, page, reader.

The owner may do everything. The pipeline works for the morning's run, the page for the people who decide about it, the
reader looks. Inputs, loads, runs, reports and the audit log are append only, and so is any table that is not named
here: forgetting a new one can only make a task fail, never make history changeable.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from psycopg2 import sql

from risk.core.errors import SchemaError
from risk.core.settings import SQL_DIR
from risk.core.warehouse import Connection, rows, writing

SCHEMAS = ("risk", "derived", "results")
"""Schemas with tables that last."""

PIPELINE, PAGE, READER = "risk", "risk_page", "risk_reader"
"""Names of the roles of a server that the installation sets up itself."""

REPLACED_TABLES = frozenset(
    {
        "cut_outcomes",
        "daily_pnl",
        "desk_correlations",
        "desk_findings",
        "desk_scans",
        "desk_self_trades",
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
        "vendor_calls",
        "vendor_pages",
    }
)
"""Caches that are rebuilt, rows a task replaces for its own run, the attempts of a mail, the calendar, the pages
of a vendor until they are loaded."""
READ_TABLES = frozenset({"chain_links", "restores", "schema_migrations"})
"""What the owner's functions write, and the owner's own records: every other role only reads them."""
DECISION_TABLES = frozenset(
    {"limit_breach_entries", "limit_change_decisions", "notes", "policies", "policy_request_decisions"}
)
"""What only a person decides or notes: the pipeline reads it."""
PAGE_TABLES = DECISION_TABLES | {
    "limit_changes",
    "limit_decisions",
    "platform_limits",
    "policy_requests",
    "policy_trials",
}
"""What the Risk page inserts; of those that the pipeline inserts too, triggers tell a person's rows from the others."""
OWNERS_WORK = frozenset({"summarize_fills"})
"""Functions that do as the owner what only the pipeline needs."""

POSTGRES_WITH_MAINTAIN = 170_000


class Duty(StrEnum):
    """What a role is for; without a role of its own the page works as the pipeline, which then has both duties."""

    pipeline = "pipeline"
    page = "page"
    reader = "reader"


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that get privileges in a warehouse.

    Attributes
    ----------
    pipeline
        Role of the Airflow connection ``risk_warehouse``.
    page
        Role of ``RISK_PAGE_DSN``; empty = the Risk page works as the pipeline.
    reader
        Role that only reads; empty = there is none.
    """

    pipeline: str
    page: str = ""
    reader: str = ""

    @property
    def has_page(self) -> bool:
        """Whether the Risk page has a role of its own."""
        return self.page not in ("", self.pipeline)

    @property
    def duties(self) -> dict[str, frozenset[Duty]]:
        """The duties of each role by its name."""
        found = {self.pipeline: frozenset({Duty.pipeline} if self.has_page else {Duty.pipeline, Duty.page})}
        if self.has_page:
            found[self.page] = frozenset({Duty.page})
        if self.reader and self.reader not in found:
            found[self.reader] = frozenset({Duty.reader})
        return found


def functions() -> list[str]:
    """List the functions of the schema: what else a warehouse has is for nobody to call."""
    texts = (path.read_text(encoding="utf-8") for path in (SQL_DIR / "schema").rglob("*.sql"))
    return sorted({name for text in texts for name in re.findall(r"^create function risk\.(\w+)", text, re.M)})


def privileges(duties: Collection[Duty], table: str, server_version: int) -> list[str]:
    """List what a role may do with a table.

    ``maintain`` is there for ANALYZE after a bulk load; Postgres 16 does not know it and leaves that to autovacuum.
    """
    allowed = ["select"]
    is_pipeline = Duty.pipeline in duties and table not in READ_TABLES
    if (is_pipeline and table not in DECISION_TABLES) or (Duty.page in duties and table in PAGE_TABLES):
        allowed.append("insert")
    if is_pipeline and table in REPLACED_TABLES:
        allowed += ["update", "delete"]
    if is_pipeline and server_version >= POSTGRES_WITH_MAINTAIN:
        allowed.append("maintain")
    return allowed


def grant(owner: Connection, roles: Roles) -> None:
    """Take every privilege on the warehouse from the roles and give each the ones it needs, in one transaction.

    Nothing is granted to or taken from the owner, where one of them is it.

    Raises
    ------
    SchemaError
        If there is no such role; nothing has changed then.
    """
    with writing(owner):
        known = {name for (name,) in rows(owner, "migrate/select_roles")}
        missing = sorted(set(roles.duties) - known)
        if missing:
            raise SchemaError(
                f"The server has no role {', '.join(missing)}, so nothing was granted: let a superuser create it "
                f"(create role {missing[0]} login password '...'), then run riskctl migrate again."
            )
        with owner.cursor() as cursor:
            cursor.execute(
                sql.SQL("revoke connect, temporary on database {} from public").format(
                    sql.Identifier(owner.info.dbname)
                )
            )
            cursor.execute("revoke execute on all functions in schema risk from public")
        for name, duties in roles.duties.items():
            if name != owner.info.user:
                _grant_database(owner, name, duties)
                _grant_functions(owner, name, duties)
                _grant_tables(owner, name, duties)


def _grant_database(owner: Connection, name: str, duties: Collection[Duty]) -> None:
    """Let a role connect; the pipeline may also create schemas, for what a point-in-time run has apart."""
    allowed = "connect, create, temporary" if Duty.pipeline in duties else "connect"
    names = {"database": sql.Identifier(owner.info.dbname), "role": sql.Identifier(name)}
    with owner.cursor() as cursor:
        cursor.execute(sql.SQL("revoke all on database {database} from {role}").format(**names))
        cursor.execute(sql.SQL(f"grant {allowed} on database {{database}} to {{role}}").format(**names))
        cursor.execute(sql.SQL("revoke all on schema risk, derived, results from {role}").format(**names))
        cursor.execute(sql.SQL("grant usage on schema risk, derived, results to {role}").format(**names))


def _grant_functions(owner: Connection, name: str, duties: Collection[Duty]) -> None:
    role = sql.Identifier(name)
    present = {function for (function,) in rows(owner, "migrate/select_functions")}
    with owner.cursor() as cursor:
        cursor.execute(sql.SQL("revoke execute on all functions in schema risk from {}").format(role))
        # A restored warehouse may be older than this version, and may hold functions that are not ours.
        for function in functions():
            if function in present and (Duty.pipeline in duties or function not in OWNERS_WORK):
                command = sql.SQL("grant execute on function {} to {}")
                cursor.execute(command.format(sql.Identifier("risk", function), role))


def _grant_tables(owner: Connection, name: str, duties: Collection[Duty]) -> None:
    binds = {"schemas": list(SCHEMAS)}
    stamped = {row[1]: row[2] for row in rows(owner, "migrate/select_stamped_columns", binds)}
    with owner.cursor() as cursor:
        for schema, table in rows(owner, "migrate/select_tables", binds):
            names = {"place": sql.Identifier(schema, table), "role": sql.Identifier(name)}
            cursor.execute(sql.SQL("revoke all on table {place} from {role}").format(**names))
            allowed = sql.SQL(", ").join(
                _privilege(action, stamped.get(table, ()))
                for action in privileges(duties, table, owner.info.server_version)
            )
            cursor.execute(sql.SQL("grant {allowed} on table {place} to {role}").format(allowed=allowed, **names))


def _privilege(action: str, columns: Sequence[str]) -> sql.Composable:
    """Return a privilege; to insert rows that the server stamps, on their other columns only."""
    if action != "insert" or not columns:
        return sql.SQL(action)
    return sql.SQL("insert ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
