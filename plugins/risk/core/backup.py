"""Backup and restore: the warehouses and Airflow's metadata, one pg_dump archive each, in one file.

An archive is a program that Postgres runs. A seal says that this installation made it; whatever it holds, a restore
runs it as the owner of one database, and grants nothing but what each role needs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.errors import ConnectionLostError, RequestError, SchemaError, StackError
from risk.core.roles import PAGE, PIPELINE, READER, Roles, grant
from risk.core.schema import is_created, pending_files
from risk.core.warehouse import Connection, connect, execute, rows, writing

CONTENTS = "contents.json"
UNPACKED = ".risk-restore-"
"""Start of the name of the folder into which a backup is unpacked; a killed restore leaves it to the next one, which
removes whatever is named so: nobody else's folder is."""
WAREHOUSE_OWNER = "risk_owner"
DATABASES = {"airflow": "airflow", "warehouse": WAREHOUSE_OWNER, "warehouse_simulated": WAREHOUSE_OWNER}
"""Owner of each database that an installation may have: a restore replaces no other."""


def installed_databases(dsn: str) -> dict[str, str]:
    """Return the owner of each database of this installation, by name.

    Raises
    ------
    ConnectionLostError
        If the server does not answer.
    """
    with contextlib.closing(connect(dsn)) as connection:
        return dict(rows(connection, "backup/select_databases", {"owners": sorted(set(DATABASES.values()))}))


def back_up(dsn: str, databases: Iterable[str], file: Path, key: str = "") -> dict[str, str]:
    """Dump databases of a server into one file, readable by the owner only.

    Parameters
    ----------
    dsn
        Superuser's connection.
    databases
        Their names.
    file
        The archive; written under a temporary name and renamed when it is complete.
    key
        What seals it; without one a restore asks whether it is trusted.

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
            contents = {"sha256": digests, "seal": seal(digests, key) if key else ""}
            (folder / CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
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


def seal(digests: Mapping[str, str], key: str) -> str:
    """Return the HMAC of an archive's databases and hashes under the installation's key."""
    return hmac.new(key.encode(), json.dumps(digests, sort_keys=True).encode(), "sha256").hexdigest()


class Restored(NamedTuple):
    """What a restore did: the databases it replaced, and the sessions for which it closed approvals."""

    databases: list[str]
    closed_sessions: list[dt.date]


def restore(
    dsn: str, file: Path, key: str = "", *, is_trusted: bool = False, known: Mapping[str, str] = DATABASES
) -> Restored:
    """Put the databases of a backup in place of those of the same names.

    Each is restored under a temporary name; when all are complete, one transaction renames them all, and only then are
    the replaced ones dropped: a restore that is killed leaves all the old databases in place, or all the new ones.

    Parameters
    ----------
    dsn
        Superuser's connection to a server whose roles exist.
    file
        What `back_up` wrote.
    key
        What has sealed it.
    is_trusted
        Whether a file that is not sealed by the key is restored all the same.
    known
        Owner of each database that may be replaced.

    Raises
    ------
    RequestError
        If the file is no backup of ours, damaged or not sealed, or a database is unknown or in use; nothing has
        changed then.
    StackError
        If a database cannot be restored; those in place have not changed then.
    """
    for leftover in file.parent.glob(f"{UNPACKED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=UNPACKED, dir=file.parent) as name:
        folder = Path(name)
        contents = unpack(file, folder)
        check_databases(file, contents, known)
        if not is_trusted:
            check_seal(file, contents, key)
        owners = {database: known[database] for database in contents["sha256"]}
        closed = set[dt.date]()
        connection = connect(dsn)
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            refuse_while_in_use(connection, owners)
            for database, owner in owners.items():
                temporary = f"{database}_restored"
                recreate(cursor, temporary, owner)
                load(cursor, make_dsn(dsn, dbname=temporary), owner, folder / f"{database}.dump")
                if owner == WAREHOUSE_OWNER:
                    replaced = read_replaced(cursor, make_dsn(dsn, dbname=database), owner)
                    closed |= record(cursor, make_dsn(dsn, dbname=temporary), owner, replaced)
            swap(cursor, owners)
    return Restored(sorted(owners), sorted(closed))


def swap(cursor: psycopg2.extensions.cursor, databases: Iterable[str]) -> None:
    """Rename all restored databases to what they replace, in one transaction, then drop what they replaced.

    Raises
    ------
    RequestError
        If somebody connects meanwhile; nothing has changed then.
    """
    drops, renames = [], []
    cursor.execute("select datname from pg_database")
    present = {name for (name,) in cursor.fetchall()}
    for database in databases:
        names = {part: sql.Identifier(f"{database}{part}") for part in ("", "_restored", "_replaced")}
        drops.append(sql.SQL("drop database if exists {_replaced} with (force)").format(**names))
        if database in present:
            renames.append(sql.SQL("alter database {} rename to {}").format(names[""], names["_replaced"]))
        renames.append(sql.SQL("alter database {} rename to {}").format(names["_restored"], names[""]))
    for command in drops:
        cursor.execute(command)
    try:
        cursor.execute(sql.SQL("begin; {}; commit").format(sql.SQL("; ").join(renames)))
    except psycopg2.errors.ObjectInUse as error:
        cursor.execute("rollback")
        raise RequestError(
            f"Somebody connected during the restore ({str(error).splitlines()[0]}), so nothing was replaced: stop "
            "Airflow (make down), then restore again."
        ) from None
    for command in drops:
        cursor.execute(command)


def check_databases(file: Path, contents: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Refuse an archive of databases that no installation has."""
    unknown = sorted(set(contents["sha256"]) - set(known))
    if unknown:
        raise RequestError(
            f"{file} holds {', '.join(map(ascii, unknown))}, which is no database of this installation "
            f"({', '.join(known)}): restore it with pg_restore where it belongs."
        )


