"""The schema of the warehouse: who creates it, what it was created from, how it goes forward."""

from __future__ import annotations

import contextlib
import graphlib
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from risk.core.desks import own_variable
from risk.core.errors import SchemaError
from risk.core.policy_store import insert_default_policy
from risk.core.roles import SCHEMAS, Roles, grant
from risk.core.settings import SQL_DIR
from risk.core.warehouse import Connection, connect, execute, rows, statement, writing

BASELINE = "baseline"
"""Name under which a warehouse records the objects of ``include/sql/schema``, as they were when it was created."""

RELEASES = "releases.json"
"""In ``include/sql/schema``: release to the SHA-256 of its baseline; ``python -m tests.releases`` writes it."""


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
                "the schema: let its owner do it (make down, then make up; or riskctl migrate with "
                f"{own_variable('owner_dsn')})."
            )
        is_new = BASELINE in pending
        for name in pending:
            # A new schema is that of today, which already holds what the migrations have done to older ones.
            if name == BASELINE or not is_new:
                for file in files[name]:
                    execute(connection, file)
            digest = {"name": name, "content_sha256": content_sha256(files[name])}
            execute(connection, "migrate/insert_schema_migrations", digest)
        if is_new:
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
        If it was created before the baseline, from one that is neither released nor today's, or if a migration applied
        to it has changed or is gone.
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
        is_released = name == BASELINE and digest in released_baselines().values()
        if not is_released and (name not in files or content_sha256(files[name]) != digest):
            raise SchemaError(
                f"This warehouse has another version of the schema ({name} differs), which no release before this code "
                "had: use the code that made it, restore a backup from before, or create a new one in an empty "
                "database (make clean removes the embedded one) and load the files again."
            )
    return [name for name in files if name not in applied]


def released_baselines() -> dict[str, str]:
    """Return the SHA-256 of the baseline of each release, which migrations bring to today's schema."""
    file = SQL_DIR / "schema" / RELEASES
    return dict(json.loads(file.read_text(encoding="utf-8")))


def schema_files() -> dict[str, list[str]]:
    """Return the statement files of the schema by the name they are recorded under, in the order to apply them.

    The baseline is every object in a file of its own, each after those it names: the schema of today. ``migrations/``
    bring the schema of an earlier release there, one by one.
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


@dataclass(frozen=True, slots=True)
class Logins:
    """Who migrates a warehouse, and for which roles.

    Attributes
    ----------
    pipeline_dsn
        Connection of the pipeline's role.
    owner_dsn
        Connection of the warehouse's owner; empty where the pipeline's role owns it.
    page_dsn
        Connection of the Risk page's role; empty = the page works as the pipeline.
    reader_role
        Name of the role that only reads; empty = there is none.
    """

    pipeline_dsn: str = field(repr=False)
    owner_dsn: str = field(default="", repr=False)
    page_dsn: str = field(default="", repr=False)
    reader_role: str = ""

    @property
    def roles(self) -> Roles:
        """The roles that get privileges."""
        page = parse_dsn(self.page_dsn)["user"] if self.page_dsn else ""
        return Roles(parse_dsn(self.pipeline_dsn)["user"], page, self.reader_role)


def migrate_as_owner(logins: Logins, default_limit_usd: Decimal | None = None) -> Sequence[str]:
    """Connect as the owner, do what `prepare_warehouse` does, and let the roles forget settings stored for them.

    Parameters
    ----------
    default_limit_usd
        As in `migrate`.

    Raises
    ------
    ConnectionLostError
        If the warehouse does not answer.
    """
    with contextlib.closing(connect(logins.owner_dsn or logins.pipeline_dsn)) as owner:
        applied = prepare_warehouse(owner, logins.roles, default_limit_usd)
    for dsn in filter(None, (logins.pipeline_dsn, logins.page_dsn)):
        with contextlib.closing(connect(dsn)) as connection:
            forget_settings(connection)
    return applied


def forget_settings(connection: Connection) -> None:
    """Take from a connection's role the settings that somebody has stored for it."""
    database = sql.Identifier(connection.info.dbname)
    with connection, connection.cursor() as cursor:
        cursor.execute("alter role current_user reset all")
        cursor.execute(sql.SQL("alter role current_user in database {} reset all").format(database))


def prepare_warehouse(owner: Connection, roles: Roles, default_limit_usd: Decimal | None = None) -> Sequence[str]:
    """Bring the schema up to date and give each role its privileges.

    Parameters
    ----------
    owner
        Connection of the role that owns the warehouse.
    roles
        The others; where the pipeline's role is the owner itself nothing is granted to it or taken from it.
    default_limit_usd
        As in `migrate`.

    Returns
    -------
    sequence of str
        Schema files applied now.
    """
    applied = migrate(owner, default_limit_usd)
    if set(roles.duties) != {owner.info.user}:
        grant(owner, roles)
    return applied
