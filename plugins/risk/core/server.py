"""The roles and databases of a Postgres server, made by its superuser; what a role may do in them is `roles`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psycopg2
from psycopg2 import sql


def ensure_databases(dsn: str, owners: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """Create roles and databases that do not exist yet, set passwords, and let only owners connect.

    Parameters
    ----------
    dsn
        Superuser's connection.
    owners
        Owner of each database by its name.
    passwords
        Password of each role by its name.
    """
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for role, password in passwords.items():
            cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
            verb = sql.SQL("alter" if cursor.fetchone() else "create")
            command = sql.SQL("{} role {} login password {}")
            cursor.execute(command.format(verb, sql.Identifier(role), sql.Literal(password)))
        for database, owner in owners.items():
            cursor.execute("select 1 from pg_database where datname = %s", (database,))
            if cursor.fetchone() is None:
                command = sql.SQL("create database {} owner {}")
                cursor.execute(command.format(sql.Identifier(database), sql.Identifier(owner)))
        for database in (*owners, "postgres", "template1"):
            command = sql.SQL("revoke connect, temporary on database {} from public")
            cursor.execute(command.format(sql.Identifier(database)))