def check_seal(file: Path, contents: Mapping[str, Any], key: str) -> None:
    """Refuse an archive that was not sealed with the installation's key."""
    if not (key and hmac.compare_digest(str(contents.get("seal")).encode(), seal(contents["sha256"], key).encode())):
        raise RequestError(
            f"{file} was not made by this installation, or its key (backup in var/secrets.json, RISK_BACKUP_KEY) has "
            "changed. The database runs what a backup holds: restore it only if you trust where it comes from, with "
            "make restore FILE=path TRUSTED=1."
        )


def load(cursor: psycopg2.extensions.cursor, dsn: str, owner: str, archive: Path) -> None:
    """Load an archive into an empty database with its owner's rights, then let only those who need it connect.

    Parameters
    ----------
    cursor
        Of a superuser.
    dsn
        Connection to the database, of the same server.
    """
    with loader(cursor, dsn, owner) as login:
        arguments = ["--exit-on-error", "--no-owner", "--no-privileges", f"--role={owner}", str(archive)]
        run_program("pg_restore", arguments, make_dsn(dsn, **login), parse_dsn(dsn)["dbname"])
    if owner == WAREHOUSE_OWNER:
        with as_owner(cursor, dsn, owner) as connection:
            # The warehouse of a desk that has not run yet is an empty database.
            if is_created(connection):
                present = {name for (name,) in rows(connection, "migrate/select_roles")}
                grant(connection, Roles(PIPELINE, *(name if name in present else "" for name in (PAGE, READER))))


def read_replaced(cursor: psycopg2.extensions.cursor, dsn: str, owner: str) -> int | None:
    """Read how long the history is that a restore replaces; ``None`` where there is none that can be read."""
    cursor.execute("select from pg_database where datname = %s", [parse_dsn(dsn)["dbname"]])
    if not cursor.rowcount:
        return None
    try:
        with as_owner(cursor, dsn, owner) as connection:
            sequence: int | None = rows(connection, "backup/select_replaced_sequence")[0][0]
    except (psycopg2.Error, ConnectionLostError):
        return None
    return sequence


