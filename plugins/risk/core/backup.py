"""Backup and restore: the warehouses and Airflow's metadata, one pg_dump archive each, in one file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.errors import RequestError, StackError
from risk.core.warehouse import Connection, connect, rows

CONTENTS = "contents.json"
OWNERS = ("risk_owner", "airflow")
"""Owners of the databases of an installation."""


def installed_databases(dsn: str) -> dict[str, str]:
    """Return the owner of each database of this installation, by name.

    Raises
    ------
    ConnectionLostError
        If the server does not answer.
    """
    with contextlib.closing(connect(dsn)) as connection:
        return dict(rows(connection, "backup/select_databases", {"owners": list(OWNERS)}))


def back_up(dsn: str, databases: Mapping[str, str], file: Path) -> dict[str, str]:
    """Dump databases of a server into one file, readable by the owner only.

    Parameters
    ----------
    dsn
        Superuser's connection.
    databases
        Owner of each database by its name.
    file
        The archive; written under a temporary name and renamed when it is complete.

    Returns
    -------
    dict
        SHA-256 of each database's dump.

    Raises
    ------
    StackError
        If a dump fails; no file is left.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix="backup-", dir=file.parent) as name:
            folder = Path(name)
            digests = {database: dump(dsn, database, folder / f"{database}.dump") for database in databases}
            (folder / CONTENTS).write_text(json.dumps({"sha256": digests, "owners": dict(databases)}), encoding="utf-8")
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as output, tarfile.open(fileobj=output, mode="w") as archive:
                for path in sorted(folder.iterdir()):
                    archive.add(path, path.name)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return digests


def dump(dsn: str, database: str, file: Path) -> str:
    """Write one database as an archive of pg_dump, consistent as of one instant, and return its SHA-256."""
    run_program("pg_dump", ["--format=custom", f"--file={file}"], dsn, database)
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def restore(dsn: str, file: Path) -> list[str]:
    """Put the databases of a backup in place of those of the same names.

    Each is restored under a temporary name; they are renamed when all are complete.

    Parameters
    ----------
    dsn
        Superuser's connection to a server whose roles exist.
    file
        What `back_up` wrote.

    Returns
    -------
    list of str
        Names of the databases.

    Raises
    ------
    RequestError
        If the file is no backup of ours, or damaged, or a database is in use; nothing has changed then.
    StackError
        If a database cannot be restored; those in place have not changed then.
    """
    with tempfile.TemporaryDirectory(prefix="restore-", dir=file.parent) as name:
        folder = Path(name)
        owners = unpack(file, folder)
        connection = connect(dsn)
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            refuse_while_in_use(connection, owners)
            for database, owner in owners.items():
                temporary = f"{database}_restored"
                recreate(cursor, temporary, owner)
                run_program("pg_restore", ["--exit-on-error", str(folder / f"{database}.dump")], dsn, temporary)
            for database in owners:
                names = {"old": sql.Identifier(database), "new": sql.Identifier(f"{database}_restored")}
                cursor.execute(sql.SQL("drop database if exists {old} with (force)").format(**names))
                cursor.execute(sql.SQL("alter database {new} rename to {old}").format(**names))
    return sorted(owners)


def refuse_while_in_use(connection: Connection, databases: Iterable[str]) -> None:
    """Refuse to replace databases that somebody is connected to."""
    in_use = rows(connection, "backup/select_connections", {"databases": sorted(databases)})
    if in_use:
        listed = ", ".join(f"{database} by {count} connections" for database, count in in_use)
        raise RequestError(f"A restore replaces databases that are in use ({listed}): stop Airflow (make down) first.")


def recreate(cursor: psycopg2.extensions.cursor, database: str, owner: str) -> None:
    """Make an empty database, dropping what an interrupted restore has left."""
    names = {"database": sql.Identifier(database), "owner": sql.Identifier(owner)}
    cursor.execute(sql.SQL("drop database if exists {database} with (force)").format(**names))
    cursor.execute(sql.SQL("create database {database} owner {owner}").format(**names))


def extract(file: Path, folder: Path) -> None:
    """Write the files of an archive into a folder, each by its plain name.

    File by file, since the filter of ``extractall`` came with Python 3.11.4, and Debian 12 has 3.11.2.

    Raises
    ------
    ValueError
        If it holds anything but plain files.
    """
    with tarfile.open(file) as archive:
        for member in archive:
            source = archive.extractfile(member)
            if source is None or Path(member.name).name != member.name:
                raise ValueError(f"it holds {member.name}")
            with (folder / member.name).open("wb") as target:
                shutil.copyfileobj(source, target)


def unpack(file: Path, folder: Path) -> dict[str, str]:
    """Unpack a backup, compare every dump with its SHA-256, and return the owner of each database."""
    try:
        extract(file, folder)
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        for database, digest in contents["sha256"].items():
            with (folder / f"{database}.dump").open("rb") as content:
                if hashlib.file_digest(content, "sha256").hexdigest() != digest:
                    raise RequestError(
                        f"{file} is damaged: the dump of {database} has other bytes. Use another backup."
                    )
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise RequestError(
            f"{file} is not a backup of make backup ({error}): name one, make restore FILE=path."
        ) from None
    return dict(contents["owners"])


def run_program(name: str, arguments: list[str], dsn: str, database: str) -> None:
    """Run a client program of Postgres on a database; the password travels in its environment only."""
    program = shutil.which(name)
    if program is None:
        raise StackError(f"{name} is not installed here: install the client programs of Postgres, then try again.")
    target = parse_dsn(dsn)
    password = target.pop("password", "")
    target.pop("connect_timeout", None)
    done = subprocess.run(
        [program, f"--dbname={make_dsn(**{**target, 'dbname': database})}", "--no-password", *arguments],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.strip()][-4:]
        raise StackError(f"{name} of database {database} failed:\n  " + "\n  ".join(last))