def record(cursor: psycopg2.extensions.cursor, dsn: str, owner: str, replaced: int | None) -> set[dt.date]:
    """Record in a restored warehouse that it was restored, which closes its open approvals; return their sessions.

    The link of this row is why `risk.core.verify` says that history is missing where it would say that it was cut.

    Parameters
    ----------
    cursor
        Of a superuser.
    dsn
        Connection to the warehouse, of the same server.
    replaced
        What `read_replaced` gave.

    Raises
    ------
    StackError
        If the warehouse does not let its owner record it.
    """
    with as_owner(cursor, dsn, owner) as connection:
        if not is_created(connection):
            return set()
        try:
            pending_files(connection)
            with writing(connection):
                execute(connection, "backup/insert_restores", {"replaced_sequence": replaced})
                return {session for (session,) in rows(connection, "backup/select_closed_publications")}
        except (psycopg2.Error, SchemaError) as error:
            raise StackError(
                f"The restored warehouse cannot record that it was restored ({str(error).splitlines()[0]}): it comes "
                "from another version of the code, and nothing was replaced. Restore it with that version, or load the "
                "files again."
            ) from error


@contextlib.contextmanager
def as_owner(cursor: psycopg2.extensions.cursor, dsn: str, owner: str) -> Iterator[Connection]:
    """Connect with the rights of a database's owner and no others, whatever is in the database."""
    with loader(cursor, dsn, owner) as login, contextlib.closing(connect(make_dsn(dsn, **login))) as connection:
        with connection, connection.cursor() as owning:
            owning.execute(sql.SQL("set role {}").format(sql.Identifier(owner)))
        yield connection


@contextlib.contextmanager
def loader(cursor: psycopg2.extensions.cursor, dsn: str, owner: str) -> Iterator[dict[str, str]]:
    """Give the login of a role for one restore: it may become the owner, and by itself may do nothing.

    A superuser that becomes the owner could be made a superuser again by what it restores.
    """
    login = {"user": f"restore_{secrets.token_hex(8)}", "password": secrets.token_urlsafe(24)}
    names = {
        "role": sql.Identifier(login["user"]),
        "password": sql.Literal(login["password"]),
        "owner": sql.Identifier(owner),
        "database": sql.Identifier(parse_dsn(dsn)["dbname"]),
    }
    cursor.execute(sql.SQL("create role {role} login noinherit password {password} in role {owner}").format(**names))
    try:
        cursor.execute(sql.SQL("grant connect on database {database} to {role}").format(**names))
        yield login
    finally:
        # An archive may have stored settings for the roles it ran as, and granted them something.
        for command in ("alter role {owner} reset all", "alter role {owner} in database {database} reset all"):
            cursor.execute(sql.SQL(command).format(**names))
        cursor.execute(sql.SQL("alter database {database} reset all").format(**names))
        with contextlib.closing(psycopg2.connect(dsn)) as inside:
            inside.autocommit = True
            inside.cursor().execute(sql.SQL("drop owned by {role}").format(**names))
        cursor.execute(sql.SQL("drop role {role}").format(**names))


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
    cursor.execute(sql.SQL("revoke connect, temporary on database {database} from public").format(**names))


def extract(file: Path, folder: Path) -> None:
    """Write the files of an archive into a folder, each by its plain name.

    File by file, since the filter of ``extractall`` came with Python 3.11.4, and Debian 12 has 3.11.2.

    Raises
    ------
    ValueError
        If it holds anything but plain files, or is compressed: a few bytes may be a full disk.
    """
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            source = archive.extractfile(member) if member.isreg() and not member.issparse() else None
            if source is None or Path(member.name).name != member.name:
                raise ValueError(f"it holds {member.name!a}")
            with (folder / member.name).open("wb") as target:
                shutil.copyfileobj(source, target)


def unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup, compare every dump with its SHA-256, and return its table of contents."""
    try:
        extract(file, folder)
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        for database, digest in dict(contents["sha256"]).items():
            with (folder / f"{Path(database).name}.dump").open("rb") as content:
                if hashlib.file_digest(content, "sha256").hexdigest() != digest:
                    raise RequestError(
                        f"{file} is damaged: the dump of {database} has other bytes. Use another backup."
                    )
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            f"{file} is not a backup of make backup ({error}): name one, make restore FILE=path."
        ) from None
    return dict(contents)


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
